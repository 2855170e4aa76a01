"""One PostgreSQL and one Valkey for the whole run; a database for each division, made once by migration."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import argon2
import httpx
import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from alur.embedded import Postgres, Valkey
from services.gateway import passwords
from shared.database import Database
from shared.keys import Keys, make_keys
from shared.log import set_up
from shared.migrate import migrate

ACCOUNT = "nobody"
"""Who runs PostgreSQL when the tests are run by root: an account that every system has."""


# A busy machine is no fault, nor is a folder that cannot be written or still has what an earlier run left in it.
settings.register_profile(
    "alur", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, print_blob=True
)
settings.load_profile("alur")

for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    # Everything here is on this machine: a proxy of the build's would answer for us.
    del os.environ[_name]


@pytest.fixture(scope="session", autouse=True)
def log_lines() -> None:
    """Log as in production: the pretty tracebacks of a terminal take a tenth of a second each."""
    set_up(service="test")


SLOW = (
    "procedure/test_bench.py", "procedure/test_demo.py", "attacks/test_described.py", "deploy/test_practice.py",
    "chaos/test_mailbox_chaos.py", "procedure/test_split_shape.py", "procedure/test_start.py", "shared/test_worker.py",
)  # fmt: skip
"""Files with few tests that take long, the longest first: begun last they would keep one core waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files; the others stay in their order."""
    places = {file: place for place, file in enumerate(SLOW)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(SLOW)))


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later search for garbage: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


FULL_HASHING = passwords.HASHER
"""How passwords are hashed in earnest."""
LIGHT_HASHING = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session", autouse=True)
def light_hands() -> Iterator[None]:
    """Hash passwords lightly and read the world's certificates once: 0.03 s each, at almost every sign-in of a test."""
    with pytest.MonkeyPatch.context() as patch:
        # Nothing here outlives a power cut; PostgreSQL waits for no disk either.
        patch.setattr("os.fsync", lambda handle: None)
        patch.setattr(passwords, "HASHER", LIGHT_HASHING)
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def full_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[argon2.PasswordHasher]:
    """Hash passwords as in earnest for one test."""
    monkeypatch.setattr(passwords, "HASHER", FULL_HASHING)
    passwords._nobody.cache_clear()
    yield FULL_HASHING
    passwords._nobody.cache_clear()


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
def database_of(spares: "Spares") -> Iterator[Callable[[str], Database]]:
    """Return `database_of("proposal") -> Database`: an empty migrated one of the test's own, for real commits."""
    used: list[tuple[str, str, Database]] = []

    def database(service: str) -> Database:
        name = spares.take(service)
        used.append((service, name, Database(spares.postgres.url(name, service))))
        return used[-1][2]

    yield database
    for service, name, one in used:
        one.close()
        spares.give_back(service, name)


@pytest.fixture(scope="session")
def spares(postgres: Postgres, migrated: Callable[[str], str]) -> "Spares":
    """Return the stock of migrated databases for `database_of`."""
    return Spares(postgres, migrated)


class Spares:
    """Migrated databases that tests have used and emptied: copying one takes 0.3 s, emptying one 0.05 s."""

    def __init__(self, postgres: Postgres, migrated: Callable[[str], str]) -> None:
        self.postgres = postgres
        self._migrated = migrated
        self._free: dict[str, list[str]] = {}
        self._fresh: dict[str, Shape] = {}
        self._count = 0

    def take(self, service: str) -> str:
        """Return the name of an empty migrated database."""
        free = self._free.setdefault(service, [])
        if free:
            return free.pop()
        self._count += 1
        name = f"{service}_{self._count}"
        self.postgres.make_database(name, user=service, template=self._migrated(service))
        with self.postgres.connect(name) as connection:
            self._fresh.setdefault(service, _shape(connection))
        return name

    def give_back(self, service: str, name: str) -> None:
        """Empty a database for the next test; one that cannot be made as new is dropped."""
        with self.postgres.connect(name) as connection, connection.transaction():
            # Triggers that keep the audit chain do not fire for a replica.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("SET LOCAL lock_timeout = '2s'")
            fresh = self._fresh[service]
            for table in _tables(connection):
                if table not in fresh.rows:
                    connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(*table)))
                elif fresh.rows[table] == NOTHING:
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
            as_new = _shape(connection) == fresh
        if as_new:
            self._free[service].append(name)
        else:
            self.postgres.drop_database(name)


def _tables(connection: "psycopg.Connection[tuple[object, ...]]") -> list[tuple[str, str]]:
    rows = connection.execute("""
        SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'alembic_version'
        ORDER BY 1, 2
    """)
    return [(str(schema), str(table)) for schema, table in rows]


NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
"""The MD5 of no rows."""


@dataclass(frozen=True)
class Shape:
    """What tells a used database from a fresh one: columns, triggers, and the rows that migrations put in."""

    columns: str
    rows: dict[tuple[str, str], str]


def _shape(connection: "psycopg.Connection[tuple[object, ...]]") -> Shape:
    columns = connection.execute("""
        SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
        UNION ALL SELECT event_object_schema, event_object_table, trigger_name, event_manipulation
        FROM information_schema.triggers ORDER BY 1, 2, 3, 4
    """).fetchall()
    digest = "SELECT md5(coalesce(string_agg(one::text, ',' ORDER BY one::text), '')) FROM {} AS one"
    rows = {
        table: str((connection.execute(sql.SQL(digest).format(sql.Identifier(*table))).fetchone() or [""])[0])
        for table in _tables(connection)
    }
    return Shape(repr(columns), rows)


def _remove_what_killed_runs_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob("alur-test-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
