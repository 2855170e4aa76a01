"""A service's database comes to the newest tables, whoever starts it and however often."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from alur.embedded import Postgres
from shared import audit
from shared.database import Database
from shared.migrate import differences, make, migrate, shared_metadata

OWN = '''"""A first table."""

import sqlalchemy as sa
from alembic import op

revision = "toy_0001"
down_revision = None
branch_labels = ("toy",)
depends_on = None


def upgrade() -> None:
    op.create_table("thing", sa.Column("id", sa.Integer, primary_key=True))
'''


@pytest.fixture
def empty(postgres: Postgres) -> str:
    postgres.drop_database("empty_one")
    return postgres.make_database("empty_one", user="proposal")


def test_the_shared_tables_match_their_definitions(database_of: Callable[[str], Database]) -> None:
    assert differences(database_of("proposal").url, shared_metadata()) == []


def test_a_missing_column_is_told(database_of: Callable[[str], Database]) -> None:
    database = database_of("proposal")

    with database.transaction() as session:
        session.execute(text("ALTER TABLE msg.outbox DROP COLUMN trace"))

    assert [change[0] for change in differences(database.url, shared_metadata())] == ["add_column"]


def test_both_lines_of_revisions_meet_in_one_database(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.py").write_text(OWN)

    migrate(empty, service="proposal", own_versions=tmp_path)

    database = Database(empty)
    assert inspect(database.engine).has_table("thing")
    assert inspect(database.engine).has_table("outbox", schema="msg")
    with database.transaction() as session:
        heads = session.execute(text("SELECT version_num FROM alembic_version ORDER BY 1")).scalars().all()
    database.close()
    assert [head.split("_")[0] for head in heads] == ["shared", "toy"]


def test_starters_at_the_same_time_do_not_collide(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.py").write_text(OWN)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate, empty, service="proposal", own_versions=tmp_path) for _ in range(3)]:
            done.result()

    database = Database(empty)
    assert inspect(database.engine).has_table("thing")
    database.close()


def test_a_revision_is_written_only_when_something_changed(empty: str) -> None:
    migrate(empty, service="shared")

    assert make("shared", empty, "nothing") is None


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.entry SET act = 'x'", "DELETE FROM audit.entry", "TRUNCATE audit.entry"]
)
def test_an_audit_line_cannot_be_changed(sessions: Callable[[str], Session], statement: str) -> None:
    session = sessions("proposal")
    audit.record(session, None, "open", "thing:1")

    with pytest.raises(DBAPIError, match="insert-only"), session.begin_nested():
        session.execute(text(statement))

    assert audit.verify(session)[0] == 1


def test_nothing_of_a_test_is_kept(
    sessions: Callable[[str], Session], shared_databases: Callable[[str], Database]
) -> None:
    session = sessions("proposal")
    audit.record(session, None, "open", "thing:1")
    session.commit()

    def seen(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM audit.entry")).scalar_one())

    with shared_databases("proposal").engine.connect() as elsewhere:
        assert seen(elsewhere) == 0
    assert seen(session.connection()) == 1


def test_a_service_cannot_open_the_database_of_another(
    postgres: Postgres, database_of: Callable[[str], Database]
) -> None:
    database_of("budget")
    name = database_of("proposal").engine.url.database
    stranger = Database(postgres.url(str(name), "budget"))

    with pytest.raises(DBAPIError, match="permission denied"), stranger.transaction() as session:
        session.execute(text("SELECT 1"))

    stranger.close()
