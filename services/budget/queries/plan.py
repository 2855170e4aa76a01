"""Questions about budget plans, conveyances, ceilings and accounts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session, defaultload, joinedload, lazyload, selectinload

from services.budget import ledger
from services.budget.authority import ACTS
from services.budget.model import (
    Account,
    BudgetPlan,
    Ceiling,
    Contract,
    Conveyance,
    ConveyanceStatus,
    Entry,
    IssuedPaper,
    PlanStatus,
    PlanVersion,
)
from services.budget.queries.access import may_read_contract, may_read_plan, plans_of
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person
from shared.messages import Figure
from shared.words import local_date, numeric_date

PLAN_ACTS = ("draft_lines", "lock", "reopen")
CONVEYANCE_ACTS = ("sign_off", "approve_conveyance", "withhold", "set_ceiling", "return_plan", "defer_plan")

_WHOLE = (
    joinedload(BudgetPlan.conveyances).joinedload(Conveyance.signatures),
    joinedload(BudgetPlan.ceilings),
    selectinload(BudgetPlan.versions).joinedload(PlanVersion.lines),
)
_CEILINGS_ALONE = defaultload(BudgetPlan.ceilings).options(lazyload("*"))


def plan(session: Session, by: Person, plan_id: UUID, *, with_decisions: bool = True) -> BudgetPlan:
    """Return a plan that this person may see, with the decisions on its ceilings or not; raise NotFound otherwise."""
    found = session.get(BudgetPlan, plan_id, options=_WHOLE if with_decisions else (*_WHOLE, _CEILINGS_ALONE))
    if found is None or not may_read_plan(by, found):
        raise NotFound("RAB tidak ditemukan. Periksa nomor perkaranya atau cari di daftar RAB.")
    return found


def plans(
    session: Session,
    by: Person,
    *,
    case_id: UUID | None = None,
    case_number: str | None = None,
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[BudgetPlan]:
    """Return plans that this person may see, newest first, after a place in that order."""
    statement = select(BudgetPlan).where(plans_of(by))
    statement = statement.order_by(BudgetPlan.created_at.desc(), BudgetPlan.id.desc()).limit(limit)
    if case_id:
        statement = statement.where(BudgetPlan.case_id == case_id)
    if case_number:
        statement = statement.where(BudgetPlan.case_number == case_number)
    if after:
        statement = statement.where(tuple_(BudgetPlan.created_at, BudgetPlan.id) < after)
    return session.scalars(statement).all()


def conveyance(session: Session, by: Person, conveyance_id: UUID) -> Conveyance:
    """Return a conveyance that this person may see; raise NotFound otherwise."""
    found = session.get(Conveyance, conveyance_id)
    if found is None or not may_read_plan(by, found.plan):
        raise NotFound("Penyampaian tidak ditemukan. Cari di daftar RAB.")
    return found


def accounts(session: Session) -> Sequence[Account]:
    """Return the chart of accounts, by code."""
    return session.scalars(select(Account).order_by(Account.code).limit(500)).all()


Listed = Row[UUID, str, str, datetime, str]
"""A paper as a page names it: id, title, number, when it was issued, digest."""
_LISTED = (
    select(IssuedPaper.id, IssuedPaper.title, IssuedPaper.number, IssuedPaper.created_at, IssuedPaper.digest)
    .order_by(IssuedPaper.created_at.desc())
    .limit(200)
)


def papers_of(session: Session, plan_id: UUID, *, with_contracts: bool) -> Sequence[Listed]:
    """Return the papers issued for a plan, and for its contracts where they may be read, newest first."""
    asked = _LISTED.where(IssuedPaper.plan_id == plan_id)
    return session.execute(asked if with_contracts else asked.where(IssuedPaper.contract_id.is_(None))).all()


def papers_of_contract(session: Session, contract_id: UUID) -> Sequence[Listed]:
    """Return the papers issued for a contract, newest first."""
    return session.execute(_LISTED.where(IssuedPaper.contract_id == contract_id)).all()


def paper(session: Session, by: Person, paper_id: UUID) -> IssuedPaper:
    """Return an issued paper that this person may read; raise NotFound otherwise."""
    found = session.get(IssuedPaper, paper_id)
    if found is not None:
        if found.contract_id:
            if may_read_contract(by, session.get_one(Contract, found.contract_id)):
                return found
        elif may_read_plan(by, session.get_one(BudgetPlan, found.plan_id)):
            return found
    raise NotFound("Dokumen tidak ditemukan, atau bukan untuk Anda.")


def offered(by: Person, thing: BudgetPlan) -> list[Act]:
    """Return what this person may do with a plan now."""
    acts = [ACTS.rows[name] for name in PLAN_ACTS if thing.allows(name)]
    if not thing.current.total_amount:
        acts = [act for act in acts if act is not ACTS.lock]
    if thing.allows("convey") and thing.meetings_concluded_at:
        acts.append(ACTS.convey)
    if thing.status == PlanStatus.BUDGETED and not thing.halted_status:
        acts.append(ACTS.draft_contract)
    return [act for act in acts if act.allows(by, thing)]


def offered_on_conveyance(by: Person, thing: Conveyance) -> list[Act]:
    """Return what this person may do with a conveyance now."""
    if thing.plan.conveyance is not thing:
        return []
    acts = []
    for name in CONVEYANCE_ACTS:
        if not thing.plan.allows(name) or not ACTS.rows[name].allows(by, thing):
            continue
        if name == "approve_conveyance" and thing.missing:
            continue
        if name == "sign_off" and not may_sign_off(by, thing):
            continue
        acts.append(ACTS.rows[name])
    return acts


def may_sign_off(by: Person, thing: Conveyance) -> bool:
    """Tell whether a post of this person has yet to sign, and the person has not signed for another."""
    has_signed = any(signature.person_id == by.id for signature in thing.signatures)
    return thing.status == ConveyanceStatus.PREPARING and not has_signed and by.has(*thing.missing)


def ledger_of(session: Session, ceiling_id: UUID) -> Sequence[Entry]:
    """Return the first 200 postings on a ceiling, in the order in which they were posted."""
    statement = select(Entry).where(Entry.ceiling_id == ceiling_id).order_by(Entry.id).limit(200)
    return session.scalars(statement).all()


def imbalances(session: Session) -> list[str]:
    """Return every ceiling or contract whose balances are not the sums of its postings: none, ever (P5)."""
    sums = {
        kind: select(func.coalesce(func.sum(Entry.amount), 0))
        .where(Entry.ceiling_id == Ceiling.id, Entry.kind == kind)
        .correlate(Ceiling)
        .scalar_subquery()
        for kind in ("ceiling", "commitment", "distribution", "payment")
    }
    ceilings = session.scalars(
        select(Ceiling.id).where(
            (Ceiling.amount != sums["ceiling"])
            | (Ceiling.committed_amount != sums["commitment"])
            | (Ceiling.distributed_amount != sums["distribution"])
            | (Ceiling.paid_amount != sums["payment"])
        )
    )
    of_contract = {
        kind: select(func.coalesce(func.sum(Entry.amount), 0))
        .where(Entry.contract_id == Contract.id, Entry.kind == kind)
        .correlate(Contract)
        .scalar_subquery()
        for kind in ("commitment", "payment")
    }
    contracts = session.scalars(
        select(Contract.id).where(
            (Contract.committed_amount != of_contract["commitment"]) | (Contract.paid_amount != of_contract["payment"])
        )
    )
    return [f"ceiling:{i}" for i in ceilings] + [f"contract:{i}" for i in contracts]


def figures(session: Session, case_id: UUID) -> tuple[Figure, ...]:
    """Return what one application cost, for its evaluation (S10); empty without a ceiling."""
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Ceiling.amount), 0),
            func.coalesce(func.sum(Ceiling.committed_amount), 0),
            func.coalesce(func.sum(Ceiling.paid_amount), 0),
            func.max(Ceiling.created_at),
        )
        .join(BudgetPlan, BudgetPlan.id == Ceiling.plan_id)
        .where(BudgetPlan.case_id == case_id)
    ).one()
    count, ceiling, committed, paid, _ = row
    if not count:
        return ()
    on = numeric_date(local_date(session.execute(select(func.now())).scalar_one()))
    source = f"Buku besar anggaran, keadaan {on}"
    absorbed = ledger.absorption_percent(int(paid), int(ceiling))
    return (
        Figure(key="ceiling_amount", label="Pagu", value=int(ceiling), unit="rupiah", source=source),
        Figure(key="contract_amount", label="Nilai kontrak", value=int(committed), unit="rupiah", source=source),
        Figure(key="paid_amount", label="Dibayar", value=int(paid), unit="rupiah", source=source),
        Figure(key="absorption_percent", label="Serapan anggaran", value=absorbed, unit="%", source=source),
    )
