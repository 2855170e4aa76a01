#!/usr/bin/python3 -I
"""The one program that Alur may run on a managed server: typed verbs in as JSON, JSON lines out.

It is installed root-owned and stands alone: standard library only, Python 3.9 or newer. A stolen Alur can ask
it for nothing but the verbs in `VERBS`, and cannot open a build without a permit that this file itself finds
genuine. No value ever becomes shell text; what the profile, the folders and the programs are, a file on the
host says.
"""

# The host may run an older Python than Alur does, so newer spellings are not used here.
# `os.path` instead of pathlib: importing pathlib would cost a third of the start-up time of every request.
# ruff: noqa: UP017, PTH101, PTH102, PTH103, PTH105, PTH108, PTH110, PTH112, PTH114, PTH115, PTH116, PTH118
# ruff: noqa: PTH119, PTH120, PTH123, PTH208, PTH211
from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import select
import signal
import socket
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, NoReturn

    Point = tuple[int, int, int, int]  # (X, Y, Z, T), extended coordinates

VERSION = "1"
HELPER_PATH = "/usr/local/lib/alur/host_helper.py"
CONFIG_PATH = "/etc/alur/host.json"

# --- What may be asked: the grammar, as data ---------------------------------------------------------------

MAX_REQUEST_BYTES = 32 << 20
MAX_ENTRIES = 100_000
MAX_TOTAL_BYTES = 2 << 30
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 64

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

