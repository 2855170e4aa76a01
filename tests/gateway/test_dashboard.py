"""The dashboard: figures of every division behind one door, own first, silent ones named, and CSV that runs nothing."""

import asyncio
import html
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter

from services.gateway.app import make
from services.gateway.door.doors import Answered
from services.gateway.door.figures import Dashboard, gather, sees_figures
from services.gateway.door.remote import RemoteDoor
from shared.figures import Choice, Column, Figures, Panel, Plot, Row, Series, Table
from shared.identity import Caller, Person, Role
from shared.web import Asker, make_app
from tests.gateway.conftest import PASSWORD, serving
from tests.people import ANI, CITRA, FITRI, INDAH, JOKO

HOSTILE = '=1+1 <script>alert("x")</script>'


def figures(name: str, *years: str) -> Figures:
    """Return what one division might tell."""
    table = Table(
        key="units",
        caption=f"Menurut unit: {name}",
        columns=[Column(key="name", label="Unit", kind="text"), Column(key="count", label="Perkara")],
        rows=[Row(cells={"name": name, "count": 3}, path="/perkara?unit=BPEG")],
        plot=Plot(kind="bars", label="name", series=[Series(key="count")]),
        empty="Kosong",
    )
    return Figures(
        panels=[Panel(key="whole", title=f"Bagian {name}", source="Uji.", tables=[table])],
        choices=[Choice(key="tahun", label="Tahun anggaran", values=list(years))],
    )


class FewDoors:
    """The divisions' answers, and what they were asked."""

    def __init__(self, answers: dict[str, Answered | None]) -> None:
        self.answers, self.asked = answers, ""

    async def ask_all(self, target: str, *, caller: Caller | None = None) -> dict[str, Answered | None]:
        self.asked = target
        return self.answers


def ok(told: Figures) -> Answered:
    return Answered(200, {}, told.model_dump_json().encode())


def gathered(by: Person, answers: dict[str, Answered | None], **asked: str) -> Dashboard:
    doors: Any = FewDoors(answers)
    return asyncio.run(gather(doors, Caller(person=by, form_token="x"), asked))


ALL = {name: ok(figures(name)) for name in ("proposal", "budget", "deploy", "security", "helpdesk")}


@pytest.mark.parametrize(
    ("by", "first"), [(CITRA, "proposal"), (FITRI, "security"), (INDAH, "budget"), (ANI, "proposal")]
)
def test_ones_own_division_stands_first(by: Person, first: str) -> None:
    found = gathered(by, dict(ALL))

    assert next(iter(found.parts)) == first
    assert set(found.parts) == set(ALL)


def test_a_silent_division_is_named_and_one_that_refuses_is_not() -> None:
    answers = dict(ALL) | {
        "deploy": None,
        "budget": Answered(403, {}, b"{}"),
        "security": Answered(200, {}, b'{"panels": "?"}'),
        "helpdesk": Answered(500, {}, b""),
    }
    found = gathered(CITRA, answers)

    assert found.silent == ["deploy", "security", "helpdesk"]
    assert list(found.parts) == ["proposal"]


def test_what_is_asked_reaches_the_divisions() -> None:
    doors: Any = FewDoors({})
    asyncio.run(gather(doors, Caller(person=CITRA, form_token="x"), {"tahun": "2026", "unit": "B&C"}))

    assert doors.asked == "/api/figures?tahun=2026&unit=B%26C"


def test_a_filter_stands_once_with_the_values_of_all() -> None:
    found = gathered(CITRA, {"proposal": ok(figures("a", "2027")), "budget": ok(figures("b", "2026", "2027"))})

    assert [(choice.key, choice.values) for choice in found.choices] == [("tahun", ["2026", "2027"])]


def test_a_vendor_has_no_dashboard() -> None:
    assert not sees_figures(JOKO)
    assert sees_figures(ANI)
    assert sees_figures(CITRA.model_copy(update={"id": uuid4(), "roles": frozenset({Role.VENDOR, Role.HEAD})}))


