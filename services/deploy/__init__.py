"""Divisi Infrastruktur: servers, hostings, builds, installations and releases (S07, F04), and what is measured."""
