"""What every table of the gateway's own database has."""

from shared.database import House, new_metadata


class Table(House):
    """A table of the gateway's own database."""

    __abstract__ = True
    metadata = new_metadata()
