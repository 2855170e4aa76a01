"""A request's body on its way in: the house's two form fields are read, its size is kept in bounds, it streams."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.types import Message, Receive

from services.gateway.actions.held_form import Typed
from services.gateway.door.knock import Knock
from services.gateway.door.remote import CallerGone
from shared.errors import TooLarge
from shared.sentence import Sentence

FORM_LIMIT = 1024 * 1024
UPLOAD_LIMIT = 512 * 1024 * 1024
PEEK = 64 * 1024
"""Of an upload no more than this is looked at; the rest streams past."""


class Inlet:
    """A request's body on its way in: looked into only as far as needed, measured, then passed on as it comes."""

    def __init__(self, knock: Knock, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()
        self._size = 0
        kind, _, rest = knock.header("content-type").partition(";")
        self.kind = kind.strip().lower()
        self._boundary = _boundary(rest) if self.kind == "multipart/form-data" else b""
        self.limit = UPLOAD_LIMIT if self.kind.startswith("multipart/") else FORM_LIMIT
        self.is_too_large = False
        self.fields: dict[str, str] = {}
        self._seen = bytearray()
        """The beginning of the body, should the form have to be kept for its sender."""
        length = knock.header("content-length")
        self._announced = int(length) if length.isdecimal() else 0
        self._has_body = self._announced > 0 or b"transfer-encoding" in knock.headers

    async def look(self) -> None:
        """Read the fields `form_token` and `idempotency_key` at the head of a form; raise TooLarge."""
        if self._announced > self.limit:
            raise too_large(self.limit)
        if not self._has_body:
            return
        if self.kind.startswith("multipart/"):
            head = await self._read(PEEK, until=lambda seen: _first_fields(seen, self._boundary).is_complete)
            self.fields = _first_fields(head, self._boundary).fields
            return
        whole = await self._read(self.limit + 1)
        if len(whole) > self.limit:
            raise too_large(self.limit)
        if self.kind == "application/x-www-form-urlencoded":
            self.fields = _urlencoded_fields(whole)

    async def _read(self, most: int, *, until: Callable[[bytes], bool] = lambda seen: False) -> bytes:
        seen = bytearray()
        while len(seen) < most:
            message = await self._receive()
            self._kept.append(message)
            if message["type"] == "http.disconnect":
                raise CallerGone
            seen += message.get("body", b"")
            self._note(message.get("body", b""))
            self._size += len(message.get("body", b""))
            if not message.get("more_body", False) or until(bytes(seen)):
                break
        return bytes(seen)

    async def read_on(self) -> None:
        """Read what of a form can be kept, when no division will read it."""
        if self._has_body and len(self._seen) < FORM_LIMIT and not (self._kept and _is_last(self._kept[-1])):
            await self._read(FORM_LIMIT)

    def typed(self) -> Typed | None:
        """Return the fields of the form that was sent, as far as they were read; None for what is no form."""
        if self.kind == "application/x-www-form-urlencoded":
            # As it came, to the byte: sent again it is known as the same request.
            return Typed(bytes(self._seen))
        if self.kind == "multipart/form-data" and self._boundary:
            pairs, has_files = _text_fields(bytes(self._seen), self._boundary)
            return Typed(_urlencoded(pairs), lost_files=has_files)
        return None

    def _note(self, piece: bytes) -> None:
        if len(self._seen) < FORM_LIMIT:
            self._seen += piece[: FORM_LIMIT - len(self._seen)]

    async def __call__(self) -> Message:
        """Return the next piece, as the division would have received it itself."""
        if self._kept:
            return self._kept.popleft()
        message = await self._receive()
        if message["type"] == "http.request":
            self._note(message.get("body", b""))
            self._size += len(message.get("body", b""))
            if self._size > self.limit:
                # To the division it looks as if the sender had gone; the sender is told why.
                self.is_too_large = True
                return {"type": "http.disconnect"}
        return message


@dataclass(frozen=True)
class FirstFields:
    """The house's two fields at the head of a multipart form, and whether more could follow."""

    fields: dict[str, str]
    is_complete: bool


def _first_fields(head: bytes, boundary: bytes) -> FirstFields:
    fields: dict[str, str] = {}
    if not boundary:
        return FirstFields(fields, True)
    parts = (b"\r\n" + head).split(b"\r\n--" + boundary)
    # The last piece may be cut anywhere; only those before it are whole.
    for part in parts[1:-1]:
        describing, separator, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'content-disposition:[^\r\n]*\bname="([^"\r\n]*)"', describing, re.IGNORECASE)
        if not separator or name is None or name[1] not in HOUSE_FIELDS or len(content) > 200:
            return FirstFields(fields, True)
        fields.setdefault(name[1].decode(), content.decode("latin-1"))
    return FirstFields(fields, len(fields) == len(HOUSE_FIELDS))


def _is_last(message: Message) -> bool:
    return not message.get("more_body", False)


def _text_fields(body: bytes, boundary: bytes) -> tuple[list[tuple[str, str]], bool]:
    """Return the fields of a multipart form that are whole and no files, and whether files were chosen."""
    found, has_files = [], False
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    for number, part in enumerate(parts[1:], start=1):
        describing, separator, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'content-disposition:[^\r\n]*\bname="([^"\r\n]*)"', describing, re.IGNORECASE)
        if not separator or name is None:
            continue
        file = re.search(rb'\bfilename="([^"\r\n]*)"', describing, re.IGNORECASE)
        if file:
            has_files = has_files or bool(file[1])
        elif number < len(parts) - 1:
            # The last piece may be cut anywhere.
            found.append((name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace")))
    return found, has_files


def _urlencoded(pairs: list[tuple[str, str]]) -> bytes:
    """Return the fields as they are kept: without the form token, which is a secret of the session."""
    return urlencode([(name, value) for name, value in pairs if name != "form_token"]).encode()


HOUSE_FIELDS = frozenset({b"form_token", b"idempotency_key"})


def _boundary(parameters: str) -> bytes:
    found = re.search(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', parameters, re.IGNORECASE)
    return (found[1] or found[2]).encode("latin-1") if found else b""


def _urlencoded_fields(body: bytes) -> dict[str, str]:
    try:
        form = parse_qs(body.decode("latin-1"), max_num_fields=20_000)
    except ValueError:
        return {}
    return {name.decode(): form[name.decode()][0][:200] for name in HOUSE_FIELDS if name.decode() in form}


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a body over its limit (in bytes)."""
    return TooLarge(
        Sentence(
            "Yang dikirim melebihi batas {limit} MiB. Perkecil berkas atau bagi menjadi beberapa bagian.",
            limit=limit // 1024 // 1024,
        )
    )
