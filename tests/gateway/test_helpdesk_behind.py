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


def _speaks_english(client: httpx.Client) -> dict[str, str]:
    """Choose English for somebody; return the header that a script of their pages sends along."""
    form_token = re.findall(r'name="form_token" value="([^"]+)"', client.get("/saya/tampilan").text)[0]
    client.post("/saya/tampilan", data={"theme": "auto", "language": "en", "form_token": form_token})
    return {"x-form-token": form_token}


def test_a_refusal_with_places_is_said_in_english_on_a_page_and_in_indonesian_by_the_json_door(enter: Enter) -> None:
    lina = enter(Role.APP_USER)
    token = _speaks_english(lina)
    hidden = _hidden(lina.get("/tiket").text)
    typed = {"application": "e-<b>", "title": "Kode QR gagal", "body": "Kamera tampil, kode tidak terbaca."}

    page = lina.post("/tiket", data={**hidden, **typed}).text
    told = lina.post("/api/tickets", json=typed, headers=token)

    assert "The application “e-&lt;b&gt;” is not in use yet or not known." in page
    assert 'value="Kode QR gagal"' in page
    assert told.json()["detail"].startswith("Aplikasi “e-<b>” belum digunakan atau tidak dikenal.")


def test_a_refusal_without_places_is_said_in_english_on_a_page(enter: Enter) -> None:
    lina = enter(Role.APP_USER)
    _speaks_english(lina)

    page = lina.get(f"/tiket/{uuid4()}")

    assert page.status_code == 404
    assert "The ticket was not found." in page.text and "Tiket tidak ditemukan" not in page.text
    assert lina.get(f"/api/tickets/{uuid4()}").json()["detail"].startswith("Tiket tidak ditemukan.")


def test_what_waits_is_said_in_english_on_the_home_page_and_in_indonesian_by_the_json_door(enter: Enter) -> None:
    lina, dina = enter(Role.APP_USER), enter(Role.SERVICE_STAFF)
    typed = {"application": "e-presensi", "title": "Kode QR gagal", "body": "Kamera tampil, kode tidak terbaca."}
    lina.post("/tiket", data={**_hidden(lina.get("/tiket").text), **typed})
    before = dina.get("/").text
    _speaks_english(dina)

    assert ": New" in dina.get("/").text and ": Baru" not in dina.get("/").text
    assert ": Baru" in before
    assert dina.get("/api/waiting").json()[0]["title"].endswith(": Baru")
