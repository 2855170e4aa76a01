"""The JSON door of satisfaction surveys."""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.authority import READERS
from services.proposal.model import Office, Survey
from services.proposal.schemas.survey import Answer, SurveyView
from shared.identity import Person
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["survey"])


def _view(session: orm.Session, by: Person, desk: Office, found: Survey) -> SurveyView:
    told = queries.result(session, found, desk.grades)
    may_read = told.is_shown and by.has(*READERS)
    return SurveyView(
        id=found.id,
        application=found.evaluation.case.name,
        is_open=queries.takes_answers(found),
        has_answered=queries.has_answered(session, by, found),
        answers=told.answers,
        index=told.index if may_read else None,
        grade=told.grade if may_read else "",
    )


@router.get("/surveys/{survey_id}")
def survey(session: Session, by: Asker, desk: Desk, survey_id: UUID) -> SurveyView:
    return _view(session, by, desk, queries.survey(session, survey_id))


@router.post("/surveys/{survey_id}/answers", status_code=201)
def answer_survey(session: Session, by: Asker, desk: Desk, survey_id: UUID, body: Answer) -> SurveyView:
    found = actions.answer_survey(session, survey_id, by=by, scores=body.scores(), comment=body.comment)
    session.flush()
    return _view(session, by, desk, found)
