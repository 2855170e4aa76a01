"""Contracts: drafted within the ceiling, signed, withdrawn, terminated; the ceiling handed out (S05, S06)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import NewTerm, Office
from services.budget.ledger import CapExceeded
from services.budget.model import ContractStatus, IssuedPaper
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from tests.budget import walk
from tests.people import BUDI, HADI, INDAH, JOKO, KIKI


def test_a_contract_takes_vat_and_terms_from_its_tax_base(session: Session, office: Office) -> None:
    contract = walk.signed(session, office, percents=(30, 40, 30))

    assert (contract.vat_amount, contract.value_amount) == (5_500_000, 55_500_000)
    assert [term.amount for term in contract.terms] == [16_650_000, 22_200_000, 16_650_000]
    assert (contract.form, contract.account_code, contract.committed_amount) == ("spk", "525113", 55_500_000)
    assert contract.ceiling.left_amount == 4_500_000


def test_a_firm_that_is_not_registered_for_vat_charges_none(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session, "UTK", is_pkp=False)

    contract = actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(firm="UTK"), office=office)

    assert (contract.vat_amount, contract.value_amount) == (0, 50_000_000)


def test_a_signed_contract_is_a_paper_and_both_divisions_are_told(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    paper = session.get_one(IssuedPaper, contract.paper_id)
    told = session.execute(text("SELECT dest FROM msg.outbox WHERE kind = 'ContractSigned' ORDER BY dest")).scalars()
    assert (contract.status, paper.kind) == (ContractStatus.SIGNED, "kontrak_spk")
    assert office.store.has(paper.digest)
    assert list(told) == ["deploy", "proposal"]


def test_there_is_no_contract_without_a_ceiling(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)
    walk.vendor(session)

    with pytest.raises(OutOfTurn, match="pagu"):
        actions.draft_contract(session, BUDI, plan.id, new=walk.draft(), office=office)


def test_a_contract_beyond_the_ceiling_is_refused_with_the_rule(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)

    with pytest.raises(CapExceeded, match=r"melampaui sisa pagu Rp60\.000\.000 .*ditetapkan Bagian Perencanaan"):
        actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(54_054_055), office=office)


def test_a_contract_may_take_the_whole_ceiling(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session, is_pkp=False)

    actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(60_000_000), office=office)

    assert ceiling.left_amount == 0


def test_a_contract_that_does_not_add_up_names_the_field(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("/vendor", {"vendor": "XXX"}),
        ("/tax_base_amount", {"tax_base_amount": 0}),
        ("/vat_amount", {"vat_amount": 1}),
        ("/value_amount", {"value_amount": 50_000_000}),
        ("/end_on", {"end_on": date(2027, 1, 15)}),
        ("/end_on", {"end_on": date(2026, 1, 1)}),
        ("/form", {"form": "surat_perjanjian"}),
        ("/account_code", {"account_code": "999999"}),
        ("/terms", {"terms": [NewTerm(100, 55_499_999)]}),
        ("/terms", {"terms": [NewTerm(50, 55_500_000), NewTerm(50, 0)]}),
    ]

    for pointer, change in changes:
        with pytest.raises(Incomplete) as refusal:
            new = replace(walk.draft(), **change)
            actions.draft_contract(session, BUDI, ceiling.plan_id, new=new, office=office)
        assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_another_form_needs_a_reason(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    new = replace(walk.draft(), form="surat_perjanjian", form_reason="Arahan PPK untuk pekerjaan kompleks.")

    assert actions.draft_contract(session, BUDI, ceiling.plan_id, new=new, office=office).form == "surat_perjanjian"


def test_a_number_stands_once(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    new = replace(walk.draft(10_000_000), number="007/PPK/02/2026")
    actions.draft_contract(session, BUDI, ceiling.plan_id, new=new, office=office)

    with pytest.raises(Incomplete, match="sudah dipakai"):
        actions.draft_contract(session, BUDI, ceiling.plan_id, new=new, office=office)


def test_whoever_drafted_does_not_sign(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    contract = actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(), office=office)
    both = Person.model_validate({**BUDI.model_dump(), "roles": {Role.APP_HEAD, Role.PPK}})

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.sign_contract(session, both, contract.id, office=office)
    with pytest.raises(NotAllowed, match="bukan wewenang"):
        actions.sign_contract(session, INDAH, contract.id, office=office)


def test_a_withdrawn_draft_frees_the_ceiling(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    contract = actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(), office=office)

    actions.withdraw_contract(session, BUDI, contract.id, reason="Penyedia mengundurkan diri.")

    assert (contract.status, contract.committed_amount) == (ContractStatus.WITHDRAWN, 0)
    assert ceiling.left_amount == 60_000_000


def test_a_terminated_contract_keeps_what_was_paid_and_frees_the_rest(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)

    actions.terminate_contract(session, HADI, contract.id, reason="Pekerjaan tidak berjalan.")

    assert (contract.status, contract.committed_amount, contract.paid_amount) == (
        ContractStatus.TERMINATED,
        27_750_000,
        27_750_000,
    )
    assert contract.ceiling.left_amount == 60_000_000 - 27_750_000
    assert walk.posted(session)[-1] == "ContractTerminated"


def test_after_a_termination_another_contract_may_be_signed(session: Session, office: Office) -> None:
    first = walk.signed(session, office)
    walk.paid(session, office, first, 1)
    actions.terminate_contract(session, HADI, first.id, reason="Pekerjaan tidak berjalan.")

    second = actions.draft_contract(session, BUDI, first.plan_id, new=walk.draft(20_000_000), office=office)
    actions.sign_contract(session, HADI, second.id, office=office)

    assert queries.imbalances(session) == []
    assert second.ceiling.committed_amount == 27_750_000 + 22_200_000


def test_one_contract_is_in_force_at_a_time(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    drafts = [
        actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(20_000_000), office=office)
        for _ in range(2)
    ]
    actions.sign_contract(session, HADI, drafts[0].id, office=office)

    with pytest.raises(OutOfTurn, match="sudah mempunyai kontrak"):
        actions.sign_contract(session, HADI, drafts[1].id, office=office)


def test_the_ceiling_is_handed_out_up_to_its_end(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    actions.distribute(session, BUDI, contract.id, activity="Pembangunan", amount=55_500_000)

    with pytest.raises(CapExceeded, match="belum didistribusikan"):
        actions.distribute(session, BUDI, contract.id, activity="Konsumsi rapat", amount=4_500_001)

    assert contract.ceiling.undistributed_amount == 4_500_000
    assert walk.posted(session)[-1] == "BudgetDistributed"


def test_a_vendor_knows_only_the_contracts_of_the_own_firm(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    assert queries.contracts(session, JOKO) == [contract]
    assert queries.contracts(session, KIKI) == []
    with pytest.raises(NotFound):
        queries.contract(session, KIKI, contract.id)
    with pytest.raises(NotFound):
        actions.claim_term(session, KIKI, contract.id, term=1, invoice_number="INV-1")


def test_a_vendor_code_stands_once_and_its_data_can_be_amended(session: Session) -> None:
    walk.vendor(session)

    with pytest.raises(Incomplete, match="sudah terdaftar"):
        walk.vendor(session)
    amended = actions.amend_vendor(session, HADI, "CKD", name="CV Contoh Karya Digital", is_pkp=True)

    assert amended.name == "CV Contoh Karya Digital"
    assert [v.code for v in queries.vendors(session, JOKO)] == ["CKD"]
    assert queries.vendors(session, KIKI) == []


def test_terms_that_do_not_sum_to_the_value_never_reach_the_disk(session: Session, office: Office) -> None:
    walk.signed(session, office)
    session.execute(text("UPDATE term SET amount = amount - 1 WHERE no = 1"))

    with pytest.raises(IntegrityError, match="do not sum to its value"):
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
