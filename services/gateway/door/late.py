"""A division's web door in this process that is opened after the gateway has begun to answer."""

import asyncio
import gc
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send


class LateDoor:
    """An ASGI application that is made when it is first needed: the first page does not wait for five divisions.

    `one_at_a_time` is shared by all doors of a process: what they import overlaps.
    """

    def __init__(self, make: Callable[[], ASGIApp], one_at_a_time: asyncio.Lock) -> None:
        self._make = make
        self._one_at_a_time = one_at_a_time
        self._app: ASGIApp | None = None

    async def open(self) -> ASGIApp:
        """Return the application behind this door, made beside the event loop."""
        if self._app is None:
            async with self._one_at_a_time:
                if self._app is None:
                    self._app = await run_in_threadpool(self._make)
                    # It stays as long as the process: no collection needs to look at it again.
                    gc.freeze()
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, once it is there."""
        await (await self.open())(scope, receive, send)
