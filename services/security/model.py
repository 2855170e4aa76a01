"""Security tests with their scans, findings and answers, and the permits that follow from them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.database import House, Kept, new_metadata
from shared.errors import OutOfTurn
from shared.search import Searchable
from shared.sentence import Sentence


class Table(House):
    """A table of the security division's own database."""

    __abstract__ = True
    metadata = new_metadata()


class TestStatus(StrEnum):
    """How far a round of the security test is."""

    __test__ = False

    WAITING = "waiting"
    SCANNING = "scanning"
    REVIEWING = "reviewing"
    SUBMITTED = "submitted"
    PASSED = "passed"
    FAILED = "failed"
    SUPERSEDED = "superseded"


STATUS_LABELS = {
    TestStatus.WAITING: "Menunggu penguji",
    TestStatus.SCANNING: "Pemindaian berjalan",
    TestStatus.REVIEWING: "Diperiksa penguji",
    TestStatus.SUBMITTED: "Menunggu putusan",
    TestStatus.PASSED: "Lulus",
    TestStatus.FAILED: "Tidak lulus",
    TestStatus.SUPERSEDED: "Digantikan paket baru",
}
MOVES = {
    "start": ({TestStatus.WAITING}, TestStatus.SCANNING),
    "rescan": ({TestStatus.REVIEWING}, TestStatus.SCANNING),
    "finish_scanning": ({TestStatus.SCANNING}, TestStatus.REVIEWING),
    "add_finding": ({TestStatus.REVIEWING}, TestStatus.REVIEWING),
    "mend_finding": ({TestStatus.REVIEWING}, TestStatus.REVIEWING),
    "answer_controls": ({TestStatus.REVIEWING}, TestStatus.REVIEWING),
    "submit": ({TestStatus.REVIEWING}, TestStatus.SUBMITTED),
    "send_back": ({TestStatus.SUBMITTED}, TestStatus.REVIEWING),
    "clear": ({TestStatus.SUBMITTED}, TestStatus.PASSED),
    "fail": ({TestStatus.SUBMITTED}, TestStatus.FAILED),
    "supersede": (
        {TestStatus.WAITING, TestStatus.SCANNING, TestStatus.REVIEWING, TestStatus.SUBMITTED},
        TestStatus.SUPERSEDED,
    ),
}
"""Each move once: from which statuses, to which."""
ENDED = (TestStatus.PASSED, TestStatus.FAILED, TestStatus.SUPERSEDED)


class KnownCase(Table):
    """What this division knows of a case, as others told it."""

    __tablename__ = "known_case"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str] = mapped_column(String(40), unique=True)
    code: Mapped[str] = mapped_column(String(40), default="")
    name: Mapped[str] = mapped_column(String(200), default="")
    unit: Mapped[str] = mapped_column(String(20), default="")
    vendor: Mapped[str] = mapped_column(String(20), default="")
    live_digest: Mapped[str] = mapped_column(String(64), default="")
    """Digest that users see; empty while the application is closed."""


