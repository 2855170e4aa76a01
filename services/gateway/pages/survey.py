"""Answering a satisfaction survey without an account, by the link or QR code that its unit hands out."""

import re
import secrets
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from services.gateway.asker import doors_of
from services.gateway.door.doors import Answered
from services.gateway.pages.show import show
from services.gateway.rate_limit import RateLimit, TooFast, place_of
from services.gateway.settings import Settings
from shared.errors import NotFound, OutOfTurn, Refused, TooMany, Unavailable
from shared.language import long_date
from shared.log import logger
from shared.pages import Input, read_form
from shared.sentence import Sentence

router = APIRouter(include_in_schema=False)
LONGEST = 60
FROM_ONE_PLACE = 30
"""Answers within a minute from one address: a class behind the campus network answers at once, a program does not."""
BY_ONE_LINK = 120
"""Answers within a minute by one link, from wherever."""
MARK = re.compile(r"[\w-]{32}", re.ASCII)
KEPT_FOR = 400 * 24 * 3600
UNKNOWN = "Tautan survei ini tidak dikenal. Pindai kembali kodenya, atau mintalah tautannya kepada yang membagikan."
INNER = ("form_token", "idempotency_key")


class Asked(BaseModel):
    """One question as the application division asks it."""

    name: str
    label: str
    help: str
    kind: str
    is_required: bool
    choices: tuple[tuple[str, str], ...]


class PublicSurvey(BaseModel):
    """A survey as the application division tells it to anybody."""

    application: str
    from_on: date
    until_on: date
    closes_on: date
    is_open: bool
    has_answered: bool
    source: str
    questions: list[Asked]


class TooManyAnswers(TooMany):
    """Too many answers within a minute from one place or by one link; `seconds` says when to go on."""

    code = "too_many_answers"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Sentence(
                "Sedang terlalu banyak permintaan dari jaringan ini atau untuk survei ini. Isian Anda masih "
                "ada; tunggu {seconds} detik, lalu coba lagi.",
                seconds=seconds,
            )
        )
        self.seconds = seconds


class Throttles:
    """How many answers are taken within a minute."""

    def __init__(self, from_one_place: int = FROM_ONE_PLACE, by_one_link: int = BY_ONE_LINK) -> None:
        self._places, self._links = RateLimit({"anonymous": from_one_place}), RateLimit({"anonymous": by_one_link})

    def claim(self, address: str, code: str) -> None:
        """Count one answer; raise TooManyAnswers when the minute of its place or link is used up."""
        try:
            self._places.claim("anonymous", place_of(address))
            # However it is typed, it is one link.
            self._links.claim("anonymous", "".join(filter(str.isalnum, code)).upper())
        except TooFast as refusal:
            raise TooManyAnswers(refusal.seconds) from None


@router.get("/pendapat/{code}")
async def give_opinion_form(request: Request, code: str) -> Response:
    try:
        found = await _survey(request, code)
    except Refused as refusal:
        return _page(request, code, refusal=refusal)
    return _page(request, code, found)


@router.post("/pendapat/{code}")
async def give_opinion(request: Request, code: str) -> Response:
    typed: dict[str, Any] = {}
    found: PublicSurvey | None = None
    try:
        typed = read_form(_words(await request.form()))
        given = {name: value for name, value in typed.items() if name not in INNER}
        found = await _survey(request, code)
        visitor = _visitor(request)
        if not visitor:
            raise OutOfTurn(
                "Peramban ini belum menyimpan tanda kunjungan (cookie), yang dipakai agar satu peramban menjawab satu "
                "kali. Izinkan cookie untuk situs ini, lalu kirim lagi."
            )
        request.app.state.survey_answers.claim(request.state.address, code)
        answered = await _ask(request, f"{_target(code)}/answers", posted={**given, "visitor": visitor})
        if answered.status >= 400:
            return _page(request, code, found, typed=typed, told=answered)
        found = _read(answered)
    except Refused as refusal:
        return _page(request, code, found, typed=typed, refusal=refusal)
    return _page(request, code, found)


def _visitor(request: Request) -> str:
    """Return the mark of the browser; empty for one that has none of ours."""
    given: str = request.state.visitor
    return given if MARK.fullmatch(given) else ""


def _words(form: FormData) -> FormData:
    """Return the form without files, which nothing here asks for."""
    return FormData([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def _target(code: str) -> str:
    return f"/inner/surveys/{quote(code.strip()[:LONGEST] or '-', safe='')}"


async def _survey(request: Request, code: str) -> PublicSurvey:
    """Return what is asked; raise NotFound for an unknown link, and TooMany for whoever tries many of them."""
    answered = await _ask(request, f"{_target(code)}?visitor={_visitor(request)}")
    if answered.status in (404, 422):
        # One count for whatever is tried without an account: codes of papers, receipts and surveys.
        try:
            request.app.state.paper_checks.claim(request.state.address)
        except TooMany as refusal:
            raise TooManyAnswers(refusal.seconds) from None
        raise NotFound(UNKNOWN, code="unknown_survey")
    return _read(answered)


async def _ask(request: Request, target: str, *, posted: Any = None) -> Answered:
    doors = doors_of(request)
    part = doors.parts.get("proposal")
    answered = await doors.ask(part, target, posted=posted) if part else None
    if answered is None or answered.status >= 500:
        raise Unavailable(
            "Divisi Aplikasi sedang tidak menjawab. Isian Anda masih ada; mohon kirim lagi beberapa menit lagi.",
            code="part_silent",
        )
    return answered


def _read(answered: Answered) -> PublicSurvey:
    try:
        return PublicSurvey.model_validate_json(answered.body)
    except ValidationError as reason:
        logger().error("survey_not_understood", reason=str(reason))
        raise Unavailable("Survei ini sedang tidak dapat dibuka. Mohon coba lagi nanti.") from reason


def _page(
    request: Request,
    code: str,
    found: PublicSurvey | None = None,
    *,
    typed: dict[str, Any] | None = None,
    refusal: Refused | None = None,
    told: Answered | None = None,
) -> Response:
    said = told.json() if told else {}
    response = show(
        request,
        "survey.html",
        Sentence("Survei kepuasan {application}", application=found.application) if found else "Survei kepuasan",
        status=refusal.status if refusal else told.status if told else 200,
        code=code[:LONGEST],
        found=found,
        period=(long_date(found.from_on), long_date(found.until_on), long_date(found.closes_on)) if found else (),
        fields=[
            Input(one.name, one.label, one.help, one.kind, one.is_required, "", one.choices) for one in found.questions
        ]
        if found
        else [],
        typed=typed or {},
        problem=refusal.title if refusal else said.get("title", ""),
        detail=refusal.detail if refusal else said.get("detail", ""),
        is_silent=refusal is not None and refusal.status == 503,
        errors={error["pointer"].strip("/"): error["detail"] for error in said.get("errors", [])},
    )
    if isinstance(refusal, TooMany):
        response.headers["retry-after"] = str(refusal.seconds)
    if not _visitor(request):
        _mark(request, response)
    return response


def _mark(request: Request, response: Response) -> None:
    """Give the browser a mark by which it answers each survey once; it says nothing of who sits before it."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        settings.visitor_cookie_name,
        secrets.token_urlsafe(24),
        path="/",
        max_age=KEPT_FOR,
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )
