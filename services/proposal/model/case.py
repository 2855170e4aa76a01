"""The case: one application on its way through the procedure, with its number, status and history."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, object_session, relationship

from services.proposal.model.sop import procedure_of
from services.proposal.model.table import Table
from shared.database import Kept, utc_now
from shared.errors import OutOfTurn
from shared.messages import ApplicationFacts
from shared.procedure import Move, Procedure, procedure
from shared.sentence import Sentence

FIRST = "draft"
"""The status in which a case begins."""
AT_REST = frozenset({FIRST, "rejected", "cancelled", "retired"})
"""Statuses in which a case is not on its way: not yet submitted, or ended."""
STANDS = AT_REST | {"live"}
"""Statuses in which nothing is awaited; an application in use is at its goal."""


class Kind(StrEnum):
    """What is asked for (features a16)."""

    NEW = "new"
    MODULE = "module"
    WEBSITE = "website"
    FURTHER_DEVELOPMENT = "further_development"
    RETENDER = "retender"
    SHUT_DOWN = "shut_down"


KIND_LABELS = {
    Kind.NEW: "Aplikasi baru",
    Kind.MODULE: "Modul baru pada aplikasi yang ada",
    Kind.WEBSITE: "Situs web",
    Kind.FURTHER_DEVELOPMENT: "Pengembangan lanjutan",
    Kind.RETENDER: "Pengadaan ulang",
    Kind.SHUT_DOWN: "Penghentian aplikasi",
}


class Case(Kept, Table):
    """One application case (perkara): one number, one status, one trace."""

    __tablename__ = "application_case"
    __table_args__ = (
        Index("ix_application_case_created_at_id", "created_at", "id"),
        Index("ix_application_case_unit", "unit", "created_at", "id"),
        Index("ix_application_case_status_created_at", "status", "created_at", "id"),
        Index("ix_application_case_proposer_id", "proposer_id", "created_at", "id"),
        Index("ix_application_case_waiting", "status", "entered_at"),
        Index("ix_application_case_unit_waiting", "unit", "status", "entered_at"),
        Index("ix_application_case_fiscal_year", "fiscal_year", "created_at", "id"),
        Index("ix_application_case_parent_case_id", "parent_case_id"),
        Index("ix_application_case_vendor", "vendor", "created_at", "id"),
        # A name is free again when its case ended without an application.
        Index(
            "uq_application_case_code_open",
            "code",
            unique=True,
            postgresql_where=text("status NOT IN ('rejected', 'cancelled')"),
        ),
        CheckConstraint("expected_users >= 0", name="expected_users_not_negative"),
        CheckConstraint(
            "coalesce(plan_amount, 0) >= 0 AND coalesce(ceiling_amount, 0) >= 0"
            " AND coalesce(contract_amount, 0) >= 0 AND coalesce(paid_amount, 0) >= 0",
            name="amounts_not_negative",
        ),
    )

    number: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(30), default=FIRST, active_history=True)
    entered_at: Mapped[datetime] = mapped_column(default=utc_now, active_history=True)
    """When the present status began."""
    status_reason: Mapped[str] = mapped_column(Text, default="")
    """The reason written with the last refusal, shown until the case moves on."""
    sop_version: Mapped[int]
    edition: Mapped[int] = mapped_column(default=1)
    """Grows with each change of what people write; the ETag."""

    kind: Mapped[Kind] = mapped_column(String(30))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20), active_history=True)
    purpose: Mapped[str] = mapped_column(Text, default="")
    tech: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    personal_data: Mapped[str] = mapped_column(String(10), default="none")
    criticality: Mapped[str] = mapped_column(String(10), default="medium")
    expected_users: Mapped[int] = mapped_column(default=0)
    """People who are expected to use it."""

    proposer_id: Mapped[UUID]
    proposer_name: Mapped[str] = mapped_column(String(200))
    proposer_unit: Mapped[str | None] = mapped_column(String(20))
    is_from_app_head: Mapped[bool] = mapped_column(default=False)
    """Proposed by the head of the application division himself: the Head accepts it (S11)."""
    parent_case_id: Mapped[UUID | None] = mapped_column(ForeignKey("application_case.id"))
    evaluation_id: Mapped[UUID | None]
    """The evaluation that advised this case (S11)."""
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("application_case.id"))
    is_taken_over: Mapped[bool] = mapped_column(default=False, active_history=True)
    """Began outside Alur and was taken over in the middle."""

    fiscal_year: Mapped[int | None] = mapped_column(active_history=True)
    analysis_version: Mapped[int] = mapped_column(default=0)
    terms_version: Mapped[int] = mapped_column(default=0)
    recommended_by_id: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    override_reason: Mapped[str] = mapped_column(Text, default="")
    """Why the Head lets a late approval into the coming year's work programme."""

    plan_version: Mapped[int | None]
    plan_amount: Mapped[int | None] = mapped_column(BigInteger)
    is_plan_locked: Mapped[bool] = mapped_column(default=False)
    ceiling_amount: Mapped[int | None] = mapped_column(BigInteger)
    vendor: Mapped[str | None] = mapped_column(String(40))
    vendor_name: Mapped[str] = mapped_column(String(200), default="")
    contract_number: Mapped[str] = mapped_column(String(80), default="")
    contract_amount: Mapped[int | None] = mapped_column(BigInteger)
    paid_amount: Mapped[int | None] = mapped_column(BigInteger)

    digest: Mapped[str] = mapped_column(String(64), default="")
    """The build that is under work now: received, installed for testing or tested last."""
    installed_digest: Mapped[str] = mapped_column(String(64), default="")
    """The build that stands at the closed address."""
    live_digest: Mapped[str] = mapped_column(String(64), default="")
    """The build that users see."""
    address: Mapped[str] = mapped_column(String(300), default="")
    live_at: Mapped[datetime | None] = mapped_column(active_history=True)

    history: WriteOnlyMapped["CaseStatus"] = relationship(order_by="CaseStatus.at", passive_deletes=True)

    @property
    def sop(self) -> Procedure:
        """Return the version of the procedure under which this case runs."""
        return procedure_of(object_session(self), self.sop_version)

    @property
    def label(self) -> str:
        """Return the Indonesian word for the present status."""
        # Statuses and moves are the same in every version: no question is asked for them.
        return procedure().statuses[self.status].label

    @property
    def facts(self) -> ApplicationFacts:
        """Return what other divisions need to know of the application."""
        return ApplicationFacts(
            code=self.code,
            name=self.name,
            unit=self.unit,
            purpose=self.purpose,
            personal_data=self.personal_data,
            criticality=self.criticality,
        )

    def next(self, name: str) -> Move | None:
        """Return the move of that name from the present status, or None when it is not its turn."""
        return procedure().move(self.status, name)

    def require(self, name: str) -> Move:
        """Return the move of that name from the present status; raise OutOfTurn in words that name the status."""
        move = self.next(name)
        if move is None:
            raise OutOfTurn(
                Sentence(
                    "Perkara {number} kini berstatus “{label}”, sehingga tindakan ini belum atau tidak lagi dapat "
                    "dilakukan. Muat ulang halaman perkara untuk melihat apa yang dapat dilakukan sekarang.",
                    number=self.number,
                    label=self.label,
                )
            )
        return move

    def move(
        self,
        name: str,
        *,
        by_id: UUID | None,
        by_name: str,
        reason: str = "",
        at: datetime | None = None,
    ) -> Move:
        """Make a move of the procedure's version of this case and note it in the history; raise OutOfTurn."""
        move = self.require(name)
        at = at or utc_now()
        self.history.add(
            CaseStatus(
                source=self.status,
                move=name,
                status=move.target,
                at=at,
                by_id=by_id,
                by_name=by_name,
                reason=reason,
            )
        )
        self.status, self.entered_at, self.status_reason = move.target, at, reason
        return move


class CaseStatus(Kept, Table):
    """One change of status: from which, by which move, to which, when and by whom."""

    __tablename__ = "case_status"
    __table_args__ = (Index("ix_case_status_case_id", "case_id", "at"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    source: Mapped[str] = mapped_column(String(30))
    """Status before; empty where the case began."""
    move: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    by_name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text, default="")

    # Measured when the next status comes, and again when the calendar changes (`model.clock`).
    step: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """Step at which the case stood; empty where it was not on its way."""
    left_at: Mapped[datetime | None]
    worked_minutes: Mapped[int | None]
    worked_days: Mapped[int | None]
    stay_minutes: Mapped[int | None]
    """Of this status and those of the same step right before it."""
    stay_days: Mapped[int | None]
    ends_stay: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """The next status belongs to another step."""


class Counter(Table):
    """The last number given out in a series of a year."""

    __tablename__ = "counter"

    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
