"""Shapes that enter and leave the gateway's own JSON door."""
