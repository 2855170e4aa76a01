"""The budget plan (RAB) of a case: its versions, their lines, and how far the plan is."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.table import Table
from shared.database import Kept
from shared.errors import OutOfTurn
from shared.messages import ApplicationFacts
from shared.sentence import Sentence

if TYPE_CHECKING:
    from services.budget.model.ceiling import Ceiling
    from services.budget.model.contract import Contract
    from services.budget.model.conveyance import Conveyance


class PlanStatus(StrEnum):
    """How far a budget plan is."""

    DRAFT = "draft"
    LOCKED = "locked"
    CONVEYING = "conveying"
    SENT = "sent"
    DEFERRED = "deferred"
    BUDGETED = "budgeted"


PLAN_LABELS = {
    PlanStatus.DRAFT: "RAB disusun",
    PlanStatus.LOCKED: "RAB dikunci",
    PlanStatus.CONVEYING: "Penyampaian disiapkan",
    PlanStatus.SENT: "Di Bagian Perencanaan",
    PlanStatus.DEFERRED: "Ditunda, anggaran belum tersedia",
    PlanStatus.BUDGETED: "Pagu ditetapkan",
}
PLAN_MOVES = {
    "draft_lines": ({PlanStatus.DRAFT}, PlanStatus.DRAFT),
    "lock": ({PlanStatus.DRAFT}, PlanStatus.LOCKED),
    "reopen": ({PlanStatus.LOCKED}, PlanStatus.DRAFT),
    "convey": ({PlanStatus.LOCKED}, PlanStatus.CONVEYING),
    "sign_off": ({PlanStatus.CONVEYING}, PlanStatus.CONVEYING),
    "approve_conveyance": ({PlanStatus.CONVEYING}, PlanStatus.SENT),
    "withhold": ({PlanStatus.CONVEYING}, PlanStatus.LOCKED),
    "set_ceiling": ({PlanStatus.SENT}, PlanStatus.BUDGETED),
    "return_plan": ({PlanStatus.SENT}, PlanStatus.LOCKED),
    "defer_plan": ({PlanStatus.SENT}, PlanStatus.DEFERRED),
}
"""Each move once: from which statuses, to which."""


class Account(Table):
    """One code of the chart of accounts, as the finance office keeps it."""

    __tablename__ = "account"

    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10))
    """53 is capital; 52 is goods and services."""
    fund_source: Mapped[str] = mapped_column(String(60), default="")


class BudgetPlan(Kept, Table):
    """The budget plan of one case, opened when the case enters the work programme (S02)."""

    __tablename__ = "budget_plan"
    __table_args__ = (
        Index("ix_budget_plan_created_at_id", "created_at", "id"),
        Index("ix_budget_plan_unit", "application_unit", "created_at"),
        Index("ix_budget_plan_status", "status", "created_at"),
    )

    case_id: Mapped[UUID] = mapped_column(unique=True)
    case_number: Mapped[str] = mapped_column(String(40), unique=True)
    application_code: Mapped[str] = mapped_column(String(40))
    application_name: Mapped[str] = mapped_column(String(200))
    application_unit: Mapped[str] = mapped_column(String(20))
    application: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """All that was told of the application, for the messages that pass it on."""
    fiscal_year: Mapped[int]
    estimated_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[PlanStatus] = mapped_column(String(20), default=PlanStatus.DRAFT)
    halted_status: Mapped[str] = mapped_column(String(40), default="")
    """Status of a case that was deferred or cancelled; empty while it goes on."""
    halted_note: Mapped[str] = mapped_column(Text, default="")
    minutes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    terms_of_reference_digest: Mapped[str] = mapped_column(String(64), default="")
    meetings_concluded_at: Mapped[datetime | None]
    live_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    """When this division heard that the application was retired; what is owed is paid all the same."""
    versions: Mapped[list["PlanVersion"]] = relationship(order_by="PlanVersion.version", lazy="selectin")
    conveyances: Mapped[list["Conveyance"]] = relationship(order_by="Conveyance.round", back_populates="plan")
    ceilings: Mapped[list["Ceiling"]] = relationship(order_by="Ceiling.fiscal_year", back_populates="plan")
    contracts: Mapped[list["Contract"]] = relationship(order_by="Contract.created_at", back_populates="plan")

    @property
    def facts(self) -> ApplicationFacts:
        """Return what was told of the application."""
        return ApplicationFacts.model_validate(self.application)

    @property
    def current(self) -> "PlanVersion":
        """Return the newest version."""
        return self.versions[-1]

    @property
    def conveyance(self) -> "Conveyance | None":
        """Return the newest conveyance."""
        return self.conveyances[-1] if self.conveyances else None

    @property
    def ceiling(self) -> "Ceiling | None":
        """Return the ceiling of the newest fiscal year."""
        return self.ceilings[-1] if self.ceilings else None

    @property
    def path(self) -> str:
        """Return the plan's page."""
        return f"/rab/{self.id}"

    def must_go_on(self) -> None:
        """Raise OutOfTurn while the case is deferred or cancelled (CaseHalted)."""
        if self.halted_status:
            raise OutOfTurn(
                Sentence(
                    "Perkara {case_number} sedang ditunda atau dibatalkan, sehingga anggarannya menunggu. Tindakan "
                    "ini dapat dilakukan setelah perkara dilanjutkan.",
                    case_number=self.case_number,
                ),
                code="case_halted",
            )

    def move(self, name: str) -> None:
        """Make a move of `PLAN_MOVES`; raise OutOfTurn when the status does not allow it."""
        self.must_go_on()
        sources, target = PLAN_MOVES[name]
        if self.status not in sources:
            raise OutOfTurn(
                Sentence(
                    "RAB perkara {case_number} berstatus “{status}”, sehingga tindakan ini belum atau tidak lagi "
                    "dapat dilakukan. Muat ulang halaman RAB.",
                    case_number=self.case_number,
                    status=PLAN_LABELS[PlanStatus(self.status)],
                )
            )
        self.status = target

    def allows(self, name: str) -> bool:
        """Tell whether the status allows a move."""
        return not self.halted_status and self.status in PLAN_MOVES[name][0]


