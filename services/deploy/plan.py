"""What to do on a server, as data: from what it is and what it should be; touches nothing."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Said = Annotated[str, StringConstraints(max_length=400)]
"""Words of a host: short; what cannot be printed was made plain at the wire."""
App = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}\z")]
Value = str | int | bool | SecretStr

MASK = "••••••"
_SECRET_NAME = re.compile(r"password|passphrase|secret|token|sandi|private", re.IGNORECASE)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# --- What the server is: the helper's answer to `inspect` ------------------------------------------------


class Release(_Frozen):
    """One installed release and the permit that is kept beside it."""

    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    permit: Said | None = None
    valid_until: Said | None = None
    standing: Said = "none"
    """`stands`, `none`, or the code of the reason why the permit no longer stands."""


class Site(_Frozen):
    """One application on a server."""

    hosting: Said
    runtime: Said
    public: Said
    closed: Said
    front: Literal["open", "closed"]
    fence: int = Field(ge=0)
    current: Digest | None
    testing: Digest | None
    releases: dict[Digest, Release]
    unfinished: bool
    """An opening was cut off between its steps; the next act makes it good."""
    drift: tuple[Said, ...]
    """What somebody changed on the server by hand."""


class Program(_Frozen):
    """The helper that answered."""

    version: Said
    sha256: Digest


class Facts(_Frozen):
    """What a server is at this moment."""

    helper: Program
    profile: Literal["unprivileged", "privileged"]
    now: Said
    free_bytes: int = Field(ge=0)
    python: Said = ""
    permit_keys: tuple[Said, ...] = ()
    revoked: tuple[Said, ...] = ()
    sites: dict[App, Site]


# --- What it should be -----------------------------------------------------------------------------------


class Wanted(_Frozen):
    """What one application on a server should be; what is None stays as it is."""

    app: App
    hosting: Said
    runtime: Said = "static"
    public: Said
    closed: Said
    quota_mb: int | None = None
    testing: Digest | None = None
    """The build that should stand at the closed address."""
    files: int = 0
    """Number of files of that build."""
    size: int = 0
    """Size of that build in bytes."""
    current: Digest | None = None
    """The release that should serve visitors."""
    permit: Said | None = None
    """Id of the permit under which it is to be opened; None when the one kept on the server is meant."""
    front: Literal["open", "closed"] | None = None
    helper: Digest | None = None
    """The helper that Alur knows; another one is an obstacle."""
    secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """Settings that the application is given; they appear masked wherever the plan is shown."""


class Step(_Frozen):
    """One thing that will be done: the host's verb, the name under which the host reports it, its effect."""

    verb: str
    name: str
    params: dict[str, str | int | bool]
    effect: str


