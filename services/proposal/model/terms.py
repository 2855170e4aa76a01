"""The terms of reference (KAK) of a case: their sections, the draft that is being written, the versions that stay."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.proposal.model.case import Case
from services.proposal.model.content import Section
from services.proposal.model.proposal import Proposal, content_of
from services.proposal.model.table import Table
from shared.database import Kept, utc_now
from shared.words import rupiah

AREA: JsonDict = {"kind": "area"}
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Lines = Annotated[list[Words], Field(max_length=50)]


class Stage(BaseModel):
    """One stage of the work, when it is done, and what it yields."""

    model_config = ConfigDict(extra="forbid")

    stage: Line = Field(title="Tahapan", description="Misalnya: analisis dan perancangan.")
    period: Line = Field("", title="Waktu", description="Misalnya: minggu ke-1 s.d. ke-4.")
    result: Line = Field("", title="Hasil", description="Misalnya: dokumen rancangan disetujui.")


class TermsContent(BaseModel):
    """The sections of the terms of reference however little is filled in, in the order of the paper (domain §5)."""

    model_config = ConfigDict(extra="forbid")

    background: Words = Field(
        "",
        title="Latar belakang",
        description="Keadaan sekarang dan masalah yang hendak diselesaikan.",
        json_schema_extra=AREA,
    )
    legal_basis: Lines = Field(
        default_factory=list, title="Dasar hukum", description="Satu peraturan atau keputusan pada setiap baris."
    )
    purpose: Words = Field(
        "", title="Maksud", description="Apa yang disediakan oleh pekerjaan ini.", json_schema_extra=AREA
    )
    objectives: Lines = Field(
        default_factory=list, title="Tujuan", description="Keadaan yang hendak dicapai, satu pada setiap baris."
    )
    scope: Lines = Field(
        default_factory=list, title="Ruang lingkup", description="Yang dikerjakan, satu pada setiap baris."
    )
    outputs: Lines = Field(
        default_factory=list, title="Keluaran", description="Yang diserahkan, satu pada setiap baris."
    )
    beneficiaries: Words = Field("", title="Penerima manfaat", description="Siapa yang memakai atau terbantu.")
    method: Words = Field(
        "", title="Metode dan tahapan", description="Cara pekerjaan dilaksanakan.", json_schema_extra=AREA
    )
    schedule: Annotated[list[Stage], Field(max_length=30)] = Field(
        default_factory=list,
        title="Jadwal pelaksanaan",
        description="Tahap demi tahap. Kosongkan baris yang tidak dipakai.",
    )
    duration: Words = Field("", title="Jangka waktu", description="Misalnya 4 (empat) bulan.")
    personnel: Lines = Field(
        default_factory=list,
        title="Tenaga pelaksana",
        description="Jabatan, kualifikasi, dan jumlah orang, satu pada setiap baris.",
    )
    performance_indicators: Lines = Field(
        default_factory=list,
        title="Indikator kinerja",
        description="Ukuran dan targetnya, satu pada setiap baris.",
    )
    budget_source: Words = Field("", title="Sumber dana", description="Misalnya PNBP BLU Tahun Anggaran 2027.")


class Terms(TermsContent):
    """The terms of reference as a version keeps them: the two sections without which they say nothing are written."""

    background: Words = Field(min_length=10, title="Latar belakang", json_schema_extra=AREA)
    purpose: Words = Field(min_length=5, title="Maksud", json_schema_extra=AREA)


SECTIONS = {name: str(info.title) for name, info in TermsContent.model_fields.items()}
"""Key and heading of each section, in the order of the paper."""
TERMS_SECTIONS = (
    Section(
        "latar-belakang", "Latar belakang", "Mengapa pekerjaan ini diperlukan dan atas dasar apa.",
        ("background", "legal_basis"), ("background", "legal_basis"),
    ),
    Section(
        "maksud-tujuan", "Maksud dan tujuan", "Apa yang disediakan dan keadaan apa yang hendak dicapai.",
        ("purpose", "objectives"), ("purpose", "objectives"),
    ),
    Section(
        "lingkup-keluaran", "Ruang lingkup dan keluaran", "Apa yang dikerjakan, diserahkan, dan untuk siapa.",
        ("scope", "outputs", "beneficiaries"), ("scope", "outputs", "beneficiaries"),
    ),
    Section(
        "metode-jadwal", "Metode dan jadwal", "Bagaimana dan kapan pekerjaan dilaksanakan.",
        ("method", "schedule", "duration"), ("method", "schedule", "duration"),
    ),
    Section(
        "tenaga", "Tenaga pelaksana", "Siapa yang diperlukan untuk melaksanakannya.", ("personnel",), ("personnel",)
    ),
    Section(
        "indikator", "Indikator kinerja", "Ukuran yang menentukan pekerjaan berhasil.",
        ("performance_indicators",), ("performance_indicators",),
    ),
    Section(
        "anggaran", "Anggaran", "Dari mana dananya; jumlahnya mengikuti RAB.", ("budget_source",), ("budget_source",)
    ),
)  # fmt: skip


class TermsOfReference(Kept, Table):
    """A version of the terms of reference (KAK) of a case (F02); older versions stay."""

    __tablename__ = "terms_of_reference"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    version: Mapped[int]
    sections: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plan_version: Mapped[int | None]
    """The budget plan (RAB) as the budget division had told it when this version was made."""
    plan_amount: Mapped[int | None] = mapped_column(BigInteger)
    paper_digest: Mapped[str] = mapped_column(String(64))
    """Empty for one that was taken over from outside."""
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))

    @property
    def content(self) -> TermsContent:
        """Return what it says, as one shape."""
        return TermsContent.model_validate(self.sections)

    @property
    def budget(self) -> str:
        """Return the total of the budget plan as this version names it."""
        return plan_total(self.plan_version, self.plan_amount)


class TermsDraft(Table):
    """What was written in one section since the newest version; each section has its own edition.

    So two people may write in two sections at once. A row stays when nothing is pending: its edition only grows.
    """

    __tablename__ = "terms_draft"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"), primary_key=True)
    section: Mapped[str] = mapped_column(String(30), primary_key=True)
    """Key of one of `TERMS_SECTIONS`."""
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The fields of the section; None while it says what the newest version says."""
    rough: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """By field: `typed`, as it was typed, and `errors`, by place within the field, why it cannot be taken."""
    edition: Mapped[int] = mapped_column(default=0)
    """Grows with each change of what the section shows; the ETag."""
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)
    saved_by_id: Mapped[UUID]
    saved_by_name: Mapped[str] = mapped_column(String(200))

    @property
    def is_pending(self) -> bool:
        """Tell whether something stands here that no version has."""
        return self.content is not None or bool(self.rough)


