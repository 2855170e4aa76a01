"""Many tickets in the help desk's own table, and what the tutorial way needs beside them."""

import base64

from alur.embedded import Postgres

TITLE = "Tidak dapat masuk setelah pembaruan"
BODY = "Muncul halaman kosong setelah menekan tombol masuk; kemarin masih dapat."
"""What a ticket says that is made again and again."""
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
CASE = "SELECT id, number, code, name, unit FROM application_case WHERE status = 'live' ORDER BY number LIMIT 1"
IN_USE = """
    INSERT INTO live_application (
        case_id, case_number, code, name, unit, release_number, digest, address, is_suspended, live_since
    )
    VALUES (%s, %s, %s, %s, %s, 1, repeat('0', 64), 'https://contoh.example.test', false, now())
"""
"""What the help desk would have been told when the demo campus' application went live."""
PLACE = "SELECT created_at, id FROM ticket ORDER BY created_at DESC, id DESC OFFSET %(row)s LIMIT 1"
TUTORIAL = """
    CREATE TABLE IF NOT EXISTS tutorial_user (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE IF NOT EXISTS tutorial_outbox (id bigserial PRIMARY KEY, body jsonb NOT NULL);
    INSERT INTO tutorial_user VALUES (1, 'Pengguna Contoh') ON CONFLICT DO NOTHING;
    GRANT ALL ON tutorial_user, tutorial_outbox TO helpdesk;
    GRANT ALL ON SEQUENCE tutorial_outbox_id_seq TO helpdesk;
"""


def prepare(postgres: Postgres, *, few: int) -> str:
    """See that an application is in use, and load the first tickets; return the application's code."""
    with postgres.connect("proposal") as proposal, postgres.connect("helpdesk") as helpdesk:
        if helpdesk.execute("SELECT 1 FROM live_application LIMIT 1").fetchone() is None:
            helpdesk.execute(IN_USE, proposal.execute(CASE).fetchone())
        (code,) = helpdesk.execute("SELECT code FROM live_application ORDER BY code LIMIT 1").fetchone() or ("",)
    fill(postgres, upto=few, with_words=True)
    return str(code)


def ticket_id(postgres: Postgres) -> str:
    """Return the id of one of the first tickets."""
    with postgres.connect("helpdesk") as connection:
        (found,) = connection.execute("SELECT id FROM ticket WHERE number = 'BENCH-500'").fetchone() or ("",)
    return str(found)


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
