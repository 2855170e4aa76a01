"""Divisi Monitoring dan Security: the security test before use (S08): scans, findings, controls, verdict, permit."""
