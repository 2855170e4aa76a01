"""Starting and stopping one machine, and every way in which it may go wrong."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.procedure.installation import Installation, installation

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def machine() -> Iterator[Installation]:
    """Return an installation that is not started yet."""
    with installation() as one:
        yield one


def test_it_starts_answers_and_stops_without_a_trace(machine: Installation) -> None:
    machine.start()
    answer = httpx.get(f"{machine.url}/api/health", trust_env=False)

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert machine.stop() == 0, "\n".join(machine.said)
    assert machine.processes() == []


def test_a_second_start_is_told_of_the_first(machine: Installation) -> None:
    machine.start()

    second = machine.command("up")

    assert second.returncode == 1
    assert "sudah berjalan" in second.stderr
    assert httpx.get(f"{machine.url}/api/health", trust_env=False).status_code == 200


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


def test_a_killed_supervisor_leaves_nothing_in_the_way_and_nothing_is_lost(machine: Installation) -> None:
    machine.start()
    accounts = (machine.home / "demo-accounts.json").read_text()
    machine.kill()

    machine.start()

    assert httpx.get(f"{machine.url}/api/health", trust_env=False).status_code == 200
    assert (machine.home / "demo-accounts.json").read_text() == accounts
    assert machine.stop() == 0


@pytest.mark.parametrize("name", ["web", "worker"])
def test_what_dies_is_started_again(machine: Installation, name: str) -> None:
    machine.start()
    old = machine.part(name)
    old.kill()

    psutil.wait_procs([old], timeout=10)
    new = _await_other(machine, name, old.pid)

    assert new.is_running()
    assert _await_health(machine)


def test_the_doctor_says_what_is_well_and_what_is_not(machine: Installation) -> None:
    before = machine.command("doctor")
    machine.start()
    during = machine.command("doctor")

    assert before.returncode == 1
    assert "make up" in before.stdout
    assert during.returncode == 0, during.stdout


def test_no_service_may_open_anothers_database(machine: Installation) -> None:
    import psycopg

    from alur.embedded import Postgres

    machine.start()
    postgres = Postgres(machine.home / "postgres")
    environment = postgres.password_environment("helpdesk")

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host=environment["PGHOST"], user="helpdesk", password=environment["PGPASSWORD"], dbname="budget"
        ).close()


def _await_other(machine: Installation, name: str, old: int) -> psutil.Process:
    path = Path(machine.home / "run" / f"{name}.pid")
    for _ in range(600):
        told = path.read_text() if path.exists() else ""
        if told and int(told) != old:
            return psutil.Process(int(told))
        os.sched_yield()
        psutil.wait_procs([psutil.Process(machine.process.pid)], timeout=0.05)  # type: ignore[union-attr]
    raise AssertionError("\n".join(machine.said))


def _await_health(machine: Installation) -> bool:
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.get(f"{machine.url}/api/health").status_code == 200
