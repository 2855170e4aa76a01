"""The conveyance of a locked plan to the planning section: two sign-offs, approval, answer (S04)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.plan import BudgetPlan, PlanVersion
from services.budget.model.table import Table
from shared.database import Kept
from shared.identity import Role

SIGN_OFF_ROLES = (Role.APP_HEAD, Role.SERVICE_HEAD)


class ConveyanceStatus(StrEnum):
    """How far a conveyance is."""

    PREPARING = "preparing"
    SENT = "sent"
    WITHHELD = "withheld"
    RETURNED = "returned"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    DROPPED = "dropped"


CONVEYANCE_LABELS = {
    ConveyanceStatus.PREPARING: "Menunggu tanda tangan dan persetujuan",
    ConveyanceStatus.SENT: "Disampaikan ke Bagian Perencanaan",
    ConveyanceStatus.WITHHELD: "Tidak disetujui Kepala",
    ConveyanceStatus.RETURNED: "Dikembalikan Bagian Perencanaan",
    ConveyanceStatus.DEFERRED: "Ditunda Bagian Perencanaan",
    ConveyanceStatus.ACCEPTED: "Pagu ditetapkan",
    ConveyanceStatus.DROPPED: "Gugur karena perkara ditunda, dibatalkan atau direvisi",
}


class Conveyance(Kept, Table):
    """One attempt to convey one locked version."""

    __tablename__ = "conveyance"
    __table_args__ = (
        UniqueConstraint("plan_id", "round"),
        Index(
            "uq_conveyance_open",
            "plan_id",
            unique=True,
            postgresql_where="status IN ('preparing', 'sent')",
        ),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("budget_plan.id"))
    plan: Mapped[BudgetPlan] = relationship(back_populates="conveyances")
    version_id: Mapped[UUID] = mapped_column(ForeignKey("plan_version.id"))
    version: Mapped[PlanVersion] = relationship()
    round: Mapped[int]
    status: Mapped[ConveyanceStatus] = mapped_column(String(20), default=ConveyanceStatus.PREPARING)
    note: Mapped[str] = mapped_column(Text, default="")
    conveyed_by_id: Mapped[UUID | None]
    conveyed_by_name: Mapped[str] = mapped_column(String(200))
    approved_by_id: Mapped[UUID | None]
    approved_by_name: Mapped[str] = mapped_column(String(200), default="")
    approved_at: Mapped[datetime | None]
    letter_number: Mapped[str] = mapped_column(String(80), default="")
    letter_id: Mapped[UUID | None]
    answered_by_id: Mapped[UUID | None]
    """Who withheld, returned, deferred or set the ceiling."""
    answered_by_name: Mapped[str] = mapped_column(String(200), default="")
    answered_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    signatures: Mapped[list["ConveyanceSignature"]] = relationship(
        order_by="ConveyanceSignature.created_at", lazy="selectin"
    )

    @property
    def locked_by_id(self) -> UUID | None:
        """Return who locked the plan: not the one who sets the ceiling (domain §4)."""
        return self.version.locked_by_id

    @property
    def missing(self) -> list[Role]:
        """Return the posts that have not signed yet."""
        signed = {signature.role for signature in self.signatures}
        return [role for role in SIGN_OFF_ROLES if role not in signed]

    @property
    def app_head_id(self) -> UUID | None:
        """Return who signed for the application division."""
        return self._signer(Role.APP_HEAD)

    @property
    def service_head_id(self) -> UUID | None:
        """Return who signed for the service division."""
        return self._signer(Role.SERVICE_HEAD)

    def _signer(self, role: Role) -> UUID | None:
        return next((s.person_id for s in self.signatures if s.role == role), None)


class ConveyanceSignature(Kept, Table):
    """The sign-off of one post by one person; nobody signs twice, whatever posts they hold."""

    __tablename__ = "conveyance_signature"
    __table_args__ = (UniqueConstraint("conveyance_id", "role"), UniqueConstraint("conveyance_id", "person_id"))

    conveyance_id: Mapped[UUID] = mapped_column(ForeignKey("conveyance.id"))
    role: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    person_title: Mapped[str] = mapped_column(String(200), default="")
