"""Applications that a proposal resembles: in the register or on their way, by name and by what they are for."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import Session

from services.proposal.model import LIKE_NAME, LIKE_PURPOSE, LONGEST_NAME, LONGEST_PURPOSE, Case
from services.proposal.queries.case import seen_by
from shared.identity import Person
from shared.procedure import procedure
from shared.search import PATIENCE_MS

MOST_SIMILAR = 5
HIDDEN = ("draft", "rejected", "cancelled")
"""What nobody else knows of yet, and what ended without an application."""
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
    """Return at most five applications that resemble a name and a purpose, the most alike first, in one statement.

    Name, unit and status are told to everybody who may propose, for otherwise the same thing is built twice; the page
    only to who sees the case.
    """
    called, meant = name.strip()[:LONGEST_NAME], purpose.strip()[:LONGEST_PURPOSE]
    if len(called) < 3:
        return []
    # A page that only reads has no transaction for which something could be set, and 0.3 is how it is set anyway.
    is_reading = session.get_bind().get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    patience = "" if is_reading else _limit_time(session)
    by_name = func.similarity(Case.name, called)
    ways = [Case.name.op("%", is_comparison=True)(literal(called))]
    weights = [by_name]
    if len(meant) >= SHORTEST_PURPOSE:
        ways.append(Case.purpose.op("%", is_comparison=True)(literal(meant)))
        weights.append(func.similarity(Case.purpose, meant))
    likeness = func.greatest(*weights) if len(weights) > 1 else by_name
    sees = seen_by(by)
    asked = (
        select(Case.number, Case.name, Case.unit, Case.status, likeness.label("likeness"), sees.label("sees"), Case.id)
        .where(or_(*ways), Case.status.not_in(HIDDEN))
        .where(or_(by_name >= LIKE_NAME, *([weights[1] >= LIKE_PURPOSE] if len(weights) > 1 else [])))
        .order_by(likeness.desc(), Case.created_at.desc())
        .limit(MOST_SIMILAR)
    )
    if besides:
        asked = asked.where(Case.id != besides)
    statuses = procedure().statuses
    found = [
        Similar(
            number=row.number,
            name=row.name,
            unit=row.unit,
            status=row.status,
            label=statuses[row.status].label if row.status in statuses else row.status,
            likeness=round(row.likeness * 100),
            path=f"/perkara/{row.number}" if row.sees else "",
        )
        for row in session.execute(asked)
    ]
    if patience:
        # What follows in this transaction may wait for its locks as long as ever.
        session.execute(select(func.set_config("statement_timeout", patience, True)))
    return found


def _limit_time(session: Session) -> str:
    """Let what follows take no longer than a search may; return how long it might take before."""
    before: str = session.execute(
        select(
            func.current_setting("statement_timeout"),
            func.set_config("statement_timeout", str(PATIENCE_MS), True),
            func.set_config("pg_trgm.similarity_threshold", str(LIKE_PURPOSE), True),
        )
    ).scalar_one()
    return before
