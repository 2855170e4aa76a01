"""The pages of servers."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS
from services.deploy.pages.frame import after, may, pages
from services.deploy.schemas import Fingerprint, NewServer, ProbeOrder
from shared.identity import Person
from shared.pages import Reason
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place


def _servers(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.servers(session, by, after=place(after(request)))
    return pages.render(
        request,
        "servers.html",
        "Server",
        servers=found,
        after=mark(found, 50),
        probes=queries.probes(session, by),
        offers=pages.offers(request, may(by, ACTS.probe_server, ACTS.register_server)),
    )


def _server(request: Request, session: OrmSession, by: Person, server_id: UUID) -> Response:
    found = queries.server(session, by, server_id)
    offers = pages.offers(request, queries.offered(session, by, found), id=found.id)
    return pages.render(request, "server.html", Sentence("Server {name}", name=found.name), server=found, offers=offers)


@pages.router.get("/server")
def servers(request: Request, session: Session, by: Asker) -> Response:
    return _servers(request, session, by)


@pages.router.get("/server/{id}")
def server(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _server(request, session, by, id)


def _probe(session: OrmSession, by: Person, _id: object, body: ProbeOrder, _request: Request) -> str:
    actions.probe_server(session, by, address=body.address, port=body.port)
    return "/server"


pages.act(ACTS.probe_server, "/server/pemeriksaan", ProbeOrder, _probe, back=_servers)
pages.act(
    ACTS.register_server,
    "/server",
    NewServer,
    lambda s, by, _i, body, _r: f"/server/{actions.register_server(s, by, **body.model_dump()).id}",
    back=_servers,
)
pages.act(
    ACTS.repin_server,
    "/server/{id}/kunci",
    Fingerprint,
    lambda s, by, id, b, _r: f"/server/{actions.repin_server(s, by, id, fingerprint=b.fingerprint).id}",
    back=_server,
)
pages.act(
    ACTS.retire_server,
    "/server/{id}/penghentian",
    Reason,
    lambda s, by, id, b, _r: f"/server/{actions.retire_server(s, by, id, reason=b.reason).id}",
    back=_server,
)
