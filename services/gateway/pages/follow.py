"""Following a proposal without an account, by its number and the code on its receipt."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ValidationError

from services.gateway.asker import doors_of
from services.gateway.pages.show import show
from shared.errors import NotFound, Refused, TooMany, Unavailable
from shared.language import long_date
from shared.log import logger
from shared.sentence import Sentence

router = APIRouter(include_in_schema=False)
LONGEST = 60
UNKNOWN = (
    "Nomor perkara atau kode pantau tidak dikenal. Periksa keduanya pada tanda terima usulan. Bila memang demikian "
    "tertulis di sana, mohon hubungi unit pengusul."
)


class Turn(BaseModel):
    """One turn in plain words."""

    at: AwareDatetime
    words: str


class Followed(BaseModel):
    """How far a case is, as the application division tells it to who holds the receipt."""

    number: str
    label: str
    last: str
    now: str
    waits_for: str
    turns: list[Turn]


class TooManyLooks(TooMany):
    """One address asked too often within a minute; `seconds` says when to go on."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Sentence(
                "Terlalu banyak permintaan dari jaringan ini. Mohon tunggu {seconds} detik, lalu coba lagi.",
                seconds=seconds,
            )
        )
        self.seconds = seconds


@router.get("/ikuti")
async def follow(request: Request, nomor: str = "", kode: str = "") -> Response:
    if not nomor.strip() and not kode.strip():
        return _page(request, number="", code="")
    try:
        found = await _followed(request, nomor.strip()[:LONGEST], kode.strip()[:LONGEST])
    except Refused as refusal:
        response = _page(request, number=nomor[:LONGEST], code=kode[:LONGEST], refusal=refusal)
        if isinstance(refusal, TooMany):
            response.headers["retry-after"] = str(refusal.seconds)
        return response
    return _page(request, number=found.number, code=kode[:LONGEST], found=found)


async def _followed(request: Request, number: str, code: str) -> Followed:
    try:
        # One count for whatever is tried without an account: codes of papers and of receipts.
        request.app.state.paper_checks.claim(request.state.address)
    except TooMany as refusal:
        raise TooManyLooks(refusal.seconds) from None
    doors = doors_of(request)
    part = doors.parts.get("proposal")
    target = f"/inner/follow/{quote(number or '-', safe='')}/{quote(code or '-', safe='')}"
    answered = await doors.ask(part, target) if part else None
    if answered is not None and answered.status in (404, 422):
        raise NotFound(UNKNOWN, code="unknown_follow_code")
    if answered is not None and answered.status == 200:
        try:
            return Followed.model_validate_json(answered.body)
        except ValidationError as reason:
            logger().error("follow_not_understood", reason=str(reason))
    raise Unavailable("Divisi Aplikasi sedang tidak menjawab. Mohon coba lagi beberapa menit lagi.", code="part_silent")


def _page(
    request: Request, *, number: str, code: str, found: Followed | None = None, refusal: Refused | None = None
) -> Response:
    return show(
        request,
        "follow.html",
        "Pantau usulan",
        status=refusal.status if refusal else 200,
        number=number,
        code=code,
        found=found,
        refusal=refusal,
        turns=[(turn.words, long_date(turn.at)) for turn in reversed(found.turns)] if found else [],
    )
