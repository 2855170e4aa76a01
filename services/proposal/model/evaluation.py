"""The evaluation of an application in use: figures with their sources, the report, the Head's decision (S10, S11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, lazyload, mapped_column, relationship
from sqlalchemy.sql.base import ExecutableOption

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept, utc_now
from shared.messages import EvaluationOpened
from shared.sentence import Sentence


class EvaluationStatus(StrEnum):
    """How far an evaluation is."""

    GATHERING = "gathering"
    REPORTED = "reported"
    PRESENTED = "presented"
    RETURNED = "returned"
    DECIDED = "decided"


EVALUATION_LABELS = {
    EvaluationStatus.GATHERING: "Mengumpulkan angka",
    EvaluationStatus.REPORTED: "Laporan disusun, menunggu rapat",
    EvaluationStatus.PRESENTED: "Dipaparkan, menunggu keputusan Kepala",
    EvaluationStatus.RETURNED: "Dikembalikan untuk diperbaiki",
    EvaluationStatus.DECIDED: "Diputuskan",
}
DECISION_LABELS = {
    "continue": "Dilanjutkan",
    "further_development": "Dikembangkan lebih lanjut",
    "retire": "Dinonaktifkan",
    "return": "Dikembalikan untuk diperbaiki",
}
RESULT_LABELS = {"reached": "Tercapai", "partly": "Tercapai sebagian", "not_reached": "Belum tercapai"}
NOT_JUDGED = Sentence("Belum dinilai")
ASKED = tuple(EvaluationOpened.to)
"""Divisions whose figures an evaluation waits for."""


class Evaluation(Kept, Table):
    """The evaluation of one application over one period."""

    __tablename__ = "evaluation"
    __table_args__ = (
        Index("ix_evaluation_case_id", "case_id", "created_at"),
        Index("ix_evaluation_status", "status", "created_at"),
        # Two evaluations of one application at once would gather the same figures twice.
        Index(
            "uq_evaluation_open",
            "case_id",
            unique=True,
            postgresql_where=text("status <> 'decided'"),
        ),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case] = relationship(foreign_keys=[case_id], lazy="joined", innerjoin=True)
    number: Mapped[str] = mapped_column(String(80), unique=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    status: Mapped[EvaluationStatus] = mapped_column(String(12), default=EvaluationStatus.GATHERING)
    opened_by_id: Mapped[UUID | None]
    """Who opened it; nobody when the yearly timetable did."""
    asked_at: Mapped[datetime | None]
    """When the divisions were last asked for their figures."""
    answered: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Divisions whose figures have arrived, also those that had none to give."""
    actuals: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """What became of the promised indicators: name, actual, source, result."""
    obstacles: Mapped[list[str]] = mapped_column(JSONB, default=list)
    advice: Mapped[list[str]] = mapped_column(JSONB, default=list)
    advises: Mapped[str] = mapped_column(String(20), default="")
    """What the report advises: continue, further_development or retire."""
    report_version: Mapped[int] = mapped_column(default=0)
    report_digest: Mapped[str] = mapped_column(String(64), default="")
    reported_by_id: Mapped[UUID | None]
    reported_by_name: Mapped[str] = mapped_column(String(200), default="")
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    """The weekly meeting in which it was presented."""
    meeting_number: Mapped[str] = mapped_column(String(80), default="")
    presented_on: Mapped[date | None]
    decision: Mapped[str] = mapped_column(String(20), default="")
    decision_note: Mapped[str] = mapped_column(Text, default="")
    decided_by_name: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None]
    follow_up_case_id: Mapped[UUID | None] = mapped_column(ForeignKey("application_case.id"))
    figures: Mapped[list["EvaluationFigure"]] = relationship(
        order_by="(EvaluationFigure.division, EvaluationFigure.position)", lazy="selectin"
    )

    @classmethod
    def bare(cls, *, with_case: bool = False) -> tuple[ExecutableOption, ...]:
        """Return the options that load evaluations for a list: no figures, and the case only when asked."""
        return (lazyload(cls.figures),) if with_case else (lazyload(cls.figures), lazyload(cls.case))

    @property
    def missing(self) -> list[str]:
        """Return the divisions whose figures have not arrived."""
        return [division for division in ASKED if division not in self.answered]


@dataclass(frozen=True)
class Comparison:
    """One promised indicator beside what became of it."""

    name: str
    target: str
    actual: str = ""
    source: str = ""
    result: str = ""

    @property
    def label(self) -> str:
        """Return the result in words."""
        return RESULT_LABELS.get(self.result, NOT_JUDGED)


def compared(promised: Sequence[Mapping[str, str]], actuals: Sequence[Mapping[str, str]]) -> list[Comparison]:
    """Return every promised indicator with what became of it; what nobody judged stays without a result (X10)."""
    judged = {one["name"]: one for one in actuals}
    return [
        Comparison(one["name"], one.get("target", ""), found["actual"], found["source"], found["result"])
        if (found := judged.get(one["name"]))
        else Comparison(one["name"], one.get("target", ""))
        for one in promised
    ]


class EvaluationFigure(Table):
    """One number of an evaluation, with its unit, its source and when it arrived."""

    __tablename__ = "evaluation_figure"

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation.id"), primary_key=True)
    division: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    value: Mapped[float] = mapped_column(Double)
    unit: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=utc_now)
