"""The web doors of the divisions, in process or over HTTP, and which path belongs to which.

A door is an ASGI application, wherever it runs; whoever calls it cannot tell the two shapes apart.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Message

from services.gateway.door.late import LateDoor
from services.gateway.door.remote import RemoteDoor, Silent
from shared import identity
from shared.database import utc_now
from shared.errors import Unavailable
from shared.identity import Caller, Person
from shared.keys import DIVISIONS, GATEWAY, Keys
from shared.log import logger
from shared.sentence import Sentence
from shared.web import NavigationEntry

TITLES = {
    "proposal": "Divisi Aplikasi",
    "budget": "Anggaran",
    "deploy": "Divisi Infrastruktur",
    "security": "Divisi Monitoring dan Security",
    "helpdesk": "Divisi Layanan dan Sosialisasi",
}
ASK_WITHIN = 3.0
"""Seconds that one division may take for a part of a page that others share."""
VOUCHED_FOR = 10.0
"""Seconds for which one signed header is used again; it is valid for longer (`identity.LIFETIME`)."""
ASK_AGAIN = 1.0
"""Seconds before a door that was silent is asked for its prefixes again."""


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
    _vouched: dict[int, tuple[Caller, bytes, float]] = field(default_factory=dict)
    """By the caller's identity in memory, which a new look-up changes."""

    @property
    def title(self) -> str:
        """Return what people call the division."""
        return TITLES.get(self.name, self.name)

    def signed(self, caller: Caller) -> bytes:
        """Return the header value that names the caller before this division; the same one for some seconds."""
        now = time.monotonic()
        found = self._vouched.get(id(caller))
        if found is None or found[0] is not caller or now - found[2] > VOUCHED_FOR:
            if len(self._vouched) > 500:
                self._vouched.clear()
            found = (caller, identity.sign(caller, key=self.key, audience=self.name).encode(), now)
            self._vouched[id(caller)] = found
        return found[1]


class Doors:
    """Every division's door, and the table of which path is whose."""

    def __init__(self, doors: Mapping[str, ASGIApp], keys: Keys, *, taken: frozenset[str] = frozenset()) -> None:
        order = [name for name in DIVISIONS if name in doors] + [n for n in doors if n not in DIVISIONS]
        self.parts = {name: Part(name, doors[name], keys.pair(GATEWAY, name, use="person")) for name in order}
        self._taken = taken
        self._table: dict[str, Part] = {}
        self._asking: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None

    def open_late(self) -> bool:
        """Begin to open what is behind late doors, and tell whether there are any; nobody waits for it here."""
        if any(isinstance(part.app, LateDoor) for part in self.parts.values()):
            self._opening = asyncio.create_task(self.learn())
        return self._opening is not None

    async def opened(self) -> None:
        """Return when the late doors have been opened once."""
        if self._opening is not None:
            await asyncio.shield(self._opening)
            self._opening = None

    async def owner_of(self, path: str) -> Part | None:
        """Return the division to ask, or None when the gateway answers itself; raise Unavailable for a silent one."""
        if path == "/" or prefix_of(path) in self._taken:
            return None
        part = await self.part_for(path)
        if part is None and self.unknown:
            raise Unavailable(
                Sentence(
                    "Halaman ini mungkin milik bagian yang sedang tidak menjawab: {names}. Bagian lain tetap dapat "
                    "dipakai. Mohon ulangi beberapa saat lagi.",
                    names=[p.title for p in self.unknown],
                ),
                code="part_silent",
            )
        return part

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

    async def ask(
        self, part: Part, target: str, *, caller: Caller | None = None, posted: Any = None
    ) -> Answered | None:
        """Ask one door with GET and return its whole answer, or None when it is silent or too slow.

        With `posted`, a value that is no None, that is sent as JSON with POST.
        """
        path, _, query = target.partition("?")
        headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity"), (b"host", b"inner")]
        if caller:
            headers.append((identity.HEADER.encode(), part.signed(caller)))
        method, body = "GET", b""
        if posted is not None:
            method, body = "POST", json.dumps(posted).encode()
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        scope = inner_scope(path=path, query=query.encode(), headers=headers, method=method)
        heard = _Heard(body)
        try:
            if isinstance(part.app, LateDoor):
                await part.app.open()
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
        return await self.ask_some(dict.fromkeys(self.parts, target), caller=caller)

    async def ask_some(
        self, targets: Mapping[str, str], *, caller: Caller | None = None, posted: Any = None
    ) -> dict[str, Answered | None]:
        """Ask several doors at once, each by its name (see `ask`); a division that is not there answers nothing."""
        there = {name: target for name, target in targets.items() if name in self.parts}
        asked = (self.ask(self.parts[name], target, caller=caller, posted=posted) for name, target in there.items())
        return dict(zip(there, await asyncio.gather(*asked), strict=True))

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

    def __init__(self, sent: bytes = b"") -> None:
        self._sent = sent
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self._asked = False
        self._answered = asyncio.Event()

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._sent, "more_body": False}
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
