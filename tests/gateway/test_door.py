"""Who is let in and which requests are not trusted: cookies, form tokens, foreign pages, forged headers, tokens."""

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from services.gateway.app import make
from services.gateway.door.inlet import FORM_LIMIT
from services.gateway.settings import Settings
from shared import identity
from shared.errors import NotSignedIn
from shared.identity import HEADER, Caller, Person, Role
from tests.gateway.conftest import PASSWORD, House, Visitor, serving

Enter = Callable[..., Visitor]


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House, somebody: Callable[..., str]) -> None:
    with house.client() as client:
        answer = client.post("/api/session", json={"username": somebody(), "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("alur=") and "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert "domain" not in cookie


def test_over_https_the_cookie_is_bound_to_https_and_this_host(
    settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    gateway = make(settings_for(public_url="https://alur.kampus.example"), {})
    with serving(gateway) as url, httpx.Client(base_url=url) as client:
        answer = client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
    gateway.database.close()

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-alur=") and "Secure" in cookie and "Path=/" in cookie
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_wrong_password_is_a_problem_in_words(house: House, somebody: Callable[..., str]) -> None:
    with house.client() as client:
        answer = client.post("/api/session", json={"username": somebody(), "password": "salah"})

    assert _code(answer) == (401, "wrong_credentials")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers


def test_too_many_failures_are_told_when_to_come_back(house: House, somebody: Callable[..., str]) -> None:
    username = somebody()
    with house.client() as client:
        codes = [
            client.post("/api/session", json={"username": username, "password": "salah"}).status_code for _ in range(6)
        ]
        answer = client.post("/api/session", json={"username": username, "password": PASSWORD})

    assert codes[:5] == [401] * 5
    assert _code(answer) == (429, "too_many_attempts") and int(answer.headers["retry-after"]) >= 1


def test_a_body_that_is_no_json_is_refused_in_words(house: House) -> None:
    with house.client() as client:
        answer = client.post("/api/session", content=b"{bukan", headers={"content-type": "application/json"})

    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"


def test_the_form_keeps_the_name_and_says_what_to_do(house: House) -> None:
    with house.client() as client:
        answer = client.post("/masuk", data={"username": 'ani"><b>', "password": "salah", "next": "/mainan"})

    assert answer.status_code == 401
    assert "ani&#34;&gt;&lt;b&gt;" in answer.text and 'value="/mainan"' in answer.text
    assert "tidak cocok" in answer.text and "salah" not in answer.text.split("<form")[1]


def test_signing_in_leads_to_the_page_that_was_wanted(house: House, somebody: Callable[..., str]) -> None:
    with house.client() as client:
        sent_away = client.get("/mainan?a=1")
        assert sent_away.headers["location"] == "/masuk?next=/mainan%3Fa%3D1"

        entered = client.post("/masuk", data={"username": somebody(), "password": PASSWORD, "next": "/mainan?a=1"})

        assert (entered.status_code, entered.headers["location"]) == (303, "/mainan?a=1")
        assert client.get("/mainan?a=1").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//jahat.example", "https://jahat.example", "/\\jahat.example", "javascript:alert(1)", "/a\r\nb", "/%0a\n"],
)
def test_signing_in_never_leads_to_another_site(house: House, somebody: Callable[..., str], target: str) -> None:
    with house.client() as client:
        entered = client.post("/masuk", data={"username": somebody(), "password": PASSWORD, "next": target})

    assert entered.headers["location"] == "/"


def test_a_session_that_ended_is_said_on_the_sign_in_page(house: House) -> None:
    with house.client() as client:
        client.cookies.set("alur", "sudah-lama-berakhir")
        sent_away = client.get("/mainan")
        shown = client.get(sent_away.headers["location"])

    assert "Sesi Anda sudah berakhir" in shown.text


def test_without_a_session_a_page_leads_to_signing_in_and_the_api_says_401(house: House) -> None:
    with house.client() as client:
        page, api = client.get("/mainan"), client.get("/api/toys")

    assert page.status_code == 303 and page.headers["location"].startswith("/masuk")
    assert _code(api) == (401, "not_signed_in") and api.headers["www-authenticate"] == "Bearer"


def test_leaving_ends_the_session_at_once(house: House, visitor: Enter) -> None:
    ani = visitor()
    assert ani.client.get("/api/toys").status_code == 200

    left = ani.client.post("/keluar", data={"form_token": ani.form_token})

    assert (left.status_code, left.headers["location"]) == (303, "/masuk")
    with house.client() as client:
        client.cookies = ani.client.cookies
        assert client.get("/api/toys").status_code == 401


def test_leaving_through_the_api_ends_the_session_too(visitor: Enter) -> None:
    ani = visitor()
    token = ani.client.cookies["alur"]

    assert ani.client.delete("/api/session", headers=ani.token_header).status_code == 204

    assert ani.client.get("/api/toys", headers={"cookie": f"alur={token}"}).status_code == 401


def test_the_token_of_a_session_changes_with_every_sign_in(house: House, somebody: Callable[..., str]) -> None:
    username = somebody()
    with house.client() as client:
        client.cookies.set("alur", "dipilih-penyerang")
        tokens = set()
        for _ in range(2):
            answer = client.post("/api/session", json={"username": username, "password": PASSWORD})
            tokens.add(answer.cookies["alur"])
    assert len(tokens) == 2 and "dipilih-penyerang" not in tokens


# Form tokens and foreign pages -----------------------------------------------------------------------------


def test_w11_a_change_without_a_form_token_is_refused(house: House, visitor: Enter) -> None:
    ani = visitor()

    assert _code(ani.client.post("/api/toys", json={"name": "a"})) == (403, "form_token_missing")
    assert all(h.get("x-test") != "a" for h in house.toys.heard)


@pytest.mark.parametrize("wrong", ["x", "ü", ""])
def test_w11_a_change_with_another_sessions_form_token_is_refused(visitor: Enter, wrong: str) -> None:
    ani, budi = visitor(), visitor()
    given = (wrong or budi.form_token).encode()

    answer = ani.client.post("/api/toys", json={"name": "a"}, headers=[(b"x-form-token", given)])

    assert _code(answer) == (403, "form_token_wrong")


def test_a_change_with_the_form_token_reaches_the_division(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.post("/api/toys", json={"name": "a"}, headers=ani.token_header)

    assert (answer.status_code, answer.json()) == (201, {"name": "a", "by": ani.username})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://jahat.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1.jahat.example:8000"},
        {"referer": "https://jahat.example/halaman"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_w11_a_change_sent_from_another_site_is_refused(visitor: Enter, headers: dict[str, str]) -> None:
    ani = visitor()

    answer = ani.client.post("/api/toys", json={"name": "a"}, headers={**ani.token_header, **headers})

    assert _code(answer) == (403, "foreign_origin")


@pytest.mark.parametrize("path", ["/masuk", "/api/session"])
def test_w11_another_site_cannot_sign_somebody_in(house: House, somebody: Callable[..., str], path: str) -> None:
    given = {"username": somebody(), "password": PASSWORD}
    foreign = {"origin": "https://jahat.example"}
    with house.client() as client:
        if path.startswith("/api"):
            answer = client.post(path, headers=foreign, json=given)
        else:
            answer = client.post(path, headers=foreign, data=given)

    assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_a_change_from_our_own_page_passes(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.post(
        "/api/toys", json={"name": "a"}, headers={**ani.token_header, "origin": "http://127.0.0.1:8000"}
    )

    assert answer.status_code == 201


def test_a_form_carries_its_token_and_key_as_fields(house: House, visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.post(
        "/mainan", data={"form_token": ani.form_token, "idempotency_key": "kunci-1", "judul": "é & +"}
    )

    assert answer.status_code == 303
    heard = house.toys.heard[-1]
    assert heard["idempotency-key"] == "kunci-1" and heard["judul"] == "é & +"


def test_an_upload_carries_them_as_its_first_fields(house: House, visitor: Enter) -> None:
    ani = visitor()
    fields = {"form_token": ani.form_token, "idempotency_key": "kunci-2", "judul": "x"}

    answer = ani.client.post("/mainan", data=fields, files={"berkas": ("a.zip", b"\r\n--isi" * 50_000)})

    assert answer.status_code == 303
    assert house.toys.heard[-1]["idempotency-key"] == "kunci-2" and house.toys.heard[-1]["judul"] == "x"


def test_w11_a_form_token_behind_other_fields_of_an_upload_does_not_count(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.post(
        "/mainan", data={"judul": "x", "form_token": ani.form_token}, files={"berkas": ("a.zip", b"isi")}
    )

    assert answer.status_code == 403 and "tanda formulir" in answer.text


def test_a_key_given_as_header_wins_over_the_field(house: House, visitor: Enter) -> None:
    ani = visitor()

    ani.client.post(
        "/mainan",
        data={"form_token": ani.form_token, "idempotency_key": "dari-isian"},
        headers={"idempotency-key": "dari-kepala"},
    )

    assert house.toys.heard[-1]["idempotency-key"] == "dari-kepala"


def test_w11_no_own_page_changes_anything_without_the_form_token(visitor: Enter) -> None:
    """Every own form at once: a page forgotten here would be open to other sites."""
    ani = visitor()
    own = ("/keluar", "/saya/token", "/saya/sesi/pengakhiran", "/saya/dua-langkah/mulai", "/saya/dua-langkah/mati")

    answers = {path: ani.client.post(path, data={"name": "a", "days": "5"}).status_code for path in own}

    assert set(answers.values()) == {403}
    assert ani.client.get("/api/toys").status_code == 200 and ani.client.get("/api/tokens").json() == []


# Headers that only the gateway may write ---------------------------------------------------------------------


def _forged(house: House, key: bytes) -> str:
    head = Person(id=UUID(int=1), username="kepala", name="Kepala", roles=frozenset({Role.HEAD}))
    return identity.sign(Caller(person=head), key=key, audience="budget")


def test_a_forged_person_header_does_not_let_in(house: House) -> None:
    # Even one with the right signature: what comes from outside is dropped unread.
    real_key = house.keys.pair("gateway", "budget", use="person")
    with house.client() as client:
        for key in (b"x" * 32, real_key):
            answer = client.get("/api/toys", headers={HEADER: _forged(house, key)})
            assert _code(answer) == (401, "not_signed_in")


@pytest.mark.parametrize("name", [HEADER, HEADER.upper(), "X-Alur-Person"])
def test_a_forged_person_header_beside_a_session_changes_nothing(house: House, visitor: Enter, name: str) -> None:
    ani = visitor()
    forged = _forged(house, house.keys.pair("gateway", "budget", use="person"))

    answer = ani.client.get("/api/toys", headers=[(name, forged), (name, forged)])

    assert answer.json() == [{"name": ani.username}]


def test_secrets_of_the_visitor_do_not_reach_a_division(house: House, visitor: Enter) -> None:
    ani = visitor()

    ani.client.post("/api/toys", json={"name": "a"}, headers={**ani.token_header, "x-forwarded-for": "1.2.3.4"})

    heard = house.toys.heard[-1]
    assert ani.client.cookies["alur"] not in str(heard)
    assert not {"cookie", "authorization", "x-form-token", "x-forwarded-for"} & set(heard)


def test_the_header_for_one_division_opens_no_other(house: House, visitor: Enter) -> None:
    ani = visitor()
    ani.client.post("/api/toys", json={"name": "a"}, headers=ani.token_header)
    header = house.toys.heard[-1][HEADER]

    key = house.keys.pair("gateway", "budget", use="person")
    assert identity.read(header, key=key, audience="budget").person.username == ani.username
    with pytest.raises(NotSignedIn):
        identity.read(header, key=key, audience="deploy")


@pytest.mark.parametrize(
    "path", ["/inner/doors", "//inner/doors", "/x/../inner/doors", "/%69nner/doors", "/inner%2fdoors"]
)
def test_what_divisions_tell_the_gateway_is_not_for_outside(visitor: Enter, path: str) -> None:
    ani = visitor()

    raw = httpx.Request("GET", ani.client.base_url, extensions={"target": path.encode()}, headers={"host": "x"})
    raw.headers["cookie"] = f"alur={ani.client.cookies['alur']}"

    assert ani.client.send(raw).status_code == 404


# Tokens ------------------------------------------------------------------------------------------------------


def _token(ani: Visitor, **wish: object) -> str:
    answer = ani.client.post("/api/tokens", json={"name": "skrip", "days": 7, **wish}, headers=ani.token_header)
    assert answer.status_code == 201, answer.text
    text: str = answer.json()["token"]
    return text


def test_a_token_works_without_cookie_and_form_token(house: House, visitor: Enter) -> None:
    ani = visitor()
    bearer = {"authorization": f"Bearer {_token(ani)}"}

    with house.client() as client:
        answer = client.post("/api/toys", json={"name": "a"}, headers=bearer)

    assert answer.json() == {"name": "a", "by": ani.username}


def test_a_token_for_reading_changes_nothing(house: House, visitor: Enter) -> None:
    bearer = {"authorization": f"Bearer {_token(visitor(), scopes=['read'])}"}

    with house.client() as client:
        assert client.get("/api/toys", headers=bearer).status_code == 200
        assert _code(client.post("/api/toys", json={"name": "a"}, headers=bearer)) == (403, "not_allowed")


def test_a_revoked_token_is_refused_at_once(house: House, visitor: Enter) -> None:
    ani = visitor()
    bearer = {"authorization": f"Bearer {_token(ani)}"}
    with house.client() as client:
        assert client.get("/api/toys", headers=bearer).status_code == 200
        listed = ani.client.get("/api/tokens").json()

        ani.client.delete(f"/api/tokens/{listed[0]['id']}", headers=ani.token_header)

        assert client.get("/api/toys", headers=bearer).status_code == 401
    assert "token" not in listed[0] and ani.client.get("/api/tokens").json() == []


def test_a_token_makes_no_token(house: House, visitor: Enter) -> None:
    bearer = {"authorization": f"Bearer {_token(visitor())}"}

    with house.client() as client:
        answer = client.post("/api/tokens", json={"name": "anak"}, headers=bearer)

    assert _code(answer) == (403, "not_allowed")


def test_a_wrong_token_is_refused_even_beside_a_good_cookie(visitor: Enter) -> None:
    ani = visitor()

    assert ani.client.get("/api/toys", headers={"authorization": "Bearer alur_salah"}).status_code == 401
    assert ani.client.get("/api/toys", headers={"authorization": "Basic YTpi"}).status_code == 401


def test_a_cookie_is_no_token_and_a_token_no_cookie(house: House, visitor: Enter) -> None:
    ani = visitor()
    cookie, token = ani.client.cookies["alur"], _token(ani)

    with house.client() as client:
        assert client.get("/api/toys", headers={"authorization": f"Bearer {cookie}"}).status_code == 401
        assert client.get("/api/toys", headers={"cookie": f"alur={token}"}).status_code == 401


def test_a_token_made_on_the_page_is_shown_there_once(visitor: Enter) -> None:
    ani = visitor()

    made = ani.client.post("/saya/token", data={"form_token": ani.form_token, "name": "skrip", "days": "5"})

    assert "alur_" in made.text.split("secret")[1]
    assert '<code class="secret">' not in ani.client.get("/saya").text


# Limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False])
def test_a_form_over_one_mebibyte_is_refused(visitor: Enter, announced: bool) -> None:
    ani = visitor()
    body = b'{"name":"' + b"a" * FORM_LIMIT + b'"}'

    answer = ani.client.post(
        "/api/toys",
        content=body if announced else iter([body[:1000], body[1000:]]),
        headers={**ani.token_header, "content-type": "application/json"},
    )

    assert _code(answer) == (413, "too_large")
