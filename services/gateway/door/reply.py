"""An answer on its way out: guarded by headers, and a division's fragment inside the page."""

from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Send

from services.gateway.door.frame import Frame, guarding_headers
from services.gateway.door.knock import Knock, Known
from services.gateway.settings import Settings

PAGE_TITLE = b"x-alur-title"


class Reply:
    """An answer on its way out: guarded by headers; a fragment is held back until the page is around it."""

    def __init__(self, settings: Settings, frame: Frame, knock: Knock, send: Send) -> None:
        self._settings = settings
        self._frame = frame
        self._knock = knock
        self._send = send
        self._held: Message | None = None
        self._body = bytearray()
        self._title = ""
        self.known: Known | None = None
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Pass one piece of the answer on."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body":
            if self._held is None:
                await self._send(message)
            else:
                self._body += message.get("body", b"")

    async def _start(self, message: Message) -> None:
        raw = [(k.lower(), v) for k, v in message.get("headers", [])]
        given = dict(raw)
        kind = given.get(b"content-type", b"").split(b";")[0].strip()
        is_page = kind == b"text/html" and PAGE_TITLE in given
        replaced = {b"content-security-policy", b"x-content-type-options", b"referrer-policy", b"server"}
        headers = [(k, v) for k, v in raw if k not in replaced and not (is_page and k == b"content-length")]
        is_foreign = not is_page and (kind in (b"text/html", b"application/xhtml+xml") or kind.endswith(b"xml"))
        headers += guarding_headers(self._settings, is_foreign=is_foreign)
        if b"cache-control" not in given:
            headers.append((b"cache-control", b"no-store"))
        start = {**message, "headers": headers}
        if is_page:
            self._title = unquote(given[PAGE_TITLE].decode("latin-1"))
            self._held = start
            return
        self.has_begun = True
        await self._send(start)

    async def finish(self) -> None:
        """Send what was held back, with the page around it unless a script asked for the fragment alone."""
        if self._held is None or self.has_begun:
            return
        body = bytes(self._body)
        headers = list(self._held["headers"])
        if not self._knock.is_part_of_page:
            headers = [(k, v) for k, v in headers if k != PAGE_TITLE]
            caller = self.known.caller if self.known else None
            body = self._frame.page(self._title, body, caller=caller, path=self._knock.path)
        headers.append((b"content-length", str(len(body)).encode()))
        self.has_begun = True
        await self._send({**self._held, "headers": headers})
        shown: dict[str, Any] = {"type": "http.response.body", "body": b"" if self._knock.method == "HEAD" else body}
        await self._send(shown)
