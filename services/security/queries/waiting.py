"""Security tests that wait for a person."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.security.model import SecurityTest, TestStatus
from shared.identity import Person, Role


def waiting_on(session: Session, by: Person) -> Sequence[SecurityTest]:
    """Return the tests that wait for this person, oldest first."""
    theirs = []
    if by.has(Role.SECURITY_HEAD):
        theirs.append(SecurityTest.status == TestStatus.SUBMITTED)
    if by.has(Role.SECURITY_STAFF):
        is_own = and_(SecurityTest.status == TestStatus.REVIEWING, SecurityTest.tester_id == by.id)
        theirs += [SecurityTest.status == TestStatus.WAITING, is_own]
    if not theirs:
        return []
    return session.scalars(select(SecurityTest).where(or_(*theirs)).order_by(SecurityTest.created_at).limit(100)).all()
