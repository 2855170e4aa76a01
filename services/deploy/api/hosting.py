"""The JSON door of hostings."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.deploy import actions, queries
from services.deploy.api.desk import PaperOffice
from services.deploy.schemas import Acceptance, HostingView, NewHosting
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])


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
