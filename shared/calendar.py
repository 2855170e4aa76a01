"""The office's own calendar: a year's holidays and working hours as the administrator keeps them, in every division.

The gateway owns it and tells the whole year at each change; a division keeps what it was told. For a year that nobody
has entered yet, the known holidays of the library stand in, and what is counted with unconfirmed dates says so.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, MetaData, ScalarSelect, Table, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert
from sqlalchemy.orm import Session

from shared.database import NAMING, utc_now
from shared.mailbox import Letter
from shared.messages import CalendarChanged, CalendarDay, OfficeHours
from shared.service_clock import Hours
from shared.words import local_date
from shared.workdays import DEFAULT_HOURS, Calendar, Span, SpecialHours, indonesian_holidays

YEARS_BACK: Final = 11
YEARS_AHEAD: Final = 2
"""For how many years around the present one the library stands in where nobody has entered a list."""

calendar_metadata = MetaData(naming_convention=NAMING)

calendar_year = Table(
    "calendar_year",
    calendar_metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("days", JSONB, nullable=False),
    Column("hours", JSONB, nullable=False),
    CheckConstraint("version > 0", name="version_positive"),
)

Year = CalendarChanged
"""A year as it is kept is the year as it is told."""


class Keeps(Protocol):
    """What takes handlers: a division's worker."""

    def handles(self, message: Any) -> Callable[[Any], Any]:
        """Register what is done about a message."""


def keep(worker: Keeps, *, changed: Callable[[Session, int], None] | None = None) -> None:
    """Let a division keep its copy; `changed(session, year)` is called in the transaction in which a year changed."""

    @worker.handles(CalendarChanged)
    def note_calendar(session: Session, message: CalendarChanged, letter: Letter) -> None:
        if take(session, message) and changed:
            changed(session, message.year)


def take(session: Session, told: CalendarChanged) -> bool:
    """Keep a year as told; return False for old news, which changes nothing."""
    row = insert(calendar_year).values(
        **told.model_dump(mode="json", exclude={"changed_at"}), changed_at=told.changed_at
    )
    taken = row.on_conflict_do_update(
        index_elements=["year"],
        set_={name: row.excluded[name] for name in ("version", "changed_at", "days", "hours")},
        where=calendar_year.c.version < row.excluded.version,
    ).returning(calendar_year.c.year)
    session.info.pop(_KEY, None)
    return session.execute(taken).first() is not None


def year_of(session: Session, year: int, *, lock: bool = False) -> Year | None:
    """Return a year as it is kept, None when nobody has entered it; `lock` holds it until the transaction ends."""
    asked = select(calendar_year).where(calendar_year.c.year == year)
    row = session.execute(asked.with_for_update() if lock else asked).mappings().first()
    return Year.model_validate(dict(row)) if row else None


def calendar(session: Session) -> Calendar:
    """Return the days and hours on which the office works, as this division knows them."""
    return hours(session).calendar


def hours(session: Session) -> Hours:
    """Return the calendar with its running sums; one short question for each session."""
    known: Hours | None = session.info.get(_KEY)
    return known or recall(session, session.scalar(select(mark())))


def mark() -> ScalarSelect[str | None]:
    """Return what changes whenever the calendar does, as a column for a statement that is asked anyway."""
    columns = calendar_year.c
    one = func.concat_ws(" ", columns.year, columns.version, columns.changed_at)
    return select(func.string_agg(one, aggregate_order_by(literal(";"), columns.year))).scalar_subquery()


def recall(session: Session, marked: str | None) -> Hours:
    """Return the calendar of a mark, and keep it for the session; nothing is asked when it was seen before."""
    key = (local_date(utc_now()).year, marked or "")
    if key not in _kept:
        years = [Year.model_validate(dict(row)) for row in session.execute(select(calendar_year)).mappings()]
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = Hours(calendar_from({one.year: one for one in years}, around=key[0]))
    session.info[_KEY] = _kept[key]
    return _kept[key]


_KEY: Final = "calendar"
_MOST_KEPT: Final = 4
_kept: dict[tuple[int, str], Hours] = {}
"""Calendars by the versions they were made of."""


def calendar_from(told: Mapping[int, Year], *, around: int) -> Calendar:
    """Return the calendar that these years make; the library stands in for the missing ones around a year."""
    closed: set[date] = set()
    estimates: set[date] = set()
    known = set(told)
    special: list[SpecialHours] = []
    for year in told.values():
        closed |= {day.on for day in year.days}
        estimates |= {day.on for day in year.days if day.is_estimate}
        special += [_special(one) for one in year.hours]
    for number in range(around - YEARS_BACK, around + YEARS_AHEAD + 1):
        if number not in told:
            days = from_library(number)
            closed |= {day.on for day in days}
            if not any(day.is_estimate for day in days):
                known.add(number)
    return Calendar(frozenset(closed), DEFAULT_HOURS, tuple(special), frozenset(estimates), frozenset(known))


@lru_cache(maxsize=64)
def from_library(year: int) -> tuple[CalendarDay, ...]:
    """Return a year's holidays and collective leave as the library knows them, estimates marked."""
    return tuple(
        CalendarDay(on=one.on, name=one.name, kind=one.kind, is_estimate=one.is_estimate)
        for one in indonesian_holidays([year])
    )


def _special(told: OfficeHours) -> SpecialHours:
    week: dict[int, tuple[Span, ...]] = {}
    for one in sorted(told.hours, key=lambda one: (one.weekday, one.opens)):
        week[one.weekday] = (*week.get(one.weekday, ()), (one.opens, one.closes))
    return SpecialHours(told.first_on, told.last_on, week, told.name)
