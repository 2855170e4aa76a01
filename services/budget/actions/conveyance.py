"""Conveying a locked plan to the planning section, and what that section answers (S04)."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from services.budget.actions import papers
from services.budget.actions.loading import find_conveyance, find_plan, must_know_accounts, settle
from services.budget.actions.papers import Office
from services.budget.authority import ACTS
from services.budget.model import (
    BudgetPlan,
    Ceiling,
    CeilingDecision,
    Conveyance,
    ConveyanceSignature,
    ConveyanceStatus,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import CeilingSet, ConveyanceWithheld, PlanConveyed, PlanDeferred, PlanReturned


def convey(session: Session, by: Person, plan_id: UUID, *, note: str = "") -> Conveyance:
    """Prepare the conveyance of the locked version and return it, for both divisions to sign (S04).

    Raises OutOfTurn until the plan is locked and the weekly and annual minutes say "continue".
    """
    plan = find_plan(session, plan_id)
    by = authorize(session, by, ACTS.convey, plan, version=plan.current.version)
    plan.move("convey")
    if plan.meetings_concluded_at is None:
        raise OutOfTurn(
            "RAB belum dapat disampaikan: notulen rapat rutin mingguan dan rapat kerja tahunan belum keduanya "
            "memutuskan “dilanjutkan” (SOP langkah 3). Selesaikan notulennya lebih dahulu."
        )
    conveyance = Conveyance(
        plan=plan,
        version=plan.current,
        round=len(plan.conveyances) + 1,
        note=note,
        conveyed_by_id=by.id,
        conveyed_by_name=by.name,
        signatures=[],
    )
    session.add(conveyance)
    session.flush()
    return conveyance


def sign_off(session: Session, by: Person, conveyance_id: UUID) -> Conveyance:
    """Sign for the application or the service division; both must, and two persons (S04)."""
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.sign_off, conveyance, round=conveyance.round)
    _move(conveyance, "sign_off", conveyance.status)
    role = next((role for role in conveyance.missing if by.has(role)), None)
    if role is None:
        raise OutOfTurn("Bagian Anda sudah menandatangani penyampaian ini. Tunggu pihak yang lain.")
    if any(signature.person_id == by.id for signature in conveyance.signatures):
        raise NotAllowed(
            "Penyampaian ditandatangani oleh dua orang yang berbeda: Koordinator Aplikasi dan Kepala Divisi Layanan. "
            "Mohon pejabat yang lain menandatangani."
        )
    title = by.carried_by({role}).as_what
    conveyance.signatures.append(
        ConveyanceSignature(role=role.value, person_id=by.id, person_name=by.name, person_title=title)
    )
    session.flush()
    return conveyance


def approve_conveyance(session: Session, by: Person, conveyance_id: UUID, *, office: Office) -> Conveyance:
    """Approve as the Head: the cover letter gets its number and the plan goes to planning (S04)."""
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.approve_conveyance, conveyance, round=conveyance.round)
    if conveyance.missing and conveyance.status == ConveyanceStatus.PREPARING:
        raise OutOfTurn(
            "Penyampaian belum ditandatangani Koordinator Aplikasi dan Kepala Divisi Layanan (SOP langkah 4). "
            "Tunggu kedua tanda tangan, lalu setujui."
        )
    _move(conveyance, "approve_conveyance", ConveyanceStatus.SENT)
    plan = conveyance.plan
    number = papers.letter_number(session, papers.today())
    letter = papers.issue(
        session,
        office,
        plan,
        kind="surat_pengantar",
        paper=papers.cover_letter(conveyance, by, number),
    )
    conveyance.approved_by_id, conveyance.approved_by_name = by.id, by.name
    conveyance.approved_at = utc_now()
    conveyance.letter_number, conveyance.letter_id = number, letter.id
    receipt = papers.issue(session, office, plan, kind="tanda_terima", paper=papers.file_receipt(conveyance, number))
    budget = papers.fact_of(session, conveyance.version.paper_id)
    post(
        session,
        PlanConveyed(
            case_id=plan.case_id,
            case_number=plan.case_number,
            papers=(letter.fact, receipt.fact, *((budget.fact,) if budget else ())),
            path=plan.path,
            letter_number=number,
            total_amount=conveyance.version.total_amount,
        ),
        by=by,
    )
    session.flush()
    return conveyance


def withhold(session: Session, by: Person, conveyance_id: UUID, *, reason: str) -> Conveyance:
    """Keep the plan from planning, with the Head's reason; it goes back to the coordinator (S04)."""
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.withhold, conveyance, reason=reason)
    _move(conveyance, "withhold", ConveyanceStatus.WITHHELD)
    _answer(conveyance, by, reason)
    plan = conveyance.plan
    post(
        session,
        ConveyanceWithheld(case_id=plan.case_id, case_number=plan.case_number, note=reason, path=plan.path),
        by=by,
    )
    session.flush()
    return conveyance


