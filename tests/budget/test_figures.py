"""The absorption of a year equals what its plans, contracts, claims and payments add up to by hand."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.actions import Office
from services.budget.model import Ceiling, Claim, ClaimStatus, Contract, Payment
from services.budget.queries import dashboard
from shared.errors import NotAllowed
from shared.figures import Figures, Row
from shared.identity import Person
from tests.budget import walk
from tests.counting import statements
from tests.people import ANI, BUDI, CITRA, FAJAR, GITA, HADI, INDAH, JOKO

YEAR = 2026


def accounts(found: Figures) -> dict[str, Row]:
    return {str(row.cells["account"]).split()[0]: row for row in found.panels[0].tables[0].rows}


def paid_somewhat(session: Session, office: Office) -> None:
    """Walk three cases: one paid in two terms, one claimed and accepted, one with a ceiling only."""
    walk.vendor(session)
    dice = random.Random(7)
    for n in range(3):
        ceiling = walk.budgeted(session, office, amount=60_000_000 + 1_000_000 * n)
        if n == 2:
            continue
        contract = actions.draft_contract(
            session, BUDI, ceiling.plan_id, new=walk.draft(40_000_000 + n, percents=(30, 30, 40)), office=office
        )
        actions.sign_contract(session, HADI, contract.id, office=office)
        for term in contract.terms[: 2 - n]:
            claim = actions.claim_term(session, JOKO, contract.id, term=term.no, invoice_number=f"INV-{n}-{term.no}")
            actions.verify_claim(session, BUDI, claim.id)
            if n == 0:
                day = contract.start_on + timedelta(days=dice.randint(0, 90))
                actions.pay(
                    session, INDAH, claim.id, paid_on=day, spm_number=f"S{term.no}", sp2d_number=f"D{term.no}",
                    office=office,
                )  # fmt: skip
    session.flush()


def test_absorption_equals_a_count_by_hand(session: Session, office: Office) -> None:
    paid_somewhat(session, office)
    ceilings = session.scalars(select(Ceiling).where(Ceiling.fiscal_year == YEAR)).all()
    contracts = session.scalars(select(Contract)).all()
    claims = session.scalars(select(Claim)).all()
    payments = session.scalars(select(Payment)).all()
    accepted = sum(c.amount for c in claims if c.status in (ClaimStatus.VERIFIED, ClaimStatus.PAID))
    row = accounts(dashboard.figures(session, CITRA, fiscal_year=YEAR))["525113"]

    ceiling, bound, paid = (
        sum(c.amount for c in ceilings),
        sum(c.value_amount for c in contracts),
        sum(p.amount for p in payments),
    )
    assert paid and accepted > paid
    assert {key: row.cells[key] for key in ("ceiling", "contracted", "accepted", "paid", "unpaid", "free", "left")} == {
        "ceiling": ceiling,
        "contracted": bound,
        "accepted": accepted,
        "paid": paid,
        "unpaid": bound - paid,
        "free": ceiling - bound,
        "left": ceiling - paid,
    }
    assert row.cells["percent"] == round(100 * paid / ceiling, 2)


def test_months_add_up_to_what_was_paid(session: Session, office: Office) -> None:
    paid_somewhat(session, office)
    payments = session.scalars(select(Payment)).all()
    months = dashboard.figures(session, GITA, fiscal_year=YEAR).panels[0].tables[1].rows

    by_hand = [sum(p.amount for p in payments if (p.paid_on.year, p.paid_on.month) == (YEAR, m)) for m in range(1, 13)]
    assert [row.cells["paid"] for row in months] == by_hand
    assert months[-1].cells["so_far"] == sum(p.amount for p in payments)


def test_a_year_without_a_ceiling_says_what_will_stand_here(session: Session) -> None:
    panel = dashboard.figures(session, CITRA, fiscal_year=2031).panels[0]

    assert [table.rows for table in panel.tables] == [[], []]
    assert all(number.value is None for number in panel.numbers)


@pytest.mark.parametrize("by", [ANI, JOKO, FAJAR])
def test_whoever_reads_no_contracts_reads_no_sums(session: Session, by: Person) -> None:
    with pytest.raises(NotAllowed):
        dashboard.figures(session, by)


def test_it_costs_the_same_however_many_contracts_there_are(session: Session, office: Office) -> None:
    paid_somewhat(session, office)
    with statements(session.get_bind().engine) as sent:
        dashboard.figures(session, CITRA, fiscal_year=YEAR)

    assert len(sent) == 5
