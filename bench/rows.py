"""Many tickets in the help desk's own table, and what the tutorial way needs beside them."""

import base64

from alur.embedded import Postgres

WITHOUT_WORDS = """
    DROP INDEX IF EXISTS ix_ticket_search_words;
    DROP INDEX IF EXISTS ix_ticket_near;
    ALTER TABLE ticket ALTER COLUMN search_words DROP EXPRESSION IF EXISTS;
"""
TICKETS = """
    INSERT INTO ticket (
        id, created_at, number, case_id, release_number, title, body, category, priority, status, reporter_id,
        reporter_name, assignee_name
    )
    SELECT gen_random_uuid(), now() - interval '3 years' + n * interval '90 seconds', 'BENCH-' || n, a.case_id, 1,
        'Tidak dapat masuk setelah pembaruan nomor ' || n, repeat('Uraian gangguan yang dialami pengguna. ', 5),
        'gangguan', 'medium', 'closed', gen_random_uuid(), 'Pelapor Contoh', 'Petugas Contoh'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, (SELECT case_id FROM live_application LIMIT 1) AS a
"""
PLACE = "SELECT created_at, id FROM ticket ORDER BY created_at DESC, id DESC OFFSET %(row)s LIMIT 1"
TUTORIAL = """
    CREATE TABLE IF NOT EXISTS tutorial_user (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE IF NOT EXISTS tutorial_outbox (id bigserial PRIMARY KEY, body jsonb NOT NULL);
    INSERT INTO tutorial_user VALUES (1, 'Pengguna Contoh') ON CONFLICT DO NOTHING;
    GRANT ALL ON tutorial_user, tutorial_outbox TO helpdesk;
    GRANT ALL ON SEQUENCE tutorial_outbox_id_seq TO helpdesk;
"""


def fill(postgres: Postgres, *, upto: int, with_words: bool) -> None:
    """Bring the help desk to so many loaded tickets; `with_words` False leaves out what only searching needs."""
    with postgres.connect("helpdesk") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET statement_timeout = 0")
        if not with_words:
            connection.execute(WITHOUT_WORDS)
        (there,) = connection.execute("SELECT count(*) FROM ticket WHERE number LIKE 'BENCH-%'").fetchone() or (0,)
        connection.execute(TICKETS, {"first": int(str(there)) + 1, "last": upto})
    with postgres.connect("helpdesk") as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE ticket")


def mark_of(postgres: Postgres, row: int) -> str:
    """Return the `?after=` that leads to the page behind this row of the list."""
    with postgres.connect("helpdesk") as connection:
        found = connection.execute(PLACE, {"row": row - 1}).fetchone()
    if found is None:
        raise ValueError(f"there are fewer than {row} tickets")
    moment, row_id = found
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{row_id}".encode()).decode().rstrip("=")  # type: ignore[attr-defined]


def make_tutorial_tables(postgres: Postgres) -> None:
    """Make the two tables that the tutorial way has of its own."""
    with postgres.connect("helpdesk") as connection:
        connection.execute(TUTORIAL)
