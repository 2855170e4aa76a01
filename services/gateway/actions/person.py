"""What is done with people: taken in, given a password, shut out. Called by the command line and the demo campus."""

import re
from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.model import Person, Session, Token, Unit
from shared import audit
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound
from shared.identity import Role
from shared.procedure import procedure

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
) -> Person:
    """Take a person in and return them; an empty title becomes the SOP's title of one of their roles.

    Raises Incomplete for a username that is malformed or taken, no role, an unknown unit or a poor password.
    """
    name = username.strip().lower()
    if not USERNAME.fullmatch(name):
        raise _wrong(
            "/username", "Nama pengguna berisi 2-40 huruf kecil, angka, titik, garis bawah, atau tanda hubung."
        )
    if session.scalar(select(Person.id).where(Person.username == name)):
        raise _wrong("/username", f"Nama pengguna “{name}” sudah dipakai. Pilih nama lain.")
    if not roles:
        raise _wrong("/roles", "Seseorang harus memegang paling sedikit satu peran.")
    if unit and session.get(Unit, unit) is None:
        raise _wrong("/unit", f"Unit “{unit}” tidak dikenal. Daftarkan unitnya lebih dahulu.")
    person = Person(
        username=name,
        display_name=display_name,
        roles=sorted(Role(role).value for role in roles),
        title=title or procedure().titles[min(Role(role) for role in roles)],
        unit=unit,
        vendor=vendor,
        password_hash=passwords.hashed(password, username=name),
    )
    session.add(person)
    session.flush()
    audit.record(session, None, "add_person", person, username=name, roles=person.roles, unit=unit, vendor=vendor)
    return person


def set_password(session: OrmSession, *, username: str, password: str) -> Person:
    """Give a person a new password and end their sessions and tokens; raise NotFound or Incomplete."""
    person = _find(session, username)
    person.password_hash = passwords.hashed(password, username=person.username)
    _end_all(session, person)
    audit.record(session, None, "set_password", person)
    return person


def shut_out(session: OrmSession, *, username: str) -> Person:
    """Close a person's account: no sign-in, no session, no token any more; raise NotFound."""
    person = _find(session, username)
    person.is_active = False
    _end_all(session, person)
    audit.record(session, None, "shut_out", person)
    return person


def load_directory(session: OrmSession, units: Sequence[NewUnit], people: Sequence[NewPerson]) -> int:
    """Take in the units and people that are not yet known and return how many people were new.

    Whoever is known stays as they are, their password too: loading twice changes nothing.
    """
    known_units = set(session.scalars(select(Unit.code)))
    session.add_all(Unit(code=unit.code, name=unit.name) for unit in units if unit.code not in known_units)
    session.flush()
    known = set(session.scalars(select(Person.username)))
    new = [person for person in people if person.username.strip().lower() not in known]
    for person in new:
        add_person(session, **dict(person))
    return len(new)


def _find(session: OrmSession, username: str) -> Person:
    person = session.scalar(select(Person).where(Person.username == username.strip().lower()).with_for_update())
    if person is None:
        raise NotFound(f"Nama pengguna “{username}” tidak dikenal.")
    return person


def _end_all(session: OrmSession, person: Person) -> None:
    now = utc_now()
    session.execute(
        update(Session).where(Session.person_id == person.id, Session.ended_at.is_(None)).values(ended_at=now)
    )
    session.execute(
        update(Token).where(Token.person_id == person.id, Token.revoked_at.is_(None)).values(revoked_at=now)
    )


def _wrong(pointer: str, words: str) -> Incomplete:
    return Incomplete(words, errors=[FieldError(pointer, words)])
