"""The papers that the division issued: number, code for checking, and the file in the store."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.budget.model.table import Table
from shared.database import Kept
from shared.messages import PaperFact


class IssuedPaper(Kept, Table):
    """One PDF that was issued, kept in the store under its digest."""

    __tablename__ = "issued_paper"
    __table_args__ = (
        Index("ix_issued_paper_plan_id", "plan_id", "created_at"),
        Index("ix_issued_paper_contract_id", "contract_id", "created_at"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("budget_plan.id"))
    contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("contract.id"))
    """Set on what the vendor of the contract may see too."""
    kind: Mapped[str] = mapped_column(String(40))
    """Key of the paper in the procedure, e.g. "kontrak_spk"."""
    title: Mapped[str] = mapped_column(String(300))
    number: Mapped[str] = mapped_column(String(80), default="")
    code: Mapped[str] = mapped_column(String(20), unique=True)
    digest: Mapped[str] = mapped_column(String(64))

    @property
    def fact(self) -> PaperFact:
        """Return the paper as messages name it."""
        return PaperFact(kind=self.kind, title=self.title, number=self.number, digest=self.digest)
