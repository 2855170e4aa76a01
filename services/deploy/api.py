"""The infrastructure division's JSON door."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import APIRouter, Depends, Form, Header, Query, Request, UploadFile
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from services.deploy import actions, queries
from services.deploy.intake import MAX_PACKED_BYTES
from services.deploy.model import Build, Installation, Probe, Release, Server
from services.deploy.queries import dashboard
from services.deploy.queries.log import Log, Mark, read_mark
from services.deploy.schemas import (
    Acceptance,
    Approval,
    BuildView,
    Fingerprint,
    HostingView,
    InstallationRow,
    InstallationView,
    LogLine,
    NewHosting,
    NewInstallation,
    NewServer,
    OperationView,
    ProbeOrder,
    ProbeView,
    ReleaseRow,
    ReleaseView,
    ServerView,
)
from shared import jobs, permit
from shared.figures import Figures
from shared.pages import Reason
from shared.search import Hit
from shared.store import Store
from shared.web import Asker, Door, Question, Session, Waiting, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])
Limit = Annotated[int, Query(ge=1, le=200)]
MOST_UPLOADED = MAX_PACKED_BYTES + (1 << 20)
"""Bytes of an upload with its form; more is not even written down."""
LOOK_EVERY = 0.3
"""Seconds between two looks for new lines of a log."""


def _public_key(request: Request) -> Ed25519PublicKey:
    return permit.public_key(request.app.state.settings.keys_folder)


def _office(request: Request) -> actions.Office:
    settings = request.app.state.settings
    return actions.Office(Store(settings.files_folder), settings.public_url)


PaperOffice = Annotated[actions.Office, Depends(_office)]
"""The office that prints papers and keeps files."""
PermitKey = Annotated[Ed25519PublicKey, Depends(_public_key)]
"""The key with which the security division's permits are verified."""


# --- servers ---------------------------------------------------------------------------------------------


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


# --- hostings --------------------------------------------------------------------------------------------


@router.post("/hostings", response_model=HostingView, status_code=201)
def request_hosting(session: Session, by: Asker, body: NewHosting) -> HostingView:
    return HostingView.of(actions.request_hosting(session, by, **body.model_dump(exclude={"permanence"})))


@router.get("/hostings", response_model=list[HostingView])
def hostings(
    request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None
) -> JSONResponse:
    found = queries.hostings(session, by, limit=limit, after=place(after))
    return answer_list(request, [HostingView.of(row) for row in found], after=mark(found, limit))


@router.get("/hostings/{hosting_id}", response_model=HostingView)
def hosting(session: Session, by: Asker, hosting_id: UUID) -> HostingView:
    return HostingView.of(queries.hosting(session, by, hosting_id))


@router.post("/hostings/{hosting_id}/acceptance", response_model=HostingView)
def accept_hosting(session: Session, by: Asker, hosting_id: UUID, body: Acceptance, office: PaperOffice) -> HostingView:
    return HostingView.of(actions.accept_hosting(session, by, hosting_id, server=body.server, office=office))


@router.post("/hostings/{hosting_id}/refusal", response_model=HostingView)
def refuse_hosting(session: Session, by: Asker, hosting_id: UUID, body: Reason) -> HostingView:
    return HostingView.of(actions.refuse_hosting(session, by, hosting_id, reason=body.reason))


# --- builds ----------------------------------------------------------------------------------------------


@router.post("/builds", response_model=BuildView, status_code=201, max_body_size=MOST_UPLOADED)
def receive_build(
    request: Request,
    session: Session,
    by: Asker,
    case_number: Annotated[str, Form(max_length=40)],
    file: UploadFile,
) -> Build:
    store = Store(request.app.state.settings.files_folder)
    return actions.receive_build(
        session, by, case_number=case_number, file_name=file.filename or "", archive=file.file, store=store
    )


@router.get("/builds", response_model=list[BuildView])
def builds(request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None) -> JSONResponse:
    found = queries.builds(session, by, limit=limit, after=place(after))
    rows = [BuildView.model_validate(build) for build in found]
    return answer_list(request, rows, after=mark(found, limit))


@router.get("/builds/{build_id}", response_model=BuildView)
def build(session: Session, by: Asker, build_id: UUID) -> Build:
    return queries.build(session, by, build_id)


@router.post("/builds/{build_id}/defect-report", response_model=BuildView)
def report_defect(session: Session, by: Asker, build_id: UUID, body: Reason) -> Build:
    return actions.report_defect(session, by, build_id, reason=body.reason)


# --- installations ---------------------------------------------------------------------------------------


def _view(session: Session, found: Installation) -> InstallationView:
    session.flush()
    job = jobs.find(session, found.last_job_id) if found.last_job_id else None
    return InstallationView.of(found, job=job, release=queries.release_of(session, found))


