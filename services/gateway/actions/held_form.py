"""Forms kept for whoever sent them: until they have signed in again, or proved anew that it is them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway.actions.sign_in import digest
from services.gateway.model import HeldForm, PendingSignIn, Person, Session
from services.gateway.sealed import Seal
from shared import identity
from shared.errors import NotFound

KEPT_FOR = timedelta(hours=1)
MOST_KEPT = 20
"""Forms kept for one person at once."""
LONGEST_PATH = 2000

Purpose = Literal["restore", "step_up"]


@dataclass(frozen=True)
class Typed:
    """What a form held: its fields, urlencoded; and whether files were left out."""

    body: bytes
    lost_files: bool = False


@dataclass(frozen=True)
class Held:
    """A kept form as it is sent on."""

    id: UUID
    purpose: str
    path: str
    body: bytes
    lost_files: bool
    label: str
    consequence: str


def owner_of_ended(session: OrmSession, token: str, form_token: str) -> UUID | None:
    """Return whose session this was, if it really was one and the form came from it; None otherwise."""
    found = session.get(Session, digest(token))
    if found is None or not form_token or found.form_token != form_token or not found.person.is_active:
        return None
    return found.person_id


def is_from_earlier_session(session: OrmSession, person_id: UUID, form_token: str) -> bool:
    """Tell whether a form came from an earlier session of this person, and not from somebody else."""
    found = select(Session.id).where(Session.person_id == person_id, Session.form_token == form_token)
    return bool(form_token) and session.scalar(found.limit(1)) is not None


def hold(
    session: OrmSession,
    seal: Seal,
    *,
    person_id: UUID,
    purpose: Purpose,
    path: str,
    typed: Typed,
    now: datetime,
    label: str = "",
    consequence: str = "",
) -> UUID | None:
    """Keep a form for its sender for an hour and return its id; None when too many are kept or the path is too long."""
    # Two forms at once wait for each other here, so that neither passes the limit.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    live = select(func.count()).where(HeldForm.person_id == person_id, HeldForm.expires_at > now)
    if len(path) > LONGEST_PATH or (session.scalar(live) or 0) >= MOST_KEPT:
        return None
    kept = HeldForm(
        person_id=person_id,
        purpose=purpose,
        path=path,
        body=seal.close(typed.body, of=str(person_id)),
        lost_files=typed.lost_files,
        label=label[:300],
        consequence=consequence[:2000],
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(kept)
    session.flush()
    return kept.id


def find(session: OrmSession, seal: Seal, by: identity.Person, held_id: UUID, *, now: datetime) -> Held:
    """Return a kept form of the person's own that was not yet sent on; raise NotFound for any other."""
    kept = session.get(HeldForm, held_id)
    if kept is None or kept.person_id != by.id or kept.taken_at or kept.expires_at <= now:
        raise NotFound("Isian ini sudah dikirim, sudah lebih dari satu jam, atau bukan milik akun ini.")
    body = seal.open(kept.body, of=str(kept.person_id))
    return Held(kept.id, kept.purpose, kept.path, body, kept.lost_files, kept.label, kept.consequence)


def take(session: OrmSession, held_id: UUID, *, now: datetime) -> None:
    """Mark a kept form as sent on; raise NotFound when somebody else was faster."""
    mine = update(HeldForm).where(HeldForm.id == held_id, HeldForm.taken_at.is_(None)).values(taken_at=now)
    if session.execute(mine.returning(HeldForm.id)).first() is None:
        raise NotFound("Isian ini sudah dikirim. Buka halamannya untuk melihat hasilnya.")


def put_back(session: OrmSession, held_id: UUID) -> None:
    """Let a form be sent on once more: the division was silent and nothing was done."""
    session.execute(update(HeldForm).where(HeldForm.id == held_id).values(taken_at=None))


def prune(session: OrmSession, *, now: datetime) -> int:
    """Throw away what is over: kept forms, and sign-ins that never got their code. Returns how many rows went."""
    over = (
        delete(HeldForm).where(HeldForm.expires_at <= now).returning(HeldForm.id),
        delete(PendingSignIn).where(PendingSignIn.expires_at <= now).returning(PendingSignIn.id),
    )
    return sum(len(session.execute(one).all()) for one in over)
