"""The pages of hostings."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS
from services.deploy.model import Server
from services.deploy.pages.frame import after, may, pages
from services.deploy.schemas import Acceptance, NewHosting
from shared.identity import Person
from shared.pages import Offer, Reason
from shared.sentence import Sentence
from shared.store import Store
from shared.web import Asker, Session, mark, place


def _office(request: Request) -> actions.Office:
    settings = request.app.state.settings
    return actions.Office(Store(settings.files_folder), settings.public_url)


def _hostings(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.hostings(session, by, after=place(after(request)))
    offers = pages.offers(request, may(by, ACTS.request_hosting))
    return pages.render(request, "hostings.html", "Hosting", hostings=found, after=mark(found, 50), offers=offers)


def _hosting(request: Request, session: OrmSession, by: Person, hosting_id: UUID) -> Response:
    found = queries.hosting(session, by, hosting_id)
    offered = queries.offered(session, by, found)
    return pages.render(
        request,
        "hosting.html",
        Sentence("Hosting {subdomain}", subdomain=found.subdomain),
        hosting=found,
        offers=[
            _choosing(offer, queries.usable_servers(session)) if offer.act is ACTS.accept_hosting else offer
            for offer in pages.offers(request, offered, id=found.id)
        ],
    )


def _choosing(offer: Offer, servers: Iterable[Server]) -> Offer:
    """Return the form with the servers that are ready to choose from instead of a name to type."""
    choices = (("", "Pilih server …"), *((s.name, f"{s.name} ({s.base_domain})") for s in servers))
    return replace(
        offer,
        inputs=[
            replace(one, kind="choice", choices=choices, help="") if one.name == "server" else one
            for one in offer.inputs
        ],
    )


@pages.router.get("/hosting")
def hostings(request: Request, session: Session, by: Asker) -> Response:
    return _hostings(request, session, by)


@pages.router.get("/hosting/{id}")
def hosting(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _hosting(request, session, by, id)


pages.act(
    ACTS.request_hosting,
    "/hosting",
    NewHosting,
    lambda s, by, _i, b, _r: f"/hosting/{actions.request_hosting(s, by, **b.model_dump(exclude={'permanence'})).id}",
    back=_hostings,
)
pages.act(
    ACTS.accept_hosting,
    "/hosting/{id}/penerimaan",
    Acceptance,
    lambda s, by, id, b, r: f"/hosting/{actions.accept_hosting(s, by, id, server=b.server, office=_office(r)).id}",
    back=_hosting,
)
pages.act(
    ACTS.refuse_hosting,
    "/hosting/{id}/penolakan",
    Reason,
    lambda s, by, id, b, _r: f"/hosting/{actions.refuse_hosting(s, by, id, reason=b.reason).id}",
    back=_hosting,
)
