"""Contracts with their payment terms, the documents that the vendor delivers, and the financial report (S05)."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.budget.model.ceiling import Ceiling, Distribution
from services.budget.model.plan import BudgetPlan
from services.budget.model.table import Table
from services.budget.model.vendor import Vendor
from shared.database import Kept
from shared.errors import OutOfTurn
from shared.sentence import Sentence

if TYPE_CHECKING:
    from services.budget.model.claim import Claim, Payment
    from services.budget.model.handover import Handover


class ContractStatus(StrEnum):
    """How far a contract is."""

    DRAFT = "draft"
    SIGNED = "signed"
    HANDED_OVER = "handed_over"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"


CONTRACT_LABELS = {
    ContractStatus.DRAFT: "Konsep, menunggu tanda tangan PPK",
    ContractStatus.SIGNED: "Berjalan",
    ContractStatus.HANDED_OVER: "Sudah serah terima",
    ContractStatus.TERMINATED: "Dihentikan",
    ContractStatus.WITHDRAWN: "Konsep ditarik",
}
IN_FORCE = (ContractStatus.SIGNED, ContractStatus.HANDED_OVER)
BINDING = (ContractStatus.DRAFT, *IN_FORCE)
"""A draft binds its part of the ceiling already, so that two drafts cannot promise the same money."""
CONTRACT_MOVES = {
    "sign_contract": ({ContractStatus.DRAFT}, ContractStatus.SIGNED),
    "withdraw_contract": ({ContractStatus.DRAFT}, ContractStatus.WITHDRAWN),
    "terminate_contract": ({ContractStatus.SIGNED}, ContractStatus.TERMINATED),
    "hand_over": ({ContractStatus.SIGNED}, ContractStatus.HANDED_OVER),
    "reopen_handover": ({ContractStatus.HANDED_OVER}, ContractStatus.SIGNED),
}
FORM_LABELS = {
    "spk": "Surat Perintah Kerja (SPK)",
    "surat_perjanjian": "Surat perjanjian",
    "kuitansi": "Kuitansi",
    "bukti_pembelian": "Bukti pembelian",
    "surat_pesanan": "Surat pesanan",
}
METHOD_LABELS = {
    "pengadaan_langsung": "Pengadaan langsung",
    "penunjukan_langsung": "Penunjukan langsung",
    "tender": "Tender",
    "seleksi": "Seleksi",
    "e_purchasing": "E-purchasing",
}
CATEGORY_LABELS = {"jasa_lainnya": "Jasa lainnya", "barang": "Barang", "konsultansi": "Jasa konsultansi"}
DOCUMENT_ITEMS = {
    "requirements": "Spesifikasi kebutuhan (SRS)",
    "architecture": "Rancangan arsitektur",
    "database_schema": "Skema basis data",
    "api": "Dokumentasi API",
    "install_guide": "Panduan instalasi",
    "admin_guide": "Panduan admin",
    "user_guide": "Panduan pengguna",
    "acceptance_test": "Laporan uji fungsi (UAT)",
    "third_party_licences": "Daftar pustaka pihak ketiga dan lisensi",
    "backup_procedure": "Prosedur cadangan dan pemulihan",
}
"""The software documentation report (`domain.md` §5): every item has to be there."""
OPTIONAL_ITEMS = {"source_code": "Kode sumber"}
ALL_ITEMS = DOCUMENT_ITEMS | OPTIONAL_ITEMS


class Contract(Kept, Table):
    """A contract with one vendor under one ceiling."""

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("value_amount = tax_base_amount + vat_amount AND value_amount > 0", name="value"),
        CheckConstraint("committed_amount BETWEEN 0 AND value_amount", name="committed_within"),
        CheckConstraint("paid_amount BETWEEN 0 AND committed_amount", name="paid_within"),
        CheckConstraint("start_on <= end_on", name="period"),
        Index("ix_contract_created_at_id", "created_at", "id"),
        Index("ix_contract_plan_id", "plan_id", "created_at"),
        Index("ix_contract_vendor_id", "vendor_id", "created_at", "id"),
        Index("uq_contract_in_force", "plan_id", unique=True, postgresql_where="status IN ('signed', 'handed_over')"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("budget_plan.id"))
    plan: Mapped[BudgetPlan] = relationship(back_populates="contracts", lazy="joined", innerjoin=True)
    ceiling_id: Mapped[UUID] = mapped_column(ForeignKey("ceiling.id"))
    ceiling: Mapped[Ceiling] = relationship()
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendor.id"))
    vendor: Mapped[Vendor] = relationship(lazy="joined", innerjoin=True)
    number: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[ContractStatus] = mapped_column(String(20), default=ContractStatus.DRAFT)
    form: Mapped[str] = mapped_column(String(20))
    form_reason: Mapped[str] = mapped_column(Text, default="")
    """Why another form than the law proposes for the value was taken."""
    method: Mapped[str] = mapped_column(String(30))
    category: Mapped[str] = mapped_column(String(20))
    scope: Mapped[str] = mapped_column(Text, default="")
    account_code: Mapped[str] = mapped_column(ForeignKey("account.code"))
    start_on: Mapped[date]
    end_on: Mapped[date]
    tax_base_amount: Mapped[int] = mapped_column(BigInteger)
    vat_percent: Mapped[int]
    vat_numerator: Mapped[int]
    vat_denominator: Mapped[int]
    vat_source: Mapped[str] = mapped_column(String(60))
    vat_amount: Mapped[int] = mapped_column(BigInteger)
    value_amount: Mapped[int] = mapped_column(BigInteger)
    committed_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    paid_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    source_code_owner: Mapped[str] = mapped_column(String(200))
    late_fee_permille: Mapped[int] = mapped_column(default=1)
    warranty_months: Mapped[int] = mapped_column(default=6)
    rup_code: Mapped[str] = mapped_column(String(60), default="")
    procurement_ref: Mapped[str] = mapped_column(String(80), default="")
    drafted_by_id: Mapped[UUID | None]
    drafted_by_name: Mapped[str] = mapped_column(String(200))
    signed_by_id: Mapped[UUID | None]
    signed_by_name: Mapped[str] = mapped_column(String(200), default="")
    signed_at: Mapped[datetime | None]
    paper_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None]
    ended_by_name: Mapped[str] = mapped_column(String(200), default="")
    end_reason: Mapped[str] = mapped_column(Text, default="")
    documentation_accepted_at: Mapped[datetime | None]
    documentation_accepted_by_id: Mapped[UUID | None]
    documentation_accepted_by_name: Mapped[str] = mapped_column(String(200), default="")
    documentation_paper_id: Mapped[UUID | None]
    terms: Mapped[list["Term"]] = relationship(order_by="Term.no", lazy="selectin", back_populates="contract")
    documents: Mapped[list["Document"]] = relationship(
        order_by="Document.created_at", lazy="selectin", back_populates="contract"
    )
    reports: Mapped[list["FinancialReport"]] = relationship(order_by="FinancialReport.created_at", lazy="selectin")
    handovers: Mapped[list["Handover"]] = relationship(
        order_by="Handover.round", lazy="selectin", back_populates="contract"
    )
    claims: Mapped[list["Claim"]] = relationship(order_by="Claim.created_at", back_populates="contract")
    payments: Mapped[list["Payment"]] = relationship(order_by="Payment.created_at")
    distributions: Mapped[list[Distribution]] = relationship(order_by="Distribution.created_at")

    @property
    def vendor_code(self) -> str:
        """Return the code of the firm: only its own people may act for it."""
        return self.vendor.code

    @property
    def path(self) -> str:
        """Return the contract's page."""
        return f"/kontrak/{self.id}"

    @property
    def handover(self) -> "Handover | None":
        """Return the newest round of the handover."""
        return self.handovers[-1] if self.handovers else None

    def latest(self) -> dict[str, "Document"]:
        """Return the newest file of each item of the documentation."""
        return {document.item: document for document in self.documents}

    @property
    def standing_beside(self) -> "Contract | None":
        """Return another contract of the same case that is in force: one at a time."""
        return next((c for c in self.plan.contracts if c is not self and c.status in IN_FORCE), None)

    @property
    def missing_items(self) -> list[str]:
        """Return the labels of the items that have no file, or whose newest file was rejected."""
        latest = self.latest()
        return [
            label
            for item, label in DOCUMENT_ITEMS.items()
            if item not in latest or latest[item].status == DocumentStatus.REJECTED
        ]

    def lacks_for_handover(self) -> list[str]:
        """Return what keeps the handover from being drafted (sop S05: exit)."""
        lacks: list[str] = []
        if self.documentation_accepted_at is None:
            lacks.append(Sentence("laporan dokumentasi perangkat lunak yang lengkap dan diterima"))
        if not self.reports:
            lacks.append(Sentence("laporan keuangan"))
        return lacks

    def is_last(self, term: "Term") -> bool:
        """Tell whether paying this term ends the payments: the last by number, or the only one unpaid."""
        unpaid = [other for other in self.terms if other.paid_amount < other.amount]
        return term.no == self.terms[-1].no or unpaid == [term]

    def move(self, name: str) -> None:
        """Make a move of `CONTRACT_MOVES`; raise OutOfTurn when the status does not allow it."""
        self.plan.must_go_on()
        sources, target = CONTRACT_MOVES[name]
        self.must_be(*sources)
        self.status = target

    def must_be(self, *statuses: ContractStatus) -> None:
        """Raise OutOfTurn unless the contract has one of the statuses and its case goes on."""
        self.plan.must_go_on()
        if self.status not in statuses:
            raise OutOfTurn(
                Sentence(
                    "Kontrak {number} berstatus “{status}”, sehingga tindakan ini belum atau tidak lagi dapat "
                    "dilakukan. Muat ulang halaman kontrak.",
                    number=self.number,
                    status=CONTRACT_LABELS[ContractStatus(self.status)],
                )
            )