@pytest.fixture(scope="module")
def address(settings_for: Callable[..., Any], keys: Any) -> Iterator[str]:
    """Return the address of a gateway with one division that tells hostile names, and one that is silent."""
    router = APIRouter()

    @router.get("/api/figures")
    def told(by: Asker, tahun: str = "") -> Figures:
        return figures(f"{HOSTILE} {tahun}", "2026", "2027")

    division = make_app(service="proposal", title="Angka", settings=settings_for(), routers=[router])
    gateway = make(settings_for(), {"proposal": division, "deploy": RemoteDoor("http://127.0.0.1:9")})
    with serving(gateway) as url:
        yield url
    gateway.database.close()
    division.state.database.close()


@pytest.fixture
def enter(address: str, somebody: Callable[..., str]) -> Iterator[Callable[..., httpx.Client]]:
    """Return what signs a new person in."""
    clients: list[httpx.Client] = []

    def sign_in(*roles: Role, **more: Any) -> httpx.Client:
        client = httpx.Client(base_url=address, timeout=20, headers={"accept": "text/html,*/*"})
        clients.append(client)
        answer = client.post("/api/session", json={"username": somebody(*roles, **more), "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return client

    yield sign_in
    for client in clients:
        client.close()


def test_the_page_draws_what_is_told_escaped_and_names_who_is_silent(enter: Callable[..., httpx.Client]) -> None:
    answer = enter(Role.HEAD).get("/dasbor", params={"tahun": "2027"})
    svg = answer.text[answer.text.index('<svg class="drawn') :]
    svg = svg[: svg.index("</svg>") + 6]

    assert answer.status_code == 200
    assert "Divisi Infrastruktur sedang tidak menjawab" in answer.text
    assert "<script>alert" not in answer.text
    assert f"Menurut unit: {HOSTILE} 2027" in html.unescape(answer.text)
    assert ElementTree.fromstring(svg).attrib["role"] == "img"
    assert '<option value="2027" selected>' in answer.text
    assert " style=" not in answer.text
    assert "Sumber: Uji." in answer.text


def test_a_table_can_be_taken_as_csv_that_runs_nothing(enter: Callable[..., httpx.Client]) -> None:
    answer = enter(Role.HEAD).get("/dasbor/proposal/whole/units.csv", params={"tahun": "2026"})

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Unit;Perkara", "\"'=1+1 <script>alert(\"\"x\"\")</script> 2026\";3",
    ]  # fmt: skip


def test_a_table_that_is_not_there_is_not_found(enter: Callable[..., httpx.Client]) -> None:
    client = enter(Role.HEAD)

    for path in ("proposal/whole/lain", "proposal/lain/units", "deploy/whole/units", "lain/whole/units"):
        assert client.get(f"/dasbor/{path}.csv").status_code == 404


def test_a_year_that_is_none_is_left_out(enter: Callable[..., httpx.Client]) -> None:
    assert enter(Role.HEAD).get("/dasbor", params={"tahun": "abcd"}).status_code == 200


def test_json_tells_the_same_and_names_who_is_silent(enter: Callable[..., httpx.Client]) -> None:
    answer = enter(Role.HEAD).get("/api/figures", headers={"accept": "application/json"})

    assert answer.json()["proposal"]["panels"][0]["tables"][0]["rows"][0]["cells"]["count"] == 3
    assert answer.headers["x-alur-silent"] == "deploy"


def test_the_rail_leads_there_but_not_for_a_vendor(enter: Callable[..., httpx.Client]) -> None:
    assert 'href="/dasbor"' in enter(Role.HEAD).get("/saya").text
    vendor = enter(Role.VENDOR, vendor="CKD")
    assert 'href="/dasbor"' not in vendor.get("/saya").text
    assert vendor.get("/dasbor").status_code == 403
    assert vendor.get("/api/figures").status_code == 403
    assert vendor.get("/dasbor/proposal/whole/units.csv").status_code == 403
