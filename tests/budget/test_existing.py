"""Taking over what ran before Alur: the fictional campus' ceilings, contracts, payments and handovers."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import (
    ExistingCeiling,
    ExistingContract,
    ExistingPlan,
    ExistingTerm,
    ExistingVendor,
    NewContract,
    NewTerm,
    Office,
)
from services.budget.actions.papers import record_number
from services.budget.ledger import CapExceeded, NewLine
from services.budget.model import BudgetPlan, Contract, ContractStatus, Payment, PlanStatus
from shared.errors import Incomplete
from shared.messages import ApplicationFacts
from tests.budget import walk
from tests.budget.plans import PLANS
from tests.people import BUDI, CITRA, GITA, HADI, INDAH, JOKO

CKD = ExistingVendor("CKD", "CV Contoh Karya Digital", "00.000.000.0-000.001", is_pkp=True, city="Palembang")
UTK = ExistingVendor("UTK", "CV Umpama Teknologi Kreatif", "00.000.000.0-000.003", is_pkp=False, city="Palembang")
CASE = UUID("00000000-0000-4000-8000-000000000001")


def e_presensi(**changes: object) -> ExistingPlan:
    """Return the campus' finished application: contract paid and handed over."""
    fields: dict[str, object] = {
        "case_id": CASE,
        "case_number": "PRK-2025-0001",
        "application": ApplicationFacts(code="e-presensi", name="e-Presensi", unit="BPEG"),
        "fiscal_year": 2026,
        "version": 2,
        "lines": [NewLine(a, d, v, u, p, t) for a, d, v, u, p, _, t in PLANS["e-presensi"]["lines"]],
        "minutes": ["01/PUSTIPD/06/2025"],
        "conveyed_letter": "B-0230/Un.99/PUSTIPD/TI.01/06/2025",
        "ceiling": ExistingCeiling(
            136_000_000, "PNBP BLU", date(2025, 12, 8), accounts={"525113": 117_500_000, "525112": 18_500_000}
        ),
        "contract": contract(
            "CKD", "007/PPK/02/2026", 118_000_000, [(30, 39_294_000), (40, 52_392_000), (30, 39_294_000)]
        ),
        "live_on": date(2026, 9, 7),
    }
    return ExistingPlan(**{**fields, **changes})  # type: ignore[arg-type]


def contract(firm: str, number: str, tax_base: int, cut: list[tuple[int, int]]) -> ExistingContract:
    """Return a contract whose terms are paid and which was handed over."""
    new = NewContract(
        vendor=firm,
        number=number,
        tax_base_amount=tax_base,
        start_on=date(2026, 2, 19),
        end_on=date(2026, 6, 30),
        source_code_owner="Universitas Islam Negeri Nusantara Contoh",
        terms=[NewTerm(percent, amount) for percent, amount in cut],
    )
    terms = [ExistingTerm(no, "paid", date(2026, 3, 9)) for no in range(1, len(cut) + 1)]
    return ExistingContract(
        new, signed_on=date(2026, 2, 18), terms=terms, handover_number="021/PPK/06/2026", handover_on=date(2026, 6, 29)
    )


def test_a_finished_case_is_taken_over_with_its_money(session: Session) -> None:
    actions.register_existing_vendor(session, CKD)

    plan = actions.register_existing(session, e_presensi())

    ceiling, found = plan.ceilings[0], plan.contracts[0]
    assert (plan.status, plan.current.version, plan.current.total_amount) == (PlanStatus.BUDGETED, 2, 135_400_000)
    assert (ceiling.amount, ceiling.committed_amount, ceiling.paid_amount) == (136_000_000, 130_980_000, 130_980_000)
    assert (found.status, found.value_amount, found.number) == (
        ContractStatus.HANDED_OVER,
        130_980_000,
        "007/PPK/02/2026",
    )
    assert queries.imbalances(session) == []
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_nothing_is_told_of_what_was_taken_over(session: Session) -> None:
    actions.register_existing_vendor(session, CKD)

    actions.register_existing(session, e_presensi())

    assert walk.posted(session) == []


