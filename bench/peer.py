"""Another help desk (performance.md, 3): django-helpdesk on the same database server, asked in turn with Alur."""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil

from bench import rows
from bench.ground import ROOT, Asked, Ground, Rounds, running, written
from bench.report import Report

PART = "peer"
NAME = "django-helpdesk"
LOCK = Path(__file__).with_name("peers") / "requirements.lock"
FOLDER = Path(sys.prefix) / "bench-peer"
"""Its environment: not ours, but removed with ours by `make clean`."""
DATABASE = "django_helpdesk"
CREATE = "create >= 10 x django-helpdesk"
LIST = "list of 50 >= 100 x django-helpdesk's"
TELLS_VERSIONS = (
    "import importlib.metadata as m; print(*(m.version(n) for n in ('django-helpdesk', 'Django', 'gunicorn')))"
)
ACCOUNT = "petugas"
QUEUE = """
    INSERT INTO helpdesk_queue (title, slug, allow_public_submission, allow_email_submission, email_box_ssl,
        enable_notifications_on_email_events)
    VALUES ('Gangguan', 'gangguan', true, false, false, false) RETURNING id
"""
TICKETS = """
    INSERT INTO helpdesk_ticket (title, created, modified, submitter_email, status, on_hold, description, priority,
        queue_id, secret_key, assigned_to_id)
    SELECT 'Tidak dapat masuk setelah pembaruan nomor ' || n, now() - interval '3 years' + n * interval '90 seconds',
        now(), 'pelapor@example.test', 4, false, repeat('Uraian gangguan yang dialami pengguna. ', 5), 3, q.id,
        gen_random_uuid()::text, u.id
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, helpdesk_queue AS q, auth_user AS u
"""
NEWEST_FIRST = {"filtering": {}, "filtering_null": {}, "sorting": "created", "sortreverse": True, "search_string": ""}
"""What its staff table asks for: all tickets, the newest first, as our list shows them."""


