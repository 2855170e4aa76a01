"""One request as it came in, and who was found to be asking."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.types import Scope

from shared.identity import Caller
from shared.web import SAFE


@dataclass
class Knock:
    """One request as it came in."""

    scope: Scope
    headers: dict[bytes, bytes] = field(init=False)
    number: str = field(default_factory=lambda: uuid4().hex[:8].upper())
    """What a person quotes when something went wrong, and what stands beside it in the log."""

    def __post_init__(self) -> None:
        """Read the headers once; of a repeated one the first counts."""
        self.headers = {}
        for name, value in self.scope["headers"]:
            self.headers.setdefault(name.lower(), value)

    def header(self, name: str) -> str:
        """Return a header's text, empty when it is absent."""
        return self.headers.get(name.encode(), b"").decode("latin-1")

    @property
    def method(self) -> str:
        """Return the method."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """Return the decoded path."""
        return str(self.scope["path"])

    @property
    def logged_path(self) -> str:
        """Return the path as a log may keep it: without the token of an invitation."""
        return "/undangan/..." if self.path.startswith("/undangan/") else self.path

    @property
    def target(self) -> str:
        """Return path and query as the address bar shows them."""
        query = self.scope.get("query_string", b"").decode("latin-1")
        return self.path + (f"?{query}" if query else "")

    @property
    def is_safe(self) -> bool:
        """Tell whether the method only reads."""
        return self.method in SAFE

    @property
    def is_part_of_page(self) -> bool:
        """Tell whether a script of ours asks for a fragment without the page around it."""
        return b"hx-request" in self.headers

    @property
    def wants_page(self) -> bool:
        """Tell whether a person looks at the answer."""
        accepts = self.header("accept") or "*/*"
        return not self.path.startswith("/api") and ("text/html" in accepts or "*/*" in accepts)

    def came_from(self, origins: frozenset[str]) -> str:
        """Return the page of ours from which the request came, empty when it came from nowhere or elsewhere."""
        parts = urlsplit(self.header("referer"))
        is_ours = f"{parts.scheme}://{parts.netloc}" in origins and parts.path not in ("", self.path)
        return parts.path + (f"?{parts.query}" if parts.query else "") if is_ours else ""

    def cookie(self, name: str) -> str:
        """Return a cookie's value, empty when it is absent or stands twice."""
        found = [
            value
            for key, separator, value in (c.strip().partition("=") for c in self.header("cookie").split(";"))
            if separator and key == name
        ]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True)
class Known:
    """Who asks, and how that is known."""

    caller: Caller
    scopes: frozenset[str] = frozenset({"read", "write"})
    by_cookie: bool = True
    must_enrol: bool = False
    """A post of theirs requires a second factor, and they have none yet."""
    key: str = ""
    """Digest of the session's or token's secret: whose requests are counted."""
