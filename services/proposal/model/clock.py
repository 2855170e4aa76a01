"""The clock of a case: who has the ball in each status, and the working time of each status that is over.

A status is measured when the next one comes, and again when the calendar of its days changes, so that reports add up
what is stored instead of counting days for a hundred thousand cases.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from services.proposal.model.case import CaseStatus
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
AT_REST = frozenset({"draft", "rejected", "cancelled", "retired"})
"""Statuses in which a case is not on its way: not yet submitted, or ended."""
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
STANDS = AT_REST | {"live"}
"""Statuses in which nothing is awaited; an application in use is at its goal."""
AT_ONCE = 1_000
"""Cases that are measured in one transaction."""


def meaning(status: str) -> Meaning:
    """Return what a status means for the clock of its case."""
    if status in STANDS or status not in BALL:
        return Meaning(runs=False, step="" if status in AT_REST else STEP.get(status, ""))
    actor = BALL[status]
    return Meaning(step=STEP[status], actor=actor.value, is_outside=actor in OUTSIDE)


def step_of(status: str) -> str:
    """Return the step at which a case in a status stands; empty where it is not on its way."""
    return "" if status in AT_REST else STEP.get(status, "")


def measure(session: Session, case_ids: Iterable[UUID]) -> int:
    """Bring the measured time of these cases up to their history and the calendar; return how many rows changed."""
    columns = CaseStatus.__table__.c
    rows = session.execute(
        select(*(columns[name] for name in ("id", "case_id", "status", "at", *MEASURED)))
        .where(columns.case_id.in_(list(case_ids)))
        .order_by(columns.case_id, columns.at, columns.created_at)
    ).all()
    clock = hours(session)
    changed = []
    for _, of_case in groupby(rows, key=lambda row: row.case_id):
        for row, values in _measured(list(of_case), clock):
            if values != tuple(getattr(row, name) for name in MEASURED):
                changed.append((row.id, *values))
    if changed:
        session.execute(_UPDATE, _arrays(changed))
    return len(changed)


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
    moved = {one.case_id for one in session.new if isinstance(one, CaseStatus)}
    if moved:
        measure(session, moved)


def measure_year(session: Session, year: int, after: UUID | None = None) -> UUID | None:
    """Measure the next thousand cases that were on their way in a year; return where to go on, None when done."""
    found: Sequence[UUID] = session.execute(_OF_YEAR, {"year": year, "after": after, "limit": AT_ONCE}).scalars().all()
    if not found:
        return None
    measure(session, found)
    return found[-1]


_OF_YEAR = text("""
SELECT DISTINCT case_id FROM case_status
WHERE at < make_timestamptz(:year + 1, 1, 2, 0, 0, 0) AND left_at >= make_timestamptz(:year - 1, 12, 31, 0, 0, 0)
    AND (CAST(:after AS uuid) IS NULL OR case_id > :after)
ORDER BY case_id LIMIT :limit
""")