def terms_section(key: str) -> Section | None:
    """Return a section of the terms of reference by its key."""
    return next((one for one in TERMS_SECTIONS if one.key == key), None)


def first_terms(case: Case, proposal: Proposal) -> TermsContent:
    """Return what the first draft begins with: what the unit wrote already, so that nobody writes it twice."""
    written = content_of(case, proposal)
    return TermsContent(
        background=written.background,
        legal_basis=list(written.legal_basis),
        purpose=written.purpose,
        beneficiaries=written.users,
        performance_indicators=[": ".join(filter(None, (one.name, one.target))) for one in written.indicators],
    )


def drafted_terms(base: TermsContent, drafts: Iterable[TermsDraft]) -> TermsContent:
    """Return what the draft says: what is pending in a section, else what stood there before."""
    given = base.model_dump(mode="json")
    for draft in drafts:
        given |= draft.content or {}
    return TermsContent.model_validate(given)


def section_values(content: TermsContent, section: Section) -> dict[str, Any]:
    """Return the fields of a section as they are kept."""
    return content.model_dump(mode="json", include=set(section.fields))


def lacking_terms(content: TermsContent, section: Section) -> list[str]:
    """Return the headings of what a section still wants."""
    return [SECTIONS[name] for name in section.fields if name in section.advised and not getattr(content, name)]


def plan_total(plan_version: int | None, plan_amount: int | None) -> str:
    """Return the total of a budget plan in words; empty while the budget division has told none."""
    return f"{rupiah(plan_amount)} (RAB versi {plan_version})" if plan_amount is not None else ""
