"""Where figures are taken: a whole installation of its own, peers beside it, and who asks them how often."""

import atexit
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from alur.embedded import Postgres
from alur.settings import free_port
from shared.keys import SERVICES
from tests.procedure.installation import Installation

ROOT = Path(__file__).parents[1]
DRIVER = Path(__file__).with_name("driver.py")
READY_WITHIN = 120.0
AT_FULL_SPEED = {f"ALUR_GATEWAY_RATE_{kind}": "100000000" for kind in ("READ", "WRITE", "UPLOAD", "ANONYMOUS")}
"""Settings of an installation that is measured: nobody is asked to slow down."""
TOO_BUSY = 0.8
"""Share of a core above which the driver itself may have been the limit."""
TICK = 1 / os.sysconf("SC_CLK_TCK")
"""The least CPU time that the system tells; a round that took less is counted as this much."""
OPEN_LETTERS = "SELECT count(*) FROM msg.outbox WHERE acked_at IS NULL AND dead_at IS NULL"


@dataclass(frozen=True)
class Asked:
    """What is asked again and again: a server's process, and the bytes that are sent to it."""

    name: str
    port: int
    request: str
    process: psutil.Process
    wanted: int = 200
    has_letters: bool = False
    """Whether letters follow what is asked: what is asked next waits until they have arrived."""


@dataclass
class Rounds:
    """What came of several rounds of one thing asked."""

    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    size: int = 0
    busiest_driver: float = 0.0

    @property
    def rate(self) -> float:
        """Return answers for each second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def p50(self) -> float:
        """Return the median of all answers in milliseconds."""
        return statistics.median(self.times) * 1000

    @property
    def p99(self) -> float:
        """Return what 99 of 100 answers were quicker than, in milliseconds."""
        return (statistics.quantiles(self.times, n=100)[98] if len(self.times) > 1 else self.times[0]) * 1000

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of CPU (web process and database) for each answer, the median of the rounds."""
        return statistics.median(self.cpu) * 1000

    def told(self) -> str:
        """Say rate, times and CPU in one line."""
        return f"{self.rate:,.0f}/s ({self.p50:.1f}/{self.p99:.1f} ms, CPU {self.cpu_ms:.2f} ms)"


@dataclass
class Ground:
    """A running installation, and the peers beside it."""

    installation: Installation
    cookie: str = ""
    form_token: str = ""

    @property
    def postgres(self) -> Postgres:
        """Return the installation's database server."""
        return Postgres(self.installation.home / "postgres")

    @property
    def version(self) -> str:
        """Return the version of the database server."""
        with self.postgres.connect() as connection:
            (told,) = connection.execute("SHOW server_version").fetchone() or ("",)
        return str(told)

    @property
    def web(self) -> psutil.Process:
        """Return the installation's web process."""
        return self.installation.part("web")

    def sign_in(self, username: str) -> None:
        """Sign a demo account in; what `get` and `post` ask is asked by them."""
        word = json.loads((self.installation.home / "demo-accounts.json").read_text())[username]
        answer = httpx.post(
            f"{self.installation.url}/api/session", json={"username": username, "password": word}, timeout=30
        )
        answer.raise_for_status()
        self.cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        self.form_token = answer.json()["form_token"]

    def read(self, path: str) -> httpx.Response:
        """Ask once, as the one who is signed in."""
        headers = {"cookie": self.cookie, "accept": "text/html" if not path.startswith("/api") else "application/json"}
        return httpx.get(f"{self.installation.url}{path}", headers=headers, timeout=30)

    def get(self, name: str, path: str) -> Asked:
        """Return a page or list that the one who is signed in reads again and again."""
        accept = "application/json" if path.startswith("/api") else "text/html"
        return self._asked(name, f"GET {path} HTTP/1.1\r\nAccept: {accept}\r\n", b"", 200)

    def post(self, name: str, path: str, body: Mapping[str, Any]) -> Asked:
        """Return something that the one who is signed in makes again and again."""
        text = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nX-Form-Token: {self.form_token}\r\n"
        return replace(self._asked(name, head, text, 201), has_letters=True)

    def _asked(self, name: str, head: str, body: bytes, wanted: int) -> Asked:
        port = self.installation.port
        request = written(f"{head}Cookie: {self.cookie}\r\n", port, body)
        return Asked(name, port, request, self.web, wanted)

    def measure(
        self, asked: Sequence[Asked], *, rounds: int, seconds: float = 0, count: int = 0, connections: int = 8
    ) -> dict[str, Rounds]:
        """Ask each in turn, round by round (A B C A B C …); return what came of each by its name."""
        found = {one.name: Rounds() for one in asked}
        for number in range(rounds + 1):
            for one in asked:
                _progress(f"round {number} of {rounds}: {one.name}" if number else f"warming up: {one.name}")
                before = _cpu(one.process) + self._database_cpu()
                told = drive(one, seconds=seconds, count=count, connections=connections)
                spent = _cpu(one.process) + self._database_cpu() - before
                if one.has_letters:
                    self.calm()
                if number == 0:
                    # Caches fill and connections open: the first round is for that.
                    continue
                kept = found[one.name]
                answers = len(told["times"])
                kept.rates.append(answers / told["wall"])
                kept.times += told["times"]
                kept.cpu.append(max(spent, TICK) / answers)
                kept.size = told["size"]
                kept.busiest_driver = max(kept.busiest_driver, told["driver_share"])
        _progress("")
        return found

    def calm(self, within: float = 120) -> None:
        """Return when every letter has arrived: what was made before must not disturb what is measured next."""
        until = time.monotonic() + within
        for service in SERVICES:
            with self.postgres.connect(service) as connection:
                while (connection.execute(OPEN_LETTERS).fetchone() or (0,))[0]:
                    if time.monotonic() > until:
                        raise RuntimeError(f"letters of {service} are still under way after {within:.0f} s")
                    time.sleep(0.1)

    def _database_cpu(self) -> float:
        pid = self.postgres.pid
        return _cpu(psutil.Process(pid)) if pid else 0.0


