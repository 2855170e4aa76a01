"""The audit chain tells every change that was made behind its back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from alur.embedded import Postgres
from shared import audit
from shared.database import Database
from tests.people import BUDI, CITRA


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    made = database_of("security")
    for number in range(1, 6):
        with made.transaction() as session:
            audit.record(session, CITRA if number % 2 else BUDI, "approve", f"proposal:{number}", amount=number)
    return made


def as_superuser(postgres: Postgres, database: Database, statement: str) -> None:
    """Change the table past its triggers, as somebody with the machine in hand could."""
    with postgres.connect(str(database.engine.url.database)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def verified(database: Database, **how: dict[int, str]) -> tuple[int, list[int]]:
    with database.transaction() as session:
        count, broken = audit.verify(session, **how)
    return count, sorted({one.seq for one in broken})


def test_an_untouched_chain_verifies(database: Database) -> None:
    assert verified(database) == (5, [])


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit.entry SET line = replace(line, 'Citra', 'Budi') WHERE seq = 3", [3]),
        ("UPDATE audit.entry SET act = 'reject' WHERE seq = 3", [3]),
        ("UPDATE audit.entry SET at = at + interval '1 day' WHERE seq = 3", [3]),
        ("DELETE FROM audit.entry WHERE seq = 2", [3]),
        ("DELETE FROM audit.entry WHERE seq = 1", [2]),
    ],
)
def test_what_a_superuser_alters_or_deletes_is_told(
    postgres: Postgres, database: Database, statement: str, told: list[int]
) -> None:
    as_superuser(postgres, database, statement)

    assert verified(database)[1] == told


@pytest.mark.parametrize("statement", ["DELETE FROM audit.entry WHERE seq > 3", "TRUNCATE audit.entry"])
def test_a_chain_cut_short_is_told_by_the_head_noted_outside(
    postgres: Postgres, database: Database, statement: str
) -> None:
    with database.transaction() as session:
        head = audit.head(session)
    assert head is not None

    as_superuser(postgres, database, statement)

    assert verified(database)[1] == []
    assert verified(database, anchors={head.seq: head.hash})[1] == [5]


def test_a_line_stands_or_falls_with_its_act(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        audit.record(session, CITRA, "approve", "proposal:9")
        raise ZeroDivisionError

    assert verified(database) == (5, [])


def test_lines_written_at_once_form_one_chain(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as session:
            audit.record(session, BUDI, "submit", f"proposal:{number}")

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(write, range(30)))

    assert verified(database) == (35, [])


def test_a_trace_entry_can_be_held_against_the_chain(database: Database) -> None:
    with database.transaction() as session:
        link = audit.head(session)
        assert link is not None
        assert audit.holds(session, link.seq, link.hash)
        assert not audit.holds(session, link.seq, "0" * 64)


def test_the_line_says_who_did_what_as_whom(database: Database) -> None:
    with database.transaction() as session:
        line = session.execute(text("SELECT line::json FROM audit.entry WHERE seq = 1")).scalar_one()

    assert (line["act"], line["person"], line["as"], line["facts"]) == (
        "approve",
        str(CITRA.id),
        CITRA.as_what,
        {"amount": 1},
    )
