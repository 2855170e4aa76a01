"""Surveys as whoever answers sees them, and their results for the centre."""

from uuid import UUID

from sqlalchemy import Float, cast, func, select
from sqlalchemy.orm import Session

from services.proposal.model import (
    ELEMENTS,
    EvaluationStatus,
    Satisfaction,
    Survey,
    SurveyAnswer,
    SurveyVoter,
    satisfaction,
    voter,
)
from services.proposal.settings import Grades
from shared.errors import NotFound
from shared.identity import Person


def survey(session: Session, survey_id: UUID) -> Survey:
    """Return a survey; whoever has the link may know which application it asks about. Raises NotFound."""
    found = session.get(Survey, survey_id)
    if found is None:
        raise NotFound("Survei tidak ditemukan. Periksa kembali tautannya.")
    return found


def survey_of(session: Session, evaluation_id: UUID) -> Survey | None:
    """Return the survey of an evaluation."""
    return session.scalar(select(Survey).where(Survey.evaluation_id == evaluation_id))


def takes_answers(found: Survey) -> bool:
    """Tell whether the report still waits for answers."""
    return found.evaluation.status in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED)


def has_answered(session: Session, by: Person, found: Survey) -> bool:
    """Tell whether this person answered already."""
    mark = voter(found.id, by.id)
    return session.get(SurveyVoter, (found.id, mark)) is not None


def result(session: Session, found: Survey, grades: Grades) -> Satisfaction:
    """Return how satisfied those who answered are, in one question."""
    means = [func.avg(cast(SurveyAnswer.scores[n + 1], Float)) for n in range(len(ELEMENTS))]
    row = session.execute(select(func.count(), *means).where(SurveyAnswer.survey_id == found.id)).one()
    return satisfaction(row[0], [mean or 0 for mean in row[1:]], grades)
