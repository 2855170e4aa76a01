"""A person who chose English sees English pages; programs, strangers and everybody else see Indonesian."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from shared.identity import Role
from tests.gateway.conftest import House, Visitor
from tests.house.test_translations import INDONESIAN

PAGES = (
    "/", "/menunggu", "/pemberitahuan", "/dasbor", "/cari", "/cari?q=apa", "/saya", "/saya/kata-sandi",
    "/saya/dua-langkah", "/saya/akun-kampus", "/saya/pemberitahuan", "/saya/tampilan", "/orang", "/undangan-saya",
    "/wewenang", "/audit", "/operasi",
)  # fmt: skip


class _Spoken(HTMLParser):
    """Reads what a page says, without what it marks as Indonesian."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._silent or given.get("lang") == "id" or tag in ("script", "style"):
            if tag not in ("input", "link", "meta", "img", "br", "use", "path", "circle"):
                self._silent.append(tag)
            return
        self.words += [
            given[name] or "" for name in ("aria-label", "data-label", "placeholder", "title") if name in given
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def spoken(page: str) -> str:
    reader = _Spoken()
    reader.feed(page)
    return " ".join(reader.words)


@pytest.fixture
def reader(visitor: Callable[..., Visitor]) -> Visitor:
    """Return an administrator who chose English."""
    ani = visitor(Role.ADMIN, Role.HEAD)
    sent = {"theme": "auto", "language": "en", "form_token": ani.form_token}
    assert ani.client.post("/saya/tampilan", data=sent).status_code == 303
    return ani


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_gateway_speaks_english(reader: Visitor, path: str) -> None:
    answer = reader.client.get(path)

    assert '<html lang="en"' in answer.text
    # The toy division is written nowhere but here, so no catalogue knows its words.
    said = spoken(answer.text).replace("Main dengan mainan", "")
    assert [said[max(found.start() - 40, 0) : found.end() + 40] for found in INDONESIAN.finditer(said)] == []


def test_a_page_says_in_english_what_was_done_and_why_not(reader: Visitor) -> None:
    sent = {"theme": "neon", "language": "en", "form_token": reader.form_token}
    refused = reader.client.post("/saya/tampilan", data=sent).text

    assert "Display choices" in spoken(reader.client.get("/saya/tampilan").text)
    assert "Something is missing or not right." in spoken(refused)
    assert "Save the display choices: saved." in spoken(
        reader.client.post("/saya/tampilan", data={**sent, "theme": "auto"}, follow_redirects=True).text
    )


def test_a_division_refuses_in_the_language_of_who_asks(reader: Visitor) -> None:
    page = reader.client.get("/mainan/tolak/409").text

    assert "The request cannot be carried out" in page
    assert '<span lang="id">Mainan ini belum dapat dimainkan.</span>' in page


def test_the_json_door_speaks_indonesian_to_everybody(reader: Visitor) -> None:
    answer = reader.client.get("/api/tidak-ada", headers={"accept": "application/json"})

    assert answer.json()["title"] == "Tidak ditemukan"


def test_the_choice_of_one_person_is_nobody_elses(
    reader: Visitor, visitor: Callable[..., Visitor], house: House
) -> None:
    budi = visitor()

    assert "Waiting for me" in reader.client.get("/").text
    assert '<html lang="id"' in budi.client.get("/").text
    with house.client() as stranger:
        assert '<html lang="id"' in stranger.get("/masuk").text


def test_a_page_in_english_has_the_fields_of_the_indonesian_one(reader: Visitor) -> None:
    field = re.compile(r'<(?:input|select|textarea|form|button)\b[^>]*?\b(?:name|action)="([^"]*)"')
    english = field.findall(reader.client.get("/saya").text)
    sent = {"theme": "auto", "language": "id", "form_token": reader.form_token}
    reader.client.post("/saya/tampilan", data=sent)

    assert field.findall(reader.client.get("/saya").text) == english
