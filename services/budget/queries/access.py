"""Who may read what of the money (`domain.md` §4); everybody else is told that it does not exist."""

from sqlalchemy import ColumnElement, false, true

from services.budget.model import BudgetPlan, Contract, Vendor
from shared.identity import Person, Role

PLAN_READERS = frozenset(
    {
        Role.APP_STAFF, Role.APP_HEAD, Role.HEAD, Role.SERVICE_HEAD, Role.SERVICE_STAFF, Role.INFRA_HEAD,
        Role.INFRA_STAFF, Role.SECURITY_HEAD, Role.SECURITY_STAFF, Role.PLANNING, Role.PPK, Role.TREASURER,
        Role.AUDITOR,
    }
)  # fmt: skip
UNIT_READERS = frozenset({Role.PROPOSER, Role.UNIT_HEAD})
"""They see the plans of their own unit."""
CONTRACT_READERS = frozenset(
    {Role.APP_STAFF, Role.APP_HEAD, Role.HEAD, Role.PLANNING, Role.PPK, Role.TREASURER, Role.AUDITOR}
)
DOCUMENT_READERS = CONTRACT_READERS | {
    Role.INFRA_HEAD, Role.INFRA_STAFF, Role.SECURITY_HEAD, Role.SECURITY_STAFF,
}  # fmt: skip
VENDOR_READERS = CONTRACT_READERS


def may_read_plan(by: Person, plan: BudgetPlan) -> bool:
    """Tell whether a person may know of a plan."""
    return by.has(*PLAN_READERS) or (by.has(*UNIT_READERS) and by.unit == plan.application_unit)


def plans_of(by: Person) -> ColumnElement[bool]:
    """Return the condition for the plans that a person may know of."""
    if by.has(*PLAN_READERS):
        return true()
    if by.has(*UNIT_READERS) and by.unit:
        return BudgetPlan.application_unit == by.unit
    return false()


def may_read_contract(by: Person, contract: Contract) -> bool:
    """Tell whether a person may know of a contract: a vendor's people only of their firm's."""
    return by.has(*CONTRACT_READERS) or (by.has(Role.VENDOR) and by.vendor == contract.vendor.code)


def may_read_documents(by: Person, contract: Contract) -> bool:
    """Tell whether a person may read what was delivered under a contract."""
    return by.has(*DOCUMENT_READERS) or may_read_contract(by, contract)


def contracts_of(by: Person) -> ColumnElement[bool]:
    """Return the condition for the contracts that a person may know of; needs `Vendor` joined."""
    if by.has(*CONTRACT_READERS):
        return true()
    if by.has(Role.VENDOR) and by.vendor:
        return Vendor.code == by.vendor
    return false()
