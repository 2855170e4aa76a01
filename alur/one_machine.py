"""One machine: embedded PostgreSQL and Valkey, one web and one worker process, supervised and cleanly stopped."""

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from alur.embedded import NotStarted, Postgres, Valkey
from alur.embedded import _end_with_parent as end_with_parent
from alur.settings import MachineSettings
from shared import keys
from shared.keys import SERVICES

ROOT = Path(__file__).parents[1]
READY_WITHIN = 90.0
STOP_WITHIN = 35.0
PAUSES = (0.2, 1, 2, 5, 10)
"""Seconds before a part that died is started again, by how often it died lately."""

Say = Callable[[str], None]


@dataclass
class Part:
    """One process that the supervisor keeps alive."""

    name: str
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: list[float] = field(default_factory=list)
    not_before: float = 0.0


class Machine:
    """Everything that one installation runs on one machine."""

    def __init__(self, settings: MachineSettings, *, say: Say) -> None:
        self.settings = settings
        self.home = settings.folder
        self.say = say
        self.postgres = Postgres(self.home / "postgres")
        self.valkey = Valkey(self.home / "valkey")
        self.stopping = threading.Event()
        self._parts: list[Part] = []
        self._urls: dict[str, str] = {}

    def run(self) -> None:
        """Start everything, say when it is ready, keep it alive until a signal, stop it cleanly.

        Raise NotStarted, in words, when this machine lacks something.
        """
        self._check_home()
        with self._only_one():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stopping.set())
            began = time.monotonic()
            try:
                self._prepare()
                self._await_ready(READY_WITHIN)
                self._tell(time.monotonic() - began)
                self._watch()
            finally:
                self._stop()

    def _check_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o755)
            probe = self.home / ".writable"
            probe.write_text("")
            probe.unlink()
        except OSError as reason:
            raise NotStarted(
                f"Folder {self.home} tidak dapat ditulisi ({reason.strerror}). "
                "Beri hak tulis, atau pilih folder lain dengan ALUR_HOME=/folder/lain."
            ) from reason

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        with (self.home / "alur.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as reason:
                lock.seek(0)
                told = lock.read().strip() or "tidak diketahui"
                raise NotStarted(
                    f"Alur sudah berjalan untuk folder {self.home} (proses {told}). "
                    "Buka alamatnya di peramban, atau hentikan dahulu dengan Ctrl-C di terminalnya."
                ) from reason
            lock.truncate(0)
            lock.write(f"{os.getpid()}, {self.settings.url}")
            lock.flush()
            _end_what_was_left(self.home)
            self._check_port()
            yield
            lock.truncate(0)

    def _check_port(self) -> None:
        family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.settings.host, self.settings.port))
            except OSError as reason:
                raise NotStarted(
                    f"Alamat {self.settings.host}:{self.settings.port} tidak dapat dipakai ({reason.strerror}). "
                    "Pilih port lain, misalnya: ALUR_PORT=8001 make up."
                ) from reason

    def _prepare(self) -> None:
        keys.make_keys(self.settings.keys_folder)
        keys.make_ssh_key(self.settings.keys_folder)
        if not (self.settings.keys_folder / "permit.key").exists():
            from shared import permit  # here, because only the first start makes the key

            permit.new_key_pair(self.settings.keys_folder)
        self.settings.files_folder.mkdir(exist_ok=True)
        with ThreadPoolExecutor() as pool:
            broker = pool.submit(self.valkey.start)
            self.postgres.start()
            self._make_databases()
            broker.result()
        environment = os.environ | self.settings.environment(database_urls=self._urls, broker_url=self.valkey.url)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(environment)
        python = [sys.executable, "-m"]
        uvicorn = [
            *(*python, "uvicorn", "alur.parts:one_web", "--factory", "--no-access-log", "--no-server-header"),
            *("--host", self.settings.host, "--port", str(self.settings.port), "--log-level", "warning"),
            *("--timeout-graceful-shutdown", "10", "--no-proxy-headers"),
        ]
        self._parts.append(Part("web", uvicorn))
        self._parts.append(Part("worker", [*python, "alur", "work", "--concurrency", str(self.settings.workers)]))
        if self.settings.demo:
            from alur import demo  # here, because only the demo campus needs it

            self._parts.append(Part("practice", [*python, "alur.practice", *demo.practice_arguments(self.settings)]))
        for part in self._parts:
            self._start(part)
        if self.settings.demo:
            demo.load_campus(self.settings, self._urls, say=self.say)

    def _make_databases(self) -> None:
        """Make a database and a login role for each service and bring it to the newest tables.

        What was done is noted with a digest of the revisions, so that a later start asks nothing.
        """
        noted = self.home / "databases.json"
        state = {service: fingerprint(_revisions(service)) for service in SERVICES}
        done = json.loads(noted.read_text()) if noted.exists() else {}
        for service in SERVICES:
            if done.get(service) == state[service]:
                self._urls[service] = self.postgres.url(service)
                continue
            from shared.migrate import migrate  # here: a start that has nothing to migrate is faster without it

            self._urls[service] = self.postgres.make_database(service)
            migrate(self._urls[service], service=service)
        if done != state:
            part = noted.with_suffix(".part")
            part.write_text(json.dumps(state))
            part.rename(noted)

    def _start(self, part: Part) -> None:
        with _log(self.home, part.name) as log:
            part.process = subprocess.Popen(
                part.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
        (self.home / "run").mkdir(exist_ok=True)
        (self.home / "run" / f"{part.name}.pid").write_text(str(part.process.pid))

    def _await_ready(self, within: float) -> None:
        deadline = time.monotonic() + within
        while not self.stopping.is_set():
            if _answers(self.settings.url):
                return
            for part in self._parts:
                if part.process is not None and part.process.poll() is not None:
                    raise NotStarted(
                        f"Bagian “{part.name}” berhenti saat dinyalakan. "
                        f"Baca {_log_path(self.home, part.name)}, lalu jalankan `alur doctor`."
                    )
            if time.monotonic() > deadline:
                raise NotStarted(f"Alur belum siap setelah {within:.0f} detik. Jalankan `alur doctor`.")
            self.stopping.wait(0.05)

    def _tell(self, seconds: float) -> None:
        self.say(f"Alur siap dalam {seconds:.1f} detik: {self.settings.url}")
        if self.settings.demo:
            from alur import demo

            for line in demo.accounts_told(self.settings):
                self.say(line)
        self.say("Hentikan dengan Ctrl-C.")

    def _watch(self) -> None:
        """Start again what dies; a part that dies at once waits longer each time."""
        while not self.stopping.wait(0.25):
            now = time.monotonic()
            if self.postgres.pid is None:
                self.say("PostgreSQL berhenti; dinyalakan kembali.")
                self._again(self.postgres.start)
            if self.valkey.pid is None:
                self.say("Valkey berhenti; dinyalakan kembali.")
                self._again(self.valkey.start)
            for part in self._parts:
                if part.process is not None and part.process.poll() is not None:
                    part.deaths = [death for death in part.deaths if now - death < 60] + [now]
                    pause = PAUSES[min(len(part.deaths), len(PAUSES)) - 1]
                    self.say(f"Bagian “{part.name}” berhenti (kode {part.process.returncode}); dinyalakan kembali.")
                    part.process, part.not_before = None, now + pause
                elif part.process is None and now >= part.not_before:
                    self._start(part)

    def _again(self, start: Callable[[], None]) -> None:
        try:
            start()
        except NotStarted as reason:
            self.say(reason.detail)
            self.stopping.wait(1)

    def _stop(self) -> None:
        self.say("Menghentikan Alur ...")
        running = [p.process for p in self._parts if p.process is not None and p.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_tree(process.pid)
                process.wait()
        self.valkey.stop()
        self.postgres.stop()
        for path in (self.home / "run").glob("*.pid"):
            path.unlink()
        self.say("Alur berhenti; semua data tersimpan.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{url}/api/health", timeout=5
        ) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _log_path(home: Path, name: str) -> Path:
    return home / "log" / f"{name}.log"


@contextmanager
def _log(home: Path, name: str) -> Iterator[IO[bytes]]:
    path = _log_path(home, name)
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.stat().st_size > 10_000_000:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as file:
        yield file


def _end_what_was_left(home: Path) -> None:
    """End what a killed supervisor left running: only processes whose pid and command it had noted."""
    left = []
    for path in (home / "run").glob("*.pid"):
        try:
            process = psutil.Process(int(path.read_text()))
            command = " ".join(process.cmdline())
        except (ValueError, psutil.Error):
            path.unlink(missing_ok=True)
            continue
        if "alur" in command and Path(process.cwd()) == ROOT:
            left += [process, *process.children(recursive=True)]
        path.unlink(missing_ok=True)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=10)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for child in process.children(recursive=True):
            child.kill()
        process.kill()


def _revisions(service: str) -> list[Path]:
    folders = (ROOT / "shared" / "migrations", ROOT / "services" / service / "migrations")
    return [path for folder in folders for path in folder.rglob("*.py")]


def fingerprint(paths: list[Path]) -> str:
    """Return a digest over the names and contents of files."""
    hasher = hashlib.sha256()
    for path in sorted(paths):
        hasher.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return hasher.hexdigest()
