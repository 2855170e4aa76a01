"""What both doors of notices do alike: places in the list, codes sent and typed, how a person is told outside."""

from typing import cast, get_args

from fastapi import Request
from sqlalchemy.orm import Session

from services.gateway.actions import channel as channels
from services.gateway.actions import delivery as deliveries
from services.gateway.actions import notice as notices
from services.gateway.model import Notice
from services.gateway.schemas.notice import AttemptView, ChannelView, NoticeSettingsView, Way
from services.gateway.settings import Settings
from shared.database import Database, utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.keys import Keys
from shared.web import mark, place

MOST_ATTEMPTS = 20
WRONG_CODE = "Kode belum cocok. Periksa keenam angkanya, atau minta kode yang baru."


def notice_mark(rows: list[Notice], limit: int) -> str | None:
    """Return the place after the last notice: unread ones come first, so the place says which it was."""
    after = mark(rows, limit)
    return f"{int(rows[-1].is_open)}{after}" if after else None


def notice_place(after: str | None) -> notices.Place | None:
    """Read that place back; raise Incomplete for anything else."""
    if not after:
        return None
    found = place(after[1:])
    if after[0] not in "01" or found is None:
        raise Incomplete("Tanda lanjut daftar tidak dikenal. Buka daftar dari awal.")
    return after[0] == "1", *found


def ask_for_code(request: Request, session: Session, by: Person, kind: Way, address: str) -> None:
    """Send a code; raise OutOfTurn for a way out that the centre has not opened, else as the action."""
    settings: Settings = request.app.state.settings
    if kind not in settings.open_channels:
        raise OutOfTurn("Saluran ini belum dibuka oleh PUSTIPD. Pemberitahuan tetap tampil di sini.")
    keys: Keys = request.app.state.keys
    channels.send_code(session, by, keys, kind=kind, address=address, now=utc_now())


def type_code(request: Request, by: Person, kind: Way, code: str) -> None:
    """Verify an address in a transaction of its own, for a wrong try must stay counted; raise Incomplete then."""
    database: Database = request.app.state.database
    with database.transaction() as own:
        verified = channels.verify_channel(own, by, request.app.state.keys, kind=kind, code=code, now=utc_now())
    if verified is None:
        raise Incomplete(WRONG_CODE, errors=[FieldError("/code", WRONG_CODE)])


def settings_view(request: Request, session: Session, by: Person) -> NoticeSettingsView:
    """Return how a person is told outside, and the newest attempts to do so."""
    settings: Settings = request.app.state.settings
    now, kept = utc_now(), channels.channels_of(session, by)
    ways = cast(tuple[Way, ...], get_args(Way))
    tried = deliveries.attempts(session, [one.id for one in kept.values()], limit=MOST_ATTEMPTS) if kept else []
    return NoticeSettingsView(
        hours=NoticeSettingsView.hours_of(notices.settings_of(session, by.id)),
        channels=[
            ChannelView.of(way, kept.get(way), is_available=way in settings.open_channels, now=now) for way in ways
        ],
        attempts=[AttemptView.of(attempt, state) for attempt, state in tried],
    )
