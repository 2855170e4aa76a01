"""What comes in: an archive is read by our own strict walkers and becomes a canonical tree in the store.

Two passes over one open file: the first reads everything, to the last byte, and keeps nothing; only an
archive without any fault is read again and stored, and every file must then be what it was the first time.
The walkers accept the plain middle of both formats and refuse what two readers might read differently.
"""

import gzip
import hashlib
import stat
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

from shared.errors import Refused, TooLarge
from shared.manifest import MAX_ENTRIES, MAX_TOTAL_BYTES, Entry, Manifest, Mode, path_fault, shown
from shared.sentence import Sentence
from shared.store import CHUNK, Source, Store, chunks

MAX_RATIO = 200
SMALL = 1 << 20
"""Up to this many unpacked bytes the ratio says nothing: a tar file pads a one-byte file to 10 KiB."""
MAX_PACKED_BYTES = MAX_TOTAL_BYTES

_TAR_BLOCK = 512
_MAX_TAR_HEADER_TEXT = 16 << 10
_SPOOL_IN_MEMORY = 4 << 20


class ArchiveRefused(Refused):
    """An archive that is not taken in; `code` names the rule, and nothing of it was stored."""

    status = 422
    code = "archive_refused"
    title = "Kemasan aplikasi tidak dapat diterima"


@dataclass(frozen=True)
class Member:
    """One regular file of an archive, while it passes by."""

    path: str
    mode: Mode
    content: Iterator[bytes]


