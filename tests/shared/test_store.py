"""Files by digest: whole or absent, never changed unseen."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import TooLarge
from shared.store import FileDamaged, FileMissing, MalformedDigest, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_put_in_comes_out_under_its_sha256(store: Store) -> None:
    digest = store.put(b"halo")

    assert digest == hashlib.sha256(b"halo").hexdigest()
    assert store.has(digest)
    assert store.verify(digest) == 4
    with store.open(digest) as file:
        assert file.read() == b"halo"


@pytest.mark.parametrize("source", [b"abc" * 999, io.BytesIO(b"abc" * 999), iter([b"abc"] * 999)])
def test_bytes_streams_and_pieces_give_the_same_name(store: Store, source: bytes) -> None:
    assert store.put(source) == hashlib.sha256(b"abc" * 999).hexdigest()


def test_a_stream_is_never_whole_in_memory(store: Store) -> None:
    class Endless(io.RawIOBase):
        largest, left = 0, 40 << 20

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1 << 20
            piece = b"\0" * min(size, self.left)
            self.left -= len(piece)
            return piece

    digest = store.put(Endless())

    assert store.verify(digest) == 40 << 20


def test_nothing_is_left_when_the_source_breaks_off(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(broken())

    assert files_under(store.folder) == []


def test_more_than_the_limit_is_refused_and_not_kept(store: Store) -> None:
    with pytest.raises(TooLarge, match=r"1\.000"):
        store.put(b"x" * 1001, limit=1000)

    assert files_under(store.folder) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "g" * 64])
def test_a1_a_malformed_digest_never_becomes_a_path(store: Store, name: str) -> None:
    with pytest.raises(MalformedDigest):
        store.path(name)


def test_a_missing_file_is_not_found(store: Store) -> None:
    with pytest.raises(FileMissing) as refusal:
        store.open("0" * 64)

    assert refusal.value.status == 404


def test_g3_a_file_swapped_in_the_store_is_refused_by_every_verifying_read(store: Store, tmp_path: Path) -> None:
    digest = store.put(b"good")
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"evil")

    with pytest.raises(FileDamaged):
        store.verify(digest)
    with pytest.raises(FileDamaged):
        store.open(digest, verify=True)
    with pytest.raises(FileDamaged):
        store.copy(digest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_putting_the_same_again_mends_a_damaged_file(store: Store) -> None:
    digest = store.put(b"good")
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"evil")

    store.put(b"good")

    assert store.verify(digest) == 4


def test_a_batch_that_is_not_kept_leaves_nothing(store: Store) -> None:
    with store.batch() as batch:
        digest = batch.put(b"one")
        batch.put(b"two")
        assert not store.has(digest)

    assert files_under(store.folder) == []


def test_a_copy_is_read_only_and_never_overwrites(store: Store, tmp_path: Path) -> None:
    digest = store.put(b"text")

    assert store.copy(digest, tmp_path / "copy") == 4

    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o444
    with pytest.raises(FileExistsError):
        store.copy(digest, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"text"


def test_two_processes_may_put_the_same_files_at_once(store: Store) -> None:
    program = (
        "import sys; from pathlib import Path; from shared.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for n in range(60): store.put(str(n).encode() * 999)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(store.folder)]) for _ in range(2)]

    codes = [writer.wait(60) for writer in writers]

    assert codes == [0, 0]
    kept = files_under(store.folder)
    assert len(kept) == 60
    assert all(store.verify(path.name) for path in kept)
