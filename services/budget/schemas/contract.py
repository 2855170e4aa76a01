"""Shapes of vendors, contracts, documents, handovers, claims and payments at both doors."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.budget import actions
from services.budget.model import ALL_ITEMS, CATEGORY_LABELS, FORM_LABELS, METHOD_LABELS
from services.budget.schemas.money import AREA, FILE, MONEY, Amount, labelled
from services.budget.schemas.plan import AccountAmount, DistributionView, SignatureView, View

FORM_CHOICES = {"": "Menurut nilai kontrak"} | FORM_LABELS
ITEM_CHOICES = {"": "Semua dokumen"} | ALL_ITEMS


class VendorData(BaseModel):
    """What is known of a firm."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=3, max_length=200, title="Nama penyedia")
    npwp: str = Field("", max_length=30, pattern=r"^[0-9.\-]{0,30}$", title="NPWP", description="Angka, titik, strip.")
    is_pkp: bool = Field(False, title="Pengusaha Kena Pajak (memungut PPN)")
    city: str = Field("", max_length=100, title="Kota")
    director: str = Field("", max_length=200, title="Direktur atau penanda tangan")


class NewVendor(VendorData):
    """A firm to register."""

    code: str = Field(
        pattern=r"^[A-Z][A-Z0-9]{1,19}$", title="Kode", description="Huruf besar dan angka, misalnya CKD."
    )


class AmendedVendor(VendorData):
    """A firm's corrected data, with its code."""

    code: str = Field(max_length=20, title="Kode", description="Kode penyedia yang datanya diubah.")


class TermIn(BaseModel):
    """A payment term."""

    model_config = ConfigDict(extra="forbid")

    percent: int = Field(ge=1, le=100, title="Persen")
    amount: Amount | None = Field(
        None, title="Jumlah", description="Kosongkan untuk dihitung dari persen.", json_schema_extra=MONEY
    )
    condition: str = Field("", max_length=300, title="Syarat")


class ContractData(BaseModel):
    """A contract to draft. VAT and value follow from the tax base and the vendor; when given they must agree."""

    model_config = ConfigDict(extra="forbid")

    vendor: str = Field(max_length=20, title="Penyedia", description="Kode penyedia, misalnya CKD.")
    number: str = Field("", max_length=80, title="Nomor kontrak", description="Kosongkan untuk nomor otomatis.")
    tax_base_amount: Amount = Field(title="Dasar pengenaan pajak", json_schema_extra=MONEY)
    vat_amount: Amount | None = Field(
        None, title="PPN", description="Kosongkan untuk dihitung.", json_schema_extra=MONEY
    )
    value_amount: Amount | None = Field(
        None, title="Nilai kontrak", description="Kosongkan untuk dihitung.", json_schema_extra=MONEY
    )
    start_on: date = Field(title="Mulai")
    end_on: date = Field(title="Selesai", description="Paling lambat 31 Desember tahun anggaran.")
    source_code_owner: str = Field(min_length=3, max_length=200, title="Pemilik kode sumber")
    terms: list[TermIn] = Field(
        min_length=1, max_length=12, title="Termin", description="Persen seluruhnya 100; jumlah sama dengan nilai."
    )
    form: Literal["", "spk", "surat_perjanjian", "kuitansi", "bukti_pembelian", "surat_pesanan"] = Field(
        "", title="Bentuk kontrak", json_schema_extra=labelled(FORM_CHOICES)
    )
    form_reason: str = Field("", max_length=1000, title="Alasan memakai bentuk lain")
    method: Literal["pengadaan_langsung", "penunjukan_langsung", "tender", "seleksi", "e_purchasing"] = Field(
        "pengadaan_langsung", title="Metode", json_schema_extra=labelled(METHOD_LABELS)
    )
    category: Literal["jasa_lainnya", "barang", "konsultansi"] = Field(
        "jasa_lainnya", title="Jenis pengadaan", json_schema_extra=labelled(CATEGORY_LABELS)
    )
    scope: str = Field("", max_length=4000, title="Lingkup pekerjaan", json_schema_extra=AREA)
    account_code: str = Field(
        "", pattern=r"^([0-9]{6})?$", title="Kode akun", description="Kosong: akun terbesar dalam pagu."
    )
    late_fee_permille: int = Field(1, ge=0, le=50, title="Denda keterlambatan (per seribu per hari)")
    warranty_months: int = Field(6, ge=0, le=60, title="Masa garansi (bulan)")
    rup_code: str = Field("", max_length=60, title="Kode RUP (SIRUP)")
    procurement_ref: str = Field("", max_length=80, title="Nomor paket SPSE atau e-Katalog")

    def new(self) -> actions.NewContract:
        """Return the contract as the action takes it."""
        fields = self.model_dump(exclude={"terms", "plan_id"})
        return actions.NewContract(**fields, terms=[actions.NewTerm(**term.model_dump()) for term in self.terms])


class NewContract(ContractData):
    """A contract to draft under a plan's ceiling."""

    plan_id: UUID


class NewDistribution(BaseModel):
    """Part of the ceiling for an activity."""

    model_config = ConfigDict(extra="forbid")

    activity: str = Field(min_length=3, max_length=200, title="Kegiatan")
    amount: Amount = Field(title="Jumlah", json_schema_extra=MONEY)
    account_code: str = Field("", pattern=r"^([0-9]{6})?$", title="Kode akun", description="Kosong: akun kontrak.")
    note: str = Field("", max_length=1000, title="Catatan")


