"""Search among people and units: all of them for the institution's staff, their own unit's for everybody else."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.gateway.model import Person, Unit
from shared import identity, search
from shared.identity import Role
from shared.search import Asked, Hit

OUTSIDE = frozenset({Role.VENDOR, Role.PROPOSER, Role.UNIT_HEAD, Role.APP_USER})
"""Whoever holds none but these roles learns of nobody beyond their own unit."""
MOST_COMPARED = 1000
"""Names that are looked through for one that was misspelt; the gateway keeps no index of what looks alike."""
ALIKE = 0.75


def found(session: Session, by: identity.Person, question: str) -> list[Hit]:
    """Return the people and units that this person may know of and asked for, or else those that look alike."""
    asked = search.read(question)
    if asked is None or by.has(Role.VENDOR):
        return []
    people = _holds(asked, Person.display_name, Person.username)
    units = _holds(asked, Unit.code, Unit.name)
    hits = _people(session, by, people) + _units(session, by, units)
    return search.ranked(hits or _misspelt(session, by, asked))


def _misspelt(session: Session, by: identity.Person, asked: Asked) -> list[Hit]:
    if asked.has_operators or any(len(word) < 4 for word in asked.words):
        return []
    people = session.execute(
        select(Person.id, Person.display_name)
        .where(Person.is_active, _seen(by, Person.unit))
        .order_by(Person.display_name, Person.id)
        .limit(MOST_COMPARED)
    ).all()
    units = session.execute(select(Unit.code, Unit.name).where(_seen(by, Unit.code)).limit(MOST_COMPARED)).all()
    like = [row.id for row in people if _is_alike(row.display_name, asked.words)][: search.MOST_HITS]
    codes = [row.code for row in units if _is_alike(row.name, asked.words)][: search.MOST_HITS]
    hits = _people(session, by, Person.id.in_(like)) if like else []
    hits += _units(session, by, Unit.code.in_(codes)) if codes else []
    return [hit.model_copy(update={"match": "near", "rank": hit.rank - 1}) for hit in hits]


def _is_alike(name: str, words: Sequence[str]) -> bool:
    known = search.WORD.findall(name.lower())
    return all(get_close_matches(word, known, 1, ALIKE) for word in words)


def _seen(by: identity.Person, unit: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    if by.roles - OUTSIDE:
        return true()
    return unit == by.unit if by.unit else false()


def _holds(asked: Asked, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    # Words are letters and digits only: nothing in them means anything to LIKE.
    return and_(*(or_(*(column.ilike(f"%{word}%") for column in columns)) for word in asked.words))


def _people(session: Session, by: identity.Person, wanted: ColumnElement[bool]) -> list[Hit]:
    people = session.scalars(
        select(Person)
        .where(Person.is_active, _seen(by, Person.unit), wanted)
        .order_by(Person.display_name, Person.id)
        .limit(search.MOST_HITS)
    ).all()
    return [
        Hit(
            kind="person",
            title=person.display_name,
            number=person.username,
            about=" · ".join(filter(None, (person.title, person.unit))),
            rank=2.4,
        )
        for person in people
    ]


def _units(session: Session, by: identity.Person, wanted: ColumnElement[bool]) -> list[Hit]:
    rows = session.execute(
        select(Unit.code, Unit.name).where(_seen(by, Unit.code), wanted).order_by(Unit.code).limit(search.MOST_HITS)
    ).all()
    return [
        Hit(kind="unit", title=row.name, number=row.code, path=f"/perkara?unit={row.code}", rank=2.5) for row in rows
    ]
