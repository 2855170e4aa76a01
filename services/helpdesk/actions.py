"""What the helpdesk does: tickets from opening to closing (S09), and its figures for the evaluation (S10)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.helpdesk import queries
from services.helpdesk.authority import ACTS
from services.helpdesk.model import LiveApplication, Reply, Ticket, TicketCounter
from shared import audit
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.mailbox import Letter, post
from shared.messages import (
    ApplicationRetired,
    CaseSuspended,
    EvaluationOpened,
    FiguresGathered,
    RolledBack,
    TicketClosed,
    TicketOpened,
    WentLive,
)
from shared.sentence import Sentence
from shared.words import local_date


def open_ticket(
    session: Session, by: Person, *, application: str, title: str, body: str, category: str, priority: str
) -> Ticket:
    """Take a user's report on a live application and return its ticket (S09).

    Raises Incomplete for an application that is not in use.
    """
    # Looked up first: from the line in the audit chain until commit, everybody else who writes waits.
    live = session.scalar(select(LiveApplication).where(LiveApplication.code == application))
    by = authorize(session, by, ACTS.open_ticket, f"application:{application}")
    if live is None:
        words = Sentence(
            "Aplikasi “{application}” belum digunakan atau tidak dikenal. Pilih aplikasi dari daftar; bila "
            "tidak ada, hubungi Divisi Layanan dan Sosialisasi.",
            application=application,
        )
        raise Incomplete(words, errors=[FieldError("/application", words)])
    if live.retired_at:
        words = Sentence(
            "{name} sudah dinonaktifkan; tiket baru tidak diterima, tiket yang ada tetap diselesaikan.",
            name=live.name,
        )
        raise Incomplete(words, errors=[FieldError("/application", words)])
    ticket = Ticket(
        number=_next_number(session),
        application=live,
        case_id=live.case_id,
        release_number=live.release_number,
        title=title,
        body=body,
        category=category,
        priority=priority,
        reporter_id=by.id,
        reporter_name=by.name,
        # Said to be none, they need not be asked for.
        replies=[],
    )
    session.add(ticket)
    session.flush()
    post(
        session,
        TicketOpened(
            case_id=live.case_id,
            case_number=live.case_number,
            ticket_number=ticket.number,
            title=title,
            release_number=live.release_number,
            digest=live.digest,
            path=f"/tiket/{ticket.id}",
        ),
        by=by,
    )
    return ticket


def answer(session: Session, by: Person, ticket_id: UUID, *, body: str) -> Ticket:
    """Answer the reporter; the clock stops until they reply (S09)."""
    ticket = queries.ticket(session, by, ticket_id, is_locked=True)
    by = authorize(session, by, ACTS.answer, ticket)
    ticket.move("answer")
    ticket.first_response_at = ticket.first_response_at or utc_now()
    _assign(ticket, by)
    _reply(session, ticket, by, body)
    return ticket


def add(session: Session, by: Person, ticket_id: UUID, *, body: str) -> Ticket:
    """Let the reporter add to their ticket; it is worked on again, also when it was called resolved (S09)."""
    ticket = queries.ticket(session, by, ticket_id, is_locked=True)
    by = authorize(session, by, ACTS.add, ticket)
    ticket.move("add")
    ticket.resolved_at = None
    _reply(session, ticket, by, body)
    return ticket


def escalate(session: Session, by: Person, ticket_id: UUID, *, reason: str) -> Ticket:
    """Pass the ticket on to another division, with the reason (S09)."""
    ticket = queries.ticket(session, by, ticket_id, is_locked=True)
    by = authorize(session, by, ACTS.escalate, ticket)
    ticket.move("escalate")
    _reply(session, ticket, by, reason)
    return ticket


def resolve(session: Session, by: Person, ticket_id: UUID, *, body: str) -> Ticket:
    """State that the trouble is over and ask the reporter to confirm (S09)."""
    ticket = queries.ticket(session, by, ticket_id, is_locked=True)
    by = authorize(session, by, ACTS.resolve, ticket)
    ticket.move("resolve")
    ticket.first_response_at = ticket.first_response_at or utc_now()
    ticket.resolved_at = utc_now()
    _assign(ticket, by)
    _reply(session, ticket, by, body)
    return ticket


def close(session: Session, by: Person, ticket_id: UUID) -> Ticket:
    """Close a resolved ticket (S09)."""
    ticket = queries.ticket(session, by, ticket_id, is_locked=True)
    by = authorize(session, by, ACTS.close, ticket)
    ticket.move("close")
    ticket.closed_at = utc_now()
    post(
        session,
        TicketClosed(
            case_id=ticket.case_id,
            case_number=ticket.application.case_number,
            ticket_number=ticket.number,
            title=ticket.title,
            path=f"/tiket/{ticket.id}",
        ),
        by=by,
    )
    return ticket


def note_live(session: Session, message: WentLive) -> None:
    """Know an application from the moment it is in use, and each newer release (F04)."""
    live = session.get(LiveApplication, message.case_id, with_for_update=True)
    if live is None:
        live = LiveApplication(case_id=message.case_id, live_since=utc_now())
        session.add(live)
    live.case_number = message.case_number
    live.code = message.application.code
    live.name = message.application.name
    live.unit = message.application.unit
    live.release_number = message.release_number
    live.digest = message.digest
    live.address = message.address
    live.is_suspended = False


def note_roll_back(session: Session, message: RolledBack) -> None:
    """Know that an earlier release serves again."""
    live = _live(session, message.case_id)
    live.release_number = message.release_number
    live.digest = message.digest


def note_suspension(session: Session, message: CaseSuspended) -> None:
    """Know that an application was closed by the security division."""
    _live(session, message.case_id).is_suspended = True


def note_retirement(session: Session, message: ApplicationRetired) -> None:
    """Take no new tickets on an application that was retired (S10); one that was never told of has nothing to close."""
    live = session.get(LiveApplication, message.case_id, with_for_update=True)
    if live:
        live.retired_at = live.retired_at or utc_now()


def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
    """Answer an evaluation with the tickets of its period (S10)."""
    figures = queries.figures(session, message.case_id, from_on=message.from_on, until_on=message.until_on)
    audit.record(session, None, "gather_figures", f"evaluation:{message.evaluation_id}")
    post(
        session,
        FiguresGathered(
            case_id=message.case_id,
            case_number=message.case_number,
            evaluation_id=message.evaluation_id,
            division="helpdesk",
            figures=figures,
        ),
        actor=letter.actor,
    )


def _live(session: Session, case_id: UUID) -> LiveApplication:
    live = session.get(LiveApplication, case_id, with_for_update=True)
    if live is None:
        raise OutOfTurn("Aplikasi belum tercatat digunakan.")
    return live


def _assign(ticket: Ticket, by: Person) -> None:
    ticket.assignee_id, ticket.assignee_name = by.id, by.name


def _reply(session: Session, ticket: Ticket, by: Person, body: str) -> None:
    ticket.replies.append(Reply(author_id=by.id, author_name=by.name, body=body))
    session.flush()


def _next_number(session: Session) -> str:
    year = local_date(utc_now()).year
    statement = (
        insert(TicketCounter)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": TicketCounter.last + 1})
        .returning(TicketCounter.last)
    )
    return f"TKT-{year}-{session.scalar(statement):04d}"
