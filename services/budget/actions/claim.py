"""Claims and payments of terms (S06): payments <= contract <= ceiling, the last one only after the handover."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.budget.actions import papers
from services.budget.actions.loading import find_claim, find_contract, settle
from services.budget.actions.papers import Office
from services.budget.authority import ACTS
from services.budget.model import (
    IN_FORCE,
    Claim,
    ClaimStatus,
    Contract,
    Payment,
    Term,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import PaymentMade, PaymentRefused
from shared.sentence import Sentence
from shared.words import rupiah


def claim_term(
    session: Session, by: Person, contract_id: UUID, *, term: int, invoice_number: str, note: str = ""
) -> Claim:
    """Claim a term for the vendor and return the claim (S06).

    Raises OutOfTurn while a claim for the term is open or it is paid, Incomplete for an unknown term.
    """
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.claim_term, contract, term=term)
    contract.must_be(*IN_FORCE)
    found = find_term(contract, term)
    if any(c.term_id == found.id and c.status != ClaimStatus.REFUSED for c in contract.claims):
        raise OutOfTurn(
            Sentence(
                "Termin {term} sudah ditagih atau dibayar. Lihat kemajuannya di daftar tagihan.",
                term=term,
            )
        )
    claim = Claim(
        contract=contract,
        term=found,
        amount=found.amount,
        invoice_number=invoice_number,
        note=note,
        claimed_by_id=by.id,
        claimed_by_name=by.name,
    )
    session.add(claim)
    session.flush()
    return claim


def verify_claim(session: Session, by: Person, claim_id: UUID) -> Claim:
    """State as the application division that the claim is right (S06)."""
    claim = find_claim(session, by, claim_id)
    by = authorize(session, by, ACTS.verify_claim, claim, amount=claim.amount)
    claim.move("verify_claim")
    claim.verified_by_id, claim.verified_by_name, claim.verified_at = by.id, by.name, utc_now()
    session.flush()
    return claim


def pay(
    session: Session,
    by: Person,
    claim_id: UUID,
    *,
    spm_number: str,
    sp2d_number: str,
    paid_on: date | None = None,
    note: str = "",
    office: Office,
) -> Claim:
    """Record the treasurer's payment of a verified claim; it can never be changed (S06).

    Raises OutOfTurn for the last payment before the handover is signed.
    """
    claim = find_claim(session, by, claim_id)
    by = authorize(session, by, ACTS.pay, claim, amount=claim.amount, spm_number=spm_number, sp2d_number=sp2d_number)
    claim.move("pay")
    contract, plan = claim.contract, claim.contract.plan
    contract.must_be(*IN_FORCE)
    if claim.waits_for_handover:
        raise OutOfTurn(
            Sentence(
                "Termin {no} ({amount}) adalah pembayaran terakhir, dan pembayaran terakhir hanya setelah "
                "berita acara serah terima (BAST) kontrak {number} ditandatangani semua pihak (SOP “Pembuatan "
                "Aplikasi dan Website” langkah 6, S06). Selesaikan BAST lebih dahulu, lalu bayar.",
                no=claim.term.no,
                amount=rupiah(claim.amount),
                number=contract.number,
            ),
            code="last_payment_before_handover",
        )
    on = paid_on or papers.today()
    if on > papers.today():
        detail = "Tanggal pembayaran tidak boleh sesudah hari ini."
        raise Incomplete(detail, errors=[FieldError("/paid_on", detail)])
    payment = Payment(
        id=uuid4(),
        contract_id=contract.id,
        term_id=claim.term_id,
        claim_id=claim.id,
        amount=claim.amount,
        account_code=contract.account_code,
        paid_on=on,
        spm_number=spm_number,
        sp2d_number=sp2d_number,
        is_before_permit=contract.is_last(claim.term) and plan.live_at is None,
        paid_by_id=by.id,
        paid_by_name=by.name,
        note=note,
    )
    paper = papers.issue(
        session,
        office,
        plan,
        kind="bukti_pembayaran",
        paper=papers.receipt(contract, payment, claim.term.no, by),
        contract=contract,
    )
    payment.paper_id = paper.id
    session.add(payment)
    claim.answered_by_id, claim.answered_by_name, claim.answered_at = by.id, by.name, utc_now()
    settle(session)
    post(
        session,
        PaymentMade(
            case_id=plan.case_id,
            case_number=plan.case_number,
            note=EARLY if payment.is_before_permit else note,
            papers=(paper.fact,),
            path=f"/tagihan/{claim.id}",
            term=claim.term.no,
            amount=claim.amount,
            paid_amount=contract.paid_amount,
        ),
        by=by,
    )
    return claim


def refuse_claim(session: Session, by: Person, claim_id: UUID, *, reason: str) -> Claim:
    """Refuse a claim with the treasurer's reason; the vendor may claim the term anew (S06)."""
    claim = find_claim(session, by, claim_id)
    by = authorize(session, by, ACTS.refuse_claim, claim, reason=reason)
    claim.move("refuse_claim")
    claim.answered_by_id, claim.answered_by_name, claim.answered_at = by.id, by.name, utc_now()
    claim.reason = reason
    plan = claim.contract.plan
    post(
        session,
        PaymentRefused(
            case_id=plan.case_id,
            case_number=plan.case_number,
            note=reason,
            path=f"/tagihan/{claim.id}",
            term=claim.term.no,
        ),
        by=by,
    )
    session.flush()
    return claim


EARLY = "Peringatan: termin terakhir dibayar sebelum aplikasi lulus uji keamanan dan dibuka untuk pengguna."


def find_term(contract: Contract, no: int) -> Term:
    """Return a term by its number; raise Incomplete that names the field."""
    found = next((term for term in contract.terms if term.no == no), None)
    if found is None:
        detail = Sentence("Kontrak ini mempunyai termin 1 sampai {terms}.", terms=len(contract.terms))
        raise Incomplete(detail, errors=[FieldError("/term", detail)])
    return found
