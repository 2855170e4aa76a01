"""A register of 100,000 cases beside one of 1,000: list, search, dashboard and report on time, through the gateway.

Two installations stand side by side and are asked in turn (A B A B), signed in, over one connection. Of every hundred
cases 55 are in use, 30 have ended and 15 are on their way, in both registers alike, over twelve years.
`python -m bench.cases` takes these figures alone.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module

import psycopg
from psycopg import sql

from alur.embedded import Postgres
from bench.ground import AT_FULL_SPEED, Asked, Ground, drive
from bench.report import Report
from tests.procedure.installation import installation

PART = "cases"
MOST = 1.3
READER = "kepala"
WANTED = {
    "list": "/api/cases",
    "list page": "/perkara",
    "list of one status": "/api/cases?status=live",
    "search among cases": "/api/cases?q=sirtama",
    "search everywhere": "/api/search?q=sirtama",
    "search page": "/cari?q=sirtama",
    "dashboard": "/dasbor",
    "dashboard of a unit": "/dasbor?unit=LPPM",
    "what is late": "/perkara?terlambat=1",
    "report on time": "/waktu",
    "report on all years": "/waktu?tahun=",
    "register of applications": "/api/applications",
}
BESIDE = {"search for a word in every case": "/api/cases?q=aplikasi"}
"""Shown without a goal."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    few: int = 1_000
    many: int = 100_000
    rounds: int = 7
    count: int = 10


def measure(report: Report, size: Size, only: Ground | None = None) -> dict[str, float]:
    """Take the figures and tell them; return the ratios by what was asked.

    With `only`, one running installation stands for both: does it run at all?
    """
    with ExitStack() as stack:
        grounds = {size.few: only or _installed(stack), size.many: only or _installed(stack)}
        for cases, ground in [(size.many, only)] if only else list(grounds.items()):
            began = time.monotonic()
            ground.calm()
            fill(ground.postgres, cases)
            print(f"  {cases:,} cases loaded in {time.monotonic() - began:.0f} s", flush=True)
        times = _interleaved(grounds, size)
    ratios = {}
    told = []
    for name in WANTED | BESIDE:
        few, many = (statistics.median(times[name, cases]) * 1000 for cases in (size.few, size.many))
        ratios[name] = many / few
        told.append([name, f"{few:.1f}", f"{many:.1f}", f"{ratios[name]:.2f}"])
        if name in WANTED:
            wanted = f"{name} at {size.many:,} cases <= {MOST} x of {size.few:,}"
            report.goal(
                PART,
                wanted,
                f"{ratios[name]:.2f} x",
                peer=f"{many:.1f} beside {few:.1f} ms",
                holds=ratios[name] <= MOST,
            )
    report.table(
        f"A register of {size.many:,} cases beside one of {size.few:,}, one connection, through the gateway",
        ["", f"{size.few:,}: ms", f"{size.many:,}: ms", "ratio"],
        told,
    )
    report.note(
        "Nothing is kept between two answers: dashboard and report read sums that each move of a case brings up to "
        "date, so the first answer costs what the next one does."
    )
    return ratios


def _installed(stack: ExitStack) -> Ground:
    """Start an installation of its own, and sign the reader in."""
    ground = Ground(stack.enter_context(installation()))
    ground.installation.settings |= AT_FULL_SPEED
    ground.installation.start()
    ground.sign_in(READER)
    return ground


def _interleaved(grounds: Mapping[int, Ground], size: Size) -> dict[tuple[str, int], list[float]]:
    found: dict[tuple[str, int], list[float]] = {}
    for name, path in (WANTED | BESIDE).items():
        asked: dict[int, Asked] = {cases: ground.get(name, path) for cases, ground in grounds.items()}
        for number in range(size.rounds + 1):
            for cases, one in asked.items():
                told = drive(one, seconds=0, count=size.count, connections=1)
                if number:
                    # Caches fill and connections open in the first round.
                    found.setdefault((name, cases), []).extend(told["times"])
    return found


# --- loading -------------------------------------------------------------------------------------------------------


