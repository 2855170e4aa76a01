"""A division's web application, asked as the gateway asks it: in process, by a person it vouches for."""

from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from shared import identity
from shared.database import Database
from shared.identity import Caller, Person
from shared.keys import GATEWAY, Keys


@dataclass
class Door:
    """One application, and the key with which the gateway speaks to it."""

    app: ASGIApp
    service: str
    key: bytes
    database: Database

    @classmethod
    def of(cls, app: FastAPI, keys: Keys) -> "Door":
        """Return the door of an application that `make_app` joined."""
        state = app.state
        return cls(app, state.service, keys.pair(GATEWAY, state.service, use="person"), state.database)

    def ask(self, by: Person | None, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request and return the answer, also when the application broke."""
        headers = {"accept": "application/json" if path.startswith("/api") else "text/html"}
        if by:
            caller = Caller(person=by, form_token="tanda-formulir")
            headers[identity.HEADER] = identity.sign(caller, key=self.key, audience=self.service)
        headers |= more.pop("headers", {})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://division") as client:
                return await client.request(method, path, headers=headers, **more)

        return anyio.run(send)

    def get(self, by: Person | None, path: str, **more: Any) -> httpx.Response:
        """Ask to read."""
        return self.ask(by, "GET", path, **more)

    def post(self, by: Person | None, path: str, **more: Any) -> httpx.Response:
        """Ask to do."""
        return self.ask(by, "POST", path, **more)
