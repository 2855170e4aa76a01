"""Checking a printed paper without an account: by the code on it, and by the file itself."""

import hashlib
import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.gateway.door.doors import TITLES, Doors
from shared import issued
from shared.errors import Incomplete, NotFound, Refused, TooLarge, TooMany, Unavailable
from shared.issued import GenuinePaper
from shared.keys import Keys
from shared.language import long_date, long_moment
from shared.log import logger
from shared.pages import fragment
from shared.sentence import Sentence
from shared.web import problem

PER_MINUTE = 30
MOST_ADDRESSES = 10_000
LARGEST_FILE = 20 * 1024 * 1024
FORM_AROUND = 64 * 1024
"""Bytes that the form around the file may take."""
UNKNOWN = (
    "Kode ini tidak ada dalam catatan Alur. Periksa kembali setiap huruf dan angkanya pada kaki dokumen. Bila kodenya "
    "memang demikian, jangan pakai dokumen itu dahulu dan tanyakan keasliannya kepada penerbitnya."
)

pages = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api", tags=["gateway"])


class TooManyChecks(TooMany):
    """One address checked too many papers within a minute; `seconds` says when to go on."""

    code = "too_many_checks"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Sentence(
                "Terlalu banyak pemeriksaan dokumen dari jaringan ini. Mohon tunggu {seconds} detik, lalu "
                "periksa lagi.",
                seconds=seconds,
            )
        )
        self.seconds = seconds