class Readable(Protocol):
    """What the tar walker needs of a stream."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


Walk = Callable[[BinaryIO, int], Iterator[Member]]


def take_in(archive: Path | Source, store: Store, *, strip_top: bool = False) -> Manifest:
    """Store the files of a .zip, .tar or .tar.gz and return their manifest (S07).

    The kind is seen from the content, not the name. `strip_top` takes away one folder that holds everything.
    Folders count only through their files; execute bits become 755, all else 644.
    Refuses `ArchiveRefused` before anything is stored; limits: 100,000 files, 2 GiB, ratio 200.
    """
    with _seekable(archive) as (file, packed):
        walk = _walker(file)
        entries = _inspect(walk(file, packed), packed)
        top = _shared_top(entries) if strip_top else ""
        manifest = _manifest([entry._replace(path=entry.path.removeprefix(top)) for entry in entries])
        file.seek(0)
        _store(walk(file, packed), entries, store)
    return manifest


@contextmanager
def _seekable(archive: Path | Source) -> Iterator[tuple[BinaryIO, int]]:
    """Give the archive as one open file, from its beginning, with its size in bytes."""
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            packed = file.seek(0, 2)
            _limit_packed(packed)
            file.seek(0)
            yield file, packed
        return
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY) as spool:
        packed = 0
        for piece in chunks(archive):
            packed += len(piece)
            _limit_packed(packed)
            spool.write(piece)
        spool.seek(0)
        yield spool, packed  # type: ignore[misc]


def _limit_packed(packed: int) -> None:
    if packed > MAX_PACKED_BYTES:
        _refuse(
            "too_large",
            "Berkas kemasan lebih besar dari 2 GiB.",
            "Mohon keluarkan data yang tidak perlu, lalu unggah lagi.",
        )


def _walker(file: BinaryIO) -> Walk:
    head = file.read(_TAR_BLOCK)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_members
    if head.startswith(b"\x1f\x8b"):
        return _gzipped_tar_members
    if head[257:262] == b"ustar":
        return _plain_tar_members
    return _refuse(
        "unknown_format", "Berkas ini bukan kemasan .zip, .tar, atau .tar.gz.", "Mohon kemas ulang, lalu unggah lagi."
    )


def _inspect(members: Iterator[Member], packed: int) -> list[Entry]:
    """Read all there is, keeping only names, sizes and digests."""
    entries: list[Entry] = []
    total = 0
    for member in members:
        if len(entries) >= MAX_ENTRIES:
            _refuse_many()
        seen = hashlib.sha256()
        size = 0
        for piece in member.content:
            size += len(piece)
            total += len(piece)
            _limit_unpacked(total, packed)
            seen.update(piece)
        entries.append(Entry(member.path, member.mode, size, seen.hexdigest()))
    return entries


def _limit_unpacked(total: int, packed: int) -> None:
    if total > MAX_TOTAL_BYTES:
        _refuse(
            "too_large",
            "Isi kemasan lebih besar dari 2 GiB.",
            "Mohon keluarkan data yang tidak perlu, lalu unggah lagi.",
        )
    _limit_ratio(total, packed)


def _limit_ratio(total: int, packed: int) -> None:
    if total > SMALL and total > MAX_RATIO * packed:
        _refuse(
            "ratio",
            Sentence(
                "Isi kemasan lebih dari {max_ratio} kali ukuran kemasannya, seperti bom arsip.",
                max_ratio=MAX_RATIO,
            ),
            "Mohon keluarkan berkas kosong yang besar, lalu unggah lagi.",
        )


def _refuse_many() -> NoReturn:
    _refuse(
        "too_many_entries",
        "Kemasan memuat lebih dari 100.000 berkas atau folder.",
        "Mohon keluarkan yang tidak perlu (misalnya node_modules dan tembolok), lalu unggah lagi.",
    )


def _shared_top(entries: list[Entry]) -> str:
    tops = {entry.path.partition("/")[0] for entry in entries}
    if len(tops) == 1 and all("/" in entry.path for entry in entries):
        return f"{tops.pop()}/"
    return ""


def _manifest(entries: list[Entry]) -> Manifest:
    if not entries:
        _refuse("empty", "Kemasan ini tidak memuat satu berkas pun.", "Mohon kemas ulang, lalu unggah lagi.")
    try:
        return Manifest(entries)
    except Refused as refusal:
        raise ArchiveRefused(refusal.detail, code=refusal.code) from None


def _store(members: Iterator[Member], entries: list[Entry], store: Store) -> None:
    expected = iter(entries)
    with store.batch() as batch:
        for member in members:
            entry = next(expected, None)
            if entry is None or (member.path, member.mode) != (entry.path, entry.mode):
                _refuse_changed()
            try:
                digest = batch.put(member.content, limit=entry.size)
            except TooLarge:
                _refuse_changed()
            if digest != entry.sha256:
                _refuse_changed()
        if next(expected, None) is not None:
            _refuse_changed()
        batch.keep()


def _refuse_changed() -> NoReturn:
    _refuse("changed", "Berkas kemasan berubah selagi diperiksa.", "Mohon unggah ulang, lalu unggah lagi.")


def _refuse(code: str, words: str, advice: str = "Mohon kemas ulang tanpa berkas itu, lalu unggah lagi.") -> NoReturn:
    raise ArchiveRefused(
        Sentence(
            "{words} {advice} Tidak ada yang disimpan.",
            words=words,
            advice=advice,
        ),
        code=code,
    )


def _checked_path(path: str) -> str:
    if fault := path_fault(path):
        code, words = fault
        _refuse(code, Sentence("Berkas {path} dalam kemasan {words}.", path=shown(path), words=words))
    return path


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse(
            "name_not_utf8",
            Sentence("Nama berkas {raw} dalam kemasan bukan UTF-8.", raw=shown(raw)),
            "Mohon ganti nama berkas itu, lalu unggah lagi.",
        )


def _checked_mode(path: str, permissions: int) -> Mode:
    if permissions & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        _refuse(
            "setuid",
            Sentence("Berkas {path} memakai izin khusus (setuid, setgid, atau sticky).", path=shown(path)),
            "Mohon hapus izin itu (chmod 644 atau 755), lalu unggah lagi.",
        )
    return "755" if permissions & stat.S_IXUSR else "644"


def _read_exactly(file: Readable, size: int) -> bytes:
    """Read `size` bytes or refuse: an archive that ends early is not an archive."""
    pieces = []
    while size and (piece := file.read(min(size, CHUNK))):
        pieces.append(piece)
        size -= len(piece)
    if size:
        _refuse_cut()
    return b"".join(pieces)


def _refuse_cut() -> NoReturn:
    _refuse("cut_off", "Berkas kemasan rusak atau terpotong.", "Mohon kemas ulang, lalu unggah lagi.")


def _refuse_crooked(words: str) -> NoReturn:
    _refuse(
        "crooked_archive",
        Sentence("Susunan berkas kemasan tidak wajar: {words}.", words=words),
        "Mohon kemas ulang dengan alat biasa, lalu unggah lagi.",
    )


# --- tar (POSIX.1-1988 ustar, POSIX.1-2001 pax, and GNU's long names) ---

_KINDS = {
    b"1": ("hard_link", "tautan keras"),
    b"2": ("symbolic_link", "tautan simbolik"),
    b"3": ("device", "berkas perangkat"),
    b"4": ("device", "berkas perangkat"),
    b"6": ("fifo", "pipa (fifo)"),
    b"S": ("sparse", "berkas berongga (sparse)"),
}
# What pax headers may say; all of it is either used (path, size) or meaningless to us.
_PAX_HARMLESS = frozenset(
    {"atime", "ctime", "mtime", "uid", "gid", "uname", "gname", "comment", "charset", "hdrcharset"}
    | {"LIBARCHIVE.creationtime"}
)
_PAX_HARMLESS_PREFIXES = (
    "SCHILY.xattr.",
    "LIBARCHIVE.xattr.",
    "RHT.",
    "SCHILY.dev",
    "SCHILY.ino",
    "SCHILY.nlink",
)


def _plain_tar_members(file: BinaryIO, packed: int) -> Iterator[Member]:
    return _tar_members(file)


def _gzipped_tar_members(file: BinaryIO, packed: int) -> Iterator[Member]:
    with gzip.GzipFile(fileobj=file, mode="rb") as plain:
        yield from _tar_members(_Metered(plain, packed))


class _Metered:
    """An unpacked stream that is refused once it outgrows the ratio, headers and padding included."""

    def __init__(self, plain: gzip.GzipFile, packed: int) -> None:
        self._plain = plain
        self._packed = packed
        self._total = 0

    def read(self, size: int, /) -> bytes:
        try:
            piece = self._plain.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            _refuse_cut()
        self._total += len(piece)
        _limit_ratio(self._total, self._packed)
        return piece


def _tar_members(file: Readable) -> Iterator[Member]:
    headers = files = 0
    long_name: str | None = None
    pax: dict[str, str] = {}
    while True:
        header = _read_exactly(file, _TAR_BLOCK)
        if not any(header):
            break
        headers += 1
        if headers > 3 * MAX_ENTRIES:
            _refuse_many()
        _check_tar_sum(header)
        kind = header[156:157]
        size = _tar_number(header[124:136])
        if kind in (b"L", b"x", b"g"):
            text = _tar_text(file, size)
            if kind == b"L":
                long_name = _decoded(text.removesuffix(b"\0"))
            elif kind == b"x":
                pax = _pax(text, allowed=("path", "size"))
            else:
                _pax(text, allowed=())
            continue
        files += 1
        if files > MAX_ENTRIES:
            _refuse_many()
        if "size" in pax:
            size = _pax_size(pax["size"])
        raw = pax.get("path") or long_name or _decoded(_tar_name(header))
        long_name, pax = None, {}
        yield from _tar_member(file, header, kind=kind, raw=raw, size=size)
    if long_name is not None or pax:
        _refuse_cut()
    _check_tar_end(file)


def _tar_member(file: Readable, header: bytes, *, kind: bytes, raw: str, size: int) -> Iterator[Member]:
    if kind in _KINDS:
        code, words = _KINDS[kind]
        _refuse(code, Sentence("{raw} dalam kemasan adalah {words}, bukan berkas biasa.", raw=shown(raw), words=words))
    # Tools write "./" before every name when a folder is packed as ".".
    name = raw.removeprefix("./")
    if kind == b"5":
        if size:
            _refuse_crooked(Sentence("folder {name} mempunyai isi", name=shown(raw)))
        if name not in ("", "."):
            _checked_path(name.removesuffix("/"))
        return
    if kind not in (b"0", b"\0"):
        _refuse("unknown_kind", Sentence("{raw} dalam kemasan berjenis tidak dikenal.", raw=shown(raw)))
    path = _checked_path(name)
    mode = _checked_mode(path, _tar_number(header[100:108]))
    content = _Span(file, size)
    yield Member(path, mode, iter(content))
    content.finish()
    if any(_read_exactly(file, -size % _TAR_BLOCK)):
        _refuse_crooked(Sentence("ada bita tersembunyi sesudah {name}", name=shown(path)))


class _Span:
    """The next `size` bytes of a file, to be read once and whole."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            piece = self._file.read(min(self._left, CHUNK))
            if not piece:
                _refuse_cut()
            self._left -= len(piece)
            yield piece

    def finish(self) -> None:
        for _ in self:
            pass


