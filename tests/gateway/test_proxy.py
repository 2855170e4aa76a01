"""Requests pass through to the divisions and back as streams; the page is put around; silence is told."""

import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from alur.settings import free_port
from services.gateway.app import make
from services.gateway.door import inlet
from services.gateway.door.doors import prefix_of
from services.gateway.door.remote import KEPT, RemoteDoor
from services.gateway.settings import Settings
from shared.identity import Role
from tests.gateway.conftest import PASSWORD, House, Visitor, serving, toy_division

Enter = Callable[..., Visitor]


def test_a_fragment_comes_inside_the_page(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.get("/mainan")

    assert answer.text.startswith("<!doctype html>") and f"<h1>Halo {ani.username}</h1>" in answer.text
    assert "<title>Mainan &amp; &lt;lain&gt; · Alur</title>" in answer.text
    assert '<a href="/mainan" aria-current="page">' in answer.text
    assert "Orang Contoh" in answer.text and f'value="{ani.form_token}"' in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "x-alur-title" not in answer.headers


def test_a_script_gets_the_fragment_bare(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.get("/mainan", headers={"hx-request": "true"})

    assert answer.text == f"<h1>Halo {ani.username}</h1>"


def test_the_rail_shows_what_the_persons_posts_allow(visitor: Enter) -> None:
    assert "/mainan/rahasia" not in visitor(Role.PROPOSER).client.get("/mainan").text
    assert "/mainan/rahasia" in visitor(Role.HEAD).client.get("/mainan").text


def test_html_that_is_no_page_of_ours_can_do_nothing(visitor: Enter) -> None:
    answer = visitor().client.get("/mainan/kiriman")

    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; sandbox")


@pytest.mark.parametrize("path", ["/", "/masuk", "/mainan", "/api/toys", "/api/health", "/tidak-ada", "/api/toys/bug"])
def test_every_answer_is_guarded_by_its_headers(visitor: Enter, path: str) -> None:
    answer = visitor().client.get(path)

    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy and "base-uri 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_a_bug_in_a_division_tells_a_number_and_no_detail(visitor: Enter) -> None:
    answer = visitor().client.get("/api/toys/bug")

    assert answer.status_code == 500 and answer.json()["code"] == "internal"
    assert "secret detail" not in answer.text and "RuntimeError" not in answer.text


def test_a_path_of_nobody_is_not_found(visitor: Enter) -> None:
    ani = visitor()

    page, api = ani.client.get("/tidak-ada"), ani.client.get("/api/tidak-ada")

    assert page.status_code == 404 and "<!doctype html>" in page.text
    assert api.status_code == 404 and api.headers["content-type"] == "application/problem+json"


def test_log_lines_arrive_one_by_one_in_order(house: House, visitor: Enter) -> None:
    ani = visitor()
    house.toys.released.clear()
    lines = []

    with ani.client.stream("GET", "/api/toys/log", headers={"accept": "text/event-stream"}) as answer:
        for line in answer.iter_lines():
            lines.append(line)
            if line == "data: satu":
                # The division says the second line only now: a gateway that gathered would wait for ever.
                house.toys.released.set()

    assert [line for line in lines if line.startswith("data")] == ["data: satu", "data: dua"]


def test_a_stream_ends_in_the_division_when_the_reader_goes(house: House, visitor: Enter) -> None:
    ani = visitor()
    house.toys.released.clear()
    house.toys.left.clear()

    with ani.client.stream("GET", "/api/toys/log", headers={"accept": "text/event-stream"}) as answer:
        next(answer.iter_lines())
    house.toys.released.set()

    assert house.toys.left.wait(20)


def _upload(ani: Visitor, pieces: Iterator[bytes]) -> httpx.Response:
    head = (
        '--batas\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n'
        f'{ani.form_token}\r\n--batas\r\nContent-Disposition: form-data; name="idempotency_key"\r\n\r\nk\r\n'
        '--batas\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    ).encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from pieces
        yield b"\r\n--batas--\r\n"

    return ani.client.post(
        "/api/toys/upload", content=body(), headers={"content-type": "multipart/form-data; boundary=batas"}
    )


def test_an_upload_reaches_the_division_before_it_is_whole(house: House, visitor: Enter) -> None:
    ani = visitor()
    house.toys.first_piece.clear()
    seen = []

    def pieces() -> Iterator[bytes]:
        yield b"a" * 200_000
        # The rest is sent only when the division has the first piece in its hands.
        seen.append(house.toys.first_piece.wait(20))
        yield b"b" * 200_000

    answer = _upload(ani, pieces())

    assert seen == [True] and answer.json()["size"] > 400_000


def test_an_upload_over_the_limit_is_refused_on_the_way(
    house: House, visitor: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inlet, "UPLOAD_LIMIT", 300_000)

    answer = _upload(visitor(), iter([b"a" * 100_000] * 8))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_silent_division_is_named_and_the_others_go_on(
    house: House, settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    gateway = make(settings_for(), {"budget": house.toys.app, "deploy": RemoteDoor(f"http://127.0.0.1:{free_port()}")})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"}) as client:
        client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        silent, api = client.get("/server"), client.get("/api/servers")
        others, start = client.get("/mainan"), client.get("/")
    gateway.database.close()

    assert silent.status_code == 503 and "Divisi Infrastruktur" in silent.text and "<!doctype html>" in silent.text
    assert (api.status_code, api.json()["code"]) == (503, "part_silent") and api.headers["retry-after"]
    assert others.status_code == 200
    assert "Divisi Infrastruktur sedang tidak menjawab" in start.text and "Dulu" in start.text


class _Switched:
    """A door that can be made to fall silent and to answer again, as a stopped process does."""

    def __init__(self, app: object, dead: RemoteDoor) -> None:
        self.app, self.dead, self.answers = app, dead, True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.app if self.answers else self.dead)(scope, receive, send)  # type: ignore[operator]


def test_a_division_that_comes_back_is_served_again(
    settings_for: Callable[..., Settings], somebody: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.door.doors.ASK_AGAIN", 0.0)
    toys = toy_division(settings_for())
    door = _Switched(toys.app, RemoteDoor(f"http://127.0.0.1:{free_port()}"))
    gateway = make(settings_for(), {"budget": door})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"}) as client:
        client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        codes = []
        for door.answers in (True, False, False, True):
            codes.append(client.get("/mainan").status_code)
    gateway.database.close()

    assert codes == [200, 503, 503, 200]


def test_an_idle_connection_is_given_up_before_the_division_closes_it() -> None:
    assert uvicorn.Config(toy_division).timeout_keep_alive > KEPT + 1


def test_a_division_that_starts_after_the_gateway_is_found(
    settings_for: Callable[..., Settings], somebody: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.door.doors.ASK_AGAIN", 0.0)
    toys = toy_division(settings_for())
    door = _Switched(toys.app, RemoteDoor(f"http://127.0.0.1:{free_port()}"))
    door.answers = False
    gateway = make(settings_for(), {"budget": door})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"}) as client:
        client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        before = client.get("/mainan").status_code
        door.answers = True
        after = client.get("/mainan").status_code
    gateway.database.close()

    assert (before, after) == (503, 200)


def test_a_division_killed_in_the_middle_of_an_answer_does_not_look_whole(
    settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def half_an_answer() -> None:
        doors = b'{"prefixes": ["/api/halves"], "navigation": []}'
        for said in (b"Content-Length: %d\r\n\r\n" % len(doors) + doors, b"Content-Length: 1000\r\n\r\nsetengah"):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + said)

    speaker = threading.Thread(target=half_an_answer, daemon=True)
    speaker.start()
    gateway = make(settings_for(), {"deploy": RemoteDoor(f"http://127.0.0.1:{port}")})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20) as client:
        client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/api/halves")
    gateway.database.close()
    speaker.join(20)
    listening.close()


def test_a_path_that_two_divisions_claim_stays_with_the_first(
    settings_for: Callable[..., Settings], somebody: Callable[..., str], house: House
) -> None:
    later = toy_division(settings_for())
    gateway = make(settings_for(), {"security": later.app, "budget": house.toys.app})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20) as client:
        client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        answer = client.get("/api/toys")
    gateway.database.close()
    later.app.state.database.close()

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("/perkara/1/x", "/perkara"), ("/api/cases/1", "/api/cases"), ("/api", "/api"), ("/", "/"), ("/apix/a", "/apix")],
)
def test_a_path_is_found_by_its_beginning(path: str, prefix: str) -> None:
    assert prefix_of(path) == prefix


def test_the_address_of_a_division_must_be_one() -> None:
    with pytest.raises(ValueError, match="http"):
        RemoteDoor("budget:8000")


def test_the_outer_proxy_alone_may_say_whom_it_speaks_for(
    settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    answers = []
    for trusted in ("", "127.0.0.1"):
        username = somebody()
        gateway = make(settings_for(trusted_proxy=trusted), {})
        with serving(gateway) as url, httpx.Client(base_url=url) as client:
            for n in range(7):
                answer = client.post(
                    "/api/session",
                    json={"username": username, "password": "salah"},
                    headers={"x-forwarded-for": f"198.51.100.{n}"},
                )
        gateway.database.close()
        answers.append(answer.status_code)

    # Untrusted, they all came from one socket; trusted, from seven addresses.
    assert answers == [429, 401]
