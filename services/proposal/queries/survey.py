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
    SurveyLink,
    SurveyVoter,
    read_code,
    satisfaction,
    voter,
)
from services.proposal.settings import Grades
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person
from shared.words import local_date


def survey(session: Session, survey_id: UUID) -> Survey:
    """Return a survey; whoever has the link may know which application it asks about. Raises NotFound."""
    found = session.get(Survey, survey_id)
    if found is None:
        raise NotFound("Survei tidak ditemukan. Periksa kembali tautannya.")
    return found


def survey_of(session: Session, evaluation_id: UUID) -> Survey | None:
    """Return the survey of an evaluation."""
    return session.scalar(select(Survey).where(Survey.evaluation_id == evaluation_id))


def survey_link(session: Session, code: str) -> SurveyLink:
    """Return the public link of a survey by its code, however it was typed; raise NotFound."""
    found = session.scalar(select(SurveyLink).where(SurveyLink.code == (read_code(code) or "-")))
    if found is None:
        raise NotFound("Tautan survei ini tidak dikenal. Pindai kembali kodenya.", code="unknown_survey")
    return found


def is_open(link: SurveyLink) -> bool:
    """Tell whether answers are taken by this link today."""
    return takes_answers(link.survey) and local_date(utc_now()) <= link.until_on


def was_answered_by(session: Session, link: SurveyLink, visitor: str) -> bool:
    """Tell whether this browser answered already."""
    return session.get(SurveyVoter, (link.survey_id, voter(link.survey_id, visitor))) is not None


def takes_answers(found: Survey) -> bool:
    """Tell whether the report still waits for answers."""
    return found.evaluation.status in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED)


def has_answered(session: Session, by: Person, found: Survey) -> bool:
    """Tell whether this person answered already."""
    mark = voter(found.id, by.id)
    return session.get(SurveyVoter, (found.id, mark)) is not None


def result(session: Session, found: Survey, grades: Grades, *, is_public: bool = False) -> Satisfaction:
    """Return how satisfied those who answered with an account are, or those without one, in one question."""
    means = [func.avg(cast(SurveyAnswer.scores[n + 1], Float)) for n in range(len(ELEMENTS))]
    of = (SurveyAnswer.survey_id == found.id, SurveyAnswer.is_public.is_(is_public))
    row = session.execute(select(func.count(), *means).where(*of)).one()
    return satisfaction(row[0], [mean or 0 for mean in row[1:]], grades)