def fill(postgres: Postgres, cases: int, *, database: str = "proposal") -> None:
    """Put that many cases with their history, trace, place in the register and sums beside those that are there."""
    with postgres.connect(database) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET work_mem = '64MB'")
        connection.execute("SET synchronous_commit = off")
        # The rows are made right: neither keys nor indexes need to look at each of them.
        connection.execute("SET session_replication_role = replica")
        indexes = _without_indexes(connection)
        connection.execute(_PLANNED, {"cases": cases})
        connection.execute(_STATUSES)
        _copies(
            connection,
            "application_case",
            _CASE,
            "planned AS p JOIN (SELECT case_id, max(at) AS at FROM passed GROUP BY case_id) AS e ON e.case_id = p.id",
        )
        connection.execute(_HISTORY)
        _copies(connection, "trace_entry", _TRACE, "planned AS p", without=("seq",))
        _copies(connection, "registered_application", _REGISTERED, "planned AS p WHERE p.status IN ('live', 'retired')")
        for definition in indexes:
            connection.execute(definition)
        # As the migration that made them: by moves they would have come one by one.
        connection.execute("DELETE FROM tally")
        connection.execute("DELETE FROM tally_change")
        for statement in _counting():
            connection.execute(statement.encode())
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def _counting() -> Sequence[str]:
    found = import_module("services.proposal.migrations.versions.0009_figures_of_the_day")
    statements: Sequence[str] = found.FILL
    return statements


FILLED = ["application_case", "case_status", "trace_entry", "registered_application"]


def _without_indexes(connection: "psycopg.Connection[tuple[object, ...]]") -> list[bytes]:
    """Drop the indexes that are no constraint; return how they are made again."""
    rows = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        (FILLED,),
    ).fetchall()
    for name, _ in rows:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(name))))
    return [str(definition).encode() for _, definition in rows]


def _copies(
    connection: "psycopg.Connection[tuple[object, ...]]",
    table: str,
    changed: Mapping[str, str],
    source: str,
    *,
    without: Sequence[str] = (),
) -> None:
    """Insert a row for each of a source: like a row of the demo campus, with some columns changed."""
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
        " AND is_generated = 'NEVER'",
        (table,),
    ).fetchall()
    names = [str(name) for (name,) in columns if name not in without]
    values = sql.SQL(", ").join(
        sql.SQL(changed[name]) if name in changed else sql.SQL("t.{}").format(sql.Identifier(name)) for name in names
    )
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) AS t, {source}"
        ).format(
            table=sql.Identifier(table),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=values,
            source=sql.SQL(source),
        )
    )


