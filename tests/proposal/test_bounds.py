"""Lists, searches and dashboards read so many rows and no more, however many cases there are."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from alur.embedded import Postgres
from bench import cases as bench
from services.proposal import queries
from services.proposal.model import CaseStatus, Office
from services.proposal.queries import clock, dashboard
from services.proposal.queries.dashboard import Asked, narrowed
from services.proposal.settings import Settings
from shared.database import Database
from tests.people import ANI, CITRA, GITA, ZULKIFLI
from tests.proposal.walk import Walk

CASES = 3_000
MOST = 1_500
"""Rows that one page may read; of the histories alone there are more than 35,000."""

ASKED: dict[str, Callable[[Session], object]] = {
    "the list": lambda s: queries.cases(s, CITRA),
    "the list of a unit": lambda s: queries.cases(s, ZULKIFLI),
    "the list of planning": lambda s: queries.cases(s, GITA),
    "one's own": lambda s: queries.cases(s, ANI, mine=True),
    "one status": lambda s: queries.cases(s, CITRA, status="live"),
    "one step": lambda s: queries.cases(s, CITRA, more=narrowed(s, step="S02")),
    "what is late": lambda s: queries.cases(s, CITRA, more=narrowed(s, only_late=True)),
    "a fiscal year": lambda s: queries.cases(s, CITRA, more=narrowed(s, fiscal_year=2020)),
    "few that hold a word": lambda s: queries.cases(s, CITRA, q="sirtama"),
    "many that hold a word": lambda s: queries.cases(s, CITRA, q="aplikasi"),
    "a slip of the pen": lambda s: queries.cases(s, CITRA, q="sirtamo"),
    "the register": lambda s: queries.registered(s, CITRA),
    "the register of a unit": lambda s: queries.registered(s, ANI),
    "the register by a word": lambda s: queries.registered(s, CITRA, q="sirtama"),
    "search for something rare": lambda s: queries.found(s, CITRA, "sirtama"),
    "search for nothing": lambda s: queries.found(s, CITRA, "zzyzxq"),
    "similar applications": lambda s: queries.similar(s, ANI, name="Sirtama Arsip", purpose="mengelola arsip " * 3),
    "the dashboard": lambda s: dashboard.figures(s, CITRA),
    "the dashboard of a unit": lambda s: dashboard.figures(s, ZULKIFLI),
    "the dashboard of planning": lambda s: dashboard.figures(s, GITA),
    "the dashboard, narrowed": lambda s: dashboard.figures(s, CITRA, Asked(2026, "LPPM")),
    "the report on a year": lambda s: clock.report(s, CITRA, clock.Asked(year=2026)),
    "the report on everything": lambda s: clock.report(s, CITRA),
}


@pytest.fixture(scope="module")
def register(
    postgres: Postgres, migrated: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Return a register of many cases, filled once for this file."""
    name = "proposal_many"
    postgres.make_database(name, user="proposal", template=migrated("proposal"))
    database = Database(postgres.url(name, "proposal"))
    folder = tmp_path_factory.mktemp("bounds")
    settings = Settings(database_url="", keys_folder=folder / "keys", files_folder=folder / "files")
    with database.transaction() as session:
        Walk(session, Office.of(settings)).live()
    bench.fill(postgres, CASES, database=name)
    yield database
    database.close()
    postgres.drop_database(name)


@pytest.mark.parametrize("name", ASKED)
def test_no_statement_reads_rows_in_proportion_to_the_cases(register: Database, name: str) -> None:
    read = {statement: rows for statement, rows in rows_read(register, ASKED[name]).items() if rows > MOST}

    assert not read


def rows_read(database: Database, ask: Callable[[Session], object]) -> dict[str, int]:
    """Return for each statement how many rows of tables it read, kept or not."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.reading() as session:
            ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert sent
    found = {}
    with database.engine.connect() as connection:
        # A small table is soonest read whole; here the question is whether there is another way.
        connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in sent:
            told = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
            found[statement] = _rows(told[0]["Plan"])
    return found


def _rows(plan: dict[str, Any]) -> int:
    below = sum(_rows(one) for one in plan.get("Plans", []))
    if "Relation Name" not in plan:
        return below
    each = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + round(each * plan["Actual Loops"])


def test_the_count_of_rows_sees_a_table_that_is_read_whole(register: Database) -> None:
    def everything(session: Session) -> object:
        return session.execute(select(func.sum(CaseStatus.worked_days)))

    assert max(rows_read(register, everything).values()) > MOST
