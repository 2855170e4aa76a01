"""f9: nine elements, one answer for each person, an index with its grade, and nobody's name."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from services.proposal import actions, queries
from services.proposal.model import ELEMENTS, Evaluation, Office, Survey, SurveyAnswer, SurveyLink, satisfaction
from services.proposal.schemas.survey import Answer
from services.proposal.settings import Grades
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.words import local_date
from tests.people import ANI, BUDI, CITRA, DINA, EDI, LINA, SARI
from tests.proposal.walk import Walk

REPORT: dict[str, Any] = {"obstacles": [], "advice": ["Lanjutkan"], "advises": "continue"}


def scores(score: int) -> dict[str, int]:
    """Return the same score for every element."""
    return dict.fromkeys(ELEMENTS, score)


def survey_of(walk: Walk, evaluation: Evaluation) -> Survey:
    """Return the survey that was opened with an evaluation."""
    found = queries.survey_of(walk.session, evaluation.id)
    assert found
    return found


def test_there_are_nine_elements_and_the_form_asks_for_each() -> None:
    assert len(ELEMENTS) == 9
    assert set(Answer.model_fields) == {*ELEMENTS, "comment"}


@pytest.mark.parametrize(
    ("mean", "index", "grade"),
    [(4, 100, "A"), (3.5324, 88.31, "A"), (3.53, 88.25, "B"), (3.0644, 76.61, "B"), (2.6, 65, "C"), (2.59, 64.75, "D")],
)
def test_the_index_is_the_mean_times_25_and_graded(mean: float, index: float, grade: str) -> None:
    told = satisfaction(9, [mean] * 9, Grades())

    assert (told.index, told.grade) == (index, grade)


def test_too_few_answers_show_no_result() -> None:
    assert not satisfaction(4, [4] * 9, Grades()).is_shown
    assert not satisfaction(0, [0] * 9, Grades(least=0)).is_shown
    assert satisfaction(5, [4] * 9, Grades()).is_shown


def test_each_person_answers_once_and_without_a_name(walk: Walk) -> None:
    found = survey_of(walk, walk.opened())

    actions.answer_survey(walk.session, found.id, by=LINA, scores=scores(3), comment="Cepat.")
    walk.session.flush()
    with pytest.raises(OutOfTurn), walk.session.begin_nested():
        actions.answer_survey(walk.session, found.id, by=LINA, scores=scores(4))

    assert [one.scores for one in walk.session.scalars(select(SurveyAnswer))] == [[3] * 9]
    assert queries.has_answered(walk.session, LINA, found)
    assert not queries.has_answered(walk.session, ANI, found)
    told = walk.session.execute(text("SELECT line FROM audit.entry WHERE act = 'answer_survey'")).scalars().all()
    kept = walk.session.execute(text("SELECT v::text || a::text FROM survey_voter v, survey_answer a")).scalars().all()
    assert len(told) == 1
    assert not any(str(LINA.id) in words or LINA.name in words for words in (*told, *kept))


def test_an_auditor_answers_nothing(walk: Walk) -> None:
    found = survey_of(walk, walk.opened())

    with pytest.raises(NotAllowed):
        actions.answer_survey(walk.session, found.id, by=SARI, scores=scores(4))


def test_the_result_becomes_figures_of_the_report(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    found = survey_of(walk, evaluation)
    for person, score in ((LINA, 4), (ANI, 3), (DINA, 4), (EDI, 3), (CITRA, 4)):
        actions.answer_survey(walk.session, found.id, by=person, scores=scores(score))

    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **REPORT)

    figures = {one.key: one for one in evaluation.figures if one.division == "proposal"}
    assert figures["survey_answers"].value == 5
    assert (figures["survey_index"].value, figures["survey_index"].label) == (90, "Indeks kepuasan (mutu A)")
    assert "Permenpan-RB Nomor 14 Tahun 2017" in figures["survey_index"].source
    assert {f"survey_{key}" for key in ELEMENTS} <= set(figures)


def test_few_answers_are_counted_in_the_report_and_nothing_more(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    found = survey_of(walk, evaluation)
    actions.answer_survey(walk.session, found.id, by=LINA, scores=scores(1))

    actions.report_evaluation(walk.session, BUDI, evaluation.id, replace(office, grades=Grades(least=2)), **REPORT)

    assert [one.key for one in evaluation.figures if one.division == "proposal"] == ["survey_answers"]


def test_a_survey_ends_with_the_report(walk: Walk) -> None:
    found = survey_of(walk, walk.reported())

    with pytest.raises(OutOfTurn):
        actions.answer_survey(walk.session, found.id, by=LINA, scores=scores(4))


# --- Without an account --------------------------------------------------------------------------------------------


def link_of(walk: Walk, days: int = 7) -> SurveyLink:
    """Return the public link of a survey that was just opened."""
    found = survey_of(walk, walk.opened())
    return actions.open_survey_link(walk.session, BUDI, found.id, until_on=today() + timedelta(days=days))


def today() -> date:
    return local_date(utc_now())


def test_answers_without_an_account_are_counted_apart_and_leave_no_trace_of_who(walk: Walk, office: Office) -> None:
    link = link_of(walk)
    actions.answer_survey(walk.session, link.survey_id, by=LINA, scores=scores(4))
    for n in range(5):
        actions.answer_publicly(walk.session, link.code, visitor=f"{n}" * 32, scores=scores(2), comment="Lambat.")
    with pytest.raises(OutOfTurn), walk.session.begin_nested():
        actions.answer_publicly(walk.session, link.code.lower(), visitor="0" * 32, scores=scores(4))
    walk.session.flush()

    told = queries.result(walk.session, link.survey, Grades())
    public = queries.result(walk.session, link.survey, Grades(), is_public=True)
    kept = walk.session.execute(text("SELECT v::text || a::text FROM survey_voter v, survey_answer a")).scalars().all()
    assert (told.answers, public.answers, public.index) == (1, 5, 50)
    assert not any("0" * 32 in words for words in kept)


def test_the_report_names_both_counts_with_their_sources(walk: Walk, office: Office) -> None:
    evaluation = walk.gathered()
    found = survey_of(walk, evaluation)
    link = actions.open_survey_link(walk.session, BUDI, found.id, until_on=today())
    for n in range(5):
        actions.answer_publicly(walk.session, link.code, visitor=f"{n}" * 32, scores=scores(3))

    actions.report_evaluation(walk.session, BUDI, evaluation.id, office, **REPORT)

    figures = {one.key: one for one in evaluation.figures if one.division == "proposal"}
    assert (figures["survey_answers"].value, figures["survey_public_answers"].value) == (0, 5)
    assert figures["survey_public_index"].value == 75
    assert "tanpa akun" in figures["survey_public_index"].source
    with pytest.raises(OutOfTurn):
        actions.answer_publicly(walk.session, link.code, visitor="9" * 32, scores=scores(4))


def test_a_link_ends_with_its_day_and_can_be_given_another(walk: Walk) -> None:
    link = link_of(walk)
    code = link.code
    walk.session.execute(text("UPDATE survey_link SET until_on = until_on - 30"))
    walk.session.expire(link)

    with pytest.raises(OutOfTurn):
        actions.answer_publicly(walk.session, code, visitor="1" * 32, scores=scores(4))
    again = actions.open_survey_link(walk.session, BUDI, link.survey_id, until_on=today())

    assert again.code == code
    actions.answer_publicly(walk.session, code, visitor="1" * 32, scores=scores(4))


@pytest.mark.parametrize("days", [-1, 61])
def test_a_link_is_open_for_two_months_at_most(walk: Walk, days: int) -> None:
    with pytest.raises(Incomplete):
        link_of(walk, days)


def test_only_the_application_division_opens_a_link(walk: Walk) -> None:
    found = survey_of(walk, walk.opened())

    walk.refuses(NotAllowed, actions.open_survey_link, ANI, found.id, until_on=today())
    walk.refuses(NotAllowed, actions.open_survey_link, CITRA, found.id, until_on=today())
    with pytest.raises(NotFound):
        queries.survey_link(walk.session, "0000-0000-0000")
