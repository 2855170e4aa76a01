"""The JSON door of installations, their plans and logs."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from services.deploy import actions, queries
from services.deploy.model import Installation
from services.deploy.queries.log import Log, Mark, read_mark
from services.deploy.schemas import Approval, InstallationRow, InstallationView, LogLine, NewInstallation
from shared import jobs
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])
LOOK_EVERY = 0.3
"""Seconds between two looks for new lines of a log."""


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
