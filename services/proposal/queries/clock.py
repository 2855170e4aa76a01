"""The time of cases: planned against actual for one case, and by step, actor, division and year for all of them."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.model import Case, CaseStatus
from services.proposal.model.case import STANDS
from services.proposal.model.clock import BALL, OUTSIDE, meaning, step_of
from services.proposal.model.sop import procedures
from services.proposal.model.tally import FINISHED, PASSED, STAY_OF_YEAR, parted
from services.proposal.queries import tally
from services.proposal.queries.case import CLOCK, standard_of
from services.proposal.queries.sop import current_procedure
from services.proposal.queries.tally import Stay
from shared.calendar import hours
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person, Role
from shared.procedure import Procedure, procedure, span
from shared.service_clock import Change, Line, Reading, Sum, by_actor, by_step, read
from shared.words import WIB

ORDER = ("S01", "F01", "S02", "F02", "S03", "S04", "S05", "S06", "S07", "S08", "F04", "S09", "S10", "S11")
"""The steps at which something can stand, as they follow each other."""


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

    planned_days: tuple[int, int]
    """The least and the most working days from the proposal until use, by the version of the case; none for one that
    was taken over, whose beginning nobody measured."""
    until_use: Sum
    """From the first submission until the application came into use; until an end, or now, where it has not."""
    is_in_use: bool

    @property
    def total(self) -> Sum:
        """Return the time from the first submission on, also what came after use: a fault found, a re-test."""
        return self.reading.worked

    @property
    def planned(self) -> str:
        """Return the planned total as it is read: "98–164"."""
        return span(*self.planned_days)

    @property
    def over_days(self) -> int:
        """Return the working days until use beyond the most that is planned; 0 within it."""
        most = self.planned_days[1]
        return max(self.until_use.total_days - most, 0) if most else 0


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
    sop = whose.sop
    due = due_at(session, whose.status, whose.entered_at, sop)
    until_use = Sum()
    for one in running:
        # As the tally counts: what is over before the application came into use.
        if whose.live_at is None or one.end <= whose.live_at:
            until_use.add(one)
    return CaseTime(
        lines=by_step(reading, lambda step: sop.steps[step].most_days if step in sop.steps else 0),
        actors=by_actor(reading),
        reading=reading,
        due_at=due,
        is_estimated=bool(began and clock.is_estimated(began, max(due or now, now) if ended is None else ended)),
        began_at=began,
        ended_at=ended,
        planned_days=(0, 0) if whose.is_taken_over else sop.total_days,
        until_use=until_use,
        is_in_use=whose.live_at is not None,
    )


def due_at(session: Session, status: str, since: datetime, sop: Procedure | None = None) -> datetime | None:
    """Return when the standard time of a status ends that began then; None where no standard runs."""
    standard = standard_of(status, sop or procedure())
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
    most_days: int
    """The standard time of the version in force; a range has two ends."""
    stays: int
    median_days: float | None
    own_days: float
    """Mean working days of a stay in which the ball lay within the centre."""
    outside_days: float
    """Mean working days of a stay in which it lay outside."""
    late: int
    """Stays that passed the standard of the version under which their case runs."""

    @property
    def standard(self) -> str:
        """Return the standard time as it is read: "66–132"."""
        return span(self.planned_days, self.most_days)


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
    planned_days: tuple[int, int]
    """The least and the most working days that the version in force plans for that."""
    total_late: int
    """Cases that took longer than the version under which they ran plans at most."""
    years: list[int]
    is_estimated: bool


def report(session: Session, by: Person, asked: Asked | None = None, *, now: datetime | None = None) -> Report:
    """Return planned against actual by step and actor, of the cases that a person counts, in one question of the sums.

    What passed its standard is judged by the version of each case; what is planned is told by the version in force.
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
    sop = current_procedure(session)
    sops = procedures(session, {parted(one.key)[1] for kind in (STAY_OF_YEAR, FINISHED) for one in found[kind]})
    shown = [step for step in ORDER if step in sop.steps and asked.division in ("", sop.steps[step].service)]
    finished = [value for one in found[FINISHED] for value in one.values]
    return Report(
        steps=_steps(sop, sops, shown, found[STAY_OF_YEAR], found[PASSED]),
        actors=_actors(sop, shown, found[PASSED]),
        finished=sum(times for _, times in finished),
        total_days=tally.median(finished),
        planned_days=sop.total_days,
        total_late=sum(_beyond(one, sops[parted(one.key)[1]].total_days[1]) for one in found[FINISHED]),
        years=list(range(now.astimezone(WIB).year, now.astimezone(WIB).year - 10, -1)),
        is_estimated=hours(session).is_estimated(_morning(since), min(_morning(until), now)),
    )


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), WIB)


def _beyond(one: tally.Sum, most: int) -> int:
    return sum(times for days, times in one.values if 0 < most < days)


def _steps(
    sop: Procedure,
    sops: Mapping[int, Procedure],
    shown: Sequence[str],
    stays: Sequence[tally.Sum],
    passed: Sequence[tally.Sum],
) -> list[StepRow]:
    # A stay's own and outside days: its rows are those of the step that ended in the period.
    own: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for one in passed:
        is_outside = BALL.get(one.key) in OUTSIDE
        (outside if is_outside else own)[step_of(one.key)] += sum(days * times for days, times in one.values)
    values_of: dict[str, list[tuple[int, int]]] = defaultdict(list)
    late: Counter[str] = Counter()
    for one in stays:
        step, version = parted(one.key)
        values_of[step] += one.values
        late[step] += _beyond(one, sops[version].steps[step].most_days)
    found = []
    for step in shown:
        if step not in set(CLOCK.values()):
            continue
        gone = Stay.of(values_of[step])
        count = gone.count if gone else 0
        planned = sop.steps[step]
        found.append(
            StepRow(
                step=step,
                title=planned.title,
                division=planned.service,
                planned_days=planned.working_days,
                most_days=planned.most_days,
                stays=count,
                median_days=gone.median_days if gone else None,
                own_days=own[step] / count if count else 0.0,
                outside_days=outside[step] / count if count else 0.0,
                late=late[step],
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
