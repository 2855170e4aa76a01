"""Shapes of surveys."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.proposal.model import ELEMENTS, SCORES
from shared.pages import AREA, labelled

Score = Literal["1", "2", "3", "4"]


def _score(key: str, description: str) -> Score:
    field: Score = Field(title=ELEMENTS[key], description=description, json_schema_extra=labelled(SCORES))
    return field


class Answer(BaseModel):
    """One person's answer: a score for each element."""

    model_config = ConfigDict(extra="forbid")

    requirements: Score = _score("requirements", "Syarat untuk memakai layanan ini.")
    procedure: Score = _score("procedure", "Kemudahan langkah-langkahnya.")
    time: Score = _score("time", "Kecepatan layanan dan aplikasinya.")
    cost: Score = _score("cost", "Kewajaran biaya; layanan gratis dinilai 4.")
    product: Score = _score("product", "Kesesuaian hasil dengan yang dijanjikan.")
    competence: Score = _score("competence", "Kemampuan petugas yang melayani.")
    behaviour: Score = _score("behaviour", "Kesopanan dan keramahan petugas.")
    complaints: Score = _score("complaints", "Penanganan keluhan dan saran.")
    facilities: Score = _score("facilities", "Mutu aplikasi dan sarananya.")
    comment: str = Field(
        "",
        max_length=2000,
        title="Saran",
        description="Jangan menuliskan data pribadi.",
        json_schema_extra=AREA,
    )

    def scores(self) -> dict[str, int]:
        """Return the scores as numbers, by element."""
        return {key: int(getattr(self, key)) for key in ELEMENTS}


class PublicAnswer(Answer):
    """An answer without an account."""

    visitor: str = Field(min_length=20, max_length=100, pattern=r"^[\w-]+$", repr=False)
    """The mark of the browser, kept as a digest together with the survey."""


class Opening(BaseModel):
    """Until when a survey is open to everybody."""

    model_config = ConfigDict(extra="forbid")

    until_on: date = Field(title="Terima jawaban sampai", description="Paling lama 60 hari ke depan.")


class Question(BaseModel):
    """One field of the form, as the gateway draws it."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    label: str
    help: str
    kind: str
    is_required: bool
    choices: tuple[tuple[str, str], ...]


class PublicSurveyView(BaseModel):
    """A survey as somebody without an account sees it: what it asks about, and nothing of who answered what."""

    application: str
    from_on: date
    until_on: date
    closes_on: date
    is_open: bool
    has_answered: bool
    source: str
    questions: list[Question]


class LinkView(BaseModel):
    """The public link of a survey."""

    model_config = ConfigDict(from_attributes=True)

    survey_id: UUID
    path: str
    until_on: date


class SurveyView(BaseModel):
    """A survey as whoever has its link sees it."""

    id: UUID
    application: str
    is_open: bool
    has_answered: bool
    answers: int
    index: float | None
    """None while there are too few answers, or the asker may not see results."""
    grade: str
    public_answers: int
    """Given without an account, and not counted among the others."""
