"""The page on which users answer the satisfaction survey of an application."""

from typing import Any
from uuid import UUID

import segno
from fastapi import Request, Response
from markupsafe import Markup
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, READERS
from services.proposal.model import ELEMENTS, SURVEY_SOURCE, SurveyLink
from services.proposal.pages.case import desk, pages
from services.proposal.schemas.survey import Answer, Opening
from shared.identity import Person
from shared.sentence import Sentence
from shared.web import Asker, Session

router = pages.router


@router.get("/survei/{survey_id}")
def survey(request: Request, session: Session, by: Asker, survey_id: UUID) -> Response:
    return _survey(request, session, by, survey_id)


def _survey(request: Request, session: orm.Session, by: Person, survey_id: UUID) -> Response:
    found = queries.survey(session, survey_id)
    is_open, answered = queries.takes_answers(found), queries.has_answered(session, by, found)
    act = ACTS.answer_survey
    offered = [act] if is_open and not answered and act.allows(by, found) else []
    may_open = is_open and ACTS.open_survey_link.allows(by, found)
    is_reader = by.has(*READERS)
    link = session.get(SurveyLink, found.id) if is_reader else None
    office = desk(request)
    return pages.render(
        request,
        "survey.html",
        Sentence("Survei kepuasan {name}", name=found.evaluation.case.name),
        survey=found,
        is_open=is_open,
        answered=answered,
        told=queries.result(session, found, office.grades) if is_reader else None,
        public=queries.result(session, found, office.grades, is_public=True) if link else None,
        link=link,
        address=_address(office.public_url, link) if link else "",
        code=_drawn(_address(office.public_url, link)) if link else "",
        is_link_open=link is not None and queries.is_open(link),
        opening=pages.offers(request, [ACTS.open_survey_link], id=found.id) if may_open else [],
        least=office.grades.least,
        elements=list(ELEMENTS.values()),
        source=SURVEY_SOURCE,
        offers=pages.offers(request, offered, id=found.id),
    )


def _address(public_url: str, link: SurveyLink) -> str:
    return f"{public_url.rstrip('/')}{link.path}"


def _drawn(address: str) -> Any:
    """Return the QR code of an address; dark on white also where the page is dark."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(scale=5, border=3, light="#ffffff", svgclass=None, lineclass=None))  # noqa: S704


def _answered(session: orm.Session, by: Person, survey_id: UUID, body: Answer) -> str:
    return f"/survei/{actions.answer_survey(session, survey_id, by=by, scores=body.scores(), comment=body.comment).id}"


pages.act(
    ACTS.answer_survey, "/survei/{id}", Answer, lambda s, by, id, body, _r: _answered(s, by, id, body), back=_survey
)
pages.act(
    ACTS.open_survey_link,
    "/survei/{id}/tautan",
    Opening,
    lambda s, by, id, body, _r: f"/survei/{actions.open_survey_link(s, by, id, until_on=body.until_on).survey_id}",
    back=_survey,
)