_PLANNED = """
CREATE TEMP TABLE planned AS
SELECT i, gen_random_uuid() AS id,
    CASE WHEN i %% 100 < 55 THEN 'live' WHEN i %% 100 < 75 THEN 'retired' WHEN i %% 100 < 80 THEN 'rejected'
        WHEN i %% 100 < 85 THEN 'cancelled'
        ELSE (ARRAY['draft', 'submitted', 'returned', 'under_analysis', 'awaiting_decision', 'approved',
            'in_work_programme', 'deferred', 'discussed', 'sent_to_planning', 'budgeted', 'in_development',
            'handed_over', 'installed', 'security_testing', 'remediation', 'cleared',
            'suspended'])[1 + i / 100 %% 18] END AS status,
    now() - CASE WHEN i %% 100 < 85 THEN (i::float / %(cases)s) * interval '12 years' + interval '90 days'
        ELSE (i %% 97) * interval '1 day' + interval '100 days' END AS began
FROM generate_series(1, %(cases)s) AS i
"""
_STATUSES = """
CREATE TEMP TABLE passed AS
SELECT p.i, p.id AS case_id, w.n, w.status,
    least(p.began + (w.n - 1) * interval '6 days' + (p.i % 5) * interval '7 hours', now()) AS at,
    CASE w.status WHEN 'submitted' THEN 'S01' WHEN 'returned' THEN 'S01' WHEN 'under_analysis' THEN 'F01'
        WHEN 'awaiting_decision' THEN 'S02' WHEN 'approved' THEN 'S02' WHEN 'in_work_programme' THEN 'F02'
        WHEN 'deferred' THEN 'S03' WHEN 'discussed' THEN 'S04' WHEN 'sent_to_planning' THEN 'S04'
        WHEN 'budgeted' THEN 'S05' WHEN 'in_development' THEN 'S05' WHEN 'handed_over' THEN 'S07'
        WHEN 'installed' THEN 'S08' WHEN 'security_testing' THEN 'S08' WHEN 'remediation' THEN 'S07'
        WHEN 'cleared' THEN 'F04' WHEN 'live' THEN 'S09' WHEN 'suspended' THEN 'S08' ELSE '' END AS step
FROM planned AS p
CROSS JOIN (SELECT ARRAY['draft', 'submitted', 'under_analysis', 'awaiting_decision', 'approved', 'in_work_programme',
    'discussed', 'sent_to_planning', 'budgeted', 'in_development', 'handed_over', 'installed', 'security_testing',
    'cleared', 'live'] AS way) AS ways
CROSS JOIN LATERAL unnest(CASE
    WHEN p.status IN ('rejected', 'cancelled')
        THEN ARRAY['draft', 'submitted', 'under_analysis', 'awaiting_decision', p.status]
    WHEN p.status = 'live' THEN way
    WHEN p.status IN ('retired', 'suspended') THEN way || p.status
    WHEN p.status = 'returned' THEN ARRAY['draft', 'submitted', 'returned']
    WHEN p.status = 'deferred' THEN way[1:6] || 'deferred'::text
    WHEN p.status = 'remediation' THEN way[1:13] || 'remediation'::text
    ELSE way[1:array_position(way, p.status)] END) WITH ORDINALITY AS w(status, n)
WHERE w.status IS NOT NULL
"""
_HISTORY = """
INSERT INTO case_status (id, created_at, case_id, source, move, status, at, by_name, reason, step, left_at,
    worked_minutes, worked_days, stay_minutes, stay_days, ends_stay)
SELECT gen_random_uuid(), at, case_id, coalesce(lag(status) OVER o, ''), 'bench', status, at, 'Bench', '', step,
    lead(at) OVER o, CASE WHEN lead(at) OVER o IS NULL THEN NULL ELSE 1920 END,
    CASE WHEN lead(at) OVER o IS NULL THEN NULL ELSE 4 END,
    CASE WHEN lead(at) OVER o IS NULL THEN NULL ELSE 1920 + i % 9 * 60 END,
    CASE WHEN lead(at) OVER o IS NULL THEN NULL ELSE 4 + i % 9 END,
    lead(step) OVER o IS NOT NULL AND lead(step) OVER o <> step
FROM passed WINDOW o AS (PARTITION BY case_id ORDER BY n)
"""
_CASE = {
    "id": "p.id",
    "created_at": "p.began",
    "number": "'BEN-' || extract(year FROM p.began)::int || '-' || lpad(p.i::text, 6, '0')",
    "status": "p.status",
    "entered_at": "e.at",
    "code": "'bench-' || p.i",
    "name": "CASE WHEN p.i <= 20 THEN 'Sirtama Arsip ' || p.i ELSE 'Aplikasi Uji ' || md5(p.i::text) END",
    "unit": "(ARRAY['BPEG', 'LPPM', 'FST', 'BAAK', 'PERPUS', 'FTIK', 'FEBI', 'FSH'])[1 + p.i % 8]",
    "live_at": "CASE WHEN p.status IN ('live', 'retired') THEN p.began + interval '84 days' END",
    "proposer_id": "gen_random_uuid()",
    "parent_case_id": "NULL",
    "merged_into_id": "NULL",
    "evaluation_id": "NULL",
    "fiscal_year": "extract(year FROM p.began)::int + 1",
}
_TRACE = {
    "id": "gen_random_uuid()",
    "created_at": "p.began",
    "case_id": "p.id",
    "at": "p.began",
    "message_id": "NULL",
    "status": "p.status",
}
_REGISTERED = {
    "id": "gen_random_uuid()",
    "created_at": "p.began",
    "case_id": "p.id",
    "code": "'bench-' || p.i",
    "name": "'Aplikasi Uji ' || md5(p.i::text)",
    "state": "p.status",
    "live_since": "p.began",
}


def main() -> int:
    """Take these figures alone; return 0, for a slow machine is no fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.cases", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny numbers: does it run at all?")
    parser.add_argument("--many", type=int, default=100_000)
    told = parser.parse_args()
    measure(Report(), Size(100, 1_000, 1, 3) if told.quick else Size(many=told.many))
    return 0


if __name__ == "__main__":
    sys.exit(main())
