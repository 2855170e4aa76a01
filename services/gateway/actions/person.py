"""What is done with people: taken in, given a password, shut out; and the directory of all of them."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.actions import appointment, directory
from services.gateway.authority import ACTS
from services.gateway.model import Appointment, Invitation, Person, Session, Token, Unit
from services.gateway.passwords import ASVS, Profile
from shared import audit, identity
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Role
from shared.sentence import Sentence
from shared.words import local_date

PAGE = 50
CHANGING: dict[str, Any] = {"of": Person, "key_share": True}
"""A lock under which others may still refer to the person: an appointment or notice waits for nobody."""
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


class NewUnit(BaseModel):
    """A unit as a directory lists it."""

    model_config = ConfigDict(frozen=True)
    code: str = Field(min_length=1, max_length=20)
    name: str = Field(min_length=1, max_length=200)


class NewPerson(BaseModel):
    """A person as a directory lists them."""

    model_config = ConfigDict(frozen=True)
    username: str
    display_name: str
    roles: frozenset[Role]
    password: str = Field(repr=False)
    title: str = ""
    unit: str | None = None
    vendor: str | None = None


def add_person(
    session: OrmSession,
    *,
    username: str,
    display_name: str,
    roles: Collection[Role],
    password: str,
    title: str = "",
    unit: str | None = None,
    vendor: str | None = None,
    profile: Profile = ASVS,
) -> Person:
    """Take a person in and return them; of an empty title the SOP's title of each of their posts is printed.

    Raises Incomplete for a username that is malformed or taken, no role, an unknown unit or a poor password.
    """
    name = free_username(session, username)
    check_post(session, roles=roles, unit=unit)
    password_hash = passwords.hashed(password, username=name, profile=profile)
    person = Person(username=name, display_name=display_name, unit=unit, vendor=vendor, password_hash=password_hash)
    session.add(person)
    session.flush()
    held = sorted(Role(role) for role in roles)
    audit.record(session, None, "add_person", person, username=name, roles=held, unit=unit, vendor=vendor)
    appointment.grant(session, person, held, title=title, now=utc_now())
    return person


def free_username(session: OrmSession, username: str) -> str:
    """Return a username as it is kept; raise Incomplete for one that is malformed or taken."""
    name = username.strip().lower()
    if not USERNAME.fullmatch(name):
        raise _wrong(
            "/username", "Nama pengguna berisi 2-40 huruf kecil, angka, titik, garis bawah, atau tanda hubung."
        )
    if session.scalar(select(Person.id).where(Person.username == name)):
        raise _wrong("/username", Sentence("Nama pengguna “{name}” sudah dipakai. Pilih nama lain.", name=name))
    return name


def check_post(session: OrmSession, *, roles: Collection[Role], unit: str | None) -> None:
    """Raise Incomplete for no role or an unknown unit."""
    if not roles:
        raise _wrong("/roles", "Seseorang harus memegang paling sedikit satu peran.")
    if unit and session.get(Unit, unit) is None:
        raise _wrong("/unit", Sentence("Unit “{unit}” tidak dikenal. Daftarkan unitnya lebih dahulu.", unit=unit))


def set_password(session: OrmSession, *, username: str, password: str, profile: Profile = ASVS) -> Person:
    """Give a person a new password and end their sessions and tokens; raise NotFound or Incomplete."""
    person = _find(session, username)
    give_password(session, person, passwords.hashed(password, username=person.username, profile=profile), now=utc_now())
    audit.record(session, None, "set_password", person)
    return person


def shut_out(session: OrmSession, *, username: str) -> Person:
    """Close a person's account: no sign-in, no session, no token any more; raise NotFound."""
    person = _find(session, username)
    audit.record(session, None, "shut_out", person)
    _close(session, person, None, utc_now())
    return person


