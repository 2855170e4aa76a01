"""What the gateway puts together: waiting, health, the description of the API."""

from collections.abc import Callable

import httpx
import pytest

from services.gateway.app import make
from services.gateway.door import frame
from services.gateway.door.remote import RemoteDoor
from services.gateway.settings import Settings
from tests.gateway.conftest import House, Visitor, serving

Enter = Callable[..., Visitor]


def test_what_waits_is_merged_with_the_oldest_first(visitor: Enter) -> None:
    ani = visitor()

    rows = ani.client.get("/api/waiting").json()

    assert [(row["title"], row["part"]) for row in rows] == [("Dulu", "budget"), ("Nanti", "budget")]


def test_the_start_shows_what_waits_and_the_page_to_do_it_on(visitor: Enter) -> None:
    page = visitor().client.get("/").text

    assert page.index('href="/mainan/1"') < page.index('href="/mainan/2"')
    assert 'data-waiting-total="2"' in page


def test_the_list_of_what_waits_is_a_page_too(visitor: Enter) -> None:
    assert "Dulu" in visitor().client.get("/menunggu").text


def test_health_is_well_when_every_part_is(house: House) -> None:
    with house.client() as client:
        answer = client.get("/api/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "parts": {"gateway": "ok", "budget": "ok"}})


def test_health_names_the_part_that_is_silent_and_the_one_without_its_database(
    house: House, settings_for: Callable[..., Settings]
) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    gateway = make(
        settings_for(database_url=nowhere), {"budget": house.toys.app, "deploy": RemoteDoor("http://127.0.0.1:1")}
    )
    with serving(gateway) as url:
        answer = httpx.get(f"{url}/api/health", timeout=20)
    gateway.database.close()

    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert answer.json() == {"status": "down", "parts": {"gateway": "down", "budget": "ok", "deploy": "silent"}}


def test_without_its_database_the_gateway_says_so_and_does_not_break(settings_for: Callable[..., Settings]) -> None:
    gateway = make(settings_for(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none"), {})
    with serving(gateway) as url:
        answer = httpx.get(f"{url}/api/session", cookies={"alur": "x"}, timeout=20)
    gateway.database.close()

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_the_description_holds_every_parts_paths_and_shapes(house: House) -> None:
    with house.client() as client:
        told = client.get("/api/openapi.json").json()

    assert {"/api/session", "/api/tokens", "/api/toys", "/api/waiting", "/api/health"} <= set(told["paths"])
    assert told["paths"]["/api/waiting"]["get"]["tags"] == ["gateway"]
    assert not [path for path in told["paths"] if path.startswith(("/inner", "/mainan", "/masuk"))]


def test_every_reference_in_the_description_leads_somewhere(house: House) -> None:
    with house.client() as client:
        told = client.get("/api/openapi.json").json()
    shapes = told["components"]["schemas"]
    references = _references(told)

    assert "budget.Toy" in shapes and "#/components/schemas/budget.Toy" in references
    assert {reference.rpartition("/")[2] for reference in references} <= set(shapes)


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(inner) for inner in value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_the_list_of_operations_needs_no_script_and_no_account(house: House) -> None:
    with house.client() as client:
        page = client.get("/api/docs")

    assert page.status_code == 200 and "/api/toys" in page.text
    assert "<script" not in page.text and "https://" not in page.text


@pytest.mark.parametrize(
    ("path", "is_local"),
    [("/", True), ("/a?b=c", True), ("//x", False), ("/\\x", False), ("http://x", False), ("", False), ("/a b", False)],
)
def test_only_our_own_paths_are_local(path: str, is_local: bool) -> None:
    assert frame.is_local_path(path) is is_local
