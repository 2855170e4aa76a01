"""Bandit, the real one: it counts only when it has seen everything, and nothing of the build ever runs."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.security.scanners import ScanResult
from services.security.scanners.bandit import BanditScanner, CodeTarget, judge_report, take_inventory
from services.security.verdict import Policy, Severity, standing_policy
from shared.manifest import Entry, Manifest
from shared.store import Store

BAD = b"import subprocess\n\n\ndef run(name):\n    subprocess.call(name, shell=True)\n"
GOOD = b"def add(a, b):\n    return a + b\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def build(store: Store, files: dict[str, bytes]) -> CodeTarget:
    entries = [Entry(path, "644", len(content), store.put(content)) for path, content in files.items()]
    return CodeTarget(Manifest(entries), store)


def scan(store: Store, files: dict[str, bytes], **rules: Any) -> ScanResult:
    return BanditScanner(policy(**rules)).scan(build(store, files))


def policy(**rules: Any) -> Policy:
    standing = standing_policy()
    return standing.model_copy(update={"engines": {"bandit": {**standing.engines["bandit"], **rules}}})


def rules_found(result: ScanResult) -> set[tuple[str, str]]:
    return {(finding.rule, finding.where) for finding in result.findings}


def test_a_clean_build_gives_a_complete_scan_without_findings(store: Store) -> None:
    target = build(store, {"app/main.py": GOOD, "index.php": b"<?php echo 1;"})

    result = BanditScanner().scan(target)

    assert result.problems == ()
    assert result.complete
    assert result.findings == ()
    assert result.scanned_files == ("app/main.py",)
    assert result.version == "1.9.4"
    assert result.digest == target.manifest.digest
    assert result.policy_digest == standing_policy().engine_digest("bandit")
    assert result.isolation in ("namespaces", "limits")


def test_a_build_without_python_is_complete_because_the_canary_sang(store: Store) -> None:
    result = scan(store, {"index.html": b"<h1>halo</h1>"})

    assert result.complete
    assert result.scanned_files == ()


def test_a_finding_speaks_to_leaders_and_to_those_who_mend_it(store: Store) -> None:
    result = scan(store, {"app/main.py": BAD})

    finding = next(one for one in result.findings if one.rule == "B602")
    assert finding.severity is Severity.HIGH
    assert finding.where == "app/main.py:5"
    assert finding.control == "K22"
    assert finding.cwe == "CWE-78"
    assert finding.evidence == "subprocess.call(name, shell=True)"
    assert "server" in finding.risk
    assert finding.recommendation


def test_a_fingerprint_stays_when_lines_move_and_differs_for_equal_lines(store: Store) -> None:
    before = {one.fingerprint for one in scan(store, {"a.py": BAD}).findings}
    moved = {one.fingerprint for one in scan(store, {"a.py": b"# moved\n\n" + BAD}).findings}
    twice = scan(store, {"a.py": BAD + b"    subprocess.call(name, shell=True)\n"}).findings

    assert moved == before
    assert len({one.fingerprint for one in twice}) == len(twice) == len(before) + 1


def test_a10_a_password_in_the_code_is_not_repeated_in_the_finding(store: Store) -> None:
    result = scan(store, {"a.py": b"password = 'Rahasia123!'\n"})

    assert ("B105", "a.py:1") in rules_found(result)
    assert "Rahasia123" not in result.model_dump_json()


@pytest.mark.parametrize(
    "content",
    [
        b"def broken(:\n",
        b"print 'python dua'\n",
        b"x = 1\0\n",
        b"# -*- coding: klingon -*-\nx = 1\n",
        b"x = '\xff\xfe'\n",
        "x = 1\n".encode("utf-16"),
        b"(" * 500 + b")" * 500,
        b"x = " + b"-" * 20_000 + b"1\n",
        b"#!/usr/bin/env python3\nPK\x03\x04\0\0polyglot",
    ],
    ids=["syntax", "python2", "nul", "encoding", "utf8", "utf16", "nested", "deep", "polyglot"],
)
def test_g6_a_file_that_bandit_cannot_parse_makes_the_scan_incomplete(store: Store, content: bytes) -> None:
    result = scan(store, {"app/main.py": BAD, "app/rusak.py": content})

    assert not result.complete
    assert any("app/rusak.py" in problem for problem in result.problems)
    assert "app/rusak.py" in result.scanned_files


def test_g6_findings_stay_when_the_scan_is_incomplete(store: Store) -> None:
    result = scan(store, {"a.py": BAD, "b.py": b"def broken(:\n"})

    assert not result.complete
    assert ("B602", "a.py:5") in rules_found(result)


def test_g6_a_scan_that_runs_out_of_time_is_incomplete_and_leaves_no_process(store: Store) -> None:
    before = set(psutil.Process().children(recursive=True))

    result = scan(store, {"a.py": GOOD}, seconds=0.05)

    assert not result.complete
    assert any("detik" in problem for problem in result.problems)
    assert not set(psutil.Process().children(recursive=True)) - before


def test_g14_a_scan_that_eats_memory_is_contained(store: Store) -> None:
    result = scan(store, {"a.py": b"x = [" + b"1," * 3_000_000 + b"]\n"}, memory_mb=128, seconds=60)

    assert not result.complete


def test_g7_without_the_canary_the_scan_is_incomplete(store: Store) -> None:
    result = scan(store, {"a.py": GOOD}, skips=["B602"])

    assert not result.complete
    assert any("penanda" in problem for problem in result.problems)


def test_g7_another_version_of_the_tool_makes_the_scan_incomplete(store: Store) -> None:
    result = scan(store, {"a.py": GOOD}, version="1.0.0")

    assert not result.complete
    assert any("1.0.0" in problem for problem in result.problems)


SUPPRESSIONS = {
    ".bandit": b"[bandit]\nskips = B602,B404\nexclude = app\ntargets = kosong\n",
    "app/.bandit": b"[bandit]\nskips = B602\n",
    "setup.cfg": b"[bandit]\nskips = B602\n",
    "tox.ini": b"[bandit]\nskips = B602\n",
    "pyproject.toml": b"[tool.bandit]\nskips = ['B602']\nexclude_dirs = ['app']\n",
    "bandit.yaml": b"skips: [B602]\nexclude_dirs: [app]\n",
}


def test_g8_suppressions_inside_the_build_have_no_effect(store: Store) -> None:
    marked = BAD.replace(b"shell=True)", b"shell=True)  # nosec B602")
    blanket = BAD.replace(b"shell=True)", b"shell=True)  # nosec")

    result = scan(store, {**SUPPRESSIONS, "app/a.py": marked, "app/b.py": blanket})

    assert result.problems == ()
    assert {("B602", "app/a.py:5"), ("B602", "app/b.py:5")} <= rules_found(result)


def test_g8_no_folder_or_name_hides_a_file(store: Store) -> None:
    hidden = [".git/hooks/a.py", "CVS/b.py", ".tox/c.py", "x.egg/d.py", "__pycache__/e.py", "tests/f.py"]
    odd = ["-r.py", "--help.py", "a,b.py", "[x].py", "spasi di nama.py", "*.py", "é.py", "src/000000.py"]

    result = scan(store, {path: BAD for path in hidden + odd})  # noqa: C420

    assert result.problems == ()
    assert {path for rule, path in rules_found(result) if rule == "B602"} == {f"{path}:5" for path in hidden + odd}


def test_g9_nothing_of_the_build_is_ever_run(store: Store, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    evil = f"import pathlib\npathlib.Path({str(marker)!r}).write_text('ran')\n".encode()
    shadows = [
        "ast.py",
        "yaml/__init__.py",
        "bandit/__init__.py",
        "bandit/__main__.py",
        "rich.py",
        "stevedore.py",
    ]
    runners = [
        "setup.py",
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "__init__.py",
        "__main__.py",
    ]
    entry_points = b"[bandit.plugins]\nevil = evil:check\n"

    result = scan(
        store,
        {
            **{path: evil for path in shadows + runners},  # noqa: C420
            "evil.py": evil,
            "evil-1.dist-info/entry_points.txt": entry_points,
            "x.pth": f"import pathlib; pathlib.Path({str(marker)!r}).write_text('ran')\n".encode(),
            "tampak": b"import os\n" + evil,
        },
    )

    assert result.problems == ()
    assert {"evil.py", "x.pth", "tampak", *shadows, *runners} == set(result.scanned_files)
    assert not marker.exists()


def test_g13_python_under_odd_names_is_inventoried(store: Store) -> None:
    files = {
        "a.PY": BAD,
        "b.pyw": BAD,
        "c": b"#!/usr/bin/env python3\n" + BAD,
        "d.cgi": b"#! /usr/bin/python3.11 -u\n" + BAD,
        "e.wsgi": BAD,
        "f.txt": BAD,
        "g.gambar": BAD,
        "h.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0import subprocess\n",
        "i.php": b"<?php\nclass A:\nimport subprocess\n",
        "catatan": b"import barang dari gudang\nclass rapat:\n",
        "README.txt": b"Halo,\n\nimport data\n\nselesai.\n",
        "sh": b"#!/bin/sh\necho halo\n",
    }

    result = scan(store, files)

    assert result.problems == ()
    assert result.scanned_files == ("a.PY", "b.pyw", "c", "d.cgi", "e.wsgi", "f.txt", "g.gambar")
    assert {path.partition(":")[0] for rule, path in rules_found(result) if rule == "B602"} == set(result.scanned_files)


def test_g13_compiled_python_is_a_grave_finding(store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", "print(1)")
    header = bytes.fromhex("a70d0d0a") + bytes(12)

    result = scan(
        store,
        {
            "__pycache__/a.cpython-311.pyc": header + b"code",
            "gambar.dat": header + b"code",
            "app.pyz": (tmp_path / "app.pyz").read_bytes(),
        },
    )

    assert result.complete
    assert {finding.where for finding in result.findings} == {
        "__pycache__/a.cpython-311.pyc",
        "gambar.dat",
        "app.pyz",
    }
    assert {finding.severity for finding in result.findings} == {Severity.HIGH}


def test_g3_a_file_swapped_in_the_store_makes_the_scan_incomplete(store: Store) -> None:
    target = build(store, {"a.py": GOOD, "b.txt": b"catatan"})
    swapped = store.path(hashlib.sha256(b"catatan").hexdigest())
    swapped.chmod(0o644)
    swapped.write_bytes(BAD)

    result = BanditScanner().scan(target)

    assert not result.complete
    assert any("telah berubah" in problem for problem in result.problems)


@pytest.mark.timeout(20)
def test_a_look_alike_bomb_of_blanks_does_not_hold_up_the_inventory(store: Store) -> None:
    target = build(store, {"a": b"\n" * 65_000, "b": b" " * 65_000})

    inventory = take_inventory(target)

    assert inventory.python == []


def test_the_work_folder_is_gone_afterwards(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "work"))

    scan(store, {"a.py": BAD, "tampak": BAD})

    assert list((tmp_path / "work").iterdir()) == []


# --- the judge of reports, on reports that a broken tool might give ---

SOUND: dict[str, Any] = {
    "errors": [],
    "generated_at": "2026-11-22T08:00:00Z",
    "metrics": {
        "_totals": {"loc": 5},
        "../src/000000.py": {"loc": 3, "nosec": 0, "SEVERITY.HIGH": 1, "SEVERITY.MEDIUM": 1},
        "../src/000001.py": {"loc": 2, "nosec": 0},
    },
    "results": [
        {
            "filename": "../src/000000.py",
            "line_number": line,
            "line_range": [line],
            "test_id": rule,
            "test_name": "x",
            "issue_severity": "HIGH",
            "issue_confidence": "HIGH",
            "issue_text": "x",
            "issue_cwe": {"id": 78, "link": "x"},
            "more_info": "https://bandit.readthedocs.io/en/1.9.4/x",
        }
        for rule, line in (("B102", 2), ("B602", 3))
    ],
}
FILES = {"../src/000001.py": "app.py"}


def judged(report: Any, log: bytes = b"", version: str = "1.9.4") -> list[str]:
    text = report if isinstance(report, bytes) else json.dumps(report).encode()
    return judge_report(text, log, files=FILES, version=version)[0]


def changed(change: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(SOUND))
    change(copy)
    return copy


def test_a_sound_report_has_no_faults() -> None:
    assert judged(SOUND) == []


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[]", b"{}", json.dumps(SOUND).encode()[:-1]])
def test_g6_a_truncated_or_invalid_report_is_no_report(text: bytes) -> None:
    assert judged(text) == ["Laporan bandit tidak ada, terpotong, atau tidak sah."]


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report["errors"].append({"filename": "../src/000001.py", "reason": "x"}),
        lambda report: report["metrics"].pop("../src/000001.py"),
        lambda report: report["metrics"].update({"../src/000002.py": {"loc": 1}}),
        lambda report: report["metrics"]["../src/000001.py"].update({"nosec": 1}),
        lambda report: report["metrics"]["../src/000001.py"].update({"SEVERITY.HIGH": 1}),
        lambda report: report["results"].pop(),
        lambda report: report["results"][0].update({"line_number": 1}),
        lambda report: report.update({"results": []}),
        lambda report: report["results"][0].update({"line_number": "2"}),
        lambda report: report.pop("metrics"),
    ],
)
def test_g6_a_report_that_does_not_add_up_is_not_believed(change: Any) -> None:
    assert judged(changed(change)) != []


def test_g6_a_broken_rule_in_the_log_makes_the_scan_incomplete() -> None:
    assert judged(SOUND, b"[tester]\tERROR\tBandit internal error running: x on file y") != []
    assert judged(SOUND, b"w" * (1 << 20)) != []
    assert judged(SOUND, b"[manager]\tWARNING\tinvalid escape sequence") == []


def test_g7_a_report_of_another_version_is_not_believed() -> None:
    assert judged(SOUND, version="1.9.5") != []
