"""The applications in use, for which tickets may be opened."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.helpdesk.model import LiveApplication

_LIVE = LiveApplication.__table__.c
IN_USE = (
    select(_LIVE.code, _LIVE.name, _LIVE.is_suspended).where(_LIVE.retired_at.is_(None)).order_by(_LIVE.name).limit(500)
)
"""Built once: it stands beside every list of tickets, and building it costs twice as much as asking it."""


def applications(session: Session) -> dict[str, str]:
    """Return what the applications in use are called by their codes, by name; suspended ones say so."""
    rows = session.execute(IN_USE)
    return {code: name + (" (dihentikan sementara)" if is_suspended else "") for code, name, is_suspended in rows}
