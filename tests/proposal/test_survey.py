"""f9: nine elements, one answer for each person, an index with its grade, and nobody's name."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from services.proposal import actions, queries
from services.proposal.model import ELEMENTS, Evaluation, Office, Survey, SurveyAnswer, satisfaction
from services.proposal.schemas.survey import Answer
from services.proposal.settings import Grades
from shared.errors import NotAllowed, OutOfTurn
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
