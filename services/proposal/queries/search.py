"""Search among cases, their papers, minutes and evaluations, as far as a person may see them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.authority import READERS
from services.proposal.model import (
    CASES,
    EVALUATION_LABELS,
    EVALUATIONS,
    MEETING_LABELS,
    MEETINGS,
    PAPERS,
    PROPOSALS,
    Case,
    Evaluation,
    EvaluationStatus,
    Meeting,
    MeetingKind,
    Paper,
    Proposal,
)
from services.proposal.queries.case import may_read, seen_by
from shared import search
from shared.identity import Person, Role
from shared.procedure import procedure
from shared.search import Asked, Hit
from shared.words import numeric_date


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    asked = search.read(question)
    if asked is None:
        return []
    search.limit_time(session)
    hits = _cases(session, by, asked) + _papers(session, by, asked)
    if by.has(*READERS):
        hits += _meetings(session, asked)
    if by.has(*READERS, Role.PLANNING):
        hits += _evaluations(session, by, asked)
    return search.ranked(hits)


def _cases(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statuses = procedure().statuses
    statement = (
        select(Case.number, Case.name, Case.unit, Case.vendor_name, Case.status, Case.created_at)
        .outerjoin(Proposal, Proposal.id == Case.id)
        .where(seen_by(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="case",
            title=row.name,
            number=row.number,
            about=" · ".join(filter(None, (row.unit, row.vendor_name))),
            path=f"/perkara/{row.number}",
            label=statuses[row.status].label if row.status in statuses else row.status,
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Case.id,
        at=Case.created_at,
        own=CASES,
        # A vendor does not read the proposal (domain §4), so it does not find by its letter either.
        others=[] if by.has(Role.VENDOR) else [PROPOSALS],
    )


def _papers(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(Paper.number, Paper.title, Paper.created_at, Case.name, Case.number.label("case_number"))
        .join(Case, Case.id == Paper.case_id)
        .where(seen_by(by), may_read(by))
    )
    hits = search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="paper",
            title=row.title,
            number=row.number,
            about=f"{row.name} · {row.case_number}",
            path=f"/perkara/{row.case_number}",
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Paper.id,
        at=Paper.created_at,
        own=PAPERS,
    )
    # A paper on which several entries of the trace rest is one paper.
    return list({(hit.path, hit.title, hit.number): hit for hit in hits}.values())


def _meetings(session: Session, asked: Asked) -> list[Hit]:
    return search.hits(
        session,
        asked,
        select(Meeting.id, Meeting.number, Meeting.kind, Meeting.on, Meeting.closed_at, Meeting.created_at),
        lambda row: Hit(
            kind="meeting",
            title=f"{MEETING_LABELS[MeetingKind(row.kind)]} {numeric_date(row.on)}",
            number=row.number,
            path=f"/rapat/{row.id}",
            label="Notulen ditutup" if row.closed_at else "Notulen belum ditutup",
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Meeting.id,
        at=Meeting.created_at,
        own=MEETINGS,
    )


def _evaluations(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(Evaluation.id, Evaluation.number, Evaluation.status, Evaluation.created_at, Case.name, Case.unit)
        .join(Case, Case.id == Evaluation.case_id)
        .where(seen_by(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="evaluation",
            title=f"Evaluasi {row.name}",
            number=row.number,
            about=row.unit,
            path=f"/evaluasi/{row.id}",
            label=EVALUATION_LABELS[EvaluationStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Evaluation.id,
        at=Evaluation.created_at,
        own=EVALUATIONS,
        others=[CASES],
    )
