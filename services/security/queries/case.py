"""Who may see the security tests of a case, and what they come to for its evaluation (S10)."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from services.security.authority import READERS
from services.security.model import FindingRow, FindingStatus, KnownCase, SecurityTest
from shared.database import utc_now
from shared.identity import Person
from shared.messages import Figure
from shared.words import numeric_date


def may_see(by: Person, case: KnownCase) -> bool:
    """Tell whether a person may see the tests of a case: the centre, the auditor, the vendor of that contract."""
    return by.has(*READERS) or (bool(by.vendor) and by.vendor == case.vendor)


def seen_by(by: Person) -> ColumnElement[bool]:
    """Return the condition on `KnownCase` under which this person may see its tests and findings."""
    return true() if by.has(*READERS) else KnownCase.vendor == (by.vendor or "-")


def figures(session: Session, case_id: UUID) -> tuple[Figure, ...]:
    """Count the security facts of an application for its evaluation (S10)."""
    rows = session.execute(
        select(FindingRow.status, FindingRow.severity, func.count())
        .where(FindingRow.case_id == case_id)
        .group_by(FindingRow.status, FindingRow.severity)
    ).all()
    rounds = session.scalar(select(func.max(SecurityTest.round)).where(SecurityTest.case_id == case_id)) or 0
    still_open = sum(n for status, _severity, n in rows if status == FindingStatus.OPEN)
    mended = sum(n for status, _severity, n in rows if status == FindingStatus.FIXED)
    source = f"Divisi Monitoring dan Security, {numeric_date(utc_now())}"
    return (
        Figure(key="findings_open", label="Temuan terbuka", value=still_open, unit="temuan", source=source),
        Figure(key="findings_fixed", label="Temuan diperbaiki", value=mended, unit="temuan", source=source),
        Figure(key="test_rounds", label="Putaran uji keamanan", value=rounds, unit="putaran", source=source),
    )
