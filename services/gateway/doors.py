"""The web doors of the divisions, in process or over HTTP, and which path belongs to which.

A door is an ASGI application, wherever it runs; whoever calls it cannot tell the two shapes apart.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import identity
from shared.database import utc_now
from shared.identity import Caller, Person
from shared.keys import DIVISIONS, GATEWAY, Keys
from shared.log import logger
from shared.web import NavigationEntry

TITLES = {
    "proposal": "Divisi Aplikasi",
    "budget": "Anggaran",
    "deploy": "Divisi Infrastruktur",
    "security": "Divisi Monitoring dan Security",
    "helpdesk": "Divisi Layanan dan Sosialisasi",
}
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade".split()
)
ASK_WITHIN = 3.0
"""Seconds that one division may take for a part of a page that others share."""
ASK_AGAIN = 1.0
"""Seconds before a door that was silent is asked for its prefixes again."""
CONNECT, READ, WRITE = 2.0, 30.0, 30.0


class Silent(Exception):  # noqa: N818 - a state of the other side, not a fault of ours
    """A division did not answer at all."""


class CallerGone(Exception):  # noqa: N818 - ordinary: people close pages
    """Who asked went away before everything was sent."""


class RemoteDoor:
    """A division's web door in another process: an ASGI application that streams to it and back over HTTP."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"the address of a division must be http(s)://host[:port], not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self._clients: dict[int, httpx.AsyncClient] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; raise Silent when no answer has begun."""
        if scope["type"] != "http":
            return
        headers = [(k, v) for k, v in scope["headers"] if k not in HOP_BY_HOP]
        names = {k for k, _ in headers}
        body = _Body(receive) if b"content-length" in names or _is_chunked(scope) else None
        request = httpx.Request(
            scope["method"],
            self.base_url + _raw_target(scope),
            headers=headers,
            content=body.chunks() if body else None,
            # A stream of log lines may be quiet for as long as the work is.
            extensions={"timeout": _patience(is_stream=_wants_stream(scope))},
        )
        try:
            response = await self._client().send(request, stream=True, follow_redirects=False)
        except httpx.TransportError as reason:
            raise Silent(str(reason) or type(reason).__name__) from reason
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": [(k.lower(), v) for k, v in response.headers.raw if k.lower() not in HOP_BY_HOP],
                }
            )
            await _until_gone(_pour(response, send), body.gone if body else _gone(receive))
        finally:
            await response.aclose()

    def _client(self) -> httpx.AsyncClient:
        # Connections belong to the event loop that opened them; tests have several loops, a server one.
        loop = id(asyncio.get_running_loop())
        if loop not in self._clients:
            limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
            self._clients[loop] = httpx.AsyncClient(limits=limits, trust_env=False)
        return self._clients[loop]

    async def close(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(id(asyncio.get_running_loop()), None)
        if client:
            await client.aclose()


class _Body:
    """A request's body as an iterator, which afterwards tells when the caller has gone."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_ended = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerGone
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]
        self._has_ended.set()

    @property
    async def gone(self) -> None:
        # Two readers of one `receive` would steal from each other.
        await self._has_ended.wait()
        await _gone(self._receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pour(response: httpx.Response, send: Send) -> None:
    try:
        async for chunk in response.aiter_raw():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except httpx.TransportError as reason:
        # The answer has begun: nothing can be taken back, but it must not look complete.
        raise Silent(str(reason) or type(reason).__name__) from reason
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(work: Any, gone: Any) -> None:
    """Work until done, or until the caller has gone away."""
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(gone)
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


def _raw_target(scope: Scope) -> str:
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    return (raw.split(b"?")[0] + (b"?" + query if query else b"")).decode("ascii")


def _is_chunked(scope: Scope) -> bool:
    return any(k == b"transfer-encoding" for k, _ in scope["headers"])


def _wants_stream(scope: Scope) -> bool:
    accepts = b",".join(v for k, v in scope["headers"] if k == b"accept")
    return b"text/event-stream" in accepts or scope["path"].endswith("/log")


def _patience(*, is_stream: bool) -> dict[str, float | None]:
    return {"connect": CONNECT, "read": None if is_stream else READ, "write": WRITE, "pool": CONNECT}


@dataclass(frozen=True)
class Answered:
    """What a door answered to a question of the gateway itself."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; raise ValueError when it is none."""
        return json.loads(self.body)


class _Told(BaseModel):
    prefixes: list[str]
    navigation: list[NavigationEntry] = []


@dataclass
class Part:
    """One division behind the gateway, and what its door told of itself."""

    name: str
    app: ASGIApp
    key: bytes
    prefixes: tuple[str, ...] = ()
    navigation: tuple[NavigationEntry, ...] = ()
    is_known: bool = False
    silent_since: datetime | None = None
    asked_at: float = field(default=float("-inf"))

    @property
    def title(self) -> str:
        """Return what people call the division."""
        return TITLES.get(self.name, self.name)

    def signed(self, caller: Caller) -> bytes:
        """Return the header value that names the caller before this division."""
        return identity.sign(caller, key=self.key, audience=self.name).encode()


class Doors:
    """Every division's door, and the table of which path is whose."""

    def __init__(self, doors: Mapping[str, ASGIApp], keys: Keys, *, taken: frozenset[str] = frozenset()) -> None:
        order = [name for name in DIVISIONS if name in doors] + [n for n in doors if n not in DIVISIONS]
        self.parts = {name: Part(name, doors[name], keys.pair(GATEWAY, name, use="person")) for name in order}
        self._taken = taken
        self._table: dict[str, Part] = {}
        self._asking: asyncio.Task[None] | None = None

    async def part_for(self, path: str) -> Part | None:
        """Return the division whose path this is, or None; asks doors that have not yet told their prefixes."""
        part = self._table.get(prefix_of(path))
        if part is None or not part.is_known:
            await self.learn()
            part = self._table.get(prefix_of(path))
        return part

    async def learn(self) -> None:
        """Ask the doors that have not yet told their prefixes, each at most once a second."""
        if self._asking is None or self._asking.done():
            now = time.monotonic()
            due = [part for part in self.unknown if now - part.asked_at >= ASK_AGAIN]
            if not due:
                return
            self._asking = asyncio.create_task(self._introduce_all(due, now))
        # Whoever comes while the doors are being asked waits for the same answer.
        await asyncio.shield(self._asking)

    async def _introduce_all(self, parts: list[Part], now: float) -> None:
        for part in parts:
            part.asked_at = now
        await asyncio.gather(*(self._introduce(part) for part in parts))
        self._rebuild()

    async def _introduce(self, part: Part) -> None:
        answered = await self.ask(part, "/inner/doors")
        try:
            if answered is None or answered.status != 200:
                return
            told = _Told.model_validate_json(answered.body)
        except ValidationError as reason:
            logger().error("door_not_understood", part=part.name, reason=str(reason))
            return
        part.prefixes, part.navigation, part.is_known = tuple(told.prefixes), tuple(told.navigation), True

    def _rebuild(self) -> None:
        table: dict[str, Part] = {}
        for part in self.parts.values():
            for prefix in part.prefixes:
                if prefix in self._taken or prefix in table:
                    logger().error("prefix_claimed_twice", part=part.name, prefix=prefix)
                    continue
                table[prefix] = part
        self._table = table

    @property
    def unknown(self) -> list[Part]:
        """Return the divisions that have not yet told which paths are theirs."""
        return [part for part in self.parts.values() if not part.is_known]

    def note(self, part: Part, *, is_silent: bool) -> None:
        """Remember whether a division answered just now."""
        if not is_silent:
            part.silent_since = None
        elif part.silent_since is None:
            part.silent_since = utc_now()
            # It may come back as a newer version with other pages.
            part.is_known = False
            logger().warning("part_silent", part=part.name)

    def navigation(self, person: Person) -> list[NavigationEntry]:
        """Return the entries of the rail for this person, in order."""
        held = {role.value for role in person.roles}
        entries = [entry for part in self.parts.values() for entry in part.navigation]
        return sorted((e for e in entries if not e.roles or held & set(e.roles)), key=lambda e: (e.order, e.label))

    async def ask(self, part: Part, target: str, *, caller: Caller | None = None) -> Answered | None:
        """Ask one door with GET and return its whole answer, or None when it is silent or too slow."""
        path, _, query = target.partition("?")
        headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity"), (b"host", b"inner")]
        if caller:
            headers.append((identity.HEADER.encode(), part.signed(caller)))
        scope = inner_scope(path=path, query=query.encode(), headers=headers)
        heard = _Heard()
        try:
            async with asyncio.timeout(ASK_WITHIN):
                await part.app(scope, heard.receive, heard.send)
        except (Silent, TimeoutError):
            self.note(part, is_silent=True)
            return None
        except Exception as reason:  # the edge: whatever is wrong with one part, the others go on
            logger().error("part_failed", part=part.name, path=path, exc_info=reason)
        if heard.status == 0:
            return None
        self.note(part, is_silent=False)
        return Answered(heard.status, heard.headers, bytes(heard.body))

    async def ask_all(self, target: str, *, caller: Caller | None = None) -> dict[str, Answered | None]:
        """Ask every door the same, at once."""
        answers = await asyncio.gather(*(self.ask(part, target, caller=caller) for part in self.parts.values()))
        return dict(zip(self.parts, answers, strict=True))

    async def close(self) -> None:
        """Close the connections to doors elsewhere."""
        for part in self.parts.values():
            if isinstance(part.app, RemoteDoor):
                await part.app.close()


def prefix_of(path: str) -> str:
    """Return the part of a path by which its division is found: `/perkara`, or `/api/cases` below /api."""
    parts = path.split("/")[1:]
    return "/" + "/".join(parts[:2] if parts[0] == "api" else parts[:1])


def inner_scope(
    *, path: str, query: bytes = b"", headers: list[tuple[bytes, bytes]], method: str = "GET"
) -> dict[str, Any]:
    """Return the ASGI scope of a request that the gateway makes itself."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": {},
    }


class _Heard:
    """Collects the whole answer of a door."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self._asked = False
        self._answered = asyncio.Event()

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message.get("headers", [])}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self._answered.set()
