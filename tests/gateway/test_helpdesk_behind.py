"""A real division behind the gateway: a ticket opened on the page waits for the agent of the helpdesk."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.gateway.app import make
from services.gateway.settings import Settings
from services.helpdesk import app as helpdesk
from services.helpdesk.model import LiveApplication
from services.helpdesk.settings import Settings as HelpdeskSettings
from shared.database import Database, utc_now
from shared.identity import Role
from shared.keys import Keys
from tests.gateway.conftest import PASSWORD, serving

Enter = Callable[[Role], httpx.Client]


@pytest.fixture
def enter(
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    keys: Keys,
    state: Path,
    somebody: Callable[..., str],
) -> Iterator[Enter]:
    """Return what signs somebody with a role in at a gateway before the helpdesk."""
    database = database_of("helpdesk")
    with database.transaction() as session:
        session.add(
            LiveApplication(
                case_id=uuid4(),
                case_number="APL-2026-0007",
                code="e-presensi",
                name="e-Presensi",
                unit="BPEG",
                release_number=2,
                digest="a" * 64,
                address="https://presensi.kampus.example",
                live_since=utc_now(),
            )
        )
    door = helpdesk.make(
        HelpdeskSettings(database_url=database.url, keys_folder=keys.folder, files_folder=state / "files")
    )
    gateway = make(settings_for(), {"helpdesk": door})
    clients = []
    with serving(gateway) as url:

        def sign_in(role: Role) -> httpx.Client:
            client = httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"})
            clients.append(client)
            client.post("/masuk", data={"username": somebody(role), "password": PASSWORD})
            return client

        yield sign_in
        for client in clients:
            client.close()
    gateway.database.close()
    door.state.database.close()


def _hidden(page: str) -> dict[str, str]:
    form = page.split('action="/tiket"')[1]
    return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form)[:2])


def test_a_ticket_opened_on_the_page_waits_for_the_agent(enter: Enter) -> None:
    lina, dina = enter(Role.APP_USER), enter(Role.SERVICE_STAFF)
    hidden = _hidden(lina.get("/tiket").text)
    typed = {"application": "e-presensi", "title": "Kode QR gagal", "body": "Kamera tampil, kode tidak terbaca."}

    opened = lina.post("/tiket", data={**hidden, **typed, "category": "gangguan", "priority": "high"})

    assert opened.status_code == 303
    assert "Kode QR gagal" in lina.get(opened.headers["location"]).text
    assert [row["about"] for row in dina.get("/api/waiting").json()] == ["Kode QR gagal"]
    assert f'href="{opened.headers["location"]}"' in dina.get("/").text


def test_a_form_sent_twice_opens_one_ticket(enter: Enter) -> None:
    lina = enter(Role.APP_USER)
    hidden = _hidden(lina.get("/tiket").text)
    typed = {"application": "e-presensi", "title": "Kode QR gagal", "body": "Kamera tampil, kode tidak terbaca."}

    places = {lina.post("/tiket", data={**hidden, **typed}).headers["location"] for _ in range(2)}

    assert len(places) == 1
    assert len(lina.get("/api/tickets").json()) == 1


def test_a_refused_form_comes_back_inside_the_page_with_what_was_typed(enter: Enter) -> None:
    lina = enter(Role.APP_USER)
    hidden = _hidden(lina.get("/tiket").text)

    refused = lina.post("/tiket", data={**hidden, "application": "e-presensi", "title": "Kode QR gagal"})

    assert refused.status_code == 422 and refused.text.startswith("<!doctype html>")
    assert 'value="Kode QR gagal"' in refused.text and "Wajib diisi." in refused.text