def written(head: str, port: int, body: bytes = b"") -> str:
    """Return a whole request as it is sent."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{head}Host: 127.0.0.1:{port}\r\n{length}\r\n" + body.decode("latin-1")


def drive(asked: Asked, *, seconds: float, count: int, connections: int) -> dict[str, Any]:
    """Let the driver ask; return what it tells. Raise RuntimeError when an answer was not the one wanted."""
    told = {"port": asked.port, "request": asked.request, "connections": connections}
    told |= {"count": count} if count else {"seconds": seconds}
    driver = _driver()
    assert driver.stdin is not None and driver.stdout is not None
    print(json.dumps(told), file=driver.stdin, flush=True)
    line = driver.stdout.readline()
    if not line:
        raise RuntimeError(f"{asked.name} did not answer; the driver ended with {driver.wait()}")
    answer: dict[str, Any] = json.loads(line)
    if set(answer["statuses"]) != {str(asked.wanted)}:
        raise RuntimeError(f"{asked.name} answered {answer['statuses']} instead of {asked.wanted}")
    return answer


@cache
def _driver() -> "subprocess.Popen[str]":
    """Start the driver; it ends when we do."""
    driver = subprocess.Popen([sys.executable, str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(driver.communicate)
    return driver


def _cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and its children so far, also of those that have ended."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        # What ended and was waited for stands with its parent: the database's parallel workers live for one query.
        total += times.user + times.system + times.children_user + times.children_system
    return total


@contextmanager
def serving(target: str, *, environment: Mapping[str, str] | None = None) -> Iterator[tuple[int, psutil.Process]]:
    """Serve an application with the same server and settings as Alur; yields its port and process."""
    command = [sys.executable, "-m", "uvicorn", target, "--no-access-log", "--log-level", "warning", "--port"]
    with running(lambda port: [*command, str(port)], environment=environment) as served:
        yield served


@contextmanager
def running(
    command: Callable[[int], Sequence[str]], *, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, psutil.Process]]:
    """Run the command of a server on a free port; yields its port and process."""
    port = free_port()
    process = subprocess.Popen(command(port), cwd=ROOT, env=dict(os.environ) | dict(environment or {}))
    try:
        await_port(port, process)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when somebody listens on a port; raise RuntimeError when that does not happen."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended at its start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nobody listens on port {port}")


def await_page(url: str, within: float = READY_WITHIN) -> None:
    """Return when a page is answered; raise RuntimeError when that does not happen."""
    until = time.monotonic() + within
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        try:
            with opener.open(url, timeout=5) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer")


def _progress(words: str) -> None:
    """Say on a terminal, in one line that is written over, how far it is."""
    if sys.stdout.isatty():
        print("\r\033[K" + (f"  … {words}" if words else ""), end="", flush=True)
