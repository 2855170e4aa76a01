"""What the application division does: one function for each act, and one for the facts of others."""

from services.proposal.actions.evaluation import (
    decide_evaluation,
    follow_up,
    open_evaluation,
    prefilled,
    report_evaluation,
)
from services.proposal.actions.meeting import call_meeting, close_minutes, record_item
from services.proposal.actions.message import note
from services.proposal.actions.programme import conclude, earliest_year, enter_work_programme, write_terms
from services.proposal.actions.proposal import (
    accept,
    amend,
    analyse,
    approve,
    attach_letter,
    cancel,
    content_of,
    defer,
    merge_duplicate,
    propose,
    recommend,
    reject,
    send_back,
    submit,
)
from services.proposal.actions.takeover import Existing, register_existing

__all__ = [
    "Existing",
    "accept",
    "amend",
    "analyse",
    "approve",
    "attach_letter",
    "call_meeting",
    "cancel",
    "close_minutes",
    "conclude",
    "content_of",
    "decide_evaluation",
    "defer",
    "earliest_year",
    "enter_work_programme",
    "follow_up",
    "merge_duplicate",
    "note",
    "open_evaluation",
    "prefilled",
    "propose",
    "recommend",
    "record_item",
    "register_existing",
    "reject",
    "report_evaluation",
    "send_back",
    "submit",
    "write_terms",
]