class SecurityTest(Kept, Table):
    """One round of the security test of one build at its closed address."""

    __tablename__ = "security_test"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        Index("ix_security_test_created_at_id", "created_at", "id"),
        Index("ix_security_test_status", "status", "created_at"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("known_case.case_id"))
    case: Mapped[KnownCase] = relationship(lazy="joined", innerjoin=True)
    round: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    release_id: Mapped[UUID] = mapped_column(unique=True)
    release_number: Mapped[int]
    hosting: Mapped[str] = mapped_column(String(100))
    closed_host: Mapped[str] = mapped_column(String(300))
    connect_address: Mapped[str] = mapped_column(String(300))
    connect_port: Mapped[int]
    installed_by_id: Mapped[UUID]
    status: Mapped[TestStatus] = mapped_column(String(20), default=TestStatus.WAITING)
    tester_id: Mapped[UUID | None]
    tester_name: Mapped[str] = mapped_column(String(200), default="")
    number: Mapped[str] = mapped_column(String(80), default="")
    """Number of the record, given with the verdict."""
    paper_digest: Mapped[str] = mapped_column(String(64), default="")
    verdict_note: Mapped[str] = mapped_column(Text, default="")
    verdict_by_id: Mapped[UUID | None]
    verdict_by_name: Mapped[str] = mapped_column(String(200), default="")
    verdict_at: Mapped[datetime | None]
    scans: Mapped[list["Scan"]] = relationship(order_by="Scan.created_at")

    def require(self, name: str) -> None:
        """Raise OutOfTurn when the status does not allow a move."""
        if not self.allows(name):
            raise OutOfTurn(
                Sentence(
                    "Uji keamanan ini berstatus “{status}”, sehingga tindakan ini belum atau tidak lagi dapat "
                    "dilakukan. Muat ulang halaman uji.",
                    status=STATUS_LABELS[TestStatus(self.status)],
                )
            )

    def move(self, name: str) -> None:
        """Make a move of `MOVES`; raise OutOfTurn when the status does not allow it."""
        self.require(name)
        self.status = MOVES[name][1]

    def allows(self, name: str) -> bool:
        """Tell whether the status allows a move."""
        return name in MOVES and self.status in MOVES[name][0]


class Scan(Kept, Table):
    """One run of one engine; `result` is its whole answer, null while it runs."""

    __tablename__ = "scan"
    __table_args__ = (Index("ix_scan_test_id", "test_id", "created_at"),)

    test_id: Mapped[UUID] = mapped_column(ForeignKey("security_test.id"))
    engine: Mapped[str] = mapped_column(String(40))
    job_id: Mapped[UUID]
    is_complete: Mapped[bool] = mapped_column(default=False)
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class FindingStatus(StrEnum):
    """What became of a finding."""

    OPEN = "open"
    FIXED = "fixed"


class FindingRow(Kept, Table):
    """A fault of an application, the same row through all rounds."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("case_id", "fingerprint"),
        Index("ix_finding_open", "case_id", postgresql_where=text("status = 'open'")),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("known_case.case_id"))
    fingerprint: Mapped[str] = mapped_column(String(32))
    engine: Mapped[str] = mapped_column(String(40))
    rule: Mapped[str] = mapped_column(String(80))
    control: Mapped[str] = mapped_column(String(4))
    cwe: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(Text)
    risk: Mapped[str] = mapped_column(Text)
    where: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    recommendation: Mapped[str] = mapped_column(Text)
    status: Mapped[FindingStatus] = mapped_column(String(10), default=FindingStatus.OPEN)
    first_round: Mapped[int]
    last_round: Mapped[int]
    due_on: Mapped[date | None]


class ControlAnswer(Table):
    """What a person answered to one of the 72 controls in one round."""

    __tablename__ = "control_answer"

    test_id: Mapped[UUID] = mapped_column(ForeignKey("security_test.id"), primary_key=True)
    control: Mapped[str] = mapped_column(String(4), primary_key=True)
    answer: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")
    by_name: Mapped[str] = mapped_column(String(200))


class PermitRow(Kept, Table):
    """A permit that was given, as it was signed."""

    __tablename__ = "permit"
    __table_args__ = (Index("ix_permit_case_id", "case_id", "created_at"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("known_case.case_id"))
    test_id: Mapped[UUID] = mapped_column(ForeignKey("security_test.id"), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    signed: Mapped[str] = mapped_column(Text)
    valid_until: Mapped[datetime]
    given_by_id: Mapped[UUID]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(Text, default="")


CASES_SEARCHED = Searchable(
    KnownCase, number="case_number", names=("case_number", "code", "name"), about=("unit", "vendor"), near=("name",)
)
TESTS_SEARCHED = Searchable(
    SecurityTest, number="number", names=("number",), about=("closed_host",), near=("closed_host",)
)
FINDINGS_SEARCHED = Searchable(
    FindingRow, names=("title", "cwe", "rule", "control"), text=("where", "risk"), near=("title",)
)
"""What may be searched, and by which words."""
