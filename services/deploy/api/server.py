"""The JSON door of servers."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.deploy import actions, queries
from services.deploy.model import Probe, Server
from services.deploy.schemas import Fingerprint, NewServer, ProbeOrder, ProbeView, ServerView
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])


@router.post("/servers/probe", response_model=ProbeView, status_code=202)
def probe_server(session: Session, by: Asker, body: ProbeOrder) -> Probe:
    return actions.probe_server(session, by, address=body.address, port=body.port)


@router.get("/servers/probe/{probe_id}", response_model=ProbeView)
def probe(session: Session, by: Asker, probe_id: UUID) -> Probe:
    return queries.probe(session, by, probe_id)


@router.post("/servers", response_model=ServerView, status_code=201)
def register_server(session: Session, by: Asker, body: NewServer) -> Server:
    return actions.register_server(session, by, **body.model_dump())


@router.get("/servers", response_model=list[ServerView])
def servers(request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None) -> JSONResponse:
    found = queries.servers(session, by, limit=limit, after=place(after))
    rows = [ServerView.model_validate(server) for server in found]
    return answer_list(request, rows, after=mark(found, limit))


@router.get("/servers/{server_id}", response_model=ServerView)
def server(session: Session, by: Asker, server_id: UUID) -> Server:
    return queries.server(session, by, server_id)


@router.post("/servers/{server_id}/host-key", response_model=ServerView)
def repin_server(session: Session, by: Asker, server_id: UUID, body: Fingerprint) -> Server:
    return actions.repin_server(session, by, server_id, fingerprint=body.fingerprint)


@router.post("/servers/{server_id}/retirement", response_model=ServerView)
def retire_server(session: Session, by: Asker, server_id: UUID, body: Reason) -> Server:
    return actions.retire_server(session, by, server_id, reason=body.reason)