def _check_tar_sum(header: bytes) -> None:
    if header[257:262] != b"ustar":
        _refuse_cut()
    if _tar_number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 0x20:
        _refuse_cut()


def _tar_number(field: bytes) -> int:
    """Read a number field: octal digits, or GNU's base 256 (first bit set); a negative one is refused."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40 or value > 1 << 62:
            _refuse_crooked(Sentence("ada ukuran yang tidak masuk akal"))
        return value
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        _refuse_cut()
    return int(digits, 8)


def _tar_name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    # GNU's variant ("ustar  ") keeps times where POSIX keeps the first half of a long name.
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _tar_text(file: Readable, size: int) -> bytes:
    if size > _MAX_TAR_HEADER_TEXT:
        _refuse("path_too_long", "Keterangan sebuah berkas dalam kemasan terlalu panjang.")
    text = _read_exactly(file, size)
    _read_exactly(file, -size % _TAR_BLOCK)
    return text


def _pax(text: bytes, *, allowed: tuple[str, ...]) -> dict[str, str]:
    """Read pax records ("30 path=a/b\\n"); only those in `allowed` are kept, unknown ones are refused."""
    kept: dict[str, str] = {}
    while text:
        length, space, _ = text[:12].partition(b" ")
        if not space or not length.isdigit() or not len(length) + 2 < int(length) <= len(text):
            _refuse_cut()
        record, text = text[: int(length)], text[int(length) :]
        raw_key, equals, raw_value = record[len(length) + 1 : -1].partition(b"=")
        if record[-1:] != b"\n" or not equals:
            _refuse_cut()
        key = _decoded(raw_key)
        if key in allowed:
            if key in kept:
                _refuse_crooked(Sentence("keterangan {name} tercantum dua kali", name=shown(key)))
            kept[key] = _decoded(raw_value)
        elif key.startswith("GNU.sparse"):
            _refuse("sparse", "Kemasan memuat berkas berongga (sparse).")
        elif key not in _PAX_HARMLESS and not key.startswith(_PAX_HARMLESS_PREFIXES):
            _refuse_crooked(Sentence("keterangan {name} tidak dikenal", name=shown(key)))
    return kept


def _pax_size(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        _refuse_cut()
    return int(value)


def _check_tar_end(file: Readable) -> None:
    """Only zeros may follow the end mark, and not many: a second archive may hide there."""
    if any(_read_exactly(file, _TAR_BLOCK)):
        _refuse_crooked(Sentence("tanda akhirnya tidak lengkap"))
    left = SMALL
    while piece := file.read(_TAR_BLOCK * 20):
        left -= len(piece)
        if any(piece) or left < 0:
            _refuse_crooked(Sentence("ada isi sesudah tanda akhirnya"))


# --- zip (PKWARE APPNOTE 6.3) ---

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_ENCRYPTED, _SPEED, _DESCRIPTOR, _STRONG, _UTF8, _MASKED = 0x1, 0x6, 0x8, 0x40, 0x800, 0x2000
_STORED, _DEFLATED = 0, 8
_UNIX = 3
_MAX_ZIP_LIST = 64 << 20
_MAX_DESCRIPTOR = 24
_FULL32, _FULL16 = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True)
class _ZipEntry:
    """What the central list says of one entry."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int

    @property
    def is_folder(self) -> bool:
        return self.raw_name.endswith(b"/")


