"""A whole installation as its users start it: `alur up` as a process of its own, in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from alur.settings import free_port

ROOT = Path(__file__).parents[2]
START_WITHIN = 120


@dataclass
class Installation:
    """One running `alur up`."""

    home: Path
    port: int
    process: "subprocess.Popen[str] | None" = None
    said: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """Further settings, by the names of the environment."""
    _ready: threading.Event = field(default_factory=threading.Event)
    _reader: "threading.Thread | None" = None

    @property
    def url(self) -> str:
        """Return the address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of every command on this installation."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ALUR_") and k != "PYTHONDONTWRITEBYTECODE"}
        own = {"ALUR_HOME": str(self.home), "ALUR_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        return kept | own | self.settings

    def start(self) -> None:
        """Start it and return when it says that it is ready; fail with what it said otherwise."""
        self._ready.clear()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alur", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()
        assert self._ready.wait(START_WITHIN), "\n".join(self.said)
        assert self.process.poll() is None, "\n".join(self.said) + self.logs()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("Alur siap"):
                self._ready.set()
        self._ready.set()

    def stop(self) -> int:
        """Ask it to stop as a service manager does; return its exit code."""
        assert self.process is not None and self._reader is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.let_go()
        return code

    def let_go(self) -> None:
        """Read the last of what an ended process said."""
        if self._reader is not None:
            self._reader.join(10)
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def kill(self) -> None:
        """End the supervisor as a power cut does, and nothing else."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.let_go()

    def part(self, name: str) -> psutil.Process:
        """Return a part's process."""
        return psutil.Process(int((self.home / "run" / f"{name}.pid").read_text()))

    def processes(self) -> list[psutil.Process]:
        """Return every process that works for this installation."""
        found = []
        for process in psutil.process_iter():
            try:
                told = process.environ().get("ALUR_HOME") == str(self.home) or process.cwd().startswith(str(self.home))
            except psutil.Error:
                continue
            if told and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def command(self, *words: str, timeout: float = 240) -> "subprocess.CompletedProcess[str]":
        """Run an `alur` command on this installation."""
        return subprocess.run(
            [sys.executable, "-m", "alur", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def logs(self) -> str:
        """Return the end of every log, for a test that failed."""
        told = []
        for path in sorted((self.home / "log").glob("*.log")):
            told.append(f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:]))
        return "\n".join(told)

    def verified(self) -> dict[str, Any]:
        """Return what `alur audit verify` says."""
        done = self.command("audit", "verify", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report


@contextmanager
def installation() -> Iterator[Installation]:
    """Give an installation that is not started yet; afterwards nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="alur-up-"))
    folder.chmod(0o755)
    one = Installation(home=folder / "var", port=free_port())
    try:
        yield one
    finally:
        if one.process is not None and one.process.poll() is None:
            one.process.terminate()
            try:
                one.process.wait(60)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
        one.let_go()
        left = one.processes()
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=10)
        shutil.rmtree(folder, ignore_errors=True)
