"""The JSON door of satisfaction surveys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.authority import READERS
from services.proposal.model import SURVEY_SOURCE, Office, Survey, SurveyLink
from services.proposal.schemas.survey import (
    Answer,
    LinkView,
    Opening,
    PublicAnswer,
    PublicSurveyView,
    Question,
    SurveyView,
)
from shared.identity import Person
from shared.pages import inputs
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["survey"])
public = APIRouter(prefix="/inner", route_class=Door, include_in_schema=False)
"""What the gateway asks for somebody without an account."""
Code = Annotated[str, Path(max_length=60)]
QUESTIONS = [Question.model_validate(one) for one in inputs(Answer)]


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
        public_answers=queries.result(session, found, desk.grades, is_public=True).answers,
    )


@router.get("/surveys/{survey_id}")
def survey(session: Session, by: Asker, desk: Desk, survey_id: UUID) -> SurveyView:
    return _view(session, by, desk, queries.survey(session, survey_id))


@router.post("/surveys/{survey_id}/answers", status_code=201)
def answer_survey(session: Session, by: Asker, desk: Desk, survey_id: UUID, body: Answer) -> SurveyView:
    found = actions.answer_survey(session, survey_id, by=by, scores=body.scores(), comment=body.comment)
    session.flush()
    return _view(session, by, desk, found)


@router.post("/surveys/{survey_id}/link")
def open_survey_link(session: Session, by: Asker, survey_id: UUID, body: Opening) -> LinkView:
    return LinkView.model_validate(actions.open_survey_link(session, by, survey_id, until_on=body.until_on))


@public.get("/surveys/{code}")
def public_survey(
    session: Session, code: Code, visitor: Annotated[str, Query(max_length=100)] = ""
) -> PublicSurveyView:
    return _public_view(session, queries.survey_link(session, code), visitor)


@public.post("/surveys/{code}/answers", status_code=201)
def answer_publicly(session: Session, code: Code, body: PublicAnswer) -> PublicSurveyView:
    link = actions.answer_publicly(session, code, visitor=body.visitor, scores=body.scores(), comment=body.comment)
    session.flush()
    return _public_view(session, link, body.visitor)


def _public_view(session: orm.Session, link: SurveyLink, visitor: str) -> PublicSurveyView:
    evaluation = link.survey.evaluation
    return PublicSurveyView(
        application=evaluation.case.name,
        from_on=evaluation.from_on,
        until_on=evaluation.until_on,
        closes_on=link.until_on,
        is_open=queries.is_open(link),
        has_answered=bool(visitor) and queries.was_answered_by(session, link, visitor),
        source=SURVEY_SOURCE,
        questions=QUESTIONS,
    )