VALUES: dict[str, dict[str, Any]] = {
    "app": {"type": "string", "pattern": r"[a-z][a-z0-9-]{1,30}"},
    "hosting": {"type": "string", "pattern": r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"},
    "digest": {"type": "string", "pattern": r"[0-9a-f]{64}"},
    "fence": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "runtime": {"type": "string", "pattern": r"static|php|python|node"},
    # The first label tells the two front doors apart, so a closed address can never take a public name.
    "public": {
        "type": "string",
        "pattern": rf"(?=.{{4,253}}\Z)(?![a-z0-9-]*-uji\.){_LABEL}(?:\.{_LABEL})+",
    },
    "closed": {
        "type": "string",
        "pattern": rf"(?=.{{4,253}}\Z)[a-z0-9](?:[a-z0-9-]{{0,57}}[a-z0-9])?-uji(?:\.{_LABEL})+",
    },
    "health": {
        "type": "string",
        "pattern": r"/(?:(?!\.)[A-Za-z0-9._~-]{1,80}/){0,8}(?:(?!\.)[A-Za-z0-9._~-]{1,80})?",
    },
    "permit_id": {"type": "string", "pattern": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"},
    "permit_text": {"type": "string", "max_bytes": 20_000},
    "signature": {"type": "string", "pattern": r"[0-9a-f]{128}"},
    "key": {"type": "string", "pattern": r"[0-9a-f]{16}"},
    "manifest": {"type": "string", "max_bytes": MAX_REQUEST_BYTES},
    "quota_mb": {"type": "integer", "minimum": 1, "maximum": 1 << 20},
    "yes": {"type": "boolean"},
}
"""Each kind of value: strings match their pattern whole, integers lie within their bounds."""

VERBS: dict[str, dict[str, dict[str, str]]] = {
    "inspect": {"required": {}, "optional": {"app": "app", "deep": "yes"}},
    "install": {
        "required": {
            "fence": "fence",
            "app": "app",
            "hosting": "hosting",
            "runtime": "runtime",
            "public": "public",
            "closed": "closed",
            "digest": "digest",
            "manifest": "manifest",
        },
        "optional": {"health": "health", "quota_mb": "quota_mb", "repair": "yes"},
    },
    "open": {
        "required": {
            "fence": "fence",
            "app": "app",
            "hosting": "hosting",
            "digest": "digest",
            "permit": "permit_text",
            "signature": "signature",
            "key": "key",
        },
        "optional": {"health": "health"},
    },
    "rollback": {
        "required": {"fence": "fence", "app": "app", "hosting": "hosting", "digest": "digest"},
        "optional": {"health": "health"},
    },
    "close": {"required": {"fence": "fence", "app": "app", "hosting": "hosting"}, "optional": {}},
    "revoke": {"required": {"permit_id": "permit_id"}, "optional": {}},
    "remove": {
        "required": {"fence": "fence", "app": "app", "hosting": "hosting", "digest": "digest"},
        "optional": {},
    },
}
"""Each verb with its values: name -> kind (a key of `VALUES`). Anything else in a request is refused."""


class Refusal(Exception):  # noqa: N818 - an expected no, not an error of the program
    """An expected no: `code` for programs, `text` in Indonesian for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def fault(kind: str, value: object) -> str | None:
    """Say in Indonesian why `value` is not of this kind (a key of `VALUES`), or None when it is."""
    rule = VALUES[kind]
    if rule["type"] == "boolean":
        return None if isinstance(value, bool) else "harus ya atau tidak"
    if rule["type"] == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            return "harus bilangan bulat"
        return None if rule["minimum"] <= value <= rule["maximum"] else "di luar batas"
    if not isinstance(value, str):
        return "harus berupa teks"
    if "max_bytes" in rule:
        try:
            return None if len(value.encode()) <= rule["max_bytes"] else "terlalu panjang"
        except UnicodeEncodeError:
            return "memuat tanda yang tidak sah"
    return None if re.fullmatch(rule["pattern"], value, re.ASCII) else "tidak sesuai aturan penulisan"


def checked(request: object) -> dict[str, Any]:
    """Return the request if its verb and every value fit the grammar.

    Refuses `malformed`, `unknown_verb`, `bad_value`; then nothing was touched.
    """
    if not isinstance(request, dict):
        raise Refusal("malformed", "Permintaan bukan objek JSON.")
    verb = request.get("verb")
    if not isinstance(verb, str) or verb not in VERBS:
        raise Refusal("unknown_verb", "Perintah ini tidak dikenal oleh server.")
    required, optional = VERBS[verb]["required"], VERBS[verb]["optional"]
    names = set(request) - {"verb"}
    for name in sorted(required.keys() - names):
        raise Refusal("bad_value", f"Nilai “{name}” belum diisi.")
    if names - required.keys() - optional.keys():
        raise Refusal("bad_value", "Permintaan memuat nilai yang tidak dikenal.")
    for name in sorted(names):
        if words := fault(required.get(name) or optional[name], request[name]):
            raise Refusal("bad_value", f"Nilai “{name}” {words}.")
    return request


# --- The list of files (the same frozen form as `shared/manifest.py`) -------------------------------------

_MANIFEST_LINE = re.compile(
    r'\{"mode":"(?:644|755)","path":"(?:[^"\\]|\\.)*","sha256":"[0-9a-f]{64}","size":(?:0|[1-9][0-9]{0,15})\}'
)
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Entry:
    """One file of a build: relative path, mode 0o644 or 0o755, size in bytes, SHA-256 as hex."""

    __slots__ = ("mode", "path", "sha256", "size")

    def __init__(self, path: str, mode: int, size: int, sha256: str) -> None:
        self.path = path
        self.mode = mode
        self.size = size
        self.sha256 = sha256

    def line(self) -> bytes:
        """Return the canonical line of this file, in UTF-8 with its line end."""
        path = json.dumps(self.path, ensure_ascii=False)
        text = f'{{"mode":"{self.mode:o}","path":{path},"sha256":"{self.sha256}","size":{self.size}}}\n'
        return text.encode()


def read_manifest(text: str, digest: str) -> list[Entry]:
    """Return the files of a build from its canonical list.

    Refuses `other_digest` when the list is not the one that `digest` names, `manifest_refused` when it is not
    canonical or holds a path, a twin or a size that has no business on a server.
    """
    raw = text.encode()
    if hashlib.sha256(raw).hexdigest() != digest:
        raise Refusal("other_digest", "Daftar berkas tidak cocok dengan sidik digital kemasan.")
    if not text.endswith("\n"):
        _bad_manifest("daftar kosong atau terpotong")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_ENTRIES:
        _bad_manifest(f"lebih dari {MAX_ENTRIES} berkas")
    entries = []
    for line in lines:
        if not _MANIFEST_LINE.fullmatch(line):
            _bad_manifest("ada baris yang tidak dalam bentuk baku")
        try:
            record = json.loads(line)
        except ValueError:
            _bad_manifest("ada baris yang tidak dalam bentuk baku")
        entry = Entry(record["path"], int(record["mode"], 8), record["size"], record["sha256"])
        if words := path_fault(entry.path):
            _bad_manifest(words)
        if entry.line().decode() != line + "\n":
            _bad_manifest("ada baris yang tidak dalam bentuk baku")
        entries.append(entry)
    order = [entry.path.encode() for entry in entries]
    if any(order[i] >= order[i + 1] for i in range(len(order) - 1)):
        _bad_manifest("urutannya tidak baku")
    if sum(entry.size for entry in entries) > MAX_TOTAL_BYTES:
        _bad_manifest("seluruh berkas melebihi 2 GiB")
    _refuse_twins(entries)
    return entries


def path_fault(path: str) -> str | None:
    """Say in Indonesian why this relative path must not be written, or None when it may."""
    import unicodedata

    if not path:
        return "ada berkas tanpa nama"
    if any(sign in _DIRECTION_MARKS or unicodedata.category(sign) in {"Cc", "Zl", "Zp", "Cs"} for sign in path):
        return "ada nama berkas yang memuat karakter kendali"
    if "\\" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "ada alamat berkas yang mutlak"
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names):
        return "ada alamat berkas yang keluar dari foldernya"
    if len(path.encode()) > MAX_PATH_BYTES or any(len(name.encode()) > MAX_NAME_BYTES for name in names):
        return "ada nama berkas yang terlalu panjang"
    if len(names) > MAX_DEPTH:
        return "ada folder yang terlalu dalam"
    return None


def _refuse_twins(entries: list[Entry]) -> None:
    import unicodedata

    def key(path: str) -> str:
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())

    files = {key(entry.path) for entry in entries}
    if len(files) != len(entries):
        _bad_manifest("ada dua nama yang hanya berbeda huruf besar-kecil")
    for folder in _folders(entries):
        if key(folder) in files:
            _bad_manifest("ada nama yang dipakai berkas dan juga folder")


def _folders(entries: Iterable[Entry]) -> list[str]:
    known: set[str] = set()
    for entry in entries:
        folder = entry.path.rpartition("/")[0]
        while folder and folder not in known:
            known.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(known)


def _bad_manifest(words: str) -> NoReturn:
    raise Refusal("manifest_refused", f"Daftar berkas ditolak: {words}.")


def tree_digest(folder: str) -> str:
    """Walk a release on the disk, read every byte of it, and return the digest of what is really there.

    Refuses `tampered` when anything but plain folders and plain files of our own is found; follows no link.
    """
    found: list[tuple[bytes, bytes]] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(os.path.join(folder, inside)) as listing:
            for item in listing:
                path = f"{inside}/{item.name}" if inside else item.name
                if item.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                found.append(_hashed(folder, path))
                if len(found) > MAX_ENTRIES:
                    _tampered()
    found.sort()
    whole = hashlib.sha256()
    for _, line in found:
        whole.update(line)
    return whole.hexdigest()


def _hashed(folder: str, path: str) -> tuple[bytes, bytes]:
    try:
        name = path.encode()
        handle = os.open(os.path.join(folder, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (UnicodeEncodeError, OSError):
        _tampered()
    try:
        facts = os.fstat(handle)
        mode = stat.S_IMODE(facts.st_mode)
        if not stat.S_ISREG(facts.st_mode) or mode not in (0o644, 0o755) or facts.st_uid != os.geteuid():
            _tampered()
        seen = hashlib.sha256()
        size = 0
        while piece := os.read(handle, 1 << 20):
            seen.update(piece)
            size += len(piece)
    finally:
        os.close(handle)
    return name, Entry(path, mode, size, seen.hexdigest()).line()


def _tampered() -> NoReturn:
    raise Refusal("tampered", "Isi rilis di server telah diubah di luar Alur. Mohon diperiksa sebelum dilanjutkan.")


# --- The permit: Ed25519, verify only (RFC 8032) ----------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_IDENTITY = (0, 1, 1, 0)
_BASE_Y = 4 * pow(5, _P - 2, _P) % _P


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % _P, y * z % _P, x * y % _P, w * z % _P


def _times(scalar: int, point: Point) -> Point:
    total = _IDENTITY
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % _P == 0 and (a[1] * b[2] - b[1] * a[2]) % _P == 0


def _point(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    x = _recovered(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _recovered(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def verified(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether this is the key's Ed25519 signature of the message (RFC 8032 §5.1.7, without cofactor).

    A signature or key in a non-canonical form, and a key of small order, is never genuine.
    """
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public_key), _point(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _L or _same(_times(8, key), _IDENTITY):
        return False
    seen = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(seen, "little") % _L
    base = _point(_BASE_Y.to_bytes(32, "little"))
    if base is None:  # pragma: no cover - the base point is a constant of the standard
        return False
    return _same(_times(response, base), _add(commitment, _times(challenge, key)))


_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


def public_keys(paths: Iterable[str]) -> dict[str, bytes]:
    """Read Ed25519 public keys from PEM files, several in one allowed: key id -> 32 raw bytes."""
    import binascii

    keys = {}
    for path in paths:
        for block in _PEM.findall(_read(path) or b""):
            raw = binascii.a2b_base64(block)
            if len(raw) == 44 and raw.startswith(_SPKI_ED25519):
                keys[hashlib.sha256(raw[12:]).hexdigest()[:16]] = raw[12:]
    return keys


CLOCK_SLACK = 120
"""Seconds that this clock may be behind the signer's before a fresh permit counts as not yet valid."""

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
_PERMIT_NAMES = {
    "v", "id", "case", "application", "digest", "hosting", "policy", "scans", "round",
    "issued_at", "install_until", "valid_until",
}  # fmt: skip


class SignedPermit:
    """A permit as it travels: exact text, signature, name of the key; `facts` once it was found genuine."""

    def __init__(self, text: str, signature: str, key: str) -> None:
        self.text = text
        self.signature = signature
        self.key = key

    def kept(self) -> bytes:
        """Return the form in which the host keeps it."""
        return _canonical({"key": self.key, "permit": self.text, "signature": self.signature})

    def facts(self, keys: dict[str, bytes]) -> dict[str, Any]:
        """Return what it says if a known key signed it; refuses `key_unknown`, `forged`, `malformed`."""
        public = keys.get(self.key)
        if public is None:
            raise Refusal("key_unknown", "Izin keamanan ditandatangani dengan kunci yang tidak dikenal server ini.")
        if not verified(public, self.text.encode(), bytes.fromhex(self.signature)):
            raise Refusal("forged", "Tanda tangan izin keamanan tidak cocok dengan isinya.")
        try:
            facts = json.loads(self.text, object_pairs_hook=_no_twins)
        except ValueError:
            facts = None
        if not isinstance(facts, dict) or set(facts) != _PERMIT_NAMES or facts["v"] != 1:
            raise Refusal("malformed", "Isi izin keamanan tidak dapat dibaca.")
        for name, kind in (("id", "permit_id"), ("digest", "digest"), ("policy", "digest")):
            if fault(kind, facts[name]):
                raise Refusal("malformed", "Isi izin keamanan tidak dapat dibaca.")
        return facts

    def must_stand(
        self,
        keys: dict[str, bytes],
        *,
        app: str,
        hosting: str,
        digest: str,
        first_opening: bool,
        is_revoked: Callable[[str], bool],
    ) -> dict[str, Any]:
        """Return what it says if it lets this build run here now; otherwise refuses with the reason (F04)."""
        facts = self.facts(keys)
        now = time.time()
        if is_revoked(facts["id"]):
            raise Refusal("revoked", "Izin keamanan ini telah dicabut.")
        if facts["digest"] != digest:
            raise Refusal("other_digest", "Izin keamanan ini untuk kemasan lain; kemasan ini belum lulus uji.")
        if facts["application"] != app:
            raise Refusal("other_application", "Izin keamanan ini untuk aplikasi lain.")
        if facts["hosting"] != hosting:
            raise Refusal("other_hosting", "Izin keamanan ini untuk hosting lain.")
        if now < _moment(facts["issued_at"]) - CLOCK_SLACK:
            raise Refusal("not_yet_valid", "Izin keamanan ini belum mulai berlaku; mohon periksa jam server.")
        if now >= _moment(facts["valid_until"]):
            raise Refusal("expired", "Masa berlaku izin keamanan ini sudah habis.")
        if now >= _moment(facts["install_until"]) and first_opening:
            raise Refusal("install_expired", "Batas waktu pemasangan pada izin keamanan ini sudah lewat.")
        return facts


def _moment(text: object) -> float:
    from datetime import datetime, timezone

    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    try:
        if match:
            return datetime(*map(int, match.groups()), tzinfo=timezone.utc).timestamp()  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        pass
    raise Refusal("malformed", "Isi izin keamanan tidak dapat dibaca.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


# --- Files on the host ------------------------------------------------------------------------------------


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _sync_folder(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: str, content: bytes, mode: int = 0o644) -> None:
    """Replace a small file so that a power cut leaves the old or the new one, never a half."""
    part = f"{path}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(handle, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(part, path)
    _sync_folder(os.path.dirname(path))


def _written(path: str, content: bytes, mode: int = 0o644) -> bool:
    """Write only when the bytes differ; tell whether they did."""
    if _read(path) == content:
        return False
    _write(path, content, mode)
    return True


def _drop(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    _sync_folder(os.path.dirname(path))
    return True


def _folder(path: str, mode: int) -> bool:
    """Make a folder with this mode; tell whether anything had to be done."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        facts = os.lstat(path)
        if not stat.S_ISDIR(facts.st_mode):
            raise Refusal("host_error", "Di tempat folder Alur ada benda lain. Mohon periksa server.") from None
        if stat.S_IMODE(facts.st_mode) == mode:
            return False
    os.chmod(path, mode)
    return True


def _target(link: str) -> str | None:
    """Return the digest that a release link points at; None when there is no link."""
    try:
        where = os.readlink(link)
    except FileNotFoundError:
        return None
    except OSError:
        where = ""
    if not re.fullmatch(r"releases/[0-9a-f]{64}", where, re.ASCII):
        raise Refusal("drift", "Tautan rilis di server telah diubah di luar Alur. Mohon diperiksa.")
    return where.rpartition("/")[2]


def _point_at(link: str, digest: str | None) -> None:
    """Switch a release link in one rename: it always leads to a whole release, or is not there."""
    if digest is None:
        _drop(link)
        return
    part = f"{link}.part"
    if os.path.lexists(part):
        os.unlink(part)
    os.symlink(f"releases/{digest}", part)
    os.replace(part, link)
    _sync_folder(os.path.dirname(link))


def _delete_tree(path: str) -> None:
    import shutil

    if os.path.lexists(path):
        shutil.rmtree(path)


class Lock:
    """An exclusive lock on a file, waited for only so long; released by the kernel whatever becomes of us."""

    def __init__(self, path: str, wait: float) -> None:
        self.path = path
        self.wait = wait

    def __enter__(self) -> Lock:
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + self.wait
        while True:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                if time.monotonic() >= end:
                    os.close(self.handle)
                    raise Refusal(
                        "busy", "Server sedang mengerjakan permintaan lain. Mohon ulangi sebentar lagi."
                    ) from None
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


# --- What the host itself says: its configuration ---------------------------------------------------------

_CONFIG_RULES: dict[str, tuple[str, object]] = {
    # name: (pattern of the value or of each item, default); None = must be given
    "profile": (r"unprivileged|privileged", None),
    "apps": (r"/[A-Za-z0-9._/-]+", None),
    "state": (r"/[A-Za-z0-9._/-]+", None),
    "vhosts": (r"/[A-Za-z0-9._/-]+", None),
    "permit_keys": (r"/[A-Za-z0-9._/-]+", []),
    "listen": (r"(?:(?:\d{1,3}\.){3}\d{1,3}:|\[[0-9a-f:]+\]:)?\d{1,5}", []),
    "front": (r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f:]*):\d{1,5}", "127.0.0.1:80"),
    "closed_allow": (r"[0-9a-fA-F:.]{2,45}(?:/\d{1,3})?", ["127.0.0.1", "::1"]),
    "domains": (rf"{_LABEL}(?:\.{_LABEL})*", []),
    "nginx": (r"/[A-Za-z0-9._/-]+", "/usr/sbin/nginx"),
    "nginx_prefix": (r"(?:/[A-Za-z0-9._/-]+)?", ""),
    "nginx_conf": (r"(?:/[A-Za-z0-9._/-]+)?", ""),
    "nginx_pid": (r"/[A-Za-z0-9._/-]+", "/run/nginx.pid"),
    "web_user": (r"[a-z_][a-z0-9_-]{0,31}", "www-data"),
}


class Config:
    """Where things are on this host and what Alur may do here; read from a file that Alur cannot write."""

    profile: str
    apps: str
    state: str
    vhosts: str
    permit_keys: list[str]
    listen: list[str]
    front: str
    closed_allow: list[str]
    domains: list[str]
    nginx: str
    nginx_prefix: str
    nginx_conf: str
    nginx_pid: str
    web_user: str

    def __init__(self, raw: object) -> None:
        """Take the parsed JSON; refuses `bad_config` when a name or a value is not in `_CONFIG_RULES`."""
        if not isinstance(raw, dict) or set(raw) - set(_CONFIG_RULES):
            raise Refusal("bad_config", "Pengaturan Alur di server ini memuat nama yang tidak dikenal.")
        for name, (pattern, default) in _CONFIG_RULES.items():
            value = raw.get(name, default)
            items = value if isinstance(default, list) else [value]
            if not isinstance(items, list) or not all(
                isinstance(item, str) and re.fullmatch(pattern, item, re.ASCII) for item in items
            ):
                raise Refusal("bad_config", f"Pengaturan “{name}” di server ini belum benar.")
            setattr(self, name, value)
        if not self.listen:
            raise Refusal("bad_config", "Pengaturan “listen” di server ini belum diisi.")

    @property
    def is_privileged(self) -> bool:
        """Tell whether this is a real host, where the helper runs as root."""
        return self.profile == "privileged"


def read_config(path: str) -> Config:
    """Read the host's configuration; refuses `bad_config`, also when others than root could write it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(file.fileno())
            config = Config(json.loads(file.read()))
    except (OSError, ValueError):
        raise Refusal("bad_config", "Pengaturan Alur di server ini tidak ada atau tidak terbaca.") from None
    if config.is_privileged and (facts.st_uid != 0 or facts.st_mode & 0o022 or os.geteuid() != 0):
        raise Refusal("bad_config", "Pengaturan Alur di server ini dapat diubah oleh selain root.")
    return config


# --- What goes in and out ---------------------------------------------------------------------------------


class Wire:
    """Lines out to Alur, request and file contents in from it.

    When the connection is cut we finish the verb unheard: half a switch is worse than a lost answer.
    """

    def __init__(self, inlet: int = 0, outlet: int = 1, patience: float = 60.0) -> None:
        self.inlet = inlet
        self.outlet = outlet
        self.patience = patience
        self.buffer = b""
        self.is_cut = False
        self.changed = False

    def say(self, line: dict[str, Any]) -> None:
        """Send one JSON line."""
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        try:
            while data and not self.is_cut:
                # A listener who stays connected but does not read must not hold the lock for ever.
                if not select.select([], [self.outlet], [], self.patience)[1]:
                    self.is_cut = True
                data = data[os.write(self.outlet, data[:4096]) :]
        except OSError:
            self.is_cut = True

    def step(self, name: str, state: str, text: str) -> None:
        """Report one step: start, done, unchanged or failed."""
        if state == "done":
            self.changed = True
        self.say({"step": name, "state": state, "text": text})

    def _more(self) -> bytes:
        ready, _, _ = select.select([self.inlet], [], [], self.patience)
        piece = os.read(self.inlet, 1 << 18) if ready else b""
        if not piece:
            raise Refusal(
                "cut_off",
                "Kiriman terputus sebelum selesai. Mohon ulangi; yang sudah sampai tidak dikirim lagi.",
            )
        return piece

    def line(self, limit: int, *, start: bytes = b"") -> bytes:
        """Return the next line without its end.

        Refuses `cut_off`, `malformed` when it is longer than `limit` or begins otherwise than with `start`: whoever
        speaks another protocol is told so at once.
        """
        pieces: list[bytes] = []
        size = 0
        piece = self.buffer
        while True:
            head, found, rest = piece.partition(b"\n")
            size += len(head)
            if head and size == len(head) and not head.startswith(start):
                raise Refusal("malformed", "Permintaan bukan JSON yang sah.")
            if size > limit:
                raise Refusal("malformed", "Permintaan terlalu panjang.")
            pieces.append(head)
            if found:
                self.buffer = rest
                return b"".join(pieces)
            piece = self._more()

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes as they come; refuses `cut_off`."""
        while size:
            if not self.buffer:
                self.buffer = self._more()
            piece, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(piece)
            yield piece


# --- The web server ---------------------------------------------------------------------------------------


def _run(program: list[str]) -> tuple[int, str]:
    """Run a fixed program with an argument list; return exit code and what it said, short and made plain."""
    import subprocess

    try:
        done = subprocess.run(
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return -1, type(error).__name__
    return done.returncode, plain(done.stdout.decode("utf-8", "replace"), 4000)


def plain(text: str, limit: int = 600) -> str:
    """Return foreign text fit for a line on a page: printable, on one line, at most `limit` signs."""
    words = "".join(sign if sign.isprintable() else " " for sign in text[: limit * 4])
    return " ".join(words.split())[:limit]


def fetch(front: str, host: str, path: str, *, timeout: float = 5.0) -> tuple[int, dict[str, str], str, int]:
    """Ask the web server on this host; return status (0 = no answer), headers, body's SHA-256 and size."""
    address, _, port = front.rpartition(":")
    seen = hashlib.sha256()
    try:
        with socket.create_connection((address.strip("[]"), int(port)), timeout=timeout) as link:
            link.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: alur-host\r\n\r\n".encode())
            data = b""
            while b"\r\n\r\n" not in data and len(data) < 65536:
                piece = link.recv(65536)
                if not piece:
                    return 0, {}, "", 0
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            size = 0
            while body and size <= MAX_TOTAL_BYTES:
                seen.update(body)
                size += len(body)
                body = link.recv(1 << 18)
    except (OSError, ValueError):
        return 0, {}, "", 0
    first, *lines = head.decode("latin-1").split("\r\n")
    match = re.match(r"HTTP/1\.[01] (\d{3})", first)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return (int(match.group(1)) if match else 0), headers, seen.hexdigest(), size


_HEADERS = """\
    add_header X-Content-Type-Options "nosniff" always;
    add_header X-Frame-Options "SAMEORIGIN" always;
    add_header Content-Security-Policy "frame-ancestors 'self'" always;
    add_header Referrer-Policy "strict-origin-when-cross-origin" always;
    add_header Permissions-Policy "camera=(), geolocation=(), microphone=(), payment=(), usb=()" always;
"""

_VHOST = """\
# Written by Alur for {app}; changes by hand are reported as drift.
server {{
{listen}    server_name {name};
    root {root};
    index index.html index.htm;
    charset utf-8;
    server_tokens off;
    autoindex off;
    absolute_redirect off;
{access}{headers}
    location = /.alur {{
        allow 127.0.0.1;
        allow ::1;
        deny all;
        alias {answer};
        default_type text/plain;
        add_header X-Alur-Vhost "{token}";
    }}
    location ~ /\\.(?!well-known(?:/|$)) {{
        return 404;
    }}
    error_page 503 @closed;
    location @closed {{
        default_type text/html;
{headers4}        add_header Retry-After "3600" always;
        add_header Cache-Control "no-store" always;
        return 503 "{words}";
    }}
    location / {{
        if (-f {marker}) {{
            return 503;
        }}
        try_files $uri $uri/ =404;
    }}
}}
"""
_TOKEN = "{token}"  # noqa: S105 - a place holder
_CLOSED_WORDS = (
    "<!doctype html><html lang='id'><meta charset='utf-8'><title>Layanan ditutup sementara</title>"
    "<h1>Layanan ini sedang ditutup sementara</h1>"
    "<p>Silakan coba lagi nanti atau hubungi pusat layanan TI kampus.</p></html>\\n"
)


class Front:
    """The web server: virtual hosts as files, tested and reloaded only when their bytes changed."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pending = os.path.join(config.state, "reload-pending")

    def vhost(self, site: Site, *, is_closed_address: bool) -> tuple[bytes, str]:
        """Return the virtual host of one of a site's two addresses, and the token that shows it is loaded."""
        config = self.config
        access = ""
        if is_closed_address:
            access = "".join(f"    allow {address};\n" for address in config.closed_allow)
            access += '    deny all;\n    add_header X-Robots-Tag "noindex, nofollow" always;\n'
        text = _VHOST.format(
            app=site.app,
            listen="".join(f"    listen {address};\n" for address in config.listen),
            name=site.facts["closed" if is_closed_address else "public"],
            root=os.path.join(site.home, "testing" if is_closed_address else "current"),
            access=access,
            headers=_HEADERS,
            headers4=_HEADERS.replace("    add_header", "        add_header"),
            answer=os.path.join(site.home, "answer.txt"),
            words=_CLOSED_WORDS,
            # The closed address has no such file, so it is never shut: who may reach it is said above.
            marker=os.path.join(site.home, "never" if is_closed_address else "closed"),
            token=_TOKEN,
        )
        token = hashlib.sha256(text.encode()).hexdigest()[:32]
        return text.replace(_TOKEN, token).encode(), token

    def path(self, app: str, door: str) -> str:
        """Return where the virtual host of a door (`public`, `closed`) lies."""
        return os.path.join(self.config.vhosts, f"alur-{app}.{door}.conf")

    def put(self, files: dict[str, bytes | None], names: dict[str, str]) -> bool:
        """Make the virtual hosts be these bytes (None = none), test, reload; tell whether that was needed.

        `names` are host name -> token to be seen before this returns. Refuses `web_server_refuses` and
        `name_taken` (then everything is as it was before), `web_server_down`.
        """
        with Lock(os.path.join(self.config.state, "web.lock"), 30):
            before = {path: _read(path) for path in files}
            if before == files and not os.path.exists(self.pending):
                return False
            # Written first: a crash between the file and the reload is then made good by the next attempt.
            _write(self.pending, b"\n")
            self._place(files)
            code, said = self._test()
            clashes = set(re.findall(r'conflicting server name "([^"]+)"', said)) & set(names)
            if code or clashes:
                self._place(before)
                if code:
                    raise Refusal(
                        "web_server_refuses", f"Web server menolak pengaturan baru: {said[:600]}. Mohon diperiksa."
                    )
                raise Refusal("name_taken", "Nama domain ini sudah dipakai situs lain di server ini.")
            workers = self._workers()
            self._reload()
            self._settle(workers, names)
            _drop(self.pending)
            return True

    def _place(self, files: dict[str, bytes | None]) -> None:
        for path, content in files.items():
            if content is None:
                _drop(path)
            else:
                _written(path, content)

    def _test(self) -> tuple[int, str]:
        config = self.config
        program = [config.nginx, "-t"]
        if config.nginx_prefix:
            program += ["-p", config.nginx_prefix]
        if config.nginx_conf:
            program += ["-c", config.nginx_conf]
        return _run(program)

    def _master(self) -> int | None:
        raw = (_read(self.config.nginx_pid) or b"").strip()
        return int(raw) if raw.isdigit() and 1 < int(raw) < 2**31 else None

    def _workers(self) -> list[int]:
        master = self._master()
        raw = _read(f"/proc/{master}/task/{master}/children") if master else None
        return [int(pid) for pid in (raw or b"").split()]

    def _reload(self) -> None:
        if self.config.is_privileged:
            code, said = _run(["/usr/bin/systemctl", "reload", "nginx"])
            if code:
                raise Refusal("web_server_down", f"Web server tidak dapat dimuat ulang: {said}")
            return
        master = self._master()
        try:
            if master is None:
                raise ProcessLookupError
            os.kill(master, signal.SIGHUP)
        except OSError:
            raise Refusal("web_server_down", "Web server latihan sedang tidak berjalan. Mohon ulangi.") from None

    def _settle(self, workers: list[int], names: dict[str, str]) -> None:
        """Wait until no worker of before takes visitors any more and the new virtual hosts answer."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if all(self._is_leaving(pid) for pid in workers) and all(
                self.is_loaded(name, token) for name, token in names.items()
            ):
                if not workers:
                    # Without /proc old workers are not seen; nginx lets them go 0.1 s after the new come.
                    time.sleep(0.3)
                return
            time.sleep(0.02)
        raise Refusal("web_server_down", "Web server tidak menjawab dengan pengaturan yang baru.")

    def _is_leaving(self, pid: int) -> bool:
        try:
            said = _read(f"/proc/{pid}/cmdline")
        except OSError:
            return True
        return not said or b"shutting down" in said

    def is_loaded(self, name: str, token: str) -> bool:
        """Tell whether the web server runs this very virtual host now."""
        status, headers, _, _ = fetch(self.config.front, name, "/.alur")
        return status == 200 and headers.get("x-alur-vhost") == token


# --- One application on this host -------------------------------------------------------------------------


def account_name(app: str) -> str:
    """Return an application's system user; Linux allows 32 signs, so a long name ends in its digest."""
    if len(app) <= 27:
        return f"alur-{app}"
    return f"alur-{app[:18]}-{hashlib.sha256(app.encode()).hexdigest()[:8]}"


class Site:
    """The place of one application: releases, two links (`current` live, `testing` closed), and our notes."""

    def __init__(self, config: Config, app: str) -> None:
        self.config = config
        self.app = app
        self.home = os.path.join(config.apps, app)
        self.notes = os.path.join(config.state, "sites", app)
        self.current = os.path.join(self.home, "current")
        self.testing = os.path.join(self.home, "testing")
        self.closed_marker = os.path.join(self.home, "closed")
        self.intent_path = os.path.join(self.notes, "intent.json")
        self.facts: dict[str, Any] = _read_json(os.path.join(self.notes, "site.json")) or {}

    @property
    def exists(self) -> bool:
        """Tell whether this application was ever installed here."""
        return bool(self.facts)

    @property
    def is_open(self) -> bool:
        """Tell whether visitors are let in."""
        return os.path.lexists(self.current) and not os.path.lexists(self.closed_marker)

    def release(self, digest: str) -> str:
        """Return the folder of a release."""
        return os.path.join(self.home, "releases", digest)

    def has(self, digest: str) -> bool:
        """Tell whether a release is installed (whole, for it gets its name last)."""
        return os.path.isdir(self.release(digest)) and not os.path.islink(self.release(digest))

    def releases(self) -> list[str]:
        """Return the digests of the installed releases."""
        try:
            names = os.listdir(os.path.join(self.home, "releases"))
        except FileNotFoundError:
            return []
        return sorted(name for name in names if re.fullmatch(r"[0-9a-f]{64}", name, re.ASCII))

    def permit(self, digest: str) -> SignedPermit | None:
        """Return the permit that is kept beside a release."""
        kept = _read_json(self.permit_path(digest))
        return SignedPermit(kept["permit"], kept["signature"], kept["key"]) if kept else None

    def permit_path(self, digest: str) -> str:
        """Return where the permit of a release is kept."""
        return os.path.join(self.notes, "permits", f"{digest}.json")

    def opened_path(self, digest: str) -> str:
        """Return where it is noted under which permit a release was first opened."""
        return os.path.join(self.notes, "permits", f"{digest}.opened")

    def was_opened_under(self, permit: SignedPermit, digest: str) -> bool:
        """Tell whether this release was opened here before, under this very permit."""
        return _read(self.opened_path(digest)) == hashlib.sha256(permit.kept()).hexdigest().encode()

    def fence(self) -> int:
        """Return the highest fence number seen for this application."""
        raw = (_read(os.path.join(self.notes, "fence")) or b"0").strip()
        return int(raw) if raw.isdigit() else 0

    def raise_fence(self, fence: int) -> None:
        """Remember the fence number; refuses `old_fence` when a newer one was here already."""
        seen = self.fence()
        if fence < seen:
            raise Refusal("old_fence", "Permintaan ini sudah digantikan oleh yang lebih baru.")
        if fence > seen:
            _write(os.path.join(self.notes, "fence"), f"{fence}\n".encode(), 0o600)

    def keep_facts(self, facts: dict[str, Any]) -> None:
        """Write our notes on this application when they changed."""
        self.facts = facts
        _written(os.path.join(self.notes, "site.json"), _canonical(facts), 0o600)

    def must_be(self, hosting: str) -> None:
        """Refuse `not_installed`, or `other_hosting` when the place here belongs to another hosting."""
        if not self.exists:
            raise Refusal("not_installed", "Aplikasi ini belum terpasang di server ini.")
        if self.facts["hosting"] != hosting:
            raise Refusal("other_hosting", "Aplikasi ini terpasang di server ini untuk hosting lain.")

    def must_be_whole(self, digest: str) -> None:
        """Read a release again and refuses `not_installed`, `tampered` when it is not what its name says."""
        if not self.has(digest):
            raise Refusal("not_installed", "Rilis ini belum terpasang di server ini.")
        if tree_digest(self.release(digest)) != digest:
            _tampered()

    def sizes(self, digest: str) -> dict[str, tuple[str, int]]:
        """Return path -> (SHA-256, size) from the list that was kept with a release."""
        text = _read(os.path.join(self.notes, "manifests", digest)) or b""
        found = {}
        for line in text.splitlines():
            record = json.loads(line)
            found[record["path"]] = (record["sha256"], record["size"])
        return found


def _read_json(path: str) -> dict[str, Any] | None:
    raw = _read(path)
    if raw is None:
        return None
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal("host_error", "Catatan Alur di server ini rusak. Mohon hubungi Divisi Infrastruktur.")
    return value


# --- The verbs --------------------------------------------------------------------------------------------


class Helper:
    """The verbs on one host; each first looks whether it is done already."""

    def __init__(self, config: Config, wire: Wire) -> None:
        self.config = config
        self.wire = wire
        self.front = Front(config)
        self.pool = os.path.join(config.apps, ".pool")

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one checked request and return what the last line says."""
        verb = request["verb"]
        if verb == "inspect":
            return self.inspect(request)
        _folder_path(self.config.state, 0o700)
        if verb == "revoke":
            return self.revoke(request)
        site = Site(self.config, request["app"])
        if verb == "install":
            entries = self._may_install(site, request)
            _folder_path(os.path.join(self.config.state, "sites"), 0o700)
            _folder(site.notes, 0o700)
        else:
            entries = []
            site.must_be(request["hosting"])
        with Lock(os.path.join(site.notes, "lock"), 15):
            site = Site(self.config, request["app"])
            if verb == "install":
                self._may_install(site, request)
            else:
                site.must_be(request["hosting"])
            site.raise_fence(request["fence"])
            if verb == "install":
                self.install(site, request, entries)
            elif verb == "open":
                permit = SignedPermit(request["permit"], request["signature"], request["key"])
                self.open(site, request, permit)
            elif verb == "rollback":
                self.rollback(site, request)
            elif verb == "close":
                self.close(site)
            else:
                self.remove(site, request["digest"])
            return {"site": self.site_facts(site)}

    # inspect -----------------------------------------------------------------------------------------------

    def inspect(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tell what is on this host; changes nothing. `deep` reads every release again."""
        sites_folder = os.path.join(self.config.state, "sites")
        names = sorted(os.listdir(sites_folder)) if os.path.isdir(sites_folder) else []
        if "app" in request:
            names = [name for name in names if name == request["app"]]
        sites = {}
        for name in names:
            site = Site(self.config, name)
            if site.exists:
                sites[name] = self.site_facts(site, deep=request.get("deep", False))
        revoked = os.path.join(self.config.state, "revoked")
        self.wire.say(
            {
                "facts": {
                    "helper": {"version": VERSION, "sha256": own_digest()},
                    "profile": self.config.profile,
                    "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "free_bytes": self.free_bytes(),
                    "python": ".".join(map(str, sys.version_info[:3])),
                    "permit_keys": sorted(public_keys(self.config.permit_keys)),
                    "revoked": sorted(os.listdir(revoked)) if os.path.isdir(revoked) else [],
                    "sites": sites,
                }
            }
        )
        return {}

    def free_bytes(self) -> int:
        """Return the bytes that are free where the applications lie."""
        where = self.config.apps
        while not os.path.isdir(where):
            where = os.path.dirname(where)
        space = os.statvfs(where)
        return space.f_bavail * space.f_frsize

    def site_facts(self, site: Site, *, deep: bool = False) -> dict[str, Any]:
        """Return what is true of one application here, and what somebody else has changed (`drift`)."""
        drift = []
        links: dict[str, str | None] = {}
        for name in ("current", "testing"):
            try:
                links[name] = _target(os.path.join(site.home, name))
            except Refusal:
                links[name] = None
                drift.append(name)
            if links[name] is not None and not site.has(links[name] or ""):
                drift.append(name)
        for door in ("public", "closed"):
            content = _read(self.front.path(site.app, door))
            if content is None or hashlib.sha256(content).hexdigest() not in site.facts["vhosts"][door]:
                drift.append(f"vhost-{door}")
        releases = {}
        for digest in site.releases():
            if deep:
                try:
                    site.must_be_whole(digest)
                except Refusal:
                    drift.append(f"release-{digest}")
            releases[digest] = self.release_facts(site, digest)
        return {
            "hosting": site.facts["hosting"],
            "runtime": site.facts["runtime"],
            "public": site.facts["public"],
            "closed": site.facts["closed"],
            "front": "open" if site.is_open else "closed",
            "fence": site.fence(),
            "current": links["current"],
            "testing": links["testing"],
            "releases": releases,
            "unfinished": os.path.exists(site.intent_path),
            "drift": drift,
        }

    def release_facts(self, site: Site, digest: str) -> dict[str, Any]:
        """Return size and permit of one release; `standing` is `none`, `stands`, or the reason why not."""
        sizes = site.sizes(digest)
        permit = site.permit(digest)
        facts: dict[str, Any] = {"files": len(sizes), "bytes": sum(size for _, size in sizes.values())}
        if permit is None:
            return {**facts, "permit": None, "valid_until": None, "standing": "none"}
        try:
            said = self.standing_permit(site, digest, permit, first_opening=False)
        except Refusal as refusal:
            said = json.loads(permit.text)
            return {
                **facts,
                "permit": said["id"],
                "valid_until": said["valid_until"],
                "standing": refusal.code,
            }
        return {**facts, "permit": said["id"], "valid_until": said["valid_until"], "standing": "stands"}

    # install -----------------------------------------------------------------------------------------------

    def _may_install(self, site: Site, request: dict[str, Any]) -> list[Entry]:
        """Return the files to be installed; refuses before anything is touched."""
        if request["runtime"] != "static":
            raise Refusal("runtime_unsupported", "Server ini baru melayani aplikasi statis.")
        for name in ("public", "closed"):
            if self.config.domains and not any(request[name].endswith(f".{base}") for base in self.config.domains):
                raise Refusal("name_not_here", "Nama domain ini tidak termasuk domain yang dilayani server ini.")
        entries = read_manifest(request["manifest"], request["digest"])
        size = sum(entry.size for entry in entries)
        if size > request.get("quota_mb", 1 << 20) << 20:
            raise Refusal("over_quota", "Ukuran aplikasi melebihi ruang hosting yang disediakan.")
        if site.exists:
            site.must_be(request["hosting"])
            if site.is_open and any(site.facts[name] != request[name] for name in ("public", "closed")):
                raise Refusal("name_fixed", "Alamat situs yang sedang dibuka tidak dapat diganti. Mohon tutup dahulu.")
        self._refuse_taken_names(site, request)
        return entries

    def _refuse_taken_names(self, site: Site, request: dict[str, Any]) -> None:
        folder = os.path.join(self.config.state, "sites")
        for app in os.listdir(folder) if os.path.isdir(folder) else []:
            other = Site(self.config, app).facts if app != site.app else {}
            if other and {other["public"], other["closed"]} & {request["public"], request["closed"]}:
                raise Refusal("name_taken", "Nama domain ini sudah dipakai aplikasi lain di server ini.")

    def install(self, site: Site, request: dict[str, Any], entries: list[Entry]) -> None:
        """Install a build at its closed address (S07); visitors notice nothing."""
        digest = request["digest"]
        step = self.wire.step
        repair = request.get("repair", False)
        self._refuse_drift(site, repair=repair)

        self._account(site)
        made = [_folder_path(self.config.apps, 0o755)]
        made += [_folder(path, mode) for path, mode in self._folders(site)]
        made.append(_written(os.path.join(site.home, "answer.txt"), b"alur\n"))
        made.append(self._own_home(site))
        # Until the first opening nobody is let in: said by a file, before the front door is hung.
        if not os.path.lexists(site.current) and not os.path.lexists(site.closed_marker):
            _write(site.closed_marker, b"\n")
            made.append(True)
        if any(made):
            step("folders", "done", "Folder aplikasi disiapkan.")
        else:
            step("folders", "unchanged", "Folder aplikasi sudah siap.")

        # The list first: a release must never be there without it.
        _written(os.path.join(site.notes, "manifests", digest), request["manifest"].encode(), 0o600)
        self._files(site, digest, entries, repair=repair)

        doors = {"hosting": request["hosting"], "runtime": request["runtime"]}
        doors.update(public=request["public"], closed=request["closed"])
        self._hang_doors(site, doors)

        if _target(site.testing) == digest:
            step("testing", "unchanged", "Alamat tertutup sudah menunjuk rilis ini.")
        else:
            _point_at(site.testing, digest)
            step("testing", "done", "Alamat tertutup menunjuk rilis ini.")
        self._health(site, digest, request.get("health", "/"), door="closed")

    def _folders(self, site: Site) -> list[tuple[str, int]]:
        # On a real host the group is the application's, and the web server a member: others see nothing.
        return [
            (self.pool, 0o700),
            (os.path.join(self.pool, "incoming"), 0o700),
            (site.home, 0o750 if self.config.is_privileged else 0o755),
            (os.path.join(site.home, "releases"), 0o755),
            (os.path.join(site.notes, "manifests"), 0o700),
            (os.path.join(site.notes, "permits"), 0o700),
        ]

    def _refuse_drift(self, site: Site, *, repair: bool) -> None:
        if not site.exists or repair:
            return
        for door in ("public", "closed"):
            content = _read(self.front.path(site.app, door))
            if content is not None and hashlib.sha256(content).hexdigest() not in site.facts["vhosts"][door]:
                raise Refusal(
                    "drift",
                    "Pengaturan web server untuk aplikasi ini telah diubah di luar Alur. "
                    "Mohon periksa, lalu pasang ulang dengan pilihan perbaikan.",
                )

    def _account(self, site: Site) -> None:
        if not self.config.is_privileged:
            return
        import grp
        import pwd

        name = account_name(site.app)
        done = False
        try:
            pwd.getpwnam(name)
        except KeyError:
            self.wire.step("account", "start", f"Membuat akun sistem {name}.")
            options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
            self._must(["/usr/sbin/useradd", *options, "--shell", "/usr/sbin/nologin", name])
            done = True
        if self.config.web_user not in grp.getgrnam(name).gr_mem:
            # nginx reads the groups of its user when it starts workers, so it has to be reloaded after this.
            _write(self.front.pending, b"\n")
            self._must(["/usr/sbin/usermod", "--append", "--groups", name, self.config.web_user])
            done = True
        self.wire.step("account", "done" if done else "unchanged", f"Akun sistem {name} siap.")

    def _own_home(self, site: Site) -> bool:
        if not self.config.is_privileged:
            return False
        import grp

        group = grp.getgrnam(account_name(site.app)).gr_gid
        facts = os.stat(site.home)
        if (facts.st_uid, facts.st_gid) == (0, group):
            return False
        os.chown(site.home, 0, group)
        return True

    def _must(self, program: list[str]) -> None:
        code, said = _run(program)
        if code:
            raise Refusal("host_error", f"Perintah {os.path.basename(program[0])} di server gagal: {said}")

    def _blob(self, sha256: str, mode: int) -> str:
        # A hard link shares its mode, so each of the two modes has a file of its own in the pool.
        return os.path.join(self.pool, sha256 + (".x" if mode == 0o755 else ""))

    def _files(self, site: Site, digest: str, entries: list[Entry], *, repair: bool) -> None:
        step = self.wire.step
        if site.has(digest):
            try:
                site.must_be_whole(digest)
            except Refusal:
                if not repair:
                    raise
                if _target(site.current) == digest and site.is_open:
                    raise Refusal(
                        "live_drift", "Rilis yang sedang dibuka telah diubah. Mohon tutup situs dahulu."
                    ) from None
                self._purge(site, digest, entries)
            else:
                step("files", "unchanged", f"{len(entries)} berkas sudah ada di server.")
                step("release", "unchanged", "Sidik digital di server sama dengan kemasan.")
                return
        tree = os.path.join(site.home, "releases", f".{digest}.part")
        _delete_tree(tree)
        arriving = os.path.join(self.pool, "incoming", site.app)
        _delete_tree(arriving)
        os.mkdir(arriving, 0o700)
        step("files", "start", f"Menyiapkan {len(entries)} berkas.")
        lacking = self._lacking(entries)
        size = sum(lacking.values())
        if size + (16 << 20) > self.free_bytes():
            raise Refusal("disk_full", "Ruang di server tidak cukup untuk aplikasi ini.")
        if lacking:
            self.wire.say({"need": sorted(lacking), "bytes": size})
            self._receive(lacking, entries, arriving)
        os.mkdir(tree, 0o755)
        os.chmod(tree, 0o755)  # noqa: S103 - the web server reads it
        for folder in _folders(entries):
            os.mkdir(os.path.join(tree, folder), 0o755)
            os.chmod(os.path.join(tree, folder), 0o755)  # noqa: S103 - the web server reads it
        for entry in entries:
            self._link(self._blob_for(entry), os.path.join(tree, entry.path), entry.mode)
        _delete_tree(arriving)
        reused = len(entries) - sum(1 for entry in entries if entry.sha256 in lacking)
        step("files", "done", f"{len(lacking)} berkas diterima, {reused} dipakai ulang.")
        step("release", "start", "Menghitung ulang sidik digital di server.")
        if tree_digest(tree) != digest:
            self._purge(site, digest, entries)
            _delete_tree(tree)
            raise Refusal("tampered", "Isi berkas di server tidak sama dengan kemasan. Mohon ulangi pemasangan.")
        # One flush for all: hundreds of single ones would cost a second. The name comes only after it.
        os.sync()
        os.replace(tree, site.release(digest))
        _sync_folder(os.path.join(site.home, "releases"))
        step("release", "done", "Sidik digital di server sama dengan kemasan.")

    def _lacking(self, entries: list[Entry]) -> dict[str, int]:
        lacking: dict[str, int] = {}
        for entry in entries:
            sizes = []
            for mode in (0o644, 0o755):
                try:
                    facts = os.lstat(self._blob(entry.sha256, mode))
                except FileNotFoundError:
                    continue
                sizes.append(facts.st_size if stat.S_ISREG(facts.st_mode) else -1)
            if not sizes or any(size != entry.size for size in sizes):
                lacking[entry.sha256] = entry.size
        return lacking

    def _receive(self, lacking: dict[str, int], entries: list[Entry], arriving: str) -> None:
        """Take the files that were asked for, each once, in any order; then `end`."""
        waiting = dict(lacking)
        while True:
            line = self.wire.line(100)
            if line == b"end":
                break
            match = re.fullmatch(rb"([0-9a-f]{64}) (0|[1-9][0-9]{0,12})", line)
            sha256 = match.group(1).decode() if match else ""
            if not match or waiting.get(sha256) != int(match.group(2)):
                raise Refusal("malformed", "Kiriman berkas tidak sesuai dengan yang diminta server.")
            part = os.path.join(arriving, f"{sha256}.part")
            seen = hashlib.sha256()
            with open(part, "xb") as file:
                for piece in self.wire.pieces(waiting.pop(sha256)):
                    seen.update(piece)
                    file.write(piece)
                os.fchmod(file.fileno(), 0o644)
            if seen.hexdigest() != sha256:
                raise Refusal("other_digest", "Isi berkas yang dikirim tidak cocok dengan sidik digitalnya.")
            # Whole and compared: kept, so that an interrupted sending goes on from here.
            for mode in (0o644, 0o755):
                if os.path.lexists(self._blob(sha256, mode)):
                    os.unlink(self._blob(sha256, mode))
            os.replace(part, self._blob(sha256, 0o644))
        if waiting:
            raise Refusal("cut_off", "Sebagian berkas belum dikirim. Mohon ulangi pemasangan.")

    def _blob_for(self, entry: Entry) -> str:
        blob = self._blob(entry.sha256, entry.mode)
        if not os.path.lexists(blob):
            other = self._blob(entry.sha256, 0o644 if entry.mode == 0o755 else 0o755)
            _copy(other, f"{blob}.part", entry.mode)
            os.replace(f"{blob}.part", blob)
        return blob

    def _link(self, blob: str, path: str, mode: int) -> None:
        try:
            os.link(blob, path)
        except OSError as error:
            if error.errno not in (errno.EMLINK, errno.EXDEV, errno.EPERM):
                raise
            _copy(blob, path, mode)

    def _purge(self, site: Site, digest: str, entries: list[Entry]) -> None:
        """Throw away what is not what it should be, so that the next attempt asks for it anew."""
        for sha256 in {entry.sha256 for entry in entries}:
            for mode in (0o644, 0o755):
                blob = self._blob(sha256, mode)
                if os.path.lexists(blob) and _sha256(blob) != sha256:
                    os.unlink(blob)
        _delete_tree(site.release(digest))

    def _hang_doors(self, site: Site, facts: dict[str, Any]) -> None:
        before = site.facts
        site.facts = facts
        files: dict[str, bytes | None] = {}
        names = {}
        sums = {}
        for door in ("closed", "public"):
            content, token = self.front.vhost(site, is_closed_address=door == "closed")
            files[self.front.path(site.app, door)] = content
            names[facts[door]] = token
            sums[door] = hashlib.sha256(content).hexdigest()
        known = before.get("vhosts", {"public": [], "closed": []})
        # Between the two both count as ours, or a crash there would look like a stranger's hand.
        between = {door: sorted({*known[door], sums[door]}) for door in sums}
        facts = {**facts, "vhosts": between}
        try:
            site.keep_facts(facts)
            changed = self.front.put(files, names)
        except Refusal as refusal:
            if before:
                site.keep_facts({**before, "vhosts": between})
            else:
                _drop(os.path.join(site.notes, "site.json"))
            self.wire.step("vhost", "failed", refusal.text)
            raise
        site.keep_facts({**facts, "vhosts": {door: [sums[door]] for door in sums}})
        if changed:
            self.wire.step("vhost", "done", "Alamat tertutup dan alamat umum terpasang; web server dimuat ulang.")
        else:
            self.wire.step("vhost", "unchanged", "Alamat tertutup dan alamat umum sudah terpasang.")

    def _health(self, site: Site, digest: str, path: str, *, door: str) -> None:
        """Ask for the page as a visitor would, until right or 5 seconds are over; refuses `health_failed`."""
        sizes = site.sizes(digest)
        wanted = sizes.get(f"{path}index.html"[1:] if path.endswith("/") else path[1:])
        _, token = self.front.vhost(site, is_closed_address=door == "closed")
        end = time.monotonic() + 5
        while True:
            status, _, seen, _ = fetch(self.config.front, site.facts[door], path)
            is_right = 200 <= status < 300 and (wanted is None or wanted[0] == seen)
            if is_right and self.front.is_loaded(site.facts[door], token):
                self.wire.step("health", "unchanged", f"Alamat {site.facts[door]} menjawab dengan benar.")
                return
            if time.monotonic() >= end or status in (403, 404):
                break
            time.sleep(0.05)
        words = f"Alamat {site.facts[door]} menjawab {status} pada pemeriksaan." if status else (
            f"Alamat {site.facts[door]} tidak menjawab pada pemeriksaan."
        )  # fmt: skip
        if is_right:
            words = f"Web server tidak memakai pengaturan Alur untuk {site.facts[door]}."
        elif 200 <= status < 300:
            words = f"Alamat {site.facts[door]} menjawab dengan isi yang bukan dari rilis ini."
        self.wire.step("health", "failed", words)
        raise Refusal("health_failed", words)

    # open, rollback, close ---------------------------------------------------------------------------------

    def standing_permit(self, site: Site, digest: str, permit: SignedPermit, *, first_opening: bool) -> dict[str, Any]:
        """Return what a permit says if it lets this release be open here now."""
        return permit.must_stand(
            public_keys(self.config.permit_keys),
            app=site.app,
            hosting=site.facts["hosting"],
            digest=digest,
            first_opening=first_opening,
            is_revoked=self.is_revoked,
        )

    def is_revoked(self, permit_id: str) -> bool:
        """Tell whether a permit was taken back on this host."""
        return os.path.lexists(os.path.join(self.config.state, "revoked", permit_id))

    def open(self, site: Site, request: dict[str, Any], permit: SignedPermit) -> None:
        """Open the front door on a permitted release (F04), and shut it again by itself if it fails."""
        digest = request["digest"]
        # What was opened under this very permit may be opened again after its first term is over.
        first = not site.was_opened_under(permit, digest)
        self._show_permit(site, digest, permit, first_opening=first)
        if _written(site.permit_path(digest), permit.kept(), 0o600):
            self.wire.changed = True
        self._switch(site, digest, request.get("health", "/"))
        _written(site.opened_path(digest), hashlib.sha256(permit.kept()).hexdigest().encode(), 0o600)

    def rollback(self, site: Site, request: dict[str, Any]) -> None:
        """Let an earlier release serve again (F04); its permit, kept beside it, must still stand."""
        digest = request["digest"]
        permit = site.permit(digest)
        if permit is None or not site.was_opened_under(permit, digest):
            raise Refusal("no_permit", "Rilis ini belum pernah dibuka, jadi tidak ada izin yang tersimpan untuknya.")
        if not site.is_open and not os.path.exists(site.intent_path):
            raise Refusal("closed", "Situs sedang ditutup. Mohon buka kembali dengan izin keamanan.")
        self._show_permit(site, digest, permit, first_opening=False)
        self._switch(site, digest, request.get("health", "/"))

    def _show_permit(self, site: Site, digest: str, permit: SignedPermit, *, first_opening: bool) -> None:
        facts = self.standing_permit(site, digest, permit, first_opening=first_opening)
        self.wire.step("permit", "unchanged", f"Izin {facts['id']} sah dan berlaku.")
        site.must_be_whole(digest)
        self.wire.step("digest", "unchanged", "Isi rilis di server sama dengan yang diizinkan.")

    def _switch(self, site: Site, digest: str, health: str) -> None:
        step = self.wire.step
        intent = _read_json(site.intent_path)
        current = _target(site.current)
        if current == digest and site.is_open and intent is None:
            step("switch", "unchanged", "Rilis ini sudah dibuka.")
            self._health(site, digest, health, door="public")
            return
        if intent is None:
            # The way back is written down before the first step: a crash between the steps can be undone too.
            intent = {"from": current, "was_open": site.is_open}
            _write(site.intent_path, _canonical(intent), 0o600)
        if current == digest:
            step("switch", "unchanged", "Rilis ini sudah menjadi rilis yang dipakai.")
        else:
            _point_at(site.current, digest)
            step("switch", "done", "Rilis ini menjadi rilis yang dipakai.")
        if _drop(site.closed_marker):
            step("front", "done", "Pintu depan dibuka untuk pengguna.")
        else:
            step("front", "unchanged", "Pintu depan sudah terbuka.")
        try:
            self._health(site, digest, health, door="public")
        except Refusal:
            self._switch_back(site, intent)
            raise
        _drop(site.intent_path)

    def _switch_back(self, site: Site, intent: dict[str, Any]) -> None:
        before = intent["from"]
        may_be_open = bool(intent["was_open"] and before and site.has(before))
        if may_be_open:
            permit = site.permit(before)
            try:
                if permit is None:
                    raise Refusal("no_permit", "")
                self.standing_permit(site, before, permit, first_opening=False)
            except Refusal:
                may_be_open = False
        if not may_be_open:
            _write(site.closed_marker, b"\n")
        _point_at(site.current, before if before and site.has(before) else None)
        _drop(site.intent_path)
        words = "Dikembalikan ke rilis sebelumnya." if may_be_open else "Pintu depan ditutup kembali."
        self.wire.step("switch_back", "done", words)

    def close(self, site: Site) -> None:
        """Shut the front door: the public address answers 503, the closed address stays."""
        if os.path.lexists(site.closed_marker):
            self.wire.step("front", "unchanged", "Pintu depan sudah tertutup.")
        else:
            _write(site.closed_marker, b"\n")
            self.wire.step("front", "done", "Pintu depan ditutup; alamat umum menjawab 503.")
        _drop(site.intent_path)

    # revoke, remove ----------------------------------------------------------------------------------------

    def revoke(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a permit back on this host; tell which open sites run under it, and leave them as they are."""
        permit_id = request["permit_id"]
        folder = os.path.join(self.config.state, "revoked")
        _folder(folder, 0o700)
        if self.is_revoked(permit_id):
            self.wire.step("revoke", "unchanged", "Izin ini sudah tercatat dicabut.")
        else:
            _write(os.path.join(folder, permit_id), b"\n", 0o600)
            self.wire.step("revoke", "done", "Izin dicatat dicabut di server ini.")
        live = []
        sites = os.path.join(self.config.state, "sites")
        for app in sorted(os.listdir(sites)) if os.path.isdir(sites) else []:
            site = Site(self.config, app)
            digest = _target(site.current) if site.exists else None
            permit = site.permit(digest) if digest else None
            if permit and json.loads(permit.text)["id"] == permit_id and site.is_open:
                live.append(app)
        return {"live": live}

    def remove(self, site: Site, digest: str) -> None:
        """Remove a kept release that neither address uses, and the files that no release uses any more."""
        if digest in (_target(site.current), _target(site.testing)):
            raise Refusal("in_use", "Rilis ini sedang dipakai dan tidak dihapus.")
        if not site.has(digest):
            self.wire.step("remove", "unchanged", "Rilis ini sudah tidak ada.")
        else:
            # Renamed first: a half-deleted release must not be taken for a whole one.
            waste = os.path.join(site.home, "releases", f".{digest}.waste")
            _delete_tree(waste)
            os.replace(site.release(digest), waste)
            _delete_tree(waste)
            self.wire.step("remove", "done", "Rilis lama dihapus.")
        _drop(site.permit_path(digest))
        _drop(site.opened_path(digest))
        _drop(os.path.join(site.notes, "manifests", digest))
        day_ago = time.time() - 86_400
        with os.scandir(self.pool) as listing:
            for item in listing:
                facts = item.stat(follow_symlinks=False)
                # Fresh ones may belong to a sending that is still under way.
                if item.is_file(follow_symlinks=False) and facts.st_nlink == 1 and facts.st_mtime < day_ago:
                    os.unlink(item.path)


def _folder_path(path: str, mode: int) -> bool:
    """Make a folder whose parents may be lacking too; an existing one is left as its owner made it."""
    if os.path.isdir(path):
        return False
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return _folder(path, mode)


def _copy(source: str, to: str, mode: int) -> None:
    import shutil

    shutil.copyfile(source, to, follow_symlinks=False)
    os.chmod(to, mode)


def _sha256(path: str) -> str:
    seen = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            seen.update(piece)
    return seen.hexdigest()


def own_digest() -> str:
    """Return the SHA-256 of this very file, so that Alur sees which helper answers."""
    return hashlib.sha256(_read(os.path.realpath(__file__)) or b"").hexdigest()


# --- Enrolment: run once by an administrator, never through the gate ---------------------------------------

GATE_USER = "alur"
_GATE_HOME = "/var/lib/alur-gate"
_PERMIT_KEY = "/etc/alur/permit.pub"
_ENROL_RULES = {
    "client_key": r"ssh-ed25519 [A-Za-z0-9+/]{68}",
    "permit_key": r"[A-Za-z0-9+/=\s-]{60,4000}",
}


def enrol(source: bytes) -> int:
    """Make this host one that Alur may ask: account, helper, permit key, configuration, gate, sudo rule.

    `source` is this file; the request is one JSON line on standard input. Returns 0 when it was done.
    """
    os.environ.clear()
    os.environ.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8")
    os.umask(0o022)
    wire = Wire()
    try:
        request = json.loads(sys.stdin.buffer.readline(1 << 20))
        Enrolment(wire, request, source).run()
    except (Refusal, ValueError, OSError) as error:
        code = error.code if isinstance(error, Refusal) else "enrolment_failed"
        text = error.text if isinstance(error, Refusal) else f"Pendaftaran server gagal ({type(error).__name__})."
        wire.say({"refused": code, "text": text})
        return 1
    wire.say({"done": {"verb": "enrol", "changed": wire.changed}})
    return 0


class Enrolment:
    """The steps of an enrolment; each writes only what differs."""

    def __init__(self, wire: Wire, request: Any, source: bytes) -> None:
        if not isinstance(request, dict) or set(request) != {*_ENROL_RULES, "allow_from", "config"}:
            raise Refusal("bad_value", "Isian pendaftaran server belum benar.")
        for name, pattern in _ENROL_RULES.items():
            if not isinstance(request[name], str) or not re.fullmatch(pattern, request[name], re.ASCII):
                raise Refusal("bad_value", f"Isian “{name}” pada pendaftaran server belum benar.")
        places = request["allow_from"]
        if not isinstance(places, list) or not all(
            isinstance(place, str) and re.fullmatch(_CONFIG_RULES["closed_allow"][0], place) for place in places
        ):
            raise Refusal("bad_value", "Isian “allow_from” pada pendaftaran server belum benar.")
        self.config = {
            "profile": "privileged",
            "apps": "/srv/alur",
            "state": "/var/lib/alur",
            "vhosts": "/etc/nginx/conf.d",
            "permit_keys": [_PERMIT_KEY],
            **request["config"],
        }
        Config(self.config)
        self.wire = wire
        self.request = request
        self.source = source

    def run(self) -> None:
        """Do what is lacking, the gate last: nobody comes in before everything behind it stands."""
        for program in ("/usr/sbin/nginx", "/usr/sbin/visudo", "/usr/sbin/useradd", "/usr/bin/systemctl"):
            if not os.access(program, os.X_OK):
                raise Refusal("lacking", f"Server ini belum mempunyai {program}. Mohon dipasang dahulu.")
        if os.geteuid() != 0:
            raise Refusal("not_root", "Pendaftaran server harus dijalankan sebagai root.")
        self._account()
        for folder in ("/usr/local/lib/alur", "/etc/alur", _GATE_HOME, f"{_GATE_HOME}/.ssh"):
            _folder(folder, 0o755)
        self._file("helper", HELPER_PATH, self.source, 0o755, "Program Alur")
        self._file("permit_key", _PERMIT_KEY, self.request["permit_key"].encode(), 0o644, "Kunci pemeriksa izin")
        self._file("config", CONFIG_PATH, json.dumps(self.config, indent=1).encode(), 0o644, "Pengaturan Alur")
        self._sudo()
        places = ",".join(self.request["allow_from"])
        limits = f'restrict,from="{places}"' if places else "restrict"
        gate = f'{limits},command="sudo -n {HELPER_PATH}" {self.request["client_key"]} alur\n'
        self._file("gate", f"{_GATE_HOME}/.ssh/authorized_keys", gate.encode(), 0o644, "Gerbang SSH")

    def _file(self, step: str, path: str, content: bytes, mode: int, words: str) -> None:
        if _written(path, content, mode):
            self.wire.step(step, "done", f"{words} ditulis.")
        else:
            self.wire.step(step, "unchanged", f"{words} sudah sesuai.")

    def _account(self) -> None:
        import pwd

        try:
            pwd.getpwnam(GATE_USER)
        except KeyError:
            # "*" is no password, and unlike "!" it does not lock the account against keys.
            options = ["--system", "--user-group", "--no-create-home", "--home-dir", _GATE_HOME]
            code, said = _run(["/usr/sbin/useradd", *options, "--shell", "/bin/sh", "--password", "*", GATE_USER])
            if code:
                raise Refusal("host_error", f"Akun {GATE_USER} tidak dapat dibuat: {said[:600]}") from None
            self.wire.step("account", "done", f"Akun {GATE_USER} dibuat.")
        else:
            self.wire.step("account", "unchanged", f"Akun {GATE_USER} sudah ada.")

    def _sudo(self) -> None:
        rule = (
            "# Written by Alur: its account may run one program, without arguments.\n"
            f"Defaults:{GATE_USER} !requiretty, !use_pty\n"
            f'{GATE_USER} ALL=(root:root) NOPASSWD: {HELPER_PATH} ""\n'
        ).encode()
        path = f"/etc/sudoers.d/{GATE_USER}"
        if _read(path) == rule:
            self.wire.step("sudo", "unchanged", "Aturan sudo sudah sesuai.")
            return
        # sudo does not read names with a dot, so a rule that is not yet checked has no effect.
        draft = f"{path}.draft"
        _write(draft, rule, 0o440)
        code, said = _run(["/usr/sbin/visudo", "-c", "-q", "-f", draft])
        if code:
            _drop(draft)
            raise Refusal("host_error", f"Aturan sudo ditolak oleh visudo: {said[:600]}")
        os.replace(draft, path)
        _sync_folder("/etc/sudoers.d")
        self.wire.step("sudo", "done", "Aturan sudo ditulis dan diperiksa.")


# --- The door ---------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Answer one request from standard input; returns 0 when it was done, 1 when it was refused."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8", LANG="C.UTF-8")
    os.umask(0o022)
    wire = Wire()
    try:
        config = read_config(_config_path(arguments))
        raw = wire.line(MAX_REQUEST_BYTES, start=b"{")
        try:
            request = checked(json.loads(raw.decode("utf-8"), object_pairs_hook=_no_twins))
        except (ValueError, RecursionError):
            raise Refusal("malformed", "Permintaan bukan JSON yang sah.") from None
        done = Helper(config, wire).run(request)
    except Refusal as refusal:
        wire.say({"refused": refusal.code, "text": refusal.text})
        return 1
    except OSError as error:
        code = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "host_error"
        words = "Ruang di server habis." if code == "disk_full" else "Server gagal mengerjakan permintaan ini."
        wire.say({"refused": code, "text": f"{words} ({errno.errorcode.get(error.errno or 0, 'OSError')})"})
        return 1
    except Exception as error:
        # The last line must come whatever happens: a host that only falls silent looks like a cut connection.
        words = "Program Alur di server ini gagal. Mohon hubungi Divisi Infrastruktur"
        wire.say({"refused": "helper_failed", "text": f"{words} ({type(error).__name__})."})
        raise
    wire.say({"done": {"verb": request["verb"], "changed": wire.changed, **done}})
    return 0


def _config_path(arguments: list[str]) -> str:
    if not arguments:
        return CONFIG_PATH
    if len(arguments) == 2 and arguments[0] == "--config":
        return arguments[1]
    raise Refusal("malformed", "Program ini hanya menerima satu pengaturan.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
