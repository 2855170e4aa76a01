"""What people ask of the budget division; nothing here changes anything."""

from services.budget.queries.access import may_read_contract
from services.budget.queries.contract import (
    claim,
    claimable,
    claims,
    contract,
    contracts,
    document,
    documents,
    handover,
    offered_on_claim,
    offered_on_contract,
    offered_on_handover,
    vendors,
)
from services.budget.queries.plan import (
    accounts,
    conveyance,
    figures,
    imbalances,
    ledger_of,
    offered,
    offered_on_conveyance,
    paper,
    papers_of,
    papers_of_contract,
    plan,
    plans,
)
from services.budget.queries.search import found
from services.budget.queries.waiting import Task, waiting_on

__all__ = [
    "Task",
    "accounts",
    "claim",
    "claimable",
    "claims",
    "contract",
    "contracts",
    "conveyance",
    "document",
    "documents",
    "figures",
    "found",
    "handover",
    "imbalances",
    "ledger_of",
    "may_read_contract",
    "offered",
    "offered_on_claim",
    "offered_on_contract",
    "offered_on_conveyance",
    "offered_on_handover",
    "paper",
    "papers_of",
    "papers_of_contract",
    "plan",
    "plans",
    "vendors",
    "waiting_on",
]
