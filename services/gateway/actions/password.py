"""Changing one's own password: the old one is asked for with the same patience as at the door."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.actions import person as people
from services.gateway.actions import sign_in
from services.gateway.actions.sign_in import SignedIn, WaitBeforeTrying
from services.gateway.model import Person, Session
from services.gateway.passwords import ASVS, Profile
from shared import audit
from shared.database import Database
from shared.errors import FieldError, Incomplete
from shared.identity import Caller
from shared.words import local_date

SAME = "Kata sandi baru harus berbeda dari yang sekarang."


class WrongPassword(Incomplete):
    """The password that is in force now was not typed right."""

    code = "wrong_password"


def change_password(
    database: Database,
    *,
    username: str,
    old_password: str,
    password: str,
    address: str,
    now: datetime,
    profile: Profile = ASVS,
    token: str = "",
) -> SignedIn | None:
    """Change a person's password; every session and personal token of theirs ends.

    `token` is of the session in which it is done: that one goes on under a new token, which is returned. Without one
    (an overdue password at the door) nobody is signed in and None is returned.

    Raises WrongPassword, WaitBeforeTrying without looking at the old password, and Incomplete for a poor new one.
    """
    person_id, name = _prove(database, username, old_password, address, now)
    if old_password == password:
        raise Incomplete(SAME, errors=[FieldError("/password", SAME)])
    password_hash = passwords.hashed(password, username=name, profile=profile)
    with database.transaction() as session:
        person = people.find_person(session, person_id)
        kept = session.get(Session, sign_in.digest(token)) if token else None
        goes_on = kept is not None and kept.ended_at is None and kept.person_id == person.id
        people.give_password(session, person, password_hash, now=now)
        audit.record(session, person.as_signed(local_date(now)), "change_password", person, address=address)
        return _renewed(session, person, kept, now) if kept is not None and goes_on else None


def _prove(database: Database, username: str, password: str, address: str, now: datetime) -> tuple[UUID, str]:
    """Return whose password it is and their username; counted and refused as at signing in."""
    name = username.strip().lower()
    with database.transaction() as session:
        person = session.scalar(select(Person).where(Person.username == name, Person.is_active))
        counted = sign_in.counted_for(session, name, address, person, now)
        wait = sign_in.claim(session, counted, now)
    if wait:
        raise WaitBeforeTrying(wait)
    is_right = passwords.fits(password, person.password_hash if person else None)
    with database.transaction() as session:
        if person is not None and is_right:
            sign_in.forgive(session, counted, now)
            return person.id, name
        thing = f"Person:{person.id}" if person else "Person:unknown"
        audit.record(session, None, "refuse_change_of_password", thing, address=address)
    words = "Kata sandi sekarang tidak cocok. Periksa, lalu coba lagi; bila lupa, hubungi admin sistem."
    raise WrongPassword(words, errors=[FieldError("/old_password", words)])


def _renewed(session: OrmSession, person: Person, kept: Session, now: datetime) -> SignedIn:
    """Open a session that goes on where another one ended; its time does not begin anew."""
    signed_in = sign_in.open_session(session, person, kept.address, now)
    session.flush()
    renewed = session.get_one(Session, sign_in.digest(signed_in.token))
    # The old password alone is no proof for somebody with a second factor: the last proof goes on, too.
    renewed.created_at, renewed.proved_at, renewed.agent = kept.created_at, kept.proved_at, kept.agent
    caller = Caller(person=person.as_signed(local_date(now)), form_token=renewed.form_token)
    return SignedIn(signed_in.token, caller, kept.created_at + sign_in.ABSOLUTE)
