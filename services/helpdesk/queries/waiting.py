"""Tickets that wait for a person."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.helpdesk.authority import AGENTS, HELPERS
from services.helpdesk.model import Ticket, TicketStatus
from shared.identity import Person


def waiting_on(session: Session, by: Person) -> Sequence[Ticket]:
    """Return the tickets that wait for this person, oldest first."""
    for_reporter = [TicketStatus.WAITING_USER, TicketStatus.RESOLVED]
    theirs = and_(Ticket.reporter_id == by.id, Ticket.status.in_(for_reporter))
    if by.has(*AGENTS):
        theirs = or_(theirs, Ticket.status.in_([TicketStatus.NEW, TicketStatus.IN_PROGRESS]))
    if by.has(*HELPERS - AGENTS):
        theirs = or_(theirs, Ticket.status == TicketStatus.ESCALATED)
    return session.scalars(select(Ticket).where(theirs).order_by(Ticket.created_at).limit(100)).all()
