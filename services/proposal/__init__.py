"""Divisi Aplikasi: the case and its trace, proposals, work programme, meetings, evaluations (S01-S03, S10, S11)."""