@router.post("/installations", response_model=InstallationView, status_code=202)
def plan_installation(session: Session, by: Asker, body: NewInstallation) -> InstallationView:
    made = actions.plan_installation(session, by, hosting_id=body.hosting_id, build_id=body.build_id)
    return _view(session, made)


@router.get("/installations", response_model=list[InstallationRow])
def installations(
    request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None
) -> JSONResponse:
    found = queries.installations(session, by, limit=limit, after=place(after))
    rows = [InstallationRow.model_validate(row) for row in found]
    return answer_list(request, rows, after=mark(found, limit))


@router.get("/installations/{installation_id}", response_model=InstallationView)
def installation(session: Session, by: Asker, installation_id: UUID) -> InstallationView:
    return _view(session, queries.installation(session, by, installation_id))


@router.post("/installations/{installation_id}/approval", response_model=InstallationView, status_code=202)
def approve_installation(
    session: Session, by: Asker, installation_id: UUID, body: Approval | None = None
) -> InstallationView:
    digest = body.plan_digest if body else None
    return _view(session, actions.approve_installation(session, by, installation_id, plan_digest=digest))


@router.post("/installations/{installation_id}/cancellation", response_model=InstallationView)
def cancel_installation(session: Session, by: Asker, installation_id: UUID, body: Reason) -> InstallationView:
    return _view(session, actions.cancel_installation(session, by, installation_id, reason=body.reason))


def _seen_installation(session: Session, by: Asker, installation_id: UUID) -> UUID:
    return queries.installation(session, by, installation_id).id


def _last_mark(last_event_id: Annotated[str | None, Header()] = None) -> Mark:
    return read_mark(last_event_id)


@router.get("/installations/{installation_id}/log", response_class=EventSourceResponse)
async def log(
    request: Request,
    seen: Annotated[UUID, Depends(_seen_installation)],
    after: Annotated[Mark, Depends(_last_mark)],
) -> AsyncIterator[ServerSentEvent]:
    # The request's own session is closed when the stream begins: each look opens one for itself.
    database = request.app.state.database

    def look(mark: Mark) -> Log:
        with database.session() as session:
            return queries.log_after(session, seen, mark)

    while not (found := await run_in_threadpool(look, after)).is_over:
        for after, line in found.lines:
            yield ServerSentEvent(id=f"{after[0]}.{after[1]}", data=LogLine.model_validate(line))
        if not found.lines:
            await anyio.sleep(LOOK_EVERY)
    yield ServerSentEvent(event="end", data={"over": True})


# --- releases --------------------------------------------------------------------------------------------


def _release(session: Session, found: Release) -> ReleaseView:
    session.flush()
    operation = queries.operation_of(session, found)
    return ReleaseView.of(found, operation=OperationView.model_validate(operation) if operation else None)


@router.get("/releases", response_model=list[ReleaseRow])
def releases(
    request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None
) -> JSONResponse:
    found = queries.releases(session, by, limit=limit, after=place(after))
    return answer_list(request, [ReleaseRow.of(row) for row in found], after=mark(found, limit))


@router.get("/releases/{release_id}", response_model=ReleaseView)
def release(session: Session, by: Asker, release_id: UUID) -> ReleaseView:
    return _release(session, queries.release(session, by, release_id))


@router.post("/releases/{release_id}/authorisation", response_model=ReleaseView)
def authorise_go_live(session: Session, by: Asker, release_id: UUID, key: PermitKey) -> ReleaseView:
    return _release(session, actions.authorise_go_live(session, by, release_id, public_key=key))


@router.post("/releases/{release_id}/postponement", response_model=ReleaseView)
def postpone(session: Session, by: Asker, release_id: UUID, body: Reason) -> ReleaseView:
    return _release(session, actions.postpone(session, by, release_id, reason=body.reason))


@router.post("/releases/{release_id}/go-live", response_model=ReleaseView, status_code=202)
def go_live(session: Session, by: Asker, release_id: UUID, key: PermitKey) -> ReleaseView:
    return _release(session, actions.go_live(session, by, release_id, public_key=key))


@router.post("/releases/{release_id}/roll-back", response_model=ReleaseView, status_code=202)
def roll_back(session: Session, by: Asker, release_id: UUID, key: PermitKey) -> ReleaseView:
    return _release(session, actions.roll_back(session, by, release_id, public_key=key))


@router.get("/waiting", response_model=list[Waiting])
def waiting(session: Session, by: Asker) -> list[Waiting]:
    return [
        Waiting(
            title=todo.title,
            about=todo.about,
            case_number=todo.case_number,
            step=todo.step,
            since=todo.since.isoformat(),
            path=todo.path,
        )
        for todo in queries.waiting_on(session, by)
    ]


@router.get("/search")
def search(session: Session, by: Asker, q: Question) -> list[Hit]:
    return queries.found(session, by, q)


@router.get("/figures")
def figures(session: Session, by: Asker) -> Figures:
    return dashboard.figures(session, by)
