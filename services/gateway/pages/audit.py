"""The auditor's page: the lines of every chain, what is looked for, the check, and the lines as a file."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from anyio import from_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from services.gateway.asker import Known
from services.gateway.authority import ACTS
from services.gateway.door import oversight
from services.gateway.door.oversight import NAMES, Found, Labels, Wanted
from services.gateway.schemas.oversight import AuditRow
from shared.errors import FieldError, Incomplete
from shared.identity import Caller, Person
from shared.pages import UUID_TEXT, Nothing, Pages
from shared.sentence import Sentence
from shared.web import Session
from shared.words import WIB

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
file_router = APIRouter(include_in_schema=False)
"""The file is streamed: it outlives the transaction of a page."""
AT_ONCE = 30
COLUMNS = ("Waktu", "Bagian", "Baris", "Tindakan", "Kode", "Perihal", "Orang", "Sebagai", "Rincian", "Sidik")
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Typed(BaseModel):
    """What stands in the address of the page, as it was typed."""

    bagian: str = ""
    tindakan: str = ""
    orang: str = ""
    perihal: str = ""
    dari: str = ""
    sampai: str = ""

    def wanted(self) -> Wanted:
        """Return what is looked for; raise Incomplete for what is no date."""
        return Wanted(
            part=self.bagian,
            act=self.tindakan.strip(),
            person=self.orang.strip()[:100],
            thing=self.perihal.strip()[:200],
            since=_date(self.dari, "dari"),
            until=_date(self.sampai, "sampai"),
        )

    def address(self, **more: str) -> str:
        """Return what was typed as it stands in an address."""
        return urlencode({name: value for name, value in (self.model_dump() | more).items() if value})


def _typed(
    bagian: str = "", tindakan: str = "", orang: str = "", perihal: str = "", dari: str = "", sampai: str = ""
) -> Typed:
    return Typed(bagian=bagian, tindakan=tindakan, orang=orang, perihal=perihal, dari=dari, sampai=sampai)


Asked = Annotated[Typed, Depends(_typed)]


def _date(text: str, name: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        words = Sentence(
            "Tanggal “{text}” tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22.",
            text=text[:20],
        )
        raise Incomplete(words, errors=[FieldError(f"/{name}", words)]) from None


@router.get("/audit")
async def audit(request: Request, caller: Known, asked: Asked, lanjut: str = "") -> Response:
    return await _show(request, caller, asked, lanjut)


async def _show(request: Request, caller: Caller, asked: Typed, lanjut: str = "") -> Response:
    found, wrong = Found(), None
    try:
        found = await oversight.lines(request, caller, asked.wanted(), limit=AT_ONCE, after=lanjut)
    except Incomplete as refusal:
        wrong = refusal
    labels = await oversight.labels(request)
    checks = await oversight.verifications(request, caller)
    response = await run_in_threadpool(
        pages.render,
        request,
        "audit.html",
        "Jejak audit",
        asked=asked,
        found=found,
        wrong=wrong,
        rows=[(row, labels.of(row.part, row.act), _short(row.thing), _facts(row)) for row in found.rows],
        names=NAMES,
        choices=labels.choices(),
        checks=checks,
        is_checking=any(check.state in ("waiting", "running") for check in checks),
        onward=asked.address(lanjut=found.after) if found.after else "",
        place=asked.address(),
        is_first=not lanjut,
        offers=pages.offers(request, [ACTS.verify_audit]) if ACTS.verify_audit.allows(caller.person, None) else [],
    )
    if wrong:
        response.status_code = wrong.status
    return response


def _short(thing: str) -> str:
    """Return a thing's name with the first eight signs of its id: a line is read, the whole stands behind the link."""
    kind, _, id_ = thing.rpartition(":")
    return f"{kind}:{id_[:8]}…" if UUID_TEXT.fullmatch(id_) else thing


def _facts(row: AuditRow) -> list[tuple[str, str]]:
    return [(name, _plain(value)) for name, value in row.facts.items() if value not in (None, "", [], {})]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _verify(session: Session, by: Person, _id: None, body: Nothing, request: Request) -> str:
    from_thread.run(partial(oversight.verify_audit, request, request.state.caller))
    return "/audit#pemeriksaan"


def _again(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    return from_thread.run(partial(_show, request, request.state.caller, Typed()))


pages.act(ACTS.verify_audit, "/audit/pemeriksaan", Nothing, _verify, back=_again)


@file_router.get("/audit/unduhan")
async def audit_file(request: Request, caller: Known, asked: Asked) -> Response:
    given = await oversight.all_lines(request, caller, asked.wanted())
    labels = await oversight.labels(request)
    return StreamingResponse(
        _written(given, labels),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="jejak-audit.csv"'},
    )


async def _written(given: AsyncIterator[Found], labels: Labels) -> AsyncIterator[bytes]:
    # With the mark in front spreadsheets read the names as they are.
    yield "\ufeff".encode() + _csv([COLUMNS])
    async for found in given:
        yield _csv([_cells(row, labels) for row in found.rows])
        if found.silent:
            yield _csv([("TIDAK LENGKAP", f"{', '.join(found.silent)} tidak menjawab")])


def _cells(row: AuditRow, labels: Labels) -> tuple[object, ...]:
    facts = orjson.dumps(row.facts, option=orjson.OPT_SORT_KEYS).decode()
    return (
        row.at.astimezone(WIB).isoformat(timespec="seconds"),
        NAMES[row.part],
        row.seq,
        labels.of(row.part, row.act),
        row.act,
        row.thing,
        row.name,
        row.as_what,
        facts,
        row.hash,
    )


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(STARTS_A_FORMULA) else value
