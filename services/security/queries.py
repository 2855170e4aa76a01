"""What people ask of the security division; nothing here changes anything."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, case, cast, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, contains_eager

from services.security.authority import ACTS
from services.security.model import (
    CASES_SEARCHED,
    FINDINGS_SEARCHED,
    STATUS_LABELS,
    TESTS_SEARCHED,
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
from shared import search
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotAllowed, NotFound
from shared.figures import Big, Column, Figures, Panel, Plot, Row, Series, Table, Tone
from shared.identity import Person, Role
from shared.messages import Figure
from shared.procedure import security_controls
from shared.search import Asked, Hit
from shared.words import local_date, long_date, numeric_date

READERS = frozenset(
    {
        Role.SECURITY_STAFF, Role.SECURITY_HEAD, Role.HEAD, Role.APP_HEAD, Role.APP_STAFF,
        Role.INFRA_HEAD, Role.INFRA_STAFF, Role.AUDITOR,
    }
)  # fmt: skip
SEVERITIES = ("critical", "high", "medium", "low")
BY_HAND = "manual"
FINDING_LABELS = {FindingStatus.OPEN: "Terbuka", FindingStatus.FIXED: "Diperbaiki"}


def may_see(by: Person, case: KnownCase) -> bool:
    """Tell whether a person may see the tests of a case: the centre, the auditor, the vendor of that contract."""
    return by.has(*READERS) or (bool(by.vendor) and by.vendor == case.vendor)


def seen_by(by: Person) -> ColumnElement[bool]:
    """Return the condition on `KnownCase` under which this person may see its tests and findings."""
    return true() if by.has(*READERS) else KnownCase.vendor == (by.vendor or "-")


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


def signed_permits(session: Session, case_id: UUID) -> list[dict[str, str]]:
    """Return every permit of a case as it was signed, the oldest first, with the reason for which it was revoked."""
    asked = select(PermitRow).where(PermitRow.case_id == case_id).order_by(PermitRow.created_at)
    return [{**json.loads(one.signed), "revoked_reason": one.revoked_reason} for one in session.scalars(asked)]


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return the tests and findings that this person may see and asked for, the best first."""
    asked = search.read(question)
    if asked is None:
        return []
    search.limit_time(session)
    return search.ranked(_tests_found(session, by, asked) + _findings_found(session, by, asked))


