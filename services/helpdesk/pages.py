"""The helpdesk's pages."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from fastapi import Request, Response

from services.helpdesk import actions, queries
from services.helpdesk.authority import ACTS
from services.helpdesk.queries.dashboard import PRIORITY_WORDS
from services.helpdesk.schemas import NewTicket, Words
from shared.identity import Person
from shared.pages import Nothing, Offer, Pages, Reason
from shared.sentence import Sentence
from shared.web import Asker, NavigationEntry, Session, mark, place

pages = Pages(Path(__file__).with_name("templates"))
router = pages.router
NAVIGATION = [NavigationEntry(label="Tiket", path="/tiket", icon="lifebuoy", order=70)]


def _tickets(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    offers = pages.offers(request, [ACTS.open_ticket] if ACTS.open_ticket.allows(by, None) else [])
    applications = queries.applications(session)
    found = queries.tickets(session, by, after=place(request.query_params.get("after")))
    return pages.render(
        request,
        "tickets.html",
        "Tiket",
        tickets=found,
        after=mark(found, 50),
        label=queries.label,
        lacks_applications=not applications,
        offers=[_choosing(offer, applications) for offer in offers],
    )


def _choosing(offer: Offer, applications: dict[str, str]) -> Offer:
    """Return the form with the applications in use to choose from instead of a code to type."""
    choices = (("", Sentence("Pilih aplikasi …")), *applications.items())
    return replace(
        offer,
        inputs=[
            replace(one, kind="choice", choices=choices, help="") if one.name == "application" else one
            for one in offer.inputs
        ],
    )


def _ticket(request: Request, session: Session, by: Person, ticket_id: UUID) -> Response:
    found = queries.ticket(session, by, ticket_id)
    return pages.render(
        request,
        "ticket.html",
        Sentence("Tiket {number}", number=found.number),
        ticket=found,
        label=queries.label,
        priorities=PRIORITY_WORDS,
        offers=pages.offers(request, queries.offered(by, found), id=found.id),
    )


@router.get("/tiket")
def tickets(request: Request, session: Session, by: Asker) -> Response:
    return _tickets(request, session, by)


@router.get("/tiket/{ticket_id}")
def ticket(request: Request, session: Session, by: Asker, ticket_id: UUID) -> Response:
    return _ticket(request, session, by, ticket_id)


pages.act(
    ACTS.open_ticket,
    "/tiket",
    NewTicket,
    lambda s, by, _id, body, _r: f"/tiket/{actions.open_ticket(s, by, **body.model_dump()).id}",
    back=_tickets,
)
pages.act(
    ACTS.answer,
    "/tiket/{id}/jawaban",
    Words,
    lambda s, by, id, body, _r: f"/tiket/{actions.answer(s, by, id, body=body.body).id}",
    back=_ticket,
)
pages.act(
    ACTS.add,
    "/tiket/{id}/keterangan",
    Words,
    lambda s, by, id, body, _r: f"/tiket/{actions.add(s, by, id, body=body.body).id}",
    back=_ticket,
)
pages.act(
    ACTS.escalate,
    "/tiket/{id}/eskalasi",
    Reason,
    lambda s, by, id, body, _r: f"/tiket/{actions.escalate(s, by, id, reason=body.reason).id}",
    back=_ticket,
)
pages.act(
    ACTS.resolve,
    "/tiket/{id}/penyelesaian",
    Words,
    lambda s, by, id, body, _r: f"/tiket/{actions.resolve(s, by, id, body=body.body).id}",
    back=_ticket,
)
pages.act(
    ACTS.close,
    "/tiket/{id}/penutupan",
    Nothing,
    lambda s, by, id, _b, _r: f"/tiket/{actions.close(s, by, id).id}",
    back=_ticket,
)
