"""What was found in all divisions."""

from shared.search import Hit


class FoundHit(Hit):
    """One thing that was found, and in which division."""

    part: str
