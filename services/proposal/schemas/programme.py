"""Shapes of the work programme: of a year whole, of what is done with it, and of what a sheet would change."""

from datetime import datetime
from uuid import UUID

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from services.proposal.actions.programme_sheet import Plan
from services.proposal.model import ProgrammeRevision, ProgrammeSheet, Quarter
from services.proposal.queries import Programme
from services.proposal.schemas.proposal import ProgrammeEntryView
from shared.pages import AREA, FILE, MONEY, labelled


class Rank(BaseModel):
    """The place of an entry in the order of its year."""

    model_config = ConfigDict(extra="forbid")

    ordinal: int = Field(ge=1, le=999, title="Ke urutan")


class EntryChange(BaseModel):
    """What an entry says, whole."""

    model_config = ConfigDict(extra="forbid")

    activity: str = Field(min_length=1, max_length=1000, title="Kegiatan", json_schema_extra=AREA)
    indicator: str = Field("", max_length=1000, title="Indikator", description="Misalnya 1 aplikasi digunakan.")
    target: str = Field("", max_length=1000, title="Target")
    quarter: Quarter = Field("", title="Triwulan", json_schema_extra=labelled({"": "Belum ditentukan"}))
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


class CarryOver(BaseModel):
    """Why and to which year an entry is carried over."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=5, max_length=4000, title="Alasan", description="Mengapa tidak terlaksana.", json_schema_extra=AREA
    )
    fiscal_year: int | None = Field(
        None, ge=2000, le=2200, title="Tahun tujuan", description="Kosongkan untuk tahun berikutnya."
    )


class SheetForm(BaseModel):
    """A spreadsheet to be checked."""

    file: UploadFile = Field(
        title="Berkas Excel atau CSV",
        description="Paling besar 5 MB, 1.000 baris, dan 50 butir baru. Rumus, makro, dan tautan ke berkas lain tidak "
        "diterima.",
        json_schema_extra=FILE,
    )


class SumView(BaseModel):
    """A sum of a quarter or of all, in whole rupiah."""

    model_config = ConfigDict(from_attributes=True)
    label: str
    count: int
    estimated_amount: int
    ceiling_amount: int
    without_ceiling: int


class RevisionView(BaseModel):
    """A frozen revision."""

    model_config = ConfigDict(from_attributes=True)
    revision: int
    number: str
    reason: str
    total_amount: int
    paper_digest: str
    by_name: str
    created_at: datetime


class EntryView(ProgrammeEntryView):
    """An entry with where it was carried over."""

    carried_to: int | None
    carried_reason: str


class ProgrammeView(BaseModel):
    """The work programme of a year."""

    fiscal_year: int
    state: str
    edition: int
    revision: int
    reason: str
    changed_at: datetime | None
    changed_by_name: str
    changed_what: str
    entries: list[EntryView]
    sums: list[SumView]
    revisions: list[RevisionView]

    @classmethod
    def of(cls, found: Programme) -> "ProgrammeView":
        """Return the programme as it leaves the door."""
        whole = found.whole
        return cls(
            fiscal_year=found.fiscal_year,
            state=whole.state if whole else "draft",
            edition=whole.edition if whole else 0,
            revision=whole.revision if whole else 0,
            reason=whole.reason if whole else "",
            changed_at=whole.changed_at if whole else None,
            changed_by_name=whole.changed_by_name if whole else "",
            changed_what=whole.changed_what if whole else "",
            entries=[
                EntryView(
                    **ProgrammeEntryView.of(entry).model_dump(),
                    carried_to=entry.carried_to,
                    carried_reason=entry.carried_reason,
                )
                for entry in found.entries
            ],
            sums=[SumView.model_validate(one) for one in found.sums],
            revisions=[RevisionView.model_validate(one) for one in found.revisions],
        )

    @staticmethod
    def revision_of(kept: ProgrammeRevision) -> RevisionView:
        """Return one frozen revision."""
        return RevisionView.model_validate(kept)


class ChangeView(BaseModel):
    """What a row of a sheet would do."""

    row: int
    what: str
    case_number: str
    name: str
    says: list[str]


class SheetView(BaseModel):
    """A checked sheet and what it would change."""

    id: UUID
    fiscal_year: int
    file_name: str
    taken_at: datetime | None
    new: int
    changed: int
    unchanged: int
    mistakes: list[str]
    changes: list[ChangeView]

    @classmethod
    def of(cls, sheet: ProgrammeSheet, plan: Plan) -> "SheetView":
        """Return a sheet with what it would change now."""
        return cls(
            id=sheet.id,
            fiscal_year=sheet.fiscal_year,
            file_name=sheet.file_name,
            taken_at=sheet.taken_at,
            new=plan.count("new"),
            changed=plan.count("changed"),
            unchanged=plan.count("unchanged"),
            mistakes=[one.words for one in plan.mistakes],
            changes=[
                ChangeView(
                    row=one.row,
                    what=one.what,
                    case_number=one.case.number,
                    name=one.case.name,
                    says=list(one.says),
                )
                for one in plan.changes
            ],
        )