class Rejection(BaseModel):
    """What goes back to the vendor, and why."""

    model_config = ConfigDict(extra="forbid")

    item: Literal[
        "", "requirements", "architecture", "database_schema", "api", "install_guide", "admin_guide", "user_guide",
        "acceptance_test", "third_party_licences", "backup_procedure", "source_code",
    ] = Field("", title="Dokumen", json_schema_extra=labelled(ITEM_CHOICES))  # fmt: skip
    reason: str = Field(min_length=5, max_length=4000, title="Alasan", json_schema_extra=AREA)


class Upload(BaseModel):
    """One file for one item of the documentation (the page's form; the JSON door takes the same as multipart)."""

    item: Literal[
        "requirements", "architecture", "database_schema", "api", "install_guide", "admin_guide", "user_guide",
        "acceptance_test", "third_party_licences", "backup_procedure", "source_code",
    ] = Field(title="Dokumen", json_schema_extra=labelled(ALL_ITEMS))  # fmt: skip
    file: Any = Field(title="Berkas", description="Paling besar 200 MB.", json_schema_extra=FILE)


class NewReport(BaseModel):
    """A financial report: ceiling and payments come from the ledger, only other spending is typed."""

    model_config = ConfigDict(extra="forbid")

    as_of_on: date | None = Field(None, title="Keadaan per", description="Kosongkan untuk hari ini.")
    other_spending: list[AccountAmount] = Field(
        default_factory=list,
        max_length=20,
        title="Belanja di luar kontrak ini",
        description="Bagian pagu yang dibelanjakan di luar kontrak, per kode akun.",
    )
    note: str = Field("", max_length=4000, title="Catatan", json_schema_extra=AREA)


class HandoverData(BaseModel):
    """A handover to draft."""

    model_config = ConfigDict(extra="forbid")

    statement: str = Field(
        "",
        max_length=4000,
        title="Pernyataan serah terima",
        description="Kosongkan untuk kalimat baku.",
        json_schema_extra=AREA,
    )


class NewHandover(HandoverData):
    """A handover to draft: of which contract."""

    contract_id: UUID


class NewClaim(BaseModel):
    """A vendor's claim for a term."""

    model_config = ConfigDict(extra="forbid")

    term: int = Field(ge=1, le=12, title="Termin")
    invoice_number: str = Field(min_length=1, max_length=80, title="Nomor tagihan")
    note: str = Field("", max_length=1000, title="Catatan")


class NewPayment(BaseModel):
    """A payment with the numbers that SAKTI gave it."""

    model_config = ConfigDict(extra="forbid")

    spm_number: str = Field(min_length=1, max_length=80, title="Nomor SPM")
    sp2d_number: str = Field(min_length=1, max_length=80, title="Nomor SP2D")
    paid_on: date | None = Field(None, title="Tanggal pembayaran", description="Kosongkan untuk hari ini.")
    note: str = Field("", max_length=1000, title="Catatan")


class VendorView(View):
    """One firm."""

    id: UUID
    code: str
    name: str
    npwp: str
    is_pkp: bool
    city: str
    director: str


class TermView(View):
    """One payment term."""

    no: int
    percent: int
    amount: int
    paid_amount: int
    condition: str


class DocumentView(View):
    """One delivered file."""

    id: UUID
    item: str
    file_name: str
    digest: str
    size: int
    status: str
    reason: str
    uploaded_by_name: str
    reviewed_by_name: str
    created_at: datetime


class ReportView(View):
    """One stored financial report."""

    id: UUID
    contract_id: UUID
    fiscal_year: int
    as_of_on: date
    rows: list[dict[str, Any]]
    ceiling_amount: int
    realised_amount: int
    note: str
    stored_by_name: str
    paper_id: UUID | None


class HandoverView(View):
    """One round of a handover."""

    id: UUID
    contract_id: UUID
    round: int
    number: str
    status: str
    statement: str
    reason: str
    drafted_by_name: str
    signed_at: datetime | None
    paper_id: UUID | None
    signatures: list[SignatureView]


class PaymentView(View):
    """One payment."""

    id: UUID
    amount: int
    account_code: str
    paid_on: date
    spm_number: str
    sp2d_number: str
    is_before_permit: bool
    paid_by_name: str
    note: str
    paper_id: UUID | None


class ClaimView(View):
    """One claim with its answer."""

    id: UUID
    contract_id: UUID
    vendor_code: str
    amount: int
    invoice_number: str
    note: str
    status: str
    claimed_by_name: str
    verified_by_name: str
    verified_at: datetime | None
    answered_by_name: str
    answered_at: datetime | None
    reason: str
    created_at: datetime
    term: TermView
    payment: PaymentView | None


class ContractRow(View):
    """A contract in a list."""

    id: UUID
    plan_id: UUID
    number: str
    status: str
    vendor: VendorView
    value_amount: int
    paid_amount: int
    start_on: date
    end_on: date
    created_at: datetime


class ContractView(ContractRow):
    """A contract whole."""

    form: str
    form_reason: str
    method: str
    category: str
    scope: str
    account_code: str
    tax_base_amount: int
    vat_percent: int
    vat_source: str
    vat_amount: int
    committed_amount: int
    source_code_owner: str
    late_fee_permille: int
    warranty_months: int
    rup_code: str
    procurement_ref: str
    drafted_by_name: str
    signed_by_name: str
    signed_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    paper_id: UUID | None
    documentation_accepted_at: datetime | None
    missing_items: list[str]
    terms: list[TermView]
    documents: list[DocumentView]
    reports: list[ReportView]
    handovers: list[HandoverView]
    claims: list[ClaimView]
    distributions: list[DistributionView]