def close_account(session: OrmSession, by: identity.Person, person_id: UUID, *, reason: str, now: datetime) -> Person:
    """Close somebody's account, with a reason for the audit chain; refused for one's own.

    Raises NotFound, or OutOfTurn for one that is closed already.
    """
    person = find_person(session, person_id)
    by = authorize(session, by, ACTS.close_account, person, reason=reason.strip())
    if not person.is_active:
        raise OutOfTurn("Akun ini sudah ditutup.")
    _close(session, person, by, now)
    return person


def load_directory(session: OrmSession, units: Sequence[NewUnit], people: Sequence[NewPerson]) -> int:
    """Take in the units and people that are not yet known and return how many people were new.

    Whoever is known stays as they are, their password too: loading twice changes nothing.
    """
    known_units = set(session.scalars(select(Unit.code)))
    for unit in [Unit(code=unit.code, name=unit.name) for unit in units if unit.code not in known_units]:
        session.add(unit)
        audit.record(session, None, "register_unit", f"Unit:{unit.code}", name=unit.name)
        directory.tell_unit(session, unit)
    known = set(session.scalars(select(Person.username)))
    new = [person for person in people if person.username.strip().lower() not in known]
    for person in new:
        add_person(session, **dict(person))
    return len(new)


def _find(session: OrmSession, username: str) -> Person:
    person = session.scalar(
        select(Person).where(Person.username == username.strip().lower()).with_for_update(key_share=True)
    )
    if person is None:
        raise NotFound(Sentence("Nama pengguna “{username}” tidak dikenal.", username=username))
    return person


def find_person(session: OrmSession, person_id: UUID) -> Person:
    """Return a person with their row locked; raise NotFound."""
    person = session.get(Person, person_id, with_for_update=CHANGING, populate_existing=True)
    if person is None:
        raise NotFound("Orang itu tidak ada dalam daftar. Buka kembali daftar orang.")
    return person


def people(
    session: OrmSession,
    *,
    q: str = "",
    is_active: bool | None = None,
    role: Role | None = None,
    unit: str = "",
    after: str = "",
    limit: int = PAGE,
) -> list[Person]:
    """Return people by username after one, at most `limit`; `q` is a part of a name or username."""
    rows = select(Person).where(Person.username > after)
    if q:
        part = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = rows.where(Person.username.ilike(f"%{part}%") | Person.display_name.ilike(f"%{part}%"))
    if is_active is not None:
        rows = rows.where(Person.is_active == is_active)
    if role:
        today = local_date(utc_now())
        held = exists().where(
            Appointment.person_id == Person.id,
            Appointment.role == role.value,
            Appointment.from_on <= today,
            Appointment.ended_at.is_(None),
            Appointment.until_on.is_(None) | (Appointment.until_on >= today),
        )
        rows = rows.where(held)
    if unit:
        rows = rows.where(Person.unit == unit)
    return list(session.scalars(rows.order_by(Person.username).limit(limit)))


def give_password(session: OrmSession, person: Person, password_hash: str, *, now: datetime) -> None:
    """Put a new password's hash in place and end every session, token and open link of the person."""
    person.password_hash, person.password_set_at = password_hash, now
    end_all(session, person, now)


def end_all(session: OrmSession, person: Person, now: datetime) -> None:
    """End every session, token and open link of a person."""
    session.execute(
        update(Session).where(Session.person_id == person.id, Session.ended_at.is_(None)).values(ended_at=now)
    )
    session.execute(
        update(Token).where(Token.person_id == person.id, Token.revoked_at.is_(None)).values(revoked_at=now)
    )
    session.execute(
        update(Invitation)
        .where(Invitation.person_id == person.id, Invitation.used_at.is_(None), Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def _close(session: OrmSession, person: Person, by: identity.Person | None, now: datetime) -> None:
    person.is_active = False
    end_all(session, person, now)
    directory.tell_person(session, person.id, by)


def _wrong(pointer: str, words: str) -> Incomplete:
    return Incomplete(words, errors=[FieldError(pointer, words)])
