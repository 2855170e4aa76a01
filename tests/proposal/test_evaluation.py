"""S10, S11: figures with their sources, a report that a weekly meeting hears, a decision, and a child case."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    Case,
    Evaluation,
    EvaluationStatus,
    Office,
    Outcome,
    Paper,
    Proposal,
    RegisteredApplication,
)
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person, Role
from shared.messages import Figure, FiguresGathered
from tests.papers import known
from tests.people import ANI, BAYU, BUDI, CITRA, DINA, SARI
from tests.proposal.walk import TODAY, Walk, letter_of

REPORT = {"obstacles": ["Beban tinggi"], "advice": ["Uji beban"], "advises": "continue"}


def test_an_evaluation_asks_every_division_for_its_figures(walk: Walk) -> None:
    evaluation = walk.opened()

    told = walk.posted("EvaluationOpened")
    assert len(told) == 4
    assert {body["evaluation_id"] for body in told} == {str(evaluation.id)}
    assert evaluation.missing == ["deploy", "security", "helpdesk", "budget"]


def test_only_a_live_application_is_evaluated_and_once_at_a_time(walk: Walk, office: Office) -> None:
    period = {"from_on": TODAY - timedelta(days=30), "until_on": TODAY}
    evaluation = walk.opened()

    walk.refuses(OutOfTurn, actions.open_evaluation, BUDI, walk.installed().id, office, **period)
    walk.refuses(OutOfTurn, actions.open_evaluation, BUDI, evaluation.case_id, office, **period)
    walk.refuses(NotAllowed, actions.open_evaluation, ANI, evaluation.case_id, office, **period)


@pytest.mark.parametrize(("begin", "end"), [(0, -1), (-10, 1)], ids=["ends before it begins", "ends tomorrow"])
def test_a_period_that_cannot_be_is_refused(walk: Walk, office: Office, begin: int, end: int) -> None:
    case = walk.live()

    refusal = walk.refuses(
        Incomplete,
        actions.open_evaluation,
        BUDI,
        case.id,
        office,
        from_on=TODAY + timedelta(days=begin),
        until_on=TODAY + timedelta(days=end),
    )

    assert refusal.errors[0].pointer == "/until_on"


def test_each_figure_is_kept_with_its_source(walk: Walk) -> None:
    evaluation = walk.opened()

    walk.figures(
        evaluation,
        "helpdesk",
        Figure(key="tickets_total", label="Tiket masuk", value=214, unit="tiket", source="Tiket Divisi Layanan"),
        Figure(key="median", label="Median", value=9.5, unit="jam", source="Tiket Divisi Layanan"),
    )

    assert [(f.key, f.value, f.unit, f.source) for f in evaluation.figures] == [
        ("tickets_total", 214, "tiket", "Tiket Divisi Layanan"),
        ("median", 9.5, "jam", "Tiket Divisi Layanan"),
    ]
    assert evaluation.missing == ["deploy", "security", "budget"]


def test_figures_sent_again_replace_the_earlier(walk: Walk) -> None:
    evaluation = walk.opened()
    for value in (1, 2):
        walk.figures(evaluation, "budget", Figure(key="cost", label="Biaya", value=value, unit="rupiah", source="Buku"))

    assert [(figure.key, figure.value) for figure in evaluation.figures] == [("cost", 2)]


def test_a_division_without_figures_has_answered_too(walk: Walk) -> None:
    evaluation = walk.opened()
    message = FiguresGathered(
        case_id=evaluation.case_id,
        case_number=evaluation.case.number,
        evaluation_id=evaluation.id,
        division="security",
        figures=(),
    )

    actions.note(walk.session, message, letter_of(message))

    assert "security" not in evaluation.missing


def test_a_report_waits_for_the_figures_or_says_what_lacks(walk: Walk, office: Office) -> None:
    evaluation = walk.opened()
    walk.figures(evaluation, "deploy")

    refusal = walk.refuses(OutOfTurn, actions.report_evaluation, BUDI, evaluation.id, office, **REPORT)
    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **REPORT, without_missing=True)

    assert "Divisi Monitoring dan Security" in refusal.detail
    assert evaluation.status == EvaluationStatus.REPORTED


def test_a_report_is_a_paper_in_the_trace(walk: Walk, office: Office) -> None:
    evaluation = walk.reported()

    entry = walk.trace(evaluation.case)[-1]
    paper = walk.session.scalars(select(Paper).where(Paper.trace_entry_id == entry.id)).one()
    assert (paper.kind, paper.number, paper.digest) == (
        "laporan_evaluasi",
        evaluation.number,
        evaluation.report_digest,
    )
    assert office.store.path(paper.digest).read_bytes().startswith(b"%PDF-")


def test_a_report_is_presented_in_a_weekly_meeting_only(walk: Walk) -> None:
    evaluation = walk.reported()
    annual = walk.meeting("annual")

    walk.refuses(
        Incomplete,
        actions.record_item,
        BAYU,
        annual.id,
        evaluation_id=evaluation.id,
        discussion="Didengar.",
        decision=Outcome.CONTINUE,
    )


def test_a_report_that_is_not_written_cannot_be_presented(walk: Walk) -> None:
    evaluation = walk.gathered()

    with pytest.raises(OutOfTurn):
        walk.heard(evaluation)


def test_the_head_decides_after_the_meeting_heard_it(walk: Walk) -> None:
    evaluation = walk.reported()

    walk.refuses(OutOfTurn, actions.decide_evaluation, CITRA, evaluation.id, decision="continue")
    meeting = walk.heard(evaluation)
    actions.decide_evaluation(walk.session, CITRA, evaluation.id, decision="continue")

    assert (evaluation.status, evaluation.decision) == (EvaluationStatus.DECIDED, "continue")
    assert (evaluation.meeting_id, evaluation.presented_on) == (meeting.id, TODAY)
    assert evaluation.case.status == "live"


@pytest.mark.parametrize("by", [BUDI, BAYU, ANI], ids=lambda p: p.username)
def test_nobody_else_decides_an_evaluation(walk: Walk, by: Person) -> None:
    evaluation = walk.reported()
    walk.heard(evaluation)

    walk.refuses(NotAllowed, actions.decide_evaluation, by, evaluation.id, decision="continue")


def test_who_wrote_the_report_does_not_decide_on_it(walk: Walk) -> None:
    acting = BUDI.model_copy(update={"roles": frozenset({Role.APP_HEAD, Role.HEAD})})
    evaluation = walk.reported(by=acting)
    walk.heard(evaluation)

    walk.refuses(NotAllowed, actions.decide_evaluation, acting, evaluation.id, decision="continue")


@pytest.mark.parametrize("decision", ["return", "retire"])
def test_returning_and_retiring_need_a_reason(walk: Walk, decision: str) -> None:
    evaluation = walk.reported()
    walk.heard(evaluation)

    walk.refuses(Incomplete, actions.decide_evaluation, CITRA, evaluation.id, decision=decision)


def test_a_returned_report_is_written_and_presented_again(walk: Walk, office: Office) -> None:
    evaluation = walk.decided("return", "Angka kepuasan belum dibahas.")
    returned = evaluation.status

    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **REPORT)
    walk.heard(evaluation)
    actions.decide_evaluation(walk.session, CITRA, evaluation.id, decision="continue")

    assert returned == EvaluationStatus.RETURNED
    assert (evaluation.status, evaluation.report_version) == (EvaluationStatus.DECIDED, 2)


def test_retiring_ends_the_case_and_keeps_the_register(walk: Walk) -> None:
    evaluation = walk.decided("retire", "Fungsi sudah ada pada sistem lain.")

    entry = walk.session.scalars(select(RegisteredApplication)).one()
    assert evaluation.case.status == "retired"
    assert (entry.state, entry.ended_at is not None) == ("retired", True)
    told = walk.posted("ApplicationRetired")
    assert [one["note"] for one in told] == ["Fungsi sudah ada pada sistem lain."] * 4


def test_a_follow_up_is_a_submitted_case_with_its_parent(walk: Walk, office: Office) -> None:
    evaluation = walk.decided()

    case = actions.follow_up(walk.session, BUDI, evaluation.id, office)

    proposal = walk.session.get_one(Proposal, case.id)
    assert (case.status, case.kind) == ("submitted", "further_development")
    assert (case.parent_case_id, case.evaluation_id) == (evaluation.case_id, evaluation.id)
    assert (case.unit, case.is_from_app_head) == (evaluation.case.unit, True)
    assert "Pembayaran masih manual" in proposal.background
    assert "akun virtual" in case.purpose
    assert evaluation.follow_up_case_id == case.id
    assert case.number in walk.trace(evaluation.case)[-1].says
    assert walk.trace(case)[-1].move == "submit"


def test_a_follow_up_is_then_accepted_by_the_head(walk: Walk, office: Office) -> None:
    case = actions.follow_up(walk.session, BUDI, walk.decided().id, office)

    walk.refuses(NotAllowed, actions.accept, BUDI, case.id, office)
    assert queries.offered(CITRA, case)[0] is ACTS.accept_from_app_head
    actions.accept(walk.session, CITRA, case.id, office)

    assert case.status == "under_analysis"


def test_a_follow_up_comes_once_by_the_app_head_and_only_when_decided(walk: Walk, office: Office) -> None:
    evaluation = walk.decided()

    walk.refuses(NotAllowed, actions.follow_up, BAYU, evaluation.id, office)
    actions.follow_up(walk.session, BUDI, evaluation.id, office)

    walk.refuses(OutOfTurn, actions.follow_up, BUDI, evaluation.id, office)


def test_no_follow_up_without_the_heads_word(walk: Walk, office: Office) -> None:
    walk.refuses(OutOfTurn, actions.follow_up, BUDI, walk.decided("continue").id, office)


def test_an_evaluation_can_be_opened_again_after_a_decision(walk: Walk) -> None:
    first = walk.decided("continue")

    second = walk.opened(first.case)

    assert second.number != first.number


def test_offers_follow_the_evaluation(walk: Walk) -> None:
    evaluation = walk.gathered()

    assert [act.name for act in queries.offered_in_evaluation(BUDI, evaluation)] == ["report_evaluation"]
    assert queries.offered_in_evaluation(CITRA, evaluation) == []
    assert queries.offered_in_evaluation(DINA, evaluation) == []


def test_every_paper_printed_on_the_way_can_be_checked_by_its_code(walk: Walk, office: Office) -> None:
    walk.discussed()
    walk.decided()

    papers = known(walk.session, office.store)

    assert {digest for digest, paper in papers.items() if paper is None or paper.digest != digest} == set()
    printed = {paper.kind for paper in papers.values() if paper}
    assert {"surat_usulan", "lembar_disposisi", "analisis_kebutuhan", "entri_proker", "kak"} <= printed
    assert {"notulen_rapat_mingguan", "laporan_evaluasi"} <= printed
    slips = [paper for paper in papers.values() if paper and paper.kind == "lembar_disposisi"]
    assert len(slips) > 1 and sum(slip.withdrawn_at is None for slip in slips) == 1


# --- promised and actual ------------------------------------------------------------------------------------

PROMISED = "Rekap tepat waktu"


def judged(**changed: str) -> dict[str, Any]:
    """Return a report that judges the promised indicator."""
    row = {"name": PROMISED, "actual": "hari kerja ke-5", "source": "Rekap Oktober", "result": "not_reached"}
    return {**REPORT, "actuals": [{**row, **changed}]}


def test_the_report_compares_what_was_promised_with_what_became_of_it(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    before = queries.promised(walk.session, evaluation)

    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **judged())

    after = queries.promised(walk.session, evaluation)
    assert [(one.name, one.target, one.label) for one in before] == [(PROMISED, "hari kerja pertama", "Belum dinilai")]
    assert [(one.actual, one.source, one.label) for one in after] == [
        ("hari kerja ke-5", "Rekap Oktober", "Belum tercapai")
    ]


def test_a_figure_answers_an_indicator_with_its_own_source(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    given = judged(actual="", source="", figure="angka DEPLOY", result="reached")

    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **given)

    assert evaluation.actuals == [
        {"name": PROMISED, "actual": "99,4 %", "source": "Catatan deploy", "result": "reached"}
    ]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": "Tidak dijanjikan"}, "/actuals/0/name"),
        ({"source": ""}, "/actuals/0/source"),
        ({"actual": "", "source": ""}, "/actuals/0/actual"),
        ({"result": ""}, "/actuals/0/result"),
        ({"figure": "tidak ada"}, "/actuals/0/figure"),
    ],
)
def test_a_judgement_without_ground_is_refused(
    walk: Walk, office: Office, changed: dict[str, str], pointer: str
) -> None:
    evaluation = walk.gathered()

    refusal = walk.refuses(Incomplete, actions.report_evaluation, BUDI, evaluation.id, office, **judged(**changed))

    assert [error.pointer for error in refusal.errors] == [pointer]


def test_the_follow_up_takes_over_what_was_not_reached(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **judged() | {"advises": "retire"})
    walk.heard(evaluation)
    actions.decide_evaluation(walk.session, CITRA, evaluation.id, decision="further_development")

    content = actions.prefilled(walk.session, evaluation)

    assert [one.name for one in content.indicators] == [PROMISED]
    assert f"{PROMISED} (belum tercapai: hari kerja ke-5)" in content.background
    assert evaluation.case.number in content.earlier_application


def test_what_was_reached_is_not_promised_again(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **judged(result="reached"))

    assert actions.prefilled(walk.session, evaluation).indicators == []


def test_a_retired_application_gets_its_shut_down_proposal_in_one_act(walk: Walk, office: Office) -> None:
    evaluation = walk.decided("retire", "Fungsi sudah ada pada sistem lain.")

    assert ACTS.follow_up in queries.offered_in_evaluation(BUDI, evaluation)
    case = actions.follow_up(walk.session, BUDI, evaluation.id, office)

    assert (case.kind, case.status, case.parent_case_id) == ("shut_down", "submitted", evaluation.case_id)
    assert case.name.startswith("Penghentian ")


def test_figures_that_come_after_the_report_do_not_change_it(walk: Walk) -> None:
    evaluation = walk.reported()
    before = [(figure.key, figure.value) for figure in evaluation.figures]

    walk.figures(evaluation, "deploy", Figure(key="late", label="Terlambat", value=1, unit="", source="x"))

    assert [(figure.key, figure.value) for figure in evaluation.figures] == before


# --- asking, and the yearly timetable -----------------------------------------------------------------------


def test_figures_that_do_not_come_are_asked_for_again(walk: Walk) -> None:
    evaluation = walk.opened()
    walk.figures(evaluation, "deploy")
    asked = evaluation.asked_at

    actions.ask_again(walk.session, BUDI, evaluation.id)

    assert len(walk.posted("EvaluationOpened")) == 8
    assert asked and evaluation.asked_at and evaluation.asked_at > asked
    walk.refuses(NotAllowed, actions.ask_again, ANI, evaluation.id)


def test_nothing_is_asked_again_when_nothing_lacks(walk: Walk) -> None:
    walk.refuses(OutOfTurn, actions.ask_again, BUDI, walk.gathered().id)


def lived(walk: Walk, days: int) -> Case:
    """Return an application that has been in use for so many days."""
    case = walk.live()
    case.live_at = utc_now() - timedelta(days=days)
    walk.session.flush()
    return case


def test_the_timetable_opens_the_evaluation_of_a_year_once(walk: Walk, office: Office) -> None:
    old, young = lived(walk, 400), lived(walk, 200)

    first = actions.open_due(walk.session, office, months=12)
    again = actions.open_due(walk.session, office, months=12)

    opened = walk.session.scalars(select(Evaluation)).all()
    assert (first, again) == (1, 0)
    assert [(one.case_id, one.opened_by_id, one.until_on) for one in opened] == [(old.id, None, TODAY)]
    assert walk.trace(old)[-1].person_name == "Alur"
    assert walk.trace(young)[-1].kind != "open_evaluation"


def test_what_was_evaluated_within_the_year_waits(walk: Walk, office: Office) -> None:
    evaluation = walk.decided("continue")
    evaluation.case.live_at = utc_now() - timedelta(days=900)
    walk.session.flush()

    assert actions.open_due(walk.session, office, months=12) == 0
    evaluation.created_at = utc_now() - timedelta(days=400)
    walk.session.flush()
    assert [case.id for case in queries.stale(walk.session, BUDI, months=12)] == [evaluation.case_id]
    assert actions.open_due(walk.session, office, months=12) == 1


def test_the_list_of_evaluations_is_for_the_centre_and_the_auditor(walk: Walk) -> None:
    evaluation = walk.decided("continue")

    assert [one.id for one in queries.evaluations(walk.session, SARI)] == [evaluation.id]
    with pytest.raises(NotAllowed):
        queries.evaluations(walk.session, ANI)
    with pytest.raises(NotAllowed):
        queries.stale(walk.session, ANI, months=12)
