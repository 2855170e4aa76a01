"""Telling every division who there is: each unit and person as a fact, whenever it changes and on demand."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.gateway.model import Appointment, Person, Unit
from shared import audit, identity
from shared.mailbox import post
from shared.messages import PersonChanged, PostHeld, UnitRegistered

AT_ONCE = 100
"""People who are told in one transaction when everybody is told again."""
MOST_POSTS = 100
"""A letter has its limits; of more posts than these the oldest are not told."""


def tell_unit(session: Session, unit: Unit, by: identity.Person | None = None) -> None:
    """Tell every division of a unit as it is in this transaction."""
    _in_turn(session)
    post(session, UnitRegistered(code=unit.code, name=unit.name, changed_at=session.scalar(_NOW)), by=by)


def tell_person(session: Session, person_id: UUID, by: identity.Person | None = None) -> None:
    """Tell every division of a person and their posts as they are in this transaction; call it after the change.

    Raises NoResultFound for an unknown id.
    """
    _in_turn(session)
    # Read after the turn has come: what was loaded before it may be old.
    person = session.execute(select(Person).where(Person.id == person_id), execution_options=_ANEW).scalar_one()
    post(session, _told(session, person), by=by)


def tell_everything(session: Session, after: UUID | None = None) -> UUID | None:
    """Tell the next hundred people by their id, before the first of them all units; return where to go on, or None.

    For a division that was restored from a backup or has come later; whoever is told a second time changes nothing.
    """
    _in_turn(session)
    if after is None:
        for unit in session.scalars(select(Unit).order_by(Unit.code)):
            tell_unit(session, unit)
    asked = select(Person).order_by(Person.id).limit(AT_ONCE)
    if after is not None:
        asked = asked.where(Person.id > after)
    found = session.execute(asked, execution_options=_ANEW).scalars().all()
    for person in found:
        post(session, _told(session, person))
    return found[-1].id if len(found) == AT_ONCE else None


_NOW = select(func.clock_timestamp())
_ANEW = {"populate_existing": True}


def _in_turn(session: Session) -> None:
    # The lock of the audit chain, which every change holds already: what is told later was also read later.
    session.flush()
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": audit.LOCK})


def _told(session: Session, person: Person) -> PersonChanged:
    newest = sorted(person.appointments, key=lambda one: (one.from_on, one.id), reverse=True)[:MOST_POSTS]
    return PersonChanged(
        person_id=person.id,
        username=person.username,
        name=person.display_name,
        unit=person.unit,
        vendor=person.vendor,
        is_active=person.is_active,
        changed_at=session.scalar(_NOW),
        posts=tuple(_post(one) for one in newest if one.last_on is None or one.last_on >= one.from_on),
    )


def _post(one: Appointment) -> PostHeld:
    return PostHeld(
        appointment_id=one.id,
        role=one.role,
        kind=one.kind,
        title=one.printed,
        from_on=one.from_on,
        until_on=one.last_on,
    )
