"""The work programme of a fiscal year and the terms of reference (KAK) of its applications."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept


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
