"""What people ask of the helpdesk; nothing here changes anything."""

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from services.helpdesk.authority import ACTS, AGENTS, HELPERS
from services.helpdesk.model import MOVES, STATUS_LABELS, LiveApplication, Ticket, TicketStatus
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person, Role
from shared.messages import Figure
from shared.words import WIB

READERS = HELPERS | {Role.APP_HEAD, Role.HEAD, Role.INFRA_HEAD, Role.SECURITY_HEAD, Role.AUDITOR}


def ticket(session: Session, by: Person, ticket_id: UUID, *, is_locked: bool = False) -> Ticket:
    """Return a ticket that this person may see, locked for a change if wished; raise NotFound otherwise."""
    found = session.get(Ticket, ticket_id, with_for_update={"of": Ticket} if is_locked else None)
    if found is None or not (by.has(*READERS) or found.reporter_id == by.id):
        raise NotFound("Tiket tidak ditemukan. Periksa nomornya atau cari di daftar tiket.")
    return found


def tickets(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Ticket]:
    """Return tickets that this person may see, newest first, after a place in that order."""
    statement = select(Ticket).order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(limit)
    if not by.has(*READERS):
        statement = statement.where(Ticket.reporter_id == by.id)
    if after:
        statement = statement.where(tuple_(Ticket.created_at, Ticket.id) < after)
    return session.scalars(statement).all()


def applications(session: Session) -> Sequence[LiveApplication]:
    """Return the applications in use, by name."""
    return session.scalars(select(LiveApplication).order_by(LiveApplication.name).limit(500)).all()


def offered(by: Person, thing: Ticket) -> list[Act]:
    """Return what this person may do with a ticket now."""
    return [act for act in ACTS if act.name in MOVES and thing.allows(act.name) and act.allows(by, thing)]


def waiting_on(session: Session, by: Person) -> Sequence[Ticket]:
    """Return the tickets that wait for this person, oldest first."""
    for_reporter = [TicketStatus.WAITING_USER, TicketStatus.RESOLVED]
    theirs = and_(Ticket.reporter_id == by.id, Ticket.status.in_(for_reporter))
    if by.has(*AGENTS):
        theirs = or_(theirs, Ticket.status.in_([TicketStatus.NEW, TicketStatus.IN_PROGRESS]))
    if by.has(*HELPERS - AGENTS):
        theirs = or_(theirs, Ticket.status == TicketStatus.ESCALATED)
    return session.scalars(select(Ticket).where(theirs).order_by(Ticket.created_at).limit(100)).all()


def figures(session: Session, case_id: UUID, *, from_on: date, until_on: date) -> tuple[Figure, ...]:
    """Count a period's tickets of one application for its evaluation (S10); no median when none was resolved."""
    since = datetime.combine(from_on, time.min, WIB)
    until = datetime.combine(until_on, time.max, WIB)
    total, closed, hours = session.execute(
        select(
            func.count(),
            func.count(Ticket.closed_at),
            func.percentile_cont(0.5).within_group(
                func.extract("epoch", Ticket.resolved_at - Ticket.created_at) / 3600
            ),
        ).where(Ticket.case_id == case_id, Ticket.created_at.between(since, until))
    ).one()
    source = f"Tiket Divisi Layanan, {from_on:%d/%m/%Y} s.d. {until_on:%d/%m/%Y}"
    counted = (
        Figure(key="tickets_total", label="Tiket masuk", value=total, unit="tiket", source=source),
        Figure(key="tickets_closed", label="Tiket ditutup", value=closed, unit="tiket", source=source),
    )
    if hours is None:
        return counted
    median = round(float(hours), 1)
    label = "Median waktu penyelesaian"
    return (*counted, Figure(key="tickets_median_hours", label=label, value=median, unit="jam", source=source))


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TicketStatus(status)]