class Term(Kept, Table):
    """One payment term (termin); the terms of a contract sum to its value, which the database checks at commit."""

    __tablename__ = "term"
    __table_args__ = (
        UniqueConstraint("contract_id", "no"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("paid_amount BETWEEN 0 AND amount", name="paid_within"),
    )

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    contract: Mapped[Contract] = relationship(back_populates="terms")
    no: Mapped[int]
    percent: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    condition: Mapped[str] = mapped_column(String(300), default="")
    """What has to be there before the term may be claimed, in words."""
    paid_amount: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class DocumentStatus(StrEnum):
    """What the application division thinks of one file."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


DOCUMENT_LABELS = {
    DocumentStatus.SUBMITTED: "Menunggu pemeriksaan",
    DocumentStatus.ACCEPTED: "Diterima",
    DocumentStatus.REJECTED: "Dikembalikan",
}


class Document(Kept, Table):
    """One file that the vendor delivered for one item; a newer one does not erase it."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_contract_id", "contract_id", "item", "created_at"),)

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"))
    contract: Mapped[Contract] = relationship(back_populates="documents")
    item: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[DocumentStatus] = mapped_column(String(12), default=DocumentStatus.SUBMITTED)
    reason: Mapped[str] = mapped_column(Text, default="")
    uploaded_by_id: Mapped[UUID | None]
    uploaded_by_name: Mapped[str] = mapped_column(String(200))
    reviewed_by_id: Mapped[UUID | None]
    reviewed_by_name: Mapped[str] = mapped_column(String(200), default="")
    reviewed_at: Mapped[datetime | None]


class FinancialReport(Kept, Table):
    """A financial report as it was stored: the figures of its day and the paper."""

    __tablename__ = "financial_report"

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contract.id"), index=True)
    fiscal_year: Mapped[int]
    as_of_on: Mapped[date]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    ceiling_amount: Mapped[int] = mapped_column(BigInteger)
    realised_amount: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(Text, default="")
    stored_by_id: Mapped[UUID | None]
    stored_by_name: Mapped[str] = mapped_column(String(200))
    paper_id: Mapped[UUID | None]
