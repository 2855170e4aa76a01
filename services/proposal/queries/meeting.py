"""Meetings and the work programme, as the centre's people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, lazyload

from services.proposal.authority import ACTS, MONEY_READERS, READERS
from services.proposal.model import Case, Evaluation, EvaluationStatus, Meeting, MeetingKind, WorkProgrammeEntry
from shared.authority import Act
from shared.errors import NotAllowed, NotFound
from shared.identity import Person, Role

PROGRAMME_READERS = READERS | MONEY_READERS | {Role.PROPOSER, Role.UNIT_HEAD}


def meetings(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Meeting]:
    """Return meetings, newest first; nothing for whoever may not read minutes."""
    if not by.has(*READERS):
        raise NotAllowed("Notulen rapat hanya untuk PUSTIPD dan SPI.")
    statement = select(Meeting).order_by(Meeting.created_at.desc(), Meeting.id.desc()).limit(limit)
    if after:
        statement = statement.where(tuple_(Meeting.created_at, Meeting.id) < after)
    return session.scalars(statement.options(lazyload(Meeting.items))).all()


def meeting(session: Session, by: Person, meeting_id: UUID) -> Meeting:
    """Return a meeting with its items; raise NotFound for whoever may not read minutes."""
    found = session.get(Meeting, meeting_id)
    if found is None or not by.has(*READERS):
        raise NotFound("Rapat tidak ditemukan. Buka kembali dari daftar rapat.")
    return found


def offered_in_meeting(by: Person, meeting: Meeting) -> list[Act]:
    """Return what this person may do with a meeting now."""
    if meeting.is_closed:
        return []
    acts = [ACTS.record_item, *([ACTS.close_minutes] if meeting.items else [])]
    return [act for act in acts if act.allows(by, meeting)]


@dataclass(frozen=True)
class Suggestion:
    """Something that waits for a meeting: a case under discussion, or a report to be presented."""

    words: str
    case_number: str = ""
    evaluation_id: UUID | None = None


def agenda(session: Session, meeting: Meeting) -> list[Suggestion]:
    """Return what waits for a meeting of this kind and is not yet on it."""
    named = {item.case_id for item in meeting.items if not item.evaluation_id}
    heard = {item.evaluation_id for item in meeting.items}
    found = []
    if meeting.kind == MeetingKind.WEEKLY:
        reports = session.execute(
            select(Evaluation.id, Evaluation.number, Case.name)
            .join(Case, Case.id == Evaluation.case_id)
            .where(Evaluation.status == EvaluationStatus.REPORTED)
            .order_by(Evaluation.created_at)
            .limit(20)
        ).all()
        found = [
            Suggestion(f"Laporan evaluasi {row.name} ({row.number})", evaluation_id=row.id)
            for row in reports
            if row.id not in heard
        ]
    cases = session.execute(
        select(Case.id, Case.number, Case.name)
        .where(Case.status == "in_work_programme")
        .order_by(Case.entered_at)
        .limit(30)
    ).all()
    return found + [
        Suggestion(f"{row.name} ({row.number})", case_number=row.number) for row in cases if row.id not in named
    ]


def work_programme(session: Session, by: Person, *, fiscal_year: int) -> Sequence[WorkProgrammeEntry]:
    """Return the work programme of a year in its order of priority."""
    if not by.has(*PROGRAMME_READERS):
        raise NotAllowed("Program kerja hanya untuk PUSTIPD, unit pengusul, dan bagian yang menganggarkannya.")
    return session.scalars(
        select(WorkProgrammeEntry)
        .where(WorkProgrammeEntry.fiscal_year == fiscal_year)
        .order_by(WorkProgrammeEntry.priority, WorkProgrammeEntry.number)
        .limit(500)
    ).all()


def fiscal_years(session: Session) -> list[int]:
    """Return the years that have a work programme, newest first."""
    years = session.scalars(select(WorkProgrammeEntry.fiscal_year).distinct()).all()
    return sorted(years, reverse=True)
