"""The JSON door of cases: the list, one case with its whole trace, papers, the register, what waits."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.proposal import queries
from services.proposal.api.proposal import Desk
from services.proposal.model import Paper
from services.proposal.schemas.case import CaseRow, CaseView
from shared.edition import tag_of
from shared.store import CHUNK
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["case"])


@router.get("/cases", response_model=list[CaseRow])
def cases(
    request: Request,
    session: Session,
    by: Asker,
    status: Annotated[str | None, Query(max_length=30)] = None,
    unit: Annotated[str | None, Query(max_length=20)] = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.cases(session, by, status=status, unit=unit, q=q, limit=limit, after=place(after))
    return answer_list(request, [CaseRow.model_validate(case) for case in found], after=mark(found, limit))


@router.get("/cases/{number}")
def case(session: Session, by: Asker, number: Annotated[str, Path(max_length=40)], response: Response) -> CaseView:
    found = queries.whole(session, by, number)
    response.headers["etag"] = tag_of(found.case.edition)
    return CaseView.of(found, by, queries.near(session, by, found.case))


@router.get("/papers/{digest}", response_class=StreamingResponse)
def paper(
    session: Session, by: Asker, desk: Desk, digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> StreamingResponse:
    found = queries.paper(session, by, digest)
    file = desk.store.open(digest, verify=True)
    is_pdf = file.read(5) == b"%PDF-"
    file.seek(0)
    return StreamingResponse(
        pieces(file),
        media_type="application/pdf" if is_pdf else "application/octet-stream",
        headers={
            "content-disposition": f'attachment; filename="{_name(found, is_pdf=is_pdf)}"',
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file in pieces, and close it."""
    with file:
        while piece := file.read(CHUNK):
            yield piece


def _name(paper: Paper, *, is_pdf: bool) -> str:
    stem = "-".join(part for part in (paper.kind, paper.number) if part)
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in stem)
    return f"{plain[:100]}{'.pdf' if is_pdf else PurePath(paper.file_name).suffix}"
