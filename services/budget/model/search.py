"""What of the money may be searched, and by which words."""

from services.budget.model.claim import Claim
from services.budget.model.contract import Contract
from services.budget.model.handover import Handover
from services.budget.model.plan import BudgetPlan
from services.budget.model.vendor import Vendor
from shared.search import Searchable

PLANS = Searchable(
    BudgetPlan,
    number="case_number",
    names=("case_number", "application_code", "application_name"),
    about=("application_unit",),
    near=("application_name", "application_code"),
)
CONTRACTS = Searchable(
    Contract,
    number="number",
    names=("number",),
    about=("rup_code", "procurement_ref"),
    text=("scope",),
    near=("number",),
)
HANDOVERS = Searchable(Handover, number="number", names=("number",), near=("number",))
CLAIMS = Searchable(Claim, number="invoice_number", names=("invoice_number",), text=("note",), near=("invoice_number",))
VENDORS = Searchable(Vendor, number="code", names=("code", "name"), about=("city", "director"), near=("name",))
