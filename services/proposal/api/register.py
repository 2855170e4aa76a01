"""The JSON door of the application register, and its export."""

import tempfile
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.proposal import actions, queries
from services.proposal.api.programme import download
from services.proposal.model import Description
from services.proposal.queries.register import register_mark, register_place
from services.proposal.schemas.register import ApplicationView, ColumnView, Layout, RegisterRow
from shared import sheets
from shared.edition import tag_of
from shared.web import Asker, Door, Limit, Seen, Session, answer_list

router = APIRouter(prefix="/api", route_class=Door, tags=["register"])


@router.get("/applications", response_model=list[RegisterRow])
def registered(
    request: Request,
    session: Session,
    by: Asker,
    state: Annotated[str | None, Query(max_length=20)] = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 200,
    after: str | None = None,
) -> JSONResponse:
    found = queries.registered(session, by, state=state, q=q, limit=limit, after=register_place(after))
    rows = [RegisterRow.model_validate(entry) for entry in found]
    return answer_list(request, rows, after=register_mark(found, limit))


@router.get("/applications/{code}")
def application(
    session: Session, by: Asker, code: Annotated[str, Path(max_length=40)], response: Response
) -> ApplicationView:
    found = queries.application(session, by, code)
    response.headers["etag"] = tag_of(found.entry.edition)
    return ApplicationView.of(found)


@router.put("/applications/{application_id}/description")
def describe_application(
    session: Session,
    by: Asker,
    application_id: UUID,
    body: Description,
    response: Response,
    seen: Seen = None,
) -> ApplicationView:
    entry = actions.describe_application(session, by, application_id, body, seen=seen)
    response.headers["etag"] = tag_of(entry.edition)
    return ApplicationView.of(queries.application(session, by, entry.id))


@router.get("/application-register/columns")
def columns(session: Session, by: Asker) -> list[ColumnView]:
    queries.must_export(by)
    return [ColumnView.of(column) for column in queries.layout(session)]


@router.put("/application-register/columns")
def choose_register_columns(session: Session, by: Asker, body: Layout) -> list[ColumnView]:
    actions.choose_register_columns(session, by, body.order)
    return [ColumnView.of(column) for column in queries.layout(session)]


@router.get("/application-register/export", response_class=StreamingResponse)
def export(session: Session, by: Asker, form: sheets.Format = "xlsx") -> StreamingResponse:
    queries.must_export(by)
    chosen = queries.layout(session)
    heads = [
        sheets.Column(column.key, column.title, kind="money" if column.key == "value" else "text") for column in chosen
    ]
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    sheets.write(file, form, heads, queries.export_rows(session, by, chosen), title="Daftar aplikasi (SPBE)")
    return download(file, "daftar-aplikasi-spbe", form)
