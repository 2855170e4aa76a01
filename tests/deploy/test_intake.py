"""Archives: what is plain becomes a canonical tree, what is odd is refused before anything is stored."""

import gzip
import hashlib
import io
import random
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.deploy import intake
from services.deploy.intake import ArchiveRefused, take_in
from shared.manifest import Entry, Manifest
from shared.store import Batch, Store

Files = dict[str, tuple[bytes, int]]
SITE: Files = {
    "index.php": (b"<?php echo 'halo';\n", 0o644),
    "bin/kerja": (b"#!/bin/sh\n", 0o755),
    "data/kosong": (b"", 0o600),
    "gambar/é.svg": (b"<svg/>", 0o664),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def as_tar(files: Files, *, form: int = tarfile.PAX_FORMAT, folders: bool = False, prefix: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        if folders:
            for folder in sorted({name.rpartition("/")[0] for name in files} - {""}):
                archive.addfile(tar_member(prefix + folder, kind=tarfile.DIRTYPE, mode=0o2755))
        for name, (content, mode) in files.items():
            archive.addfile(tar_member(prefix + name, size=len(content), mode=mode), io.BytesIO(content))
    return out.getvalue()


def tar_member(name: str, **fields: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = fields.pop("kind", tarfile.REGTYPE)
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def one_tar(member: tarfile.TarInfo, content: bytes = b"", **options: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **options) as archive:
        archive.addfile(tar_member("biasa.txt", size=1), io.BytesIO(b"x"))
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def as_zip(files: Files, *, method: int = zipfile.ZIP_DEFLATED, streamed: bool = False) -> bytes:
    out = io.BytesIO()
    target = Unseekable(out) if streamed else out
    with zipfile.ZipFile(target, "w", method) as archive:  # type: ignore[call-overload]
        for name, (content, mode) in files.items():
            archive.writestr(zip_info(name, mode), content, compress_type=method)
    return out.getvalue()


def zip_info(name: str, mode: int = 0o644, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | mode) << 16
    return info


class Unseekable:
    """A pipe: the writer must put sizes behind the data."""

    def __init__(self, out: io.BytesIO) -> None:
        self.write, self.flush = out.write, out.flush


def expected(files: Files) -> Manifest:
    return Manifest(
        Entry(name, "755" if mode & 0o100 else "644", len(content), hashlib.sha256(content).hexdigest())
        for name, (content, mode) in files.items()
    )


def refusal_of(archive: Any, store: Store, **options: Any) -> ArchiveRefused:
    with pytest.raises(ArchiveRefused) as refusal:
        take_in(archive, store, **options)
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    assert refusal.value.status == 422
    assert "ohon" in refusal.value.detail
    assert refusal.value.detail.isprintable()
    return refusal.value


FORMATS: dict[str, Callable[[Files], bytes]] = {
    "tar-pax": as_tar,
    "tar-gnu": lambda files: as_tar(files, form=tarfile.GNU_FORMAT),
    "tar-dot": lambda files: as_tar(files, prefix="./"),
    "tar-folders": lambda files: as_tar(files, folders=True),
    "tar.gz": lambda files: gzip.compress(as_tar(files)),
    "zip": as_zip,
    "zip-stored": lambda files: as_zip(files, method=zipfile.ZIP_STORED),
    "zip-streamed": lambda files: as_zip(files, streamed=True),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_digest(form: str, store: Store) -> None:
    manifest = take_in(FORMATS[form](SITE), store)

    assert manifest == expected(SITE)
    for entry in manifest:
        assert store.verify(entry.sha256) == entry.size


NAME = st.text(st.sampled_from("abcXYZ09-_ .é漢"), min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
TREES = st.dictionaries(
    st.lists(NAME, min_size=1, max_size=4).map("/".join),
    st.tuples(st.binary(max_size=300), st.sampled_from([0o644, 0o755, 0o600, 0o700])),
    min_size=1,
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(files=TREES, shuffle=st.randoms(), form=st.sampled_from(sorted(FORMATS)))
def test_g1_the_digest_depends_on_the_files_alone(files: Files, shuffle: random.Random, form: str) -> None:
    try:
        wanted = expected(files)
    except Exception:
        wanted = None  # twins, or a file where a folder is: the intake must see it too
    order = list(files.items())
    shuffle.shuffle(order)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        if wanted is None:
            refusal_of(FORMATS[form](dict(order)), store)
        else:
            assert take_in(FORMATS[form](dict(order)), store).digest == wanted.digest


def test_a_long_path_survives_in_both_dialects_of_tar(store: Store) -> None:
    files: Files = {"/".join(["folder-yang-panjang" * 3] * 9) + "/a.txt": (b"x", 0o644)}

    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert take_in(as_tar(files, form=form), store) == expected(files)
    short: Files = {"a" * 90 + "/" + "b" * 90: (b"x", 0o644)}
    assert take_in(as_tar(short, form=tarfile.USTAR_FORMAT), store) == expected(short)


def test_a_stream_and_a_path_give_the_same(store: Store, tmp_path: Path) -> None:
    packed = as_zip(SITE)
    (tmp_path / "paket.bin").write_bytes(packed)

    pieces = (packed[at : at + 7] for at in range(0, len(packed), 7))

    assert take_in(pieces, store) == take_in(tmp_path / "paket.bin", store) == expected(SITE)
    assert take_in(io.BytesIO(packed), store) == expected(SITE)


def test_the_shared_top_folder_goes_only_when_told(store: Store) -> None:
    packed = as_tar(SITE, prefix="situs-1.2/")

    assert take_in(packed, store, strip_top=True) == expected(SITE)
    assert take_in(packed, store) == expected({f"situs-1.2/{name}": file for name, file in SITE.items()})
    assert take_in(as_tar(SITE), store, strip_top=True) == expected(SITE)


UNSAFE = {
    "../jahat": "parent_path",
    "a/../../jahat": "parent_path",
    "/etc/passwd": "absolute_path",
    "a\\..\\jahat": "backslash",
    "a\nb": "control_character",
    "a\x1b[2Jb": "control_character",
    "a\u202eb": "control_character",
    "a//b": "crooked_path",
    "a/./b": "crooked_path",
    "n" * 256: "path_too_long",
    "d/" * 520 + "f": "path_too_long",
    "d/" * 70 + "f": "path_too_deep",
}


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("form", ["tar-pax", "tar-gnu", "tar.gz", "zip"])
def test_a11_an_unsafe_path_is_refused_before_writing(name: str, form: str, store: Store) -> None:
    packed = FORMATS[form]({"index.html": (b"x", 0o644), name: (b"jahat", 0o644)})

    assert refusal_of(packed, store).code == UNSAFE[name]


def test_a11_a_nul_in_a_name_is_refused(store: Store) -> None:
    packed = as_zip({"aXb": (b"x", 0o644)}, method=zipfile.ZIP_STORED).replace(b"aXb", b"a\0b")

    assert refusal_of(packed, store).code == "nul"
    pax = tar_member("x", size=0, pax_headers={"path": "a\0b"})
    assert refusal_of(one_tar(pax, format=tarfile.PAX_FORMAT), store).code == "nul"


def test_a11_a_name_that_is_not_utf8_is_refused(store: Store) -> None:
    packed = as_zip({"aXb": (b"x", 0o644)}).replace(b"aXb", b"a\xffb")

    assert refusal_of(packed, store).code == "name_not_utf8"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tarfile.SYMTYPE, "symbolic_link"),
        (tarfile.LNKTYPE, "hard_link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "fifo"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
        (tarfile.CONTTYPE, "unknown_kind"),
        (b"V", "unknown_kind"),
    ],
)
def test_a11_links_and_special_files_in_a_tar_are_refused(kind: bytes, code: str, store: Store) -> None:
    packed = one_tar(tar_member("jahat", kind=kind, linkname="/etc/passwd"))

    refusal = refusal_of(packed, store)

    assert refusal.code == code
    assert "“jahat”" in refusal.detail
    assert refusal_of(gzip.compress(packed), store).code == code


def test_a11_a_sparse_file_of_the_newer_kind_is_refused(store: Store) -> None:
    member = tar_member("data", size=0, pax_headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": "99"})

    assert refusal_of(one_tar(member, format=tarfile.PAX_FORMAT), store).code == "sparse"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (stat.S_IFLNK, "symbolic_link"),
        (stat.S_IFIFO, "fifo"),
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (stat.S_IFDIR, "crooked_archive"),
    ],
)
def test_a11_links_and_special_files_in_a_zip_are_refused(kind: int, code: str, store: Store) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zip_info("jahat", kind=kind), b"/etc/passwd")

    assert refusal_of(out.getvalue(), store).code == code


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1644])
@pytest.mark.parametrize("form", ["tar-pax", "zip"])
def test_a11_setuid_setgid_and_sticky_files_are_refused(mode: int, form: str, store: Store) -> None:
    assert refusal_of(FORMATS[form]({"bin/x": (b"x", mode)}), store).code == "setuid"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["README", "Readme"], "case_twin"),
        (["a", "a/b"], "file_and_folder"),
        (["caf\u00e9", "cafe\u0301"], "case_twin"),
    ],
)
@pytest.mark.parametrize("form", ["tar-pax", "zip"])
def test_a11_twins_are_refused(names: list[str], code: str, form: str, store: Store) -> None:
    assert refusal_of(FORMATS[form](dict.fromkeys(names, (b"x", 420))), store).code == code


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a11_the_same_name_twice_is_refused(store: Store) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zip_info("a"), b"baik")
        archive.writestr(zip_info("a"), b"jahat")

    assert refusal_of(out.getvalue(), store).code == "duplicate"
    assert refusal_of(one_tar(tar_member("biasa.txt")), store).code == "duplicate"


