"""The page around the divisions' fragments, the files that it needs, and the headers of every answer."""

import hashlib
import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import jinja2
from markupsafe import Markup

from services.gateway.authority import WATCHERS
from services.gateway.door.doors import Doors
from services.gateway.settings import Settings
from shared import words
from shared.database import utc_now
from shared.identity import Caller, Person
from shared.line import line_list, stations
from shared.pages import TEMPLATES as SHARED_TEMPLATES
from shared.procedure import procedure
from shared.web import NavigationEntry

HERE = Path(__file__).parents[1]
KEPT_FOR_A_YEAR = "public, max-age=31536000, immutable"
SHARED_RULES = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FOREIGN_RULES = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For HTML or SVG that is no page of ours, an uploaded file say: it may be looked at but do nothing."""


@dataclass(frozen=True)
class StaticFile:
    """One file of the page, kept in memory: its bytes, kind, and an address that changes with it."""

    path: str
    kind: str
    content: bytes


class Static:
    """The gateway's own style sheet, script and icons, each under an address with its digest."""

    def __init__(self, folder: Path = HERE / "static") -> None:
        self.by_path: dict[str, StaticFile] = {}
        self._by_name: dict[str, StaticFile] = {}
        for file in sorted(folder.iterdir()):
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            kept = StaticFile(f"/static/{file.stem}.{digest}{file.suffix}", kind, content)
            self.by_path[kept.path] = self._by_name[file.name] = kept
        sprite = self._by_name.get("icons.svg")
        self.icons = frozenset(_ids(sprite.content.decode())) if sprite else frozenset()

    def url(self, name: str) -> str:
        """Return the address of a file by its name; raise KeyError for one that is not there."""
        return self._by_name[name].path


def _ids(sprite: str) -> list[str]:
    return [part.split('"', 1)[0] for part in sprite.split('<symbol id="')[1:]]


class Frame:
    """Draws the page around a fragment: rail, place, person, and what the style sheet and script need."""

    def __init__(self, settings: Settings, doors: Doors, static: Static) -> None:
        self.settings = settings
        self.doors = doors
        self.static = static
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([str(HERE / "templates"), str(SHARED_TEMPLATES)]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self.environment.filters.update(ago=ago, moment=words.long_moment)
        self.environment.globals.update(
            asset=static.url,
            icon=self.icon,
            site_name=settings.site_name,
            site_owner=settings.site_owner,
            procedure_title=procedure().title,
            way=line_list(stations(procedure(), at=None)),
        )

    def icon(self, name: str) -> Markup:
        """Return an icon of the sprite; an unknown name gives a plain dot, for words always stand beside it."""
        shown = name if name in self.static.icons else "dot"
        return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
            self.static.url("icons.svg"), shown
        )

    def page(self, title: str, body: bytes, *, caller: Caller | None, path: str) -> bytes:
        """Return the whole page around a fragment; without a caller there is no rail."""
        entries = [HOME, WAITING, *self.doors.navigation(caller.person), *_own_entries(caller.person)] if caller else []
        return (
            self.environment.get_template("around.html")
            .render(
                title=title,
                body=Markup(body.decode("utf-8")),  # noqa: S704 - a division's own page, escaped where it was made
                person=caller.person if caller else None,
                form_token=caller.form_token if caller else "",
                navigation=entries,
                tabs=TABS,
                here=_nearest(path, [entry.path for entry in (*entries, *TABS)]),
                path=path,
            )
            .encode()
        )


HOME = NavigationEntry(label="Beranda", path="/", icon="home", order=0)
WAITING = NavigationEntry(label="Menunggu saya", path="/menunggu", icon="inbox", order=1)
AUTHORITY = NavigationEntry(label="Wewenang", path="/wewenang", icon="key", order=90, roles=sorted(WATCHERS))
TABS = (
    HOME,
    NavigationEntry(label="Perkara", path="/perkara", icon="line"),
    NavigationEntry(label="Cari", path="/cari", icon="search"),
    NavigationEntry(label="Saya", path="/saya", icon="person"),
)


def _own_entries(person: Person) -> list[NavigationEntry]:
    return [AUTHORITY] if person.has(*WATCHERS) else []


def _nearest(path: str, paths: list[str]) -> str:
    """Return the entry under which a page stands: the longest that it begins with."""
    fitting = [p for p in paths if path == p or (p != "/" and path.startswith(p + "/"))]
    return max(fitting, key=len, default="")


def guarding_headers(settings: Settings, *, is_foreign: bool = False) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer carries (reliability §6)."""
    headers = {
        "content-security-policy": FOREIGN_RULES if is_foreign else SHARED_RULES,
        "x-content-type-options": "nosniff",
        # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.is_secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def is_local_path(path: str) -> bool:
    """Tell whether a path leads to a page of ours and nowhere else."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(sign) < 33 for sign in path):
        return False
    parts = urlsplit(path)
    return not parts.scheme and not parts.netloc and "\\" not in path


def sign_in_path(target: str, *, has_ended: bool = False) -> str:
    """Return the sign-in page that leads on to a page of ours, and says so when a session has ended."""
    asked = {"next": target} if target not in ("", "/") else {}
    asked |= {"sesi": "berakhir"} if has_ended else {}
    return "/masuk" + (f"?{urlencode(asked, safe='/')}" if asked else "")


def ago(text: str) -> Markup:
    """Say in words how long ago a moment (RFC 3339) was; empty for what is no moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return Markup("")
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    minutes = int((utc_now() - at).total_seconds() // 60)
    if minutes < 1:
        shown = "baru saja"
    elif minutes < 60:
        shown = f"{minutes} menit lalu"
    elif minutes < 24 * 60:
        shown = f"{minutes // 60} jam lalu"
    elif minutes < 31 * 24 * 60:
        shown = f"{minutes // (24 * 60)} hari lalu"
    else:
        shown = words.long_date(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), words.long_moment(at), shown)
