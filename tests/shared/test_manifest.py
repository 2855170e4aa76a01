"""The canonical list of files: one text, one digest, and nothing unsafe in it."""

import hashlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.manifest import Entry, Manifest, ManifestRefused, shown

SHA = "a" * 64


def entry(path: str, *, mode: str = "644", size: int = 1, sha256: str = SHA) -> Entry:
    return Entry(path, mode, size, sha256)  # type: ignore[arg-type]


def test_the_canonical_text_is_frozen() -> None:
    manifest = Manifest([entry("b/é.php", mode="755", size=20), entry("a")])

    assert (
        manifest.bytes
        == (
            f'{{"mode":"644","path":"a","sha256":"{SHA}","size":1}}\n'
            f'{{"mode":"755","path":"b/é.php","sha256":"{SHA}","size":20}}\n'
        ).encode()
    )
    assert manifest.digest == hashlib.sha256(manifest.bytes).hexdigest()
    assert manifest.total_size == 21


def test_order_is_by_the_bytes_of_the_path() -> None:
    paths = ["z", "a-b", "a/b", "a.b", "Ab", "é", "ÿ/x", "𝒳"]
    shuffled = random.Random(7).sample(paths, len(paths))

    listed = [one.path for one in Manifest(map(entry, shuffled))]

    assert listed == sorted(paths, key=str.encode)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "empty_name"),
        ("../x", "parent_path"),
        ("a/../../x", "parent_path"),
        ("..", "parent_path"),
        ("/etc/passwd", "absolute_path"),
        ("C:/x", "absolute_path"),
        ("a\\..\\x", "backslash"),
        ("a\0b", "nul"),
        ("a\nb", "control_character"),
        ("a\x1b[2Jb", "control_character"),
        ("a\x7f", "control_character"),
        ("a\u202egpj.php", "control_character"),
        ("a\u2028b", "control_character"),
        ("a\udc80", "control_character"),
        ("a//b", "crooked_path"),
        ("a/./b", "crooked_path"),
        ("a/", "crooked_path"),
        ("é" * 128, "path_too_long"),
        ("a/" * 600 + "b", "path_too_long"),
        ("a/" * 64 + "b", "path_too_deep"),
    ],
)
def test_a11_an_unsafe_path_is_refused(path: str, code: str) -> None:
    with pytest.raises(ManifestRefused) as refusal:
        Manifest([entry(path)])

    assert refusal.value.code == code
    assert "\n" not in refusal.value.detail
    assert "\x1b" not in refusal.value.detail


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["a", "a"], "duplicate"),
        (["README", "readme"], "case_twin"),
        (["caf\u00e9", "cafe\u0301"], "case_twin"),
        (["straße", "STRASSE"], "case_twin"),
        (["Lib/x.py", "lib/X.py"], "case_twin"),
        (["a", "a/b"], "file_and_folder"),
        (["A", "a/b"], "file_and_folder"),
        ([], "empty"),
    ],
)
def test_a11_two_names_for_one_place_are_refused(paths: list[str], code: str) -> None:
    with pytest.raises(ManifestRefused) as refusal:
        Manifest(map(entry, paths))

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "bad",
    [
        entry("a", mode="4755"),
        entry("a", mode="777"),
        entry("a", size=-1),
        entry("a", sha256="A" * 64),
        entry("a", sha256=SHA + "\n"),
    ],
)
def test_a11_odd_modes_sizes_and_digests_are_refused(bad: Entry) -> None:
    with pytest.raises(ManifestRefused):
        Manifest([bad])


def test_a11_more_than_two_gibibytes_or_100000_files_are_refused() -> None:
    with pytest.raises(ManifestRefused, match="2 GiB"):
        Manifest([entry("a", size=2 << 30), entry("b")])
    with pytest.raises(ManifestRefused, match="100000"):
        Manifest(entry(str(n)) for n in range(100_001))


GOOD = Manifest([entry("a"), entry("b", mode="755")]).bytes


@pytest.mark.parametrize(
    "text",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\n",
        b"\n" + GOOD,
        GOOD + GOOD,
        b"".join(reversed(GOOD.splitlines(keepends=True))),
        GOOD.replace(b'"a"', b'"\\u0061"'),
        GOOD.replace(b'"mode":"644",', b'"mode":"644", '),
        GOOD.replace(b'"size":1', b'"size":01'),
        GOOD.replace(b'"size":1', b'"size":1.0'),
        GOOD.replace(b'"size":1', b'"size":-1'),
        GOOD.replace(b"}\n", b',"uid":0}\n'),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b'"a"', b'"\xff"'),
        GOOD.replace(b'"a"', b'"../a"'),
        json.dumps([{"path": "a"}]).encode() + b"\n",
        b"[]\n",
        b"\xef\xbb\xbf" + GOOD,
    ],
)
def test_only_the_one_canonical_text_is_read(text: bytes) -> None:
    with pytest.raises(ManifestRefused):
        Manifest.parse(text)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.integers(0, 99)), max_size=6))
def test_whatever_is_accepted_reads_back_as_itself(files: list[tuple[str, int]]) -> None:
    try:
        manifest = Manifest(entry(path, size=size) for path, size in files)
    except ManifestRefused:
        return

    again = Manifest.parse(manifest.bytes)

    assert again == manifest
    assert again.digest == manifest.digest


def test_a5_a_shown_name_cannot_break_out_of_its_sentence() -> None:
    assert shown("a\nb\x1b[0m\u202e") == "“a\\nb\\x1b[0m\\u202e”"
    assert shown(b"\xff\0") == "“\\xff\\x00”"
    assert len(shown("x" * 10_000)) <= 122
