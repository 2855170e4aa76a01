"""Files by digest: what is put in is named by its SHA-256 and never changes.

One folder serves every part of an installation, so two processes may put and read at once: a file
appears under its name only when it is whole and on the disk.
"""

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from shared.errors import NotFound, Refused, TooLarge
from shared.sentence import Sentence

CHUNK = 1 << 20
"""Bytes read at a time; no file is ever whole in memory."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


class MalformedDigest(Refused):
    """The name of a file is not 64 lower-case hexadecimal digits."""

    status = 422
    code = "malformed_digest"
    title = "Sidik digital tidak sah"


class FileMissing(NotFound):
    """No file with this digest is kept."""

    code = "file_missing"


class FileDamaged(Refused):
    """What lies under a digest is not what was put in."""

    code = "file_damaged"
    title = "Isi berkas tidak sama dengan sidik digitalnya"


def checked_digest(digest: str) -> str:
    """Return `digest` if it is 64 lower-case hex digits; else refuse with `MalformedDigest`."""
    if not _DIGEST.fullmatch(digest):
        raise MalformedDigest(
            "Sidik digital berkas harus 64 angka heksadesimal huruf kecil. Mohon salin ulang dari halaman asalnya."
        )
    return digest


Source = bytes | BinaryIO | Iterable[bytes]


def chunks(source: Source) -> Iterator[bytes]:
    """Yield the bytes of `source` in pieces of at most `CHUNK` (an iterable keeps its own pieces)."""
    if isinstance(source, bytes):
        yield source
    elif hasattr(source, "read"):
        while piece := source.read(CHUNK):
            yield piece
    else:
        yield from source


class Store:
    """A folder of files, each under its own SHA-256 (`ab/cd/abcd…`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / _INCOMING).mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Return where the file lies or would lie; refuses a malformed digest."""
        checked_digest(digest)
        return self.folder / digest[:2] / digest[2:4] / digest

    def has(self, digest: str) -> bool:
        """Tell whether the file is kept (not whether it is whole: see `verify`)."""
        return self.path(digest).is_file()

    def put(self, source: Source, *, limit: int | None = None) -> str:
        """Keep the bytes and return their SHA-256 as 64 hex digits.

        Durable on return. Refuses with `TooLarge` beyond `limit` bytes, and then keeps nothing.
        """
        with Batch(self) as batch:
            digest = batch.put(source, limit=limit)
            batch.keep()
        return digest

    def batch(self) -> "Batch":
        """Return a batch: many files that are kept all together or not at all."""
        return Batch(self)

    def open(self, digest: str, *, verify: bool = False) -> BinaryIO:
        """Open the file for reading bytes.

        With `verify` the whole is read first and compared, on the very handle that is returned.
        Refuses with `FileMissing`, `FileDamaged`.
        """
        path = self.path(digest)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise FileMissing(
                Sentence(
                    "Berkas {digest}… tidak ada di penyimpanan. Mohon unggah ulang berkasnya.",
                    digest=digest[:12],
                )
            ) from None
        if verify:
            try:
                _compare(digest, hashlib.file_digest(file, "sha256").hexdigest())
                file.seek(0)
            except BaseException:
                file.close()
                raise
        return file

    def verify(self, digest: str) -> int:
        """Read the whole file and return its size in bytes; refuses `FileMissing`, `FileDamaged`."""
        with self.open(digest, verify=True) as file:
            return os.fstat(file.fileno()).st_size

    def copy(self, digest: str, to: Path) -> int:
        """Write a verified copy to the new file `to`, for reading only, and return its size in bytes.

        What is compared is what was written, so a swap during the copy is seen. `to` is removed when it
        differs. Refuses `FileMissing`, `FileDamaged`.
        """
        with self.open(digest) as source:
            handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(handle, "wb") as target:
                    seen, size = _pour(chunks(source), target, limit=None)
                    os.fchmod(target.fileno(), 0o444)
                _compare(digest, seen)
            except BaseException:
                to.unlink(missing_ok=True)
                raise
        return size


class Batch:
    """Files on their way into the store; leaving without `keep` leaves nothing behind."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in self._waiting.values():
            part.unlink(missing_ok=True)
        self._waiting.clear()

    def put(self, source: Source, *, limit: int | None = None) -> str:
        """Write the bytes beside the store and return their SHA-256; `keep` makes them part of it."""
        part = self._store.folder / _INCOMING / f"{uuid.uuid4().hex}.part"
        try:
            with part.open("xb") as target:
                digest, _ = _pour(chunks(source), target, limit=limit)
                os.fchmod(target.fileno(), 0o444)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        if digest in self._waiting:
            part.unlink()
        else:
            self._waiting[digest] = part
        return digest

    def keep(self) -> None:
        """Give every file its name, durably: bytes first, then names, then folders."""
        for part in self._waiting.values():
            _sync(part)
        touched = set()
        for digest, part in self._waiting.items():
            final = self._store.path(digest)
            final.parent.mkdir(parents=True, exist_ok=True)
            # Replacing an equal file is harmless to its readers and mends a damaged one.
            part.replace(final)
            touched |= {final.parent, final.parent.parent, self._store.folder}
        self._waiting.clear()
        for folder in touched:
            _sync(folder)


def _pour(pieces: Iterator[bytes], target: BinaryIO, *, limit: int | None) -> tuple[str, int]:
    seen = hashlib.sha256()
    size = 0
    for piece in pieces:
        size += len(piece)
        if limit is not None and size > limit:
            most = f"{limit:,}".replace(",", ".")
            raise TooLarge(
                Sentence("Berkas lebih besar dari {most} bita. Mohon perkecil lalu unggah ulang.", most=most)
            )
        seen.update(piece)
        target.write(piece)
    return seen.hexdigest(), size


def _compare(digest: str, seen: str) -> None:
    if seen != digest:
        raise FileDamaged(
            Sentence(
                "Berkas {digest}… di penyimpanan telah berubah (kini {seen}…). Berkas ini tidak boleh dipakai; "
                "mohon laporkan kepada Divisi Monitoring dan Security.",
                digest=digest[:12],
                seen=seen[:12],
            )
        )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, handle)
        os.fsync(handle)
