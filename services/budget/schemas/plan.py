"""Shapes of plans, conveyances, ceilings and accounts at the JSON door; pages draw their forms from the same."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.budget.ledger import LARGEST_VOLUME, NewLine
from services.budget.schemas.money import AREA, MONEY, Amount, Price, labelled

ACCOUNT_CODE = r"^[0-9]{6}$"


class LineIn(BaseModel):
    """One line of a budget plan."""

    model_config = ConfigDict(extra="forbid")

    account_code: str = Field(pattern=ACCOUNT_CODE, title="Kode akun", description="Enam angka, misalnya 525113.")
    description: str = Field(min_length=3, max_length=300, title="Uraian")
    volume: int = Field(ge=1, le=LARGEST_VOLUME, title="Volume")
    unit: str = Field(min_length=1, max_length=40, title="Satuan", description="Misalnya orang-bulan, paket, unit.")
    unit_price_amount: Price = Field(title="Harga satuan", json_schema_extra=MONEY)
    taxable: bool = Field(False, title="Kena PPN")
    group_name: str = Field("", max_length=100, title="Kelompok")

    def line(self) -> NewLine:
        """Return the line as the ledger takes it."""
        return NewLine(**self.model_dump())


class Lines(BaseModel):
    """All lines of the open draft; what stood there before is replaced."""

    model_config = ConfigDict(extra="forbid")

    lines: list[LineIn] = Field(
        max_length=100, title="Rincian", description="Baris kosong diabaikan. Jumlah dan PPN dihitung oleh Alur."
    )


class Note(BaseModel):
    """An act that may carry a note."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=4000, title="Catatan", json_schema_extra=AREA)


class NewConveyance(Note):
    """A conveyance to prepare: of which plan."""

    plan_id: UUID


class AccountAmount(BaseModel):
    """One account and its part."""

    model_config = ConfigDict(extra="forbid")

    account_code: str = Field(pattern=ACCOUNT_CODE, title="Kode akun")
    amount: Amount = Field(title="Jumlah", json_schema_extra=MONEY)


class NewCeiling(BaseModel):
    """The planning section's answer: what may be spent."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount = Field(title="Pagu", json_schema_extra=MONEY)
    accounts: list[AccountAmount] = Field(
        min_length=1,
        max_length=20,
        title="Pagu per kode akun",
        description="Jumlahnya harus sama dengan pagu seluruhnya.",
    )
    fund_source: str = Field("PNBP BLU", min_length=2, max_length=60, title="Sumber dana")
    document_number: str = Field("", max_length=80, title="Nomor DIPA atau RBA")
    note: str = Field("", max_length=4000, title="Catatan", json_schema_extra=AREA)


def by_account(parts: Iterable[AccountAmount]) -> dict[str, int]:
    """Return the amounts by account; an account that stands twice is summed."""
    sums: dict[str, int] = {}
    for part in parts:
        sums[part.account_code] = sums.get(part.account_code, 0) + part.amount
    return sums


class NewAccount(BaseModel):
    """An account code for the list."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern=ACCOUNT_CODE, title="Kode akun", description="Enam angka.")
    name: str = Field(min_length=3, max_length=200, title="Nama akun")
    kind: Literal["52", "53"] = Field(
        "52", title="Jenis belanja", json_schema_extra=labelled({"52": "52 Barang dan jasa", "53": "53 Modal"})
    )
    fund_source: str = Field("PNBP BLU", max_length=60, title="Sumber dana")


class View(BaseModel):
    """A shape that is read from a row."""

    model_config = ConfigDict(from_attributes=True)


class AccountView(View):
    """One account code."""

    code: str
    name: str
    kind: str
    fund_source: str


class LineView(View):
    """One line with its amount."""

    no: int
    group_name: str
    account_code: str
    description: str
    volume: int
    unit: str
    unit_price_amount: int
    amount: int
    taxable: bool


class VersionView(View):
    """One version of a budget plan with its sums."""

    id: UUID
    version: int
    revision: int
    fiscal_year: int
    reason: str
    subtotal_amount: int
    tax_base_amount: int
    vat_percent: int
    vat_numerator: int
    vat_denominator: int
    vat_source: str
    vat_amount: int
    total_before_rounding_amount: int
    rounding_amount: int
    total_amount: int
    by_account: dict[str, int]
    drafted_by_name: str
    locked_by_name: str
    locked_at: datetime | None
    paper_id: UUID | None
    lines: list[LineView]


class SignatureView(View):
    """One signature."""

    role: str
    person_name: str
    person_title: str
    created_at: datetime


class ConveyanceView(View):
    """One conveyance and how far it came."""

    id: UUID
    plan_id: UUID
    round: int
    status: str
    note: str
    conveyed_by_name: str
    approved_by_name: str
    approved_at: datetime | None
    letter_number: str
    letter_id: UUID | None
    answered_by_name: str
    answered_at: datetime | None
    reason: str
    signatures: list[SignatureView]


class DistributionView(View):
    """Part of the ceiling that was handed to an activity."""

    id: UUID
    activity: str
    account_code: str
    amount: int
    note: str
    distributed_by_name: str
    created_at: datetime


class CeilingView(View):
    """A ceiling with what is bound, handed out, paid and left."""

    id: UUID
    fiscal_year: int
    fund_source: str
    document_number: str
    set_on: date
    amount: int
    committed_amount: int
    distributed_amount: int
    paid_amount: int
    left_amount: int
    distributions: list[DistributionView]


class PlanRow(View):
    """A budget plan in a list."""

    id: UUID
    case_id: UUID
    case_number: str
    application_code: str
    application_name: str
    application_unit: str
    fiscal_year: int
    status: str
    halted_status: str
    created_at: datetime


class PlanView(PlanRow):
    """A budget plan whole."""

    estimated_amount: int
    minutes: list[str]
    meetings_concluded_at: datetime | None
    live_at: datetime | None
    versions: list[VersionView]
    conveyances: list[ConveyanceView]
    ceilings: list[CeilingView]


class EntryView(View):
    """One posting of the ledger."""

    id: int
    at: datetime
    kind: str
    account_code: str
    amount: int
    contract_id: UUID | None
    source_id: UUID
