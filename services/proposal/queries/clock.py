"""The time of cases: planned against actual for one case, and by step, actor, division and year for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from services.proposal.authority import MONEY_READERS, READERS
from services.proposal.model import Case, CaseStatus
from services.proposal.model.clock import BALL, OUTSIDE, STANDS, meaning
from services.proposal.queries.case import CLOCK, NO_STANDARD, seen_by
from shared.calendar import hours
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person, Role
from shared.procedure import Procedure, procedure
from shared.service_clock import Change, Line, Reading, Sum, by_actor, by_step, read
from shared.words import WIB

ORDER = ("S01", "F01", "S02", "F02", "S03", "S04", "S05", "S06", "S07", "S08", "F04", "S09", "S10", "S11")
"""The steps at which something can stand, as they follow each other."""


# --- one definition of a median ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stay:
    """Uninterrupted stays in one step that are over."""

    count: int
    median_days: float
    median_minutes: float


def stays(
    session: Session,
    *,
    since: datetime,
    until: datetime | None = None,
    cases: ColumnElement[bool] | None = None,
    sop_version: int | None = None,
) -> dict[str, Stay]:
    """Return how long the stays in each step took that ended since a moment, by step, in one question.

    This is what "median" means everywhere: in the dashboard, in the report on time and beside the standard in the
    printed SOP. A stay lasts from the move into the step to the move out of it, whoever had the ball meanwhile.
    """
    row = CaseStatus
    asked = (
        select(
            row.step,
            func.count(),
            func.percentile_cont(0.5).within_group(row.stay_days),
            func.percentile_cont(0.5).within_group(row.stay_minutes),
        )
        .where(row.ends_stay, row.left_at >= since, row.step != "")
        .group_by(row.step)
    )
    if until is not None:
        asked = asked.where(row.left_at < until)
    narrow = [] if cases is None else [cases]
    if sop_version is not None:
        narrow.append(Case.sop_version == sop_version)
    if narrow:
        asked = asked.join(Case, Case.id == row.case_id).where(*narrow)
    return {step: Stay(count, float(days), float(minutes)) for step, count, days, minutes in session.execute(asked)}


# --- one case ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseTime:
    """The time of one case, as the clock shows it now."""

    lines: list[Line]
    actors: dict[str, Sum]
    reading: Reading
    due_at: datetime | None
    """When the standard of the present step ends; None where none runs."""
    is_estimated: bool
    """It leans on days that no decree has confirmed."""
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def total(self) -> Sum:
        """Return the time from the first submission until the goal, an end, or now."""
        return self.reading.worked


def time_of(
    session: Session, whose: Case, history: Sequence[CaseStatus] | None = None, *, now: datetime | None = None
) -> CaseTime:
    """Return planned against actual for each step and actor of a case that was found before."""
    now = now or utc_now()
    if history is None:
        row = CaseStatus
        asked = select(row).where(row.case_id == whose.id).order_by(row.at, row.created_at)
        history = session.scalars(asked).all()
    changes = [Change(one.at, one.status) for one in history]
    clock = hours(session)
    reading = read(changes, meaning, clock, now=now)
    running = [one for one in reading.stretches if one.meaning.runs]
    began = running[0].start if running else None
    ended = None if reading.is_running or not running else running[-1].end
    due = due_at(session, whose.status, whose.entered_at, whose.sop)
    return CaseTime(
        lines=by_step(reading, lambda step: _standard(step, whose.sop)),
        actors=by_actor(reading),
        reading=reading,
        due_at=due,
        is_estimated=bool(began and clock.is_estimated(began, max(due or now, now) if ended is None else ended)),
        began_at=began,
        ended_at=ended,
    )


def _standard(step: str, sop: Procedure) -> int:
    return sop.steps[step].working_days if step in sop.steps else 0


def due_at(session: Session, status: str, since: datetime, sop: Procedure | None = None) -> datetime | None:
    """Return when the standard time of a status ends that began then; None where no standard runs."""
    standard = 0 if status in NO_STANDARD else _standard(CLOCK.get(status, ""), sop or procedure())
    return hours(session).due_days(since, standard) if standard else None


# --- all cases -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Which time is counted."""

    year: int | None = None
    """The calendar year (WIB) in which the status or stay was over; None: all."""
    unit: str = ""
    """The proposing unit."""
    division: str = ""
    """The division whose steps are shown."""


@dataclass(frozen=True)
class StepRow:
    """One step as it was planned and as it went, over all cases."""

    step: str
    title: str
    division: str
    planned_days: int
    stays: int
    median_days: float | None
    own_days: float
    """Mean working days of a stay in which the ball lay within the centre."""
    outside_days: float
    """Mean working days of a stay in which it lay outside."""
    late: int
    """Stays that passed the standard."""


@dataclass(frozen=True)
class ActorRow:
    """How long one post had the ball, over all cases."""

    actor: str
    title: str
    is_outside: bool
    times: int
    median_days: float
    days: int
    minutes: int


@dataclass(frozen=True)
class Report:
    """The time of all cases that somebody may see."""

    steps: list[StepRow]
    actors: list[ActorRow]
    finished: int
    """Cases that reached their goal."""
    total_days: float | None
    """Median working days from submission until use."""
    years: list[int]
    is_estimated: bool


