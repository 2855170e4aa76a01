"""`make bench` can be run: every part is taken once with tiny numbers, and every goal is told."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench import peer
from bench.ground import Asked, drive, written
from bench.reasons import REASONS, UNKNOWN
from bench.report import Report
from tests.procedure.installation import ROOT

GOAL = r"^\| ([a-z ]+) \| ([^|]+) \| ([^|]+) \| [^|]* \| (?:yes|\*\*no\*\*|not measured) \|$"
PARTS = ("standing", "pages", "peer", "web door", "cases")


@pytest.mark.live
@pytest.mark.timeout(400)
def test_every_part_of_the_bench_runs_and_writes_its_goals(tmp_path: Path) -> None:
    paper = tmp_path / "performance.md"

    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--paper", str(paper)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    goals = re.findall(GOAL, paper.read_text(), re.MULTILINE)
    assert {part for part, _, _ in goals} == set(PARTS)
    for part, wanted, measured in goals:
        assert f"{part}: {wanted}: {measured}" in done.stdout
    assert {key for key in REASONS if not any(key[0] == g[0] and g[1].startswith(key[1]) for g in goals)} == set()


def test_the_paper_counts_the_goals_and_says_why_one_was_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.reasons.REASONS", {("pages", "a page"): "It shows more."})
    report = Report()
    report.goal("pages", "a page <= 1 x", "2 x", holds=False)
    report.goal("pages", "a list <= 1 x", "3 x", holds=False)
    report.goal("web door", "one >= 1 x", "1 x", holds=True)
    report.goal("peer", "create >= 1 x", "-")

    report.write(tmp_path / "paper.md")

    written_down = (tmp_path / "paper.md").read_text()
    assert "1 of 4 goals hold, 2 were missed; 1 could not be measured." in written_down
    assert "- **pages: a page <= 1 x** (2 x). It shows more." in written_down
    assert f"- **pages: a list <= 1 x** (3 x). {UNKNOWN}" in written_down
    assert "| peer | create >= 1 x | - |  | not measured |" in written_down


def test_without_a_network_the_other_help_desk_is_named_as_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(peer.InstallError, match="No matching distribution"):
        peer.install(tmp_path / "peer")
    with pytest.raises(peer.InstallError, match="a quick run downloads nothing"):
        peer.install(tmp_path / "peer", may_download=False)


@pytest.fixture
def answers() -> Iterator[list[bytes]]:
    """Return what a server on this machine answers to whoever asks, after its port in the first place."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        told.append(str(server.getsockname()[1]).encode())

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                while connection.recv(10_000):
                    connection.sendall(told[1])

        thread = threading.Thread(target=answer)
        thread.start()
        yield told
        thread.join(10)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"HTTP/1.1 500 Wrong\r\nContent-Length: 2\r\n\r\nno", "500"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"),
    ],
)
def test_an_answer_that_was_not_wanted_or_whose_end_is_unknown_gives_no_figure(
    answers: list[bytes], told: bytes, status: str
) -> None:
    answers.append(told)
    port = int(answers[0])
    asked = Asked("something", port, written("GET / HTTP/1.1\r\n", port), psutil.Process())

    with pytest.raises(RuntimeError, match=f"something answered {{'{status}': 3}} instead of 200"):
        drive(asked, seconds=0, count=3, connections=1)
