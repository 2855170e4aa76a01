"""Walks a case through the budget by calling actions and messages: no test starts from a state that cannot be."""

import io
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.actions import NewContract, NewTerm, Office
from services.budget.ledger import NewLine
from services.budget.model import (
    DOCUMENT_ITEMS,
    BudgetPlan,
    Ceiling,
    Claim,
    Contract,
    Conveyance,
    Handover,
    Vendor,
)
from shared.messages import ApplicationFacts, MeetingsConcluded, WorkProgrammeEntered
from tests.people import BAYU, BUDI, CITRA, DEWI, GITA, HADI, INDAH, JOKO

LINES = (
    NewLine("525113", "Jasa pemrogram", 6, "orang-bulan", 8_500_000, True),
    NewLine("525112", "Konsumsi rapat", 40, "orang-kali", 55_000, False),
)


def opened(session: Session, *, unit: str = "BPEG", fiscal_year: int = 2026) -> BudgetPlan:
    """Return an empty plan of a case that entered the work programme."""
    return actions.open_plan(session, entered(uuid4(), unit=unit, fiscal_year=fiscal_year))


def entered(case_id: UUID, *, unit: str = "BPEG", fiscal_year: int = 2026) -> WorkProgrammeEntered:
    """Return the message that a case entered the work programme."""
    return WorkProgrammeEntered(
        case_id=case_id,
        case_number=f"PRK-{case_id.hex[:8]}",
        application=ApplicationFacts(code="e-presensi", name="e-Presensi", unit=unit),
        fiscal_year=fiscal_year,
        estimated_amount=60_000_000,
    )


def concluded(plan: BudgetPlan) -> MeetingsConcluded:
    """Return the message that both minutes say "continue"."""
    return MeetingsConcluded(
        case_id=plan.case_id, case_number=plan.case_number, minutes=("14/PUSTIPD/04/2026", "01/PUSTIPD/06/2026")
    )


def locked(session: Session, office: Office, *, lines: Sequence[NewLine] = LINES, unit: str = "BPEG") -> BudgetPlan:
    """Return a plan whose first version is locked by Budi."""
    plan = opened(session, unit=unit)
    actions.draft_lines(session, BAYU, plan.id, lines=lines)
    return actions.lock(session, BUDI, plan.id, office=office)


def prepared(session: Session, office: Office) -> Conveyance:
    """Return a conveyance that both divisions signed."""
    plan = locked(session, office)
    actions.note_meetings(session, concluded(plan))
    conveyance = actions.convey(session, BUDI, plan.id)
    actions.sign_off(session, BUDI, conveyance.id)
    return actions.sign_off(session, DEWI, conveyance.id)


def sent(session: Session, office: Office) -> Conveyance:
    """Return a conveyance that lies with the planning section."""
    conveyance = prepared(session, office)
    return actions.approve_conveyance(session, CITRA, conveyance.id, office=office)


def budgeted(session: Session, office: Office, *, amount: int = 60_000_000) -> Ceiling:
    """Return a ceiling that Gita set."""
    conveyance = sent(session, office)
    return actions.set_ceiling(
        session,
        GITA,
        conveyance.id,
        amount=amount,
        accounts={"525113": amount},
        fund_source="PNBP BLU",
        office=office,
    )


def vendor(session: Session, code: str = "CKD", *, is_pkp: bool = True) -> Vendor:
    """Return a registered firm."""
    return actions.register_vendor(session, BUDI, code=code, name=f"CV {code}", is_pkp=is_pkp, city="Palembang")


def terms(*percents: int) -> list[NewTerm]:
    """Return terms of these percents."""
    return [NewTerm(percent=percent) for percent in percents]


def draft(tax_base: int = 50_000_000, *, firm: str = "CKD", percents: Sequence[int] = (50, 50)) -> NewContract:
    """Return a contract to draft; with VAT 55,500,000 by default."""
    return NewContract(
        vendor=firm,
        tax_base_amount=tax_base,
        start_on=date(2026, 2, 19),
        end_on=date(2026, 6, 30),
        source_code_owner="UIN Nusantara Contoh",
        terms=terms(*percents),
    )


def signed(session: Session, office: Office, *, percents: Sequence[int] = (50, 50)) -> Contract:
    """Return a signed contract with CKD over 55,500,000 under a ceiling of 60,000,000."""
    ceiling = budgeted(session, office)
    vendor(session)
    new = draft(percents=percents)
    contract = actions.draft_contract(session, BUDI, ceiling.plan_id, new=new, office=office)
    return actions.sign_contract(session, HADI, contract.id, office=office)


def delivered(session: Session, office: Office, contract: Contract) -> Contract:
    """Upload every item, have it accepted, store the financial report."""
    for item in DOCUMENT_ITEMS:
        actions.upload_document(
            session,
            JOKO,
            contract.id,
            item=item,
            file_name=f"{item}.pdf",
            file=io.BytesIO(item.encode()),
            office=office,
        )
    actions.accept_documentation(session, BUDI, contract.id, office=office)
    actions.store_financial_report(session, BUDI, contract.id, office=office)
    return contract


def handed_over(session: Session, office: Office, contract: Contract) -> Handover:
    """Return a handover that all three signed."""
    handover = actions.draft_handover(session, BUDI, contract.id, office=office)
    for person in (JOKO, BUDI, HADI):
        actions.sign_handover(session, person, handover.id, office=office)
    return handover


def verified(session: Session, contract: Contract, term: int) -> Claim:
    """Return a claim for a term that Budi verified."""
    claim = actions.claim_term(session, JOKO, contract.id, term=term, invoice_number=f"INV-{term}")
    return actions.verify_claim(session, BUDI, claim.id)


def paid(session: Session, office: Office, contract: Contract, term: int) -> Claim:
    """Return a paid claim."""
    claim = verified(session, contract, term)
    return actions.pay(session, INDAH, claim.id, spm_number=f"SPM-{term}", sp2d_number=f"SP2D-{term}", office=office)


def posted(session: Session) -> list[str]:
    """Return the kinds of message that wait in the outbox for `proposal`, in order."""
    rows = session.execute(text("SELECT kind FROM msg.outbox WHERE dest = 'proposal' ORDER BY seq"))
    return [kind for (kind,) in rows]