def _zip_members(file: BinaryIO, packed: int) -> Iterator[Member]:
    entries, start = _zip_list(file, packed)
    entries.sort(key=lambda entry: entry.offset)
    # Every declared size is believed only to refuse early; what is unpacked is counted again.
    _limit_unpacked(sum(entry.size for entry in entries), packed)
    if (entries[0].offset if entries else start) != 0:
        _refuse_crooked(Sentence("ada isi sebelum berkas pertama"))
    ends = [entry.offset for entry in entries[1:]] + [start]
    # Without entries there is one end too many, and nothing to compare it with.
    for entry, end in zip(entries, ends, strict=False):
        data_at = _zip_local(file, entry)
        _check_span(file, entry, data_at + entry.packed, end)
        if not entry.is_folder:
            mode = _checked_mode(entry.name, entry.attributes >> 16 & 0o7777)
            file.seek(data_at)
            yield Member(entry.name.removeprefix("./"), mode, _zip_content(file, entry))


def _zip_list(file: BinaryIO, packed: int) -> tuple[list[_ZipEntry], int]:
    """Read the central list; return its entries and where it begins (bytes from the start)."""
    count, size, start, end_at = _zip_end(file, packed)
    if count > MAX_ENTRIES:
        _refuse_many()
    if size > _MAX_ZIP_LIST:
        _refuse_crooked(Sentence("daftar isinya terlalu panjang"))
    if start + size != end_at:
        _refuse_crooked(Sentence("daftar isinya tidak berada di tempatnya"))
    file.seek(start)
    data = _read_exactly(file, size)
    entries = []
    at = 0
    for _ in range(count):
        entry, at = _zip_entry(data, at)
        entries.append(entry)
    if at != len(data):
        _refuse_crooked(Sentence("jumlah berkas tidak sama dengan daftarnya"))
    return entries, start


