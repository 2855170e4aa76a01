"""The papers of the division: what stands on each, its number, and the row that says it was issued."""

from services.budget.actions.papers.contract import contract, documentation_report, handover
from services.budget.actions.papers.office import Office, fact_of, issue, letter_number, record_number, today
from services.budget.actions.papers.payment import financial_report, receipt
from services.budget.actions.papers.plan import budget_plan, ceiling_decision, cover_letter, file_receipt

__all__ = [
    "Office",
    "budget_plan",
    "ceiling_decision",
    "contract",
    "cover_letter",
    "documentation_report",
    "fact_of",
    "file_receipt",
    "financial_report",
    "handover",
    "issue",
    "letter_number",
    "receipt",
    "record_number",
    "today",
]
