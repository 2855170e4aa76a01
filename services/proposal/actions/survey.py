"""Answering a satisfaction survey, and its result as figures of the evaluation (f9)."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    ELEMENTS,
    SURVEY_SOURCE,
    Evaluation,
    EvaluationFigure,
    Survey,
    SurveyAnswer,
    SurveyVoter,
    voter,
)
from services.proposal.settings import Grades
from shared import audit
from shared.errors import NotAllowed, OutOfTurn
from shared.identity import Person

DIVISION = "proposal"
"""Whose figures a survey's result is."""


def answer_survey(
    session: Session, survey_id: UUID, *, by: Person, scores: Mapping[str, int], comment: str = ""
) -> Survey:
    """Take one person's answer, once; raise OutOfTurn the second time, and when the report is written.

    Not by `authorize`: its audit line would name who answered. Only that somebody did is written down.
    """
    found = queries.survey(session, survey_id)
    refusal = ACTS.answer_survey.refusal(by, found)
    if refusal:
        raise NotAllowed(refusal)
    if not queries.takes_answers(found):
        raise OutOfTurn("Survei ini sudah ditutup karena laporan evaluasinya telah disusun. Terima kasih.")
    try:
        with session.begin_nested():
            session.add(SurveyVoter(survey_id=found.id, voter=voter(found.id, by.id)))
    except IntegrityError as reason:
        raise OutOfTurn("Anda sudah mengisi survei ini. Terima kasih.", code="answered") from reason
    session.add(SurveyAnswer(survey_id=found.id, scores=[scores[key] for key in ELEMENTS], comment=comment))
    audit.record(session, None, ACTS.answer_survey.name, found)
    return found


def note_satisfaction(session: Session, evaluation: Evaluation, grades: Grades) -> None:
    """Write the result of the survey among the figures of its evaluation, as it stands now (S10)."""
    found = queries.survey_of(session, evaluation.id)
    if found is None:
        return
    told = queries.result(session, found, grades)
    source = f"Survei kepuasan {SURVEY_SOURCE}, sembilan unsur, nilai 1-4, {told.answers} jawaban"
    rows = [("survey_answers", "Jawaban survei kepuasan", float(told.answers), "jawaban")]
    if told.is_shown:
        rows.append(("survey_index", f"Indeks kepuasan (mutu {told.grade})", told.index, "dari 100"))
        pairs = zip(ELEMENTS.items(), told.means, strict=True)
        rows += [(f"survey_{key}", label, mean, "dari 4") for (key, label), mean in pairs]
    session.execute(
        delete(EvaluationFigure).where(
            EvaluationFigure.evaluation_id == evaluation.id, EvaluationFigure.division == DIVISION
        )
    )
    session.add_all(
        EvaluationFigure(
            evaluation_id=evaluation.id,
            division=DIVISION,
            key=key,
            position=position,
            label=label,
            value=value,
            unit=unit,
            source=source,
        )
        for position, (key, label, value, unit) in enumerate(rows)
    )
    session.flush()
    session.expire(evaluation, ["figures"])
