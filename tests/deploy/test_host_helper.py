"""The host's program by itself: its grammar, its reading of file lists, its verifying of permits, its edges."""

import ast
import json
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.deploy import host_helper
from services.deploy.host_helper import VALUES, VERBS, Refusal
from shared.manifest import Entry, Manifest, ManifestRefused
from tests.deploy.hosting import Signer, build, install_request, open_request, site_request

BUILD = build("tata bahasa")
SIGNER = Signer()
GOOD: dict[str, dict[str, Any]] = {
    "inspect": {"verb": "inspect", "app": "perpus", "deep": True},
    "install": install_request(BUILD, health="/", quota_mb=10, repair=False),
    "open": open_request(SIGNER.permit(BUILD.digest), BUILD.digest, health="/"),
    "rollback": site_request("rollback", digest=BUILD.digest, health="/"),
    "close": site_request("close"),
    "revoke": {"verb": "revoke", "permit_id": "0b3c7c5e-8d0c-4a53-9c1c-2f1d6a2b7c11"},
    "remove": site_request("remove", digest=BUILD.digest),
}
HOSTILE: list[Any] = [
    "",
    " ",
    "$(reboot)",
    "`id`",
    "a;rm -rf /",
    "a && id",
    "a|id",
    "../../etc",
    "/etc/passwd",
    "a\nb",
    "a\n",
    "a\x00b",
    "-rf",
    "--help",
    "a b",
    "A",
    "é",
    "\u0663\u0663",
    "\u202eexe",
    "\ud800",
    "a" * 5000,
    "{{7*7}}",
    "%(x)s",
    "'; DROP TABLE site;--",
    None,
    True,
    [],
    {},
    1.5,
    -1,
    0,
    2**63,
    10**30,
]


def test_every_verb_names_only_kinds_that_are_defined() -> None:
    named = {kind for verb in VERBS.values() for part in verb.values() for kind in part.values()}

    assert named == set(VALUES)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_good_request_fits_the_grammar(verb: str) -> None:
    assert set(GOOD[verb]) == {"verb", *VERBS[verb]["required"], *VERBS[verb]["optional"]}
    assert host_helper.checked(GOOD[verb]) == GOOD[verb]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a1_no_hostile_value_fits_the_grammar(verb: str) -> None:
    """A1: every field of every verb, every hostile value."""
    kinds = {**VERBS[verb]["required"], **VERBS[verb]["optional"]}
    for name, kind in kinds.items():
        for value in HOSTILE:
            if _is_innocent(kind, value):
                continue
            with pytest.raises(Refusal) as refusal:
                host_helper.checked({**GOOD[verb], name: value})
            assert refusal.value.code == "bad_value", (name, value)


def _is_innocent(kind: str, value: object) -> bool:
    # Lists and permits are texts of a grammar of their own, read later.
    if kind in ("manifest", "permit_text"):
        return isinstance(value, str) and value != "\ud800"
    return (kind, value) in (("yes", True), ("health", "/etc/passwd"), ("hosting", "A"))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_request_with_a_value_too_many_or_too_few_is_refused(verb: str) -> None:
    with pytest.raises(Refusal) as refusal:
        host_helper.checked({**GOOD[verb], "command": "id"})
    assert refusal.value.code == "bad_value"

    for name in VERBS[verb]["required"]:
        with pytest.raises(Refusal) as refusal:
            host_helper.checked({key: value for key, value in GOOD[verb].items() if key != name})
        assert refusal.value.code == "bad_value"