def report(session: Session, by: Person, asked: Asked | None = None, *, now: datetime | None = None) -> Report:
    """Return planned against actual by step and actor, as far as this person may see cases, in five questions.

    Raises NotAllowed for vendors.
    """
    asked, now = asked or Asked(), now or utc_now()
    if by.has(Role.VENDOR) and not by.has(*READERS, *MONEY_READERS):
        raise NotAllowed("Laporan waktu hanya untuk pusat dan unit pengusul. Kontrak Anda ada di halaman Kontrak.")
    which = [seen_by(by)]
    if asked.unit:
        which.append(Case.unit == asked.unit)
    since, until = _bounds(asked.year, now)
    sop = procedure()
    shown = [step for step in ORDER if step in sop.steps and asked.division in ("", sop.steps[step].service)]
    over = and_(CaseStatus.left_at >= since, CaseStatus.left_at < until)
    finished, total_days = _finished(session, which, since, until)
    return Report(
        steps=_steps(session, sop, shown, which, since, until),
        actors=_actors(session, sop, shown, which, over),
        finished=finished,
        total_days=total_days,
        years=list(range(now.astimezone(WIB).year, now.astimezone(WIB).year - 10, -1)),
        is_estimated=hours(session).is_estimated(since, min(until, now)),
    )


def _bounds(year: int | None, now: datetime) -> tuple[datetime, datetime]:
    first, last = (year, year + 1) if year else (now.year - 9, now.year + 2)
    return datetime(first, 1, 1, tzinfo=WIB), datetime(last, 1, 1, tzinfo=WIB)


def _steps(
    session: Session,
    sop: Procedure,
    shown: Sequence[str],
    which: Sequence[ColumnElement[bool]],
    since: datetime,
    until: datetime,
) -> list[StepRow]:
    row = CaseStatus
    closed = stays(session, since=since, until=until, cases=and_(*which))
    outside = row.status.in_([status for status, role in BALL.items() if role in OUTSIDE])
    if not shown:
        return []
    passed = case({step: sop.steps[step].working_days or None for step in shown}, value=row.step, else_=None)
    # A stay's own and outside days: its rows are those of the step that ended in the period.
    sums = {
        step: rest
        for step, *rest in session.execute(
            select(
                row.step,
                func.coalesce(func.sum(row.worked_days).filter(~outside), 0),
                func.coalesce(func.sum(row.worked_days).filter(outside), 0),
                func.count().filter(row.ends_stay, row.stay_days > passed),
            )
            .join(Case, Case.id == row.case_id)
            .where(row.left_at >= since, row.left_at < until, row.step != "", *which)
            .group_by(row.step)
        )
    }
    found = []
    for step in shown:
        if step not in set(CLOCK.values()):
            continue
        gone = closed.get(step)
        own, out, late = (n or 0 for n in sums.get(step, (0, 0, 0)))
        count = gone.count if gone else 0
        one = sop.steps[step]
        found.append(
            StepRow(
                step=step,
                title=one.title,
                division=one.service,
                planned_days=one.working_days,
                stays=count,
                median_days=gone.median_days if gone else None,
                own_days=own / count if count else 0.0,
                outside_days=out / count if count else 0.0,
                late=late,
            )
        )
    return found


def _actors(
    session: Session,
    sop: Procedure,
    shown: Sequence[str],
    which: Sequence[ColumnElement[bool]],
    over: ColumnElement[bool],
) -> list[ActorRow]:
    row = CaseStatus
    actor = case({status: role.value for status, role in BALL.items()}, value=row.status, else_="")
    rows = session.execute(
        select(
            actor.label("actor"),
            func.count(),
            func.percentile_cont(0.5).within_group(row.worked_days),
            func.sum(row.worked_days),
            func.sum(row.worked_minutes),
        )
        .join(Case, Case.id == row.case_id)
        .where(over, row.status.not_in(STANDS), row.step.in_(shown), *which)
        .group_by(actor)
    ).all()
    found = [
        ActorRow(who, sop.titles[Role(who)], Role(who) in OUTSIDE, times, float(median), int(days), int(minutes))
        for who, times, median, days, minutes in rows
        if who
    ]
    return sorted(found, key=lambda one: (one.is_outside, -one.minutes, one.actor))


def _finished(
    session: Session, which: Sequence[ColumnElement[bool]], since: datetime, until: datetime
) -> tuple[int, float | None]:
    """Return how many cases came into use in the period, and the median of their working days until then."""
    row = CaseStatus
    some = (
        select(func.sum(row.worked_days).label("days"))
        .join(Case, Case.id == row.case_id)
        .where(Case.live_at >= since, Case.live_at < until, Case.is_taken_over.is_(False), *which)
        .where(row.left_at <= Case.live_at, row.status.not_in(STANDS))
        .group_by(row.case_id)
        .subquery()
    )
    count, median = session.execute(
        select(func.count(some.c.days), func.percentile_cont(0.5).within_group(some.c.days))
    ).one()
    return count, None if median is None else float(median)


def of_cases(session: Session, case_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the working days that these cases have spent on their way in statuses that are over."""
    row = CaseStatus
    asked = (
        select(row.case_id, func.sum(row.worked_days))
        .where(row.case_id.in_(case_ids), row.status.not_in(STANDS), row.left_at.is_not(None))
        .group_by(row.case_id)
    )
    return {case_id: int(days or 0) for case_id, days in session.execute(asked)}
