"""Divisi Aplikasi: the case with its one trace, proposals, work programme, meetings, evaluations (S01-S03, S10, S11)."""