def test_taking_over_twice_changes_nothing(session: Session) -> None:
    first = actions.register_existing_vendor(session, CKD)
    actions.register_existing(session, e_presensi())

    actions.register_existing(session, e_presensi())

    assert actions.register_existing_vendor(session, CKD) is first
    assert len(session.scalars(select(BudgetPlan)).all()) == 1
    assert len(session.scalars(select(Payment)).all()) == 3


def test_a_running_case_goes_on_from_where_it_was(session: Session, office: Office) -> None:
    actions.register_existing_vendor(session, CKD)
    running = ExistingContract(
        contract=walk.draft(86_400_000),
        signed_on=date(2026, 4, 6),
        terms=[ExistingTerm(1, "paid", date(2026, 7, 20)), ExistingTerm(2, "claimed")],
    )
    plan = actions.register_existing(
        session,
        e_presensi(
            lines=(),
            conveyed_letter="",
            ceiling=ExistingCeiling(98_000_000, "PNBP BLU", date(2025, 12, 8)),
            contract=running,
        ),
    )
    claim = next(claim for claim in plan.contracts[0].claims if claim.payment is None)

    actions.verify_claim(session, BUDI, claim.id)
    walk.handed_over(session, office, walk.delivered(session, office, plan.contracts[0]))
    actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="1", office=office)

    assert plan.contracts[0].paid_amount == 95_904_000


def test_a_plan_that_waits_for_planning_gets_its_ceiling(session: Session, office: Office) -> None:
    plan = actions.register_existing(session, e_presensi(ceiling=None, contract=None))
    assert plan.conveyance is not None

    ceiling = actions.set_ceiling(
        session,
        GITA,
        plan.conveyance.id,
        amount=193_473_000,
        accounts={"537115": 193_473_000},
        fund_source="PNBP BLU",
        office=office,
    )

    assert ceiling.amount == 193_473_000


def test_a_plan_that_was_discussed_can_be_conveyed(session: Session, office: Office) -> None:
    plan = actions.register_existing(session, e_presensi(ceiling=None, contract=None, conveyed_letter=""))

    conveyance = actions.convey(session, BUDI, plan.id)

    assert conveyance.missing != []
    assert actions.withhold(session, CITRA, conveyance.id, reason="Tunggu harga pembanding.")


def test_new_numbers_pass_by_those_that_were_taken_over(session: Session, office: Office) -> None:
    actions.register_existing_vendor(session, CKD)
    taken = record_number(session, office, date(2026, 2, 18)).replace("001", "002")
    actions.register_existing(session, e_presensi(contract=contract("CKD", taken, 118_000_000, [(100, 130_980_000)])))

    assert record_number(session, office, date(2026, 2, 18)).startswith("003/PPK/")


def test_figures_that_break_the_caps_are_not_taken_over(session: Session) -> None:
    actions.register_existing_vendor(session, CKD)

    with pytest.raises(CapExceeded):
        actions.register_existing(
            session, e_presensi(ceiling=ExistingCeiling(130_979_999, "PNBP BLU", date(2025, 12, 8)))
        )


def test_a_term_that_does_not_exist_is_not_taken_over(session: Session) -> None:
    actions.register_existing_vendor(session, UTK)
    wrong = ExistingContract(
        contract=walk.draft(58_750_000, firm="UTK"), signed_on=date(2026, 8, 10), terms=[ExistingTerm(3, "paid")]
    )

    with pytest.raises(Incomplete, match="termin 3"):
        actions.register_existing(session, e_presensi(contract=wrong))


def test_a_vendor_sees_what_was_taken_over(session: Session) -> None:
    actions.register_existing_vendor(session, CKD)
    actions.register_existing(session, e_presensi(case_id=uuid4()))

    assert [c.number for c in queries.contracts(session, JOKO)] == ["007/PPK/02/2026"]
    assert session.scalars(select(Contract.signed_by_name)).one() == "Tercatat sebelum Alur"
    assert not [t for t in queries.waiting_on(session, HADI) if t.step == "S05"]
