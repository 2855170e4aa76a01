"""Shapes of evaluations."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.proposal import queries
from services.proposal.model import (
    DECISION_LABELS,
    EVALUATION_LABELS,
    NOT_JUDGED,
    RESULT_LABELS,
    Comparison,
    Evaluation,
    EvaluationStatus,
)
from shared.identity import Person
from shared.pages import AREA, labelled

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Period(BaseModel):
    """The period of an evaluation."""

    model_config = ConfigDict(extra="forbid")

    from_on: date = Field(title="Awal periode")
    until_on: date = Field(title="Akhir periode")


class NewEvaluation(Period):
    """An evaluation to be opened on a live case."""

    case_id: UUID


class Actual(BaseModel):
    """What became of one promised indicator."""

    model_config = ConfigDict(extra="forbid")

    name: Short = Field(min_length=1, title="Indikator")
    actual: Short = Field("", title="Kenyataan", description="Nilai pada akhir periode.")
    source: Short = Field("", title="Sumber atau bukti", description="Nama dokumen, catatan, atau pengukuran.")
    figure: Short = Field("", title="Atau dari angka", description="Nama angka pada halaman ini, disalin apa adanya.")
    result: Literal["", "reached", "partly", "not_reached"] = Field(
        "", title="Hasil", json_schema_extra=labelled({"": NOT_JUDGED, **RESULT_LABELS})
    )


class Report(BaseModel):
    """What the report says beside the figures."""

    model_config = ConfigDict(extra="forbid")

    actuals: list[Actual] = Field(
        default_factory=list,
        max_length=20,
        title="Indikator yang dijanjikan dan kenyataannya",
        description="Isi kenyataan beserta sumbernya, atau sebut angka yang menjawabnya.",
    )
    obstacles: list[Line] = Field(
        default_factory=list, max_length=50, title="Kendala", description="Satu kendala per baris."
    )
    advice: list[Line] = Field(min_length=1, max_length=50, title="Saran", description="Satu saran per baris.")
    advises: Literal["continue", "further_development", "retire"] = Field(
        title="Usul keputusan", json_schema_extra=labelled(DECISION_LABELS)
    )
    without_missing: bool = Field(
        False,
        title="Susun tanpa angka yang belum masuk",
        description="Laporan menyebut divisi yang angkanya belum ada.",
    )


class Decision(BaseModel):
    """The Head's decision."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["continue", "further_development", "retire", "return"] = Field(
        title="Keputusan", json_schema_extra=labelled(DECISION_LABELS)
    )
    words: str = Field(
        "",
        max_length=4000,
        title="Catatan atau alasan",
        description="Wajib untuk dinonaktifkan dan dikembalikan.",
        json_schema_extra=AREA,
    )


class FigureView(BaseModel):
    """A number with its unit, source and time."""

    model_config = ConfigDict(from_attributes=True)
    division: str
    key: str
    label: str
    value: float
    unit: str
    source: str
    at: datetime


class PromisedView(BaseModel):
    """A promised indicator and what became of it; an empty result means that nobody judged it."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    target: str
    actual: str
    source: str
    result: str


class EvaluationRow(BaseModel):
    """An evaluation in a list."""

    id: UUID
    number: str
    case_number: str
    name: str
    from_on: date
    until_on: date
    status: str
    status_label: str
    decision: str

    @classmethod
    def of(cls, evaluation: Evaluation) -> "EvaluationRow":
        """Return an evaluation as a list shows it."""
        return cls(
            id=evaluation.id,
            number=evaluation.number,
            case_number=evaluation.case.number,
            name=evaluation.case.name,
            from_on=evaluation.from_on,
            until_on=evaluation.until_on,
            status=evaluation.status,
            status_label=EVALUATION_LABELS[EvaluationStatus(evaluation.status)],
            decision=evaluation.decision,
        )


class EvaluationView(BaseModel):
    """An evaluation whole."""

    id: UUID
    number: str
    case_id: UUID
    case_number: str
    name: str
    from_on: date
    until_on: date
    status: str
    status_label: str
    figures: list[FigureView]
    missing: list[str]
    """Divisions whose figures have not arrived."""
    asked_at: datetime | None
    """When they were last asked."""
    promised: list[PromisedView]
    """What the proposal promised, and what became of it."""
    obstacles: list[str]
    advice: list[str]
    advises: str
    report_digest: str
    report_version: int
    meeting_id: UUID | None
    meeting_number: str
    presented_on: date | None
    decision: str
    decision_note: str
    decided_by_name: str
    decided_at: datetime | None
    follow_up_case_id: UUID | None
    moves: list[str]

    @classmethod
    def of(cls, evaluation: Evaluation, by: Person, *, promised: list[Comparison]) -> "EvaluationView":
        """Return an evaluation with what this person may do with it."""
        return cls(
            id=evaluation.id,
            number=evaluation.number,
            case_id=evaluation.case_id,
            case_number=evaluation.case.number,
            name=evaluation.case.name,
            from_on=evaluation.from_on,
            until_on=evaluation.until_on,
            status=evaluation.status,
            status_label=EVALUATION_LABELS[EvaluationStatus(evaluation.status)],
            figures=[FigureView.model_validate(figure) for figure in evaluation.figures],
            missing=evaluation.missing,
            asked_at=evaluation.asked_at,
            promised=[PromisedView.model_validate(one) for one in promised],
            obstacles=evaluation.obstacles,
            advice=evaluation.advice,
            advises=evaluation.advises,
            report_digest=evaluation.report_digest,
            report_version=evaluation.report_version,
            meeting_id=evaluation.meeting_id,
            meeting_number=evaluation.meeting_number,
            presented_on=evaluation.presented_on,
            decision=evaluation.decision,
            decision_note=evaluation.decision_note,
            decided_by_name=evaluation.decided_by_name,
            decided_at=evaluation.decided_at,
            follow_up_case_id=evaluation.follow_up_case_id,
            moves=[act.name for act in queries.offered_in_evaluation(by, evaluation)],
        )
