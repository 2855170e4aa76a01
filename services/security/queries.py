"""What people ask of the security division; nothing here changes anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from services.security.authority import ACTS
from services.security.model import (
    STATUS_LABELS,
    ControlAnswer,
    FindingRow,
    FindingStatus,
    KnownCase,
    PermitRow,
    Scan,
    SecurityTest,
    TestStatus,
)
from services.security.verdict import Finding, Judgement, ScanResult, judge, standing_policy
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person, Role
from shared.messages import Figure
from shared.procedure import security_controls

READERS = frozenset(
    {
        Role.SECURITY_STAFF, Role.SECURITY_HEAD, Role.HEAD, Role.APP_HEAD, Role.APP_STAFF,
        Role.INFRA_HEAD, Role.INFRA_STAFF, Role.AUDITOR,
    }
)  # fmt: skip
SEVERITIES = ("critical", "high", "medium", "low")
BY_HAND = "manual"


def may_see(by: Person, case: KnownCase) -> bool:
    """Tell whether a person may see the tests of a case: the centre, the auditor, the vendor of that contract."""
    return by.has(*READERS) or (by.vendor is not None and by.vendor == case.vendor)


def test(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Return a test that this person may see; raise NotFound otherwise."""
    found = session.get(SecurityTest, test_id)
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
    statement = select(SecurityTest).join(KnownCase).limit(limit)
    statement = statement.order_by(SecurityTest.created_at.desc(), SecurityTest.id.desc())
    if not by.has(*READERS):
        statement = statement.where(KnownCase.vendor == (by.vendor or "-"))
    if case_number:
        statement = statement.where(KnownCase.case_number == case_number)
    if after:
        statement = statement.where(tuple_(SecurityTest.created_at, SecurityTest.id) < after)
    return session.scalars(statement).all()


def findings(session: Session, case_id: UUID) -> Sequence[FindingRow]:
    """Return a case's findings: open ones first, the gravest first."""
    rows = session.scalars(select(FindingRow).where(FindingRow.case_id == case_id).limit(2000)).all()
    return sorted(rows, key=lambda f: (f.status != FindingStatus.OPEN, SEVERITIES.index(f.severity), f.title))


def open_by_severity(rows: Iterable[FindingRow]) -> dict[str, int]:
    """Count open findings by severity; every severity stands in the answer."""
    counted = dict.fromkeys(SEVERITIES, 0)
    for row in rows:
        if row.status == FindingStatus.OPEN:
            counted[row.severity] += 1
    return counted


def answers(session: Session, test_id: UUID) -> dict[str, ControlAnswer]:
    """Return the answered controls of a test by their number."""
    rows = session.scalars(select(ControlAnswer).where(ControlAnswer.test_id == test_id)).all()
    return {row.control: row for row in rows}


def judgement(session: Session, thing: SecurityTest) -> Judgement:
    """Say whether this test may end with *lulus*, and everything that stands in the way."""
    results = [ScanResult.model_validate(scan.result) for scan in thing.scans if scan.result is not None]
    rows = findings(session, thing.case_id)
    by_hand = [as_finding(row) for row in rows if row.engine == BY_HAND and row.status == FindingStatus.OPEN]
    answered = answers(session, thing.id)
    return judge(
        standing_policy(),
        digest=thing.digest,
        scans=results,
        today=date.today(),
        by_hand=by_hand,
        unanswered=[c["number"] for c in security_controls() if c["number"] not in answered],
    )


def as_finding(row: FindingRow) -> Finding:
    """Return a kept finding in the shape that the rules of the verdict know."""
    names = (
        "fingerprint",
        "engine",
        "rule",
        "control",
        "cwe",
        "severity",
        "title",
        "risk",
        "where",
        "evidence",
    )
    return Finding(**{name: getattr(row, name) for name in names}, recommendation=row.recommendation)


def permits(session: Session, case_id: UUID) -> Sequence[PermitRow]:
    """Return a case's permits, newest first."""
    statement = select(PermitRow).where(PermitRow.case_id == case_id).order_by(PermitRow.created_at.desc())
    return session.scalars(statement.limit(100)).all()


def scan(session: Session, by: Person, scan_id: UUID) -> Scan:
    """Return a scan of a test that this person may see; raise NotFound otherwise."""
    found = session.get(Scan, scan_id)
    if found is None:
        raise NotFound("Pemindaian tidak ditemukan.")
    test(session, by, found.test_id)
    return found


@dataclass(frozen=True)
class Counted:
    """A test with what was counted on it."""

    test: SecurityTest
    open_findings: dict[str, int]


def offered(by: Person, thing: SecurityTest) -> list[Act]:
    """Return what this person may do with a test now."""
    return [act for act in ACTS if thing.allows(act.name) and act.allows(by, thing)]


def waiting_on(session: Session, by: Person) -> Sequence[SecurityTest]:
    """Return the tests that wait for this person, oldest first."""
    statement = select(SecurityTest).order_by(SecurityTest.created_at).limit(100)
    if by.has(Role.SECURITY_HEAD):
        return session.scalars(statement.where(SecurityTest.status == TestStatus.SUBMITTED)).all()
    if by.has(Role.SECURITY_STAFF):
        mine = [TestStatus.WAITING, TestStatus.REVIEWING]
        return session.scalars(statement.where(SecurityTest.status.in_(mine))).all()
    return []


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
    source = f"Divisi Monitoring dan Security, {utc_now():%d/%m/%Y}"
    return (
        Figure(key="findings_open", label="Temuan terbuka", value=still_open, unit="temuan", source=source),
        Figure(key="findings_fixed", label="Temuan diperbaiki", value=mended, unit="temuan", source=source),
        Figure(key="test_rounds", label="Putaran uji keamanan", value=rounds, unit="putaran", source=source),
    )


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TestStatus(status)]


def permit_test(session: Session, permit_id: UUID) -> UUID:
    """Return the test that a permit follows from; raise NotFound when there is no such permit."""
    found = session.get(PermitRow, permit_id)
    if found is None:
        raise NotFound("Izin tidak ditemukan.")
    return found.test_id
