"""The work programme of a fiscal year and the terms of reference (KAK) of its applications."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept, utc_now


class ProgrammeState(StrEnum):
    """Whether the work programme of a year may still change."""

    DRAFT = "draft"
    FROZEN = "frozen"


PROGRAMME_LABELS = {ProgrammeState.DRAFT: "Disusun", ProgrammeState.FROZEN: "Ditetapkan"}


class WorkProgramme(Kept, Table):
    """The work programme of a fiscal year as a whole: it is drawn up, frozen by the Head, and revised with a reason."""

    __tablename__ = "work_programme"

    fiscal_year: Mapped[int] = mapped_column(unique=True)
    state: Mapped[ProgrammeState] = mapped_column(String(10), default=ProgrammeState.DRAFT)
    edition: Mapped[int] = mapped_column(default=1)
    """Grows with each change of the order or the entries; the ETag."""
    revision: Mapped[int] = mapped_column(default=0)
    """The last one that was frozen; 0 before the first."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why a frozen programme was opened again; empty before."""
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_by_name: Mapped[str] = mapped_column(String(200), default="")
    changed_what: Mapped[str] = mapped_column(Text, default="")

    @property
    def label(self) -> str:
        """Return the state in words."""
        return PROGRAMME_LABELS[ProgrammeState(self.state)]

    @property
    def is_frozen(self) -> bool:
        """Tell whether nothing may change without a revision."""
        return self.state == ProgrammeState.FROZEN

    def note(self, by_name: str, what: str) -> None:
        """Note who changed what; whoever saw the edition before is told so."""
        self.edition += 1
        self.changed_at, self.changed_by_name, self.changed_what = utc_now(), by_name, what


class ProgrammeRevision(Kept, Table):
    """The work programme of a year as it was frozen; every revision stays and can be compared."""

    __tablename__ = "programme_revision"
    __table_args__ = (UniqueConstraint("fiscal_year", "revision"),)

    fiscal_year: Mapped[int]
    revision: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The entries in their order."""
    total_amount: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(String(40))
    paper_digest: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))


class ProgrammeSheet(Kept, Table):
    """A spreadsheet that was read without a mistake and waits to be taken over."""

    __tablename__ = "programme_sheet"

    fiscal_year: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    taken_at: Mapped[datetime | None]


class WorkProgrammeEntry(Kept, Table):
    """One application in the work programme (proker) of a year (S02)."""

    __tablename__ = "work_programme_entry"
    __table_args__ = (
        UniqueConstraint("case_id", "fiscal_year"),
        Index("ix_work_programme_entry_fiscal_year", "fiscal_year", "priority", "number"),
        CheckConstraint("estimated_amount >= 0", name="estimated_amount_not_negative"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    fiscal_year: Mapped[int]
    activity: Mapped[str] = mapped_column(Text)
    indicator: Mapped[str] = mapped_column(Text, default="")
    target: Mapped[str] = mapped_column(Text, default="")
    quarter: Mapped[str] = mapped_column(String(20), default="")
    priority: Mapped[int]
    estimated_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    pic: Mapped[str] = mapped_column(String(200), default="")
    paper_digest: Mapped[str] = mapped_column(String(64), default="")
    by_id: Mapped[UUID]
    carried_to: Mapped[int | None]
    """The later year to which it was carried over, because it was not realised."""
    carried_reason: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))


class TermsOfReference(Kept, Table):
    """A version of the terms of reference (KAK) of a case (F02); older versions stay."""

    __tablename__ = "terms_of_reference"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    version: Mapped[int]
    sections: Mapped[dict[str, Any]] = mapped_column(JSONB)
    paper_digest: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))


AREA: JsonDict = {"kind": "area"}
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Lines = Annotated[list[Words], Field(max_length=50)]


class Terms(BaseModel):
    """The sections of the terms of reference, as the division writes them (domain §5)."""

    model_config = ConfigDict(extra="forbid")

    background: Words = Field(min_length=10, title="Latar belakang", json_schema_extra=AREA)
    purpose: Words = Field(min_length=5, title="Maksud", json_schema_extra=AREA)
    legal_basis: Lines = Field(default_factory=list, title="Dasar hukum", description="Satu per baris.")
    objectives: Lines = Field(default_factory=list, title="Tujuan", description="Satu per baris.")
    scope: Lines = Field(default_factory=list, title="Ruang lingkup", description="Satu per baris.")
    outputs: Lines = Field(default_factory=list, title="Keluaran", description="Satu per baris.")
    beneficiaries: Words = Field("", title="Penerima manfaat")
    method: Words = Field("", title="Metode dan tahapan", json_schema_extra=AREA)
    duration: Words = Field("", title="Jangka waktu", description="Misalnya 4 (empat) bulan.")
    personnel: Lines = Field(default_factory=list, title="Tenaga pelaksana", description="Satu per baris.")
    performance_indicators: Lines = Field(
        default_factory=list, title="Indikator kinerja", description="Satu per baris."
    )
    budget_source: Words = Field("", title="Sumber dana")


SECTIONS = {name: str(info.title) for name, info in Terms.model_fields.items()}
"""Key and heading of each section, in the order of the paper."""
