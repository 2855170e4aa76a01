"""The table from which all tables of this division derive."""

from shared.database import House, new_metadata


class Table(House):
    """A table of the application division's own database."""

    __abstract__ = True
    metadata = new_metadata()
