"""The budget plan (RAB): opened by the work programme, drafted, locked, revised (S02, F03)."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import Office
from services.budget.ledger import NewLine
from services.budget.model import IssuedPaper, PlanStatus
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale
from tests.budget import walk
from tests.people import ANI, BAYU, BUDI, CITRA, GITA, KIKI, LINA, ZULKIFLI


def test_a_case_in_the_work_programme_gets_an_empty_plan(session: Session) -> None:
    plan = walk.opened(session)

    assert (plan.status, plan.current.version, plan.current.lines) == (PlanStatus.DRAFT, 1, [])
    assert (plan.current.vat_percent, plan.current.vat_source) == (12, "PMK 131/2024")


def test_drafted_lines_replace_the_ones_before(session: Session) -> None:
    plan = walk.opened(session)
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)

    actions.draft_lines(session, BUDI, plan.id, lines=walk.LINES[:1])

    assert [line.amount for line in plan.current.lines] == [51_000_000]
    assert plan.current.total_amount == 56_610_000


def test_an_unknown_account_names_the_line(session: Session) -> None:
    plan = walk.opened(session)
    lines = [*walk.LINES, NewLine("999999", "Lain", 1, "paket", 1_000, True)]

    with pytest.raises(Incomplete) as refusal:
        actions.draft_lines(session, BAYU, plan.id, lines=lines)

    assert [error.pointer for error in refusal.value.errors] == ["/lines/2/account_code"]


def test_a_sum_beyond_any_budget_is_refused(session: Session) -> None:
    plan = walk.opened(session)
    lines = [NewLine("525113", "Jasa", 1_000_000, "paket", 10**12, True)]

    with pytest.raises(Incomplete, match="terlalu besar"):
        actions.draft_lines(session, BAYU, plan.id, lines=lines)


def test_a_change_on_a_stale_page_is_refused(session: Session) -> None:
    plan = walk.opened(session)
    seen = tag_of(plan.current.tag)
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES, seen=seen)

    with pytest.raises(Stale):
        actions.draft_lines(session, BUDI, plan.id, lines=walk.LINES[:1], seen=seen)


def test_a_plan_without_lines_cannot_be_locked(session: Session, office: Office) -> None:
    plan = walk.opened(session)

    with pytest.raises(Incomplete, match="belum ada rincian"):
        actions.lock(session, BUDI, plan.id, office=office)


def test_only_the_coordinator_locks(session: Session, office: Office) -> None:
    plan = walk.opened(session)
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)

    with pytest.raises(NotAllowed):
        actions.lock(session, BAYU, plan.id, office=office)


def test_a_locked_plan_is_a_paper_and_the_case_is_told(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)

    paper = session.get_one(IssuedPaper, plan.current.paper_id)
    with office.store.open(paper.digest, verify=True) as file:
        assert file.read(5) == b"%PDF-"
    assert (plan.status, paper.kind, plan.current.total_amount) == (PlanStatus.LOCKED, "rab", 58_810_000)
    assert walk.posted(session) == ["BudgetPlanLocked"]


def test_a_locked_plan_takes_no_lines(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)

    with pytest.raises(OutOfTurn):
        actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)


def test_the_database_keeps_a_locked_version(session: Session, office: Office) -> None:
    walk.locked(session, office)
    columns = "group_name, account_code, description, volume, unit, unit_price_amount, amount, taxable"
    behind = [
        "UPDATE plan_line SET unit_price_amount = 1, amount = volume",
        "DELETE FROM plan_line",
        f"INSERT INTO plan_line (id, created_at, version_id, no, {columns})"
        f" SELECT gen_random_uuid(), now(), version_id, 99, {columns} FROM plan_line LIMIT 1",
        "UPDATE plan_version SET reason = 'lain'",
        "UPDATE plan_version SET locked_at = NULL",
        "DELETE FROM plan_version",
    ]

    for statement in behind:
        with pytest.raises(IntegrityError, match="stay"), session.begin_nested():
            session.execute(text(statement))


def test_the_database_knows_the_sum_of_the_lines_at_locking(session: Session) -> None:
    plan = walk.opened(session)
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)
    wrong = (
        "UPDATE plan_version SET locked_at = now(), subtotal_amount = subtotal_amount + 1,"
        " total_before_rounding_amount = total_before_rounding_amount + 1, total_amount = total_amount + 1"
    )

    with pytest.raises(IntegrityError, match="not those of its lines"):
        session.execute(text(wrong))


def test_the_head_asks_for_a_revision_and_the_old_version_stays(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)

    actions.reopen(session, CITRA, plan.id, reason="Kurangi konsumsi rapat.")

    assert [(v.version, v.total_amount, bool(v.locked_at)) for v in plan.versions] == [
        (1, 58_810_000, True),
        (2, 58_810_000, False),
    ]
    assert walk.posted(session)[-1] == "BudgetPlanReopened"


def test_a_revised_plan_can_be_locked_again(session: Session, office: Office) -> None:
    plan = walk.locked(session, office)
    actions.reopen(session, CITRA, plan.id, reason="Kurangi konsumsi rapat.")
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES[:1])

    actions.lock(session, BUDI, plan.id, office=office)

    assert (plan.current.version, plan.current.total_amount) == (2, 56_610_000)


def test_other_units_vendors_and_users_do_not_know_of_a_plan(session: Session) -> None:
    plan = walk.opened(session, unit="BPEG")

    assert queries.plan(session, ANI, plan.id) is plan
    for stranger in (ZULKIFLI, KIKI, LINA):
        assert plan not in queries.plans(session, stranger)
        with pytest.raises(NotFound):
            queries.plan(session, stranger, plan.id)


def test_the_acts_that_are_offered_are_the_acts_that_are_in_turn(session: Session, office: Office) -> None:
    plan = walk.opened(session)
    empty = [act.name for act in queries.offered(BUDI, plan)]
    actions.draft_lines(session, BAYU, plan.id, lines=walk.LINES)
    drafting = [act.name for act in queries.offered(BUDI, plan)]
    actions.lock(session, BUDI, plan.id, office=office)

    assert (empty, drafting) == (["draft_lines"], ["draft_lines", "lock"])
    assert [act.name for act in queries.offered(BUDI, plan)] == []
    assert [act.name for act in queries.offered(CITRA, plan)] == ["reopen"]


def test_the_planning_section_keeps_the_accounts(session: Session) -> None:
    actions.record_account(session, GITA, code="525119", name="Belanja Lainnya", kind="52")

    assert "525119" in [account.code for account in queries.accounts(session)]
    with pytest.raises(NotAllowed):
        actions.record_account(session, BUDI, code="525120", name="Lain", kind="52")
