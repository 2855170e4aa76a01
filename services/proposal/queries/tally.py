"""The sums of all cases as dashboards and reports read them: what was folded, and what has changed since."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    and_,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.proposal.authority import MONEY_READERS, READERS
from services.proposal.model import Case
from services.proposal.model.tally import ALWAYS, ANY_YEAR, EVERY_YEAR, KNOWN, STANDING, Tally, TallyChange
from shared.identity import Person, Role


@dataclass(frozen=True)
class Scope:
    """Of which cases the sums are."""

    unit: str = ""
    fiscal_year: int = EVERY_YEAR

    @property
    def cases(self) -> list[ColumnElement[bool]]:
        """Return the conditions for the very same cases."""
        found: list[ColumnElement[bool]] = [Case.unit == self.unit] if self.unit else []
        if self.fiscal_year == ANY_YEAR:
            found.append(Case.fiscal_year.is_not(None))
        elif self.fiscal_year != EVERY_YEAR:
            found.append(Case.fiscal_year == self.fiscal_year)
        return found


NOBODYS = "-"
"""A unit that no case has."""


def may_count(by: Person) -> bool:
    """Tell whether there are sums for somebody: for all but vendors' people."""
    return not by.has(Role.VENDOR) or by.has(*READERS, *MONEY_READERS)


def is_of_centre(by: Person) -> bool:
    """Tell whether somebody counts the cases of all units."""
    return by.has(*READERS, *MONEY_READERS)


def scope_of(by: Person, *, unit: str = "", fiscal_year: int | None = None) -> Scope:
    """Return what somebody counts who asked for a unit and a fiscal year.

    The centre counts every case, the money's side those that stand in a work programme, a unit its own.
    """
    if not is_of_centre(by):
        return Scope(by.unit or NOBODYS, fiscal_year or EVERY_YEAR)
    return Scope(unit, fiscal_year or (EVERY_YEAR if by.has(*READERS) else ANY_YEAR))


@dataclass(frozen=True)
class Sum:
    """What was counted under one key, cell by cell; lists side by side, for there may be thousands of cells."""

    key: str
    ons: list[int]
    """Days after `ALWAYS`."""
    days: list[int]
    times: list[int]
    minutes: list[int]

    @property
    def values(self) -> list[tuple[int, int]]:
        """Return the working days, each with how often they occur."""
        return list(zip(self.days, self.times, strict=True))


Asking = Select[str, str, list[int], list[int], list[int], list[int]]


def sums(scope: Scope, kind: str, *, since: date | None = None, until: date | None = None) -> Asking:
    """Return what asks for the sums of one kind, by key, from a day on and before another."""
    kept, new = Tally, TallyChange
    of_kept = [kept.kind == kind, kept.unit == scope.unit, kept.fiscal_year == scope.fiscal_year]
    of_new = [new.kind == kind]
    if scope.unit:
        of_new.append(new.unit == scope.unit)
    if scope.fiscal_year == ANY_YEAR:
        of_new.append(new.fiscal_year != EVERY_YEAR)
    elif scope.fiscal_year != EVERY_YEAR:
        of_new.append(new.fiscal_year == scope.fiscal_year)
    if since:
        of_kept.append(kept.on >= since)
        of_new.append(new.on >= since)
    if until:
        of_kept.append(kept.on < until)
        of_new.append(new.on < until)
    every = union_all(
        select(kept.key, kept.on, kept.days, kept.times, kept.minutes).where(*of_kept),
        select(new.key, new.on, new.days, new.times, new.minutes).where(*of_new),
    ).subquery()
    times, minutes = func.sum(every.c.times), func.sum(every.c.minutes)
    # Only where it began do people ask for the day: stays of several months are one cell.
    day = every.c.on if kind == STANDING else literal(ALWAYS, Date)
    cells = (
        select(every.c.key, day.label("on"), every.c.days, times.label("times"), minutes.label("minutes"))
        .group_by(every.c.key, literal_column("2"), every.c.days)
        .having(times != 0)
        .subquery()
    )
    # As arrays: a row for each cell would take longer to read than to count.
    since_always = cells.c.on - literal(ALWAYS, Date)
    whole = (since_always, cells.c.days, cells.c.times, cells.c.minutes)
    return select(
        literal(kind).label("kind"),
        cells.c.key,
        *(cast(func.array_agg(one), ARRAY(BigInteger)).label(f"a{n}") for n, one in enumerate(whole)),
    ).group_by(cells.c.key)


def read(session: Session, *asked: Asking) -> dict[str, list[Sum]]:
    """Return several kinds of sums by kind, in one statement."""
    found: dict[str, list[Sum]] = defaultdict(list)
    for kind, key, ons, days, times, minutes in session.execute(union_all(*asked)):
        found[kind].append(Sum(key, ons, days, times, minutes))
    return found


def known(session: Session, scope: Scope) -> tuple[list[int], list[str]]:
    """Return the fiscal years and the units of which there are cases, for a scope as wide as somebody's may be."""
    kept, new = Tally, TallyChange
    is_unit = and_(kept.unit == scope.unit if scope.unit else kept.unit != "", kept.fiscal_year == scope.fiscal_year)
    is_year = and_(kept.unit == scope.unit, kept.fiscal_year > ANY_YEAR)
    of_new = [new.kind == KNOWN]
    if scope.unit:
        of_new.append(new.unit == scope.unit)
    if scope.fiscal_year == ANY_YEAR:
        of_new.append(new.fiscal_year != EVERY_YEAR)
    units: Counter[str] = Counter()
    years: Counter[int] = Counter()
    for unit, year, times, is_new in session.execute(
        union_all(
            select(kept.unit, kept.fiscal_year, kept.times, false()).where(kept.kind == KNOWN, or_(is_unit, is_year)),
            select(new.unit, new.fiscal_year, new.times, true()).where(*of_new),
        )
    ):
        if is_new or year <= ANY_YEAR:
            units[unit] += times
        if year > ANY_YEAR:
            years[year] += times
    return sorted(year for year in years if years[year] > 0), sorted(unit for unit in units if units[unit] > 0)


def median(values: Iterable[tuple[int, int]]) -> float | None:
    """Return the median of values with how often each occurs; between two it is their mean; None of nothing."""
    counted = sorted(values)
    total = sum(times for _, times in counted)
    if total <= 0:
        return None
    return (_nth(counted, (total - 1) // 2) + _nth(counted, total // 2)) / 2


def _nth(counted: Sequence[tuple[int, int]], n: int) -> int:
    for value, times in counted:
        if n < times:
            return value
        n -= times
    raise IndexError(n)


@dataclass(frozen=True)
class Stay:
    """Uninterrupted stays in one step that are over.

    This is what "median" means everywhere: in the dashboard, in the report on time and beside the standard in the
    printed SOP. A stay lasts from the move into the step to the move out of it, whoever had the ball meanwhile.
    """

    count: int
    median_days: float

    @classmethod
    def of(cls, values: Sequence[tuple[int, int]]) -> "Stay | None":
        """Return what days, each with how often they occur, come to; None of nothing."""
        found = median(values)
        return None if found is None else cls(sum(times for _, times in values), found)