# --- bombs ---


def test_a11_a_bomb_is_refused_while_it_unpacks(store: Store) -> None:
    files: Files = {"nol": (bytes(8 << 20), 0o644)}

    assert refusal_of(as_zip(files), store).code == "ratio"
    assert refusal_of(gzip.compress(as_tar(files)), store).code == "ratio"


def test_a11_a_bomb_in_the_headers_is_refused(store: Store) -> None:
    meta = tar_member("x", pax_headers={"comment": "0" * 15_000})
    packed = gzip.compress(one_tar(meta, format=tarfile.PAX_FORMAT)[:-1024] * 400)

    assert refusal_of(packed, store).code in ("ratio", "cut_off", "crooked_archive")


def test_a11_a_nested_bomb_stays_a_file(store: Store) -> None:
    inner = as_zip({"nol": (bytes(8 << 20), 0o644)})
    files: Files = {f"{n}.zip": (inner, 0o644) for n in range(20)}

    assert take_in(as_zip(files), store) == expected(files)


def test_a11_a_zip_that_lies_about_its_sizes_is_refused(store: Store) -> None:
    content = random.Random(1).randbytes(5000)
    packed = bytearray(as_zip({"a": (content, 0o644)}))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", packed, packed.index(mark) + at, 10)

    assert refusal_of(bytes(packed), store).code == "two_sizes"
    huge = bytearray(as_zip({"a": (content, 0o644)}))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", huge, huge.index(mark) + at, 0xFFFFFFF0)
    assert refusal_of(bytes(huge), store).code == "too_large"


