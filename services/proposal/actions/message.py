"""What the case does about the facts of other divisions: trace, move, and the few things it keeps."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.actions import evaluation
from services.proposal.actions.case import write_told
from services.proposal.actions.paper import DIVISIONS
from services.proposal.model import Case, RegisteredApplication
from shared import messages
from shared.errors import OutOfTurn
from shared.mailbox import Letter
from shared.messages import CaseMessage
from shared.sentence import Sentence
from shared.words import long_moment, rupiah

STAYS: dict[str, frozenset[str]] = {
    # A newer build is put up for testing before the older one is through: the road behind it is the same.
    "install": frozenset({"installed", "security_testing", "cleared", "live"}),
    "start_security_test": frozenset({"cleared", "live"}),
    "pass": frozenset({"cleared", "live"}),
    "fail": frozenset({"cleared", "live"}),
    "go_live": frozenset({"live"}),
    "report_defect": frozenset({"installed", "security_testing", "remediation", "cleared", "live", "suspended"}),
}
"""Statuses in which a fact is only noted, because the case is past the status from which it would move."""

ONLY_FROM = {"PlanReturned": "sent_to_planning", "PlanDeferred": "sent_to_planning", "DefectReported": "handed_over"}
"""Facts whose move has namesakes elsewhere in the procedure: the one status from which they move."""


def note(session: Session, message: CaseMessage, letter: Letter) -> None:
    """Write a division's fact into the trace and make the move that follows from it.

    Raises OutOfTurn when the case is not yet so far, so that the fact is told again later.
    """
    case = session.get(Case, message.case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise OutOfTurn(Sentence("Perkara {case_number} belum dikenal.", case_number=message.case_number))
    made = _move(case, message, letter)
    keep = KEEPS.get(type(message).__name__)
    if keep:
        keep(session, case, message)
    tell = DETAILS.get(type(message).__name__)
    write_told(
        session,
        letter,
        case,
        step=message.step,
        says=message.says,
        note=message.note,
        detail=tell(message) if tell else "",
        move=made,
        papers=message.papers,
        digest=message.digest,
        path=message.path,
    )


def _move(case: Case, message: CaseMessage, letter: Letter) -> str:
    name = message.move
    if not name or case.status in STAYS.get(name, ()):
        return ""
    only = ONLY_FROM.get(type(message).__name__)
    if only and case.status != only:
        case_words = case.sop.statuses[only].label
        raise OutOfTurn(
            Sentence(
                "Perkara {number} berstatus “{label}”, belum “{case_words}”.",
                number=case.number,
                label=case.label,
                case_words=case_words,
            )
        )
    if name == "install" and case.next("retest"):
        name = "retest"
    _make(case, name, message, letter)
    if name == "fail" and message.digest and case.installed_digest not in ("", message.digest):
        # The mended build was put up before the verdict on the older one arrived: it waits for its test already.
        _make(case, "install", message, letter)
    return name


def _make(case: Case, name: str, message: CaseMessage, letter: Letter) -> None:
    actor = letter.actor
    case.move(name, by_id=actor.id, by_name=actor.name, reason=message.note, at=letter.created_at)


# --- what is kept ---------------------------------------------------------------------------------------------


def _plan_locked(_session: Session, case: Case, message: messages.BudgetPlanLocked) -> None:
    case.plan_version, case.plan_amount, case.is_plan_locked = message.version, message.total_amount, True


def _plan_reopened(_session: Session, case: Case, _message: messages.BudgetPlanReopened) -> None:
    case.is_plan_locked = False


def _ceiling(_session: Session, case: Case, message: messages.CeilingSet) -> None:
    case.ceiling_amount, case.fiscal_year = message.amount, message.fiscal_year


def _contract(_session: Session, case: Case, message: messages.ContractSigned) -> None:
    case.vendor, case.vendor_name = message.vendor, message.vendor_name
    case.contract_number, case.contract_amount, case.paid_amount = message.contract_number, message.amount, 0


def _contract_ended(_session: Session, case: Case, _message: messages.ContractTerminated) -> None:
    # The firm no longer sees the case; the trace keeps who it was.
    case.vendor, case.contract_number, case.contract_amount = None, "", None


def _paid(_session: Session, case: Case, message: messages.PaymentMade) -> None:
    case.paid_amount = message.paid_amount


def _build(_session: Session, case: Case, message: CaseMessage) -> None:
    case.digest = message.digest or case.digest


def _installed(_session: Session, case: Case, message: messages.InstalledForTesting) -> None:
    case.digest = case.installed_digest = message.digest


def _live(session: Session, case: Case, message: messages.WentLive) -> None:
    case.live_at = case.live_at or case.entered_at
    case.live_digest, case.address = message.digest, message.address
    register(session, case, release_number=message.release_number)


def _rolled_back(session: Session, case: Case, message: messages.RolledBack) -> None:
    case.live_digest = message.digest or case.live_digest
    register(session, case, release_number=message.release_number)


def _suspended(session: Session, case: Case, _message: messages.CaseSuspended) -> None:
    register(session, case, release_number=None)


def _figures(session: Session, _case: Case, message: messages.FiguresGathered) -> None:
    evaluation.gather(session, message)


def register(session: Session, case: Case, *, release_number: int | None) -> RegisteredApplication:
    """Bring the application register up to what the case is now (a17)."""
    entry = session.scalar(select(RegisteredApplication).where(RegisteredApplication.case_id == case.id))
    if entry is None:
        entry = RegisteredApplication(case_id=case.id, code=case.code)
        session.add(entry)
    entry.live_since = entry.live_since or case.live_at or case.entered_at
    entry.name, entry.unit, entry.state = case.name, case.unit, case.status
    entry.address, entry.digest = case.address, case.live_digest
    entry.release_number = release_number or entry.release_number
    session.flush()
    return entry


KEEPS: dict[str, Callable[[Session, Case, Any], None]] = {
    "BudgetPlanLocked": _plan_locked,
    "BudgetPlanReopened": _plan_reopened,
    "CeilingSet": _ceiling,
    "ContractSigned": _contract,
    "ContractTerminated": _contract_ended,
    "PaymentMade": _paid,
    "BuildReceived": _build,
    "InstalledForTesting": _installed,
    "WentLive": _live,
    "RolledBack": _rolled_back,
    "CaseSuspended": _suspended,
    "FiguresGathered": _figures,
}
"""The facts that carry something the case keeps; every other one only stands in the trace."""


# --- how a fact is told ---------------------------------------------------------------------------------------


def _findings(message: messages.TestFailed) -> str:
    words = {"critical": "kritis", "high": "tinggi", "medium": "sedang", "low": "rendah"}
    told = [f"{n} {words.get(severity, severity)}" for severity, n in message.findings.items() if n]
    return f"Putaran {message.round}; temuan terbuka: {', '.join(told) or 'tidak ada'}"


DETAILS: dict[str, Callable[[Any], str]] = {
    "BudgetPlanLocked": lambda m: f"Versi {m.version}, {rupiah(m.total_amount)}",
    "BudgetPlanReopened": lambda m: f"Versi {m.version}",
    "PlanConveyed": lambda m: f"Surat {m.letter_number}, {rupiah(m.total_amount)}",
    "CeilingSet": lambda m: f"{rupiah(m.amount)} untuk Tahun Anggaran {m.fiscal_year}",
    "ContractSigned": lambda m: f"{m.contract_number} dengan {m.vendor_name}, {rupiah(m.amount)}",
    "ContractTerminated": lambda m: m.contract_number,
    "BudgetDistributed": lambda m: f"{rupiah(m.amount)} untuk {m.activity}",
    "PaymentMade": lambda m: f"Termin {m.term}, {rupiah(m.amount)}; dibayar seluruhnya {rupiah(m.paid_amount)}",
    "PaymentRefused": lambda m: f"Termin {m.term}",
    "HandedOver": lambda m: m.handover_number,
    "HostingReady": lambda m: f"{m.subdomain} di server {m.server}",
    "BuildReceived": lambda m: f"{m.file_name}, {m.files} berkas",
    "InstalledForTesting": lambda m: f"Rilis {m.release_number} di {m.closed_host}, server {m.server}",
    "WentLive": lambda m: f"Rilis {m.release_number} di {m.address}",
    "RolledBack": lambda m: f"Rilis {m.release_number}",
    "SecurityTestStarted": lambda m: f"Putaran {m.round}",
    "TestFailed": _findings,
    "TestPassed": lambda m: f"Putaran {m.round}; izin berlaku sampai {long_moment(m.valid_until)}",
    "TicketOpened": lambda m: f"{m.ticket_number}: {m.title}",
    "TicketClosed": lambda m: f"{m.ticket_number}: {m.title}",
    "FiguresGathered": lambda m: f"{len(m.figures)} angka dari {DIVISIONS.get(m.division, m.division)}",
}
"""The amounts, numbers and names of a fact, in words."""