class PlanVersion(Kept, Table):
    """One version of a budget plan; once locked the database lets nobody change it or its lines."""

    __tablename__ = "plan_version"
    __table_args__ = (
        UniqueConstraint("plan_id", "version"),
        CheckConstraint("total_before_rounding_amount = subtotal_amount + vat_amount", name="before_rounding"),
        CheckConstraint("total_amount = total_before_rounding_amount + rounding_amount", name="total"),
        CheckConstraint("rounding_amount BETWEEN -999 AND 0", name="rounding"),
        CheckConstraint("tax_base_amount BETWEEN 0 AND subtotal_amount", name="tax_base"),
        CheckConstraint("locked_at IS NULL OR total_amount > 0", name="locked_with_total"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("budget_plan.id"))
    plan: Mapped[BudgetPlan] = relationship(back_populates="versions")
    version: Mapped[int]
    fiscal_year: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why this version was opened."""
    revision: Mapped[int] = mapped_column(default=0)
    """Counts the changes of a draft; two who edit at once are told apart by it."""
    vat_percent: Mapped[int]
    vat_numerator: Mapped[int]
    vat_denominator: Mapped[int]
    vat_source: Mapped[str] = mapped_column(String(60))
    subtotal_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_base_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    vat_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    total_before_rounding_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    rounding_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    total_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    by_account: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    drafted_by_id: Mapped[UUID | None]
    drafted_by_name: Mapped[str] = mapped_column(String(200), default="")
    locked_by_id: Mapped[UUID | None]
    locked_by_name: Mapped[str] = mapped_column(String(200), default="")
    locked_at: Mapped[datetime | None]
    paper_id: Mapped[UUID | None]
    lines: Mapped[list["PlanLine"]] = relationship(
        order_by="PlanLine.no", lazy="selectin", cascade="all, delete-orphan", back_populates="version"
    )

    @property
    def tag(self) -> str:
        """Name the state of the version that somebody saw, for whoever edits it at the same time."""
        return f"{self.version}.{self.revision}"


class PlanLine(Kept, Table):
    """One line of a version: amount = volume x unit price, which the database checks."""

    __tablename__ = "plan_line"
    __table_args__ = (
        UniqueConstraint("version_id", "no"),
        CheckConstraint("amount = volume * unit_price_amount", name="amount"),
        CheckConstraint("volume > 0 AND unit_price_amount >= 0", name="not_negative"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("plan_version.id"))
    version: Mapped[PlanVersion] = relationship(back_populates="lines")
    no: Mapped[int]
    group_name: Mapped[str] = mapped_column(String(100), default="")
    account_code: Mapped[str] = mapped_column(ForeignKey("account.code"))
    description: Mapped[str] = mapped_column(String(300))
    volume: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(40))
    unit_price_amount: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    taxable: Mapped[bool]
