"""The canonical list of a build's files; its digest is the build's identity from intake to host.

Files only: folders are implied, times and owners do not count. The host's program reads the same text,
so its form is frozen: one JSON object a line, keys sorted, no spaces, UTF-8, sorted by the bytes of the path.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from shared.errors import Refused
from shared.sentence import Sentence

MAX_ENTRIES = 100_000
MAX_TOTAL_BYTES = 2 << 30
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 64
"""Folders within folders; deeper trees serve nobody and make every walk slow."""

_LINE = re.compile(
    r'\{"mode":"(?:644|755)","path":"(?:[^"\\]|\\.)*","sha256":"[0-9a-f]{64}","size":(?:0|[1-9][0-9]*)\}'
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
# Controls, line and paragraph separators, surrogates, and the marks that turn the direction of writing:
# each makes a path look like another one on a screen or in a log.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Mode = Literal["644", "755"]


class ManifestRefused(Refused):
    """A list of files that breaks a rule; `code` names the rule."""

    status = 422
    code = "manifest_refused"
    title = "Daftar berkas tidak dapat diterima"


class Entry(NamedTuple):
    """One file of a build."""

    path: str
    mode: Mode
    size: int
    sha256: str


def shown(name: str | bytes) -> str:
    """Return a foreign name fit for a sentence: at most 120 signs, everything unprintable escaped."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    safe = "".join(sign if _is_plain(sign) else _escaped(sign) for sign in text[:400])
    return f"“{safe[:117]}…”" if len(safe) > 120 or len(text) > 400 else f"“{safe}”"


def _is_plain(sign: str) -> bool:
    return sign.isprintable() and sign not in _DIRECTION_MARKS


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def path_fault(path: str) -> tuple[str, str] | None:
    """Say what is wrong with a relative file path as (code, Indonesian words), or None when it is safe."""
    if not path:
        return "empty_name", Sentence("tidak bernama")
    if "\0" in path:
        return "nul", Sentence("memuat bita NUL dalam namanya")
    if any(sign in _DIRECTION_MARKS or unicodedata.category(sign) in _UNSAFE_CATEGORIES for sign in path):
        return "control_character", Sentence("memuat karakter kendali dalam namanya")
    if "\\" in path:
        return "backslash", Sentence("memuat garis miring terbalik dalam namanya")
    if path.startswith("/") or _DRIVE.match(path):
        return "absolute_path", Sentence("memakai alamat mutlak")
    names = path.split("/")
    if ".." in names:
        return "parent_path", Sentence("keluar dari foldernya dengan “..”")
    if "" in names or "." in names:
        return "crooked_path", Sentence("memuat bagian alamat yang kosong atau “.”")
    if len(path.encode()) > MAX_PATH_BYTES or any(len(name.encode()) > MAX_NAME_BYTES for name in names):
        return "path_too_long", Sentence("bernama terlalu panjang")
    if len(names) > MAX_DEPTH:
        return "path_too_deep", Sentence("berada lebih dari {most} folder ke dalam", most=MAX_DEPTH)
    return None


def twin_key(path: str) -> str:
    """Return the form under which two paths are one on a system that ignores case or Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


class Manifest:
    """The files of one build, checked and in order."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Take the entries in any order; refuse with `ManifestRefused` what breaks a rule."""
        self.entries = tuple(sorted(entries, key=_order))
        _check(self.entries)
        self.bytes = b"".join(_line(entry) for entry in self.entries)
        self.digest = hashlib.sha256(self.bytes).hexdigest()

    @classmethod
    def parse(cls, text: bytes) -> "Manifest":
        """Read canonical bytes back; refuses whatever is not exactly what `bytes` would give."""
        manifest = cls(_read(text))
        if manifest.bytes != text:
            raise _refusal("not_canonical", "Daftar berkas tidak dalam bentuk baku (urutan, spasi, atau tanda).")
        return manifest

    @property
    def total_size(self) -> int:
        """The size of all files together, in bytes."""
        return sum(entry.size for entry in self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and other.bytes == self.bytes

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Manifest({len(self)} files, {self.digest[:12]}…)"


def _order(entry: Entry) -> bytes:
    # A lone surrogate has no UTF-8; it is refused a moment later, in words.
    return entry.path.encode("utf-8", "surrogatepass")


def _line(entry: Entry) -> bytes:
    record = {"mode": entry.mode, "path": entry.path, "sha256": entry.sha256, "size": entry.size}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _read(text: bytes) -> Iterator[Entry]:
    if not text.endswith(b"\n"):
        raise _refusal("cut_off", "Daftar berkas kosong atau terpotong.")
    for number, line in enumerate(text[:-1].split(b"\n"), 1):
        try:
            words = line.decode("utf-8")
            record = json.loads(words) if _LINE.fullmatch(words) else None
        except ValueError:
            record = None
        if record is None:
            raise _refusal(
                "not_canonical", Sentence("Baris {number} daftar berkas tidak dalam bentuk baku.", number=number)
            )
        yield Entry(path=record["path"], mode=record["mode"], size=record["size"], sha256=record["sha256"])


def _check(entries: tuple[Entry, ...]) -> None:
    if not entries:
        raise _refusal("empty", "Daftar berkas kosong; tidak ada yang dapat dipasang.")
    if len(entries) > MAX_ENTRIES:
        raise _refusal(
            "too_many_entries",
            Sentence("Daftar berkas memuat lebih dari {max_entries} berkas.", max_entries=MAX_ENTRIES),
        )
    if sum(entry.size for entry in entries) > MAX_TOTAL_BYTES:
        raise _refusal("too_large", "Ukuran seluruh berkas melebihi 2 GiB.")
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    known: set[str] = set()
    for entry in entries:
        _check_one(entry)
        key = twin_key(entry.path)
        if key in files:
            _refuse_twin(entry.path, files[key])
        files[key] = entry.path
        folder = entry.path.rpartition("/")[0]
        while folder and folder not in known:
            known.add(folder)
            folders[twin_key(folder)] = folder
            folder = folder.rpartition("/")[0]
    for key in files.keys() & folders.keys():
        raise _refusal(
            "file_and_folder",
            Sentence(
                "{file} ada sebagai berkas dan juga sebagai folder {folder}.",
                file=shown(files[key]),
                folder=shown(folders[key]),
            ),
        )


def _check_one(entry: Entry) -> None:
    if fault := path_fault(entry.path):
        code, words = fault
        raise _refusal(code, Sentence("Berkas {path} {words}.", path=shown(entry.path), words=words))
    if entry.mode not in ("644", "755"):
        raise _refusal("mode", Sentence("Berkas {path} memakai izin selain 644 atau 755.", path=shown(entry.path)))
    if entry.size < 0 or not _DIGEST.fullmatch(entry.sha256):
        raise _refusal(
            "malformed_entry", Sentence("Ukuran atau sidik digital berkas {path} tidak sah.", path=shown(entry.path))
        )


def _refuse_twin(path: str, other: str) -> None:
    if path == other:
        raise _refusal("duplicate", Sentence("Berkas {path} tercantum dua kali.", path=shown(path)))
    raise _refusal(
        "case_twin",
        Sentence(
            "Berkas {path} dan {other} hanya berbeda huruf besar-kecil.",
            path=shown(path),
            other=shown(other),
        ),
    )


def _refusal(code: str, words: str) -> ManifestRefused:
    return ManifestRefused(Sentence("{words} Mohon perbaiki kemasannya lalu unggah ulang.", words=words), code=code)
