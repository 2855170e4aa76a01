"""The satisfaction survey of an application: nine elements, an answer once for each person, an index with its grade."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.evaluation import Evaluation
from services.proposal.model.follow import LENGTH
from services.proposal.model.table import Table
from services.proposal.settings import Grades
from shared.database import Kept, utc_now

SURVEY_SOURCE = "Permenpan-RB Nomor 14 Tahun 2017"
"""Where the nine elements stand."""
ELEMENTS = {
    "requirements": "Persyaratan",
    "procedure": "Sistem, mekanisme, dan prosedur",
    "time": "Waktu penyelesaian",
    "cost": "Biaya atau tarif",
    "product": "Produk layanan",
    "competence": "Kompetensi pelaksana",
    "behaviour": "Perilaku pelaksana",
    "complaints": "Penanganan pengaduan, saran, dan masukan",
    "facilities": "Sarana dan prasarana",
}
SCORES = {"1": "1 - tidak baik", "2": "2 - kurang baik", "3": "3 - baik", "4": "4 - sangat baik"}


class Survey(Kept, Table):
    """The survey that was opened with an evaluation; it takes answers until the report is written."""

    __tablename__ = "survey"

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluation.id"), unique=True)
    evaluation: Mapped[Evaluation] = relationship(lazy="joined", innerjoin=True)


class SurveyLink(Table):
    """The address under which anybody answers a survey without an account, until a day."""

    __tablename__ = "survey_link"

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    survey: Mapped[Survey] = relationship(lazy="joined", innerjoin=True)
    code: Mapped[str] = mapped_column(String(LENGTH), unique=True)
    """As unguessable as the code on a receipt."""
    until_on: Mapped[date]
    """The last day on which answers are taken."""
    opened_by_name: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def path(self) -> str:
        """Return the page of the gateway on which it is answered."""
        return f"/pendapat/{self.code}"


class SurveyVoter(Table):
    """That somebody answered a survey; nothing leads from here to the answer."""

    __tablename__ = "survey_voter"

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    voter: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of survey and person or browser: the same one comes once, and two surveys do not know each other's."""


class SurveyAnswer(Table):
    """One answer, without who gave it and when."""

    __tablename__ = "survey_answer"
    __table_args__ = (Index("ix_survey_answer_survey_id", "survey_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"))
    scores: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    """1 to 4 for each of `ELEMENTS`, in their order."""
    comment: Mapped[str] = mapped_column(Text, default="")
    is_public: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Given without an account: counted apart, because nobody knows whether one person gave several."""


def voter(survey_id: UUID, who: UUID | str) -> str:
    """Return the mark by which one person, or one browser without an account, answers one survey once."""
    return hashlib.sha256(f"{survey_id} {who}".encode()).hexdigest()


@dataclass(frozen=True)
class Satisfaction:
    """The result of a survey."""

    answers: int
    means: tuple[float, ...] = ()
    """The mean score of each element; empty while there are too few answers."""
    index: float = 0
    """The mean of all, times 25."""
    grade: str = ""

    @property
    def is_shown(self) -> bool:
        """Tell whether there are enough answers for a result."""
        return bool(self.means)


def satisfaction(answers: int, means: Sequence[float], grades: Grades) -> Satisfaction:
    """Return the result of so many answers with these means; without a number when there are too few of them."""
    if answers < max(grades.least, 1):
        return Satisfaction(answers)
    index = round(sum(means) / len(means) * 25, 2)
    return Satisfaction(answers, tuple(round(mean, 2) for mean in means), index, grades.of(index))
