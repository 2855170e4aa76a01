"""One's own sessions: seen in words, ended one by one or all at once, and gone at once."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from services.gateway.actions import person as actions
from services.gateway.actions import session as own
from services.gateway.actions import sign_in
from services.gateway.model import Person, Session
from shared.database import Database, utc_now
from shared.errors import NotFound
from tests.gateway.conftest import PASSWORD, House, Visitor

Enter = Callable[..., Visitor]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox di Windows"),
        (PHONE, "Chrome di Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) AppleWebKit/605 Version/18 Safari/605", "Safari di macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18 Safari/604", "Safari di iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge di Windows"),
        ("python-httpx/0.28", "Program Python"),
        ("", "Perangkat tidak dikenal"),
        ("<script>", "Perangkat tidak dikenal"),
    ],
)
def test_a_device_is_told_in_words(agent: str, words: str) -> None:
    assert own.device(agent) == words


def _again(house: House, ani: Visitor, agent: str = PHONE) -> Visitor:
    """Let the same person sign in on another device."""
    client = house.client()
    client.headers["user-agent"] = agent
    answer = client.post("/api/session", json={"username": ani.username, "password": PASSWORD})
    return Visitor(ani.username, client, answer.json()["form_token"])


def test_my_sessions_stand_on_my_page_and_this_one_is_marked(house: House, visitor: Enter) -> None:
    ani = visitor()
    phone = _again(house, ani)

    page = phone.client.get("/saya").text
    rows = phone.client.get("/api/sessions").json()
    phone.client.close()

    assert page.count("Perangkat ini") == 1 and "Chrome di Android" in page and "Program Python" in page
    assert [row["device"] for row in rows if row["is_this"]] == ["Chrome di Android"] and len(rows) == 2
    assert all(ani.client.cookies["alur"] not in str(row) for row in rows)
    for place in ("kata-sandi", "dua-langkah", "akun-kampus", "pemberitahuan", "tampilan"):
        assert f'href="/saya/{place}"' in page


def test_one_session_ended_on_the_page_is_gone_at_once_and_the_others_stay(house: House, visitor: Enter) -> None:
    ani = visitor()
    phone = _again(house, ani)
    assert phone.client.get("/api/toys").status_code == 200
    other = re.search(r'action="(/saya/sesi/[0-9a-f]{64}/pengakhiran)"', ani.client.get("/saya").text)
    assert other

    ended = ani.client.post(other[1], data={"form_token": ani.form_token})

    assert ended.headers["location"] == "/saya"
    assert phone.client.get("/api/toys").status_code == 401
    assert ani.client.get("/api/toys").status_code == 200
    phone.client.close()


def test_leaving_every_device_ends_all_sessions_and_leaves_the_tokens(house: House, visitor: Enter) -> None:
    ani, budi = visitor(), visitor()
    phone = _again(house, ani)
    made = ani.client.post("/api/tokens", json={"name": "skrip"}, headers=ani.token_header).json()

    left = ani.client.post("/saya/sesi/pengakhiran", data={"form_token": ani.form_token})

    assert left.headers["location"] == "/masuk"
    assert [one.client.get("/api/toys").status_code for one in (ani, phone, budi)] == [401, 401, 200]
    with house.client() as program:
        assert program.get("/api/toys", headers={"authorization": f"Bearer {made['token']}"}).status_code == 200
    phone.client.close()


def test_a_program_ends_one_session_or_all(house: House, visitor: Enter) -> None:
    ani = visitor()
    phone, tablet = _again(house, ani), _again(house, ani, FIREFOX)
    that = next(row["id"] for row in ani.client.get("/api/sessions").json() if row["device"] == "Firefox di Windows")

    one = ani.client.delete(f"/api/sessions/{that}", headers=ani.token_header)
    again = ani.client.delete(f"/api/sessions/{that}", headers=ani.token_header)

    assert (one.status_code, again.status_code, tablet.client.get("/api/toys").status_code) == (204, 404, 401)
    assert phone.client.get("/api/toys").status_code == 200
    assert ani.client.delete("/api/sessions", headers=ani.token_header).status_code == 204
    assert phone.client.get("/api/toys").status_code == 401
    phone.client.close(), tablet.client.close()


def test_nobody_ends_somebody_elses_session(people: Database, visitor: Enter) -> None:
    ani, budi = visitor(), visitor()
    theirs = sign_in.digest(budi.client.cookies["alur"])

    answer = ani.client.delete(f"/api/sessions/{theirs}", headers=ani.token_header)

    assert answer.status_code == 404 and budi.client.get("/api/toys").status_code == 200
    with people.transaction() as session, pytest.raises(NotFound):
        by = session.scalars(select(Person).where(Person.username == ani.username)).one().as_signed()
        own.end_own(session, by, theirs, now=utc_now())


def test_sessions_that_idled_out_are_not_listed(people: Database, house: House, visitor: Enter) -> None:
    ani = visitor()
    phone = _again(house, ani)
    with people.transaction() as session:
        old = update(Session).where(Session.id == sign_in.digest(phone.client.cookies["alur"]))
        session.execute(old.values(seen_at=utc_now() - timedelta(minutes=31)))

    assert len(ani.client.get("/api/sessions").json()) == 1
    phone.client.close()


def test_a_token_sees_and_ends_no_sessions(house: House, visitor: Enter) -> None:
    ani = visitor()
    made = ani.client.post("/api/tokens", json={"name": "skrip"}, headers=ani.token_header).json()
    bearer = {"authorization": f"Bearer {made['token']}"}

    with house.client() as program:
        for method, path in (("GET", "/api/sessions"), ("DELETE", "/api/sessions"), ("POST", "/api/second-factor")):
            assert program.request(method, path, headers=bearer).status_code == 403


# W12: a session is nobody else's ------------------------------------------------------------------------------------


def test_w12_a_session_chosen_by_an_attacker_is_never_signed_in(house: House, somebody: Callable[..., str]) -> None:
    with house.client() as attacker:
        chosen = "dipilih-penyerang-dari-awal-sampai-akhir"
        attacker.cookies.set("alur", chosen)
        given = attacker.post("/masuk", data={"username": somebody(), "password": PASSWORD})

        assert chosen not in given.headers["set-cookie"]
        assert attacker.get("/api/toys", headers={"cookie": f"alur={chosen}"}).status_code == 401


def test_w12_signing_in_over_a_session_ends_it_for_whoever_knows_it(house: House, visitor: Enter) -> None:
    ani = visitor()
    known = ani.client.cookies["alur"]

    ani.client.post("/masuk", data={"username": ani.username, "password": PASSWORD})

    assert ani.client.cookies["alur"] != known and ani.client.get("/api/toys").status_code == 200
    assert httpx.get(f"{house.url}/api/toys", headers={"cookie": f"alur={known}"}).status_code == 401


def test_w12_a_copied_cookie_dies_with_signing_out(house: House, visitor: Enter) -> None:
    ani = visitor()
    copied = {"cookie": f"alur={ani.client.cookies['alur']}"}
    assert httpx.get(f"{house.url}/api/toys", headers=copied).status_code == 200

    ani.client.post("/keluar", data={"form_token": ani.form_token})

    assert httpx.get(f"{house.url}/api/toys", headers=copied).status_code == 401


def test_w12_an_account_closed_meanwhile_is_out_within_two_seconds(
    people: Database, house: House, visitor: Enter
) -> None:
    ani = visitor()
    assert ani.client.get("/api/toys").status_code == 200

    with people.transaction() as session:
        actions.shut_out(session, username=ani.username)

    # Closed by another process: what this one remembers of the session is forgotten by itself.
    deadline = utc_now() + timedelta(seconds=4)
    asked_at = utc_now()
    while (status := ani.client.get("/api/toys").status_code) == 200:
        assert asked_at < deadline
        asked_at = utc_now()
    assert status == 401
    assert ani.client.post("/masuk", data={"username": ani.username, "password": PASSWORD}).status_code == 401
