"""A session that only reads has no transaction, changes nothing, and still keeps a search within its time."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared import search
from shared.database import Database
from shared.patience import PATIENCE_MS
from tests.counting import statements


def test_reading_sends_nothing_but_the_question(database_of: Callable[[str], Database]) -> None:
    database = database_of("helpdesk")

    with statements(database.engine) as sent, database.reading() as session:
        found = session.scalar(text("SELECT now() = statement_timestamp()"))
        again = session.scalar(text("SELECT now() = statement_timestamp()"))

    assert len(sent) == 2
    assert found is True
    assert again is True, "a transaction was open: its time stands still"


def test_a_request_that_reads_cannot_change_anything(database_of: Callable[[str], Database]) -> None:
    database = database_of("helpdesk")

    with database.reading() as session, pytest.raises(AssertionError, match="only reads"):
        session.execute(text("INSERT INTO ticket_counter VALUES (2026, 1)"))

    with database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM ticket_counter")) == 0


def test_a_search_keeps_its_time_limit_while_only_reading(database_of: Callable[[str], Database]) -> None:
    database = database_of("helpdesk")

    with database.reading() as session:
        search.limit_time(session)
        during = session.scalar(text("SELECT current_setting('statement_timeout')"))
    with database.reading() as session:
        after = session.scalar(text("SELECT current_setting('statement_timeout')"))

    assert during in (f"{PATIENCE_MS}ms", f"{PATIENCE_MS // 1000}s")
    assert after == "30s"


def test_a_connection_that_was_cut_while_it_rested_is_replaced(
    database_of: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.database.BELIEVED_FOR", 0.0)
    database = database_of("helpdesk")
    with database.reading() as session:
        process = session.scalar(text("SELECT pg_backend_pid()"))
    killer = Database(database.url)
    with killer.reading() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": process})
    killer.close()

    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1
