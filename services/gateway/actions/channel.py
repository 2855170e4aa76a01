"""How a person is reached outside: an address counts after they typed the code that was sent there; quiet hours."""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.gateway.actions import seal
from services.gateway.actions.notice import post_sealed, settings_of
from services.gateway.model import Channel, NoticeSetting
from services.gateway.model.notice import AT_ONCE, MAIL, TELEGRAM
from shared import audit
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn, TooMany
from shared.identity import Person
from shared.keys import Keys
from shared.sentence import Sentence

CODE_LASTS = timedelta(minutes=15)
CODE_AGAIN = timedelta(seconds=60)
CODES_WITHIN, MOST_CODES = timedelta(hours=1), 5
MOST_TRIES = 5
_MAIL = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_CHAT = re.compile(r"-?[0-9]{3,20}")
_WRONG = {
    MAIL: "Alamat surel belum benar. Tulis misalnya nama@kampus.ac.id.",
    TELEGRAM: "Nomor obrolan Telegram terdiri atas angka saja, misalnya 123456789.",
}


def channels_of(session: Session, by: Person) -> dict[str, Channel]:
    """Return what is kept of a person's channels, by kind."""
    return {one.kind: one for one in session.scalars(select(Channel).where(Channel.person_id == by.id))}


def send_code(session: Session, by: Person, keys: Keys, *, kind: str, address: str, now: datetime) -> Channel:
    """Send a code of six digits to an address that a person wants to be reached at; return the channel.

    Raises Incomplete for what is no address of that kind, TooMany for the second code within a minute and the sixth
    within an hour. Until the code is typed, the address that counted before goes on counting.
    """
    wanted = _address(kind, address)
    channel = _locked(session, by, kind, now)
    if channel.codes_since is None or now - channel.codes_since >= CODES_WITHIN:
        channel.codes_since, channel.codes_sent = now, 0
    too_soon = channel.code_sent_at is not None and now - channel.code_sent_at < CODE_AGAIN
    if too_soon or channel.codes_sent >= MOST_CODES:
        wait = Sentence("satu menit") if too_soon else Sentence("satu jam")
        raise TooMany(
            Sentence(
                "Kode baru saja dikirim. Tunggu {wait}, periksa juga kotak spam, lalu minta kode yang baru.",
                wait=wait,
            )
        )
    code = f"{secrets.randbelow(1_000_000):06d}"
    channel.pending_address = wanted
    channel.code_digest = seal.digest(keys, f"{channel.id}:{wanted}:{code}")
    channel.code_ends_at, channel.code_tries, channel.code_sent_at = now + CODE_LASTS, 0, now
    channel.codes_sent += 1
    audit.record(session, by, "send_code", channel, kind=kind)
    lines = [
        f"Kode Anda: {code}",
        "Ketik kode ini di halaman Pemberitahuan untuk menerima pemberitahuan di sini. Kode berlaku 15 menit.",
        "Bila Anda tidak memintanya, abaikan pesan ini.",
    ]
    post_sealed(
        session,
        keys,
        kind=kind,
        address=wanted,
        subject="kode pemberitahuan",
        lines=lines,
        now=now,
        channel_id=channel.id,
    )
    return channel


def verify_channel(session: Session, by: Person, keys: Keys, *, kind: str, code: str, now: datetime) -> Channel | None:
    """Let an address count when the code is right and return the channel; None when it is wrong.

    A wrong try must stay counted, so it is told by None and not refused. Raises OutOfTurn when no code is waiting:
    none was sent, it is older than 15 minutes, used, or was tried wrongly five times.
    """
    channel = _locked(session, by, kind, now)
    is_over = channel.code_ends_at is None or now >= channel.code_ends_at or channel.code_tries >= MOST_TRIES
    if not channel.code_digest or is_over:
        raise OutOfTurn("Kode sudah tidak berlaku. Minta kode yang baru, lalu ketik kode itu dalam 15 menit.")
    given = seal.digest(keys, f"{channel.id}:{channel.pending_address}:{code.strip()}")
    if not hmac.compare_digest(given, channel.code_digest):
        channel.code_tries += 1
        return None
    channel.address, channel.verified_at = channel.pending_address, now
    channel.trouble, channel.trouble_at = "", None
    _forget_code(channel)
    audit.record(session, by, "verify_channel", channel, kind=kind)
    session.flush()
    return channel


def choose_pace(session: Session, by: Person, *, kind: str, pace: str, now: datetime) -> Channel:
    """Choose when a channel is used: at once, once a day or not at all; raise OutOfTurn without a verified address."""
    channel = _locked(session, by, kind, now)
    if not channel.address:
        raise OutOfTurn("Saluran ini belum mempunyai alamat yang dipastikan. Kirim kode dahulu.")
    channel.pace = pace
    audit.record(session, by, "choose_pace", channel, kind=kind, pace=pace)
    session.flush()
    return channel


def remove_channel(session: Session, by: Person, *, kind: str, now: datetime) -> None:
    """Forget an address; what has not left for it never will."""
    channel = _locked(session, by, kind, now)
    channel.address, channel.verified_at, channel.pace = "", None, AT_ONCE
    channel.trouble, channel.trouble_at = "", None
    _forget_code(channel)
    audit.record(session, by, "remove_channel", channel, kind=kind)
    session.flush()


def set_hours(
    session: Session, by: Person, *, digest_hour: int, quiet_from: int, quiet_until: int, quiet_days: bool
) -> NoticeSetting:
    """Set when the digest comes and when it is quiet (hours in WIB); return the settings."""
    chosen = {
        "digest_hour": digest_hour,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "quiet_days": quiet_days,
    }
    row = insert(NoticeSetting).values(person_id=by.id, **chosen)
    session.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=chosen))
    kept = settings_of(session, by.id)
    session.refresh(kept)
    audit.record(session, by, "set_hours", f"NoticeSetting:{by.id}", **chosen)
    return kept


def _address(kind: str, text: str) -> str:
    wanted = text.strip()
    if kind == MAIL:
        is_right = bool(_MAIL.fullmatch(wanted)) and len(wanted) <= 320 and wanted.isascii()
    elif kind == TELEGRAM:
        is_right = bool(_CHAT.fullmatch(wanted))
    else:
        wanted = re.sub(r"[\s.()-]", "", wanted)
        wanted = "+62" + wanted[1:] if wanted.startswith("0") else wanted
        wanted = wanted if wanted.startswith("+") else f"+{wanted}"
        is_right = bool(_PHONE.fullmatch(wanted))
    if not is_right:
        words = _WRONG.get(kind, "Nomor WhatsApp belum benar. Tulis misalnya 081234567890 atau +6281234567890.")
        raise Incomplete(words, errors=[FieldError("/address", words)])
    return wanted


def _locked(session: Session, by: Person, kind: str, now: datetime) -> Channel:
    row = insert(Channel).values(
        id=uuid4(), created_at=now, person_id=by.id, kind=kind, address="", pace=AT_ONCE, pending_address="",
        code_digest="", code_tries=0, codes_sent=0, trouble="",
    )  # fmt: skip
    session.execute(row.on_conflict_do_nothing(index_elements=["person_id", "kind"]))
    asked = select(Channel).where(Channel.person_id == by.id, Channel.kind == kind)
    found = session.scalar(asked.with_for_update())
    if found is None:
        raise NotFound("Saluran itu tidak ada.")
    return found


def _forget_code(channel: Channel) -> None:
    channel.pending_address, channel.code_digest, channel.code_ends_at, channel.code_tries = "", "", None, 0
