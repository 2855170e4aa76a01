"""Perencanaan, PPK dan Bendahara with Divisi Aplikasi: budget plans, ceilings, contracts, handovers, payments (F03 S04 S05 S06)."""