def test_a11_more_entries_than_allowed_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_ENTRIES", 50)
    files: Files = {str(n): (b"", 0o644) for n in range(51)}

    for form in ("tar-pax", "tar.gz", "zip"):
        assert refusal_of(FORMATS[form](files), store).code == "too_many_entries"


def test_a11_more_bytes_than_allowed_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_TOTAL_BYTES", 9_000)
    files: Files = {str(n): (random.Random(n).randbytes(1000), 0o644) for n in range(10)}

    for form in ("tar-pax", "tar.gz", "zip", "zip-streamed"):
        assert refusal_of(FORMATS[form](files), store).code == "too_large"
    monkeypatch.setattr(intake, "MAX_PACKED_BYTES", 5_000)
    assert refusal_of(iter([bytes(3000), bytes(3000)]), store).code == "too_large"


# --- crooked zips ---


def patched(packed: bytes, mark: bytes, at: int, form: str, value: int) -> bytes:
    copy = bytearray(packed)
    struct.pack_into(form, copy, copy.index(mark) + at, value)
    return bytes(copy)


def test_a11_an_encrypted_entry_is_refused(store: Store) -> None:
    packed = as_zip({"a": (b"x", 0o644)})
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed = patched(packed, mark, at, "<H", 1)

    refusal = refusal_of(packed, store)

    assert refusal.code == "encrypted"
    assert "sandi" in refusal.detail


def test_a11_overlapping_entries_are_refused(store: Store) -> None:
    packed = as_zip({"a": (b"x" * 50, 0o644), "b": (b"y" * 50, 0o644)}, method=zipfile.ZIP_STORED)
    second = packed.rindex(b"PK\x01\x02")
    copy = bytearray(packed)
    struct.pack_into("<I", copy, second + 42, 0)

    assert refusal_of(bytes(copy), store).code in ("overlap", "two_names")

    # The quoted kind: the first entry's data runs on over the second's header.
    quoted = bytearray(packed)
    for mark, at in ((b"PK\x03\x04", 18), (b"PK\x03\x04", 22), (b"PK\x01\x02", 20), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", quoted, quoted.index(mark) + at, 120)
    assert refusal_of(bytes(quoted), store).code == "overlap"


def test_a11_a_local_name_that_differs_from_the_list_is_refused(store: Store) -> None:
    packed = as_zip({"baik.txt": (b"x", 0o644)}).replace(b"baik.txt", b"../jahat", 1)

    refusal = refusal_of(packed, store)

    assert refusal.code == "two_names"
    assert "“../jahat”" in refusal.detail


def test_a11_a_second_name_in_the_extra_field_is_refused(store: Store) -> None:
    info = zip_info("baik.txt")
    name = b"../jahat"
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"baik.txt")) + name
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, b"x")

    assert refusal_of(out.getvalue(), store).code == "two_names"


