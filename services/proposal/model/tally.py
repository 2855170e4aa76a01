"""The tally of all cases: how many stand where, what passed and how long it took, added up by month and year.

Whatever moves a case appends what changed, in its own transaction, without waiting for anybody; a job folds that into
the sums. So a dashboard reads as many rows with a thousand cases as with a hundred thousand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Identity, PrimaryKeyConstraint, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.proposal.model.case import AT_REST, FIRST, STANDS
from services.proposal.model.table import Table
from shared.procedure import SHIPPED, STATION
from shared.words import local_date

EVERY_YEAR: Final = 0
"""Stands for the cases of all fiscal years and of none."""
ANY_YEAR: Final = 1
"""Stands for the cases that have a fiscal year: those that stand in a work programme."""
ALWAYS: Final = date(1, 1, 1)
"""The day of what is counted without one."""

KNOWN, STANDING, BACK, STAY, STAY_OF_YEAR, PASSED, FINISHED = (
    "known", "standing", "back", "stay", "stay_of_year", "passed", "finished",
)  # fmt: skip
"""What is counted:

- known: cases that were submitted;
- standing: cases on their way and in use, by status and version of the SOP, and the day on which it began (in use:
  without a day);
- back: ways back along the line, by `source>status` and month;
- stay: stays in one step that are over, by step, month and working days;
- stay_of_year: the same by step and version, year and working days;
- passed: statuses that are over, by status, year and working days;
- finished: cases that came into use, by version, month and working days until then.
"""


class Tally(Table):
    """A sum, kept for one unit or for all (""), and for one fiscal year, for any, or for every one."""

    __tablename__ = "tally"
    # What is read lies in the index itself, in the order in which it is asked for.
    __table_args__ = (
        PrimaryKeyConstraint(
            "kind", "unit", "fiscal_year", "key", "on", "days", postgresql_include=["times", "minutes"]
        ),
    )

    kind: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(20))
    fiscal_year: Mapped[int] = mapped_column(autoincrement=False)
    key: Mapped[str] = mapped_column(String(61))
    on: Mapped[date]
    days: Mapped[int] = mapped_column(autoincrement=False)
    times: Mapped[int]
    minutes: Mapped[int] = mapped_column(BigInteger)


class TallyChange(Table):
    """What a move added or took away and no job has folded into the sums yet; fiscal year 0: the case has none."""

    __tablename__ = "tally_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(20))
    fiscal_year: Mapped[int]
    key: Mapped[str] = mapped_column(String(61))
    on: Mapped[date]
    days: Mapped[int]
    times: Mapped[int]
    minutes: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Facts:
    """What of a case itself decides where it counts."""

    unit: str
    fiscal_year: int | None
    status: str
    entered_at: datetime
    live_at: datetime | None
    is_taken_over: bool
    sop_version: int


Cell = tuple[str, str, int, str, date, int]
"""Kind, unit, fiscal year, key, day and working days."""
Counts = dict[Cell, tuple[int, int]]
"""How often, and how many working minutes."""


def under(name: str, version: int) -> str:
    """Return the key of what is judged by the times of the version of the SOP under which its case runs."""
    return f"{name}@{version}"


def parted(key: str) -> tuple[str, int]:
    """Return what such a key is of, and the version; what a worker of an older release noted without is the first's."""
    name, _, version = key.partition("@")
    return name, int(version or SHIPPED)


