"""Shapes of evaluations."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.proposal import queries
from services.proposal.model import DECISION_LABELS, EVALUATION_LABELS, Evaluation, EvaluationStatus
from shared.identity import Person
from shared.pages import AREA, labelled

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Period(BaseModel):
    """The period of an evaluation."""

    model_config = ConfigDict(extra="forbid")

    from_on: date = Field(title="Awal periode")
    until_on: date = Field(title="Akhir periode")


class NewEvaluation(Period):
    """An evaluation to be opened on a live case."""

    case_id: UUID


class Report(BaseModel):
    """What the report says beside the figures."""

    model_config = ConfigDict(extra="forbid")

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
    promised: list[dict[str, str]]
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
    def of(cls, evaluation: Evaluation, by: Person, *, promised: list[dict[str, str]]) -> "EvaluationView":
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
            promised=promised,
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
