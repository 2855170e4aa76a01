"""The time of cases: planned against actual for one case, and by step, actor, division and year for all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.proposal.model import Case, CaseStatus
from services.proposal.model.case import STANDS
from services.proposal.model.clock import BALL, OUTSIDE, meaning, step_of
from services.proposal.model.tally import FINISHED, PASSED, STAY_OF_YEAR
from services.proposal.queries import tally
from services.proposal.queries.case import CLOCK, NO_STANDARD
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
    """Uninterrupted stays in one step that are over.

    This is what "median" means everywhere: in the dashboard, in the report on time and beside the standard in the
    printed SOP. A stay lasts from the move into the step to the move out of it, whoever had the ball meanwhile.
    """

    count: int
    median_days: float

    @classmethod
    def of(cls, values: Sequence[tuple[int, int]]) -> "Stay | None":
        """Return what days, each with how often they occur, come to; None of nothing."""
        median = tally.median(values)
        return None if median is None else cls(sum(times for _, times in values), median)


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
    """Return planned against actual by step and actor, of the cases that a person counts, in one question of the sums.

    Raises NotAllowed for vendors.
    """
    asked, now = asked or Asked(), now or utc_now()
    if not tally.may_count(by):
        raise NotAllowed("Laporan waktu hanya untuk pusat dan unit pengusul. Kontrak Anda ada di halaman Kontrak.")
    scope = tally.scope_of(by, unit=asked.unit)
    first, last = (asked.year, asked.year + 1) if asked.year else (now.year - 9, now.year + 2)
    since, until = date(first, 1, 1), date(last, 1, 1)
    found = tally.read(
        session, *(tally.sums(scope, kind, since=since, until=until) for kind in (STAY_OF_YEAR, PASSED, FINISHED))
    )
    sop = procedure()
    shown = [step for step in ORDER if step in sop.steps and asked.division in ("", sop.steps[step].service)]
    finished = [value for one in found[FINISHED] for value in one.values]
    return Report(
        steps=_steps(sop, shown, found[STAY_OF_YEAR], found[PASSED]),
        actors=_actors(sop, shown, found[PASSED]),
        finished=sum(times for _, times in finished),
        total_days=tally.median(finished),
        years=list(range(now.astimezone(WIB).year, now.astimezone(WIB).year - 10, -1)),
        is_estimated=hours(session).is_estimated(_morning(since), min(_morning(until), now)),
    )


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), WIB)


def _steps(
    sop: Procedure, shown: Sequence[str], stays: Sequence[tally.Sum], passed: Sequence[tally.Sum]
) -> list[StepRow]:
    # A stay's own and outside days: its rows are those of the step that ended in the period.
    own: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for one in passed:
        is_outside = BALL.get(one.key) in OUTSIDE
        (outside if is_outside else own)[step_of(one.key)] += sum(days * times for days, times in one.values)
    values_of = {one.key: one.values for one in stays}
    found = []
    for step in shown:
        if step not in set(CLOCK.values()):
            continue
        values = values_of.get(step, [])
        gone = Stay.of(values)
        count = gone.count if gone else 0
        planned = sop.steps[step]
        found.append(
            StepRow(
                step=step,
                title=planned.title,
                division=planned.service,
                planned_days=planned.working_days,
                stays=count,
                median_days=gone.median_days if gone else None,
                own_days=own[step] / count if count else 0.0,
                outside_days=outside[step] / count if count else 0.0,
                late=sum(times for days, times in values if 0 < planned.working_days < days),
            )
        )
    return found


def _actors(sop: Procedure, shown: Sequence[str], passed: Sequence[tally.Sum]) -> list[ActorRow]:
    by_role: dict[Role, list[tuple[int, int]]] = {}
    minutes: Counter[Role] = Counter()
    for one in passed:
        if one.key not in STANDS and one.key in BALL and step_of(one.key) in shown:
            by_role.setdefault(BALL[one.key], []).extend(one.values)
            minutes[BALL[one.key]] += sum(one.minutes)
    found = [
        ActorRow(
            actor=role.value,
            title=sop.titles[role],
            is_outside=role in OUTSIDE,
            times=sum(times for _, times in values),
            median_days=tally.median(values) or 0.0,
            days=sum(days * times for days, times in values),
            minutes=minutes[role],
        )
        for role, values in by_role.items()
    ]
    return sorted(found, key=lambda one: (one.is_outside, -one.minutes, one.actor))


def of_cases(session: Session, case_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the working days that these cases have spent on their way in statuses that are over."""
    row = CaseStatus
    asked = (
        select(row.case_id, func.sum(row.worked_days))
        .where(row.case_id.in_(case_ids), row.status.not_in(STANDS), row.left_at.is_not(None))
        .group_by(row.case_id)
    )
    return {case_id: int(days or 0) for case_id, days in session.execute(asked)}
