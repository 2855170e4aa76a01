"""The timetable: what happens by itself, and how often (names only), and the mark that it happened once.

Whoever ticks only hints; the mark in the service's database decides, so two clocks do no harm.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, String, Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.keys import SERVICES
from shared.mailbox import metadata

MINUTE: Final = 60
DAY: Final = 86_400
HEARTBEAT: Final = "heartbeat"
"""Name of the entry whose mark says when a service's worker last did what it was told."""

mark = Table(
    "mark",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("period", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""The last period in which an entry of the timetable ran."""


@dataclass(frozen=True)
class Entry:
    """One thing that happens by itself in one service."""

    service: str
    name: str
    seconds: int
    """How often; periods are counted from midnight UTC of 1 January 1970."""
    after: int = 0
    """Seconds after the beginning of the period."""

    def period(self, now: datetime | None = None) -> int:
        """Return the number of the period that `now` (default: this moment) falls in."""
        return int((now or utc_now()).timestamp() - self.after) // self.seconds


TIMETABLE: Final = tuple(
    # 19.00 UTC is 02.00 in western Indonesia.
    Entry(service, "prune", DAY, after=19 * 3600)
    for service in SERVICES
)
"""What the clock of the split shape announces; a service may add entries that only its own relay ticks."""


def due(session: Session, entry: Entry) -> bool:
    """Tell whether the entry has not run in this period, and mark it as run in the session's transaction.

    By the database's clock; two who ask at once: one is told yes. A clock that was set back counts as a new period.
    """
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    row = insert(mark).values(name=entry.name, period=entry.period(now), at=now)
    taken = row.on_conflict_do_update(
        index_elements=["name"],
        set_={"period": row.excluded.period, "at": row.excluded.at},
        where=mark.c.period != row.excluded.period,
    ).returning(mark.c.name)
    return session.execute(taken).first() is not None


def marks(session: Session) -> dict[str, int]:
    """Return the last period in which each entry ran, by name."""
    return {row.name: row.period for row in session.execute(select(*mark.c["name", "period"]))}
