"""What the vendor delivers, the financial report, and the handover with its three signatures (S05, S07)."""

import io
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.actions import Office
from services.budget.ledger import CapExceeded
from services.budget.model import DOCUMENT_ITEMS, ContractStatus, Document, DocumentStatus, HandoverStatus, IssuedPaper
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.messages import DefectReported
from tests.budget import walk
from tests.people import BAYU, BUDI, HADI, JOKO, KIKI


def test_nothing_is_handed_over_without_documentation_and_report(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    with pytest.raises(Incomplete, match=r"laporan dokumentasi.*, laporan keuangan"):
        actions.draft_handover(session, BUDI, contract.id, office=office)


def test_documentation_with_a_missing_item_is_not_accepted(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    for item in list(DOCUMENT_ITEMS)[:-1]:
        _upload(session, office, contract.id, item)

    with pytest.raises(Incomplete, match="Prosedur cadangan dan pemulihan"):
        actions.accept_documentation(session, BUDI, contract.id, office=office)


def test_a_rejected_item_has_to_be_delivered_again(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    for item in DOCUMENT_ITEMS:
        _upload(session, office, contract.id, item)

    actions.reject_deliverable(session, BUDI, contract.id, item="api", reason="Belum memuat contoh.")
    with pytest.raises(Incomplete, match="Dokumentasi API"):
        actions.accept_documentation(session, BUDI, contract.id, office=office)
    _upload(session, office, contract.id, "api", b"lengkap")
    actions.accept_documentation(session, BUDI, contract.id, office=office)

    assert walk.posted(session)[-1] == "DeliverableRejected"
    assert [d.status for d in contract.documents if d.item == "api"] == [
        DocumentStatus.REJECTED,
        DocumentStatus.ACCEPTED,
    ]


def test_a_newer_file_asks_for_a_new_acceptance(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))

    _upload(session, office, contract.id, "user_guide", b"edisi kedua")

    assert contract.documentation_accepted_at is None


def test_an_uploaded_file_is_kept_by_its_digest_under_a_plain_name(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    document = _upload(session, office, contract.id, "api", b"isi", name="C:\\fakepath\\..\\ab\x00c\u202e.pdf")

    assert (document.file_name, document.size) == ("abc.pdf", 3)
    with office.store.open(document.digest, verify=True) as file:
        assert file.read() == b"isi"


def test_only_the_vendor_of_the_contract_delivers(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    with pytest.raises(NotFound):
        _upload(session, office, contract.id, "api", by=KIKI)
    with pytest.raises(NotAllowed):
        _upload(session, office, contract.id, "api", by=BAYU)


@pytest.mark.parametrize(("item", "content"), [("lain", b"x"), ("api", b"")])
def test_an_unknown_item_or_an_empty_file_is_refused(
    session: Session, office: Office, item: str, content: bytes
) -> None:
    contract = walk.signed(session, office)

    with pytest.raises(Incomplete):
        _upload(session, office, contract.id, item, content)


def test_the_financial_report_takes_its_figures_from_the_ledger(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)

    report = actions.store_financial_report(
        session, BUDI, contract.id, other_spending={"525112": 2_200_000}, office=office
    )

    assert [(r["account_code"], r["ceiling_amount"], r["realised_amount"]) for r in report.rows] == [
        ("525112", 0, 2_200_000),
        ("525113", 60_000_000, 27_750_000),
    ]
    assert (report.ceiling_amount, report.realised_amount) == (60_000_000, 29_950_000)


def test_a_report_beyond_the_ceiling_is_refused(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    with pytest.raises(CapExceeded):
        actions.store_financial_report(session, BUDI, contract.id, other_spending={"525113": 60_000_001}, office=office)


def test_three_signatures_hand_over(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))

    handover = walk.handed_over(session, office, contract)

    told = session.execute(text("SELECT dest FROM msg.outbox WHERE kind = 'HandedOver' ORDER BY dest")).scalars()
    record = session.get_one(IssuedPaper, handover.paper_id)
    assert (handover.status, contract.status) == (HandoverStatus.SIGNED, ContractStatus.HANDED_OVER)
    assert office.store.has(record.digest)
    assert list(told) == ["deploy", "proposal", "security"]


def test_two_signatures_do_not_hand_over(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    handover = actions.draft_handover(session, BUDI, contract.id, office=office)

    actions.sign_handover(session, HADI, handover.id, office=office)
    actions.sign_handover(session, JOKO, handover.id, office=office)

    assert (handover.status, contract.status) == (HandoverStatus.DRAFT, ContractStatus.SIGNED)
    assert handover.missing == [Role.APP_HEAD]


def test_each_party_signs_once_and_for_itself(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    handover = actions.draft_handover(session, BUDI, contract.id, office=office)
    actions.sign_handover(session, BUDI, handover.id, office=office)
    both = Person.model_validate({**BUDI.model_dump(), "roles": {Role.APP_HEAD, Role.PPK}})

    with pytest.raises(OutOfTurn):
        actions.sign_handover(session, BUDI, handover.id, office=office)
    with pytest.raises(NotAllowed, match="tiga orang"):
        actions.sign_handover(session, both, handover.id, office=office)
    with pytest.raises(NotFound):
        actions.sign_handover(session, KIKI, handover.id, office=office)


def test_a_defect_asks_for_a_new_round(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    first = walk.handed_over(session, office, contract)

    actions.note_defect(session, _defect(contract.plan.case_id))
    second = walk.handed_over(session, office, contract)

    assert (first.status, first.reason) == (HandoverStatus.REOPENED, "Berkas konfigurasi tidak ada.")
    assert (second.round, contract.status) == (2, ContractStatus.HANDED_OVER)
    assert walk.posted(session).count("HandedOver") == 2


def _defect(case_id: UUID) -> DefectReported:
    return DefectReported(case_id=case_id, case_number="PRK", note="Berkas konfigurasi tidak ada.")


def _upload(
    session: Session,
    office: Office,
    contract_id: UUID,
    item: str,
    content: bytes = b"isi",
    *,
    name: str = "a.pdf",
    by: Person = JOKO,
) -> Document:
    file = io.BytesIO(content)
    return actions.upload_document(session, by, contract_id, item=item, file_name=name, file=file, office=office)
