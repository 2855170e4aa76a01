"""One's own sessions: where one is signed in, and how to end what is not wanted."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway.actions.sign_in import ABSOLUTE, IDLE
from services.gateway.model import Session
from shared import audit, identity
from shared.errors import NotFound

BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"), ("python", "Program Python"),
)  # fmt: skip
"""By the sign in the user agent, the more special first: every browser says that it is Safari too."""
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def device(agent: str) -> str:
    """Say in a few words what a browser calls itself, e.g. "Firefox di Windows"."""
    browser = next((words for sign, words in BROWSERS if sign.lower() in agent.lower()), "")
    system = next((words for sign, words in SYSTEMS if sign in agent), "")
    return " di ".join(part for part in (browser, system) if part) or "Perangkat tidak dikenal"


def sessions_of(session: OrmSession, by: identity.Person, *, now: datetime) -> list[Session]:
    """Return the person's sessions that still open the door, the one seen last first (at most 100)."""
    live = select(Session).where(
        Session.person_id == by.id,
        Session.ended_at.is_(None),
        Session.seen_at > now - IDLE,
        Session.created_at > now - ABSOLUTE,
    )
    return list(session.scalars(live.order_by(Session.seen_at.desc(), Session.id).limit(100)))


def end_own(session: OrmSession, by: identity.Person, session_id: str, *, now: datetime) -> None:
    """End one of the person's own sessions; raise NotFound for any other."""
    mine = update(Session).where(Session.id == session_id, Session.person_id == by.id, Session.ended_at.is_(None))
    if session.execute(mine.values(ended_at=now).returning(Session.id)).first() is None:
        raise NotFound("Sesi ini tidak ditemukan atau sudah berakhir.")
    audit.record(session, by, "end_session", "Session")


def end_every(session: OrmSession, by: identity.Person, *, now: datetime) -> int:
    """End all of the person's sessions, this one too; return how many were open. Tokens stay."""
    mine = update(Session).where(Session.person_id == by.id, Session.ended_at.is_(None))
    ended = len(session.execute(mine.values(ended_at=now).returning(Session.id)).all())
    audit.record(session, by, "end_every_session", f"Person:{by.id}", sessions=ended)
    return ended
