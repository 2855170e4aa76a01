"""What the infrastructure division does (S07, F04), one file for each noun."""

from services.deploy.actions.application import end_contract, know_contract, know_handover
from services.deploy.actions.build import receive_build, report_defect
from services.deploy.actions.hosting import accept_hosting, refuse_hosting, request_hosting
from services.deploy.actions.installation import (
    approve_installation,
    cancel_installation,
    fail_installation,
    finish_installation,
    keep_plan,
    plan_again,
    plan_installation,
    wanted_of,
)
from services.deploy.actions.measurement import gather_figures, note_answers, watched
from services.deploy.actions.operation import begin, end
from services.deploy.actions.release import (
    authorise_go_live,
    check_opening,
    fail_test,
    finish_opening,
    go_live,
    pass_test,
    postpone,
    retire,
    revoke_permit,
    roll_back,
    suspend,
)
from services.deploy.actions.server import (
    note_probe,
    note_probe_failure,
    probe_server,
    register_server,
    repin_server,
    retire_server,
    suspend_server,
)
from shared.printing import Office

__all__ = [
    "Office",
    "accept_hosting",
    "approve_installation",
    "authorise_go_live",
    "begin",
    "cancel_installation",
    "check_opening",
    "end",
    "end_contract",
    "fail_installation",
    "fail_test",
    "finish_installation",
    "finish_opening",
    "gather_figures",
    "go_live",
    "keep_plan",
    "know_contract",
    "know_handover",
    "note_answers",
    "note_probe",
    "note_probe_failure",
    "pass_test",
    "plan_again",
    "plan_installation",
    "postpone",
    "probe_server",
    "receive_build",
    "refuse_hosting",
    "register_server",
    "repin_server",
    "report_defect",
    "request_hosting",
    "retire",
    "retire_server",
    "revoke_permit",
    "roll_back",
    "suspend",
    "suspend_server",
    "wanted_of",
    "watched",
]
