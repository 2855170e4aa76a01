"""The page around the divisions' fragments, the files that it needs, and the headers of every answer."""

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import is_
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode, urlsplit

import jinja2
from markupsafe import Markup

from services.gateway.authority import KEEPERS, WATCHERS
from services.gateway.door import colours
from services.gateway.door.doors import Doors
from services.gateway.door.figures import sees_figures
from services.gateway.settings import Settings
from shared.database import utc_now
from shared.identity import Caller, Language, Person, Role, Theme
from shared.language import SPOKEN, long_date, long_moment, said
from shared.line import line_list, stations
from shared.mould import Mould, places
from shared.pages import TEMPLATES as SHARED_TEMPLATES
from shared.pages import new_environment
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


STYLE = "alur.css"
FONT = "plus-jakarta-sans.woff2"
LOGO_KINDS = frozenset({".svg", ".png", ".webp"})
LOGO_LIMIT = 100_000


class Static:
    """The gateway's own style sheet, script, font and icons, each under an address with its digest.

    The style sheet is served with its head made here: the colours of this campus and the address of the font.
    """

    def __init__(self, folder: Path = HERE / "static", *, brand: str = "#12603f", logo: Path | None = None) -> None:
        self.by_path: dict[str, StaticFile] = {}
        self._by_name: dict[str, StaticFile] = {}
        files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
        rules = files.pop(STYLE)
        for name, content in files.items():
            self._keep(name, content)
        self.logo = self._keep(f"logo{logo.suffix}", _read_logo(logo)).path if logo else ""
        self._keep(STYLE, f"{_font_face(self.url(FONT))}{colours.sheet(brand)}".encode() + rules)
        self.icons = frozenset(_ids(files["icons.svg"].decode()))

    def _keep(self, name: str, content: bytes) -> StaticFile:
        file = Path(name)
        digest = hashlib.sha256(content).hexdigest()[:12]
        kind = mimetypes.guess_type(name)[0] or KINDS.get(file.suffix, "application/octet-stream")
        kept = StaticFile(f"/static/{file.stem}.{digest}{file.suffix}", kind, content)
        self.by_path[kept.path] = self._by_name[name] = kept
        return kept

    def url(self, name: str) -> str:
        """Return the address of a file by its name; raise KeyError for one that is not there."""
        return self._by_name[name].path


KINDS = {".woff2": "font/woff2", ".webp": "image/webp"}
"""Kinds that not every machine's table knows."""


def _font_face(url: str) -> str:
    return (
        '@font-face { font-family: "Plus Jakarta Sans"; font-style: normal; font-weight: 200 800; font-display: swap; '
        f'src: url("{url}") format("woff2"); }}\n'
    )


def _read_logo(file: Path) -> bytes:
    """Return the logo's bytes; raise ValueError in words for what cannot be one."""
    if file.suffix not in LOGO_KINDS or not file.is_file():
        raise ValueError(f"Logo {file} tidak ada atau bukan SVG, PNG, atau WebP.")
    content = file.read_bytes()
    if len(content) > LOGO_LIMIT:
        raise ValueError(f"Logo {file} lebih dari {LOGO_LIMIT // 1000} KB; setiap halaman akan memuatnya.")
    return content


def _ids(sprite: str) -> list[str]:
    return [part.split('"', 1)[0] for part in sprite.split('<symbol id="')[1:]]


@dataclass(frozen=True)
class Refusal:
    """How a page was refused: what the person needs to get on."""

    status: int
    code: str
    number: str
    back: str
    """The page from which they came, empty when it is not known."""
    again: str
    """The page itself, where asking once more may help."""
    seconds: int
    """After how long asking again makes sense; 0: it does not by itself."""


Groups = list[tuple[str, list[NavigationEntry]]]
"""The parts of the rail, each with its entries."""
MOST_DRAWN = 500
PLACES = ("title", "body", "form_token", "person_id", "person_name", "person_about")
"""What differs between two pages at the same place of the rail."""
SCRIPTS = ("draft", "rank")
"""Scripts that only the pages have that ask for them."""


