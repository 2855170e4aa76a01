"""What the division does about letters: once, in order, and what waits while a case waits (S02, S03, F04, S07, S10)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.actions import Office
from services.budget.model import BudgetPlan, ConveyanceStatus, PlanStatus
from services.budget.settings import Settings
from services.budget.tasks import make_worker
from shared import mailbox
from shared.database import Database
from shared.errors import OutOfTurn
from shared.keys import Keys
from shared.mailbox import Actor, Letter
from shared.messages import ApplicationRetired, CaseHalted, DefectReported, EvaluationOpened, every_message
from tests.budget import walk
from tests.people import BAYU, BUDI, CITRA, GITA, LINA


def test_the_worker_handles_every_letter_that_is_addressed_here(
    keys: Keys, database_of: Callable[[str], Database]
) -> None:
    database = database_of("budget")
    settings = Settings(database_url=database.url, keys_folder=keys.folder, files_folder=keys.folder)

    worker = make_worker(settings)

    assert set(worker.handlers) == {kind for kind, message in every_message().items() if "budget" in message.to}
    worker.database.close()


def test_a_letter_that_comes_twice_opens_one_plan(keys: Keys, database_of: Callable[[str], Database]) -> None:
    here, there = database_of("budget"), database_of("proposal")
    worker = make_worker(Settings(database_url=here.url, keys_folder=keys.folder, files_folder=keys.folder))
    with there.transaction() as session:
        mailbox.post(session, walk.entered(uuid4()))
    with there.transaction() as session:
        parcels = mailbox.take(session, source="proposal", keys=keys, room={"budget": 10})
    wires = [wire for parcel in parcels for wire in parcel.wires]

    outcomes = [worker.receive(wires)[0].result for _ in range(2)]

    with here.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM budget_plan")) == 1
    assert outcomes == ["done", "done"]
    worker.database.close()


def test_minutes_that_come_before_the_plan_are_refused_for_now(session: Session) -> None:
    plan = walk.opened(session)
    message = walk.concluded(plan).model_copy(update={"case_id": uuid4()})

    with pytest.raises(OutOfTurn):
        actions.note_meetings(session, message)


def test_a_retired_application_is_noted_once_and_what_is_owed_is_not_halted(session: Session) -> None:
    plan = walk.opened(session)
    message = ApplicationRetired(case_id=plan.case_id, case_number=plan.case_number)

    actions.note_retirement(session, message)
    first = plan.retired_at
    actions.note_retirement(session, message)
    actions.note_retirement(session, ApplicationRetired(case_id=uuid4(), case_number="APL-2020-0001"))

    assert first is not None
    assert (plan.retired_at, plan.halted_status) == (first, "")


def test_a_halted_case_makes_every_act_wait(session: Session, office: Office) -> None:
    conveyance = walk.prepared(session, office)
    plan = conveyance.plan

    actions.note_halt(session, _halt(plan, "deferred"))

    assert (plan.status, conveyance.status) == (PlanStatus.LOCKED, ConveyanceStatus.DROPPED)
    for act in (
        lambda: actions.convey(session, BUDI, plan.id),
        lambda: actions.reopen(session, CITRA, plan.id, reason="Kurangi konsumsi."),
        lambda: actions.approve_conveyance(session, CITRA, conveyance.id, office=office),
    ):
        with pytest.raises(OutOfTurn):
            act()


def test_a_ceiling_of_a_cancelled_case_takes_no_contract(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)
    walk.vendor(session)
    actions.note_halt(session, _halt(ceiling.plan, "cancelled"))

    with pytest.raises(OutOfTurn) as refusal:
        actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(), office=office)

    assert refusal.value.code == "case_halted"


def test_a_revision_asked_by_a_meeting_lets_the_plan_be_changed(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)
    actions.note_meetings(session, walk.concluded(plan))

    actions.note_halt(session, _halt(plan, "in_work_programme"))
    actions.reopen(session, CITRA, plan.id, reason="Hasil rapat mingguan.")
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES[:1])
    actions.lock(session, BUDI, plan.id, office=office)

    assert plan.current.version == 2
    with pytest.raises(OutOfTurn, match="notulen"):
        actions.convey(session, BUDI, plan.id)


def test_a_deferred_draft_takes_the_rate_of_its_new_year(session: Session) -> None:
    plan = walk.opened(session, fiscal_year=2024)
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)
    before = plan.current.vat_source
    actions.note_halt(session, _halt(plan, "deferred"))

    actions.open_plan(session, walk.entered(plan.case_id, fiscal_year=2026))

    assert (before, plan.current.vat_source, plan.current.version) == ("UU 7/2021 Pasal 4", "PMK 131/2024", 1)
    assert [line.amount for line in plan.current.lines] == [51_000_000, 2_200_000]
    assert plan.halted_status == ""


def test_news_of_a_case_without_a_plan_is_no_trouble(session: Session) -> None:
    halt = CaseHalted(case_id=uuid4(), case_number="PRK-1", status="cancelled")

    actions.note_halt(session, halt)
    actions.note_defect(session, DefectReported(case_id=uuid4(), case_number="PRK-2"))


def test_an_evaluation_gets_ceiling_contract_payments_and_absorption(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)

    actions.gather_figures(session, _evaluation(contract.plan.case_id), _letter())

    assert _figures(session) == {
        "ceiling_amount": 60_000_000,
        "contract_amount": 55_500_000,
        "paid_amount": 27_750_000,
        "absorption_percent": 46.25,
    }


def test_an_application_without_a_budget_answers_with_no_figures(session: Session) -> None:
    actions.gather_figures(session, _evaluation(uuid4()), _letter())

    assert _figures(session) == {}


def _halt(plan: BudgetPlan, status: str) -> CaseHalted:
    return CaseHalted(
        case_id=plan.case_id,
        case_number=plan.case_number,
        note="Menunggu kepastian.",
        status=status,
    )


def _evaluation(case_id: UUID) -> EvaluationOpened:
    return EvaluationOpened(
        case_id=case_id,
        case_number="PRK-1",
        evaluation_id=uuid4(),
        from_on=date(2026, 1, 1),
        until_on=date(2026, 6, 30),
    )


def _letter() -> Letter:
    return Letter(
        id=uuid4(),
        source="proposal",
        dest="budget",
        aggregate="case:1",
        version=1,
        kind="EvaluationOpened",
        schema_v=1,
        created_at=datetime.now(UTC),
        trace="jejak",
        actor=Actor(id=LINA.id, name=GITA.name, as_what="Bagian Perencanaan"),
        body={},
        digest="0" * 64,
        sent=1,
    )


def _figures(session: Session) -> dict[str, float]:
    body = session.scalar(text("SELECT body FROM msg.outbox WHERE kind = 'FiguresGathered'"))
    return {figure["key"]: figure["value"] for figure in orjson.loads(str(body))["figures"]}
