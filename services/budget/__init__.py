"""Budget plans, ceilings, contracts, handovers and payments: planning section, PPK and treasurer (F03 S04 S05 S06)."""