@dataclass(eq=False)
class Rail:
    """The rail of everybody with the same roles, as the divisions told it."""

    told: tuple[Sequence[NavigationEntry], ...]
    groups: Groups

    @cached_property
    def paths(self) -> list[str]:
        """Return the addresses of every entry that stands on the page."""
        return [entry.path for entry in (*(entry for _, rows in self.groups for entry in rows), *TABS)]

    def place(self, here: str) -> tuple[str, NavigationEntry] | None:
        """Return the division and the list under which a page stands, for the crumbs; None on one's own pages."""
        return next(((t, e) for t, rows in self.groups for e in rows if e.path == here and e.path != "/"), None)


class Frame:
    """Draws the page around a fragment: rail, place, person, and what the style sheet and script need."""

    def __init__(self, settings: Settings, doors: Doors, static: Static) -> None:
        self.settings = settings
        self.doors = doors
        self.static = static
        # Drawn once: a page shows half a hundred of them.
        sprite, icon = (
            static.url("icons.svg"),
            '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}">',
        )
        self._icons = {name: Markup(f"{icon}</use></svg>").format(sprite, name) for name in static.icons}  # noqa: S704
        self._rails: dict[tuple[frozenset[Role], Language], Rail] = {}
        # Almost every page is the same around the fragment but for who reads it.
        self._kept_shell = lru_cache(MOST_DRAWN)(self._shell)
        self._environments: dict[Language, jinja2.Environment] = {}
        for language in get_args(Language):
            self._environments[language] = self._environment(language)

    def _environment(self, language: Language) -> jinja2.Environment:
        environment = new_environment(HERE / "templates", SHARED_TEMPLATES, language=language)
        environment.filters.update(ago=ago)
        if language != "id":
            environment.globals = self._environments["id"].globals
        environment.globals.update(
            asset=self.static.url,
            logo=self.static.logo,
            icon=self.icon,
            site_name=self.settings.site_name,
            site_owner=self.settings.site_owner,
            procedure_title=procedure().title,
            way=line_list(stations(procedure(), at=None)),
        )
        return environment

    @property
    def environment(self) -> jinja2.Environment:
        """Return the templates in the language of the request."""
        return self._environments[SPOKEN.get()]

    def icon(self, name: str) -> Markup:
        """Return an icon of the sprite; an unknown name gives a plain dot, for words always stand beside it."""
        return self._icons.get(name, self._icons["dot"])

    def page(
        self,
        title: str,
        body: bytes,
        *,
        caller: Caller | None,
        path: str,
        told: Sequence[str] = (),
        refusal: Refusal | None = None,
    ) -> bytes:
        """Return the whole page around a fragment; without a caller there is no rail.

        `told` is what the last act left to say; a refused page gets the ways on from there.
        """
        person = caller.person if caller else None
        rail = self._rail(person) if person else NO_RAIL
        here = _nearest(path, rail.paths)
        theme: Theme = caller.theme if caller else "auto"
        scripts = tuple(name for name in SCRIPTS if f'data-script="{name}"'.encode() in body)
        # Of the address the page shows no more than where it stands.
        where = path if path in (here, "/periksa") else ""
        known = (rail, here, where, theme, scripts, SPOKEN.get())
        shell = self._shell(*known, told, refusal) if told or refusal else self._kept_shell(*known)
        return shell.fill(
            {
                "title": title,
                "body": Markup(body.decode()),  # noqa: S704 - a division's own page, escaped where it was made
                "form_token": caller.form_token if caller else "",
                "person_id": str(person.id) if person else "",
                "person_name": said(person.name) if person else "",
                "person_about": _about(person) if person else "",
            }
        ).encode()

    def _shell(
        self,
        rail: Rail,
        here: str,
        where: str,
        theme: Theme,
        scripts: tuple[str, ...],
        language: Language,
        told: Sequence[str] = (),
        refusal: Refusal | None = None,
    ) -> Mould:
        """Return the page as it is for everybody with this rail, at this place."""
        environment, place = self._environments[language], places(PLACES)
        entries = environment.get_template("entries.html")
        drawn = environment.get_template("around.html").render(
            place,
            is_inside=rail is not NO_RAIL,
            theme=theme,
            language=language,
            scripts=scripts,
            menu=Markup(entries.render(place, key="menu", groups=rail.groups, here=here)),  # noqa: S704 - drawn here
            rail=Markup(entries.render(place, key="rail", groups=rail.groups, here=here)),  # noqa: S704 - drawn here
            tabs=TABS,
            here=here,
            place=rail.place(here),
            path=where,
            told=told,
            refused=refusal,
        )
        return Mould(drawn, PLACES)

    def _rail(self, person: Person) -> Rail:
        """Return the rail: what is one's own, each division's lists, and what watches over all."""
        key, told = (person.roles, SPOKEN.get()), tuple(part.navigation for part in self.doors.parts.values())
        found = self._rails.get(key)
        if found is None or not all(map(is_, found.told, told)):
            if len(self._rails) >= MOST_DRAWN:
                self._rails.clear()
            found = self._rails[key] = Rail(told, self._groups(person))
        return found

    def _groups(self, person: Person) -> Groups:
        shown = self.doors.navigation(person)
        divisions = [
            (part.title.removeprefix("Divisi "), [entry for entry in shown if entry in part.navigation])
            for part in self.doors.parts.values()
        ]
        own = [("", [HOME, WAITING, NOTICES, *_dashboard(person)]), *divisions]
        return [(title, rows) for title, rows in [*own, (said("Pengawasan"), _own_entries(person))] if rows]


