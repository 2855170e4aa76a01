"""The helpdesk's JSON door."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.helpdesk import actions, queries
from services.helpdesk.model import Ticket
from services.helpdesk.queries import dashboard
from services.helpdesk.schemas import NewTicket, TicketRow, TicketView, Words
from shared.figures import Figures
from shared.pages import Reason
from shared.search import Hit
from shared.sentence import Sentence
from shared.web import Asker, Door, Limit, Question, Session, Waiting, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["helpdesk"])


@router.post("/tickets", response_model=TicketView, status_code=201)
def open_ticket(session: Session, by: Asker, body: NewTicket) -> Ticket:
    return actions.open_ticket(session, by, **body.model_dump())


@router.get("/tickets", response_model=list[TicketRow])
def tickets(
    request: Request,
    session: Session,
    by: Asker,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.tickets(session, by, limit=limit, after=place(after))
    rows = [TicketRow.model_validate(ticket) for ticket in found]
    return answer_list(request, rows, after=mark(found, limit))


@router.get("/tickets/{ticket_id}", response_model=TicketView)
def ticket(session: Session, by: Asker, ticket_id: UUID) -> Ticket:
    return queries.ticket(session, by, ticket_id)


@router.post("/tickets/{ticket_id}/answer", response_model=TicketView)
def answer(session: Session, by: Asker, ticket_id: UUID, body: Words) -> Ticket:
    return actions.answer(session, by, ticket_id, body=body.body)


@router.post("/tickets/{ticket_id}/addition", response_model=TicketView)
def add(session: Session, by: Asker, ticket_id: UUID, body: Words) -> Ticket:
    return actions.add(session, by, ticket_id, body=body.body)


@router.post("/tickets/{ticket_id}/escalation", response_model=TicketView)
def escalate(session: Session, by: Asker, ticket_id: UUID, body: Reason) -> Ticket:
    return actions.escalate(session, by, ticket_id, reason=body.reason)


@router.post("/tickets/{ticket_id}/resolution", response_model=TicketView)
def resolve(session: Session, by: Asker, ticket_id: UUID, body: Words) -> Ticket:
    return actions.resolve(session, by, ticket_id, body=body.body)


@router.post("/tickets/{ticket_id}/closing", response_model=TicketView)
def close(session: Session, by: Asker, ticket_id: UUID) -> Ticket:
    return actions.close(session, by, ticket_id)


@router.get("/waiting", response_model=list[Waiting])
def waiting(session: Session, by: Asker) -> list[Waiting]:
    return [
        Waiting(
            title=Sentence("Tiket {number}: {status}", number=ticket.number, status=queries.label(ticket.status)),
            about=ticket.title,
            case_number=ticket.application.case_number,
            step="S09",
            since=ticket.created_at.isoformat(),
            path=f"/tiket/{ticket.id}",
        )
        for ticket in queries.waiting_on(session, by)
    ]


@router.get("/search")
def search(session: Session, by: Asker, q: Question) -> list[Hit]:
    return queries.found(session, by, q)


@router.get("/figures")
def figures(session: Session, by: Asker) -> Figures:
    return dashboard.figures(session, by)
