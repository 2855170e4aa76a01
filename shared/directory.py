"""A division's own copy of the people, units and posts, kept by what the gateway tells; it never has to ask."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Uuid,
    case,
    delete,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import Session

from shared.database import NAMING
from shared.identity import Role
from shared.mailbox import Letter
from shared.messages import PersonChanged, UnitRegistered

MOST_FOUND: Final = 20
MOST_HOLDERS: Final = 500

directory_metadata = MetaData(naming_convention=NAMING)

directory_unit = Table(
    "directory_unit",
    directory_metadata,
    Column("code", String(20), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

directory_person = Table(
    "directory_person",
    directory_metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("unit", String(20)),
    Column("vendor", String(20)),
    Column("is_active", Boolean, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Index("ix_directory_person_username", "username"),
)

directory_appointment = Table(
    "directory_appointment",
    directory_metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey(directory_person.c.id), nullable=False),
    Column("role", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("title", String(210), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date),
    Index("ix_directory_appointment_person_id", "person_id"),
    Index("ix_directory_appointment_role", "role", "from_on"),
)


@dataclass(frozen=True)
class Listed:
    """Somebody as this division knows them."""

    id: UUID
    username: str
    name: str
    unit: str | None
    vendor: str | None
    is_active: bool


@dataclass(frozen=True)
class Holder:
    """Somebody who holds a post on a day, and how it is printed."""

    person: Listed
    role: Role
    title: str
    is_acting: bool
    """Plt. or Plh.: the post is vacant or its holder is away."""


class Keeps(Protocol):
    """What takes handlers: a division's worker."""

    def handles(self, message: Any) -> Callable[[Any], Any]:
        """Register what is done about a message."""


def keep(worker: Keeps) -> None:
    """Let a division keep its copy: register what it does when a unit or a person is told."""

    @worker.handles(UnitRegistered)
    def note_unit(session: Session, message: UnitRegistered, letter: Letter) -> None:
        take_unit(session, message)

    @worker.handles(PersonChanged)
    def note_person(session: Session, message: PersonChanged, letter: Letter) -> None:
        take_person(session, message)


def take_unit(session: Session, told: UnitRegistered) -> bool:
    """Keep a unit as told; return False for old news, which changes nothing."""
    return _take(session, directory_unit, "code", told.model_dump())


def take_person(session: Session, told: PersonChanged) -> bool:
    """Keep a person and their posts as told; return False for old news, which changes nothing."""
    if not _take(session, directory_person, "id", {"id": told.person_id, **told.model_dump(include=_PERSON)}):
        return False
    session.execute(delete(directory_appointment).where(directory_appointment.c.person_id == told.person_id))
    rows = [
        {"id": post.appointment_id, "person_id": told.person_id, **post.model_dump(exclude={"appointment_id"})}
        for post in told.posts
    ]
    if rows:
        session.execute(insert(directory_appointment), rows)
    return True


_PERSON = {"username", "name", "unit", "vendor", "is_active", "changed_at"}


def _take(session: Session, table: Table, key: str, values: dict[str, Any]) -> bool:
    row = insert_or_update(table).values(**values)
    taken = row.on_conflict_do_update(
        index_elements=[key],
        set_={name: row.excluded[name] for name in values if name != key},
        where=table.c.changed_at <= row.excluded.changed_at,
    ).returning(table.c[key])
    return session.execute(taken).first() is not None


# --- what divisions ask -------------------------------------------------------------------------------------


def holders(session: Session, role: Role, on: date) -> list[Holder]:
    """Return who holds a post on a day (WIB), acting officials too; own holders first, then by name. At most 500.

    Closed accounts hold nothing.
    """
    post = directory_appointment.c
    is_acting = post.kind != "definitive"
    asked = (
        _people()
        .add_columns(post.title, is_acting.label("is_acting"))
        .join(directory_appointment, post.person_id == directory_person.c.id)
        .where(post.role == role.value, post.from_on <= on, or_(post.until_on.is_(None), post.until_on >= on))
        .where(directory_person.c.is_active)
        .order_by(case((is_acting, 1), else_=0), directory_person.c.name, directory_person.c.id)
        .limit(MOST_HOLDERS)
    )
    return [
        Holder(_listed(row), role, row["title"], is_acting=row["is_acting"])
        for row in session.execute(asked).mappings()
    ]


def people(session: Session, prefix: str, *, limit: int = MOST_FOUND) -> list[Listed]:
    """Return people with an open account whose username, or a word of whose name, begins so; by username.

    At most 20; nobody for an empty prefix.
    """
    start = prefix.strip().lower()[:40]
    if not start:
        return []
    asked = (
        _people()
        .where(
            directory_person.c.is_active,
            or_(
                directory_person.c.username.startswith(start, autoescape=True),
                func.concat(" ", func.lower(directory_person.c.name)).contains(f" {start}", autoescape=True),
            ),
        )
        .order_by(directory_person.c.username)
        .limit(min(limit, MOST_FOUND))
    )
    return [_listed(row) for row in session.execute(asked).mappings()]


def _people() -> Select[Any]:
    return select(*(directory_person.c[name] for name in _LISTED))


_LISTED = ("id", "username", "name", "unit", "vendor", "is_active")


def _listed(row: RowMapping) -> Listed:
    return Listed(**{name: row[name] for name in _LISTED})
