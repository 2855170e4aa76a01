"""Security tests: one, and those that a person may see."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, contains_eager

from services.security.authority import ACTS
from services.security.model import STATUS_LABELS, KnownCase, SecurityTest, TestStatus
from services.security.queries.case import may_see, seen_by
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person


def test(session: Session, by: Person, test_id: UUID, *, is_locked: bool = False) -> SecurityTest:
    """Return a test that this person may see, locked for a change if wished; raise NotFound otherwise."""
    found = session.get(SecurityTest, test_id, with_for_update={"of": SecurityTest} if is_locked else None)
    if found is None or not may_see(by, found.case):
        raise NotFound("Uji keamanan tidak ditemukan. Periksa tautannya atau cari di daftar uji.")
    return found


def tests(
    session: Session,
    by: Person,
    *,
    case_number: str = "",
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[SecurityTest]:
    """Return the tests that this person may see, newest first, after a place in that order."""
    statement = select(SecurityTest).join(SecurityTest.case).options(contains_eager(SecurityTest.case)).limit(limit)
    statement = statement.order_by(SecurityTest.created_at.desc(), SecurityTest.id.desc()).where(seen_by(by))
    if case_number:
        statement = statement.where(KnownCase.case_number == case_number)
    if after:
        statement = statement.where(tuple_(SecurityTest.created_at, SecurityTest.id) < after)
    return session.scalars(statement).all()


def offered(by: Person, thing: SecurityTest) -> list[Act]:
    """Return what this person may do with a test now."""
    found = [act for act in ACTS if thing.allows(act.name) and act.allows(by, thing)]
    if thing.case.live_digest and ACTS.suspend.allows(by, thing):
        found.append(ACTS.suspend)
    return found


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TestStatus(status)]
