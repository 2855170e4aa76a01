"""What the security division does (S08): test, findings, controls, verdict, permit."""

from services.security.actions.case import gather_figures, note_case, note_live, note_retirement, open_test
from services.security.actions.control import Answer, answer_controls
from services.security.actions.finding import add_finding, mend_finding
from services.security.actions.permit import revoke, suspend
from services.security.actions.scan import SCAN, give_up_scan, incomplete, record_scan, rescan, start
from services.security.actions.verdict import Desk, clear, fail, send_back, submit

__all__ = [
    "SCAN",
    "Answer",
    "Desk",
    "add_finding",
    "answer_controls",
    "clear",
    "fail",
    "gather_figures",
    "give_up_scan",
    "incomplete",
    "mend_finding",
    "note_case",
    "note_live",
    "note_retirement",
    "open_test",
    "record_scan",
    "rescan",
    "revoke",
    "send_back",
    "start",
    "submit",
    "suspend",
]
