"""Shapes of proposals: what enters and leaves the JSON door; pages draw their forms from the same."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from services.proposal import actions, queries
from services.proposal.model import Content, Proposal, Quarter, WorkProgrammeEntry
from shared.identity import Person
from shared.pages import AREA, FILE, MONEY, Reason, labelled


class Note(BaseModel):
    """An act with an optional remark."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(
        "", max_length=4000, title="Catatan", description="Tercatat pada lembar disposisi.", json_schema_extra=AREA
    )


class Approval(Note):
    """The Head's approval."""

    override_cut_off: bool = Field(
        False,
        title="Tetap masuk tahun anggaran berikutnya",
        description="Untuk persetujuan setelah batas tanggal program kerja; tuliskan alasannya pada catatan.",
    )


class Analysis(BaseModel):
    """A needs analysis."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(
        min_length=20,
        max_length=20_000,
        title="Ringkasan kebutuhan",
        description="Kebutuhan pengguna, data yang diolah, dan hubungan dengan aplikasi lain.",
        json_schema_extra=AREA,
    )
    recommendation: Literal["proceed", "adjust", "decline"] = Field(
        title="Rekomendasi",
        json_schema_extra=labelled(
            {"proceed": "Layak dilanjutkan", "adjust": "Layak dengan penyesuaian", "decline": "Tidak dilanjutkan"}
        ),
    )
    advice: str = Field("", max_length=4000, title="Saran", json_schema_extra=AREA)


class Duplicate(Reason):
    """A proposal that repeats another case."""

    into: str = Field(max_length=40, title="Nomor perkara yang sudah ada", description="Misalnya APL-2026-0001.")


class ProgrammeEntry(BaseModel):
    """An entry of the work programme."""

    model_config = ConfigDict(extra="forbid")

    fiscal_year: int | None = Field(
        None,
        ge=2000,
        le=2200,
        title="Tahun anggaran",
        description="Kosongkan untuk tahun paling awal yang diperbolehkan.",
    )
    activity: str = Field("", max_length=1000, title="Kegiatan", description="Kosongkan untuk “Pembangunan …”.")
    indicator: str = Field("", max_length=1000, title="Indikator", description="Misalnya 1 aplikasi digunakan.")
    target: str = Field("", max_length=1000, title="Target")
    quarter: Quarter = Field("", title="Triwulan", json_schema_extra=labelled({"": "Belum ditentukan"}))
    priority: int | None = Field(None, ge=1, le=999, title="Prioritas")
    estimated_amount: int = Field(
        0,
        ge=0,
        le=10**15,
        strict=True,
        title="Perkiraan anggaran",
        description="Rupiah bulat.",
        json_schema_extra=MONEY,
    )
    pic: str = Field("", max_length=200, title="Penanggung jawab")


class Letter(BaseModel):
    """The scanned proposal letter."""

    letter: UploadFile = Field(
        title="Pindaian surat usulan", description="PDF, PNG, atau JPEG, paling besar 10 MB.", json_schema_extra=FILE
    )


class ProposalView(BaseModel):
    """A proposal with the status of its case; its id is the id of the case."""

    id: UUID
    number: str
    status: str
    status_label: str
    status_reason: str
    edition: int
    unit: str
    proposer_id: UUID
    proposer_name: str
    parent_case_id: UUID | None
    fiscal_year: int | None
    version: int
    agenda_number: str
    submitted_at: datetime | None
    approved_at: datetime | None
    letter_digest: str
    content: dict[str, Any]
    analysis_version: int
    terms_version: int
    moves: list[str]
    """Names of the acts that this person may do now."""

    @classmethod
    def of(cls, proposal: Proposal, by: Person) -> "ProposalView":
        """Return a proposal with what this person may do with it."""
        case = proposal.case
        return cls(
            id=case.id,
            number=case.number,
            status=case.status,
            status_label=case.label,
            status_reason=case.status_reason,
            edition=case.edition,
            unit=case.unit,
            proposer_id=case.proposer_id,
            proposer_name=case.proposer_name,
            parent_case_id=case.parent_case_id,
            fiscal_year=case.fiscal_year,
            version=proposal.version,
            agenda_number=proposal.agenda_number,
            submitted_at=proposal.submitted_at,
            approved_at=case.approved_at,
            letter_digest=proposal.letter_digest,
            content=actions.content_of(case, proposal).model_dump(mode="json"),
            analysis_version=case.analysis_version,
            terms_version=case.terms_version,
            moves=[act.name for act in queries.offered(by, case)],
        )


class ProgrammeEntryView(BaseModel):
    """An entry of the work programme."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    case_id: UUID
    case_number: str
    name: str
    status: str
    number: str
    fiscal_year: int
    activity: str
    indicator: str
    target: str
    quarter: str
    priority: int
    estimated_amount: int
    pic: str

    @classmethod
    def of(cls, entry: WorkProgrammeEntry) -> "ProgrammeEntryView":
        """Return an entry with the case that it is about."""
        return cls(
            id=entry.id,
            case_id=entry.case_id,
            case_number=entry.case.number,
            name=entry.case.name,
            status=entry.case.status,
            number=entry.number,
            fiscal_year=entry.fiscal_year,
            activity=entry.activity,
            indicator=entry.indicator,
            target=entry.target,
            quarter=entry.quarter,
            priority=entry.priority,
            estimated_amount=entry.estimated_amount,
            pic=entry.pic,
        )


__all__ = [
    "Analysis",
    "Approval",
    "Content",
    "Duplicate",
    "Letter",
    "Note",
    "ProgrammeEntry",
    "ProgrammeEntryView",
    "ProposalView",
    "Reason",
]
