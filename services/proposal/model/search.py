"""What of the application division may be searched, and by which words."""

from services.proposal.model.case import Case
from services.proposal.model.evaluation import Evaluation
from services.proposal.model.meeting import Meeting
from services.proposal.model.proposal import Proposal
from services.proposal.model.trace import Paper
from shared.search import Searchable

CASES = Searchable(
    Case,
    number="number",
    names=("number", "code", "name"),
    about=("unit", "vendor", "vendor_name", "address"),
    text=("purpose",),
    near=("name", "code", "vendor_name"),
)
PROPOSALS = Searchable(
    Proposal, number="letter_number", names=("letter_number", "agenda_number"), near=("agenda_number",)
)
PAPERS = Searchable(Paper, number="number", names=("number", "title"), near=("title",))
MEETINGS = Searchable(Meeting, number="number", names=("number",), about=("place", "chair"), near=("chair",))
EVALUATIONS = Searchable(Evaluation, number="number", names=("number",), near=("number",))
