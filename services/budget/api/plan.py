"""The JSON door for budget plans, conveyances, accounts and papers."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from services.budget import actions, queries
from services.budget.api.desk import Desk, send_file
from services.budget.model import Account, BudgetPlan, Ceiling, Conveyance, Entry
from services.budget.schemas import (
    AccountView,
    CeilingView,
    ConveyanceView,
    EntryView,
    Lines,
    NewAccount,
    NewCeiling,
    NewConveyance,
    PlanRow,
    PlanView,
    by_account,
)
from shared.edition import tag_of
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Seen, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["budget"])


@router.get("/budget-plans", response_model=list[PlanRow])
def plans(
    request: Request,
    session: Session,
    by: Asker,
    case_id: UUID | None = None,
    case_number: str | None = None,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.plans(session, by, case_id=case_id, case_number=case_number, limit=limit, after=place(after))
    return answer_list(request, [PlanRow.model_validate(plan) for plan in found], after=mark(found, limit))


@router.get("/budget-plans/{plan_id}", response_model=PlanView)
def plan(session: Session, by: Asker, plan_id: UUID, response: Response) -> BudgetPlan:
    return _tagged(queries.plan(session, by, plan_id), response)


@router.get("/budget-plans/{plan_id}/ledger", response_model=list[EntryView])
def ledger(session: Session, by: Asker, plan_id: UUID) -> list[Entry]:
    found = queries.plan(session, by, plan_id)
    return [entry for ceiling in found.ceilings for entry in queries.ledger_of(session, ceiling.id)]


@router.put("/budget-plans/{plan_id}/lines", response_model=PlanView)
def draft_lines(
    session: Session,
    by: Asker,
    plan_id: UUID,
    body: Lines,
    response: Response,
    seen: Seen = None,
) -> BudgetPlan:
    lines = [line.line() for line in body.lines]
    return _tagged(actions.draft_lines(session, by, plan_id, lines=lines, seen=seen), response)


@router.post("/budget-plans/{plan_id}/lock", response_model=PlanView)
def lock(session: Session, by: Asker, plan_id: UUID, office: Desk) -> BudgetPlan:
    return actions.lock(session, by, plan_id, office=office)


@router.post("/budget-plans/{plan_id}/revision", response_model=PlanView)
def reopen(session: Session, by: Asker, plan_id: UUID, body: Reason) -> BudgetPlan:
    return actions.reopen(session, by, plan_id, reason=body.reason)


@router.post("/conveyances", response_model=ConveyanceView, status_code=201)
def convey(session: Session, by: Asker, body: NewConveyance) -> Conveyance:
    return actions.convey(session, by, body.plan_id, note=body.note)


@router.get("/conveyances/{conveyance_id}", response_model=ConveyanceView)
def conveyance(session: Session, by: Asker, conveyance_id: UUID) -> Conveyance:
    return queries.conveyance(session, by, conveyance_id)


@router.post("/conveyances/{conveyance_id}/sign-off", response_model=ConveyanceView)
def sign_off(session: Session, by: Asker, conveyance_id: UUID) -> Conveyance:
    return actions.sign_off(session, by, conveyance_id)


@router.post("/conveyances/{conveyance_id}/approval", response_model=ConveyanceView)
def approve_conveyance(session: Session, by: Asker, conveyance_id: UUID, office: Desk) -> Conveyance:
    return actions.approve_conveyance(session, by, conveyance_id, office=office)


@router.post("/conveyances/{conveyance_id}/withholding", response_model=ConveyanceView)
def withhold(session: Session, by: Asker, conveyance_id: UUID, body: Reason) -> Conveyance:
    return actions.withhold(session, by, conveyance_id, reason=body.reason)


@router.post("/conveyances/{conveyance_id}/ceiling", response_model=CeilingView, status_code=201)
def set_ceiling(session: Session, by: Asker, conveyance_id: UUID, body: NewCeiling, office: Desk) -> Ceiling:
    fields = body.model_dump(exclude={"accounts"})
    return actions.set_ceiling(session, by, conveyance_id, **fields, accounts=by_account(body.accounts), office=office)


@router.post("/conveyances/{conveyance_id}/return", response_model=ConveyanceView)
def return_plan(session: Session, by: Asker, conveyance_id: UUID, body: Reason) -> Conveyance:
    return actions.return_plan(session, by, conveyance_id, reason=body.reason)


@router.post("/conveyances/{conveyance_id}/deferral", response_model=ConveyanceView)
def defer_plan(session: Session, by: Asker, conveyance_id: UUID, body: Reason) -> Conveyance:
    return actions.defer_plan(session, by, conveyance_id, reason=body.reason)


@router.get("/accounts", response_model=list[AccountView])
def accounts(session: Session, by: Asker) -> list[Account]:
    return list(queries.accounts(session))


@router.post("/accounts", response_model=AccountView, status_code=201)
def record_account(session: Session, by: Asker, body: NewAccount) -> Account:
    return actions.record_account(session, by, **body.model_dump())


@router.get("/budget-papers/{paper_id}/file", response_class=FileResponse)
def paper_file(session: Session, by: Asker, paper_id: UUID, office: Desk) -> FileResponse:
    paper = queries.paper(session, by, paper_id)
    return send_file(office.store, paper.digest, name=f"{paper.kind}-{paper.code}.pdf", kind="application/pdf")


def _tagged(plan: BudgetPlan, response: Response) -> BudgetPlan:
    response.headers["etag"] = tag_of(plan.current.tag)
    return plan
