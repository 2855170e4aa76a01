"""Pages of evaluations."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.actions.paper import DIVISIONS, quantity
from services.proposal.authority import ACTS
from services.proposal.model import DECISION_LABELS, EVALUATION_LABELS, Case, Content, EvaluationStatus
from services.proposal.pages.case import desk, pages, prefill
from services.proposal.schemas.evaluation import Decision, Report
from shared.identity import Person
from shared.pages import Nothing
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place

router = pages.router


@router.get("/evaluasi")
def evaluations(request: Request, session: Session, by: Asker) -> Response:
    found = queries.evaluations(session, by, after=place(request.query_params.get("after")))
    months = request.app.state.settings.evaluation_months
    return pages.render(
        request,
        "evaluations.html",
        "Evaluasi",
        evaluations=found,
        after=mark(found, 50),
        stale=queries.stale(session, by, months=months),
        months=months,
        may_open=ACTS.open_evaluation.allows(by, None),
        labels=EVALUATION_LABELS,
        decisions=DECISION_LABELS,
    )


@router.get("/evaluasi/{evaluation_id}")
def evaluation(request: Request, session: Session, by: Asker, evaluation_id: UUID) -> Response:
    return _evaluation(request, session, by, evaluation_id)


def _evaluation(request: Request, session: orm.Session, by: Person, evaluation_id: UUID) -> Response:
    found = queries.evaluation(session, by, evaluation_id)
    offered = queries.offered_in_evaluation(by, found)
    offers = pages.offers(request, offered, id=found.id)
    if ACTS.follow_up in offered:
        written = actions.prefilled(session, found).model_dump(mode="json")
        offers = prefill(offers, ACTS.follow_up.name, {key: value for key, value in written.items() if value})
    rows = queries.promised(session, found)
    if ACTS.report_evaluation in offered:
        kept = {one.name: one for one in rows}
        actuals = [{"name": n, "actual": c.actual, "source": c.source, "result": c.result} for n, c in kept.items()]
        given = {"actuals": actuals, "obstacles": found.obstacles, "advice": found.advice, "advises": found.advises}
        offers = prefill(offers, ACTS.report_evaluation.name, {key: value for key, value in given.items() if value})
    following = session.get(Case, found.follow_up_case_id) if found.follow_up_case_id else None
    return pages.render(
        request,
        "evaluation.html",
        Sentence("Evaluasi {number}", number=found.number),
        evaluation=found,
        label=EVALUATION_LABELS[EvaluationStatus(found.status)],
        decisions=DECISION_LABELS,
        divisions=DIVISIONS,
        quantity=quantity,
        promised=rows,
        following=following,
        survey=queries.survey_of(session, found.id),
        offers=offers,
    )


pages.act(
    ACTS.ask_again,
    "/evaluasi/{id}/permintaan",
    Nothing,
    lambda s, by, id, _b, _r: f"/evaluasi/{actions.ask_again(s, by, id).id}",
    back=_evaluation,
)
pages.act(
    ACTS.report_evaluation,
    "/evaluasi/{id}/laporan",
    Report,
    lambda s, by, id, body, request: (
        f"/evaluasi/{actions.report_evaluation(s, by, id, desk(request), **body.model_dump()).id}"
    ),
    back=_evaluation,
)
pages.act(
    ACTS.decide_evaluation,
    "/evaluasi/{id}/keputusan",
    Decision,
    lambda s, by, id, body, _r: f"/evaluasi/{actions.decide_evaluation(s, by, id, **body.model_dump()).id}",
    back=_evaluation,
)
pages.act(
    ACTS.follow_up,
    "/evaluasi/{id}/tindak-lanjut",
    Content,
    lambda s, by, id, body, request: f"/perkara/{actions.follow_up(s, by, id, desk(request), content=body).number}",
    back=_evaluation,
)
