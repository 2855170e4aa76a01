"""Budget plans (RAB): opened by a message, drafted, locked as a version, reopened by the Head (S02, F03)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget import ledger
from services.budget.actions import papers
from services.budget.actions.loading import find_plan, must_know_accounts, settle
from services.budget.actions.papers import Office
from services.budget.authority import ACTS
from services.budget.ledger import NewLine
from services.budget.model import (
    Account,
    BudgetPlan,
    ConveyanceStatus,
    PlanLine,
    PlanStatus,
    PlanVersion,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import (
    BudgetPlanLocked,
    BudgetPlanReopened,
    CaseHalted,
    MeetingsConcluded,
    WorkProgrammeEntered,
)

REVISION = "in_work_programme"
"""Status of a case whose meeting asked for a revision: it goes on, so its budget plan may be changed."""


def draft_lines(
    session: Session, by: Person, plan_id: UUID, *, lines: Sequence[NewLine], seen: str | None = None
) -> BudgetPlan:
    """Replace the lines of the open draft and return the plan with its new totals (F03).

    `seen` names the tag of the version that the writer saw, as If-Match does. Raises OutOfTurn when no draft is
    open, Stale when somebody else changed it since, Incomplete that names the line.
    """
    plan = find_plan(session, plan_id)
    by = authorize(session, by, ACTS.draft_lines, plan, version=plan.current.version, lines=len(lines))
    plan.move("draft_lines")
    must_be_present(seen, plan.current.tag)
    write_lines(session, plan.current, lines)
    plan.current.drafted_by_id, plan.current.drafted_by_name = by.id, by.name
    settle(session)
    return plan


def lock(session: Session, by: Person, plan_id: UUID, *, office: Office) -> BudgetPlan:
    """Lock the open draft as an agreed version, print it, and tell the case (F03).

    Raises OutOfTurn when no draft is open, Incomplete when it has no line or no amount.
    """
    plan = find_plan(session, plan_id)
    version = plan.current
    by = authorize(session, by, ACTS.lock, plan, version=version.version, total_amount=version.total_amount)
    plan.move("lock")
    if not version.lines or version.total_amount <= 0:
        raise Incomplete(
            "RAB belum dapat dikunci karena belum ada rincian yang berjumlah. "
            "Isi paling sedikit satu baris dengan harga, lalu kunci kembali.",
            errors=[FieldError("/lines", "Paling sedikit satu baris dengan harga.")],
        )
    paper = papers.issue(session, office, plan, kind="rab", paper=papers.budget_plan(plan, version, by))
    version.locked_by_id, version.locked_by_name = by.id, by.name
    version.locked_at, version.paper_id = utc_now(), paper.id
    session.flush()
    post(
        session,
        BudgetPlanLocked(
            case_id=plan.case_id,
            case_number=plan.case_number,
            papers=(paper.fact,),
            path=plan.path,
            version=version.version,
            total_amount=version.total_amount,
        ),
        by=by,
    )
    return plan


def reopen(session: Session, by: Person, plan_id: UUID, *, reason: str) -> BudgetPlan:
    """Open a new draft from the locked version because the Head asks for a revision (F03)."""
    plan = find_plan(session, plan_id)
    by = authorize(session, by, ACTS.reopen, plan, version=plan.current.version, reason=reason)
    plan.move("reopen")
    version = _next_version(session, plan, reason=reason)
    post(
        session,
        BudgetPlanReopened(
            case_id=plan.case_id, case_number=plan.case_number, note=reason, path=plan.path, version=version.version
        ),
        by=by,
    )
    return plan


def record_account(session: Session, by: Person, *, code: str, name: str, kind: str, fund_source: str = "") -> Account:
    """Put an account code into the list, or correct its name (domain §6)."""
    by = authorize(session, by, ACTS.record_account, f"account:{code}", name=name, kind=kind)
    account = session.get(Account, code, with_for_update=True) or Account(code=code)
    account.name, account.kind, account.fund_source = name, kind, fund_source
    session.add(account)
    session.flush()
    return account


def open_plan(session: Session, message: WorkProgrammeEntered) -> BudgetPlan:
    """Open an empty budget plan for a case in the work programme, or take a deferred one up again (S02)."""
    plan = plan_of(session, message.case_id)
    if plan is None:
        return _open_first(session, message)
    _resume(session, plan, message)
    return plan


def note_meetings(session: Session, message: MeetingsConcluded) -> None:
    """Know that the minutes say "continue": the plan may be conveyed (S03)."""
    plan = plan_of(session, message.case_id)
    if plan is None:
        raise OutOfTurn("RAB perkara ini belum dibuka di Divisi Anggaran.")
    plan.minutes = list(message.minutes)
    plan.terms_of_reference_digest = message.terms_of_reference_digest
    plan.meetings_concluded_at = utc_now()
    plan.halted_status, plan.halted_note = "", ""


def note_halt(session: Session, message: CaseHalted) -> None:
    """Know that the case waits: nothing may be done until it goes on, but a revision may be written (S03).

    Facts of one case come in order, so a case without a plan never stood in a work programme.
    """
    plan = plan_of(session, message.case_id)
    if plan is None:
        return
    plan.meetings_concluded_at = None
    if plan.conveyance and plan.conveyance.status in (ConveyanceStatus.PREPARING, ConveyanceStatus.SENT):
        plan.conveyance.status = ConveyanceStatus.DROPPED
        plan.conveyance.reason = message.note
        plan.status = PlanStatus.LOCKED
    if message.status != REVISION:
        plan.halted_status, plan.halted_note = message.status, message.note


def plan_of(session: Session, case_id: UUID) -> BudgetPlan | None:
    """Return the plan of a case, locked, or None when none was opened."""
    plan_id = session.scalar(select(BudgetPlan.id).where(BudgetPlan.case_id == case_id))
    return find_plan(session, plan_id) if plan_id else None


def new_version(session: Session, plan: BudgetPlan, *, reason: str) -> PlanVersion:
    """Add an empty draft to a plan, with the VAT rate of its fiscal year."""
    version = PlanVersion(
        plan=plan,
        version=max((v.version for v in plan.versions), default=0) + 1,
        fiscal_year=plan.fiscal_year,
        reason=reason,
    )
    _take_rate(version)
    session.add(version)
    session.flush()
    return version


def write_lines(session: Session, version: PlanVersion, lines: Sequence[NewLine]) -> None:
    """Replace the lines of an open version and its sums; raise Incomplete that names the line."""
    must_know_accounts(session, [line.account_code for line in lines], pointer="/lines/{n}/account_code")
    total = sum(line.amount for line in lines)
    if total > ledger.LARGEST_TOTAL:
        raise Incomplete(
            "Jumlah RAB terlalu besar. Mohon periksa kembali banyaknya angka nol.",
            errors=[FieldError("/lines", "Jumlah seluruh baris terlalu besar.")],
        )
    version.lines.clear()
    # The old lines leave first: their numbers are taken again.
    session.flush()
    version.lines.extend(
        PlanLine(
            no=no,
            group_name=line.group_name,
            account_code=line.account_code,
            description=line.description,
            volume=line.volume,
            unit=line.unit,
            unit_price_amount=line.unit_price_amount,
            amount=line.amount,
            taxable=line.taxable,
        )
        for no, line in enumerate(lines, 1)
    )
    rate = ledger.VatRate(
        date(version.fiscal_year, 1, 1),
        version.vat_percent,
        version.vat_numerator,
        version.vat_denominator,
        version.vat_source,
    )
    sums = ledger.totals(lines, rate)
    version.subtotal_amount, version.tax_base_amount, version.vat_amount = sums.subtotal, sums.tax_base, sums.vat
    version.total_before_rounding_amount = sums.total_before_rounding
    version.rounding_amount, version.total_amount = sums.rounding, sums.grand_total
    version.by_account = sums.by_account
    version.revision += 1
    session.flush()


def _next_version(session: Session, plan: BudgetPlan, *, reason: str) -> PlanVersion:
    before = plan.current
    lines = _copied(before)
    version = new_version(session, plan, reason=reason)
    version.drafted_by_id, version.drafted_by_name = before.drafted_by_id, before.drafted_by_name
    write_lines(session, version, lines)
    settle(session)
    return version


def _copied(version: PlanVersion) -> list[NewLine]:
    return [
        NewLine(
            account_code=line.account_code,
            description=line.description,
            volume=line.volume,
            unit=line.unit,
            unit_price_amount=line.unit_price_amount,
            taxable=line.taxable,
            group_name=line.group_name,
        )
        for line in version.lines
    ]


def _open_first(session: Session, message: WorkProgrammeEntered) -> BudgetPlan:
    plan = BudgetPlan(
        case_id=message.case_id,
        case_number=message.case_number,
        application_code=message.application.code,
        application_name=message.application.name,
        application_unit=message.application.unit,
        application=message.application.model_dump(mode="json"),
        fiscal_year=message.fiscal_year,
        estimated_amount=message.estimated_amount,
        minutes=[],
    )
    session.add(plan)
    new_version(session, plan, reason="Program kerja tahun anggaran baru")
    return plan


def _resume(session: Session, plan: BudgetPlan, message: WorkProgrammeEntered) -> None:
    """Take a plan up again in a later year: a locked version stays, the draft takes that year's rate."""
    plan.halted_status, plan.halted_note = "", ""
    plan.fiscal_year, plan.estimated_amount = message.fiscal_year, message.estimated_amount
    plan.meetings_concluded_at = None
    if plan.status == PlanStatus.DRAFT:
        version = plan.current
        version.fiscal_year = plan.fiscal_year
        _take_rate(version)
        write_lines(session, version, _copied(version))
    elif not plan.ceilings:
        plan.status = PlanStatus.DRAFT
        _next_version(session, plan, reason=f"Masuk kembali ke program kerja Tahun Anggaran {message.fiscal_year}")


def _take_rate(version: PlanVersion) -> None:
    # The money is spent in the fiscal year, so its rate holds, as far as the law is known today.
    rate = ledger.vat_rate(date(version.fiscal_year, 1, 1))
    version.vat_percent, version.vat_source = rate.tariff_percent, rate.source
    version.vat_numerator, version.vat_denominator = rate.numerator, rate.denominator
