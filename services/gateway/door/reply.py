"""An answer on its way out: guarded by headers, and a division's fragment inside the page."""

from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Send

from services.gateway.door import told
from services.gateway.door.frame import Frame, Refusal, guarding_headers
from services.gateway.door.knock import Knock, Known
from services.gateway.rate_limit import Allowance
from services.gateway.settings import Settings
from shared.pages import DONE as DONE_HEADER
from shared.pages import REFUSAL as REFUSAL_HEADER
from shared.pages import STEP_UP as STEP_UP_HEADER

PAGE_TITLE = b"x-alur-title"
STEP_UP = STEP_UP_HEADER.encode()
DONE = DONE_HEADER.encode()
REFUSAL = REFUSAL_HEADER.encode()
INNER = frozenset({DONE, REFUSAL, STEP_UP})
TOLD = "alur-told"


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
        self._refusal = ""
        self.known: Known | None = None
        self.step_up: str | None = None
        """The act for which a fresh proof is wanted: the gateway asks for it in place of this answer."""
        self.allowance: Allowance | None = None
        """How the sender stands with the door's rates; told where they may matter to a program."""
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Pass one piece of the answer on."""
        if self.step_up is not None:
            return
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
        if STEP_UP in given and self._can_be_asked:
            self.step_up = unquote(given[STEP_UP].decode("latin-1"))
            return
        kind = given.get(b"content-type", b"").split(b";")[0].strip()
        is_page = kind == b"text/html" and PAGE_TITLE in given
        replaced = {b"content-security-policy", b"x-content-type-options", b"referrer-policy", b"server", *INNER}
        headers = [(k, v) for k, v in raw if k not in replaced and not (is_page and k == b"content-length")]
        is_foreign = not is_page and (kind in (b"text/html", b"application/xhtml+xml") or kind.endswith(b"xml"))
        if self.allowance is not None and (self._knock.path.startswith("/api/") or message["status"] == 429):
            headers += self.allowance.headers
        headers += guarding_headers(self._settings, is_foreign=is_foreign)
        if b"cache-control" not in given:
            headers.append((b"cache-control", b"no-store"))
        if DONE in given and message["status"] == 303 and (secret := self._secret):
            words = unquote(given[DONE].decode("latin-1"))
            headers.append(self._cookie(told.sealed(words, secret), told.KEPT_FOR))
        start = {**message, "headers": headers}
        if is_page:
            self._refusal = given.get(REFUSAL, b"").decode("latin-1")
            self._title = unquote(given[PAGE_TITLE].decode("latin-1"))
            self._held = start
            return
        self.has_begun = True
        await self._send(start)

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing may take its place: it has begun to leave, or the division itself says that it broke."""
        return self.has_begun or (self._held is not None and self._held["status"] >= 500)

    @property
    def _can_be_asked(self) -> bool:
        """Tell whether a person at a page waits for the answer, who can give a proof."""
        is_person = self.known is not None and self.known.by_cookie
        return is_person and self._knock.wants_page and self._knock.method == "POST"

    @property
    def _secret(self) -> str:
        return self.known.caller.form_token if self.known else ""

    def _cookie(self, value: str, seconds: int) -> tuple[bytes, bytes]:
        secure = "; Secure" if self._settings.is_secure else ""
        rules = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return b"set-cookie", f"{TOLD}={value}; {rules}".encode()

    def _take_told(self, headers: list[tuple[bytes, bytes]]) -> list[str]:
        """Return what the last act left to be told, once; a script that sends a form leaves it to the page it opens."""
        value = self._knock.cookie(TOLD)
        if not value or self._knock.header("x-requested-with"):
            return []
        headers.append(self._cookie("", 0))
        return [line for line in told.opened(value, self._secret).splitlines() if line]

    def _how_refused(self, headers: list[tuple[bytes, bytes]]) -> Refusal | None:
        if not self._refusal or self._held is None:
            return None
        seconds = dict(headers).get(b"retry-after", b"").decode("latin-1")
        return Refusal(
            status=self._held["status"],
            code=self._refusal,
            number=self._knock.number,
            back=self._knock.came_from(self._settings.own_origins),
            again=self._knock.target if self._knock.is_safe else "",
            seconds=int(seconds) if seconds.isdecimal() else 0,
        )

    async def finish(self) -> None:
        """Send what was held back, with the page around it unless a script asked for the fragment alone."""
        if self._held is None or self.has_begun:
            return
        body = bytes(self._body)
        headers = list(self._held["headers"])
        if not self._knock.is_part_of_page:
            headers = [(k, v) for k, v in headers if k != PAGE_TITLE]
            caller = self.known.caller if self.known else None
            body = self._frame.page(
                self._title,
                body,
                caller=caller,
                path=self._knock.path,
                told=self._take_told(headers),
                refusal=self._how_refused(headers),
            )
        headers.append((b"content-length", str(len(body)).encode()))
        self.has_begun = True
        await self._send({**self._held, "headers": headers})
        shown: dict[str, Any] = {"type": "http.response.body", "body": b"" if self._knock.method == "HEAD" else body}
        await self._send(shown)
