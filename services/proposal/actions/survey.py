"""Answering a satisfaction survey, with an account or by its public link, and its result as figures (f9)."""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    ELEMENTS,
    SURVEY_SOURCE,
    Evaluation,
    EvaluationFigure,
    Survey,
    SurveyAnswer,
    SurveyLink,
    SurveyVoter,
    new_code,
    voter,
)
from services.proposal.settings import Grades
from shared import audit
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence
from shared.words import local_date

DIVISION = "proposal"
"""Whose figures a survey's result is."""
LONGEST = timedelta(days=60)
"""How long a public link takes answers at most."""
CLOSED = "Survei ini sudah ditutup karena laporan evaluasinya telah disusun. Terima kasih."


def answer_survey(
    session: Session, survey_id: UUID, *, by: Person, scores: Mapping[str, int], comment: str = ""
) -> Survey:
    """Take one person's answer, once; raise OutOfTurn the second time, and when the report is written.

    Not by `authorize`: its audit line would name who answered. Only that somebody did is written down.
    """
    found = queries.survey(session, survey_id)
    refusal = ACTS.answer_survey.refusal(by, found)
    if refusal:
        raise NotAllowed(refusal)
    if not queries.takes_answers(found):
        raise OutOfTurn(CLOSED)
    _take(session, found, by.id, scores, comment, is_public=False)
    audit.record(session, None, ACTS.answer_survey.name, found)
    return found


def _take(
    session: Session, found: Survey, who: UUID | str, scores: Mapping[str, int], comment: str, *, is_public: bool
) -> None:
    try:
        with session.begin_nested():
            session.add(SurveyVoter(survey_id=found.id, voter=voter(found.id, who)))
    except IntegrityError as reason:
        raise OutOfTurn("Anda sudah mengisi survei ini. Terima kasih.", code="answered") from reason
    values = [scores[key] for key in ELEMENTS]
    session.add(SurveyAnswer(survey_id=found.id, scores=values, comment=comment, is_public=is_public))


def open_survey_link(session: Session, by: Person, survey_id: UUID, *, until_on: date) -> SurveyLink:
    """Let anybody who has the link answer until a day; done again it keeps the link and changes the day.

    Raises OutOfTurn when the report is written, Incomplete for a day that is over or further than `LONGEST`.
    """
    found = queries.survey(session, survey_id)
    by = authorize(session, by, ACTS.open_survey_link, found, until_on=until_on.isoformat())
    if not queries.takes_answers(found):
        raise OutOfTurn(CLOSED)
    today = local_date(utc_now())
    if not today <= until_on <= today + LONGEST:
        words = Sentence("Pilih hari ini sampai paling lama {days} hari ke depan.", days=LONGEST.days)
        raise Incomplete("Tanggal penutupan survei belum tepat.", errors=[FieldError("/until_on", words)])
    link = session.get(SurveyLink, found.id, with_for_update=True)
    if link is None:
        link = SurveyLink(survey_id=found.id, survey=found, code=new_code(), until_on=until_on, opened_by_name=by.name)
        session.add(link)
    link.until_on, link.opened_by_name, link.opened_at = until_on, by.name, utc_now()
    session.flush()
    return link


def answer_publicly(
    session: Session, code: str, *, visitor: str, scores: Mapping[str, int], comment: str = ""
) -> SurveyLink:
    """Take the answer of a browser without an account, once; nothing of who or from where is kept.

    Raises NotFound for a link that does not exist, OutOfTurn when it is closed and for a second answer.
    """
    link = queries.survey_link(session, code)
    if not queries.is_open(link):
        raise OutOfTurn("Survei ini sudah ditutup. Terima kasih atas perhatian Anda.", code="survey_closed")
    _take(session, link.survey, visitor, scores, comment, is_public=True)
    audit.record(session, None, "answer_publicly", link.survey)
    return link


def note_satisfaction(session: Session, evaluation: Evaluation, grades: Grades) -> None:
    """Write the result of the survey among the figures of its evaluation, as it stands now (S10)."""
    found = queries.survey_of(session, evaluation.id)
    if found is None:
        return
    told = queries.result(session, found, grades)
    scale = f"Survei kepuasan {SURVEY_SOURCE}, sembilan unsur, nilai 1-4"
    source = f"{scale}, {told.answers} jawaban"
    rows: list[tuple[str, str, float, str]] = [
        ("survey_answers", Sentence("Jawaban survei kepuasan"), float(told.answers), "jawaban")
    ]
    if told.is_shown:
        rows.append(("survey_index", f"Indeks kepuasan (mutu {told.grade})", told.index, "dari 100"))
        pairs = zip(ELEMENTS.items(), told.means, strict=True)
        rows += [(f"survey_{key}", label, mean, "dari 4") for (key, label), mean in pairs]
    sources = dict.fromkeys((key for key, *_ in rows), source)
    public = queries.result(session, found, grades, is_public=True)
    if public.answers:
        rows.append(("survey_public_answers", "Jawaban survei tanpa akun", float(public.answers), "jawaban"))
    if public.is_shown:
        words = f"Indeks kepuasan menurut jawaban tanpa akun (mutu {public.grade})"
        rows.append(("survey_public_index", words, public.index, "dari 100"))
    without = f"{scale}, tautan umum tanpa akun, {public.answers} jawaban"
    session.execute(
        delete(EvaluationFigure).where(
            EvaluationFigure.evaluation_id == evaluation.id, EvaluationFigure.division == DIVISION
        )
    )
    session.add_all(
        EvaluationFigure(
            evaluation_id=evaluation.id,
            division=DIVISION,
            key=key,
            position=position,
            label=label,
            value=value,
            unit=unit,
            source=sources.get(key, without),
        )
        for position, (key, label, value, unit) in enumerate(rows)
    )
    session.flush()
    session.expire(evaluation, ["figures"])