def _zip_end(file: BinaryIO, packed: int) -> tuple[int, int, int, int]:
    """Find the end record; return entries, bytes of the list, its start, and where the list must end."""
    tail_at = max(0, packed - _END.size - _FULL16)
    file.seek(tail_at)
    tail = _read_exactly(file, packed - tail_at)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        _refuse_cut()
    _, disk, list_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        _refuse_crooked(Sentence("ada isi sesudah tanda akhirnya"))
    if disk or list_disk or here != count:
        _refuse_crooked(Sentence("kemasan terdiri atas beberapa bagian"))
    end_at = tail_at + at
    if count != _FULL16 and _FULL32 not in (size, start):
        return count, size, start, end_at
    if end_at < _LOCATOR.size:
        _refuse_cut()
    file.seek(end_at - _LOCATOR.size)
    mark, disk, end64_at, disks = _LOCATOR.unpack(_read_exactly(file, _LOCATOR.size))
    if mark != b"PK\x06\x07":
        # Exactly 65,535 entries need no long form.
        return count, size, start, end_at
    if disk or disks > 1 or end64_at + _END64.size != end_at - _LOCATOR.size:
        _refuse_crooked(Sentence("tanda akhir panjangnya tidak berada di tempatnya"))
    file.seek(end64_at)
    mark, _, _, _, disk, list_disk, here, count, size, start = _END64.unpack(_read_exactly(file, _END64.size))
    if mark != b"PK\x06\x06" or disk or list_disk or here != count:
        _refuse_crooked(Sentence("tanda akhir panjangnya rusak"))
    return count, size, start, end64_at


