"""What the application division does: one function for each act, and one for the facts of others."""

from services.proposal.actions.agenda import add_to_agenda, order_agenda, refresh_agenda, remove_from_agenda
from services.proposal.actions.comment import edit_comment, withdraw_comment, write_comment
from services.proposal.actions.draft import attach_file, is_open_to_change, remove_file, save_draft
from services.proposal.actions.evaluation import (
    ask_again,
    decide_evaluation,
    follow_up,
    open_due,
    open_evaluation,
    prefilled,
    report_evaluation,
)
from services.proposal.actions.feed import make_calendar, revoke_calendar
from services.proposal.actions.meeting import (
    Came,
    call_meeting,
    cancel_meeting,
    invite,
    move_meeting,
    print_attendance,
    record_attendance,
)
from services.proposal.actions.message import note
from services.proposal.actions.minutes import close_minutes, record_item, reopen_minutes, write_item
from services.proposal.actions.programme import (
    carry_over,
    conclude,
    earliest_year,
    enter_work_programme,
    freeze_programme,
    rank_programme,
    revise_programme,
)
from services.proposal.actions.programme_sheet import COLUMNS as SHEET_COLUMNS
from services.proposal.actions.programme_sheet import Plan, check_programme_sheet, read_plan, take_programme_sheet
from services.proposal.actions.proof import BUILD, build_pack, make_proof_pack, note_failure, take_proof
from services.proposal.actions.proposal import (
    accept,
    amend,
    analyse,
    approve,
    attach_letter,
    cancel,
    defer,
    merge_duplicate,
    propose,
    recommend,
    reject,
    send_back,
    submit,
)
from services.proposal.actions.register import choose_register_columns, describe_application
from services.proposal.actions.series import (
    change_series,
    coming_days,
    end_series,
    holidays_in_between,
    make_coming,
    make_series,
)
from services.proposal.actions.survey import answer_publicly, answer_survey, note_satisfaction, open_survey_link
from services.proposal.actions.takeover import Existing, register_existing
from services.proposal.actions.task import drop_task, finish_task
from services.proposal.actions.terms import may_write_terms, restore_terms, save_terms, write_terms
from services.proposal.model import content_of

__all__ = [
    "BUILD",
    "SHEET_COLUMNS",
    "Came",
    "Existing",
    "Plan",
    "accept",
    "add_to_agenda",
    "amend",
    "analyse",
    "answer_publicly",
    "answer_survey",
    "approve",
    "ask_again",
    "attach_file",
    "attach_letter",
    "build_pack",
    "call_meeting",
    "cancel",
    "cancel_meeting",
    "carry_over",
    "change_series",
    "check_programme_sheet",
    "choose_register_columns",
    "close_minutes",
    "coming_days",
    "conclude",
    "content_of",
    "decide_evaluation",
    "defer",
    "describe_application",
    "drop_task",
    "earliest_year",
    "edit_comment",
    "end_series",
    "enter_work_programme",
    "finish_task",
    "follow_up",
    "freeze_programme",
    "holidays_in_between",
    "invite",
    "is_open_to_change",
    "make_calendar",
    "make_coming",
    "make_proof_pack",
    "make_series",
    "may_write_terms",
    "merge_duplicate",
    "move_meeting",
    "note",
    "note_failure",
    "note_satisfaction",
    "open_due",
    "open_evaluation",
    "open_survey_link",
    "order_agenda",
    "prefilled",
    "print_attendance",
    "propose",
    "rank_programme",
    "read_plan",
    "recommend",
    "record_attendance",
    "record_item",
    "refresh_agenda",
    "register_existing",
    "reject",
    "remove_file",
    "remove_from_agenda",
    "reopen_minutes",
    "report_evaluation",
    "restore_terms",
    "revise_programme",
    "revoke_calendar",
    "save_draft",
    "save_terms",
    "send_back",
    "submit",
    "take_programme_sheet",
    "take_proof",
    "withdraw_comment",
    "write_comment",
    "write_item",
    "write_terms",
]
