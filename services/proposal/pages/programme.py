"""Pages of the work programme: the order of a year, its spreadsheet with a preview, its revisions side by side."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import ProgrammeSheet, WorkProgrammeEntry
from services.proposal.pages.case import desk, pages, prefill, router, tone
from services.proposal.queries.programme import ceiling_of
from services.proposal.schemas.programme import CarryOver, EntryChange, Rank, SheetForm
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person
from shared.pages import Nothing, Offer, Reason, seen_edition
from shared.sentence import Sentence
from shared.web import Asker, Session
from shared.words import local_date

WHAT = {"new": ("Baru", "good"), "changed": ("Berubah", "wait"), "unchanged": ("Tidak berubah", "quiet")}
"""How what a row of a sheet does is called and shown."""
OF_YEAR = ("freeze_programme", "check_programme_sheet", "revise_programme")


@router.get("/proker")
def work_programme(request: Request, session: Session, by: Asker) -> Response:
    asked = request.query_params.get("tahun", "")
    years = queries.fiscal_years(session)
    coming = local_date(utc_now()).year + 1
    year = _year(asked) if asked.isdecimal() else coming if coming in years else max(years, default=coming)
    return _programme(request, session, by, year)


def _year(asked: object) -> int:
    """Return the year that an address names; raise NotFound."""
    words = str(asked)
    if not (words.isascii() and words.isdecimal() and len(words) == 4):
        raise NotFound("Tahun anggaran ini tidak ada. Pilih tahun dari halaman program kerja.")
    return int(words)


def _programme(request: Request, session: orm.Session, by: Person, year: Any) -> Response:
    found = queries.programme(session, by, _year(year))
    acts = queries.programme_acts(by, found)
    edition = str(found.whole.edition) if found.whole else ""
    offers = [
        replace(offer, edition=edition)
        for offer in pages.offers(request, [act for act in acts if act.name in OF_YEAR], id=found.fiscal_year)
    ]
    return pages.render(
        request,
        "programme.html",
        Sentence("Program kerja {fiscal_year}", fiscal_year=found.fiscal_year),
        found=found,
        year=found.fiscal_year,
        years=queries.fiscal_years(session),
        offers=offers,
        ranks=_of_entries(request, found, edition) if ACTS.rank_programme in acts else {},
        changes=_changes(request, found, edition) if ACTS.amend_entry in acts else {},
        carries=_carries(request, found) if ACTS.carry_over in acts else {},
        ceiling=ceiling_of,
        tone=tone,
    )


def _of_entries(request: Request, found: queries.Programme, edition: str) -> dict[UUID, Offer]:
    """Return the form of each entry that moves it in the order."""
    return {
        entry.id: replace(pages.offers(request, [ACTS.rank_programme], id=entry.id)[0], edition=edition)
        for entry in found.entries
        if entry.is_standing
    }


def _changes(request: Request, found: queries.Programme, edition: str) -> dict[UUID, Offer]:
    """Return the form of each entry that changes what it says."""
    made = {}
    for entry in found.entries:
        if entry.is_standing:
            given = {name: getattr(entry, name) for name in EntryChange.model_fields}
            given["estimated_amount"] = f"{entry.estimated_amount:,}".replace(",", ".")
            [offer] = prefill(pages.offers(request, [ACTS.amend_entry], id=entry.id), ACTS.amend_entry.name, given)
            made[entry.id] = replace(offer, edition=edition)
    return made


def _carries(request: Request, found: queries.Programme) -> dict[UUID, Offer]:
    return {
        entry.id: pages.offers(request, [ACTS.carry_over], id=entry.id)[0]
        for entry in found.entries
        if entry.carried_to is None and entry.case.status == "in_work_programme"
    }


def _programme_of(request: Request, session: orm.Session, by: Person, entry_id: Any) -> Response:
    return _programme(request, session, by, queries.year_of_entry(session, entry_id))


@router.get("/proker/impor/{sheet_id}")
def sheet(request: Request, session: Session, by: Asker, sheet_id: UUID) -> Response:
    return _sheet(request, session, by, sheet_id)


def _sheet(request: Request, session: orm.Session, by: Person, sheet_id: Any) -> Response:
    found = queries.programme_sheet(session, by, sheet_id)
    office = desk(request)
    with office.store.open(found.digest, verify=True) as file:
        plan = actions.read_plan(session, office, found.fiscal_year, file)
    programme = queries.programme(session, by, found.fiscal_year)
    is_open = programme.whole is not None and not programme.whole.is_frozen and not found.taken_at
    offers = pages.offers(request, [ACTS.take_programme_sheet], id=found.id) if is_open and not plan.mistakes else []
    edition = str(programme.whole.edition) if programme.whole else ""
    return pages.render(
        request,
        "programme_sheet.html",
        Sentence("Pratinjau {file_name}", file_name=found.file_name),
        sheet=found,
        plan=plan,
        what=WHAT,
        offers=[replace(offer, edition=edition) for offer in offers],
    )


@router.get("/proker/{year}/revisi/{revision}")
def revision(request: Request, session: Session, by: Asker, year: int, revision: int) -> Response:
    """Show a frozen revision and what differs from the one before, or from the newest when that is asked for."""
    found = queries.programme(session, by, year)
    kept = {one.revision: one for one in found.revisions}
    if revision not in kept:
        raise NotFound(
            Sentence("Program kerja {year} tidak mempunyai revisi {revision}.", year=year, revision=revision)
        )
    other = request.query_params.get("banding", "")
    against = int(other) if other.isascii() and other.isdecimal() and int(other) in kept else revision - 1
    return pages.render(
        request,
        "programme_revision.html",
        Sentence("Program kerja {year}, revisi {revision}", year=year, revision=revision),
        year=year,
        kept=kept[revision],
        against=kept.get(against),
        others=[one.revision for one in found.revisions if one.revision != revision],
        differences=queries.compare(kept[against].rows, kept[revision].rows) if against in kept else [],
    )


# --- what people do -----------------------------------------------------------------------------------------------


def _rank(session: orm.Session, by: Person, entry_id: UUID, body: Rank, request: Request) -> str:
    whole = actions.rank_programme(session, by, entry_id, ordinal=body.ordinal, seen=seen_edition(request))
    return f"/proker?tahun={whole.fiscal_year}#butir-{entry_id}"


def _amend(session: orm.Session, by: Person, entry_id: UUID, body: EntryChange, request: Request) -> str:
    whole = actions.amend_entry(session, by, entry_id, values=body.model_dump(), seen=seen_edition(request))
    return f"/proker?tahun={whole.fiscal_year}#butir-{entry_id}"


def _carry(session: orm.Session, by: Person, entry_id: UUID, body: CarryOver, request: Request) -> str:
    made: WorkProgrammeEntry = actions.carry_over(session, by, entry_id, desk(request), **body.model_dump())
    return f"/proker?tahun={made.fiscal_year}"


def _freeze(session: orm.Session, by: Person, year: Any, _body: Nothing, request: Request) -> str:
    kept = actions.freeze_programme(session, by, _year(year), desk(request), seen=seen_edition(request))
    return f"/proker?tahun={kept.fiscal_year}"


def _revise(session: orm.Session, by: Person, year: Any, body: Reason, _request: Request) -> str:
    return f"/proker?tahun={actions.revise_programme(session, by, _year(year), reason=body.reason).fiscal_year}"


def _check(session: orm.Session, by: Person, year: Any, body: SheetForm, request: Request) -> str:
    kept: ProgrammeSheet = actions.check_programme_sheet(
        session, by, _year(year), desk(request), file=body.file.file, file_name=body.file.filename or "program-kerja"
    )
    return f"/proker/impor/{kept.id}"


def _take(session: orm.Session, by: Person, sheet_id: UUID, _body: Nothing, request: Request) -> str:
    whole = actions.take_programme_sheet(session, by, sheet_id, desk(request), seen=seen_edition(request))
    return f"/proker?tahun={whole.fiscal_year}"


pages.act(ACTS.rank_programme, "/proker/butir/{id}/urutan", Rank, _rank, back=_programme_of)
pages.act(ACTS.amend_entry, "/proker/butir/{id}/perubahan", EntryChange, _amend, back=_programme_of)
pages.act(ACTS.carry_over, "/proker/butir/{id}/pengalihan", CarryOver, _carry, back=_programme_of)
pages.act(ACTS.freeze_programme, "/proker/{id}/penetapan", Nothing, _freeze, back=_programme)
pages.act(ACTS.revise_programme, "/proker/{id}/revisi", Reason, _revise, back=_programme)
pages.act(ACTS.check_programme_sheet, "/proker/{id}/impor", SheetForm, _check, back=_programme)
pages.act(ACTS.take_programme_sheet, "/proker/impor/{id}/penerapan", Nothing, _take, back=_sheet)
