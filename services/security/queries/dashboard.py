"""The security division's figures for the dashboards: findings by age, tests by round, permits that lapse."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from services.security.authority import READERS
from services.security.model import FindingRow, FindingStatus, KnownCase, PermitRow, SecurityTest, TestStatus
from services.security.queries.finding import SEVERITIES, SEVERITY_WORDS
from shared.ages import age_table, by_age
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.figures import Big, Column, Figures, Panel, Plot, Row, Series, Table
from shared.identity import Person
from shared.sentence import Sentence
from shared.words import local_date, long_date

AGES = {7: "0–7 hari", 30: "8–30 hari", 90: "31–90 hari", None: "lebih dari 90 hari"}
LAPSE_SOON = timedelta(days=30)


def figures(session: Session, by: Person, *, now: datetime | None = None) -> Figures:
    """Return findings by age, tests by round and permits that lapse, in three statements; refuses NotAllowed."""
    if not by.has(*READERS):
        raise NotAllowed("Angka keamanan hanya untuk Divisi Keamanan, Aplikasi, Infrastruktur, dan pimpinan.")
    now = now or utc_now()
    return Figures(panels=[_findings_panel(session, now), _tests_panel(session, now), _permits_panel(session, now)])


def _findings_panel(session: Session, now: datetime) -> Panel:
    counted = by_age(
        session,
        SEVERITIES,
        kind=FindingRow.severity,
        at=FindingRow.created_at,
        where=FindingRow.status == FindingStatus.OPEN,
        ages=AGES,
        now=now,
        overdue=FindingRow.due_on < local_date(now),
    )
    total, overdue = (sum(cells[key] for cells in counted.values()) for key in ("total", "overdue"))
    grave = counted["critical"]["total"] + counted["high"]["total"]
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
                comparison=Sentence("dari {total} yang terbuka", total=total) if total else "",
                tone="bad" if grave else "good",
                path="/uji-keamanan",
            ),
            Big(
                label="Melewati tenggat",
                value=overdue,
                unit="temuan",
                tone="bad" if overdue else "good",
                path="/uji-keamanan",
            ),
        ],
        tables=[
            age_table(
                counted,
                SEVERITY_WORDS,
                AGES,
                key="ages",
                caption="Temuan terbuka menurut tingkat keparahan dan umur",
                first=Column(key="severity", label="Keparahan", kind="text"),
                rest=[
                    Column(key="total", label="Jumlah", unit="temuan"),
                    Column(key="overdue", label="Melewati tenggat", unit="temuan"),
                ],
                path="/uji-keamanan",
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
                comparison=Sentence("{passed} dari {judged} yang diputus", passed=first.get("passed", 0), judged=judged)
                if judged
                else "",
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
                    Row(cells={"round": Sentence("Putaran {number}", number=number), **kinds}, path="/uji-keamanan")
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
