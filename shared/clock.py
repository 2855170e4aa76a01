"""The timetable: what happens by itself, and when (names only)."""

from sqlalchemy import BigInteger, Column, DateTime, String, Table

from shared.mailbox import metadata

mark = Table(
    "mark",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("period", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""The last period in which an entry of the timetable ran."""
