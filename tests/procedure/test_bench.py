"""`make bench` can be run: every part is taken once with tiny numbers, and every ratio is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.procedure.installation import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]


def test_the_bench_tells_every_ratio_and_writes_its_paper(tmp_path: Path) -> None:
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
    written = paper.read_text()
    for wanted in ("x bare", "x the tutorial way", "x its JSON twin", "first page", "idle CPU", "PSS"):
        assert wanted in done.stdout, wanted
        assert wanted in written, wanted
