"""The ceiling (pagu) with its balances, the decisions behind it, distributions, and the ledger of every posting.

The balances are never written by the program. Each decision, contract, distribution and payment is posted to the
ledger by a trigger (`migrations/versions/0002…`), the ledger moves the balances, and the CHECKs on them refuse what
passes a cap. An UPDATE waits for the one before it, so that holds however many do it at once.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.plan import BudgetPlan
from services.budget.model.table import Table
from shared.database import Kept


class Ceiling(Kept, Table):
    """What a plan may cost in one fiscal year, and what is bound, handed out and paid of it."""

    __tablename__ = "ceiling"
    __table_args__ = (
        UniqueConstraint("plan_id", "fiscal_year"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("committed_amount BETWEEN 0 AND amount", name="committed_within"),
        CheckConstraint("distributed_amount BETWEEN 0 AND amount", name="distributed_within"),
        CheckConstraint("paid_amount BETWEEN 0 AND committed_amount", name="paid_within"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("budget_plan.id"))
    plan: Mapped[BudgetPlan] = relationship(back_populates="ceilings")
    fiscal_year: Mapped[int]
    fund_source: Mapped[str] = mapped_column(String(60))
    document_number: Mapped[str] = mapped_column(String(80), default="")
    """DIPA or RBA number, where the planning section gives one."""
    set_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    committed_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    distributed_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    paid_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    decisions: Mapped[list["CeilingDecision"]] = relationship(
        order_by="CeilingDecision.created_at", lazy="selectin", back_populates="ceiling"
    )
    distributions: Mapped[list["Distribution"]] = relationship(order_by="Distribution.created_at", lazy="selectin")

    @property
    def left_amount(self) -> int:
        """Return what no contract has bound yet."""
        return self.amount - self.committed_amount

    @property
    def undistributed_amount(self) -> int:
        """Return what was handed to no activity yet."""
        return self.amount - self.distributed_amount


class CeilingDecision(Kept, Table):
    """A decision of the planning section that sets or changes a ceiling; never altered."""

    __tablename__ = "ceiling_decision"
    __table_args__ = (CheckConstraint("amount <> 0", name="amount"),)

    ceiling_id: Mapped[UUID] = mapped_column(ForeignKey("ceiling.id"), index=True)
    ceiling: Mapped[Ceiling] = relationship(back_populates="decisions")
    amount: Mapped[int] = mapped_column(BigInteger)
    accounts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """`[{"account_code": "525113", "amount": 117500000}, …]`; sums to `amount`, which the trigger checks."""
    decided_on: Mapped[date]
    decided_by_id: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    paper_id: Mapped[UUID | None]


class Distribution(Kept, Table):
    """Part of a ceiling that was handed to an activity (S06); never altered."""

    __tablename__ = "distribution"
    __table_args__ = (CheckConstraint("amount <> 0", name="amount"),)

    ceiling_id: Mapped[UUID] = mapped_column(ForeignKey("ceiling.id"), index=True)
    contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("contract.id"), index=True)
    account_code: Mapped[str] = mapped_column(ForeignKey("account.code"))
    activity: Mapped[str] = mapped_column(String(200))
    amount: Mapped[int] = mapped_column(BigInteger)
    distributed_by_id: Mapped[UUID | None]
    distributed_by_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")


class Entry(Table):
    """One posting of the ledger, written by a trigger and never altered; a correction is another posting."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("kind IN ('ceiling', 'commitment', 'distribution', 'payment')", name="kind"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_entry_ceiling_id_id", "ceiling_id", "id"),
        Index("ix_entry_contract_id_id", "contract_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    kind: Mapped[str] = mapped_column(String(16))
    ceiling_id: Mapped[UUID] = mapped_column(ForeignKey("ceiling.id"))
    contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("contract.id"))
    term_id: Mapped[UUID | None] = mapped_column(ForeignKey("term.id"))
    account_code: Mapped[str] = mapped_column(String(10), server_default=text("''"))
    amount: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[UUID]
    """The decision, contract, distribution or payment that was posted."""
