"""What waits for a person: the next act of each plan, contract, handover and claim, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload

from services.budget.model import (
    BudgetPlan,
    Claim,
    ClaimStatus,
    Contract,
    ContractStatus,
    Conveyance,
    ConveyanceStatus,
    PlanStatus,
    Vendor,
)
from services.budget.queries.contract import claimable, offered_on_contract, offered_on_handover
from services.budget.queries.plan import offered, offered_on_conveyance
from shared.identity import Person, Role
from shared.sentence import Sentence

MOST = 100
NOT_WORK = frozenset(
    {"reopen", "withhold", "reject_deliverable", "terminate_contract", "withdraw_contract", "distribute"}
)
"""What a person may do but nobody waits for."""


@dataclass(frozen=True)
class Task:
    """One thing that waits, in words."""

    title: str
    plan: BudgetPlan
    step: str
    since: datetime
    path: str


def waiting_on(session: Session, by: Person) -> list[Task]:
    """Return what waits for this person, oldest first; the same rule offers the acts on the pages."""
    contracts = _standing(session, by)
    tasks = [*_plans(session, by), *_conveyances(session, by), *_contracts(by, contracts)]
    tasks += [*_handovers(by, contracts), *_claims(session, by)]
    return sorted(tasks, key=lambda task: task.since)[:MOST]


def _plans(session: Session, by: Person) -> list[Task]:
    if not by.has(Role.APP_STAFF, Role.APP_HEAD):
        return []
    waiting = [PlanStatus.DRAFT, PlanStatus.LOCKED, PlanStatus.BUDGETED]
    statement = select(BudgetPlan).where(BudgetPlan.status.in_(waiting), BudgetPlan.halted_status == "")
    found = session.scalars(statement.order_by(BudgetPlan.created_at).limit(MOST).options(*_OF_PLAN))
    tasks = []
    for plan in found.unique():
        names = {act.name for act in offered(by, plan)}
        if "draft_lines" in names:
            tasks.append(
                _plan_task(
                    Sentence("Kunci RAB") if "lock" in names else Sentence("Susun RAB"),
                    plan,
                    "F03",
                    plan.current.created_at,
                )
            )
        elif "convey" in names:
            since = plan.current.locked_at or plan.created_at
            tasks.append(_plan_task(Sentence("Sampaikan RAB ke Bagian Perencanaan"), plan, "S04", since))
        elif "draft_contract" in names and not any(c.status in _STANDING for c in plan.contracts):
            since = plan.ceiling.created_at if plan.ceiling else plan.created_at
            tasks.append(_plan_task(Sentence("Siapkan kontrak dengan penyedia"), plan, "S05", since))
    return tasks


_OF_PLAN = (
    joinedload(BudgetPlan.versions).options(lazyload("*")),
    joinedload(BudgetPlan.contracts).options(lazyload("*")),
    joinedload(BudgetPlan.ceilings).options(lazyload("*")),
)
_STANDING = (ContractStatus.DRAFT, ContractStatus.SIGNED, ContractStatus.HANDED_OVER)


def _plan_task(title: str, plan: BudgetPlan, step: str, since: datetime) -> Task:
    return Task(title, plan, step, since, plan.path)


def _conveyances(session: Session, by: Person) -> list[Task]:
    if not by.has(Role.APP_HEAD, Role.SERVICE_HEAD, Role.HEAD, Role.PLANNING):
        return []
    standing = [ConveyanceStatus.PREPARING, ConveyanceStatus.SENT]
    statement = select(Conveyance).where(Conveyance.status.in_(standing)).order_by(Conveyance.created_at).limit(MOST)
    rounds = joinedload(BudgetPlan.conveyances).options(lazyload("*"))
    of_plan = joinedload(Conveyance.plan).options(lazyload("*"), rounds)
    found = session.scalars(statement.options(joinedload(Conveyance.signatures), of_plan)).unique()
    titles = {
        "sign_off": Sentence("Tanda tangani penyampaian RAB"),
        "approve_conveyance": Sentence("Setujui penyampaian RAB"),
        "set_ceiling": "Tetapkan pagu",
    }
    tasks = []
    for conveyance in found:
        names = [act.name for act in offered_on_conveyance(by, conveyance) if act.name in titles]
        since = conveyance.approved_at or conveyance.created_at
        tasks += [_plan_task(titles[name], conveyance.plan, "S04", since) for name in names[:1]]
    return tasks


_OF_CONTRACT = (
    joinedload(Contract.plan).options(lazyload("*"), joinedload(BudgetPlan.contracts).options(lazyload("*"))),
    joinedload(Contract.ceiling).options(lazyload("*")),
    joinedload(Contract.terms),
    joinedload(Contract.reports),
    joinedload(Contract.handovers),
    selectinload(Contract.claims).options(lazyload(Claim.contract)),
)
"""All that tells what comes next, in three statements for all contracts together."""


def _standing(session: Session, by: Person) -> Sequence[Contract]:
    """Return the contracts on which something may wait, those handed over last: most of them are done."""
    if not by.has(Role.APP_HEAD, Role.PPK, Role.VENDOR):
        return []
    statement = select(Contract).where(Contract.status.in_(_STANDING)).limit(MOST)
    if not by.has(Role.APP_HEAD, Role.PPK):
        statement = statement.join(Contract.vendor).where(Vendor.code == (by.vendor or ""))
    is_over = Contract.status == ContractStatus.HANDED_OVER
    return session.scalars(statement.order_by(is_over, Contract.created_at).options(*_OF_CONTRACT)).unique().all()


def _contracts(by: Person, contracts: Sequence[Contract]) -> list[Task]:
    tasks = []
    for contract in contracts:
        title = _next_on(by, contract)
        if title:
            step = "S06" if title.startswith("Tagih") else "S05"
            tasks.append(Task(title, contract.plan, step, contract.signed_at or contract.created_at, contract.path))
    return tasks


def _next_on(by: Person, contract: Contract) -> str:
    names = {act.name for act in offered_on_contract(by, contract)} - NOT_WORK
    if "sign_contract" in names:
        return Sentence("Tanda tangani kontrak {number}", number=contract.number)
    if "upload_document" in names and contract.missing_items:
        return Sentence(
            "Unggah {missing_items} dokumen yang belum ada",
            missing_items=len(contract.missing_items),
        )
    if "accept_documentation" in names:
        return Sentence("Periksa laporan dokumentasi")
    if "draft_handover" in names:
        return "Siapkan serah terima (BAST)"
    if "store_financial_report" in names and not contract.reports and contract.documentation_accepted_at:
        return "Simpan laporan keuangan"
    if "claim_term" in names:
        return Sentence("Tagih termin {no}", no=claimable(contract)[0].no)
    return ""


def _handovers(by: Person, contracts: Sequence[Contract]) -> list[Task]:
    return [
        Task(
            Sentence("Tanda tangani BAST {number}", number=h.number), contract.plan, "S05", h.created_at, contract.path
        )
        for contract in contracts
        for h in (contract.handover,)
        if h is not None and offered_on_handover(by, h)
    ]


def _claims(session: Session, by: Person) -> list[Task]:
    wanted = []
    if by.has(Role.APP_HEAD):
        wanted.append(ClaimStatus.SUBMITTED)
    if by.has(Role.TREASURER):
        wanted.append(ClaimStatus.VERIFIED)
    if not wanted:
        return []
    statement = select(Claim).where(Claim.status.in_(wanted)).order_by(Claim.created_at).limit(MOST)
    of_contract = joinedload(Claim.contract).options(lazyload("*"), joinedload(Contract.plan).options(lazyload("*")))
    words = {ClaimStatus.SUBMITTED: "Periksa tagihan", ClaimStatus.VERIFIED: "Bayar tagihan"}
    return [
        Task(
            f"{words[ClaimStatus(claim.status)]} termin {claim.term.no}",
            claim.contract.plan,
            "S06",
            claim.verified_at or claim.created_at,
            f"/tagihan/{claim.id}",
        )
        for claim in session.scalars(statement.options(of_contract))
        if claim.allows("verify_claim") or claim.allows("pay")
    ]
