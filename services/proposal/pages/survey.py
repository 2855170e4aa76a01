"""The page on which users answer the satisfaction survey of an application."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, READERS
from services.proposal.model import ELEMENTS, SURVEY_SOURCE
from services.proposal.pages.case import desk, pages
from services.proposal.schemas.survey import Answer
from shared.identity import Person
from shared.web import Session, Signed

router = pages.router


@router.get("/survei/{survey_id}")
def survey(request: Request, session: Session, signed: Signed, survey_id: UUID) -> Response:
    return _survey(request, session, signed.person, survey_id)


def _survey(request: Request, session: orm.Session, by: Person, survey_id: UUID) -> Response:
    found = queries.survey(session, survey_id)
    is_open, answered = queries.takes_answers(found), queries.has_answered(session, by, found)
    act = ACTS.answer_survey
    offered = [act] if is_open and not answered and act.allows(by, found) else []
    return pages.render(
        request,
        "survey.html",
        f"Survei kepuasan {found.evaluation.case.name}",
        survey=found,
        is_open=is_open,
        answered=answered,
        told=queries.result(session, found, desk(request).grades) if by.has(*READERS) else None,
        least=desk(request).grades.least,
        elements=list(ELEMENTS.values()),
        source=SURVEY_SOURCE,
        offers=pages.offers(request, offered, id=found.id),
    )


def _answered(session: orm.Session, by: Person, survey_id: UUID, body: Answer) -> str:
    return f"/survei/{actions.answer_survey(session, survey_id, by=by, scores=body.scores(), comment=body.comment).id}"


pages.act(
    ACTS.answer_survey, "/survei/{id}", Answer, lambda s, by, id, body, _r: _answered(s, by, id, body), back=_survey
)
