"""The handover (BAST) of a contract: rounds, and the three signatures of each (S05)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.contract import Contract
from services.budget.model.table import Table
from shared.database import Kept
from shared.identity import Role

HANDOVER_ROLES = (Role.VENDOR, Role.APP_HEAD, Role.PPK)


class HandoverStatus(StrEnum):
    """How far one round of a handover is."""

    DRAFT = "draft"
    SIGNED = "signed"
    REOPENED = "reopened"


HANDOVER_LABELS = {
    HandoverStatus.DRAFT: "Menunggu tanda tangan",
    HandoverStatus.SIGNED: "Ditandatangani",
    HandoverStatus.REOPENED: "Dibuka kembali",
}


class Handover(Kept, Table):
    """One round of the handover of one contract."""

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("contract_id", "round"),)

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    contract: Mapped[Contract] = relationship(back_populates="handovers")
    round: Mapped[int]
    number: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[HandoverStatus] = mapped_column(String(12), default=HandoverStatus.DRAFT)
    statement: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why the round was opened again."""
    drafted_by_id: Mapped[UUID | None]
    drafted_by_name: Mapped[str] = mapped_column(String(200))
    signed_at: Mapped[datetime | None]
    paper_id: Mapped[UUID | None]
    signatures: Mapped[list["HandoverSignature"]] = relationship(order_by="HandoverSignature.created_at", lazy="joined")

    @property
    def vendor_code(self) -> str:
        """Return the code of the firm: only its own people may sign for it."""
        return self.contract.vendor.code

    @property
    def missing(self) -> list[Role]:
        """Return the parties that have not signed yet."""
        signed = {signature.role for signature in self.signatures}
        return [role for role in HANDOVER_ROLES if role not in signed]


class HandoverSignature(Kept, Table):
    """The signature of one party by one person; nobody signs twice, whatever posts they hold."""

    __tablename__ = "handover_signature"
    __table_args__ = (UniqueConstraint("handover_id", "role"), UniqueConstraint("handover_id", "person_id"))

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"))
    role: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    person_title: Mapped[str] = mapped_column(String(200), default="")
