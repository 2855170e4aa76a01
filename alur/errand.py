"""What a command asks of the public API in a person's name: their token, their patience, refusals in words."""

import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from alur.settings import MachineSettings
from shared.errors import Incomplete, NotSignedIn, Refused, Unavailable

TOKEN_FILE = Path("~/.config/alur/token")
OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
MAKE_ONE = "Buat token pribadi di halaman Saya, lalu isi ALUR_TOKEN atau simpan di berkas ALUR_TOKEN_FILE (mode 0600)."
PATIENCE = 120.0
"""Seconds for which a command waits for what a server does."""
PAUSE = 0.3
TRIES = 20


class ErrandSettings(BaseSettings):
    """Where Alur is and whose token is shown: ALUR_URL, ALUR_TOKEN or ALUR_TOKEN_FILE; never an argument."""

    model_config = SettingsConfigDict(env_prefix="ALUR_", extra="ignore", frozen=True)

    url: str = Field(default_factory=lambda: MachineSettings().url)
    token: SecretStr | None = None
    token_file: Path = TOKEN_FILE

    def secret(self) -> str:
        """Return the token; raise NotSignedIn when there is none, or when others may read its file."""
        if self.token and self.token.get_secret_value().strip():
            return self.token.get_secret_value().strip()
        file = self.token_file.expanduser()
        try:
            with file.open(encoding="ascii") as opened:
                if os.fstat(opened.fileno()).st_mode & OPEN_TO_OTHERS:
                    raise NotSignedIn(f"Berkas token {file} dapat dibaca orang lain. Jalankan `chmod 600 {file}`.")
                return opened.read().strip()
        except (OSError, UnicodeDecodeError):
            raise NotSignedIn(f"Belum ada token untuk {self.url}. {MAKE_ONE}") from None


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    name: str
    id: str
    data: dict[str, Any]


class Errand:
    """One person's way to the public API by token."""

    def __init__(self, settings: ErrandSettings) -> None:
        self.url = settings.url.rstrip("/")
        headers = {"authorization": f"Bearer {settings.secret()}", "accept": "application/json"}
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a page of the API; raise Refused as the API told it."""
        return self._send("GET", path, params=query or None).json()

    def every(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the rows of a list, one page after the other."""
        answer = self._send("GET", path, params=query or None)
        yield from answer.json()
        while "next" in answer.links:
            answer = self._send("GET", answer.links["next"]["url"])
            yield from answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Do one act and return its JSON; it is done once though the answer gets lost. Raise Refused."""
        return self._send("POST", path, json=body or {}).json()

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        headers = {} if method == "GET" else {"idempotency-key": uuid4().hex}
        for attempt in range(TRIES):
            try:
                answer = self._client.request(method, path, headers=headers, **parts)
            except httpx.TransportError as reason:
                if isinstance(reason, httpx.ConnectError) or attempt == TRIES - 1:
                    raise self._away() from reason
            else:
                if answer.status_code != 503 or attempt == TRIES - 1:
                    break
            time.sleep(PAUSE * min(attempt + 1, 5))
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer

    def _away(self) -> Unavailable:
        return Unavailable(f"Alur di {self.url} tidak menjawab. Periksa ALUR_URL, lalu ulangi.")

    def follow(self, path: str) -> Iterator[Event]:
        """Yield what a stream tells until it says that it is over; one that is cut off is taken up where it was."""
        last, failures = "", 0
        while True:
            headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
            try:
                with self._client.stream("GET", path, headers=headers, timeout=httpx.Timeout(10, read=60)) as answer:
                    if answer.status_code >= 400 and answer.status_code != 503:
                        answer.read()
                        raise _refusal(answer)
                    for event in _events(answer.iter_lines()) if answer.status_code == 200 else ():
                        failures = 0
                        if event.name == "end":
                            return
                        last = event.id or last
                        yield event
            except httpx.TransportError as reason:
                if failures >= TRIES:
                    raise self._away() from reason
            if failures >= TRIES:
                raise self._away()
            failures += 1
            time.sleep(PAUSE * min(failures, 10))


def _events(lines: Iterator[str]) -> Iterator[Event]:
    """Read a stream of events as the web's standard writes them."""
    name, id_ = "message", ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Event(name, id_, json.loads("\n".join(data)))
            name, id_, data = "message", "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            id_ = value
        elif field == "data":
            data.append(value)


def _refusal(answer: httpx.Response) -> Refused:
    """Return what the API refused, as it said it."""
    try:
        told = answer.json()
        refusal = Refused(str(told["detail"]), code=str(told["code"]))
        refusal.title = str(told["title"])
        details = [str(error["detail"]) for error in told.get("errors", [])]
    except (ValueError, KeyError, TypeError):
        refusal, details = Refused(f"Alur menjawab {answer.status_code}. Mohon ulangi beberapa saat lagi."), []
    if details:
        refusal = Incomplete(" ".join([refusal.detail, *details]), code=refusal.code)
    refusal.status = answer.status_code
    return refusal
