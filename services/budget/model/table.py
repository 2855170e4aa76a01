"""The base of the division's tables."""

from shared.database import House, new_metadata


class Table(House):
    """A table of the budget division's own database."""

    __abstract__ = True
    metadata = new_metadata()
