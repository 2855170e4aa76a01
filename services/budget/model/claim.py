"""Claims of the vendor for a term, and the payments that answer them (S06)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.contract import IN_FORCE, Contract, ContractStatus, Term
from services.budget.model.table import Table
from shared.database import Kept
from shared.errors import OutOfTurn
from shared.sentence import Sentence


class ClaimStatus(StrEnum):
    """How far a claim is."""

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    PAID = "paid"
    REFUSED = "refused"


CLAIM_LABELS = {
    ClaimStatus.SUBMITTED: "Menunggu pemeriksaan Divisi Aplikasi",
    ClaimStatus.VERIFIED: "Menunggu pembayaran Bendahara",
    ClaimStatus.PAID: "Dibayar",
    ClaimStatus.REFUSED: "Ditolak",
}
CLAIM_MOVES = {
    "verify_claim": ({ClaimStatus.SUBMITTED}, ClaimStatus.VERIFIED),
    "pay": ({ClaimStatus.VERIFIED}, ClaimStatus.PAID),
    "refuse_claim": ({ClaimStatus.SUBMITTED, ClaimStatus.VERIFIED}, ClaimStatus.REFUSED),
}


class Claim(Kept, Table):
    """A claim for one term of one contract; a term has one open or paid claim at most."""

    __tablename__ = "claim"
    __table_args__ = (
        Index("uq_claim_standing", "term_id", unique=True, postgresql_where="status <> 'refused'"),
        Index("ix_claim_created_at_id", "created_at", "id"),
        Index("ix_claim_contract_id", "contract_id", "created_at"),
        Index("ix_claim_status", "status", "created_at"),
        CheckConstraint("amount > 0", name="amount"),
    )

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    contract: Mapped[Contract] = relationship(back_populates="claims", lazy="joined", innerjoin=True)
    term_id: Mapped[UUID] = mapped_column(ForeignKey("term.id"))
    term: Mapped[Term] = relationship(lazy="joined", innerjoin=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    invoice_number: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[ClaimStatus] = mapped_column(String(12), default=ClaimStatus.SUBMITTED)
    claimed_by_id: Mapped[UUID | None]
    claimed_by_name: Mapped[str] = mapped_column(String(200))
    verified_by_id: Mapped[UUID | None]
    verified_by_name: Mapped[str] = mapped_column(String(200), default="")
    verified_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None]
    answered_by_name: Mapped[str] = mapped_column(String(200), default="")
    answered_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    payment: Mapped["Payment | None"] = relationship(back_populates="claim", lazy="joined", uselist=False)

    @property
    def vendor_code(self) -> str:
        """Return the code of the firm that claims."""
        return self.contract.vendor.code

    @property
    def waits_for_handover(self) -> bool:
        """Tell whether this is the last payment and the handover is not signed yet (sop S06: exit)."""
        return self.contract.status == ContractStatus.SIGNED and self.contract.is_last(self.term)

    def move(self, name: str) -> None:
        """Make a move of `CLAIM_MOVES`; raise OutOfTurn when the status does not allow it."""
        self.contract.plan.must_go_on()
        sources, target = CLAIM_MOVES[name]
        if self.status not in sources:
            raise OutOfTurn(
                Sentence(
                    "Tagihan termin {no} berstatus “{status}”, sehingga tindakan ini belum atau tidak lagi dapat "
                    "dilakukan. Muat ulang halaman tagihan.",
                    no=self.term.no,
                    status=CLAIM_LABELS[ClaimStatus(self.status)],
                )
            )
        self.status = target

    def allows(self, name: str) -> bool:
        """Tell whether a move is in turn."""
        if self.contract.plan.halted_status or self.status not in CLAIM_MOVES[name][0]:
            return False
        return name != "pay" or (self.contract.status in IN_FORCE and not self.waits_for_handover)


class Payment(Kept, Table):
    """Money that left; the database lets nobody change or delete it, a correction is a counter-payment."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("CASE WHEN corrects_id IS NULL THEN amount > 0 ELSE amount < 0 END", name="amount"),
        Index("uq_payment_claim_id", "claim_id", unique=True),
        Index("ix_payment_contract_id", "contract_id", "created_at"),
    )

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    term_id: Mapped[UUID] = mapped_column(ForeignKey("term.id"))
    term: Mapped[Term] = relationship(lazy="joined", innerjoin=True)
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claim.id"))
    claim: Mapped[Claim | None] = relationship(back_populates="payment")
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    account_code: Mapped[str] = mapped_column(ForeignKey("account.code"))
    paid_on: Mapped[date]
    spm_number: Mapped[str] = mapped_column(String(80))
    sp2d_number: Mapped[str] = mapped_column(String(80))
    is_before_permit: Mapped[bool] = mapped_column(default=False)
    """The last payment left before the application was opened: allowed, but shown."""
    paid_by_id: Mapped[UUID | None]
    paid_by_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    paper_id: Mapped[UUID | None]
