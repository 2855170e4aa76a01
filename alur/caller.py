"""A signed-in person at the public web API, as a program: cookie, form token, idempotency key, patience."""

import time
from collections.abc import Callable
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds for which a program waits for what others are still doing."""
PAUSE = 0.15
TRIES = 20


class Unexpected(Exception):  # noqa: N818 - it names the answer
    """The API refused, or answered otherwise than it should."""


class Caller:
    """One person's session at the gateway."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.username = username
        self._password = password
        self.client = httpx.Client(base_url=url, timeout=30, trust_env=False, headers={"origin": url})
        answer = self._send("POST", "/api/session", json={"username": username, "password": password})
        self.client.headers["x-form-token"] = answer["form_token"]
        self.name: str = answer["person"]["name"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; the session at the gateway ends by itself."""
        self.client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a page of the API."""
        return self._send("GET", path, params=query or None)

    def post(self, path: str, body: dict[str, Any] | None = None, **upload: Any) -> Any:
        """Do one act and return its JSON; sent again under the same key when the answer got lost."""
        if upload:
            return self._send("POST", path, data=body or {}, **upload)
        return self._send("POST", path, **({} if body is None else {"json": body}))

    def put(self, path: str, body: Any) -> Any:
        """Replace something and return its JSON."""
        return self._send("PUT", path, json=body)

    def file(self, path: str) -> bytes:
        """Return a file."""
        answer = self.client.get(path)
        answer.raise_for_status()
        return answer.content

    def refused(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Try an act that must be refused; return the problem, raise Unexpected when it was done."""
        answer = self.client.post(path, json=body if body is not None else {}, headers={"idempotency-key": uuid4().hex})
        if answer.status_code < 400 or answer.status_code >= 500:
            raise Unexpected(f"{path} should have been refused, but answered {answer.status_code}")
        result: dict[str, Any] = answer.json()
        return result

    def _send(self, method: str, path: str, **parts: Any) -> Any:
        headers = {} if method == "GET" else {"idempotency-key": uuid4().hex}
        for attempt in range(TRIES):
            try:
                answer = self.client.request(method, path, headers=headers, **parts)
            except httpx.TransportError as reason:
                if attempt == TRIES - 1:
                    raise Unexpected(f"{method} {path}: {reason!r}") from reason
            else:
                if answer.status_code == 403 and _wants_proof(answer) and attempt == 0:
                    # Signed in more than ten minutes ago: the act waits for a fresh proof.
                    self._send("POST", "/api/session/proof", json={"password": self._password})
                    continue
                if answer.status_code != 503 or attempt == TRIES - 1:
                    break
            time.sleep(PAUSE * (attempt + 1))
        if answer.status_code >= 400:
            raise Unexpected(f"{self.username} {method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json() if answer.content else None


def _wants_proof(answer: httpx.Response) -> bool:
    is_problem = answer.headers.get("content-type", "").endswith("json")
    return is_problem and bool(answer.json().get("code") == "step_up_needed")


def until(look: Callable[[], T], fits: Callable[[T], bool], what: str, *, within: float = PATIENCE) -> T:
    """Return what `look` gives as soon as it fits; raise Unexpected with the last look after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if fits(seen):
            return seen
        if time.monotonic() > deadline:
            raise Unexpected(f"{what} did not happen within {within:.0f} s; last seen: {str(seen)[:1500]}")
        time.sleep(PAUSE)
