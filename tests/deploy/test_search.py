"""Hostings are found by application, firm and address, servers by name, only by those who may see them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from services.deploy import queries
from shared.errors import NotAllowed, NotFound
from shared.store import Store
from tests.counting import statements
from tests.deploy.test_actions import Campus
from tests.people import ANI, BAYU, CITRA, EDI, EKO, FITRI, GITA, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI

EVERYBODY = (ANI, BAYU, CITRA, EDI, EKO, FITRI, GITA, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI)


@pytest.fixture
def campus(sessions: Callable[[str], Session], tmp_path: Path) -> Iterator[Campus]:
    """Return a campus whose application was handed over."""
    yield Campus(sessions("deploy"), Store(tmp_path / "files"), uuid4()).handed_over()


@pytest.mark.parametrize(
    ("question", "match"),
    [
        ("presensi", "words"),
        ("presnsi", "near"),
        ("CV Contoh", "words"),
        ("BPEG", "words"),
        ("kepegawaian pegawai presensi", None),
        ("ALUR-2026-0001", "number"),
        ("0001/2026", "number"),
        ("presensi.kampus.example", "number"),
        ("https://presensi-uji.kampus.example/masuk", "number"),
    ],
)
def test_a_hosting_is_found(campus: Campus, question: str, match: str | None) -> None:
    hosting = campus.hosting()

    hits = [hit for hit in queries.found(campus.session, EDI, question) if hit.kind == "hosting"]

    expected = [(f"/hosting/{hosting.id}", "presensi.kampus.example", match)] if match else []
    assert [(hit.path, hit.number, hit.match) for hit in hits] == expected


def test_a_hosting_without_a_server_is_found_too(campus: Campus) -> None:
    hosting = campus.request()

    assert [hit.path for hit in queries.found(campus.session, BAYU, "presensi")] == [f"/hosting/{hosting.id}"]


@pytest.mark.parametrize("question", ["web-1", "kampus.example", "web.kampus.example"])
def test_nobody_finds_what_its_own_page_refuses(campus: Campus, question: str) -> None:
    hosting = campus.hosting()
    assert hosting.server
    for by in EVERYBODY:
        paths = {hit.path for hit in queries.found(campus.session, by, question)}
        try:
            queries.server(campus.session, by, hosting.server.id)
        except NotAllowed:
            assert f"/server/{hosting.server.id}" not in paths, by.username
        else:
            assert f"/server/{hosting.server.id}" in paths, by.username
        hostings = {hit.path for hit in queries.found(campus.session, by, "presensi") if hit.kind == "hosting"}
        try:
            queries.hosting(campus.session, by, hosting.id)
        except NotFound:
            assert hostings == set(), by.username
            assert queries.found(campus.session, by, "presensi.kampus.example") == [], by.username
        else:
            assert hostings == {f"/hosting/{hosting.id}"}, by.username


def test_one_statement_for_each_kind(campus: Campus) -> None:
    campus.hosting()
    campus.session.flush()
    engine = campus.session.get_bind().engine
    assert isinstance(engine, Engine)
    with statements(engine) as sent:
        queries.found(campus.session, EDI, "presensi")

    assert len(sent) == 1 + 2
