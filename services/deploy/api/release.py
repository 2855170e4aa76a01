"""The JSON door of releases: going live and back (F04)."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.deploy import actions, queries
from services.deploy.api.desk import PermitKey
from services.deploy.model import Release
from services.deploy.schemas import OperationView, ReleaseRow, ReleaseView
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])


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