def _tests_found(session: Session, by: Person, asked: Asked) -> list[Hit]:
    one = SecurityTest
    statement = select(
        one.id, one.number, one.round, one.status, one.created_at, KnownCase.name, KnownCase.case_number
    ).join(one.case)
    return search.hits(
        session,
        asked,
        statement.where(seen_by(by)),
        lambda row: Hit(
            kind="test",
            title=f"Uji keamanan {row.name}, putaran {row.round}",
            number=row.number or row.case_number,
            about=row.case_number if row.number else "",
            path=f"/uji-keamanan/{row.id}",
            label=label(row.status),
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=one.id,
        at=one.created_at,
        own=TESTS_SEARCHED,
        others=[CASES_SEARCHED],
    )


def _findings_found(session: Session, by: Person, asked: Asked) -> list[Hit]:
    newest = (
        select(SecurityTest.id)
        .where(SecurityTest.case_id == FindingRow.case_id)
        .order_by(SecurityTest.round.desc())
        .limit(1)
        .scalar_subquery()
    )
    one = FindingRow
    statement = select(
        one.title,
        one.severity,
        one.status,
        one.created_at,
        one.cwe,
        KnownCase.name,
        newest.label("test"),
    ).join(KnownCase, KnownCase.case_id == one.case_id)
    return search.hits(
        session,
        asked,
        statement.where(seen_by(by)),
        lambda row: Hit(
            kind="finding",
            title=row.title,
            number=row.cwe,
            about=row.name,
            path=f"/uji-keamanan/{row.test}" if row.test else "",
            label=FINDING_LABELS[FindingStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=one.id,
        at=one.created_at,
        own=FINDINGS_SEARCHED,
        others=[CASES_SEARCHED],
    )


AGES = ((7, "0–7 hari"), (30, "8–30 hari"), (90, "31–90 hari"), (None, "lebih dari 90 hari"))
"""Buckets of age in calendar days, youngest first."""
SEVERITY_WORDS = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}
LAPSE_SOON = timedelta(days=30)


def dashboard(session: Session, by: Person, *, now: datetime | None = None) -> Figures:
    """Return findings by age, tests by round and permits that lapse, in three statements; refuses NotAllowed."""
    if not by.has(*READERS):
        raise NotAllowed("Angka keamanan hanya untuk Divisi Keamanan, Aplikasi, Infrastruktur, dan pimpinan.")
    now = now or utc_now()
    return Figures(panels=[_findings_panel(session, now), _tests_panel(session, now), _permits_panel(session, now)])


def _findings_panel(session: Session, now: datetime) -> Panel:
    today = local_date(now)
    age = today - cast(func.timezone("Asia/Jakarta", FindingRow.created_at), Date)
    open_ones = (
        select(
            FindingRow.severity,
            case(*((age <= most, index) for index, (most, _) in enumerate(AGES) if most is not None), else_=3).label(
                "bucket"
            ),
            (FindingRow.due_on < today).label("is_overdue"),
        )
        .where(FindingRow.status == FindingStatus.OPEN)
        .subquery()
    )
    rows = session.execute(
        select(
            open_ones.c.severity,
            open_ones.c.bucket,
            func.count(),
            func.count().filter(open_ones.c.is_overdue),
        ).group_by(open_ones.c.severity, open_ones.c.bucket)
    ).all()
    table = {severity: [0] * len(AGES) for severity in SEVERITIES}
    overdue = dict.fromkeys(SEVERITIES, 0)
    for severity, bucket, count, late in rows:
        table[severity][bucket] += count
        overdue[severity] += late
    total, grave = sum(map(sum, table.values())), sum(table["critical"]) + sum(table["high"])
    tones: list[Tone] = ["plain", "wait", "quiet", "bad"]
    return Panel(
        key="findings",
        title="Temuan terbuka",
        source="Daftar temuan Divisi Monitoring dan Security; umur dalam hari kalender sejak pertama ditemukan.",
        counted_at=now,
        numbers=[
            Big(label="Temuan terbuka", value=total, unit="temuan", path="/uji-keamanan"),
            Big(
                label="Kritis atau tinggi",
                value=grave,
                unit="temuan",
                comparison=f"dari {total} yang terbuka" if total else "",
                tone="bad" if grave else "good",
                path="/uji-keamanan",
            ),
            Big(
                label="Melewati tenggat",
                value=sum(overdue.values()),
                unit="temuan",
                tone="bad" if any(overdue.values()) else "good",
                path="/uji-keamanan",
            ),
        ],
        tables=[
            Table(
                key="ages",
                caption="Temuan terbuka menurut tingkat keparahan dan umur",
                columns=[
                    Column(key="severity", label="Keparahan", kind="text"),
                    *(Column(key=f"age_{n}", label=words, unit="temuan") for n, (_, words) in enumerate(AGES)),
                    Column(key="total", label="Jumlah", unit="temuan"),
                    Column(key="overdue", label="Melewati tenggat", unit="temuan"),
                ],
                rows=[
                    Row(
                        cells={
                            "severity": SEVERITY_WORDS[severity],
                            **{f"age_{n}": count for n, count in enumerate(table[severity])},
                            "total": sum(table[severity]),
                            "overdue": overdue[severity],
                        },
                        path="/uji-keamanan",
                    )
                    for severity in SEVERITIES
                ]
                if total
                else [],
                plot=Plot(
                    kind="stack",
                    label="severity",
                    series=[Series(key=f"age_{n}", tone=tone) for n, tone in enumerate(tones)],
                ),
                empty="Tidak ada temuan terbuka. Temuan uji keamanan akan tampil di sini menurut umurnya.",
            )
        ],
    )


def _tests_panel(session: Session, now: datetime) -> Panel:
    rows = session.execute(
        select(SecurityTest.round, SecurityTest.status, func.count()).group_by(SecurityTest.round, SecurityTest.status)
    ).all()
    counted: dict[int, dict[str, int]] = {}
    for number, status, count in rows:
        kind = {TestStatus.PASSED: "passed", TestStatus.FAILED: "failed", TestStatus.SUPERSEDED: "superseded"}.get(
            status, "running"
        )
        kinds = counted.setdefault(number, dict.fromkeys(("passed", "failed", "running", "superseded"), 0))
        kinds[kind] += count
    first = counted.get(1, {})
    judged = first.get("passed", 0) + first.get("failed", 0)
    return Panel(
        key="tests",
        title="Uji keamanan menurut putaran",
        source="Semua uji yang pernah dibuka; putaran dihitung untuk setiap perkara.",
        counted_at=now,
        numbers=[
            Big(
                label="Lulus pada putaran pertama",
                value=round(100 * first.get("passed", 0) / judged, 2) if judged else None,
                kind="percent",
                comparison=f"{first.get('passed', 0)} dari {judged} yang diputus" if judged else "",
                path="/uji-keamanan",
            ),
            Big(
                label="Sedang berjalan",
                value=sum(one["running"] for one in counted.values()),
                unit="uji",
                path="/uji-keamanan",
            ),
        ],
        tables=[
            Table(
                key="rounds",
                caption="Hasil uji keamanan menurut putaran",
                columns=[
                    Column(key="round", label="Putaran", kind="text"),
                    Column(key="passed", label="Lulus", unit="uji"),
                    Column(key="failed", label="Tidak lulus", unit="uji"),
                    Column(key="running", label="Berjalan", unit="uji"),
                    Column(key="superseded", label="Digantikan paket baru", unit="uji"),
                ],
                rows=[
                    Row(cells={"round": f"Putaran {number}", **kinds}, path="/uji-keamanan")
                    for number, kinds in sorted(counted.items())
                ],
                plot=Plot(
                    kind="stack",
                    label="round",
                    series=[
                        Series(key="passed", tone="good"),
                        Series(key="failed", tone="bad"),
                        Series(key="running", tone="wait"),
                        Series(key="superseded", tone="quiet"),
                    ],
                ),
                empty="Hasil uji keamanan akan tampil di sini setelah uji pertama dibuka.",
            )
        ],
    )


def _permits_panel(session: Session, now: datetime) -> Panel:
    newest = (
        select(PermitRow.test_id, PermitRow.case_id, PermitRow.valid_until)
        .where(PermitRow.revoked_at.is_(None))
        .ext(distinct_on(PermitRow.case_id))
        .order_by(PermitRow.case_id, PermitRow.created_at.desc())
        .subquery()
    )
    rows = session.execute(
        select(KnownCase.name, KnownCase.case_number, newest.c.test_id, newest.c.valid_until)
        .join(newest, newest.c.case_id == KnownCase.case_id)
        .where(newest.c.valid_until <= now + LAPSE_SOON, KnownCase.live_digest != "")
        .order_by(newest.c.valid_until)
        .limit(50)
    ).all()
    return Panel(
        key="permits",
        title="Izin yang segera berakhir",
        source="Izin terakhir yang tidak dicabut dari setiap aplikasi yang sedang digunakan, yang berakhir dalam "
        "30 hari atau sudah berakhir.",
        counted_at=now,
        tables=[
            Table(
                key="permits",
                caption="Izin yang berakhir dalam 30 hari",
                columns=[
                    Column(key="application", label="Aplikasi", kind="text"),
                    Column(key="until", label="Berlaku sampai", kind="text"),
                    Column(key="days", label="Sisa hari"),
                ],
                rows=[
                    Row(
                        cells={
                            "application": f"{name} ({number})",
                            "until": long_date(until),
                            "days": (local_date(until) - local_date(now)).days,
                        },
                        path=f"/uji-keamanan/{test_id}",
                    )
                    for name, number, test_id, until in rows
                ],
                empty="Tidak ada izin yang berakhir dalam 30 hari.",
                is_first_list=True,
            )
        ],
    )
