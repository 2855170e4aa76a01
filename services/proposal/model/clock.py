"""The clock of a case: who has the ball in each status, and the working time of each status that is over.

A status is measured when the next one comes, and again when the calendar of its days changes, so that reports add up
what is stored instead of counting days for a hundred thousand cases.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import event, inspect, select, text
from sqlalchemy.orm import Session

from services.proposal.model import tally
from services.proposal.model.case import AT_REST, STANDS, Case, CaseStatus
from services.proposal.model.tally import Counts, Facts
from shared.calendar import hours
from shared.identity import Role
from shared.service_clock import Hours, Meaning

STEP = {
    "draft": "S01", "submitted": "S01", "returned": "S01", "under_analysis": "F01", "awaiting_decision": "S02",
    "approved": "S02", "in_work_programme": "F02", "deferred": "S03", "discussed": "S04", "sent_to_planning": "S04",
    "budgeted": "S05", "in_development": "S05", "handed_over": "S07", "installed": "S08", "security_testing": "S08",
    "remediation": "S07", "cleared": "F04", "live": "S09", "suspended": "S08",
}  # fmt: skip
"""Step whose standard time runs while a case is in a status."""
BALL = {
    "draft": Role.PROPOSER, "submitted": Role.APP_HEAD, "returned": Role.PROPOSER, "under_analysis": Role.APP_HEAD,
    "awaiting_decision": Role.HEAD, "approved": Role.APP_HEAD, "in_work_programme": Role.APP_HEAD,
    "deferred": Role.PLANNING, "discussed": Role.APP_HEAD, "sent_to_planning": Role.PLANNING, "budgeted": Role.PPK,
    "in_development": Role.VENDOR, "handed_over": Role.INFRA_STAFF, "installed": Role.SECURITY_STAFF,
    "security_testing": Role.SECURITY_HEAD, "remediation": Role.VENDOR, "cleared": Role.INFRA_STAFF,
    "suspended": Role.INFRA_STAFF,
}  # fmt: skip
"""Who has the ball in a status: of those who may make the next move, the one without whom nothing goes on."""
OUTSIDE = frozenset({Role.PROPOSER, Role.UNIT_HEAD, Role.PLANNING, Role.PPK, Role.VENDOR})
"""Those outside the centre: its own working time does not run while one of them has the ball."""
AT_ONCE = 1_000
"""Cases that are measured in one transaction."""
NOTHING: Final[Mapping[UUID, Facts | None]] = MappingProxyType({})


@dataclass(frozen=True)
class Passed:
    """A status of the history as it is measured now."""

    status: str
    source: str
    at: datetime
    step: str
    left_at: datetime | None
    worked_minutes: int | None
    worked_days: int | None
    stay_minutes: int | None
    stay_days: int | None
    ends_stay: bool


def meaning(status: str) -> Meaning:
    """Return what a status means for the clock of its case."""
    if status in STANDS or status not in BALL:
        return Meaning(runs=False, step="" if status in AT_REST else STEP.get(status, ""))
    actor = BALL[status]
    return Meaning(step=STEP[status], actor=actor.value, is_outside=actor in OUTSIDE)


def step_of(status: str) -> str:
    """Return the step at which a case in a status stands; empty where it is not on its way."""
    return "" if status in AT_REST else STEP.get(status, "")


def measure(
    session: Session,
    case_ids: Iterable[UUID],
    *,
    new: Collection[UUID] = (),
    were: Mapping[UUID, Facts | None] = NOTHING,
) -> int:
    """Bring the measured time of these cases up to their history and the calendar; return how many rows changed.

    What that changes is noted in the tally, of which the rows `new` are not yet a part, and in which the cases in
    `were` stand by those facts (None: not at all).
    """
    case, row = Case.__table__.c, CaseStatus.__table__.c
    rows = session.execute(
        select(case.id.label("case"), *(case[name] for name in FACTS if name != "status"), case.status.label("now"))
        .add_columns(*(row[name] for name in ("id", "status", "source", "at", *MEASURED)))
        .select_from(Case.__table__.outerjoin(CaseStatus.__table__, row.case_id == case.id))
        .where(case.id.in_(list(case_ids)))
        .order_by(case.id, row.at, row.created_at)
    ).all()
    clock = hours(session)
    changed = []
    before: dict[UUID, Counts] = {}
    after: dict[UUID, Counts] = {}
    for case_id, of_case in groupby(rows, key=lambda row: row.case):
        every = list(of_case)
        history = [row for row in every if row.id is not None]
        measured = [(row, values) for row, values in _measured(history, clock)]
        changed += [
            (row.id, *values) for row, values in measured if values != tuple(getattr(row, name) for name in MEASURED)
        ]
        facts = Facts(*(getattr(every[0], "now" if name == "status" else name) for name in FACTS))
        then = were.get(case_id, facts)
        before[case_id] = tally.counts(then, [row for row in history if row.id not in new]) if then else {}
        after[case_id] = tally.counts(
            facts, [Passed(row.status, row.source, row.at, *values) for row, values in measured]
        )
    if changed:
        session.execute(_UPDATE, _arrays(changed))
    tally.note(session, before, after)
    return len(changed)


FACTS = tuple(one.name for one in fields(Facts))
MEASURED = ("step", "left_at", "worked_minutes", "worked_days", "stay_minutes", "stay_days", "ends_stay")


def _measured(rows: Sequence[Any], clock: Hours) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    stay_minutes = stay_days = 0
    for n, row in enumerate(rows):
        step = step_of(row.status)
        if n + 1 == len(rows):
            yield row, (step, None, None, None, None, None, False)
            return
        end: datetime = rows[n + 1].at
        minutes, days = clock.minutes(row.at, end), clock.days(row.at, end)
        stay_minutes, stay_days = stay_minutes + minutes, stay_days + days
        ends = step_of(rows[n + 1].status) != step
        yield row, (step, end, minutes, days, stay_minutes, stay_days, ends)
        if ends:
            stay_minutes = stay_days = 0


_UPDATE = text("""
UPDATE case_status SET step = m.step, left_at = m.left_at, worked_minutes = m.worked_minutes,
    worked_days = m.worked_days, stay_minutes = m.stay_minutes, stay_days = m.stay_days, ends_stay = m.ends_stay
