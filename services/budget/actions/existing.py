"""Takes over what was running before Alur: plans, ceilings, contracts, payments and handovers of older cases.

For the demo campus and for campuses that begin in the middle of a year. The rules of money hold as for everything
else, because the database keeps them; only the waiting for one another is left out, and no message is sent: the
case itself is taken over in `proposal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget.actions.contract import NewContract, compose
from services.budget.actions.conveyance import decided, must_be_whole
from services.budget.actions.loading import settle
from services.budget.actions.plan import new_version, write_lines
from services.budget.ledger import NewLine
from services.budget.model import (
    BudgetPlan,
    Ceiling,
    Claim,
    ClaimStatus,
    Contract,
    ContractStatus,
    Conveyance,
    ConveyanceStatus,
    Handover,
    HandoverStatus,
    Payment,
    PlanStatus,
    Vendor,
)
from shared import audit
from shared.database import utc_now
from shared.errors import Incomplete
from shared.messages import ApplicationFacts
from shared.sentence import Sentence
from shared.words import WIB

BEFORE_ALUR = "Tercatat sebelum Alur"


@dataclass(frozen=True)
class ExistingVendor:
    """A firm that is known already."""

    code: str
    name: str
    npwp: str
    is_pkp: bool
    city: str = ""
    director: str = ""


@dataclass(frozen=True)
class ExistingCeiling:
    """A ceiling that was set already."""

    amount: int
    fund_source: str
    set_on: date
    accounts: Mapping[str, int] = field(default_factory=dict)
    """Left empty, the whole stands under `account_code`."""
    account_code: str = "525113"
    document_number: str = ""


@dataclass(frozen=True)
class ExistingTerm:
    """How far one term is; `claimed` waits for the application division."""

    no: int
    status: Literal["planned", "claimed", "paid"]
    paid_on: date | None = None
    spm_number: str = "-"
    sp2d_number: str = "-"
    invoice_number: str = "-"


@dataclass(frozen=True)
class ExistingContract:
    """A contract that runs or was handed over."""

    contract: NewContract
    """With its number."""
    signed_on: date
    terms: Sequence[ExistingTerm] = ()
    handover_number: str = ""
    """Set when the handover is signed."""
    handover_on: date | None = None


@dataclass(frozen=True)
class ExistingPlan:
    """A case that stands in the work programme, with its money as far as it came."""

    case_id: UUID
    case_number: str
    application: ApplicationFacts
    fiscal_year: int
    lines: Sequence[NewLine] = ()
    version: int = 1
    is_locked: bool = True
    estimated_amount: int = 0
    minutes: Sequence[str] = ()
    """Numbers of the minutes that concluded; empty: the meetings are still to come."""
    conveyed_letter: str = ""
    """Number of the cover letter, when the plan lies with the planning section or has its ceiling."""
    ceiling: ExistingCeiling | None = None
    contract: ExistingContract | None = None
    live_on: date | None = None


def register_existing_vendor(session: Session, existing: ExistingVendor) -> Vendor:
    """Take a firm over and return it; one that is known stays as it is."""
    vendor = session.scalar(select(Vendor).where(Vendor.code == existing.code))
    if vendor is None:
        vendor = Vendor(
            code=existing.code,
            name=existing.name,
            npwp=existing.npwp,
            is_pkp=existing.is_pkp,
            city=existing.city,
            director=existing.director,
        )
        session.add(vendor)
        audit.record(session, None, "register_existing", f"vendor:{existing.code}")
        session.flush()
    return vendor


def register_existing(session: Session, existing: ExistingPlan) -> BudgetPlan:
    """Take a running plan over and return it; a case that is known stays as it is.

    Raises Incomplete or CapExceeded for figures that the rules of money refuse.
    """
    known = session.scalar(select(BudgetPlan).where(BudgetPlan.case_id == existing.case_id))
    if known:
        return known
    plan = _plan(session, existing)
    audit.record(session, None, "register_existing", plan, case_number=existing.case_number)
    if existing.conveyed_letter:
        _conveyance(session, plan, existing)
    if existing.ceiling:
        ceiling = _ceiling(session, plan, existing, existing.ceiling)
        if existing.contract:
            _contract(session, plan, ceiling, existing.contract)
    settle(session)
    return plan


def _plan(session: Session, existing: ExistingPlan) -> BudgetPlan:
    is_locked = existing.is_locked and bool(existing.lines)
    plan = BudgetPlan(
        case_id=existing.case_id,
        case_number=existing.case_number,
        application_code=existing.application.code,
        application_name=existing.application.name,
        application_unit=existing.application.unit,
        application=existing.application.model_dump(mode="json"),
        fiscal_year=existing.fiscal_year,
        estimated_amount=existing.estimated_amount,
        status=PlanStatus.LOCKED if is_locked else PlanStatus.DRAFT,
        minutes=list(existing.minutes),
        meetings_concluded_at=utc_now() if existing.minutes else None,
        live_at=_moment(existing.live_on) if existing.live_on else None,
    )
    session.add(plan)
    version = new_version(session, plan, reason=BEFORE_ALUR)
    version.version = existing.version
    version.drafted_by_name = BEFORE_ALUR
    write_lines(session, version, existing.lines)
    if is_locked:
        version.locked_at, version.locked_by_name = utc_now(), BEFORE_ALUR
        session.flush()
    return plan


def _conveyance(session: Session, plan: BudgetPlan, existing: ExistingPlan) -> None:
    if plan.status != PlanStatus.LOCKED:
        raise Incomplete(
            Sentence(
                "RAB {case_number} belum terkunci, sehingga belum dapat tercatat disampaikan.",
                case_number=existing.case_number,
            )
        )
    plan.status = PlanStatus.SENT
    conveyance = Conveyance(
        plan=plan,
        version=plan.current,
        round=1,
        status=ConveyanceStatus.SENT,
        conveyed_by_name=BEFORE_ALUR,
        approved_by_name=BEFORE_ALUR,
        approved_at=utc_now(),
        letter_number=existing.conveyed_letter,
        signatures=[],
    )
    session.add(conveyance)


def _ceiling(session: Session, plan: BudgetPlan, existing: ExistingPlan, given: ExistingCeiling) -> Ceiling:
    accounts = dict(given.accounts) or {given.account_code: given.amount}
    must_be_whole(session, given.amount, accounts)
    ceiling = Ceiling(
        plan=plan,
        fiscal_year=existing.fiscal_year,
        fund_source=given.fund_source,
        document_number=given.document_number,
        set_on=given.set_on,
    )
    session.add(ceiling)
    session.flush()
    session.add(decided(ceiling, by=None, amount=given.amount, accounts=accounts, note=BEFORE_ALUR, name=BEFORE_ALUR))
    plan.status = PlanStatus.BUDGETED
    if plan.conveyance:
        plan.conveyance.status = ConveyanceStatus.ACCEPTED
    settle(session)
    return ceiling


def _contract(session: Session, plan: BudgetPlan, ceiling: Ceiling, given: ExistingContract) -> None:
    contract = compose(session, plan, ceiling, new=given.contract)
    contract.status = ContractStatus.HANDED_OVER if given.handover_number else ContractStatus.SIGNED
    contract.drafted_by_name = contract.signed_by_name = BEFORE_ALUR
    contract.signed_at = _moment(given.signed_on)
    settle(session)
    for term in given.terms:
        _term(session, contract, term)
    if given.handover_number:
        _hand_over(session, contract, given)


def _term(session: Session, contract: Contract, given: ExistingTerm) -> None:
    if given.status == "planned":
        return
    term = next((t for t in contract.terms if t.no == given.no), None)
    if term is None:
        raise Incomplete(Sentence("Kontrak {number} tidak mempunyai termin {no}.", number=contract.number, no=given.no))
    is_paid = given.status == "paid"
    claim = Claim(
        contract=contract,
        term=term,
        amount=term.amount,
        invoice_number=given.invoice_number,
        status=ClaimStatus.PAID if is_paid else ClaimStatus.SUBMITTED,
        claimed_by_name=BEFORE_ALUR,
        answered_by_name=BEFORE_ALUR if is_paid else "",
    )
    session.add(claim)
    session.flush()
    if is_paid:
        session.add(
            Payment(
                contract_id=contract.id,
                term_id=term.id,
                claim_id=claim.id,
                amount=term.amount,
                account_code=contract.account_code,
                paid_on=given.paid_on or contract.start_on,
                spm_number=given.spm_number,
                sp2d_number=given.sp2d_number,
                paid_by_name=BEFORE_ALUR,
            )
        )
        settle(session)


def _hand_over(session: Session, contract: Contract, given: ExistingContract) -> None:
    on = given.handover_on or given.signed_on
    contract.documentation_accepted_at = _moment(on)
    contract.documentation_accepted_by_name = BEFORE_ALUR
    session.add(
        Handover(
            contract_id=contract.id,
            round=1,
            number=given.handover_number,
            status=HandoverStatus.SIGNED,
            statement=BEFORE_ALUR,
            drafted_by_name=BEFORE_ALUR,
            signed_at=_moment(on),
            signatures=[],
        )
    )


def _moment(on: date) -> datetime:
    return datetime.combine(on, time(12), WIB)
