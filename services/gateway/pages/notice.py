"""The pages of notices: the list, and how a person is told outside."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

from fastapi import Request, Response

from services.gateway import reach
from services.gateway.actions import channel as channels
from services.gateway.actions import notice as notices
from services.gateway.schemas.notice import PACES, Address, ChannelView, ChosenPace, Code, Hours, Way
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person, Role
from shared.pages import Nothing, Offer, Pages
from shared.web import Asker, Session

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
LIST, SETTINGS = "/pemberitahuan", "/saya/pemberitahuan"
ROWS = 30
KINDS = {
    "waiting": ("Menunggu", "wait"),
    "reminder": ("Pengingat", "wait"),
    "escalation": ("Keterlambatan", "bad"),
    "news": ("Kabar", "quiet"),
    "urgent": ("Mendesak", "bad"),
}
STATES = {
    "sent": ("Terkirim", "good"),
    "due": ("Dicoba lagi", "wait"),
    "failed": ("Gagal", "bad"),
    "cancelled": ("Dibatalkan", "quiet"),
}
ANYBODY = frozenset(Role)
READ = Act("read_notice", "Tandai dibaca", ANYBODY)
READ_ALL = Act("read_all_notices", "Tandai semua dibaca", ANYBODY)
SET_HOURS = Act("set_hours", "Simpan jam", ANYBODY)
SEND_CODE = Act("send_code", "Kirim kode", ANYBODY)
VERIFY = Act("verify_channel", "Pastikan alamat", ANYBODY)
PACE = Act("choose_pace", "Simpan", ANYBODY)
REMOVE = Act("remove_channel", "Hapus alamat", ANYBODY, danger=True)
"""One's own notices and addresses: no table, for nobody else has anything to do with them."""
WHERE = {
    "mail": ("Alamat surel", "Misalnya nama@kampus.ac.id."),
    "whatsapp": ("Nomor WhatsApp", "Misalnya 081234567890."),
    "telegram": (
        "Nomor obrolan Telegram",
        "Kirim dahulu pesan /start kepada bot Telegram PUSTIPD, lalu tulis nomor obrolan (chat id) Anda.",
    ),
}


@router.get(LIST)
def list_notices(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    return _list(request, session, by, after=after)


def _list(request: Request, session: Session, by: Person, _id: object = None, *, after: str | None = None) -> Response:
    rows = notices.notices(session, by.id, limit=ROWS, after=reach.notice_place(after))
    troubled = [one for one in channels.channels_of(session, by).values() if one.trouble]
    return pages.render(
        request,
        "notices.html",
        "Pemberitahuan",
        rows=[(row, pages.offers(request, [READ], id=row.id) if row.is_open else []) for row in rows],
        read_all=pages.offers(request, [READ_ALL]) if rows and rows[0].is_open else [],
        kinds=KINDS,
        next_place=reach.notice_mark(rows, ROWS),
        is_first=not after,
        has_trouble=bool(troubled),
    )


@router.get(SETTINGS)
def notice_settings(request: Request, session: Session, by: Asker) -> Response:
    return _settings(request, session, by)


def _settings(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    told = reach.settings_view(request, session, by)
    return pages.render(
        request,
        "notices_settings.html",
        "Cara menerima pemberitahuan",
        ways=[(one, _offers(request, one)) for one in told.channels if one.is_available or one.is_verified],
        hours=_filled(pages.offers(request, [SET_HOURS]), told.hours.model_dump()),
        attempts=told.attempts,
        paces=PACES,
        states=STATES,
    )


def _offers(request: Request, one: ChannelView) -> dict[str, Offer]:
    acts = [SEND_CODE] if one.is_available else []
    acts += [VERIFY] if one.is_code_waiting else []
    acts += [PACE, REMOVE] if one.is_verified else []
    label, words = WHERE[one.kind]
    found = {}
    for offer in pages.offers(request, acts, id=one.kind):
        if offer.act is SEND_CODE:
            offer = replace(offer, inputs=[replace(field, label=label, help=words) for field in offer.inputs])
        found[offer.act.name] = _filled([offer], {"pace": one.pace})[0]
    return found


def _filled(offers: list[Offer], values: dict[str, Any]) -> list[Offer]:
    """Return the forms with what was chosen before; a refused one keeps what was typed."""
    return [
        replace(one, inputs=[replace(field, default=values.get(field.name, field.default)) for field in one.inputs])
        for one in offers
    ]


def _way(kind: Any) -> Way:
    if kind not in get_args(Way):
        raise NotFound("Saluran itu tidak ada.")
    return cast(Way, kind)


def _read(session: Session, by: Person, notice_id: Any, body: Nothing, request: Request) -> str:
    notices.read_notice(session, by, notice_id, now=utc_now())
    return LIST


def _read_all(session: Session, by: Person, _id: None, body: Nothing, request: Request) -> str:
    notices.read_all_notices(session, by, now=utc_now())
    return LIST


def _hours(session: Session, by: Person, _id: None, body: Hours, request: Request) -> str:
    channels.set_hours(session, by, **body.model_dump())
    return SETTINGS


def _send_code(session: Session, by: Person, kind: Any, body: Address, request: Request) -> str:
    reach.ask_for_code(request, session, by, _way(kind), body.address)
    return SETTINGS


def _verify(session: Session, by: Person, kind: Any, body: Code, request: Request) -> str:
    reach.type_code(request, by, _way(kind), body.code)
    return SETTINGS


def _pace(session: Session, by: Person, kind: Any, body: ChosenPace, request: Request) -> str:
    channels.choose_pace(session, by, kind=_way(kind), pace=body.pace, now=utc_now())
    return SETTINGS


def _remove(session: Session, by: Person, kind: Any, body: Nothing, request: Request) -> str:
    channels.remove_channel(session, by, kind=_way(kind), now=utc_now())
    return SETTINGS


pages.act(READ, f"{LIST}/{{id}}/pembacaan", Nothing, _read, back=_list)
pages.act(READ_ALL, f"{LIST}/pembacaan", Nothing, _read_all, back=_list)
pages.act(SET_HOURS, f"{SETTINGS}/jam", Hours, _hours, back=_settings)
pages.act(SEND_CODE, f"{SETTINGS}/{{id}}", Address, _send_code, back=_settings)
pages.act(VERIFY, f"{SETTINGS}/{{id}}/kode", Code, _verify, back=_settings)
pages.act(PACE, f"{SETTINGS}/{{id}}/waktu", ChosenPace, _pace, back=_settings)
pages.act(REMOVE, f"{SETTINGS}/{{id}}/penghapusan", Nothing, _remove, back=_settings)
