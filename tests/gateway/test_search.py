"""Search at the gateway: all divisions asked at once, merged, grouped and marked; people and units of its own."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import APIRouter
from sqlalchemy.orm import Session

from services.gateway.actions import person as actions
from services.gateway.app import make
from services.gateway.door.remote import RemoteDoor
from services.gateway.door.search import marked, suggestion
from services.gateway.model import Unit
from services.gateway.queries.search import found
from services.gateway.settings import Settings
from shared.identity import Person, Role
from shared.search import Hit
from shared.web import Asker, Question, make_app
from tests.gateway.conftest import PASSWORD, House, Visitor, serving
from tests.people import ANI, BUDI, JOKO, ZULKIFLI

CASE = Hit(kind="case", title="e-Presensi <b>", number="PRK-2026-0007", about="BPEG", path="/perkara/x", rank=2.7)
NEAR = Hit(kind="case", title="Sistem Kepegawaian", path="/perkara/y", rank=1.6, match="near")
NUMBER = Hit(kind="ticket", title="Keluhan", number="TKT-7", path="/tiket/z", rank=3.2, match="number")
ANSWERS = {"presensi": [CASE, NEAR], "kepegwaian": [NEAR], "semua": [NUMBER, CASE]}


def division(settings: Settings, service: str, answers: dict[str, list[Hit]]) -> RemoteDoor:
    """Return a division that finds what it is told to find."""
    router = APIRouter()

    @router.get("/api/search")
    def search(by: Asker, q: Question) -> list[Hit]:
        return answers.get(q, [])

    return make_app(service=service, title=service, settings=settings, routers=[router])  # type: ignore[return-value]


@pytest.fixture
def client(house: House, settings_for: Callable[..., Settings], somebody: Callable[..., str]) -> Iterator[Visitor]:
    """Return the head, signed in at a gateway before two divisions that find things and one that is silent."""
    many = [
        Hit(kind="contract", title=f"Kontrak {n}", number=f"K-{n}", path=f"/kontrak/{n}", rank=2.1) for n in range(7)
    ]
    proposal = division(settings_for(), "proposal", ANSWERS)
    budget = division(settings_for(), "budget", {"semua": many, "presensi": many[:1]})
    gateway = make(settings_for(), {"proposal": proposal, "budget": budget, "deploy": RemoteDoor("http://127.0.0.1:1")})
    username = somebody(Role.HEAD)
    with serving(gateway) as url, house.client() as browser:
        browser.base_url = url
        answer = browser.post("/api/session", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        yield Visitor(username, browser, answer.json()["form_token"])
    for app in (proposal, budget):
        app.state.database.close()  # type: ignore[attr-defined]
    gateway.database.close()


def test_answers_are_merged_with_the_best_first_and_the_silent_named(client: Visitor) -> None:
    answer = client.client.get("/api/search", params={"q": "semua"})

    rows = answer.json()
    assert [(row["kind"], row["part"]) for row in rows[:3]] == [
        ("ticket", "proposal"),
        ("case", "proposal"),
        ("contract", "budget"),
    ]
    assert answer.headers["x-alur-silent"] == "deploy"


def test_what_only_looks_alike_is_left_out_beside_what_fits(client: Visitor) -> None:
    assert [row["match"] for row in client.client.get("/api/search?q=presensi").json()] == ["words", "words"]
    # People and units that other tests took in may be found, too.
    near = client.client.get("/api/search?q=kepegwaian").json()
    assert [row["match"] for row in near if row["kind"] not in ("person", "unit")] == ["near"]


def test_the_page_groups_marks_and_names_the_silent(client: Visitor) -> None:
    page = client.client.get("/cari", params={"q": "presensi"}).text

    assert "e-<mark>Presensi</mark> &lt;b&gt;" in page and 'href="/perkara/x"' in page
    assert 'value="presensi"' in page and "Divisi Infrastruktur" in page
    assert 'href="/cari?q=presensi&amp;jenis=contract"' in page


def test_a_group_shows_few_until_its_kind_is_chosen(client: Visitor) -> None:
    whole = client.client.get("/cari", params={"q": "semua"}).text
    chosen = client.client.get("/cari", params={"q": "semua", "jenis": "contract"}).text

    assert whole.count('href="/kontrak/') == 5 and "Lihat semua 7 kontrak" in whole
    assert chosen.count('href="/kontrak/') == 7 and 'href="/tiket/z"' not in chosen


def test_a_slip_of_the_pen_is_offered_the_right_word(client: Visitor) -> None:
    page = client.client.get("/cari", params={"q": "kepegwaian"}).text

    assert 'Mungkin maksud Anda <a href="/cari?q=kepegawaian">' in page and 'href="/perkara/y"' in page


@pytest.mark.parametrize(
    "question", ["", "%", "'", '<script>alert("1")</script>', "a\x00b", "x" * 10_000, "👩‍💻", "jenis"]
)
def test_any_question_is_answered_safely(client: Visitor, question: str) -> None:
    answer = client.client.get("/cari", params={"q": question, "jenis": "tidak-ada"})

    assert answer.status_code == 200 and "<script>alert" not in answer.text


def test_search_needs_an_account(house: House) -> None:
    with house.client() as nobody:
        assert nobody.get("/api/search?q=a").status_code == 401
        assert nobody.get("/cari?q=a").headers["location"].startswith("/masuk")


def test_a_question_that_is_too_long_is_refused_at_the_json_door(client: Visitor) -> None:
    assert client.client.get("/api/search", params={"q": "x" * 101}).status_code == 422


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a gateway with two units and a person in each."""
    made = sessions("gateway")
    for code in ("BPEG", "LPPM"):
        made.add(Unit(code=code, name=f"Unit {code}"))
        made.flush()
        actions.add_person(
            made,
            username=f"rahmat.{code.lower()}",
            display_name=f"Rahmat {code.title()}",
            roles=[Role.PROPOSER],
            password=PASSWORD,
            unit=code,
        )
    return made


