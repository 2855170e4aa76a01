"""Cases, papers, minutes and evaluations are found only by those whose own pages show them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.model import Case
from shared.database import Database
from shared.errors import NotFound
from shared.identity import Person
from shared.patience import patience
from tests.counting import statements
from tests.people import ANI, BAYU, BUDI, CITRA, GITA, HADI, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI
from tests.proposal.walk import Walk

EVERYBODY = (ANI, BAYU, BUDI, CITRA, GITA, HADI, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI)


def found(session: Session, by: Person, question: str, kind: str = "case") -> list[str]:
    return [hit.number for hit in queries.found(session, by, question) if hit.kind == kind]


@pytest.mark.parametrize(
    "question", ["presensi", "presnsi", "dosen pegawai", "hadir", "BPEG", "e-Pres", "B-0412/Un.99/B.II/TI.01/08/2026"]
)
def test_a_case_is_found(walk: Walk, question: str) -> None:
    case = walk.submitted()

    assert found(walk.session, BUDI, question) == [case.number]


def test_a_case_is_found_by_its_number_first(walk: Walk) -> None:
    first = walk.submitted()
    walk.submitted(name=f"Pengganti {first.number}")

    hits = queries.found(walk.session, BUDI, "/".join(reversed(first.number.split("-"))))

    assert (hits[0].number, hits[0].match, hits[0].path) == (first.number, "number", f"/perkara/{first.number}")


@pytest.mark.parametrize("status", ["drafted", "submitted", "built"])
def test_nobody_finds_a_case_whose_page_is_refused(walk: Walk, status: str) -> None:
    case: Case = getattr(walk, status)()
    seeing = []
    for by in EVERYBODY:
        try:
            queries.whole(walk.session, by, case.number)
        except NotFound:
            assert queries.found(walk.session, by, "presensi") == [], by.username
            assert queries.found(walk.session, by, case.number) == [], by.username
        else:
            seeing.append(by)
            assert found(walk.session, by, "presensi") == [case.number], by.username

    assert ANI in seeing and ZULKIFLI not in seeing and KIKI not in seeing


def test_a_vendor_does_not_find_by_the_letter_of_the_proposal(walk: Walk) -> None:
    case = walk.built()

    assert found(walk.session, JOKO, case.name) == [case.number]
    assert found(walk.session, JOKO, "0412/Un.99") == []


def test_papers_are_found_by_whoever_may_read_them(walk: Walk) -> None:
    case = walk.built()
    for by in EVERYBODY:
        try:
            papers = queries.whole(walk.session, by, case.number).papers
        except NotFound:
            papers = []
        shown = {paper.number for paper in papers if paper.number}
        for paper in walk_papers(walk, case):
            assert (paper in found(walk.session, by, paper, "paper")) is (paper in shown), (by.username, paper)


def walk_papers(walk: Walk, case: Case) -> set[str]:
    return {paper.number for paper in queries.whole(walk.session, SARI, case.number).papers if paper.number}


def test_minutes_are_found_by_the_centre_only(walk: Walk) -> None:
    meeting = walk.minuted(walk.programmed())

    for by in (BUDI, CITRA, SARI):
        assert found(walk.session, by, meeting.number, "meeting") == [meeting.number]
    for by in (ANI, GITA, HADI, JOKO, TONO):
        assert found(walk.session, by, meeting.number, "meeting") == []


def test_evaluations_are_found_by_whoever_may_open_them(walk: Walk) -> None:
    evaluation = walk.opened()

    for by in EVERYBODY:
        try:
            queries.evaluation(walk.session, by, evaluation.id)
        except NotFound:
            assert found(walk.session, by, evaluation.number, "evaluation") == []
        else:
            assert found(walk.session, by, evaluation.number, "evaluation") == [evaluation.number]


def test_one_statement_for_each_kind(walk: Walk) -> None:
    walk.submitted()
    engine = walk.session.get_bind()
    assert isinstance(engine.engine, Engine)
    with statements(engine.engine) as sent:
        queries.found(walk.session, BUDI, "presensi")

    assert len(sent) == 1 + 4


def test_the_list_of_cases_takes_slips_of_the_pen_too(walk: Walk) -> None:
    case = walk.submitted()

    assert [one.id for one in queries.cases(walk.session, BUDI, q="presnsi")] == [case.id]
    assert [one.id for one in queries.cases(walk.session, BUDI, q=case.number)] == [case.id]
    assert queries.cases(walk.session, BUDI, q="%") == []


def test_similar_applications_are_waited_for_no_longer_than_a_search(
    database_of: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_of("proposal")
    monkeypatch.setattr("shared.patience.PATIENCE_MS", 100)
    with database.reading() as reading, database.session() as writing:
        for session in (reading, writing):
            # A page that only reads asks for them after other things, without a transaction.
            session.execute(select(1))
            with pytest.raises(OperationalError, match="canceling"), patience(session):
                session.execute(text("SELECT pg_sleep(30)"))
        assert reading.scalar(select(1)) == 1
    monkeypatch.undo()
    with database.reading() as session, patience(session):
        assert session.scalar(select(1)) == 1


def test_a_page_asks_once_for_similar_applications(walk: Walk) -> None:
    first = walk.submitted()
    engine = walk.session.get_bind()
    assert isinstance(engine.engine, Engine)
    with statements(engine.engine) as sent:
        near = queries.similar(walk.session, ANI, name=first.name)

    assert ([one.number for one in near], len(sent)) == ([first.number], 1)
