"""Conveying the plan to the planning section, and its answers (S04)."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import Office
from services.budget.model import ConveyanceStatus, IssuedPaper, PlanStatus
from shared import mailbox
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person, Role
from tests.budget import walk
from tests.people import BUDI, CITRA, DEWI, GITA, LINA

BOTH = Person.model_validate(
    {**BUDI.model_dump(), "roles": {Role.APP_HEAD, Role.SERVICE_HEAD}, "acting_for": "Plt. Kepala Divisi Layanan"}
)
"""Budi, who also acts for the head of the service division."""


def test_nothing_is_conveyed_before_the_meetings_have_concluded(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)

    with pytest.raises(OutOfTurn, match="notulen"):
        actions.convey(session, BUDI, plan.id)


def test_nothing_is_conveyed_before_the_plan_is_locked(session: Session) -> None:
    plan = walk.opened(session)
    actions.note_meetings(session, walk.concluded(plan))

    with pytest.raises(OutOfTurn):
        actions.convey(session, BUDI, plan.id)


def test_two_signatures_an_approval_and_a_letter_make_a_conveyance(session: Session, office: Office) -> None:
    conveyance = walk.sent(session, office)

    letter = session.get_one(IssuedPaper, conveyance.letter_id)
    assert conveyance.status == ConveyanceStatus.SENT
    assert conveyance.plan.status == PlanStatus.SENT
    assert conveyance.letter_number.startswith("B-0001/Un.99/PUSTIPD/TI.01/")
    assert office.store.has(letter.digest)
    assert walk.posted(session) == ["BudgetPlanLocked", "PlanConveyed"]


def test_the_head_does_not_approve_before_both_have_signed(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)
    actions.note_meetings(session, walk.concluded(plan))
    conveyance = actions.convey(session, BUDI, plan.id)
    actions.sign_off(session, DEWI, conveyance.id)

    with pytest.raises(OutOfTurn, match="belum ditandatangani"):
        actions.approve_conveyance(session, CITRA, conveyance.id, office=office)


def test_one_person_with_two_posts_signs_only_once(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)
    actions.note_meetings(session, walk.concluded(plan))
    conveyance = actions.convey(session, BUDI, plan.id)
    actions.sign_off(session, BOTH, conveyance.id)

    with pytest.raises(NotAllowed, match="dua orang"):
        actions.sign_off(session, BOTH, conveyance.id)


def test_a_division_signs_once(session: Session, office: Office) -> None:
    conveyance = walk.prepared(session, office)

    with pytest.raises(OutOfTurn):
        actions.sign_off(session, DEWI, conveyance.id)


def test_whoever_signed_does_not_approve(session: Session, office: Office) -> None:
    conveyance = walk.prepared(session, office)
    acting = Person.model_validate({**DEWI.model_dump(), "roles": {Role.SERVICE_HEAD, Role.HEAD}})

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.approve_conveyance(session, acting, conveyance.id, office=office)


def test_a_deputy_approves_as_the_acting_head_and_every_letter_says_so(session: Session, office: Office) -> None:
    conveyance = walk.prepared(session, office)
    deputy = LINA.model_copy(update={"roles": LINA.roles | {Role.HEAD}, "acting": {Role.HEAD: "Plh. Kepala PUSTIPD"}})

    actions.approve_conveyance(session, deputy, conveyance.id, office=office)

    told = session.execute(select(mailbox.outbox.c.kind, mailbox.outbox.c.actor)).all()
    approved = [actor for kind, actor in told if kind == "PlanConveyed"]
    assert approved and all('"as":"Plh. Kepala PUSTIPD"' in actor for actor in approved)


def test_a_withheld_plan_goes_back_and_can_be_conveyed_again(session: Session, office: Office) -> None:
    first = walk.prepared(session, office)

    actions.withhold(session, CITRA, first.id, reason="Tunggu harga pembanding.")
    again = actions.convey(session, BUDI, first.plan_id)

    assert (first.status, first.reason) == (ConveyanceStatus.WITHHELD, "Tunggu harga pembanding.")
    assert walk.posted(session)[-1] == "ConveyanceWithheld"
    assert (again.round, again.plan.status) == (2, PlanStatus.CONVEYING)


def test_a_ceiling_is_set_by_account(session: Session, office: Office) -> None:
    ceiling = walk.budgeted(session, office)

    assert (ceiling.amount, ceiling.committed_amount, ceiling.left_amount) == (60_000_000, 0, 60_000_000)
    assert ceiling.plan.status == PlanStatus.BUDGETED
    assert walk.posted(session)[-1] == "CeilingSet"
    assert [(e.kind, e.account_code, e.amount) for e in queries.ledger_of(session, ceiling.id)] == [
        ("ceiling", "525113", 60_000_000)
    ]


def test_whoever_locked_the_plan_does_not_set_its_ceiling(session: Session, office: Office) -> None:
    conveyance = walk.sent(session, office)
    both = Person.model_validate({**BUDI.model_dump(), "roles": {Role.APP_HEAD, Role.PLANNING}})

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        _set(session, both, conveyance.id, office, amount=60_000_000)


@pytest.mark.parametrize(
    ("amount", "accounts"),
    [(0, {}), (0, {"525113": 0}), (60_000_000, {"525113": 50_000_000}), (60_000_000, {"999999": 60_000_000})],
)
def test_a_ceiling_is_above_zero_and_the_sum_of_known_accounts(
    session: Session, office: Office, amount: int, accounts: dict[str, int]
) -> None:
    conveyance = walk.sent(session, office)

    with pytest.raises(Incomplete):
        _set(session, GITA, conveyance.id, office, amount=amount, accounts=accounts)


def test_planning_returns_a_plan_with_its_reason(session: Session, office: Office) -> None:
    conveyance = walk.sent(session, office)

    actions.return_plan(session, GITA, conveyance.id, reason="Kode akun perlu diperiksa.")

    assert (conveyance.status, conveyance.plan.status) == (ConveyanceStatus.RETURNED, PlanStatus.LOCKED)
    assert walk.posted(session)[-1] == "PlanReturned"
    assert actions.convey(session, BUDI, conveyance.plan_id).round == 2


def test_a_deferred_plan_comes_back_in_a_later_year_as_a_new_version(session: Session, office: Office) -> None:
    conveyance = walk.sent(session, office)
    plan = conveyance.plan
    actions.defer_plan(session, GITA, conveyance.id, reason="Anggaran tahun ini habis.")
    while_deferred = plan.status

    actions.open_plan(session, walk.entered(plan.case_id, fiscal_year=2027))

    assert while_deferred == PlanStatus.DEFERRED
    assert (plan.status, plan.fiscal_year, plan.current.version) == (PlanStatus.DRAFT, 2027, 2)
    assert [line.amount for line in plan.current.lines] == [51_000_000, 2_200_000]
    assert plan.meetings_concluded_at is None


def test_an_answered_conveyance_takes_no_second_answer(session: Session, office: Office) -> None:
    conveyance = walk.sent(session, office)
    actions.return_plan(session, GITA, conveyance.id, reason="Kode akun perlu diperiksa.")

    with pytest.raises(OutOfTurn):
        _set(session, GITA, conveyance.id, office, amount=60_000_000)


def _set(
    session: Session,
    by: Person,
    conveyance_id: UUID,
    office: Office,
    *,
    amount: int,
    accounts: dict[str, int] | None = None,
) -> None:
    given = {"525113": amount} if accounts is None else accounts
    actions.set_ceiling(
        session,
        by,
        conveyance_id,
        amount=amount,
        accounts=given,
        fund_source="PNBP BLU",
        office=office,
    )
