"""Claims and payments: who may, in which order, and that what was paid stays paid (S06)."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import Office
from services.budget.actions.papers import today
from services.budget.model import ClaimStatus, IssuedPaper
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person, Role
from shared.messages import ApplicationFacts, WentLive
from tests.budget import walk
from tests.papers import known
from tests.people import BUDI, HADI, INDAH, JOKO, KIKI


def test_a_claim_is_verified_and_paid(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    claim = walk.paid(session, office, contract, 1)

    assert claim.payment is not None
    paper = session.get_one(IssuedPaper, claim.payment.paper_id)
    assert (claim.status, claim.payment.amount, contract.paid_amount) == (ClaimStatus.PAID, 27_750_000, 27_750_000)
    assert office.store.has(paper.digest)
    assert walk.posted(session)[-1] == "PaymentMade"


def test_a_term_is_claimed_once(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)

    with pytest.raises(OutOfTurn, match="sudah ditagih"):
        actions.claim_term(session, JOKO, contract.id, term=1, invoice_number="INV-1b")
    with pytest.raises(Incomplete, match="termin 1 sampai 2"):
        actions.claim_term(session, JOKO, contract.id, term=3, invoice_number="INV-3")


def test_an_unverified_claim_is_not_paid(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = actions.claim_term(session, JOKO, contract.id, term=1, invoice_number="INV-1")

    with pytest.raises(OutOfTurn):
        actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="2", office=office)


def test_the_last_payment_before_the_handover_is_refused_with_the_rule(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)
    claim = walk.verified(session, contract, 2)

    words = r"pembayaran terakhir hanya setelah berita acara .*langkah 6, S06"
    with pytest.raises(OutOfTurn, match=words) as no, session.begin_nested():
        actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="2", office=office)

    assert no.value.code == "last_payment_before_handover"
    assert [act.name for act in queries.offered_on_claim(INDAH, claim)] == ["refuse_claim"]
    assert queries.waiting_on(session, INDAH) == []


def test_the_only_unpaid_term_is_the_last_whatever_its_number(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.delivered(session, office, contract)
    walk.handed_over(session, office, contract)
    walk.paid(session, office, contract, 2)

    assert contract.is_last(contract.terms[0])


def test_the_last_payment_before_going_live_is_marked(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    walk.handed_over(session, office, contract)
    first = walk.paid(session, office, contract, 1)

    last = walk.paid(session, office, contract, 2)

    assert first.payment is not None
    assert last.payment is not None
    assert (first.payment.is_before_permit, last.payment.is_before_permit) == (False, True)


def test_the_last_payment_after_going_live_is_not_marked(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    walk.handed_over(session, office, contract)
    walk.paid(session, office, contract, 1)
    actions.note_live(session, _live(contract.plan.case_id))

    last = walk.paid(session, office, contract, 2)

    assert last.payment is not None
    assert not last.payment.is_before_permit


def test_a_refused_claim_can_be_claimed_anew(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = walk.verified(session, contract, 1)

    actions.refuse_claim(session, INDAH, claim.id, reason="Faktur pajak belum dilampirkan.")

    assert (claim.status, walk.posted(session)[-1]) == (ClaimStatus.REFUSED, "PaymentRefused")
    assert walk.paid(session, office, contract, 1).status == ClaimStatus.PAID


def test_whoever_verified_does_not_pay(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = walk.verified(session, contract, 1)
    both = Person.model_validate({**BUDI.model_dump(), "roles": {Role.APP_HEAD, Role.TREASURER}})

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.pay(session, both, claim.id, spm_number="1", sp2d_number="2", office=office)


def test_nothing_is_paid_on_a_day_to_come(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = walk.verified(session, contract, 1)
    tomorrow = today() + timedelta(days=1)

    with pytest.raises(Incomplete, match="sesudah hari ini"):
        actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="2", paid_on=tomorrow, office=office)


def test_nothing_is_paid_under_a_terminated_contract(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = walk.verified(session, contract, 1)
    actions.terminate_contract(session, HADI, contract.id, reason="Pekerjaan tidak berjalan.")

    with pytest.raises(OutOfTurn):
        actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="2", office=office)


def test_what_was_posted_stays(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)
    actions.distribute(session, BUDI, contract.id, activity="Pembangunan", amount=1_000_000)

    for table in ("payment", "entry", "ceiling_decision", "distribution"):
        for verb in ("UPDATE {} SET amount = amount + 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
            with pytest.raises(IntegrityError, match="what was posted stays"), session.begin_nested():
                session.execute(text(verb.format(table)))


def test_a_claim_of_another_firm_is_not_seen(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    claim = walk.verified(session, contract, 1)

    assert queries.claims(session, JOKO) == [claim]
    assert queries.claims(session, KIKI) == []


def _live(case_id: UUID) -> WentLive:
    return WentLive(
        case_id=case_id,
        case_number="PRK",
        application=ApplicationFacts(code="e-presensi", name="e-Presensi", unit="BPEG"),
        release_id=case_id,
        release_number=1,
        address="http://presensi.kampus.example",
        permit_id=case_id,
    )


def test_every_paper_printed_on_the_way_can_be_checked_by_its_code(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.delivered(session, office, contract)
    walk.handed_over(session, office, contract)
    walk.paid(session, office, contract, 1)

    papers = known(session, office.store)

    assert {digest for digest, paper in papers.items() if paper is None or paper.digest != digest} == set()
    assert {row.digest: row.code for row in session.scalars(select(IssuedPaper))} == {
        digest: paper.code for digest, paper in papers.items() if paper
    }
    assert {paper.kind for paper in papers.values() if paper} >= {"rab", "kontrak_spk", "bast", "bukti_pembayaran"}
