"""What people said about a case, as far as a person may read it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from services.proposal.authority import READERS
from services.proposal.model import Case, Comment
from services.proposal.queries.case import case
from shared.errors import NotFound
from shared.identity import Person, Role


def comments(
    session: Session, by: Person, which: UUID | str, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> tuple[Case, Sequence[Comment]]:
    """Return a case and its comments, newest first, after a place in that order; raise NotFound, also for vendors."""
    found = case(session, by, which)
    if by.has(Role.VENDOR):
        raise NotFound("Komentar perkara ini tidak terbuka bagi penyedia.")
    asked = select(Comment).where(Comment.case_id == found.id)
    if not by.has(*READERS):
        asked = asked.where(Comment.is_internal.is_(False))
    if after:
        asked = asked.where(tuple_(Comment.created_at, Comment.id) < after)
    return found, session.scalars(asked.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(limit)).all()
