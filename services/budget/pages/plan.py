"""Pages of budget plans, their conveyance, and the account codes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from services.budget import actions, queries
from services.budget.authority import ACTS
from services.budget.model import PlanVersion
from services.budget.pages.frame import WORDS, choosing, office, pages
from services.budget.queries.access import CONTRACT_READERS
from services.budget.schemas import ContractData, Lines, NewAccount, NewCeiling, Note, by_account
from shared.identity import Person
from shared.pages import Nothing, Offer, Reason, seen_edition
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place

router = pages.router


def _plan(request: Request, session: Session, by: Person, plan_id: UUID) -> Response:
    plan = queries.plan(session, by, plan_id, with_decisions=False)
    conveyance = plan.conveyance
    asked = queries.offered_on_conveyance(by, conveyance) if conveyance else []
    offers = pages.offers(request, asked, id=conveyance.id if conveyance else "")
    offers += pages.offers(request, queries.offered(by, plan), id=plan.id)
    drafts = any(offer.act is ACTS.draft_contract for offer in offers)
    vendors = queries.vendors(session, by) if drafts else []
    accounts = queries.accounts(session) if offers else []
    lists = {
        "vendor": [(row.code, f"{row.name} ({row.code})") for row in vendors],
        "account_code": [(row.code, f"{row.code} {row.name}") for row in accounts],
    }
    may_read_contracts = by.has(*CONTRACT_READERS)
    return pages.render(
        request,
        "plan.html",
        Sentence("RAB {application_name}", application_name=plan.application_name),
        plan=plan,
        offers=[choosing(_filled(offer, plan.current), **lists) for offer in offers],
        contracts=queries.contracts(session, by, plan_id=plan.id)[::-1] if may_read_contracts else [],
        lacks_vendors=drafts and not vendors,
        papers=queries.papers_of(session, plan.id, with_contracts=may_read_contracts),
        **WORDS,
    )


def _filled(offer: Offer, version: PlanVersion) -> Offer:
    """Return the form of the lines with the present lines in it, so that changing one keeps the others."""
    if offer.act is not ACTS.draft_lines:
        return offer
    offer = replace(offer, edition=version.tag)
    if offer.is_open:
        return offer
    rows = [
        {
            "account_code": line.account_code,
            "description": line.description,
            "volume": str(line.volume),
            "unit": line.unit,
            "unit_price_amount": f"{line.unit_price_amount:,}".replace(",", "."),
            "taxable": line.taxable,
            "group_name": line.group_name,
        }
        for line in version.lines
    ]
    return replace(offer, inputs=[replace(field, default=rows) for field in offer.inputs])


def _of_conveyance(request: Request, session: Session, by: Person, conveyance_id: UUID) -> Response:
    return _plan(request, session, by, queries.conveyance(session, by, conveyance_id).plan_id)


def _accounts(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    acts = [ACTS.record_account] if ACTS.record_account.allows(by, None) else []
    return pages.render(
        request,
        "accounts.html",
        "Kode akun",
        accounts=queries.accounts(session),
        offers=pages.offers(request, acts),
        **WORDS,
    )


@router.get("/rab")
def plans(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    found = queries.plans(session, by, after=place(after))
    return pages.render(request, "plans.html", "RAB dan pagu", plans=found, after=mark(found, 50), **WORDS)


@router.get("/rab/{plan_id}")
def plan(request: Request, session: Session, by: Asker, plan_id: UUID) -> Response:
    return _plan(request, session, by, plan_id)


@router.get("/akun-belanja")
def accounts(request: Request, session: Session, by: Asker) -> Response:
    return _accounts(request, session, by)


def _draft_lines(session: Session, by: Person, plan_id: UUID, body: Lines, request: Request) -> str:
    lines = [line.line() for line in body.lines]
    return actions.draft_lines(session, by, plan_id, lines=lines, seen=seen_edition(request)).path


def _reopen(session: Session, by: Person, plan_id: UUID, body: Reason, _request: Request) -> str:
    return actions.reopen(session, by, plan_id, reason=body.reason).path


def _lock(session: Session, by: Person, plan_id: UUID, _body: Nothing, request: Request) -> str:
    return actions.lock(session, by, plan_id, office=office(request)).path


def _convey(session: Session, by: Person, plan_id: UUID, body: Note, _request: Request) -> str:
    return actions.convey(session, by, plan_id, note=body.note).plan.path


def _sign_off(session: Session, by: Person, conveyance_id: UUID, _body: Nothing, _request: Request) -> str:
    return actions.sign_off(session, by, conveyance_id).plan.path


def _approve(session: Session, by: Person, conveyance_id: UUID, _body: Nothing, request: Request) -> str:
    return actions.approve_conveyance(session, by, conveyance_id, office=office(request)).plan.path


def _with_reason(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda session, by, id, body, _request: str(act(session, by, id, reason=body.reason).plan.path)


def _set_ceiling(session: Session, by: Person, conveyance_id: UUID, body: NewCeiling, request: Request) -> str:
    fields = body.model_dump(exclude={"accounts"})
    ceiling = actions.set_ceiling(
        session, by, conveyance_id, **fields, accounts=by_account(body.accounts), office=office(request)
    )
    return ceiling.plan.path


def _draft_contract(session: Session, by: Person, plan_id: UUID, body: ContractData, request: Request) -> str:
    return actions.draft_contract(session, by, plan_id, new=body.new(), office=office(request)).path


def _record_account(session: Session, by: Person, _id: object, body: NewAccount, _request: Request) -> str:
    actions.record_account(session, by, **body.model_dump())
    return "/akun-belanja"


_PLACE = "/rab/{id}"
_CONVEYANCE = "/penyampaian/{id}"
pages.act(ACTS.draft_lines, f"{_PLACE}/rincian", Lines, _draft_lines, back=_plan)
pages.act(ACTS.lock, f"{_PLACE}/kunci", Nothing, _lock, back=_plan)
pages.act(ACTS.reopen, f"{_PLACE}/revisi", Reason, _reopen, back=_plan)
pages.act(ACTS.convey, f"{_PLACE}/penyampaian", Note, _convey, back=_plan)
pages.act(ACTS.draft_contract, f"{_PLACE}/kontrak", ContractData, _draft_contract, back=_plan)
pages.act(ACTS.sign_off, f"{_CONVEYANCE}/tanda-tangan", Nothing, _sign_off, back=_of_conveyance)
pages.act(ACTS.approve_conveyance, f"{_CONVEYANCE}/persetujuan", Nothing, _approve, back=_of_conveyance)
pages.act(ACTS.withhold, f"{_CONVEYANCE}/penahanan", Reason, _with_reason(actions.withhold), back=_of_conveyance)
pages.act(ACTS.set_ceiling, f"{_CONVEYANCE}/pagu", NewCeiling, _set_ceiling, back=_of_conveyance)
pages.act(
    ACTS.return_plan, f"{_CONVEYANCE}/pengembalian", Reason, _with_reason(actions.return_plan), back=_of_conveyance
)
pages.act(ACTS.defer_plan, f"{_CONVEYANCE}/penundaan", Reason, _with_reason(actions.defer_plan), back=_of_conveyance)
pages.act(ACTS.record_account, "/akun-belanja", NewAccount, _record_account, back=_accounts)
