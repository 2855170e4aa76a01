"""A kept form sent on for the person who filled it in: done, or only drawn with what was typed."""

import asyncio
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message

from services.gateway.door.doors import Doors, inner_scope
from services.gateway.door.remote import Silent
from shared import identity
from shared.errors import Unavailable
from shared.identity import Caller
from shared.pages import DRAW
from shared.sentence import Sentence

NOT_PASSED_BACK = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date", b"server"})
ANSWER_WITHIN = 60.0
"""Seconds; longer work is a job in every division."""


@dataclass
class Sent:
    """The answer to a kept form."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


async def send(
    doors: Doors, own: ASGIApp, *, caller: Caller, path: str, body: bytes, key: str = "", address: str = ""
) -> Sent:
    """Send a kept form to its door and return the answer; with a key it is done at most once.

    Raises Unavailable when the division is silent.
    """
    return await _ask(doors, own, "POST", caller=caller, path=path, body=body, key=key, address=address)


async def draw(doors: Doors, own: ASGIApp, *, caller: Caller, path: str, body: bytes) -> Sent:
    """Ask for the page of a form with what was typed in it: nothing is done; raise Unavailable."""
    return await _ask(doors, own, DRAW, caller=caller, path=path, body=body)


async def _ask(
    doors: Doors, own: ASGIApp, method: str, *, caller: Caller, path: str, body: bytes, key: str = "", address: str = ""
) -> Sent:
    place, _, query = path.partition("?")
    part = await doors.owner_of(place)
    headers = [
        (b"accept", b"text/html"),
        (b"accept-encoding", b"identity"),
        (b"host", b"inner"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", str(len(body)).encode()),
    ]
    if key:
        headers.append((b"idempotency-key", key.encode("latin-1", "replace")))
    if part:
        headers.append((identity.HEADER.encode(), part.signed(caller)))
    scope = inner_scope(path=place, query=query.encode("latin-1"), headers=headers, method=method)
    if part is None:
        scope["state"] = {"caller": caller, "by_cookie": True, "cookie": "", "pending": "", "address": address}
    answer = await _heard(part.app if part else own, scope, body)
    if answer is None:
        raise Unavailable(
            Sentence(
                "Bagian {title} sedang tidak menjawab. Isian Anda masih tersimpan; mohon ulangi beberapa saat lagi.",
                title=part.title if part else "ini",
            ),
            code="part_silent",
        )
    return answer


async def _heard(app: ASGIApp, scope: dict[str, object], body: bytes) -> Sent | None:
    """Return the whole answer, or None when there was none."""
    sent, answered, pieces = Sent(), asyncio.Event(), [body]

    async def receive() -> Message:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(), "more_body": False}
        await answered.wait()
        return {"type": "http.disconnect"}

    async def hear(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.status = message["status"]
            sent.headers = [(k, v) for k, v in message.get("headers", []) if k.lower() not in NOT_PASSED_BACK]
        elif message["type"] == "http.response.body":
            sent.body += message.get("body", b"")
            if not message.get("more_body", False):
                answered.set()

    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await app(scope, receive, hear)
    except (Silent, TimeoutError):
        return None
    except Exception:
        # The division has logged it and, as a rule, answered 500 already.
        if not answered.is_set():
            raise
    return sent if answered.is_set() else None
