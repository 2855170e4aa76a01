"""Tests and findings are found only by those who may open the test."""

import pytest
from sqlalchemy import Engine

from services.security import queries
from shared.errors import NotFound
from tests.counting import statements
from tests.people import ANI, BAYU, BUDI, CITRA, DEWI, EDI, FAJAR, FITRI, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI
from tests.security.conftest import CASE_NUMBER, Bench, fault

EVERYBODY = (ANI, BAYU, BUDI, CITRA, DEWI, EDI, FAJAR, FITRI, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI)


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("CWE-78", ["finding"]),
        ("diambil alih", ["finding"]),
        ("temuan suntikan", ["finding"]),
        ("suntiakn", ["finding"]),
        ("presensi", ["finding", "test"]),
        (CASE_NUMBER, ["finding", "test"]),
        ("e-presensi.uji.kampus.example", ["test"]),
    ],
)
def test_tests_and_findings_are_found(bench: Bench, question: str, kinds: list[str]) -> None:
    test = bench.reviewed(fault("suntikan"))

    hits = queries.found(bench.session, FAJAR, question)

    assert sorted(hit.kind for hit in hits) == kinds
    assert {hit.path for hit in hits} == {f"/uji-keamanan/{test.id}"}


def test_nobody_finds_what_its_own_page_refuses(bench: Bench) -> None:
    test = bench.reviewed(fault("suntikan"))
    for by in EVERYBODY:
        for question in ("suntikan", "presensi", CASE_NUMBER):
            try:
                queries.test(bench.session, by, test.id)
            except NotFound:
                assert queries.found(bench.session, by, question) == [], by.username
            else:
                assert queries.found(bench.session, by, question), by.username


def test_a_case_without_vendor_is_found_by_none_of_them(bench: Bench) -> None:
    nobody = KIKI.model_copy(update={"vendor": ""})
    bench.opened(case_id=bench.opened().id, case_number="APL-2026-0009")

    assert queries.found(bench.session, nobody, "presensi") == []


def test_one_statement_for_each_kind(bench: Bench) -> None:
    bench.reviewed(fault("suntikan"))
    engine = bench.session.get_bind().engine
    assert isinstance(engine, Engine)
    bench.session.flush()
    with statements(engine) as sent:
        queries.found(bench.session, FAJAR, "presensi")

    assert len(sent) == 1 + 2
