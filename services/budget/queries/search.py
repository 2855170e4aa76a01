"""Search among plans, contracts, handovers, claims and vendors, as far as a person may see them."""

from sqlalchemy import ColumnElement, select, true
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
    Contract,
    Handover,
    Term,
    Vendor,
)
from services.budget.queries.access import VENDOR_READERS, contracts_of, plans_of
from shared import search
from shared.identity import Person, Role
from shared.search import Hit, Kind


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    return search.found(session, by, question, KINDS)


def _vendors_of(by: Person) -> ColumnElement[bool] | None:
    if by.has(*VENDOR_READERS):
        return true()
    return Vendor.code == by.vendor if by.has(Role.VENDOR) and by.vendor else None


FIRM = Vendor.name.label("vendor_name")
KINDS = (
    Kind(
        PLANS,
        select(
            BudgetPlan.id,
            BudgetPlan.case_number,
            BudgetPlan.application_name,
            BudgetPlan.application_unit,
            BudgetPlan.status,
        ),
        lambda row: Hit(
            kind="plan",
            title=f"RAB {row.application_name}",
            number=row.case_number,
            about=row.application_unit,
            path=f"/rab/{row.id}",
            label=PLAN_LABELS[row.status],
        ),
        seen=plans_of,
    ),
    Kind(
        CONTRACTS,
        select(Contract.id, Contract.number, Contract.status, FIRM, BudgetPlan.application_name, BudgetPlan.case_number)
        .join(Contract.vendor)
        .join(Contract.plan),
        lambda row: Hit(
            kind="contract",
            title=f"Kontrak {row.application_name}",
            number=row.number,
            about=f"{row.vendor_name} · {row.case_number}",
            path=f"/kontrak/{row.id}",
            label=CONTRACT_LABELS[row.status],
        ),
        seen=contracts_of,
        others=(VENDORS, PLANS),
    ),
    Kind(
        HANDOVERS,
        select(Handover.number, Handover.status, Handover.contract_id, FIRM, BudgetPlan.application_name)
        .join(Handover.contract)
        .join(Contract.vendor)
        .join(Contract.plan),
        lambda row: Hit(
            kind="handover",
            title=f"Serah terima {row.application_name}",
            number=row.number,
            about=row.vendor_name,
            path=f"/kontrak/{row.contract_id}",
            label=HANDOVER_LABELS[row.status],
        ),
        seen=contracts_of,
        others=(VENDORS, PLANS),
    ),
    Kind(
        CLAIMS,
        select(Claim.id, Claim.invoice_number, Claim.status, Term.no, FIRM, BudgetPlan.application_name)
        .join(Claim.term)
        .join(Claim.contract)
        .join(Contract.vendor)
        .join(Contract.plan),
        lambda row: Hit(
            kind="claim",
            title=f"Tagihan termin {row.no} {row.application_name}",
            number=row.invoice_number.strip("-"),
            about=row.vendor_name,
            path=f"/tagihan/{row.id}",
            label=CLAIM_LABELS[row.status],
        ),
        seen=contracts_of,
        others=(VENDORS, PLANS),
    ),
    Kind(
        VENDORS,
        select(Vendor.code, Vendor.name, Vendor.city),
        lambda row: Hit(kind="vendor", title=row.name, number=row.code, about=row.city, path="/penyedia"),
        seen=_vendors_of,
    ),
)
