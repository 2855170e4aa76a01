"""Search among plans, contracts, handovers, claims and vendors, as far as a person may see them."""

from sqlalchemy import false, select
from sqlalchemy.orm import Session

from services.budget.model import (
    CLAIM_LABELS,
    CLAIMS,
    CONTRACT_LABELS,
    CONTRACTS,
    HANDOVER_LABELS,
    HANDOVERS,
    PLAN_LABELS,
    PLANS,
    VENDORS,
    BudgetPlan,
    Claim,
    ClaimStatus,
    Contract,
    ContractStatus,
    Handover,
    HandoverStatus,
    PlanStatus,
    Term,
    Vendor,
)
from services.budget.queries.access import VENDOR_READERS, contracts_of, plans_of
from shared import search
from shared.identity import Person, Role
from shared.search import Asked, Hit


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    asked = search.read(question)
    if asked is None:
        return []
    search.limit_time(session)
    kinds = (_plans, _contracts, _handovers, _claims, _vendors)
    return search.ranked([hit for kind in kinds for hit in kind(session, by, asked)])


def _plans(session: Session, by: Person, asked: Asked) -> list[Hit]:
    plan = BudgetPlan
    statement = select(
        plan.id, plan.case_number, plan.application_name, plan.application_unit, plan.status, plan.created_at
    ).where(plans_of(by))
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="plan",
            title=f"RAB {row.application_name}",
            number=row.case_number,
            about=row.application_unit,
            path=f"/rab/{row.id}",
            label=PLAN_LABELS[PlanStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=plan.id,
        at=plan.created_at,
        own=PLANS,
    )


def _contracts(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(
            Contract.id,
            Contract.number,
            Contract.status,
            Contract.created_at,
            Vendor.name.label("vendor_name"),
            BudgetPlan.application_name,
            BudgetPlan.case_number,
        )
        .join(Contract.vendor)
        .join(Contract.plan)
        .where(contracts_of(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="contract",
            title=f"Kontrak {row.application_name}",
            number=row.number,
            about=f"{row.vendor_name} · {row.case_number}",
            path=f"/kontrak/{row.id}",
            label=CONTRACT_LABELS[ContractStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Contract.id,
        at=Contract.created_at,
        own=CONTRACTS,
        others=[VENDORS, PLANS],
    )


def _handovers(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(
            Handover.number,
            Handover.status,
            Handover.created_at,
            Handover.contract_id,
            Vendor.name.label("vendor_name"),
            BudgetPlan.application_name,
        )
        .join(Handover.contract)
        .join(Contract.vendor)
        .join(Contract.plan)
        .where(contracts_of(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="handover",
            title=f"Serah terima {row.application_name}",
            number=row.number,
            about=row.vendor_name,
            path=f"/kontrak/{row.contract_id}",
            label=HANDOVER_LABELS[HandoverStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Handover.id,
        at=Handover.created_at,
        own=HANDOVERS,
        others=[VENDORS, PLANS],
    )


def _claims(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(
            Claim.id,
            Claim.invoice_number,
            Claim.status,
            Claim.created_at,
            Term.no,
            Vendor.name.label("vendor_name"),
            BudgetPlan.application_name,
        )
        .join(Claim.term)
        .join(Claim.contract)
        .join(Contract.vendor)
        .join(Contract.plan)
        .where(contracts_of(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="claim",
            title=f"Tagihan termin {row.no} {row.application_name}",
            number=row.invoice_number.strip("-"),
            about=row.vendor_name,
            path=f"/tagihan/{row.id}",
            label=CLAIM_LABELS[ClaimStatus(row.status)],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Claim.id,
        at=Claim.created_at,
        own=CLAIMS,
        others=[VENDORS, PLANS],
    )


def _vendors(session: Session, by: Person, asked: Asked) -> list[Hit]:
    own = Vendor.code == by.vendor if by.has(Role.VENDOR) and by.vendor else false()
    statement = select(Vendor.code, Vendor.name, Vendor.city, Vendor.created_at)
    if not by.has(*VENDOR_READERS):
        statement = statement.where(own)
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="vendor",
            title=row.name,
            number=row.code,
            about=row.city,
            path="/penyedia",
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Vendor.id,
        at=Vendor.created_at,
        own=VENDORS,
    )
