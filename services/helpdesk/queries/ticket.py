"""Tickets: one, those that a person may see, and their figures for the evaluation (S10)."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import engine, func, select, tuple_
from sqlalchemy.orm import Session, joinedload

from services.helpdesk.authority import ACTS, READERS
from services.helpdesk.model import MOVES, STATUS_LABELS, LiveApplication, Ticket, TicketStatus
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person
from shared.messages import Figure
from shared.sentence import Sentence
from shared.words import WIB


def ticket(session: Session, by: Person, ticket_id: UUID, *, is_locked: bool = False) -> Ticket:
    """Return a ticket that this person may see, locked for a change if wished; raise NotFound otherwise."""
    found = session.get(
        Ticket,
        ticket_id,
        options=[joinedload(Ticket.replies)],
        with_for_update={"of": Ticket} if is_locked else None,
    )
    if found is None or not (by.has(*READERS) or found.reporter_id == by.id):
        raise NotFound("Tiket tidak ditemukan. Periksa nomornya atau cari di daftar tiket.")
    return found


LISTED = (
    *(Ticket.id, Ticket.number, LiveApplication.code.label("application_code"), LiveApplication.case_number),
    *(LiveApplication.name.label("application_name"), Ticket.title, Ticket.status, Ticket.priority, Ticket.category),
    *(Ticket.release_number, Ticket.reporter_name, Ticket.assignee_name, Ticket.created_at),
)
LISTING = select(*LISTED).join(Ticket.application).order_by(Ticket.created_at.desc(), Ticket.id.desc())
Listed = engine.Row[*tuple[Any, ...]]
"""What a list shows of a ticket; entities would be made for each row only to be thrown away."""


def tickets(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Listed]:
    """Return rows (`LISTED`) of tickets that this person may see, newest first, after a place in that order."""
    statement = LISTING.limit(limit)
    if not by.has(*READERS):
        statement = statement.where(Ticket.reporter_id == by.id)
    if after:
        statement = statement.where(tuple_(Ticket.created_at, Ticket.id) < after)
    return session.execute(statement).all()


def offered(by: Person, thing: Ticket) -> list[Act]:
    """Return what this person may do with a ticket now."""
    return [act for act in ACTS if act.name in MOVES and thing.allows(act.name) and act.allows(by, thing)]


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
    label = Sentence("Median waktu penyelesaian")
    return (*counted, Figure(key="tickets_median_hours", label=label, value=median, unit="jam", source=source))


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TicketStatus(status)]