class Throttle:
    """Counts how often each address asks in a minute, so that nobody tries codes one after the other."""

    def __init__(self, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._counted: dict[str, tuple[float, int]] = {}

    def claim(self, address: str) -> None:
        """Count one check; raise TooManyChecks when the minute of this address is used up."""
        now, place = self._clock(), _network(address)
        began, count = self._counted.get(place, (now, 0))
        if now - began >= 60:
            began, count = now, 0
        if count >= self._per_minute:
            raise TooManyChecks(max(1, round(60 - (now - began))))
        if place not in self._counted and len(self._counted) >= MOST_ADDRESSES:
            self._make_room(now)
        self._counted[place] = (began, count + 1)

    def _make_room(self, now: float) -> None:
        self._counted = {place: kept for place, kept in self._counted.items() if now - kept[0] < 60}
        while len(self._counted) >= MOST_ADDRESSES:
            self._counted.pop(next(iter(self._counted)))


def _network(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 that one IPv6 customer has for themselves."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


class PaperCheck(BaseModel):
    """A paper that is genuine, as anybody may know it."""

    paper: GenuinePaper
    division: str
    """Who issued it, in Indonesian."""
    counts: bool
    """False when the paper is genuine but was replaced or withdrawn."""


async def check(request: Request, typed: str) -> PaperCheck:
    """Return the genuine paper with this code; raise TooManyChecks, NotFound, or Unavailable when nobody can tell."""
    throttle: Throttle = request.app.state.paper_checks
    throttle.claim(request.state.address)
    code = issued.normalised(typed)
    name = issued.division_of(code)
    if not name:
        raise NotFound(UNKNOWN, code="unknown_paper")
    doors: Doors = request.app.state.doors
    part = doors.parts.get(name)
    answered = await doors.ask(part, f"/inner/papers/{code}") if part else None
    if answered is not None and answered.status == 404:
        raise NotFound(UNKNOWN, code="unknown_paper")
    if answered is not None and answered.status == 200:
        try:
            paper = GenuinePaper.model_validate_json(answered.body)
        except ValidationError as reason:
            logger().error("paper_not_understood", part=name, reason=str(reason))
        else:
            return PaperCheck(paper=paper, division=TITLES[name], counts=paper.withdrawn_at is None)
    raise Unavailable(
        Sentence(
            "Catatan dokumen ini dipegang {name}, yang sedang tidak menjawab. Keasliannya belum dapat "
            "dipastikan; mohon periksa lagi beberapa menit lagi.",
            name=TITLES[name],
        ),
        code="part_silent",
    )


@api.get("/paper-checks/{code}", response_model=PaperCheck)
async def check_paper(request: Request, code: str) -> Any:
    """Tell whether the paper with this code is genuine; needs no account."""
    try:
        return await check(request, code)
    except TooManyChecks as refusal:
        answer: JSONResponse = problem(refusal, instance=request.url.path)
        answer.headers["retry-after"] = str(refusal.seconds)
        return answer


@pages.get("/periksa")
async def ask_for_code(request: Request, kode: str = "") -> Response:
    if not kode.strip():
        return _show(request, "paper_code.html", "Periksa dokumen", typed="", refusal=None)
    code = issued.normalised(kode)
    if not code:
        words = "Kode dokumen terdiri atas 12 huruf dan angka, misalnya B7Q2-9XKD-04TM. Mohon periksa kembali kodenya."
        return _show(
            request, "paper_code.html", "Periksa dokumen", status=422, typed=kode[:100], refusal=Incomplete(words)
        )
    return RedirectResponse(f"/periksa/{issued.grouped(code)}", status_code=303)


@pages.get("/periksa/{code}")
async def show_check(request: Request, code: str) -> Response:
    return await _checked(request, code)


@pages.post("/periksa/{code}")
async def compare_file(request: Request, code: str) -> Response:
    return await _checked(request, code, is_compared=True)


async def _checked(request: Request, typed: str, *, is_compared: bool = False) -> Response:
    """Draw the answer for a code, and how the file that came with the request compares when one was asked for."""
    try:
        found = await check(request, typed)
    except Refused as refusal:
        shown = issued.normalised(typed)
        response = _show(
            request,
            "paper_code.html",
            "Periksa dokumen",
            status=refusal.status,
            typed=issued.grouped(shown) if shown else typed[:100],
            refusal=refusal,
        )
        if isinstance(refusal, TooManyChecks):
            response.headers["retry-after"] = str(refusal.seconds)
        return response
    paper = found.paper
    # Only now: who may not check shall not make the server read files either.
    seen = await _digest_sent(request) if is_compared else ""
    return _show(
        request,
        "paper_check.html",
        "Dokumen asli" if found.counts else "Dokumen tidak berlaku lagi",
        found=found,
        paper=paper,
        on=long_date(paper.on),
        withdrawn=long_moment(paper.withdrawn_at) if paper.withdrawn_at else "",
        signers=[(signer, long_moment(signer.signed_at)) for signer in paper.signers],
        is_compared=is_compared,
        seen=seen,
        is_same=seen == paper.digest,
        status=422 if is_compared and not seen else 200,
    )


def _show(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
    caller = getattr(request.state, "caller", None)
    drawn = request.app.state.frame.environment.get_template(template).render(
        form_token=caller.form_token if caller else "",
        proof_key=Keys(request.app.state.settings.keys_folder).proof_public(),
        **values,
    )
    return fragment(title, drawn, status=status)


async def _digest_sent(request: Request) -> str:
    """Return the sha256 of the file in the request's form, empty when none was chosen; raises as `_digest_of_file`."""
    kind, length = request.headers.get("content-type", ""), request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_FILE + FORM_AROUND:
        raise _too_large()
    return await _digest_of_file(kind, request.stream()) if kind.startswith("multipart/form-data") else ""


async def _digest_of_file(content_type: str, pieces: AsyncIterator[bytes]) -> str:
    """Return the sha256 of the form's field "file" as it streams past, empty when no file was chosen.

    Nothing is kept, in memory or on the disk. Raises TooLarge over 20 MB, Incomplete for a broken form.
    """
    reader = _FileField()
    try:
        parser = MultipartParser(parse_options_header(content_type)[1].get(b"boundary", b""), reader.callbacks)
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST_FILE + FORM_AROUND:
                raise _too_large()
            parser.write(piece)
        parser.finalize()
    except MultipartParseError as reason:
        raise Incomplete("Berkas tidak sampai dengan utuh. Mohon pilih dan kirim sekali lagi.") from reason
    return reader.digest


class _FileField:
    """Digests the field "file" of a form while its pieces are read; all other fields pass unread."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._name = bytearray()
        self._value = bytearray()
        self._is_file = False
        self.callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
        }

    @property
    def digest(self) -> str:
        """Return the sha256 in hex; empty when nothing was in the field."""
        return self._sha256.hexdigest() if self._size else ""

    def _begin(self) -> None:
        self._is_file = False

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            self._is_file = parse_options_header(bytes(self._value))[1].get(b"name") == b"file" and not self._size
        self._name.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._sha256.update(data[start:end])
            self._size += end - start


def _too_large() -> TooLarge:
    return TooLarge(
        Sentence(
            "Berkas ini lebih dari {largest_file} MB. Dokumen terbitan Alur jauh lebih kecil.",
            largest_file=LARGEST_FILE // 1024 // 1024,
        )
    )