@pytest.mark.parametrize(
    ("public", "closed"),
    [
        ("perpus-uji.kampus.test", "lain-uji.kampus.test"),
        ("perpus.kampus.test", "perpus.kampus.test"),
        ("perpus.kampus.test", "perpus-uji"),
        ("perpus", "perpus-uji.kampus.test"),
        ("perpus.kampus.test.", "perpus-uji.kampus.test"),
        ("*.kampus.test", "perpus-uji.kampus.test"),
        ("perpus.kampus.test;", "perpus-uji.kampus.test"),
        ("-perpus.kampus.test", "perpus-uji.kampus.test"),
        (f"{'a' * 64}.kampus.test", "perpus-uji.kampus.test"),
    ],
)
def test_a_closed_address_never_takes_a_public_name_nor_the_reverse(public: str, closed: str) -> None:
    with pytest.raises(Refusal):
        host_helper.checked({**GOOD["install"], "public": public, "closed": closed})


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a3_no_json_at_all_gets_past_the_grammar_by_accident(value: Any) -> None:
    """A3: whatever the JSON is, it is refused with a code, never with a crash."""
    with pytest.raises(Refusal):
        host_helper.checked(value)


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"{\n",
        b"[]\n",
        b"null\n",
        b'"inspect"\n',
        b'{"verb":"inspect","verb":"inspect"}\n',
        b'{"verb":"shell"}\n',
        b'{"verb":["inspect"]}\n',
        b'{"verb":"__class__"}\n',
        b"\xff\xfe{}\n",
        b"[" * 200_000 + b"\n",
        b'{"verb":"inspect","app":"../x"}\n',
        b'{"verb":"close","fence":NaN,"app":"ab","hosting":"x"}\n',
        b'{"verb":"inspect"}',
    ],
)
def test_what_is_not_a_request_is_refused_and_nothing_is_touched(tmp_path: Path, raw: bytes) -> None:
    answer = _ask(_config(tmp_path), raw)

    assert list(answer) == ["refused", "text"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host.json"]


def test_who_speaks_another_protocol_is_told_so_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-I", host_helper.__file__, "--config", str(_config(tmp_path))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as helper:
        assert helper.stdin
        assert helper.stdout
        helper.stdin.write(b"\0\0\0\5\1\0\0\0\3")  # how an SFTP client begins, which then waits
        helper.stdin.flush()

        assert json.loads(helper.stdout.readline())["refused"] == "malformed"


def test_a_request_longer_than_its_bound_is_not_read_to_the_end(tmp_path: Path) -> None:
    answer = _ask(_config(tmp_path), b'{"verb":"' + b"x" * (33 << 20))

    assert answer["refused"] == "malformed"


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "{",
        '{"profile": "root"}',
        '{"profile": "unprivileged", "apps": "relative", "state": "/s", "vhosts": "/v", "listen": ["80"]}',
        '{"profile": "unprivileged", "apps": "/a", "state": "/s", "vhosts": "/v", "listen": ["80; evil"]}',
        '{"profile": "unprivileged", "apps": "/a", "state": "/s", "vhosts": "/v", "listen": []}',
        '{"profile": "unprivileged", "apps": "/a b", "state": "/s", "vhosts": "/v", "listen": ["80"]}',
        '{"profile": "unprivileged", "apps": "/a", "state": "/s", "vhosts": "/v", "listen": ["80"], "shell": "sh"}',
    ],
)
def test_a_host_with_a_bad_configuration_does_nothing(tmp_path: Path, config: str) -> None:
    path = tmp_path / "host.json"
    path.write_text(config)

    assert _ask(path, b'{"verb":"inspect"}\n')["refused"] == "bad_config"


def test_a_privileged_configuration_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = _config(tmp_path, profile="privileged")
    path.chmod(0o666)

    assert _ask(path, b'{"verb":"inspect"}\n')["refused"] == "bad_config"


def test_the_profile_is_never_chosen_by_the_request(tmp_path: Path) -> None:
    answer = _ask(_config(tmp_path), b'{"verb":"inspect","profile":"privileged"}\n')

    assert answer["refused"] == "bad_value"


def _config(folder: Path, **more: Any) -> Path:
    path = folder / "host.json"
    facts = {
        "profile": "unprivileged",
        "apps": str(folder / "srv"),
        "state": str(folder / "state"),
        "vhosts": str(folder / "vhosts"),
        "listen": ["127.0.0.1:1"],
        **more,
    }
    path.write_text(json.dumps(facts))
    return path