NO_RAIL = Rail((), [])
"""Around what is for everybody."""


def _about(person: Person) -> str:
    """Return in which capacity somebody acts, and for which unit."""
    about = said(person.as_what) if person.as_what != person.name else person.username
    return f"{about} · {said(person.unit)}" if person.unit else about


HOME = NavigationEntry(label="Beranda", path="/", icon="home", order=0)
WAITING = NavigationEntry(label="Menunggu saya", path="/menunggu", icon="inbox", order=1)
NOTICES = NavigationEntry(label="Pemberitahuan", path="/pemberitahuan", icon="bell", order=2)
DASHBOARD = NavigationEntry(label="Dasbor", path="/dasbor", icon="chart", order=2)
AUTHORITY = NavigationEntry(label="Wewenang", path="/wewenang", icon="key", order=90, roles=sorted(WATCHERS))
AUDIT = NavigationEntry(label="Jejak audit", path="/audit", icon="shield", order=91, roles=sorted(WATCHERS))
OPERATIONS = NavigationEntry(label="Operasi", path="/operasi", icon="gear", order=92, roles=sorted(WATCHERS))
CALENDAR = NavigationEntry(label="Hari kerja", path="/hari-kerja", icon="calendar", order=94, roles=sorted(KEEPERS))
PEOPLE = NavigationEntry(label="Orang", path="/orang", icon="person", order=93, roles=sorted(KEEPERS))
TABS = (
    HOME,
    NavigationEntry(label="Perkara", path="/perkara", icon="line"),
    NavigationEntry(label="Cari", path="/cari", icon="search"),
    NavigationEntry(label="Saya", path="/saya", icon="person"),
)


def _dashboard(person: Person) -> list[NavigationEntry]:
    return [DASHBOARD] if sees_figures(person) else []


def _own_entries(person: Person) -> list[NavigationEntry]:
    watched = [AUTHORITY, AUDIT, OPERATIONS] if person.has(*WATCHERS) else []
    return [*watched, PEOPLE, CALENDAR] if person.has(*KEEPERS) else watched


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
        shown = said("baru saja")
    elif minutes < 60:
        shown = said("{number} menit lalu").format(number=minutes)
    elif minutes < 24 * 60:
        shown = said("{number} jam lalu").format(number=minutes // 60)
    elif minutes < 31 * 24 * 60:
        shown = said("{number} hari lalu").format(number=minutes // (24 * 60))
    else:
        shown = long_date(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), long_moment(at), shown)