FROM unnest(CAST(:id AS uuid[]), CAST(:step AS text[]), CAST(:left_at AS timestamptz[]),
    CAST(:worked_minutes AS integer[]), CAST(:worked_days AS integer[]), CAST(:stay_minutes AS integer[]),
    CAST(:stay_days AS integer[]), CAST(:ends_stay AS boolean[]))
    AS m(id, step, left_at, worked_minutes, worked_days, stay_minutes, stay_days, ends_stay)
WHERE case_status.id = m.id
""")


def _arrays(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[n] for row in rows] for n, name in enumerate(("id", *MEASURED))}


@event.listens_for(Session, "after_flush")
def _measure_what_moved(session: Session, _flush: Any) -> None:
    # Whatever writes a status, an act, a message or a take-over: the one before it is over at that moment.
    new = {one.id: one.case_id for one in session.new if isinstance(one, CaseStatus)}
    were: dict[UUID, Facts | None] = {one.id: None for one in session.new if isinstance(one, Case)}
    were |= {one.id: _before(one) for one in session.dirty if isinstance(one, Case) and _is_counted_anew(one)}
    touched = {*new.values(), *were}
    if touched:
        measure(session, touched, new=new.keys(), were=were)


def _is_counted_anew(case: Case) -> bool:
    known = inspect(case).attrs
    return any(known[name].history.has_changes() for name in FACTS)


def _before(case: Case) -> Facts:
    attributes = inspect(case).attrs
    was: list[Any] = []
    for name in FACTS:
        history = attributes[name].history
        # What was never set before has no value that was deleted: it was None.
        was.append(history.deleted[0] if history.deleted else None if history.added else getattr(case, name))
    return Facts(*was)


def measure_year(session: Session, year: int, after: UUID | None = None) -> UUID | None:
    """Measure the next thousand cases that were on their way in a year; return where to go on, None when done."""
    found: Sequence[UUID] = session.execute(_OF_YEAR, {"year": year, "after": after, "limit": AT_ONCE}).scalars().all()
    if not found:
        return None
    # Whoever moves one of them meanwhile waits, or is waited for: what they count must not be counted twice.
    session.execute(select(Case.id).where(Case.id.in_(found)).order_by(Case.id).with_for_update())
    measure(session, found)
    return found[-1]


_OF_YEAR = text("""
SELECT DISTINCT case_id FROM case_status
WHERE at < make_timestamptz(:year + 1, 1, 2, 0, 0, 0) AND left_at >= make_timestamptz(:year - 1, 12, 31, 0, 0, 0)
    AND (CAST(:after AS uuid) IS NULL OR case_id > :after)
ORDER BY case_id LIMIT :limit
""")