def _ask(config: Path, raw: bytes) -> dict[str, Any]:
    """Run the helper with these bytes on its standard input; return its one line."""
    done = subprocess.run(
        [sys.executable, "-I", host_helper.__file__, "--config", str(config)],
        input=raw,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == b""
    line, *rest = done.stdout.splitlines()
    assert rest == []
    answer: dict[str, Any] = json.loads(line)
    return answer


# --- The list of files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "../luar",
        "a/../../luar",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/.",
        "a\\b",
        "C:/a",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a\u202egpj.exe",
        "a\u2028b",
        "a" * 256,
        "/".join("b" * 100 for _ in range(11)),
        "/".join("c" for _ in range(65)),
        "",
    ],
)
def test_a11_a_hostile_path_is_refused(path: str) -> None:
    """A11: slip, absolute, control characters, depth."""
    text = _line(path)

    assert _refusal(text) == "manifest_refused"


def test_a11_twins_and_a_name_that_is_file_and_folder_are_refused() -> None:
    """A11: twins."""
    for paths in (("A.txt", "a.txt"), ("caf\u00e9", "cafe\u0301"), ("a", "a/b"), ("A", "a/b"), ("a", "a")):
        text = "".join(_line(path) for path in sorted(paths, key=str.encode))
        assert _refusal(text) == "manifest_refused", paths


def test_a11_a_bomb_is_refused() -> None:
    """A11: too many entries, too many bytes."""
    assert _refusal("".join(_line(f"{number:06}") for number in range(100_001))) == "manifest_refused"
    assert _refusal(_line("a", size=1 << 31) + _line("b", size=1)) == "manifest_refused"


_BARE = '{"mode":"644","path":"a","sha256":"' + "0" * 64 + '","size":1}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        _BARE,
        _BARE + "\n\n",
        _BARE.replace('"644"', '"777"') + "\n",
        _BARE.replace('"644"', '"4755"') + "\n",
        _BARE.replace(":1}", ":01}") + "\n",
        _BARE.replace(":1}", ":-1}") + "\n",
        _BARE.replace('"a"', '"\\u0061"') + "\n",
        _BARE.replace(",", ", ") + "\n",
        _BARE.replace("}", ',"link":"/etc"}') + "\n",
        _BARE.replace('"a"', '"b"') + "\n" + _BARE + "\n",
        "[]\n",
    ],
)
def test_a_list_that_is_not_canonical_is_refused(text: str) -> None:
    assert _refusal(text) == "manifest_refused"


def test_a_list_that_is_not_the_one_its_digest_names_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        host_helper.read_manifest(BUILD.text, "0" * 64)

    assert refusal.value.code == "other_digest"


_NAMES = st.text(alphabet=string.ascii_letters + "./-_é\u0301\x07\u202e \\", min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_NAMES, st.sampled_from(["644", "755"]), st.integers(0, 2**31)), min_size=1, max_size=6))
def test_the_host_reads_exactly_the_lists_that_alur_makes(entries: list[tuple[str, Any, int]]) -> None:
    ours = [Entry(path, mode, size, "0" * 64) for path, mode, size in entries]
    try:
        text = Manifest(ours).bytes.decode()
    except ManifestRefused:
        ours.sort(key=lambda entry: entry.path.encode())
        assert _refusal("".join(_line(e.path, mode=e.mode, size=e.size) for e in ours)) == "manifest_refused"
    else:
        read = host_helper.read_manifest(text, Manifest(ours).digest)
        assert b"".join(entry.line() for entry in read).decode() == text


def _line(path: str, *, mode: str = "644", size: int = 1) -> str:
    record = {"mode": mode, "path": path, "sha256": "0" * 64, "size": size}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _refusal(text: str) -> str:
    import hashlib

    with pytest.raises(Refusal) as refusal:
        host_helper.read_manifest(text, hashlib.sha256(text.encode()).hexdigest())
    return refusal.value.code


def test_the_walker_names_the_same_digest_as_the_intake(tmp_path: Path) -> None:
    _unpack(tmp_path)

    assert host_helper.tree_digest(str(tmp_path)) == BUILD.digest


