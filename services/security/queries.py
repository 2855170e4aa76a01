"""What people ask of the security division; nothing here changes anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, contains_eager

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
from shared.words import local_date, numeric_date

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
    return by.has(*READERS) or (bool(by.vendor) and by.vendor == case.vendor)


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


def finding(session: Session, finding_id: UUID) -> FindingRow:
    """Return a finding, locked for a change; raise NotFound when there is none."""
    found = session.get(FindingRow, finding_id, with_for_update=True)
    if found is None:
        raise NotFound("Temuan tidak ditemukan. Periksa daftar temuan pada halaman uji.")
    return found


def open_by_severity(rows: Iterable[FindingRow]) -> dict[str, int]:
    """Count open findings by severity; every severity stands in the answer."""
    counted = dict.fromkeys(SEVERITIES, 0)
    for row in rows:
        if row.status == FindingStatus.OPEN:
            counted[row.severity] += 1
    return counted


@dataclass(frozen=True)
class File:
    """Everything that a test rests on, read once."""

    findings: Sequence[FindingRow]
    answers: Mapping[str, ControlAnswer]
    """Answered controls by their number."""
    permits: Sequence[PermitRow]
    """Permits of the case, newest first."""
    judgement: Judgement
    """Whether the test may end with *lulus*, and everything that stands in the way."""


def file(session: Session, thing: SecurityTest) -> File:
    """Return what a test rests on, and what follows from it for the verdict."""
    rows = findings(session, thing.case_id)
    answered = {
        row.control: row
        for row in session.scalars(select(ControlAnswer).where(ControlAnswer.test_id == thing.id)).all()
    }
    given = select(PermitRow).where(PermitRow.case_id == thing.case_id).order_by(PermitRow.created_at.desc())
    judgement = judge(
        standing_policy(),
        digest=thing.digest,
        scans=[ScanResult.model_validate(scan.result) for scan in thing.scans if scan.result is not None],
        today=local_date(utc_now()),
        by_hand=[as_finding(row) for row in rows if row.engine == BY_HAND and row.status == FindingStatus.OPEN],
        unanswered=[c["number"] for c in security_controls() if c["number"] not in answered],
    )
    return File(rows, answered, session.scalars(given.limit(100)).all(), judgement)


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


def scan(session: Session, by: Person, scan_id: UUID) -> Scan:
    """Return a scan of a test that this person may see; raise NotFound otherwise."""
    found = session.get(Scan, scan_id)
    if found is None:
        raise NotFound("Pemindaian tidak ditemukan.")
    test(session, by, found.test_id)
    return found


def offered(by: Person, thing: SecurityTest) -> list[Act]:
    """Return what this person may do with a test now."""
    found = [act for act in ACTS if thing.allows(act.name) and act.allows(by, thing)]
    if thing.case.live_digest and ACTS.suspend.allows(by, thing):
        found.append(ACTS.suspend)
    return found


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


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TestStatus(status)]


def permit(session: Session, permit_id: UUID, *, is_locked: bool = False) -> PermitRow:
    """Return a permit, locked for a change if wished; raise NotFound when there is none."""
    found = session.get(PermitRow, permit_id, with_for_update=is_locked)
    if found is None:
        raise NotFound("Izin tidak ditemukan. Periksa nomornya pada halaman uji.")
    return found