def test_a11_bytes_hidden_between_around_or_after_entries_are_refused(store: Store) -> None:
    packed = as_zip({"a": (b"x", 0o644)})
    list_at = packed.index(b"PK\x01\x02")
    end_at = packed.index(b"PK\x05\x06")
    before_list = packed[:list_at] + b"hidden" + packed[list_at:]
    moved = patched(before_list, b"PK\x05\x06", 16, "<I", list_at + 6)

    for crooked in (moved, packed + b"tail", packed[:end_at] + b"hidden" + packed[end_at:], b"MZ" + packed):
        assert refusal_of(crooked, store).code in ("crooked_archive", "unknown_format")


def test_a11_a_wrong_checksum_or_another_method_is_refused(store: Store) -> None:
    packed = as_zip({"a": (b"isi", 0o644)}, method=zipfile.ZIP_STORED)

    assert refusal_of(packed.replace(b"isi", b"Isi"), store).code == "checksum"
    bz2 = as_zip({"a": (b"isi" * 99, 0o644)}, method=zipfile.ZIP_BZIP2)
    assert refusal_of(bz2, store).code == "unknown_method"


# --- broken and crooked tars ---


@pytest.mark.parametrize("form", ["tar-pax", "tar.gz", "zip", "zip-streamed"])
def test_a11_a_cut_archive_is_refused_wherever_it_is_cut(form: str, store: Store) -> None:
    packed = FORMATS[form]({"a": (random.Random(2).randbytes(3000), 0o644), "b": (b"y", 0o644)})
    # A tar may lose some of its closing zeros and still be whole.
    whole = len(packed.rstrip(b"\0")) if form == "tar-pax" else len(packed)

    for at in {0, 1, 300, 512, 700, 1500, 3000, whole - 1, whole // 2} & set(range(whole)):
        refusal_of(packed[:at], store)


def test_a11_every_flipped_byte_is_either_refused_or_changes_nothing_unseen(store: Store) -> None:
    packed = as_zip({"a.txt": (b"isi berkas", 0o644), "b.txt": (b"lain", 0o644)})
    wanted = {"isi berkas", "lain"}

    for at in range(len(packed)):
        copy = bytearray(packed)
        copy[at] ^= 0x01
        try:
            manifest = take_in(bytes(copy), store)
        except ArchiveRefused:
            continue
        contents = {store.path(entry.sha256).read_text() for entry in manifest}
        assert contents == wanted


def test_a11_what_hides_behind_the_end_of_a_tar_is_refused(store: Store) -> None:
    packed = as_tar({"a": (b"x", 0o644)})

    assert refusal_of(packed + packed, store).code == "crooked_archive"
    assert refusal_of(gzip.compress(packed) + b"tail", store).code == "cut_off"


def test_a11_a_damaged_tar_header_is_not_the_end_of_the_archive(store: Store) -> None:
    packed = bytearray(as_tar({"a": (b"x", 0o644), "b": (b"y", 0o644)}))
    packed[1024] ^= 0x01

    assert refusal_of(bytes(packed), store).code == "cut_off"


@pytest.mark.parametrize(
    "junk", [b"", b"PK", b"MZ" + bytes(600), b"\x1f\x8b", b"Rar!\x1a\x07", b"7z\xbc\xaf'\x1c", bytes(2048)]
)
def test_a11_what_is_no_archive_is_refused(junk: bytes, store: Store) -> None:
    refusal_of(junk, store)


def test_an_empty_archive_is_refused(store: Store) -> None:
    assert refusal_of(as_zip({}), store).code == "empty"


def test_a12_an_archive_that_changes_between_the_passes_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "paket.tar"
    archive.write_bytes(as_tar({"a": (b"baik!" * 50_000, 0o644)}))

    class Swapping(Store):
        """A store before whose first byte somebody rewrites the archive in place."""

        def batch(self) -> Batch:
            archive.write_bytes(as_tar({"a": (b"jahat" * 50_000, 0o644)}))
            return super().batch()

    assert refusal_of(archive, Swapping(tmp_path / "store")).code == "changed"