@pytest.mark.parametrize("change", ["byte", "mode", "more", "fewer", "link", "folder_link", "fifo", "setuid"])
def test_the_walker_sees_every_change_to_a_release(tmp_path: Path, change: str) -> None:
    _unpack(tmp_path)
    page = tmp_path / "index.html"
    if change == "byte":
        page.write_bytes(page.read_bytes()[:-1] + b"?")
    elif change == "mode":
        page.chmod(0o755)
    elif change == "more":
        (tmp_path / "gaya/tambahan.css").write_bytes(b"")
        (tmp_path / "gaya/tambahan.css").chmod(0o644)
    elif change == "fewer":
        page.unlink()
    elif change == "link":
        page.unlink()
        page.symlink_to("/etc/passwd")
    elif change == "folder_link":
        (tmp_path / "luar").symlink_to("/etc")
    elif change == "fifo":
        import os

        os.mkfifo(tmp_path / "pipa")
    else:
        page.chmod(0o4755)

    try:
        assert host_helper.tree_digest(str(tmp_path)) != BUILD.digest
    except Refusal as refusal:
        assert refusal.code == "tampered"


def _unpack(folder: Path) -> None:
    for path, content in BUILD.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        (folder / path).chmod(0o755 if path in BUILD.executable else 0o644)


# --- The permit ------------------------------------------------------------------------------------------

# RFC 8032 §7.1: secret key is not needed; public key, message, signature.
_RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
_ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("key", "message", "signature"), _RFC_8032)
def test_the_signatures_of_rfc_8032_are_genuine(key: str, message: str, signature: str) -> None:
    assert host_helper.verified(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))
    assert not host_helper.verified(bytes.fromhex(key), bytes.fromhex(message) + b"x", bytes.fromhex(signature))


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_the_host_agrees_with_the_signer_and_sees_every_flipped_bit(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert host_helper.verified(public, message, signature)
    assert not host_helper.verified(public, message, bytes(flipped))


def test_a_second_form_of_a_genuine_signature_is_not_genuine() -> None:
    key, message, signature = (bytes.fromhex(part) for part in _RFC_8032[1])
    again = int.from_bytes(signature[32:], "little") + _ORDER

    assert not host_helper.verified(key, message, signature[:32] + again.to_bytes(32, "little"))


def test_a_key_of_small_order_signs_nothing() -> None:
    # With the neutral point as key and commitment, a naive verifier takes a zero signature for any message.
    neutral = (1).to_bytes(32, "little")

    assert not host_helper.verified(neutral, b"any message", neutral + bytes(32))


def test_keys_are_read_from_pem_and_several_are_allowed(tmp_path: Path) -> None:
    other = Signer()
    (tmp_path / "permit.pub").write_bytes(SIGNER.pem() + other.pem())

    keys = host_helper.public_keys([str(tmp_path / "permit.pub"), str(tmp_path / "lacking.pub")])

    assert set(keys) == {SIGNER.permit("0" * 64).key, other.permit("0" * 64).key}


# --- The file itself -------------------------------------------------------------------------------------


def test_the_helper_is_one_file_of_the_standard_library_that_python_3_9_reads() -> None:
    tree = ast.parse(Path(host_helper.__file__).read_text(), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert imported <= set(sys.stdlib_module_names)


def test_a2_the_helper_never_uses_a_shell() -> None:
    """A2: programs are fixed and get argument lists."""
    tree = ast.parse(Path(host_helper.__file__).read_text())
    guilty = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.keyword) and node.arg == "shell")
        or (isinstance(node, ast.Attribute) and node.attr in ("system", "popen", "Popen", "eval", "exec"))
        or (isinstance(node, ast.Name) and node.id in ("eval", "exec", "__import__"))
    ]

    assert guilty == []


def test_a_system_user_has_at_most_32_signs_and_no_two_applications_share_one() -> None:
    names = {host_helper.account_name("a" * length) for length in range(2, 32)}

    assert len(names) == 30
    assert max(map(len, names)) <= 32
