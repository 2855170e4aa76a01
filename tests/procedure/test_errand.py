"""What a command does when the answer gets lost: a stream goes on where it was, an act is sent under one key."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from alur.errand import Errand, ErrandSettings
from shared.errors import Refused


class Heard(BaseHTTPRequestHandler):
    """Answers by the script of its server, and remembers what it heard."""

    def _answer(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server.heard.append((self.command, self.path, dict(self.headers.items()), body))
        status, kind, text = server.script.pop(0)
        if status == 0:
            # Cut off before an answer.
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def scripted(*script: tuple[int, str, str]) -> Iterator[tuple[Errand, list[Any]]]:
    """Give an errand to a server that answers so, in turn, and what the server heard."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Heard)
    server.script, server.heard = list(script), []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings = ErrandSettings(url=f"http://127.0.0.1:{server.server_address[1]}", token=SecretStr("rahasia"))
    try:
        with Errand(settings) as errand:
            yield errand, server.heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def line(number: int) -> str:
    """Return one event of a log as it goes over the wire."""
    return f'id: 1.{number}\ndata: {{"text": "baris {number}"}}\n\n'


STREAM = "text/event-stream"


def test_a_stream_that_is_cut_off_goes_on_after_the_last_line() -> None:
    script = (
        (200, STREAM, line(1) + ": ping\n\n" + line(2)),
        (503, "application/problem+json", "{}"),
        (200, STREAM, line(3) + 'event: end\ndata: {"over": true}\n\n' + line(4)),
    )
    with scripted(*script) as (errand, heard):
        told = [event.data["text"] for event in errand.follow("/log")]

    assert told == ["baris 1", "baris 2", "baris 3"]
    assert [headers.get("last-event-id") for _, _, headers, _ in heard] == [None, "1.2", "1.2"]


def test_an_act_whose_answer_got_lost_is_sent_again_under_the_same_key() -> None:
    with scripted((0, "", ""), (503, "application/json", "{}"), (200, "application/json", '{"ok": true}')) as (
        errand,
        heard,
    ):
        done = errand.post("/act", {"a": 1})

    keys = {headers["idempotency-key"] for _, _, headers, _ in heard}
    assert done == {"ok": True}
    assert len(heard) == 3 and len(keys) == 1
    assert heard[0][2]["authorization"] == "Bearer rahasia"


def test_a_refusal_is_told_in_the_words_of_alur() -> None:
    problem = '{"title": "Anda tidak berwenang", "detail": "Bukan Anda.", "code": "not_allowed", "status": 403}'
    with scripted((403, "application/problem+json", problem)) as (errand, _), pytest.raises(Refused) as told:
        errand.get("/case")

    assert (told.value.status, told.value.title, told.value.detail) == (403, "Anda tidak berwenang", "Bukan Anda.")
