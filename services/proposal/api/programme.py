"""The JSON door of the work programme: the year, its order, its freezing, and its spreadsheet in and out."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, UploadFile
from fastapi.responses import StreamingResponse
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.actions import programme_paper
from services.proposal.actions.programme import row_of
from services.proposal.actions.programme_sheet import COLUMNS, NOTES
from services.proposal.api.proposal import Desk
from services.proposal.model import Office, ProgrammeSheet, WorkProgramme
from services.proposal.queries.programme import ceiling_of
from services.proposal.schemas.programme import (
    CarryOver,
    EntryChange,
    EntryView,
    ProgrammeView,
    Rank,
    RevisionView,
    SheetView,
)
from services.proposal.schemas.proposal import ProgrammeEntryView
from shared import sheets
from shared.edition import tag_of
from shared.errors import NotFound
from shared.identity import Person
from shared.pages import Reason
from shared.sentence import Sentence
from shared.store import CHUNK
from shared.web import Asker, Door, Seen, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["work programme"])
Year = Annotated[int, Path(ge=2000, le=2200)]


@router.get("/work-programme")
def work_programme(
    session: Session, by: Asker, fiscal_year: Annotated[int, Query(ge=2000, le=2200)]
) -> list[ProgrammeEntryView]:
    return [ProgrammeEntryView.of(entry) for entry in queries.work_programme(session, by, fiscal_year=fiscal_year)]


def _view(session: orm.Session, by: Person, year: int, response: Response) -> ProgrammeView:
    found = queries.programme(session, by, year)
    response.headers["etag"] = tag_of(found.whole.edition if found.whole else 0)
    return ProgrammeView.of(found)


@router.get("/work-programme/{year}")
def programme(session: Session, by: Asker, year: Year, response: Response) -> ProgrammeView:
    return _view(session, by, year, response)


@router.post("/work-programme-entries/{entry_id}/rank")
def rank_programme(
    session: Session, by: Asker, entry_id: UUID, body: Rank, response: Response, seen: Seen = None
) -> ProgrammeView:
    whole = actions.rank_programme(session, by, entry_id, ordinal=body.ordinal, seen=seen)
    return _view(session, by, whole.fiscal_year, response)


@router.put("/work-programme-entries/{entry_id}")
def amend_entry(
    session: Session, by: Asker, entry_id: UUID, body: EntryChange, response: Response, seen: Seen = None
) -> ProgrammeView:
    whole = actions.amend_entry(session, by, entry_id, values=body.model_dump(), seen=seen)
    return _view(session, by, whole.fiscal_year, response)


@router.post("/work-programme-entries/{entry_id}/carry-over", status_code=201)
def carry_over(session: Session, by: Asker, desk: Desk, entry_id: UUID, body: CarryOver) -> EntryView:
    entry = actions.carry_over(session, by, entry_id, desk, **body.model_dump())
    return EntryView(**ProgrammeEntryView.of(entry).model_dump(), carried_to=None, carried_reason="")


@router.post("/work-programme/{year}/freeze", status_code=201)
def freeze_programme(session: Session, by: Asker, desk: Desk, year: Year, seen: Seen = None) -> RevisionView:
    return ProgrammeView.revision_of(actions.freeze_programme(session, by, year, desk, seen=seen))


@router.post("/work-programme/{year}/revision")
def revise_programme(session: Session, by: Asker, year: Year, body: Reason, response: Response) -> ProgrammeView:
    actions.revise_programme(session, by, year, reason=body.reason)
    return _view(session, by, year, response)


@router.post("/work-programme/{year}/sheets", status_code=201)
def check_programme_sheet(session: Session, by: Asker, desk: Desk, year: Year, file: UploadFile) -> SheetView:
    sheet = actions.check_programme_sheet(
        session, by, year, desk, file=file.file, file_name=file.filename or "program-kerja"
    )
    return SheetView.of(sheet, plan_of(session, desk, sheet))


@router.get("/work-programme-sheets/{sheet_id}")
def sheet(session: Session, by: Asker, desk: Desk, sheet_id: UUID, response: Response) -> SheetView:
    found = queries.programme_sheet(session, by, sheet_id)
    whole = queries.programme(session, by, found.fiscal_year).whole
    response.headers["etag"] = tag_of(whole.edition if whole else 0)
    return SheetView.of(found, plan_of(session, desk, found))


def plan_of(session: orm.Session, desk: Office, sheet: ProgrammeSheet) -> actions.Plan:
    """Return what a kept sheet would change now."""
    with desk.store.open(sheet.digest, verify=True) as file:
        return actions.read_plan(session, desk, sheet.fiscal_year, file)


@router.post("/work-programme-sheets/{sheet_id}/entries")
def take_programme_sheet(
    session: Session, by: Asker, desk: Desk, sheet_id: UUID, response: Response, seen: Seen = None
) -> ProgrammeView:
    whole = actions.take_programme_sheet(session, by, sheet_id, desk, seen=seen)
    return _view(session, by, whole.fiscal_year, response)


# --- out ----------------------------------------------------------------------------------------------------------


@router.get("/work-programme/{year}/export", response_class=StreamingResponse)
def export(session: Session, by: Asker, year: Year, form: sheets.Format = "xlsx") -> StreamingResponse:
    found = queries.programme(session, by, year)
    rows: Iterator[Sequence[sheets.Cell]] = (
        (
            entry.number,
            entry.case.number,
            entry.case.name,
            entry.activity,
            entry.indicator,
            entry.target,
            entry.quarter,
            entry.priority,
            entry.estimated_amount,
            entry.pic,
            ceiling_of(entry),
            entry.case.label,
        )
        for entry in found.entries
        if entry.is_standing
    )
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    sheets.write(file, form, COLUMNS, rows, title=f"Program kerja {year}", notes=NOTES, for_filling=True)
    return download(file, f"program-kerja-{year}", form)


@router.get("/work-programme/{year}/template", response_class=StreamingResponse)
def template(by: Asker, year: Year, form: sheets.Format = "xlsx") -> StreamingResponse:
    queries.must_read_programme(by)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    sheets.write(file, form, COLUMNS, (), title=f"Templat program kerja {year}", notes=NOTES, for_filling=True)
    return download(file, f"templat-program-kerja-{year}", form)


def download(file: IO[bytes], name: str, form: sheets.Format) -> StreamingResponse:
    """Return a file that was just written, in pieces."""
    file.seek(0)
    return StreamingResponse(_pieces(file), media_type=sheets.MEDIA[form], headers=_as_file(f"{name}.{form}"))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK):
            yield piece


def _as_file(name: str) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="{name}"',
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }


@router.get("/work-programme/{year}/paper")
def paper(
    session: Session, by: Asker, desk: Desk, year: Year, revision: Annotated[int, Query(ge=0, le=1000)] = 0
) -> Response:
    """Return a frozen revision as it was printed; without one the programme as it stands, marked as a draft."""
    found = queries.programme(session, by, year)
    if revision:
        kept = next((one for one in found.revisions if one.revision == revision), None)
        if kept is None:
            raise NotFound(
                Sentence("Program kerja {year} tidak mempunyai revisi {revision}.", year=year, revision=revision)
            )
        file = desk.store.open(kept.paper_digest, verify=True)
        headers = _as_file(f"program-kerja-{year}-revisi-{revision}.pdf")
        return StreamingResponse(_pieces(file), media_type="application/pdf", headers=headers)
    whole = found.whole or WorkProgramme(fiscal_year=year, revision=0, reason="")
    rows = [row_of(entry) for entry in found.entries if entry.is_standing]
    content = programme_paper.draft(whole, rows)
    return Response(content, media_type="application/pdf", headers=_as_file(f"program-kerja-{year}-konsep.pdf"))
