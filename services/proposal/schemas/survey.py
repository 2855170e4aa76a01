"""Shapes of surveys."""

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
