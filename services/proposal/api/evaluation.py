"""The JSON door of evaluations and what follows from them (S10, S11)."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.model import Content, Evaluation, Proposal
from services.proposal.schemas.evaluation import Decision, EvaluationRow, EvaluationView, NewEvaluation, Report
from services.proposal.schemas.proposal import ProposalView
from shared.identity import Person
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["evaluation"])


def _view(session: orm.Session, by: Person, evaluation: Evaluation) -> EvaluationView:
    return EvaluationView.of(evaluation, by, promised=queries.promised(session, evaluation))


@router.post("/evaluations", status_code=201)
def open_evaluation(session: Session, by: Asker, desk: Desk, body: NewEvaluation) -> EvaluationView:
    opened = actions.open_evaluation(session, by, body.case_id, desk, from_on=body.from_on, until_on=body.until_on)
    return _view(session, by, opened)


@router.get("/evaluations/{evaluation_id}")
def evaluation(session: Session, by: Asker, evaluation_id: UUID) -> EvaluationView:
    return _view(session, by, queries.evaluation(session, by, evaluation_id))


@router.get("/evaluations", response_model=list[EvaluationRow])
def evaluations(
    request: Request,
    session: Session,
    by: Asker,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.evaluations(session, by, limit=limit, after=place(after))
    return answer_list(request, [EvaluationRow.of(one) for one in found], after=mark(found, limit))


@router.post("/evaluations/{evaluation_id}/requests")
def ask_again(session: Session, by: Asker, evaluation_id: UUID) -> EvaluationView:
    return _view(session, by, actions.ask_again(session, by, evaluation_id))


@router.post("/evaluations/{evaluation_id}/report")
def report_evaluation(session: Session, by: Asker, desk: Desk, evaluation_id: UUID, body: Report) -> EvaluationView:
    return _view(session, by, actions.report_evaluation(session, by, evaluation_id, desk, **body.model_dump()))


@router.post("/evaluations/{evaluation_id}/decision")
def decide_evaluation(session: Session, by: Asker, evaluation_id: UUID, body: Decision) -> EvaluationView:
    return _view(session, by, actions.decide_evaluation(session, by, evaluation_id, **body.model_dump()))


@router.post("/evaluations/{evaluation_id}/follow-up", status_code=201)
def follow_up(
    session: Session,
    by: Asker,
    desk: Desk,
    evaluation_id: UUID,
    response: Response,
    body: Content | None = None,
) -> ProposalView:
    case = actions.follow_up(session, by, evaluation_id, desk, content=body)
    response.headers["location"] = f"/api/proposals/{case.id}"
    return ProposalView.of(session.get_one(Proposal, case.id), by)
