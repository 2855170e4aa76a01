"""S02, F02, S03: the work programme with its years, the terms of reference, and what ends the meetings."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import Office, Paper, Terms, TermsOfReference
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.messages import BudgetPlanLocked, BudgetPlanReopened, PlanConveyed, PlanReturned
from tests.people import ANI, BAYU, BUDI, CITRA
from tests.proposal.walk import TERMS, TODAY, Walk

SEPTEMBER = (9, 30)


@pytest.mark.parametrize(
    ("approved", "override", "year"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), False, 2027),
        (datetime(2026, 9, 30, 16, 59, tzinfo=UTC), False, 2027),
        (datetime(2026, 9, 30, 17, 0, tzinfo=UTC), False, 2028),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), False, 2028),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), False, 2028),
        (datetime(2026, 11, 22, tzinfo=UTC), True, 2027),
    ],
    ids=["March", "last evening", "first minute of October here", "New Year's Eve", "New Year here", "override"],
)
def test_an_approval_after_the_cut_off_goes_to_the_year_after_next(
    approved: datetime, override: bool, year: int
) -> None:
    assert actions.earliest_year(approved, cut_off=SEPTEMBER, is_overridden=override) == year


def test_the_year_of_approval_itself_is_refused(walk: Walk, office: Office) -> None:
    case = walk.approved()

    refusal = walk.refuses(Incomplete, actions.enter_work_programme, BUDI, case.id, office, fiscal_year=TODAY.year)

    assert refusal.errors[0].pointer == "/fiscal_year"
    assert case.status == "approved"


def test_an_override_needs_words_and_opens_the_coming_year(walk: Walk, office: Office) -> None:
    case = walk.recommended()

    walk.refuses(Incomplete, actions.approve, CITRA, case.id, office, override_cut_off=True)
    actions.approve(walk.session, CITRA, case.id, office, words="Temuan pemeriksaan.", override_cut_off=True)
    entry = actions.enter_work_programme(walk.session, BUDI, case.id, office, fiscal_year=TODAY.year + 1)

    assert entry.fiscal_year == TODAY.year + 1


def test_entries_are_numbered_within_their_year_and_told_to_the_budget(walk: Walk, office: Office) -> None:
    first, second = walk.approved(), walk.approved()
    year = TODAY.year + 3

    numbers = [
        actions.enter_work_programme(
            walk.session, BUDI, case.id, office, fiscal_year=year, estimated_amount=136_000_000
        ).number
        for case in (first, second)
    ]

    told = walk.posted("WorkProgrammeEntered")
    assert numbers == [f"{year}-APL-01", f"{year}-APL-02"]
    assert [body["fiscal_year"] for body in told] == [year, year]
    assert told[0]["application"]["code"] == first.code
    assert told[0]["estimated_amount"] == 136_000_000


def test_only_the_app_head_enters_and_only_what_is_approved(walk: Walk, office: Office) -> None:
    approved, waiting = walk.approved(), walk.recommended()

    walk.refuses(NotAllowed, actions.enter_work_programme, CITRA, approved.id, office)
    walk.refuses(OutOfTurn, actions.enter_work_programme, BUDI, waiting.id, office)


def test_a_deferred_case_enters_a_later_year_and_the_budget_is_told(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    year = case.fiscal_year
    assert year

    actions.defer(walk.session, CITRA, case.id, office, reason="Menunggu ruang penyimpanan.")
    refusal = walk.refuses(Incomplete, actions.enter_work_programme, BUDI, case.id, office, fiscal_year=year)
    entry = actions.enter_work_programme(walk.session, BUDI, case.id, office)

    halted = walk.posted("CaseHalted")
    assert refusal.code == "fiscal_year_too_early"
    assert (entry.fiscal_year, case.status) == (year + 1, "in_work_programme")
    assert [(body["status"], body["note"]) for body in halted] == [("deferred", "Menunggu ruang penyimpanan.")]


def test_a_case_cancelled_before_the_programme_is_not_told_to_the_budget(walk: Walk, office: Office) -> None:
    case = walk.approved()

    actions.cancel(walk.session, ANI, case.id, office, reason="Tidak lagi diperlukan.")

    assert walk.posted("CaseHalted") == []


def test_terms_of_reference_keep_every_version(walk: Walk, office: Office) -> None:
    case = walk.programmed()

    actions.write_terms(walk.session, BAYU, case.id, office, TERMS)
    actions.write_terms(walk.session, BUDI, case.id, office, TERMS.model_copy(update={"purpose": "Tepat dan cepat."}))

    kept = walk.session.scalars(select(TermsOfReference).order_by(TermsOfReference.version)).all()
    papers = walk.session.scalars(select(Paper).where(Paper.kind == "kak")).all()
    assert [(one.version, one.sections["purpose"]) for one in kept] == [
        (1, TERMS.purpose),
        (2, "Tepat dan cepat."),
    ]
    assert {paper.digest for paper in papers} == {one.paper_digest for one in kept}


def test_terms_are_written_between_programme_and_planning(walk: Walk, office: Office) -> None:
    early, late = walk.approved(), walk.discussed()
    walk.told(late, PlanConveyed)

    walk.refuses(OutOfTurn, actions.write_terms, BAYU, early.id, office, TERMS)
    walk.refuses(OutOfTurn, actions.write_terms, BAYU, late.id, office, TERMS)
    walk.refuses(NotAllowed, actions.write_terms, ANI, walk.programmed().id, office, TERMS)


def test_terms_need_a_background() -> None:
    with pytest.raises(ValueError, match="background"):
        Terms(background="", purpose="Menyediakan presensi.")


def test_the_meetings_are_concluded_when_everything_stands(walk: Walk) -> None:
    case = walk.ready()

    actions.conclude(walk.session, BUDI, case.id)

    told = walk.posted("MeetingsConcluded")
    terms = queries.newest_terms(walk.session, case.id)
    assert case.status == "discussed"
    assert len(told[0]["minutes"]) == 2
    assert terms
    assert told[0]["terms_of_reference_digest"] == terms.paper_digest


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("weekly", "rapat rutin mingguan"),
        ("annual", "rapat kerja tahunan"),
        ("terms", "KAK"),
        ("plan", "RAB"),
    ],
)
def test_the_meetings_are_not_concluded_while_something_lacks(
    walk: Walk, office: Office, lacking: str, words: str
) -> None:
    case = walk.programmed()
    if lacking != "terms":
        actions.write_terms(walk.session, BAYU, case.id, office, TERMS)
    for kind in ("weekly", "annual"):
        if lacking != kind:
            walk.minuted(case, kind)
    if lacking != "plan":
        walk.told(case, BudgetPlanLocked)

    refusal = walk.refuses(Incomplete, actions.conclude, BUDI, case.id)

    ready = queries.readiness(walk.session, case)
    assert words in refusal.detail
    assert len(ready.lacking) == 1
    assert ACTS.conclude not in queries.offered(BUDI, case, ready)
    assert case.status == "in_work_programme"


def test_a_reopened_plan_is_not_locked(walk: Walk) -> None:
    case = walk.ready()

    walk.told(case, BudgetPlanReopened)

    walk.refuses(Incomplete, actions.conclude, BUDI, case.id)


def test_newer_minutes_that_ask_for_revision_count(walk: Walk) -> None:
    case = walk.ready()
    walk.minuted(case, "weekly", decision="revise")

    refusal = walk.refuses(Incomplete, actions.conclude, BUDI, case.id)
    walk.minuted(case, "weekly")

    assert "belum memutuskan" in refusal.detail
    assert actions.conclude(walk.session, BUDI, case.id).status == "discussed"


def test_open_minutes_do_not_count(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    walk.item(walk.meeting("weekly"), case)

    ready = queries.readiness(walk.session, case)

    assert ready.minutes == ()


def test_last_years_minutes_do_not_count_after_a_deferral(walk: Walk, office: Office) -> None:
    case = walk.ready()
    actions.defer(walk.session, CITRA, case.id, office, reason="Menunggu anggaran.")
    actions.enter_work_programme(walk.session, BUDI, case.id, office)

    ready = queries.readiness(walk.session, case)

    assert len([words for words in ready.lacking if "notulen" in words]) == 2


def test_only_the_app_head_concludes(walk: Walk) -> None:
    case = walk.ready()

    walk.refuses(NotAllowed, actions.conclude, CITRA, case.id)
    walk.refuses(NotAllowed, actions.conclude, BAYU, case.id)


def test_a_plan_returned_by_planning_is_discussed_again(walk: Walk) -> None:
    case = walk.discussed()
    walk.told(case, PlanConveyed)

    entry = walk.told(case, PlanReturned, note="RAB belum memuat PPN.")

    assert (case.status, case.status_reason) == ("discussed", "RAB belum memuat PPN.")
    assert (entry.move, entry.note) == ("return", "RAB belum memuat PPN.")
