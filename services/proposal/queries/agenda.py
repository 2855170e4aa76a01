"""What waits for a meeting, from every place where something may wait for one (S03, S10)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from services.proposal.model import (
    ActionItem,
    Case,
    Evaluation,
    EvaluationStatus,
    ItemSource,
    Meeting,
    MeetingItem,
    MeetingKind,
    Outcome,
    TaskState,
    TraceEntry,
)
from shared.database import utc_now

MOST_OF_A_SOURCE = 20
"""Of each source that many stand on the agenda, those that wait longest; the others come when these are done."""
TICKET_DAYS = 365
"""A ticket that was opened longer ago is no matter for a weekly meeting."""


@dataclass(frozen=True)
class Candidate:
    """Something that waits for a meeting."""

    source: ItemSource
    key: str
    """Names it once in a meeting."""
    subject: str
    path: str
    case_id: UUID | None = None
    evaluation_id: UUID | None = None


def waiting_for(session: Session, meeting: Meeting) -> list[Candidate]:
    """Return what waits for a meeting of this kind, in the order of the agenda, whether or not it is on it."""
    is_weekly = meeting.kind == MeetingKind.WEEKLY
    found = [*_standing(meeting), *_left(session, meeting), *_tasks(session, meeting)]
    if is_weekly:
        found += [*_evaluations(session), *_awaiting_decision(session)]
    found += _programmed(session, meeting)
    if is_weekly:
        found += [*_findings(session), *_tickets(session)]
    return found


def new_for(session: Session, meeting: Meeting) -> list[Candidate]:
    """Return what waits for a meeting and stands neither on it nor undecided on another open one of its kind."""
    taken = {item.source_key for item in meeting.items} | set(
        session.scalars(
            select(MeetingItem.source_key)
            .join(Meeting, Meeting.id == MeetingItem.meeting_id)
            .where(
                Meeting.kind == meeting.kind,
                Meeting.id != meeting.id,
                Meeting.closed_at.is_(None),
                Meeting.cancelled_at.is_(None),
                MeetingItem.source != ItemSource.STANDING,
            )
        )
    )
    return [one for one in waiting_for(session, meeting) if one.key not in taken]


def _standing(meeting: Meeting) -> list[Candidate]:
    named = meeting.series.standing_items if meeting.series else []
    return [Candidate(ItemSource.STANDING, standing_key(words), words, "") for words in named]


def standing_key(words: str) -> str:
    """Return the key of a standing item: its words, as far as they fit."""
    return "standing:" + re.sub(r"\W+", "-", words.lower())[:120]


def _left(session: Session, meeting: Meeting) -> list[Candidate]:
    """Return what people put on an earlier agenda by hand and no meeting reached."""
    rows = session.scalars(
        select(MeetingItem)
        .join(Meeting, Meeting.id == MeetingItem.meeting_id)
        .where(MeetingItem.source == ItemSource.OTHER, *not_reached(meeting))
        .order_by(MeetingItem.created_at)
        .limit(MOST_OF_A_SOURCE)
    )
    return [Candidate(ItemSource.OTHER, row.source_key, row.subject, row.source_path) for row in rows]


def not_reached(meeting: Meeting) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of items that earlier meetings of this kind left over and that moved nowhere yet."""
    return (
        Meeting.kind == meeting.kind,
        Meeting.id != meeting.id,
        or_(Meeting.closed_at.is_not(None), Meeting.cancelled_at.is_not(None)),
        MeetingItem.decision.is_(None),
        MeetingItem.moved_to_id.is_(None),
    )


def _tasks(session: Session, meeting: Meeting) -> list[Candidate]:
    rows = session.scalars(
        select(ActionItem)
        .join(Meeting, Meeting.id == ActionItem.meeting_id)
        .where(ActionItem.state == TaskState.OPEN, Meeting.kind == meeting.kind, Meeting.id != meeting.id)
        .order_by(ActionItem.due_on.nulls_last(), ActionItem.created_at)
        .limit(MOST_OF_A_SOURCE)
    )
    return [Candidate(ItemSource.TASK, f"task:{row.id}", _task_words(row), "/tindak-lanjut?semua=1") for row in rows]


def _task_words(task: ActionItem) -> str:
    return f"Tindak lanjut {task.person_name}: {task.words}" if task.person_name else f"Tindak lanjut: {task.words}"


def _evaluations(session: Session) -> list[Candidate]:
    rows = session.execute(
        select(Evaluation.id, Evaluation.number, Evaluation.case_id, Case.name)
        .join(Case, Case.id == Evaluation.case_id)
        .where(Evaluation.status == EvaluationStatus.REPORTED)
        .order_by(Evaluation.created_at)
        .limit(MOST_OF_A_SOURCE)
    )
    return [
        Candidate(
            ItemSource.EVALUATION,
            f"evaluation:{row.id}",
            f"Laporan evaluasi {row.name} ({row.number})",
            f"/evaluasi/{row.id}",
            case_id=row.case_id,
            evaluation_id=row.id,
        )
        for row in rows
    ]


def _awaiting_decision(session: Session) -> list[Candidate]:
    rows = session.scalars(
        select(Case).where(Case.status == "awaiting_decision").order_by(Case.entered_at).limit(MOST_OF_A_SOURCE)
    )
    return [of_case(case) for case in rows]


def _programmed(session: Session, meeting: Meeting) -> list[Candidate]:
    """Return cases of the work programme that no meeting of this kind has passed since they entered it."""
    passed = exists().where(
        MeetingItem.case_id == Case.id,
        MeetingItem.evaluation_id.is_(None),
        MeetingItem.decision == Outcome.CONTINUE,
        MeetingItem.performed_at >= Case.entered_at,
        Meeting.id == MeetingItem.meeting_id,
        Meeting.kind == meeting.kind,
    )
    rows = session.scalars(
        select(Case)
        .where(Case.status == "in_work_programme", ~passed)
        .order_by(Case.entered_at)
        .limit(MOST_OF_A_SOURCE)
    )
    return [of_case(case) for case in rows]


def of_case(case: Case) -> Candidate:
    """Return a case as something that waits for a meeting."""
    subject = f"{case.name} ({case.number})"
    return Candidate(ItemSource.CASE, f"case:{case.id}", subject, f"/perkara/{case.number}", case_id=case.id)


def _findings(session: Session) -> list[Candidate]:
    rows = session.scalars(
        select(Case).where(Case.status == "remediation").order_by(Case.entered_at).limit(MOST_OF_A_SOURCE)
    )
    return [
        Candidate(
            ItemSource.FINDING,
            f"finding:{case.id}",
            f"Temuan keamanan {case.name} ({case.number}) belum diperbaiki",
            f"/perkara/{case.number}",
        )
        for case in rows
    ]


def _tickets(session: Session) -> list[Candidate]:
    closed = aliased(TraceEntry)
    rows = session.execute(
        select(TraceEntry.path, TraceEntry.detail, Case.name)
        .join(Case, Case.id == TraceEntry.case_id)
        .where(
            TraceEntry.kind == "TicketOpened",
            TraceEntry.at > utc_now() - timedelta(days=TICKET_DAYS),
            ~exists().where(closed.kind == "TicketClosed", closed.path == TraceEntry.path),
        )
        .order_by(TraceEntry.at)
        .limit(MOST_OF_A_SOURCE)
    )
    return [
        Candidate(ItemSource.TICKET, f"ticket:{row.path}"[:140], f"Tiket {row.detail} ({row.name})", row.path)
        for row in rows
    ]