@pytest.mark.parametrize(("by", "units"), [(BUDI, ["BPEG", "LPPM"]), (ANI, ["BPEG"]), (ZULKIFLI, ["LPPM"]), (JOKO, [])])
def test_people_are_found_by_staff_and_by_their_own_unit(session: Session, by: Person, units: list[str]) -> None:
    people = found(session, by, "rahmat")

    assert [hit.number for hit in people] == [f"rahmat.{unit.lower()}" for unit in units]
    assert [hit.number for hit in found(session, by, "unit")] == units


def test_a_misspelt_name_is_found_when_no_other_is(session: Session) -> None:
    assert [(hit.number, hit.match) for hit in found(session, ANI, "rahmta")] == [("rahmat.bpeg", "near")]
    assert found(session, JOKO, "rahmta") == []


@pytest.mark.parametrize("question", ["%", "_", "rahmat%bpeg x"])
def test_signs_of_like_mean_nothing(session: Session, question: str) -> None:
    assert found(session, BUDI, question) == []


@pytest.mark.parametrize(
    ("text", "question", "shown"),
    [
        ("Sistem Kepegawaian", "pegawai", "Sistem <mark>Kepegawaian</mark>"),
        ("e-Presensi & <i>", "presnsi", "e-<mark>Presensi</mark> &amp; &lt;i&gt;"),
        ("PRK-2026-0007", "0007/2026", "PRK-<mark>2026</mark>-<mark>0007</mark>"),
        ("Rapat", "", "Rapat"),
    ],
)
def test_words_are_marked_and_all_else_is_escaped(text: str, question: str, shown: str) -> None:
    assert marked(text, question) == shown


def test_nothing_is_suggested_that_changes_nothing() -> None:
    assert suggestion("kepegawaian", [NEAR]) == "" and suggestion("kepegwaian", [NEAR]) == "kepegawaian"
