"""What the budget division does: one function for each act, one for each piece of news."""

from services.budget.actions.claim import claim_term, pay, refuse_claim, verify_claim
from services.budget.actions.contract import (
    NewContract,
    NewTerm,
    distribute,
    draft_contract,
    sign_contract,
    terminate_contract,
    withdraw_contract,
)
from services.budget.actions.conveyance import (
    approve_conveyance,
    convey,
    defer_plan,
    return_plan,
    set_ceiling,
    sign_off,
    withhold,
)
from services.budget.actions.documentation import (
    accept_documentation,
    reject_deliverable,
    store_financial_report,
    upload_document,
)
from services.budget.actions.existing import (
    ExistingCeiling,
    ExistingContract,
    ExistingPlan,
    ExistingTerm,
    ExistingVendor,
    register_existing,
    register_existing_vendor,
)
from services.budget.actions.handover import draft_handover, note_defect, sign_handover
from services.budget.actions.news import gather_figures, note_live, note_retirement
from services.budget.actions.papers import Office
from services.budget.actions.plan import (
    draft_lines,
    lock,
    note_halt,
    note_meetings,
    open_plan,
    record_account,
    reopen,
)
from services.budget.actions.vendor import amend_vendor, register_vendor

__all__ = [
    "ExistingCeiling",
    "ExistingContract",
    "ExistingPlan",
    "ExistingTerm",
    "ExistingVendor",
    "NewContract",
    "NewTerm",
    "Office",
    "accept_documentation",
    "amend_vendor",
    "approve_conveyance",
    "claim_term",
    "convey",
    "defer_plan",
    "distribute",
    "draft_contract",
    "draft_handover",
    "draft_lines",
    "gather_figures",
    "lock",
    "note_defect",
    "note_halt",
    "note_live",
    "note_meetings",
    "note_retirement",
    "open_plan",
    "pay",
    "record_account",
    "refuse_claim",
    "register_existing",
    "register_existing_vendor",
    "register_vendor",
    "reject_deliverable",
    "reopen",
    "return_plan",
    "set_ceiling",
    "sign_contract",
    "sign_handover",
    "sign_off",
    "store_financial_report",
    "terminate_contract",
    "upload_document",
    "verify_claim",
    "withdraw_contract",
    "withhold",
]