def set_ceiling(
    session: Session,
    by: Person,
    conveyance_id: UUID,
    *,
    amount: int,
    accounts: Mapping[str, int],
    fund_source: str,
    document_number: str = "",
    note: str = "",
    office: Office,
) -> Ceiling:
    """Set the ceiling by account and return it; not by whoever locked the plan (S04).

    Raises Incomplete when the accounts do not sum to the amount.
    """
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.set_ceiling, conveyance, amount=amount)
    _move(conveyance, "set_ceiling", ConveyanceStatus.ACCEPTED)
    plan = conveyance.plan
    must_be_whole(session, amount, accounts)
    ceiling = Ceiling(
        plan=plan,
        fiscal_year=conveyance.version.fiscal_year,
        fund_source=fund_source,
        document_number=document_number,
        set_on=papers.today(),
    )
    session.add(ceiling)
    session.flush()
    decision = decided(ceiling, by=by, amount=amount, accounts=accounts, note=note)
    paper = papers.issue(
        session,
        office,
        plan,
        kind="penetapan_pagu",
        paper=papers.ceiling_decision(ceiling, plan, decision, by),
    )
    decision.paper_id = paper.id
    session.add(decision)
    _answer(conveyance, by, note)
    settle(session)
    post(
        session,
        CeilingSet(
            case_id=plan.case_id,
            case_number=plan.case_number,
            note=note,
            papers=(paper.fact,),
            path=plan.path,
            amount=amount,
            fiscal_year=ceiling.fiscal_year,
        ),
        by=by,
    )
    return ceiling


def return_plan(session: Session, by: Person, conveyance_id: UUID, *, reason: str) -> Conveyance:
    """Return the plan to the coordinator, with planning's reason (S04)."""
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.return_plan, conveyance, reason=reason)
    _move(conveyance, "return_plan", ConveyanceStatus.RETURNED)
    _answer(conveyance, by, reason)
    plan = conveyance.plan
    post(
        session,
        PlanReturned(case_id=plan.case_id, case_number=plan.case_number, note=reason, path=plan.path),
        by=by,
    )
    session.flush()
    return conveyance


def defer_plan(session: Session, by: Person, conveyance_id: UUID, *, reason: str) -> Conveyance:
    """Defer the plan because there are no funds, with planning's reason (S04)."""
    conveyance = find_conveyance(session, conveyance_id)
    by = authorize(session, by, ACTS.defer_plan, conveyance, reason=reason)
    _move(conveyance, "defer_plan", ConveyanceStatus.DEFERRED)
    _answer(conveyance, by, reason)
    plan = conveyance.plan
    # The case is deferred with it; it comes back when it enters a later work programme.
    plan.meetings_concluded_at = None
    post(
        session,
        PlanDeferred(case_id=plan.case_id, case_number=plan.case_number, note=reason, path=plan.path),
        by=by,
    )
    session.flush()
    return conveyance


def must_be_whole(session: Session, amount: int, accounts: Mapping[str, int]) -> None:
    """Raise Incomplete unless the amount is above zero, the accounts are known and sum to it."""
    if amount <= 0:
        detail = "Pagu harus lebih dari nol. Bila anggaran belum tersedia, tunda berkas ini."
        raise Incomplete(detail, errors=[FieldError("/amount", detail)])
    must_know_accounts(session, list(accounts), pointer="/accounts/{n}/account_code")
    if any(part <= 0 for part in accounts.values()) or sum(accounts.values()) != amount:
        detail = "Jumlah pagu per kode akun harus sama dengan pagu seluruhnya, masing-masing lebih dari nol."
        raise Incomplete(detail, errors=[FieldError("/accounts", detail)])


def decided(
    ceiling: Ceiling, *, by: Person | None, amount: int, accounts: Mapping[str, int], note: str, name: str = ""
) -> CeilingDecision:
    """Return the decision that posts an amount to a ceiling; the database does the sums."""
    return CeilingDecision(
        ceiling_id=ceiling.id,
        amount=amount,
        accounts=[{"account_code": code, "amount": part} for code, part in accounts.items()],
        decided_on=ceiling.set_on,
        decided_by_id=by.id if by else None,
        decided_by_name=by.name if by else name,
        note=note,
    )


def _move(conveyance: Conveyance, name: str, target: ConveyanceStatus) -> None:
    """Move the plan, and with it its newest conveyance; an older one has had its answer."""
    plan: BudgetPlan = conveyance.plan
    if plan.conveyance is not conveyance:
        raise OutOfTurn("Penyampaian ini sudah dijawab. Buka penyampaian yang terbaru di halaman RAB.")
    plan.move(name)
    conveyance.status = target


def _answer(conveyance: Conveyance, by: Person, reason: str) -> None:
    conveyance.answered_by_id, conveyance.answered_by_name = by.id, by.name
    conveyance.answered_at, conveyance.reason = utc_now(), reason
