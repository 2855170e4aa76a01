"""Starting and stopping one machine, and every way in which it may go wrong."""

import socket
from collections.abc import Iterator

import httpx
import psutil
import psycopg
import pytest

from alur.caller import until
from alur.embedded import Postgres
from tests.procedure.installation import Installation, installation

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def machine() -> Iterator[Installation]:
    """Return an installation that is not started yet."""
    with installation() as one:
        yield one


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """Return one that runs, for tests that leave it running."""
    with installation() as one:
        one.start()
        yield one


def test_it_starts_answers_survives_a_kill_and_stops_without_a_trace(machine: Installation) -> None:
    machine.start()
    accounts = (machine.home / "demo-accounts.json").read_text()
    machine.kill()

    machine.start()
    answer = httpx.get(f"{machine.url}/api/health", trust_env=False)

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert (machine.home / "demo-accounts.json").read_text() == accounts
    assert machine.stop() == 0, "\n".join(machine.said)
    assert machine.processes() == []


def test_a_second_start_is_told_of_the_first(running: Installation) -> None:
    second = running.command("up")

    assert second.returncode == 1
    assert "sudah berjalan" in second.stderr
    assert httpx.get(f"{running.url}/api/health", trust_env=False).status_code == 200


def test_a_taken_port_is_named_with_a_way_out(machine: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", machine.port))
        other.listen()

        done = machine.command("up")

    assert done.returncode == 1
    assert f"127.0.0.1:{machine.port}" in done.stderr
    assert "ALUR_PORT=" in done.stderr


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(machine: Installation) -> None:
    machine.home.write_text("a file stands where the folder should be")

    done = machine.command("up")

    assert done.returncode == 1
    assert str(machine.home) in done.stderr
    assert "ALUR_HOME=" in done.stderr


@pytest.mark.parametrize("name", ["web", "worker"])
def test_what_dies_is_started_again(running: Installation, name: str) -> None:
    old = running.part(name)
    old.kill()

    new = _await_other(running, name, old.pid)

    assert new.is_running()
    assert _await_health(running)


def test_the_doctor_says_what_is_well_and_what_is_not(machine: Installation, running: Installation) -> None:
    without = machine.command("doctor")
    during = running.command("doctor")

    assert without.returncode == 1
    assert "make up" in without.stdout
    assert during.returncode == 0, during.stdout


def test_no_service_may_open_anothers_database(running: Installation) -> None:
    environment = Postgres(running.home / "postgres").password_environment("helpdesk")

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host=environment["PGHOST"], user="helpdesk", password=environment["PGPASSWORD"], dbname="budget"
        ).close()


def _await_other(one: Installation, name: str, old: int) -> psutil.Process:
    """Return the process that took the place of a part, as soon as there is one."""
    return until(
        lambda: _part(one, name), lambda found: found is not None and found.pid != old, f"{name} anew", within=30
    )  # type: ignore[return-value]


def _part(one: Installation, name: str) -> psutil.Process | None:
    try:
        return one.part(name)
    except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
        return None


def _await_health(one: Installation) -> bool:
    def look() -> int:
        try:
            return httpx.get(f"{one.url}/api/health", trust_env=False, timeout=10).status_code
        except httpx.HTTPError:
            return 0

    return until(look, lambda status: status == 200, "health", within=60) == 200