def _zip_entry(data: bytes, at: int) -> tuple[_ZipEntry, int]:
    if len(data) - at < _CENTRAL.size:
        _refuse_cut()
    (
        mark,
        made_by,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        names,
        extras,
        comments,
        disk,
        _,
        attributes,
        offset,
    ) = _CENTRAL.unpack_from(data, at)
    at += _CENTRAL.size
    raw_name, extra = data[at : at + names], data[at + names : at + names + extras]
    end = at + names + extras + comments
    if mark != b"PK\x01\x02" or end > len(data):
        _refuse_cut()
    name = _decoded(raw_name)
    if flags & (_ENCRYPTED | _STRONG | _MASKED) or method == 99:
        _refuse(
            "encrypted",
            Sentence("Berkas {name} dalam kemasan terkunci sandi.", name=shown(name)),
            "Mohon kemas ulang tanpa sandi, lalu unggah lagi.",
        )
    if method not in (_STORED, _DEFLATED):
        _refuse(
            "unknown_method",
            Sentence("Berkas {name} dimampatkan dengan cara yang tidak didukung.", name=shown(name)),
            "Mohon kemas ulang dengan cara biasa (deflate), lalu unggah lagi.",
        )
    fields = _extra_fields(extra, name)
    size, packed, offset, disk = _long_numbers(fields.get(0x0001, b""), size, packed, offset, disk)
    if disk:
        _refuse_crooked(Sentence("kemasan terdiri atas beberapa bagian"))
    # Info-ZIP's second name: readers differ on which one counts.
    if 0x7075 in fields and fields[0x7075][5:] != raw_name:
        _refuse("two_names", Sentence("Berkas {name} mempunyai dua nama yang berbeda dalam kemasan.", name=shown(name)))
    entry = _ZipEntry(raw_name, name, flags, method, crc, packed, size, offset, attributes)
    _check_zip_kind(entry, unix=made_by >> 8 == _UNIX)
    return entry, end


def _check_zip_kind(entry: _ZipEntry, *, unix: bool) -> None:
    kind = stat.S_IFMT(entry.attributes >> 16)
    if stat.S_ISLNK(kind):
        _refuse(
            "symbolic_link",
            Sentence(
                "{name} dalam kemasan adalah tautan simbolik, bukan berkas biasa.",
                name=shown(entry.name),
            ),
        )
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) and unix:
        codes = {
            stat.S_IFIFO: "fifo",
            stat.S_IFBLK: "device",
            stat.S_IFCHR: "device",
            stat.S_IFSOCK: "device",
        }
        _refuse(
            codes.get(kind, "unknown_kind"),
            Sentence("{name} dalam kemasan bukan berkas biasa.", name=shown(entry.name)),
        )
    name = entry.name.removeprefix("./")
    if entry.is_folder:
        if entry.size or entry.packed > 2 or kind == stat.S_IFREG:
            _refuse_crooked(Sentence("folder {name} mempunyai isi", name=shown(entry.name)))
        if name.rstrip("/"):
            _checked_path(name.removesuffix("/"))
        return
    if kind == stat.S_IFDIR:
        _refuse_crooked(Sentence("{name} ditandai sebagai folder", name=shown(entry.name)))
    _checked_path(name)
    _checked_mode(name, entry.attributes >> 16 & 0o7777)


