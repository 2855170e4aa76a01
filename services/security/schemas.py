"""Shapes that enter and leave the security division's JSON door; pages draw their forms from the same."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.pages import AREA, labelled

SEVERITY_LABELS = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}
ANSWER_LABELS = {"pass": "Sesuai", "fail": "Tidak sesuai", "not_applicable": "Tidak berlaku"}


class NewFinding(BaseModel):
    """What a person found."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=5, max_length=300, title="Temuan", description="Satu kalimat.")
    severity: Literal["critical", "high", "medium", "low"] = Field(
        "medium", title="Keparahan", json_schema_extra=labelled(SEVERITY_LABELS)
    )
    control: str = Field(pattern=r"^K[0-9]{2}$", title="Butir kendali", description="K01 sampai K72.")
    where: str = Field(min_length=1, max_length=500, title="Letak", description="Alamat halaman atau nama berkas.")
    risk: str = Field(min_length=5, max_length=500, title="Risiko", description="Satu kalimat bagi pimpinan.")
    evidence: str = Field(
        "",
        max_length=600,
        title="Bukti",
        description="Tanpa kata sandi atau data pribadi.",
        json_schema_extra=AREA,
    )
    recommendation: str = Field(min_length=5, max_length=1000, title="Saran perbaikan", json_schema_extra=AREA)


class OneAnswer(BaseModel):
    """The answer to one control."""

    model_config = ConfigDict(extra="forbid")

    control: str = Field(pattern=r"^K[0-9]{2}$", title="Butir")
    answer: Literal["pass", "fail", "not_applicable"] = Field(
        title="Jawaban", json_schema_extra=labelled(ANSWER_LABELS)
    )
    note: str = Field("", max_length=1000, title="Keterangan")


class Answers(BaseModel):
    """Answers to controls, as many as wished at once."""

    model_config = ConfigDict(extra="forbid")

    answers: list[OneAnswer] = Field(min_length=1, max_length=72, title="Butir kendali")


class SheetLine(BaseModel):
    """One line of the sheet on the page; what was not answered yet is left empty."""

    answer: Literal["pass", "fail", "not_applicable"] | None = None
    note: str = Field("", max_length=1000)


class Sheet(BaseModel):
    """The 72 controls as the page sends them, by their number."""

    answers: dict[str, SheetLine] = Field(default_factory=dict, title="Butir kendali")


class Verdict(BaseModel):
    """The verdict of the head of the division."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["pass", "fail"] = Field(
        title="Putusan", json_schema_extra=labelled({"pass": "Lulus", "fail": "Tidak lulus"})
    )
    note: str = Field("", max_length=2000, title="Catatan", json_schema_extra=AREA)


class Note(BaseModel):
    """A remark with the verdict."""

    note: str = Field("", max_length=2000, title="Catatan putusan", json_schema_extra=AREA)


class Grounds(BaseModel):
    """The reason of a verdict *tidak lulus*."""

    note: str = Field(
        min_length=5,
        max_length=2000,
        title="Alasan putusan",
        description="Dibaca oleh pihak yang memperbaiki aplikasi.",
        json_schema_extra=AREA,
    )


class ScanView(BaseModel):
    """One run of one engine."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    engine: str
    is_complete: bool
    finished_at: datetime | None
    job_id: UUID


class FindingView(BaseModel):
    """A finding."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    engine: str
    rule: str
    control: str
    cwe: str
    severity: str
    title: str
    risk: str
    where: str
    evidence: str
    recommendation: str
    status: str
    first_round: int
    last_round: int
    due_on: date | None


class PermitView(BaseModel):
    """A permit as it was signed."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    digest: str
    signed: str
    valid_until: datetime
    created_at: datetime
    revoked_at: datetime | None


class TestRow(BaseModel):
    """A test in a list."""

    __test__ = False
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    case_id: UUID
    case_number: str
    application: str
    round: int
    release_number: int
    digest: str
    status: str
    tester_name: str
    number: str
    created_at: datetime


class TestView(TestRow):
    """A test whole."""

    closed_host: str
    verdict_note: str
    verdict_by_name: str
    verdict_at: datetime | None
    paper_digest: str
    may_pass: bool
    reasons: list[str]
    """What stands in the way of a pass."""
    answered_controls: int
    scans: list[ScanView]
    findings: list[FindingView]
    permits: list[PermitView]
