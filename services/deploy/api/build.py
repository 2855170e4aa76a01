"""The JSON door of builds."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse

from services.deploy import actions, queries
from services.deploy.intake import MAX_PACKED_BYTES
from services.deploy.model import Build
from services.deploy.schemas import BuildView
from shared.pages import Reason
from shared.store import Store
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])
MOST_UPLOADED = MAX_PACKED_BYTES + (1 << 20)
"""Bytes of an upload with its form; more is not even written down."""


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
