"""A case that already runs is taken over as it stands; no step is written that nobody walked here."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.actions import Existing
from services.proposal.model import CaseStatus, Office, RegisteredApplication, WorkProgrammeEntry
from shared.errors import Incomplete, NotAllowed
from shared.messages import ContractSigned, TicketOpened
from tests.people import ANI, BUDI, CITRA, HADI, TONO
from tests.proposal.walk import TODAY, Walk, content


def existing(status: str, **changed: object) -> Existing:
    given = {
        "content": content(),
        "unit": "BAAK",
        "proposer_id": uuid4(),
        "proposer_name": "Pengusul Bagian Akademik",
        "status": status,
        "submitted_on": "2024-07-15",
        "since": "2025-02-03",
    }
    return Existing.model_validate(given | changed)


def test_a_live_application_is_taken_over_with_its_dates_and_register_entry(walk: Walk) -> None:
    case = actions.register_existing(
        walk.session,
        None,
        existing("live", live_on="2025-02-03", address="pmb.kampus.example", fiscal_year=2025),
    )

    entry = walk.session.scalars(select(RegisteredApplication)).one()
    history = walk.session.scalars(select(CaseStatus)).all()
    trace = walk.trace(case)
    assert case.number.startswith("APL-2024-")
    assert (case.status, case.is_taken_over, case.created_at.year) == ("live", True, 2024)
    assert (entry.state, entry.address, entry.live_since.year) == ("live", "pmb.kampus.example", 2025)
    assert [(row.move, row.status) for row in history] == [("taken_over", "live")]
    assert len(trace) == 1
    assert (trace[0].person_name, trace[0].move) == ("Alur", "")
    assert "Diambil alih" in trace[0].says
    assert "15 Juli 2024" in trace[0].detail


@pytest.mark.parametrize(
    "status",
    ["submitted", "returned", "awaiting_decision", "in_work_programme", "sent_to_planning", "remediation", "rejected"],
)
def test_a_case_is_taken_over_at_any_status(walk: Walk, status: str) -> None:
    case = actions.register_existing(walk.session, BUDI, existing(status, reason="Alasan lama."))

    assert case.status == status
    assert queries.whole(walk.session, CITRA, case.number).case is case


def test_a_case_that_was_taken_over_goes_on_as_any_other(walk: Walk, office: Office) -> None:
    waiting = actions.register_existing(walk.session, None, existing("awaiting_decision"))
    budgeted = actions.register_existing(walk.session, None, existing("budgeted", fiscal_year=2026))
    live = actions.register_existing(walk.session, None, existing("live", live_on="2025-02-03"))

    actions.approve(walk.session, CITRA, waiting.id, office)
    walk.told(budgeted, ContractSigned, by=HADI)
    walk.told(live, TicketOpened)

    assert (waiting.status, budgeted.status, live.status) == ("approved", "in_development", "live")


def test_programme_numbers_go_on_after_those_taken_over(walk: Walk, office: Office) -> None:
    year = TODAY.year + 4
    actions.register_existing(
        walk.session,
        None,
        existing(
            "in_work_programme",
            fiscal_year=year,
            programme_number=f"{year}-APL-03",
            programme_activity="Arsip digital",
            estimated_amount=95_000_000,
        ),
    )

    entry = actions.enter_work_programme(walk.session, BUDI, walk.approved().id, office, fiscal_year=year)

    kept = walk.session.scalars(select(WorkProgrammeEntry.number).order_by(WorkProgrammeEntry.number)).all()
    assert entry.number == f"{year}-APL-04"
    assert kept == [f"{year}-APL-03", f"{year}-APL-04"]


def test_a_follow_up_is_taken_over_with_its_parent(walk: Walk) -> None:
    parent = actions.register_existing(walk.session, None, existing("live", live_on="2025-02-03"))

    child = actions.register_existing(
        walk.session, None, existing("submitted", parent_number=parent.number, is_from_app_head=True)
    )

    assert child.parent_case_id == parent.id
    assert queries.whole(walk.session, CITRA, parent.number).relatives[0].number == child.number


def test_an_unknown_status_or_parent_is_refused(walk: Walk) -> None:
    walk.refuses(Incomplete, actions.register_existing, BUDI, existing("half_done"))
    walk.refuses(Incomplete, actions.register_existing, BUDI, existing("live", parent_number="APL-1999-0001"))


@pytest.mark.parametrize("by", [ANI, CITRA, TONO], ids=lambda p: p.username)
def test_only_the_division_takes_over(walk: Walk, by: object) -> None:
    walk.refuses(NotAllowed, actions.register_existing, by, existing("live"))
