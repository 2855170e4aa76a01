"""One machine: embedded PostgreSQL and Valkey, one web and one worker process, supervised and cleanly stopped.

Web and worker are forks of the supervisor, which has imported what both need while the database starts: they begin at
once, a part that died begins again at once, and what was imported is in memory only one time.
"""

import contextlib
import ctypes
import fcntl
import gc
import hashlib
import importlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
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
WORK_AFTER = 5
"""How much the worker gives way to the web process, in steps of `nice`."""
WATCH_SECONDS = 0.25
SERVERS_EVERY = 4
"""Turns of watching after which the servers are looked for, too: files are read for them, a child is only asked."""
MOST_FILES = 4096
"""More than a supervisor ever has open."""
PAUSES = (0.2, 1, 2, 5, 10)
"""Seconds before a part that died is started again, by how often it died lately."""

Say = Callable[[str], None]


class Fork:
    """A child process that goes on with what this one has imported; it is asked as `subprocess.Popen` is."""

    def __init__(self, work: Callable[[], int], *, log: IO[bytes]) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                _begin_anew(log)
                code = work()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:  # the edge of the process: nothing of the parent may go on in it
                traceback.print_exc()
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                os._exit(code)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        """Return the exit code; raise TimeoutExpired when it does not end in time."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("fork", timeout)
            time.sleep(0.02)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def _begin_anew(log: IO[bytes]) -> None:
    """Let go of everything of the parent but its imports: its session, signals, files and streams."""
    os.setsid()
    end_with_parent(signal.SIGTERM)()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(ROOT)
    silence = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silence, 0), (log.fileno(), 1), (log.fileno(), 2)):
        os.dup2(source, target)
    # The lock of the folder among them: a child that outlives its parent must not keep it.
    os.closerange(3, MOST_FILES)


@dataclass
class Part:
    """One process that the supervisor keeps alive: a command, or work that a fork of the supervisor does."""

    name: str
    command: list[str] = field(default_factory=list)
    work: Callable[[], int] | None = None
    process: "subprocess.Popen[bytes] | Fork | None" = None
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
        _share_memory_among_threads()
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
            started = [pool.submit(self.postgres.start), pool.submit(self.valkey.start)]
            # In the meantime, in this thread: the longest part of a start.
            sys.dont_write_bytecode = False
            with _importing():
                from alur import parts

                parts.load_front()
            for one in started:
                one.result()
        self._make_databases()
        os.environ.update(self.settings.environment(database_urls=self._urls, broker_url=self.valkey.url))
        self._begin(Part("web", work=lambda: parts.serve(self.settings.host, self.settings.port)))
        # The worker's imports come after the fork of the web process, whose first page does not wait for them.
        with _importing():
            importlib.import_module("shared.worker")
        self._begin(Part("worker", work=self._work))
        if self.settings.demo:
            from alur import demo  # here, because only the demo campus needs it

            arguments = demo.practice_arguments(self.settings)
            self._begin(Part("practice", [sys.executable, "-m", "alur.practice", *arguments]))
            demo.load_campus(self.settings, self._urls, say=self.say)

    def _work(self) -> int:
        from alur import parts

        # People at the door come first: a scan may take every core that they leave.
        os.nice(WORK_AFTER)
        return parts.work(SERVICES, concurrency=self.settings.workers)

    def _begin(self, part: Part) -> None:
        self._parts.append(part)
        self._start(part)

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
            if part.work:
                part.process = Fork(part.work, log=log)
            else:
                part.process = subprocess.Popen(
                    part.command,
                    cwd=ROOT,
                    env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
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
        for turn in itertools.count():
            if self.stopping.wait(WATCH_SECONDS):
                return
            now = time.monotonic()
            if turn % SERVERS_EVERY == 0:
                self._watch_servers()
            for part in self._parts:
                if part.process is not None and part.process.poll() is not None:
                    part.deaths = [death for death in part.deaths if now - death < 60] + [now]
                    pause = PAUSES[min(len(part.deaths), len(PAUSES)) - 1]
                    self.say(f"Bagian “{part.name}” berhenti (kode {part.process.returncode}); dinyalakan kembali.")
                    part.process, part.not_before = None, now + pause
                elif part.process is None and now >= part.not_before:
                    self._start(part)

    def _watch_servers(self) -> None:
        if self.postgres.pid is None:
            self.say("PostgreSQL berhenti; dinyalakan kembali.")
            self._again(self.postgres.start)
        if self.valkey.pid is None:
            self.say("Valkey berhenti; dinyalakan kembali.")
            self._again(self.valkey.start)

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


def _share_memory_among_threads() -> None:
    """Let the threads of a process take memory from two places, and not from one for each: it would keep all of them.

    Measured in a web process of nine threads: more than a hundred megabytes that had been free for long.
    """
    if sys.platform == "linux":
        most_arenas = -8
        with contextlib.suppress(AttributeError):  # a C library without it has no such places either
            ctypes.CDLL(None).mallopt(most_arenas, 2)


@contextmanager
def _importing() -> Iterator[None]:
    """Import without the garbage collector: nearly all stays, and it takes a sixth of the time to find that out.

    Afterwards it leaves what is there alone: pages that it writes to are no longer shared with a fork.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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
