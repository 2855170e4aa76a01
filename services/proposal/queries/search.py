"""Search among cases, their papers, minutes and evaluations, as far as a person may see them."""

from dataclasses import replace

from sqlalchemy import and_, select, true
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
    Meeting,
    Paper,
    Proposal,
)
from services.proposal.queries.case import may_read, seen_by
from shared import search
from shared.identity import Person, Role
from shared.procedure import procedure
from shared.search import Hit, Kind
from shared.words import numeric_date


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    # A vendor does not read the proposal (domain §4), so it does not find by its letter either.
    cases = replace(CASE, others=()) if by.has(Role.VENDOR) else CASE
    hits = search.found(session, by, question, (cases, PAPER, MEETING, EVALUATION))
    # A paper on which several entries of the trace rest is one paper.
    return list({(hit.kind, hit.path, hit.title, hit.number): hit for hit in hits}.values())


def _status(key: str) -> str:
    statuses = procedure().statuses
    return statuses[key].label if key in statuses else key


CASE = Kind(
    CASES,
    select(Case.number, Case.name, Case.unit, Case.vendor_name, Case.status).outerjoin(
        Proposal, Proposal.id == Case.id
    ),
    lambda row: Hit(
        kind="case",
        title=row.name,
        number=row.number,
        about=" · ".join(filter(None, (row.unit, row.vendor_name))),
        path=f"/perkara/{row.number}",
        label=_status(row.status),
    ),
    seen=seen_by,
    others=(PROPOSALS,),
)
PAPER = Kind(
    PAPERS,
    select(Paper.number, Paper.title, Case.name, Case.number.label("case_number")).join(Case, Case.id == Paper.case_id),
    lambda row: Hit(
        kind="paper",
        title=row.title,
        number=row.number,
        about=f"{row.name} · {row.case_number}",
        path=f"/perkara/{row.case_number}",
    ),
    seen=lambda by: and_(seen_by(by), may_read(by)),
)
MEETING = Kind(
    MEETINGS,
    select(Meeting.id, Meeting.number, Meeting.kind, Meeting.on, Meeting.closed_at),
    lambda row: Hit(
        kind="meeting",
        title=f"{MEETING_LABELS[row.kind]} {numeric_date(row.on)}",
        number=row.number,
        path=f"/rapat/{row.id}",
        label="Notulen ditutup" if row.closed_at else "Notulen belum ditutup",
    ),
    seen=lambda by: true() if by.has(*READERS) else None,
)
EVALUATION = Kind(
    EVALUATIONS,
    select(Evaluation.id, Evaluation.number, Evaluation.status, Case.name, Case.unit).join(
        Case, Case.id == Evaluation.case_id
    ),
    lambda row: Hit(
        kind="evaluation",
        title=f"Evaluasi {row.name}",
        number=row.number,
        about=row.unit,
        path=f"/evaluasi/{row.id}",
        label=EVALUATION_LABELS[row.status],
    ),
    seen=lambda by: seen_by(by) if by.has(*READERS, Role.PLANNING) else None,
    others=(CASES,),
)
