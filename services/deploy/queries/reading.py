"""Who sees which rows: the centre's staff all, a vendor its own contracts, a proposing unit its own applications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, true, tuple_

from services.deploy.authority import READERS, SERVER_READERS
from services.deploy.model import Application
from shared.errors import NotAllowed
from shared.identity import Person

Place = tuple[datetime, UUID]
"""A place in a list: newest first, told apart by id."""


def seen_by(by: Person) -> ColumnElement[bool]:
    """Return the condition on `Application` that holds for what this person may see."""
    if by.has(*READERS):
        return true()
    own: list[ColumnElement[bool]] = []
    if by.vendor:
        own.append(Application.vendor == by.vendor)
    if by.unit:
        own.append(Application.unit == by.unit)
    return or_(*own) if own else false()


def sees(by: Person, application: Application) -> bool:
    """Tell whether this person may see an application and what belongs to it."""
    return (
        by.has(*READERS)
        or (by.vendor is not None and application.vendor == by.vendor)
        or (by.unit is not None and application.unit == by.unit)
    )


def must_see_servers(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not read the server register."""
    if not by.has(*SERVER_READERS):
        raise NotAllowed(
            "Daftar server hanya untuk Divisi Infrastruktur, Divisi Keamanan, dan pimpinan. "
            "Mohon hubungi koordinator divisi Anda."
        )


def page(statement: Select[Any], noun: Any, *, limit: int, after: Place | None) -> Select[Any]:
    """Return the statement for one page of a list, newest first, after a place."""
    ordered = statement.order_by(noun.created_at.desc(), noun.id.desc()).limit(limit)
    return ordered.where(tuple_(noun.created_at, noun.id) < after) if after else ordered
