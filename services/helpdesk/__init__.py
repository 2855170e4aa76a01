"""Divisi Layanan dan Sosialisasi: users' trouble with live applications (S09): tickets and replies."""
