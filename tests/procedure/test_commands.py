"""The commands of the staff on a running installation: what waits, the next move of an application, its trace."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alur import demo_site
from alur.caller import Caller, until
from alur.settings import MachineSettings
from alur.walk import Walk
from tests.procedure.installation import ROOT, Installation, installation

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """Return an installation that runs."""
    with installation() as one:
        one.start()
        yield one


@pytest.fixture(scope="module")
def walk(running: Installation) -> Iterator[Walk]:
    """Return a case whose contract is signed, with a hosting and a package: the next move is infrastructure's."""
    one = Walk(MachineSettings(home=running.home, port=running.port), silent=True)
    one.proposal()
    one.programme_and_design()
    one.budget_plan_and_meetings()
    one.planning()
    one.contract()
    one.handover()
    one.hosting()
    one.who("penyedia.ckd").post(
        "/api/builds",
        {"case_number": one.facts["number"]},
        files={"file": ("antrean.tar.gz", demo_site.archive(mended=False), "application/gzip")},
    )
    yield one
    for caller in one.people.values():
        caller.close()


@pytest.fixture(scope="module")
def tokens(running: Installation, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what makes a person's token and keeps it in a file that only its owner reads."""
    folder = tmp_path_factory.mktemp("tokens")
    accounts = json.loads((running.home / "demo-accounts.json").read_text())

    def token_of(username: str) -> Path:
        file = folder / username
        if not file.exists():
            with Caller(running.url, username, accounts[username]) as caller:
                made = caller.post("/api/tokens", {"name": "perintah", "scopes": ["read", "write", "decide"]})
            file.touch(mode=0o600)
            file.write_text(made["token"])
        return file

    return token_of


def run(one: Installation, token: Path | None, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a person, told by the environment alone."""
    return subprocess.run(
        [sys.executable, "-m", "alur", *words],
        cwd=ROOT,
        env=environment(one, token),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def environment(one: Installation, token: Path | None) -> dict[str, str]:
    """Return the environment of a person's commands."""
    return one.environment | {"ALUR_URL": one.url, "ALUR_TOKEN_FILE": str(token or one.home / "no-token")}


def told(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    """Return the lines of JSON that a command wrote."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_a_token_it_says_where_to_get_one(running: Installation, tmp_path: Path) -> None:
    open_to_all = tmp_path / "token"
    open_to_all.write_text("x")
    open_to_all.chmod(0o644)
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("alur_tidak_dikenal")

    lacking, readable, unknown = (run(running, file, "waiting") for file in (None, open_to_all, wrong))

    assert (lacking.returncode, readable.returncode, unknown.returncode) == (3, 3, 3)
    assert "ALUR_TOKEN" in lacking.stderr and "chmod 600" in readable.stderr and "Token tidak dikenal" in unknown.stderr


def test_an_alur_that_is_away_is_named(running: Installation, tokens: Callable[[str], Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alur", "waiting"],
        cwd=ROOT,
        env=environment(running, tokens("staf.infra1")) | {"ALUR_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1 and "tidak menjawab" in done.stderr and "Traceback" not in done.stderr


def test_the_next_moves_of_an_application_are_done_and_told_to_the_end(
    running: Installation, walk: Walk, tokens: Callable[[str], Path]
) -> None:
    edi, eko, code = tokens("staf.infra1"), tokens("koor.infra"), walk.facts["code"]

    asked = run(running, edi, "deploy", code, "--json")
    planned = run(running, edi, "deploy", code, "--follow", "--yes", "--json")
    refused = run(running, edi, "deploy", code, "--follow", "--yes")
    done = run(running, eko, "deploy", code, "--follow", "--yes", "--json")
    again = run(running, eko, "deploy", walk.facts["number"], "--yes", "--json")

    assert asked.returncode == 1 and "--yes" in asked.stderr, asked.stdout + asked.stderr
    assert planned.returncode == 0, planned.stdout + planned.stderr + running.logs()
    plan = next(line for line in told(planned) if line["event"] == "plan")
    assert plan["steps"] and not plan["obstacles"]
    assert told(planned)[-1] | {"words": ""} == told(planned)[-1] | {"event": "end", "status": "planned", "words": ""}
    # Whoever made the plan may not approve it: refused by Alur itself, and told in its words.
    assert refused.returncode == 3 and "Setujui dan pasang" in refused.stderr and plan["steps"][0] in refused.stdout
    assert done.returncode == 0, done.stdout + done.stderr + running.logs()
    lines = [line for line in told(done) if line["event"] == "line"]
    assert {line["state"] for line in lines} >= {"running", "done"}
    assert told(done)[-1]["status"] == "installed" and told(done)[-1]["release"]
    assert "\x1b" not in done.stdout
    assert again.returncode == 0 and told(again)[-1]["event"] == "nothing"


def test_an_interrupt_ends_the_telling_and_not_the_scan(
    running: Installation, walk: Walk, tokens: Callable[[str], Path]
) -> None:
    fajar, code = tokens("staf.keamanan1"), walk.facts["code"]
    until(
        lambda: walk.who("staf.keamanan1").get("/api/security-tests", case_number=walk.facts["number"]),
        bool,
        "the security test being opened",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "alur", "scan", code, "--follow", "--yes"],
        cwd=ROOT,
        env=environment(running, fajar),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline() + process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)

    followed = run(running, fajar, "scan", code, "--follow", "--json")

    assert "dimulai" in said and "Traceback" not in rest
    assert process.returncode == 0 and ("tetap berjalan" in rest or "selesai" in rest), said + rest
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert told(followed)[-1]["event"] in ("end", "nothing")
    status = walk.who("staf.keamanan1").get("/api/security-tests", case_number=walk.facts["number"])[0]["status"]
    assert status == "reviewing"


def test_what_waits_and_the_trace_are_told_in_words_and_as_one_document(
    running: Installation, walk: Walk, tokens: Callable[[str], Path]
) -> None:
    number = walk.facts["number"]

    words = run(running, tokens("spi"), "case", number)
    document = run(running, tokens("spi"), "case", number, "--json")
    unknown = run(running, tokens("spi"), "case", "PRK-0000-9999")
    waiting = run(running, tokens("koor.aplikasi"), "waiting", "--json")

    assert words.returncode == 0 and number in words.stdout and "S01" in words.stdout
    assert re.search(r"\d\d/\d\d/\d{4} \d\d\.\d\d WIB  S01", words.stdout)
    assert json.loads(document.stdout)["number"] == number
    assert unknown.returncode == 1 and unknown.stderr
    assert isinstance(json.loads(waiting.stdout), list)