def counts(case: Facts, rows: Iterable[Any]) -> Counts:
    """Return where a case counts, by its facts and the measured rows of its history."""
    found: Counts = {}

    def add(kind: str, key: str, on: date, days: int = 0, minutes: int = 0) -> None:
        cell = (kind, case.unit, case.fiscal_year or EVERY_YEAR, key, on, days)
        times, before = found.get(cell, (0, 0))
        found[cell] = times + 1, before + minutes

    if case.status != FIRST:
        add(KNOWN, "", ALWAYS)
    if case.status not in AT_REST:
        # In use is the goal: nothing is awaited, so nobody asks since when.
        began = ALWAYS if case.status in STANDS else local_date(case.entered_at)
        add(STANDING, under(case.status, case.sop_version), began)
    until_use: list[int] = []
    for row in rows:
        if is_way_back(row.source, row.status):
            add(BACK, f"{row.source}>{row.status}", local_date(row.at).replace(day=1))
        if row.left_at is None:
            continue
        month = local_date(row.left_at).replace(day=1)
        year = month.replace(month=1)
        if row.step:
            add(PASSED, row.status, year, row.worked_days, row.worked_minutes)
        if row.step and row.ends_stay:
            add(STAY, row.step, month, row.stay_days)
            add(STAY_OF_YEAR, under(row.step, case.sop_version), year, row.stay_days)
        if case.live_at and row.left_at <= case.live_at and row.status not in STANDS:
            until_use.append(row.worked_days)
    if case.live_at and until_use and not case.is_taken_over:
        add(FINISHED, under("", case.sop_version), local_date(case.live_at).replace(day=1), sum(until_use))
    return found


def is_way_back(source: str, status: str) -> bool:
    """Tell whether a move led back along the line."""
    return bool(source) and status != "cancelled" and STATION[status] < STATION[source]


def note(session: Session, before: Mapping[UUID, Counts], after: Mapping[UUID, Counts]) -> None:
    """Keep what changed between two counts of the same cases."""
    changed: Counts = {}
    for counted, sign in ((before, -1), (after, 1)):
        for of_case in counted.values():
            for cell, (times, minutes) in of_case.items():
                there = changed.get(cell, (0, 0))
                changed[cell] = there[0] + sign * times, there[1] + sign * minutes
    rows = [(*cell, *more) for cell, more in changed.items() if more != (0, 0)]
    if rows:
        session.execute(_NOTE, {name: [row[n] for row in rows] for n, name in enumerate(_COLUMNS)})


_COLUMNS: Sequence[str] = ("kind", "unit", "fiscal_year", "key", "on", "days", "times", "minutes")
_NOTE = text("""
INSERT INTO tally_change (kind, unit, fiscal_year, key, "on", days, times, minutes)
SELECT * FROM unnest(CAST(:kind AS text[]), CAST(:unit AS text[]), CAST(:fiscal_year AS integer[]),
    CAST(:key AS text[]), CAST(:on AS date[]), CAST(:days AS integer[]), CAST(:times AS integer[]),
    CAST(:minutes AS bigint[]))
""")


def fold(session: Session) -> None:
    """Add what has changed to the sums; whoever reads meanwhile sees it before or after, never twice."""
    session.execute(_FOLD)
    session.execute(text("DELETE FROM tally WHERE times = 0 AND minutes = 0"))


# Every unit stands for itself and for all (""); fiscal year 0 is every one, 1 any.
_FOLD = text("""
WITH gone AS (DELETE FROM tally_change RETURNING *)
INSERT INTO tally (kind, unit, fiscal_year, key, "on", days, times, minutes)
SELECT g.kind, s.unit, s.fiscal_year, g.key, g."on", g.days, sum(g.times), sum(g.minutes)
FROM gone AS g CROSS JOIN LATERAL (
    SELECT u.unit, y.fiscal_year
    FROM (SELECT '' UNION SELECT g.unit) AS u(unit),
        (SELECT 0 UNION ALL SELECT unnest(ARRAY[1, g.fiscal_year]) WHERE g.fiscal_year <> 0) AS y(fiscal_year)
) AS s
GROUP BY 1, 2, 3, 4, 5, 6
HAVING sum(g.times) <> 0 OR sum(g.minutes) <> 0
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (kind, unit, fiscal_year, key, "on", days)
DO UPDATE SET times = tally.times + excluded.times, minutes = tally.minutes + excluded.minutes
""")