class InstallError(RuntimeError):
    """The other help desk is not on this machine; the words say why."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 3
    seconds: float = 1.0
    few: int = 1_000
    more: int = 10_000
    many: int = 1_000_000


@dataclass
class Other:
    """The other help desk as it runs, and who is signed in there."""

    ground: Ground
    port: int
    process: psutil.Process
    queue_id: int
    cookie: str
    token: str
    loaded: int = 0

    def fill(self, upto: int) -> None:
        """Bring it to so many loaded tickets."""
        with self.ground.postgres.connect(DATABASE) as connection:
            # The rows are made right: no key needs to look at each of them.
            connection.execute("SET session_replication_role = replica")
            connection.execute(TICKETS, {"first": self.loaded + 1, "last": upto})
            connection.execute("VACUUM ANALYZE helpdesk_ticket")
        self.loaded = upto

    def get(self, name: str, path: str) -> Asked:
        """Return something that its staff read."""
        return self._asked(name, f"GET {path} HTTP/1.1\r\n", b"", 200)

    def create_by_form(self) -> Asked:
        """Return the form for the public, which answers with the address of the new ticket."""
        told = {"queue": self.queue_id, "title": rows.TITLE, "body": rows.BODY, "priority": 3}
        told |= {"submitter_email": "pelapor@example.test", "csrfmiddlewaretoken": self.token}
        head = "POST /tickets/submit/ HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        public = f"{head}Cookie: csrftoken={self.token}\r\n"
        body = urlencode(told).encode()
        return Asked(f"{NAME}: create by form", self.port, written(public, self.port, body), self.process, 302)

    def create_by_rest(self) -> Asked:
        """Return its REST door, which answers with the new ticket."""
        told = {"queue": self.queue_id, "title": rows.TITLE, "description": rows.BODY, "priority": 3}
        body = json.dumps(told | {"submitter_email": "pelapor@example.test"}).encode()
        head = f"POST /api/tickets/ HTTP/1.1\r\nContent-Type: application/json\r\nX-CSRFToken: {self.token}\r\n"
        return self._asked(f"{NAME}: create by REST", head, body, 201)

    def rest_list(self) -> Asked:
        """Return its REST list."""
        return self.get(f"{NAME}: REST list", "/api/tickets/?page_size=50")

    def staff_table(self) -> Asked:
        """Return what the table of its staff loads."""
        query = base64.b64encode(json.dumps(NEWEST_FIRST).encode()).decode()
        return self.get(f"{NAME}: staff table", f"/datatables_ticket_list/{query}?draw=1&start=0&length=50")

    def _asked(self, name: str, head: str, body: bytes, wanted: int) -> Asked:
        return Asked(
            name, self.port, written(f"{head}Cookie: {self.cookie}\r\n", self.port, body), self.process, wanted
        )


def install(folder: Path = FOLDER, *, may_download: bool = True) -> Path:
    """Return the Python of an environment that has it, made from the lock unless it stands there already.

    Raises InstallError when it is not there and may not or cannot be downloaded.
    """
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == lock:
        return python
    if not may_download:
        raise InstallError("it is not installed, and a quick run downloads nothing")
    print(f"  Installing {NAME} in an environment of its own (once)", flush=True)
    try:
        venv.create(folder, clear=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        subprocess.run(
            [*pip, "--require-hashes", "-r", str(LOCK)], check=True, capture_output=True, text=True, timeout=300
        )
    except subprocess.CalledProcessError as failed:
        raise InstallError((failed.stderr.strip().splitlines() or ["pip said nothing"])[-1]) from failed
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise InstallError(str(failed)) from failed
    stamp.write_text(lock)
    return python


@contextmanager
def beside(ground: Ground, report: Report, *, may_download: bool) -> Iterator[Other | None]:
    """Run it beside the installation, empty; None, and the goals told as not measured, where it is not installed."""
    try:
        python = install(may_download=may_download)
    except InstallError as reason:
        report.goal(PART, CREATE, "-", peer=f"not installed: {reason}")
        report.goal(PART, LIST, "-", peer=f"not installed: {reason}")
        yield None
        return
    told = subprocess.run([python, "-c", TELLS_VERSIONS], check=True, capture_output=True, text=True).stdout.split()
    report.versions |= dict(zip((NAME, "Django", "gunicorn"), told, strict=True))
    word = secrets.token_hex(16)
    environment = {
        "BENCH_DATABASE_URL": ground.postgres.make_database(DATABASE),
        "BENCH_KEY": secrets.token_hex(32),
        "DJANGO_SETTINGS_MODULE": "bench.peers.django_settings",
        "DJANGO_SUPERUSER_PASSWORD": word,
    }
    print(f"  Making the tables of {NAME}", flush=True)
    _manage(python, environment, "migrate", "--verbosity", "0")
    _manage(python, environment, "createsuperuser", "--noinput", "--username", ACCOUNT, "--email", "a@example.test")
    with ground.postgres.connect(DATABASE) as connection:
        (queue_id,) = connection.execute(QUEUE).fetchone() or (0,)
    server = [str(python), "-m", "gunicorn", "--workers", "1", "--threads", "8", "--keep-alive", "75"]
    quiet = ["--no-control-socket", "--log-level", "warning", "django.core.wsgi:get_wsgi_application()"]
    with running(lambda port: [*server, "--bind", f"127.0.0.1:{port}", *quiet], environment=environment) as served:
        port, process = served
        cookie, token = _sign_in(port, word)
        yield Other(ground, port, process, int(str(queue_id)), cookie, token)


def _manage(python: Path, environment: Mapping[str, str], *words: str) -> None:
    told = dict(os.environ) | dict(environment)
    subprocess.run([python, "-m", "django", *words], cwd=ROOT, env=told, check=True, stdout=subprocess.DEVNULL)


def _sign_in(port: int, word: str) -> tuple[str, str]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        client.get("/login/").raise_for_status()
        form = {"username": ACCOUNT, "password": word, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        answer = client.post("/login/", data=form)
        if answer.status_code != 302:
            raise RuntimeError(f"{NAME} let nobody in: {answer.status_code}")
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items()), client.cookies["csrftoken"]


def measure_few(other: Other, report: Report, size: Size) -> None:
    """Take what is measured at few tickets, before the many are loaded: creating, one, and its REST list."""
    ground = other.ground
    code = rows.prepare(ground.postgres, few=size.few)
    other.fill(size.few)
    # Read before anything is created: both hold the same number of tickets.
    ticket_id = rows.ticket_id(ground.postgres)
    read = ground.measure(
        [
            ground.get("list of 50", "/api/tickets"),
            other.rest_list(),
            other.staff_table(),
            ground.get("one", f"/api/tickets/{ticket_id}"),
            other.get(f"{NAME}: REST one", "/api/tickets/500/"),
        ],
        rounds=size.rounds,
        seconds=size.seconds / 2,
        connections=1,
    )
    create = ground.post("create", "/api/tickets", {"application": code, "title": rows.TITLE, "body": rows.BODY})
    made = ground.measure(
        [create, other.create_by_form(), other.create_by_rest()], rounds=size.rounds, seconds=size.seconds
    )
    faster = max((found for name, found in made.items() if name != "create"), key=lambda found: found.rate)
    ratio = made["create"].rate / faster.rate
    report.goal(
        PART,
        CREATE,
        f"{ratio:.1f} x ({faster.cpu_ms / made['create'].cpu_ms:.1f} x by CPU): {made['create'].told()}",
        peer=f"its faster way: {faster.told()}",
        holds=ratio >= 10,
    )
    other.fill(size.more)
    more = ground.measure([other.rest_list()], rounds=1, seconds=0, connections=1)
    _table(report, f"Alur and {NAME} at {size.few:,} tickets, one connection", read)
    _table(report, f"Creating a ticket in Alur and in {NAME}, 8 connections", made)
    slow = more[other.rest_list().name].p50
    report.note(
        f"The REST list of {NAME} loads every ticket before it shows 50: it took {slow:,.0f} ms at {size.more:,} "
        f"tickets and was not asked at {size.many:,}; its staff table was."
    )


def measure_many(other: Other, report: Report, size: Size) -> None:
    """Take what is measured at many tickets: our list beside its staff table, which is asked few times."""
    began = time.monotonic()
    rows.fill(other.ground.postgres, upto=size.many, with_words=False)
    other.fill(size.many)
    print(f"  {size.many:,} tickets each, loaded in {time.monotonic() - began:.0f} s", flush=True)
    found = other.ground.measure(
        [other.ground.get("list of 50", "/api/tickets"), other.staff_table()],
        rounds=min(size.rounds, 2),
        seconds=size.seconds,
        connections=1,
    )
    ours, theirs = found["list of 50"], found[other.staff_table().name]
    ratio = theirs.p50 / ours.p50
    report.goal(
        PART,
        f"{LIST} at {size.many:,} tickets",
        f"{ratio:,.0f} x: {ours.p50:.1f} ms",
        peer=f"its staff table: {theirs.p50:,.0f} ms",
        holds=ratio >= 100,
    )
    _table(report, f"Alur and {NAME} at {size.many:,} tickets, one connection", found)


def _table(report: Report, title: str, found: Mapping[str, Rounds]) -> None:
    told = [[name, f"{f.rate:,.1f}", f"{f.p50:,.1f}", f"{f.p99:,.1f}", f"{f.cpu_ms:,.2f}"] for name, f in found.items()]
    report.table(title, ["", "answers/s", "p50 ms", "p99 ms", "CPU ms each"], told)
