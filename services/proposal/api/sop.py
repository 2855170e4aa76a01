"""The JSON door of the SOP: its versions, what is written in a draft, and the printed paper."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import orm

from services.proposal.actions import sop, sop_paper
from services.proposal.api.case import pieces
from services.proposal.api.proposal import Desk
from services.proposal.model.sop import Identity, StepWording
from services.proposal.queries import sop as queries
from services.proposal.schemas.sop import Drafting, Publication, VersionRow, VersionView
from shared.database import utc_now
from shared.edition import tag_of
from shared.identity import Person
from shared.pages import Reason
from shared.web import Asker, Door, Seen, Session
from shared.words import local_date

router = APIRouter(prefix="/api/procedure-versions", route_class=Door, tags=["procedure"])
Number = Annotated[int, Path(ge=1, le=9999)]


@router.get("")
def versions(session: Session, by: Asker) -> list[VersionRow]:
    return [VersionRow.of(one) for one in queries.versions(session, by)]


def _view(session: orm.Session, by: Person, number: int, response: Response) -> VersionView:
    found = queries.version(session, by, number)
    response.headers["etag"] = tag_of(found.row.edition if found.row else 0)
    return VersionView.whole(found, queries.changes(session, found))


@router.get("/{version}")
def version(session: Session, by: Asker, version: Number, response: Response) -> VersionView:
    return _view(session, by, version, response)


@router.post("", status_code=201)
def draft_procedure(session: Session, by: Asker, body: Drafting, response: Response) -> VersionView:
    made = sop.draft_procedure(session, by, reason=body.reason)
    return _view(session, by, made.version, response)


@router.put("/{version}/identity")
def write_procedure_identity(
    session: Session, by: Asker, version: Number, body: Identity, response: Response, seen: Seen = None
) -> VersionView:
    sop.write_procedure_identity(session, by, version, body, seen=seen)
    return _view(session, by, version, response)


@router.put("/{version}/steps/{step}")
def write_procedure_step(
    session: Session,
    by: Asker,
    version: Number,
    step: str,
    body: StepWording,
    response: Response,
    seen: Seen = None,
) -> VersionView:
    sop.write_procedure_step(session, by, version, step, body, seen=seen)
    return _view(session, by, version, response)


@router.post("/{version}/closing")
def discard_procedure(session: Session, by: Asker, version: Number, body: Reason, response: Response) -> VersionView:
    sop.discard_procedure(session, by, version, reason=body.reason)
    return _view(session, by, version, response)


@router.post("/{version}/publication")
def publish_procedure(
    session: Session,
    by: Asker,
    desk: Desk,
    version: Number,
    body: Publication,
    response: Response,
    seen: Seen = None,
) -> VersionView:
    sop.publish_procedure(session, by, version, desk, valid_from=body.valid_from, seen=seen)
    return _view(session, by, version, response)


@router.post("/{version}/withdrawal")
def withdraw_procedure(session: Session, by: Asker, version: Number, body: Reason, response: Response) -> VersionView:
    sop.withdraw_procedure(session, by, version, reason=body.reason)
    return _view(session, by, version, response)


@router.get("/{version}/paper")
def paper(session: Session, by: Asker, desk: Desk, version: Number) -> Response:
    """Return a published version as the Head approved it; any other as it would be printed now, marked as a draft."""
    found = queries.version(session, by, version)
    name = f"sop-versi-{version}"
    if found.row and found.row.paper_digest:
        file = desk.store.open(found.row.paper_digest, verify=True)
        return StreamingResponse(pieces(file), media_type="application/pdf", headers=_as_file(f"{name}.pdf"))
    dates = queries.dates(session, found)
    content = sop_paper.draft(
        found.wording, queries.measured(session), version=version, dates=dates, on=local_date(utc_now())
    )
    return Response(content, media_type="application/pdf", headers=_as_file(f"{name}-konsep.pdf"))


def _as_file(name: str) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="{name}"',
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }
