"""Applications that a proposal resembles: in the register or on their way, by name and by what they are for."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, bindparam, func, or_, select
from sqlalchemy.orm import Session

from services.proposal.authority import READERS
from services.proposal.model import LIKE_NAME, LIKE_PURPOSE, LONGEST_NAME, LONGEST_PURPOSE, Case
from services.proposal.queries.case import seen_by
from shared.identity import Person
from shared.patience import patience
from shared.procedure import procedure

MOST_SIMILAR = 5
HIDDEN = ("draft", "rejected", "cancelled")
"""What nobody else knows of yet, and what ended without an application."""
DECIDING = ("submitted", "under_analysis", "awaiting_decision")
SHORTEST_PURPOSE = 20
"""Characters below which a purpose says too little to be compared."""


@dataclass(frozen=True)
class Similar:
    """One application that looks like the one proposed: enough to ask its unit, and a link for who sees its case."""

    number: str
    name: str
    unit: str
    status: str
    label: str
    likeness: int
    """In per cent."""
    path: str
    """Its page; empty for somebody who does not see the case."""


def similar(
    session: Session, by: Person, *, name: str, purpose: str = "", besides: UUID | None = None
) -> list[Similar]:
    """Return at most five applications that resemble a name and a purpose, the most alike first, in one statement with
    its patience.

    Name, unit and status are told to everybody who may propose, for otherwise the same thing is built twice; the page
    only to who sees the case.
    """
    called, meant = name.strip()[:LONGEST_NAME], purpose.strip()[:LONGEST_PURPOSE]
    if len(called) < 3:
        return []
    asked = _question(has_purpose=len(meant) >= SHORTEST_PURPOSE)
    # The centre sees every case but drafts, which are not among these.
    sees_all = by.has(*READERS)
    if not sees_all:
        asked = asked.add_columns(seen_by(by).label("sees"))
    statuses = procedure().statuses
    # From when on two texts count as alike (0.3) is as PostgreSQL has it anyway.
    with patience(session):
        rows = session.execute(asked, {"called": called, "meant": meant, "besides": besides}).all()
    return [
        Similar(
            number=row.number,
            name=row.name,
            unit=row.unit,
            status=row.status,
            label=statuses[row.status].label if row.status in statuses else row.status,
            likeness=round(row.likeness * 100),
            path=f"/perkara/{row.number}" if sees_all or row.sees else "",
        )
        for row in rows
    ]


def near(session: Session, by: Person, case: Case) -> list[Similar]:
    """Return what a case resembles, for the centre while it decides whether the case goes on."""
    if case.status not in DECIDING or not by.has(*READERS):
        return []
    return similar(session, by, name=case.name, purpose=case.purpose, besides=case.id)


@cache
def _question(*, has_purpose: bool) -> Select[*tuple[Any, ...]]:
    """Return what is asked of the cases; building it anew for each page costs as much as asking it."""
    called, meant = bindparam("called", type_=String), bindparam("meant", type_=String)
    by_name, by_purpose = func.similarity(Case.name, called), func.similarity(Case.purpose, meant)
    ways, enough, likeness = [Case.name.op("%", is_comparison=True)(called)], [by_name >= LIKE_NAME], by_name
    if has_purpose:
        ways.append(Case.purpose.op("%", is_comparison=True)(meant))
        enough.append(by_purpose >= LIKE_PURPOSE)
        likeness = func.greatest(by_name, by_purpose)
    return (
        select(Case.number, Case.name, Case.unit, Case.status, likeness.label("likeness"))
        .where(or_(*ways), or_(*enough), Case.status.not_in(HIDDEN))
        .where(Case.id.is_distinct_from(bindparam("besides", type_=Case.id.type)))
        .order_by(likeness.desc(), Case.created_at.desc())
        .limit(MOST_SIMILAR)
    )