def _extra_fields(extra: bytes, name: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while len(extra) - at >= 4:
        key, size = struct.unpack_from("<2H", extra, at)
        if at + 4 + size > len(extra):
            _refuse_crooked(Sentence("keterangan tambahan {name} rusak", name=shown(name)))
        if key in (0x0001, 0x7075) and key in fields:
            _refuse_crooked(Sentence("keterangan tambahan {name} tercantum dua kali", name=shown(name)))
        fields[key] = extra[at + 4 : at + 4 + size]
        at += 4 + size
    return fields


def _long_numbers(field: bytes, size: int, packed: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """Replace the 32-bit numbers that are full by their 64-bit forms, in the order of the standard."""
    numbers = [size, packed, offset]
    at = 0
    for place, number in enumerate(numbers):
        if number == _FULL32:
            if len(field) - at < 8:
                _refuse_cut()
            (numbers[place],) = struct.unpack_from("<Q", field, at)
            at += 8
    if disk == _FULL16:
        if len(field) - at < 4:
            _refuse_cut()
        (disk,) = struct.unpack_from("<I", field, at)
    return numbers[0], numbers[1], numbers[2], disk


def _zip_local(file: BinaryIO, entry: _ZipEntry) -> int:
    """Compare the entry's own header with the list; return where its data begins."""
    file.seek(entry.offset)
    mark, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(_read_exactly(file, _LOCAL.size))
    if mark != b"PK\x03\x04":
        _refuse_cut()
    raw_name = _read_exactly(file, names)
    if raw_name != entry.raw_name:
        _refuse(
            "two_names",
            Sentence(
                "Kemasan menyebut satu berkas dengan dua nama: {name} dan {raw_name}.",
                name=shown(entry.name),
                raw_name=shown(raw_name),
            ),
            "Mohon kemas ulang dengan alat biasa, lalu unggah lagi.",
        )
    fields = _extra_fields(_read_exactly(file, extras), entry.name)
    if 0x7075 in fields and fields[0x7075][5:] != raw_name:
        _refuse(
            "two_names",
            Sentence("Berkas {name} mempunyai dua nama yang berbeda dalam kemasan.", name=shown(entry.name)),
        )
    size, packed, _, _ = _long_numbers(fields.get(0x0001, b""), size, packed, 0, 0)
    declared = (crc, packed, size)
    later = flags & _DESCRIPTOR and declared in ((0, 0, 0), (0, entry.packed, entry.size))
    differs = (flags ^ entry.flags) & ~(_UTF8 | _SPEED) or method != entry.method
    if differs or (declared != (entry.crc, entry.packed, entry.size) and not later):
        _refuse(
            "two_sizes",
            Sentence(
                "Ukuran berkas {name} disebut berbeda di dua tempat dalam kemasan.",
                name=shown(entry.name),
            ),
            "Mohon kemas ulang dengan alat biasa, lalu unggah lagi.",
        )
    return entry.offset + _LOCAL.size + int(names) + int(extras)


def _zip_content(file: BinaryIO, entry: _ZipEntry) -> Iterator[bytes]:
    """Yield the unpacked bytes; refuses more or fewer than declared, or another checksum."""
    check = size = 0
    for piece in _inflated(file, entry):
        size += len(piece)
        if size > entry.size:
            break
        check = zlib.crc32(piece, check)
        yield piece
    if size != entry.size or check != entry.crc:
        _refuse(
            "two_sizes" if size != entry.size else "checksum",
            Sentence(
                "Isi berkas {name} tidak sama dengan ukuran atau sidik yang dinyatakan.",
                name=shown(entry.name),
            ),
            "Mohon kemas ulang dengan alat biasa, lalu unggah lagi.",
        )


def _inflated(file: BinaryIO, entry: _ZipEntry) -> Iterator[bytes]:
    packed = iter(_Span(file, entry.packed))
    if entry.method == _STORED:
        yield from packed
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            data = piece
            while data and not inflater.eof:
                yield inflater.decompress(data, CHUNK)
                data = inflater.unconsumed_tail
    except zlib.error:
        _refuse_cut()
    if not inflater.eof or inflater.unused_data:
        _refuse_cut()


def _check_span(file: BinaryIO, entry: _ZipEntry, data_end: int, end: int) -> None:
    """Refuse unless the entry ends just where the next begins: no overlap, no hidden bytes between."""
    if data_end > end:
        _refuse(
            "overlap",
            Sentence("Entri {name} bertumpang tindih dengan entri lain dalam kemasan.", name=shown(entry.name)),
            "Mohon kemas ulang dengan alat biasa, lalu unggah lagi.",
        )
    file.seek(data_end)
    rest = _read_exactly(file, min(end - data_end, _MAX_DESCRIPTOR + 1))
    if rest not in (_descriptors(entry) if entry.flags & _DESCRIPTOR else (b"",)):
        _refuse_crooked(Sentence("ada bita tersembunyi sesudah {name}", name=shown(entry.name)))


def _descriptors(entry: _ZipEntry) -> set[bytes]:
    """Return the four forms that a data descriptor may have."""
    forms = ["<2Q"] if max(entry.packed, entry.size) > _FULL32 else ["<2I", "<2Q"]
    tails = [struct.pack("<I", entry.crc) + struct.pack(form, entry.packed, entry.size) for form in forms]
    return {mark + tail for mark in (b"PK\x07\x08", b"") for tail in tails}