class Plan(_Frozen):
    """What will be done, in order, and the ground on which that was found."""

    app: str
    ground: Digest
    steps: tuple[Step, ...] = ()
    obstacles: tuple[str, ...] = ()
    """Sentences that say why it cannot be done; with any of these there are no steps."""

    @property
    def is_empty(self) -> bool:
        """Tell that the server already is what it should be."""
        return not self.steps and not self.obstacles

    def text(self) -> str:
        """Return the canonical JSON: keys sorted, no spaces; holds no secret."""
        return _canonical(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON as 64 hex digits: what an approval names."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def masked(params: Mapping[str, Value]) -> dict[str, str | int | bool]:
    """Return the values fit for showing: secrets, by type or by name, become `MASK`."""
    return {
        name: MASK if isinstance(value, SecretStr) or _SECRET_NAME.search(name) else value
        for name, value in params.items()
    }


def ground_of(facts: Facts, app: str) -> str:
    """Return the digest of all that a plan for this application rests on; free space and time are no part."""
    site = facts.sites.get(app)
    rests_on = {
        "helper": facts.helper.sha256,
        "profile": facts.profile,
        "site": site
        and {
            **site.model_dump(mode="json", exclude={"releases", "fence"}),
            "releases": sorted(site.releases),
        },
    }
    return hashlib.sha256(_canonical(rests_on).encode()).hexdigest()


def same_ground(plan: Plan, facts: Facts) -> bool:
    """Tell whether the server still is what it was when the plan was made."""
    return plan.ground == ground_of(facts, plan.app)


def make_plan(facts: Facts, wanted: Wanted) -> Plan:
    """Return what to do so that the server becomes what it should be (S07, F04); nothing to do is empty."""
    ground = ground_of(facts, wanted.app)
    obstacles = tuple(_obstacles(facts, wanted))
    if obstacles:
        return Plan(app=wanted.app, ground=ground, obstacles=obstacles)
    site = facts.sites.get(wanted.app)
    steps = [*_install(facts, site, wanted), *_serve(site, wanted), *_shut(site, wanted)]
    return Plan(app=wanted.app, ground=ground, steps=tuple(steps))


def _obstacles(facts: Facts, wanted: Wanted) -> Iterator[str]:
    site = facts.sites.get(wanted.app)
    if wanted.helper is not None and facts.helper.sha256 != wanted.helper:
        yield "Program Alur di server ini bukan yang dikenal. Mohon daftarkan ulang server ini."
    if site is not None and site.hosting != wanted.hosting:
        yield "Aplikasi ini sudah terpasang di sini untuk hosting lain. Mohon periksa permohonan hosting."
    if site is not None and site.drift:
        changed = ", ".join(_shown(name) for name in site.drift)
        yield (
            f"Ada perubahan di server yang bukan oleh Alur ({changed}). "
            "Mohon diperiksa oleh Divisi Infrastruktur sebelum dilanjutkan."
        )
    for name, other in facts.sites.items():
        if name != wanted.app and {other.public, other.closed} & {wanted.public, wanted.closed}:
            yield f"Nama {wanted.public} sudah dipakai aplikasi {name} di server ini. Mohon pilih nama lain."
    if wanted.testing is not None:
        yield from _install_obstacles(facts, site, wanted)
    if wanted.current is not None:
        yield from _serve_obstacles(site, wanted)


def _install_obstacles(facts: Facts, site: Site | None, wanted: Wanted) -> Iterator[str]:
    if wanted.runtime != "static":
        yield f"Server ini belum melayani aplikasi {wanted.runtime}. Mohon pilih server lain."
    if wanted.quota_mb is not None and wanted.size > wanted.quota_mb << 20:
        yield (
            f"Ukuran aplikasi ({_size(wanted.size)}) melebihi ruang hosting {wanted.quota_mb} MB. "
            "Mohon ajukan ruang yang lebih besar."
        )
    if wanted.size > facts.free_bytes:
        free = _size(facts.free_bytes)
        yield f"Ruang kosong di server tinggal {free}. Mohon tambah ruang atau pilih server lain."
    if site is not None and site.front == "open" and _names(site) != _names(wanted):
        yield "Alamat situs yang sedang dibuka tidak dapat diganti. Mohon tutup dahulu."


def _serve_obstacles(site: Site | None, wanted: Wanted) -> Iterator[str]:
    will_be_there = wanted.current == wanted.testing or (site is not None and wanted.current in site.releases)
    if not will_be_there:
        yield "Rilis yang akan dibuka belum terpasang di server ini. Mohon pasang dahulu di alamat tertutup."
    elif wanted.permit is None and wanted.front != "closed" and not _stands(site, wanted):
        yield "Rilis ini tidak mempunyai izin keamanan yang berlaku di server ini. Mohon minta izin (S08)."


def _stands(site: Site | None, wanted: Wanted) -> bool:
    release = site.releases.get(wanted.current or "") if site else None
    return release is not None and release.standing == "stands"


def _install(facts: Facts, site: Site | None, wanted: Wanted) -> Iterator[Step]:
    digest = wanted.testing
    if digest is None:
        return
    there = site is not None and digest in site.releases
    hung = site is not None and _names(site) == _names(wanted)
    if there and hung and site is not None and site.testing == digest:
        return
    about: dict[str, Value] = {"app": wanted.app, "digest": digest, **wanted.secrets}
    names: dict[str, Value] = {"public": wanted.public, "closed": wanted.closed}
    if site is None:
        if facts.profile == "privileged":
            yield _step("install", "account", {"app": wanted.app}, "Membuat akun sistem tanpa hak masuk.")
        yield _step("install", "folders", {"app": wanted.app}, "Membuat folder aplikasi.")
    if not there:
        most = f"{wanted.files} berkas ({_size(wanted.size)})"
        words = f"Mengirim paling banyak {most}; yang sudah ada tidak dikirim lagi."
        yield _step("install", "files", about, words)
        yield _step(
            "install",
            "release",
            about,
            f"Server menghitung ulang sidik digital dan mencocokkannya: {digest[:12]}….",
        )
    if not hung:
        words = f"Memasang alamat tertutup {wanted.closed}; alamat umum {wanted.public} masih menjawab 503."
        yield _step("install", "vhost", names, words)
    if site is None or site.testing != digest:
        yield _step("install", "testing", about, f"Alamat tertutup menunjuk rilis {digest[:12]}….")
    yield _step("install", "health", names, f"Memeriksa bahwa {wanted.closed} menjawab dengan benar.")


def _serve(site: Site | None, wanted: Wanted) -> Iterator[Step]:
    digest = wanted.current
    if digest is None or wanted.front == "closed":
        return
    is_open = site is not None and site.front == "open"
    if site is not None and is_open and site.current == digest and not site.unfinished:
        return
    verb = "rollback" if wanted.permit is None and is_open else "open"
    about: dict[str, Value] = {"app": wanted.app, "digest": digest}
    permit = wanted.permit or (site.releases[digest].permit if site and digest in site.releases else None)
    yield _step(
        verb,
        "permit",
        {**about, "permit": permit or ""},
        "Server memeriksa sendiri izin keamanan dan isi rilis.",
    )
    if site is None or site.current != digest:
        yield _step(verb, "switch", about, f"Rilis {digest[:12]}… menjadi rilis yang dipakai.")
    if not is_open:
        yield _step(verb, "front", {"public": wanted.public}, f"Membuka {wanted.public} untuk pengguna.")
    words = f"Memeriksa bahwa {wanted.public} menjawab dengan benar; bila tidak, dikembalikan seperti semula."
    yield _step(verb, "health", {"public": wanted.public}, words)


def _shut(site: Site | None, wanted: Wanted) -> Iterator[Step]:
    if wanted.front == "closed" and site is not None and site.front == "open":
        words = f"Menutup {wanted.public}; pengunjung melihat pemberitahuan (503)."
        yield _step("close", "front", {"public": wanted.public}, words)


def _step(verb: str, name: str, params: Mapping[str, Value], effect: str) -> Step:
    return Step(verb=verb, name=name, params=masked(params), effect=effect)


def _names(thing: Site | Wanted) -> tuple[str, str, str]:
    return thing.public, thing.closed, thing.runtime


_DRIFT = {
    "current": "rilis yang dipakai",
    "testing": "rilis di alamat tertutup",
    "vhost-public": "pengaturan alamat umum",
    "vhost-closed": "pengaturan alamat tertutup",
}


def _shown(drift: str) -> str:
    return _DRIFT.get(drift, "isi sebuah rilis" if drift.startswith("release-") else "pengaturan lain")


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    for unit, scale in (("kB", 10**3), ("MB", 10**6), ("GB", 10**9)):
        if count < scale * 1000 or unit == "GB":
            return f"{count / scale:.1f} {unit}".replace(".", ",")
    raise AssertionError("the loop always returns")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# --- What is asked of the host ---------------------------------------------------------------------------


class Request(_Frozen):
    """One request to the host's helper: a verb and its values; the helper's own grammar judges them."""

    verb: str
    params: dict[str, str | int | bool] = Field(default_factory=dict)

    def line(self) -> bytes:
        """Return the request as it goes over the wire, with its line end."""
        return _canonical({**self.params, "verb": self.verb}).encode() + b"\n"


def inspect_request(app: str | None = None, *, deep: bool = False) -> Request:
    """Return the question what the server is; `deep` has it read every release again."""
    return Request(verb="inspect", params={**({"app": app} if app else {}), "deep": deep})


def install_request(wanted: Wanted, *, manifest: str, fence: int, health: str = "/", repair: bool = False) -> Request:
    """Return the request that installs `wanted.testing` at the closed address (S07)."""
    params: dict[str, str | int | bool] = {
        "fence": fence,
        "app": wanted.app,
        "hosting": wanted.hosting,
        "runtime": wanted.runtime,
        "public": wanted.public,
        "closed": wanted.closed,
        "digest": wanted.testing or "",
        "manifest": manifest,
        "health": health,
    }
    if wanted.quota_mb is not None:
        params["quota_mb"] = wanted.quota_mb
    if repair:
        params["repair"] = True
    return Request(verb="install", params=params)


def open_request(
    *,
    app: str,
    hosting: str,
    digest: str,
    permit: str,
    signature: str,
    key: str,
    fence: int,
    health: str = "/",
) -> Request:
    """Return the request that opens a release under a signed permit (F04)."""
    return Request(
        verb="open",
        params={
            **_about(app=app, hosting=hosting, fence=fence),
            "digest": digest,
            "permit": permit,
            "signature": signature,
            "key": key,
            "health": health,
        },
    )


def rollback_request(*, app: str, hosting: str, digest: str, fence: int, health: str = "/") -> Request:
    """Return the request that lets an earlier release serve again (F04)."""
    about = _about(app=app, hosting=hosting, fence=fence)
    return Request(verb="rollback", params={**about, "digest": digest, "health": health})


def close_request(*, app: str, hosting: str, fence: int) -> Request:
    """Return the request that shuts the front door."""
    return Request(verb="close", params=_about(app=app, hosting=hosting, fence=fence))


def remove_request(*, app: str, hosting: str, digest: str, fence: int) -> Request:
    """Return the request that removes a kept release which neither address uses."""
    return Request(verb="remove", params={**_about(app=app, hosting=hosting, fence=fence), "digest": digest})


def revoke_request(permit_id: str) -> Request:
    """Return the request that takes a permit back on this host."""
    return Request(verb="revoke", params={"permit_id": permit_id})


def _about(*, app: str, hosting: str, fence: int) -> dict[str, str | int | bool]:
    return {"app": app, "hosting": hosting, "fence": fence}
