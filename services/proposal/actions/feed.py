"""The secret address under which a calendar reads the meetings: made, shown once, taken back."""

import hashlib
import secrets

from sqlalchemy.orm import Session

from services.proposal.authority import ACTS
from services.proposal.model import CalendarKey
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import OutOfTurn
from shared.identity import Person


def make_calendar(session: Session, by: Person) -> str:
    """Return a new key for this person's calendar address; the one they had is dead from now on."""
    by = authorize(session, by, ACTS.make_calendar, f"Person:{by.id}")
    key = secrets.token_urlsafe(32)
    kept = session.get(CalendarKey, by.id, with_for_update=True) or CalendarKey(person_id=by.id)
    kept.digest, kept.made_at = hashlib.sha256(key.encode()).hexdigest(), utc_now()
    session.add(kept)
    session.flush()
    return key


def revoke_calendar(session: Session, by: Person) -> None:
    """Take the calendar address of this person back; raise OutOfTurn when there is none."""
    by = authorize(session, by, ACTS.revoke_calendar, f"Person:{by.id}")
    kept = session.get(CalendarKey, by.id, with_for_update=True)
    if kept is None:
        raise OutOfTurn("Anda belum mempunyai alamat kalender, atau sudah mencabutnya.")
    session.delete(kept)
    session.flush()
