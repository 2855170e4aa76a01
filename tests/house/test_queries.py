"""No page and no list costs more than six statements of a database, whoever reads and however much there is."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import select

from alur import demo, parts
from alur.settings import MachineSettings
from services.budget import actions
from services.budget.actions import Office
from services.budget.model import Vendor
from services.budget.settings import Settings
from shared import keys, permit
from shared.database import Database
from shared.keys import GATEWAY, SERVICES
from tests.budget import walk
from tests.counting import statements
from tests.people import BUDI, HADI

MOST = 6
READERS = ("kepala", "spi")
"""The Head and the auditor: between them they see every list."""
ONCE = re.compile(r'href="(/[\w/-]+)"')
LEFT_OUT = re.compile(r"/(log|unduhan|file|masuk|keluar|undangan|konfirmasi|lanjutkan|gaya|docs|openapi\.json|inner)\b")
"""Streams, files, and ways in and out."""


@pytest.fixture(scope="module")
def urls(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return a database of its own for each service, migrated, for this file."""
    spares = request.getfixturevalue("spares")
    names = {service: spares.take(service) for service in SERVICES}
    yield {service: spares.postgres.url(name, service) for service, name in names.items()}
    for service, name in names.items():
        spares.give_back(service, name)


@pytest.fixture(scope="module")
def campus(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """Return the whole web application before the demo campus, and the passwords of its people."""
    settings = MachineSettings(home=tmp_path_factory.mktemp("queries"))
    keys.make_keys(settings.keys_folder)
    permit.new_key_pair(settings.keys_folder)
    demo.load_campus(settings, urls, say=lambda _: None)
    _spend(settings, urls["budget"])
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in settings.environment(database_urls=urls, broker_url="redis://127.0.0.1:1").items():
            patch.setenv(name, value)
        patch.setenv("ALUR_GATEWAY_LOOKOUT_SECONDS", "0")
        web = parts.one_web()
        for database in _databases(web).values():
            stack.callback(database.close)
        yield web, demo.accounts(settings)


def _spend(settings: MachineSettings, url: str) -> None:
    """Bring one case to its second payment, and another one to its ceiling: the demo campus begins without either."""
    office = Office.of(Settings(database_url=url, keys_folder=settings.keys_folder, files_folder=settings.files_folder))
    database = Database(url)
    with database.transaction() as session:
        ceiling = walk.budgeted(session, office)
        if session.scalar(select(Vendor).where(Vendor.code == "CKD")) is None:
            walk.vendor(session)
        drafted = actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(), office=office)
        contract = actions.sign_contract(session, HADI, drafted.id, office=office)
        walk.delivered(session, office, contract)
        walk.paid(session, office, contract, 1)
        walk.handed_over(session, office, contract)
        walk.verified(session, contract, 2)
        walk.budgeted(session, office)
    database.close()


def _databases(web: Any) -> dict[str, Database]:
    return {GATEWAY: web.database, **{name: part.app.state.database for name, part in web.doors.parts.items()}}


@pytest.mark.parametrize("username", READERS)
def test_no_page_costs_more_than_six_statements(campus: tuple[Any, dict[str, str]], username: str) -> None:
    web, accounts = campus
    costs = anyio.run(_walk, web, username, accounts[username])

    assert len(costs) > 60, "the walk lost its way"
    assert {place: cost for place, cost in costs.items() if cost > MOST} == {}


def test_what_waits_for_somebody_costs_no_more_with_every_thing_that_waits(
    campus: tuple[Any, dict[str, str]],
) -> None:
    web, accounts = campus

    costs = {username: anyio.run(_waiting, web, username, word) for username, word in accounts.items()}

    assert len(costs) > 15
    assert {username: cost for username, cost in costs.items() if cost > MOST} == {}


async def _waiting(web: Any, username: str, password: str) -> int:
    await web.doors.learn()
    async with _client(web) as client:
        await _enter(client, username, password)
        answer, cost = await _read(web, client, "/api/waiting")
        assert answer.status_code == 200, answer.text
    return cost


async def _walk(web: Any, username: str, password: str) -> dict[str, int]:
    """Read every page and list that can be reached; return the statements of the database that had most of each."""
    costs: dict[str, int] = {}
    await web.doors.learn()
    async with _client(web) as client:
        await _enter(client, username, password)
        waits, known = _lists(web), set[str]()
        while waits:
            path = waits.pop()
            answer, cost = await _read(web, client, path)
            assert answer.status_code < 500, f"{path}: {answer.text[:300]}"
            if answer.status_code != 200:
                continue
            place = _place(path)
            costs[place] = max(cost, costs.get(place, 0))
            for found in _things(path, answer):
                # Three of a kind tell whether the cost grows with what hangs on them.
                if found not in known and sum(_place(one) == _place(found) for one in known) < 3:
                    known.add(found)
                    waits.append(found)
    return costs


def _client(web: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://127.0.0.1:8000", timeout=30)


async def _enter(client: httpx.AsyncClient, username: str, password: str) -> None:
    entered = await client.post("/api/session", json={"username": username, "password": password})
    assert entered.status_code == 201, entered.text


async def _read(web: Any, client: httpx.AsyncClient, path: str) -> tuple[httpx.Response, int]:
    accept = "application/json" if path.startswith("/api") else "text/html"
    with ExitStack() as stack:
        sent = [stack.enter_context(statements(one.engine)) for one in _databases(web).values()]
        answer = await client.get(path, headers={"accept": accept})
    return answer, max(map(len, sent))


def _lists(web: Any) -> list[str]:
    """Return the address of every GET route that needs no id."""
    routers = [web.own.router, *(part.app.router for part in web.doors.parts.values())]
    found = {path for router in routers for path, methods in _routes(router) if "GET" in methods and "{" not in path}
    return sorted(path for path in found if not LEFT_OUT.search(path))


def _routes(router: Any) -> Iterator[tuple[str, set[str]]]:
    for route in router.routes:
        if hasattr(route, "path") and hasattr(route, "methods"):
            yield route.path, route.methods
        elif hasattr(route, "effective_route_contexts"):
            for context in route.effective_route_contexts():
                yield context.path, context.methods


def _things(path: str, answer: httpx.Response) -> list[str]:
    """Return the addresses of single things that an answer names."""
    if not path.startswith("/api"):
        return [one for one in ONCE.findall(answer.text) if _place(one) != one and not LEFT_OUT.search(one)]
    # Papers and spreadsheets are fetched below /api, too.
    rows = answer.json() if "json" in answer.headers["content-type"] else None
    if not isinstance(rows, list) or path.count("/") != 2:
        return []
    ids = [row.get("number") if path == "/api/cases" else row.get("id") for row in rows if isinstance(row, dict)]
    return [f"{path}/{one}" for one in ids if one]


def _place(path: str) -> str:
    """Return an address without what names the single thing."""
    return re.sub(r"/([0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]{2,}-[\w-]+)(?=/|$)", "/{id}", path)
