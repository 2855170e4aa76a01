"""One PostgreSQL and one Valkey for the whole run; a database for each division, made once by migration."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from alur.embedded import Postgres, Valkey
from shared.database import Database
from shared.keys import Keys, make_keys
from shared.migrate import migrate

ACCOUNT = "nobody"
"""Who runs PostgreSQL when the tests are run by root: an account that every system has."""


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """Return a folder with a short path for sockets and clusters, removed at the end."""
    _remove_what_killed_runs_left()
    folder = Path(tempfile.mkdtemp(prefix=f"alur-test-{os.getpid()}-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(state: Path) -> Iterator[Postgres]:
    """Return a running PostgreSQL that forgets everything with the run."""
    server = Postgres(state / "pg", durable=False, account=ACCOUNT, ends_with_parent=True)
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(state: Path) -> Iterator[Valkey]:
    """Return a running Valkey; a test that kills it starts it again."""
    server = Valkey(state / "vk", memory="64mb", ends_with_parent=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def keys(state: Path) -> Keys:
    """Return the keys of a whole installation."""
    make_keys(state / "keys")
    return Keys(state / "keys")


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> Callable[[str], str]:
    """Return what names a division's migrated database (made on first use); clone it, do not write to it."""
    made: set[str] = set()

    def name_of(service: str) -> str:
        if service not in made:
            migrate(postgres.make_database(service), service=service)
            made.add(service)
        return service

    return name_of


@pytest.fixture(scope="session")
def shared_databases(postgres: Postgres, migrated: Callable[[str], str]) -> Iterator[Callable[[str], Database]]:
    """Return the database behind `sessions`; nothing is ever committed there."""
    kept: dict[str, Database] = {}

    def database(service: str) -> Database:
        if service not in kept:
            name = f"{service}_kept"
            postgres.make_database(name, user=service, template=migrated(service))
            kept[service] = Database(postgres.url(name, service))
        return kept[service]

    yield database
    for one in kept.values():
        one.close()


@pytest.fixture
def sessions(shared_databases: Callable[[str], Database]) -> Iterator[Callable[[str], Session]]:
    """Return `sessions("proposal") -> Session`: what a test does there is rolled back with it.

    A commit inside ends a savepoint only. Asked twice for a service it gives two sessions in one
    transaction.
    """
    with ExitStack() as stack:
        connections: dict[str, Connection] = {}

        def session(service: str) -> Session:
            if service not in connections:
                connection = stack.enter_context(shared_databases(service).engine.connect())
                stack.callback(connection.begin().rollback)
                connections[service] = connection
            return stack.enter_context(
                Session(connections[service], join_transaction_mode="create_savepoint", expire_on_commit=False)
            )

        yield session


@pytest.fixture
def database_of(postgres: Postgres, migrated: Callable[[str], str]) -> Iterator[Callable[[str], Database]]:
    """Return `database_of("proposal") -> Database`: a fresh migrated one, for tests that commit."""
    made: list[tuple[str, Database]] = []

    def database(service: str) -> Database:
        name = f"{service}_{uuid4().hex[:8]}"
        postgres.make_database(name, user=service, template=migrated(service))
        made.append((name, Database(postgres.url(name, service))))
        return made[-1][1]

    yield database
    for name, one in made:
        one.close()
        postgres.drop_database(name)


def _remove_what_killed_runs_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob("alur-test-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
