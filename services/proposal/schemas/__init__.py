"""Shapes that enter and leave the JSON door; pages draw their forms from the same."""
