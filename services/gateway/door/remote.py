"""A division's web door in another process, reached over HTTP as if it stood in this one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from starlette.types import Receive, Scope, Send

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade".split()
)
CONNECT, READ, WRITE = 2.0, 30.0, 30.0
"""Seconds to reach a door, between two pieces of its answer, and to hand over a piece of a body."""
KEPT = 2.0
"""Seconds for which an idle connection is used again: a door closes it after five, and what is sent in that very moment
is lost and looks like a silent division."""


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
            limits = httpx.Limits(max_connections=500, max_keepalive_connections=50, keepalive_expiry=KEPT)
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
