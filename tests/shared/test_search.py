"""Reading questions, hostile ones too; stems, prefixes, slips of the pen; and that the indexes answer."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text, true
from sqlalchemy.orm import Session

from services.helpdesk.model import TICKETS_SEARCHED, Ticket
from services.helpdesk.queries.search import TICKET
from shared import search
from shared.database import Database
from shared.search import Hit, read
from tests.counting import statements

ROWS = 20_000


@pytest.fixture(scope="module")
def many(shared_databases: Callable[[str], Database]) -> Iterator[Session]:
    """Return a session on a helpdesk of many tickets, which no other session sees and which go with it."""
    with shared_databases("helpdesk").session() as session:
        fill(session)
        search.limit_time(session)
        yield session
        session.rollback()


def fill(session: Session) -> None:
    session.execute(
        text("""
        INSERT INTO live_application (case_id, case_number, code, name, unit, release_number, digest, address,
                                      is_suspended, live_since)
        SELECT gen_random_uuid(), 'PRK-2026-' || lpad(n::text, 5, '0'), 'apl-' || n, 'Aplikasi ' || n, 'BPEG', 1, '',
               '', false, now()
        FROM generate_series(1, 50) n
        """)
    )
    session.execute(
        text("""
        INSERT INTO ticket (id, created_at, number, case_id, release_number, title, body, category, priority, status,
                            reporter_id, reporter_name, assignee_name)
        SELECT gen_random_uuid(), now() - n * interval '1 minute', 'TKT-2026-' || lpad(n::text, 5, '0'), a.case_id, 1,
               CASE WHEN n = 777 THEN 'Cuti kepegawaian hilang' ELSE 'Keluhan ' || md5(n::text) END,
               'Isi ' || md5(n::text || 'isi'), 'gangguan', 'low', 'new', gen_random_uuid(), 'Seseorang', ''
        FROM generate_series(1, :rows) n
        JOIN live_application a ON a.code = 'apl-' || (n % 50 + 1)
        """),
        {"rows": ROWS},
    )
    # What the housekeeping of a database in use does by itself.
    for index in ("ix_ticket_search_words", "ix_ticket_near"):
        session.execute(text(f"SELECT gin_clean_pending_list('{index}')"))
    session.execute(text("ANALYZE ticket, live_application"))


def found(session: Session, question: str) -> list[Hit]:
    asked = read(question)
    assert asked
    return search.hits(session, asked, TICKET, true())


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("  Café   KEPEGAWAIAN ", ("cafe", "kepegawaian")),
        ("PRK-2026-0007", ("prk", "2026", "0007")),
        ("B-0412/Un.99/TI", ("b", "0412", "un", "99", "ti")),
        ("'; DROP TABLE ticket; --", ("drop", "table", "ticket")),
        ("100%_a", ("100", "a")),
        ("a\x00b 🙂", ("a", "b")),
    ],
)
def test_a_question_is_read_as_words(question: str, words: tuple[str, ...]) -> None:
    asked = read(question)

    assert asked is not None and asked.words == words


@pytest.mark.parametrize("question", ["", "   ", "%", "_", "🙂", "\x00", "'\"", "-", "((("])
def test_a_question_without_words_is_none(question: str) -> None:
    assert read(question) is None


def test_a_question_is_bounded() -> None:
    asked = read("kata lain " * 1000 + "x" * 10_000)

    assert asked is not None and len(asked.typed) <= search.LONGEST and len(asked.words) <= search.MOST_WORDS


@pytest.mark.parametrize(
    "question",
    [
        "' OR 1=1 --",
        '"tidak ditutup',
        "a & b | !c:*",
        "a <-> & ((b",
        "kata -lain",
        '"satu dua" or tiga -empat',
        "%_% a",
        "\\ \\' x",
        "👩‍💻 kode",
        "ﷺ الله ق",
        "x" * 10_000,
        "1e5 0x1F 3d .5",
        "dan yang di",
        "a\x00b",
        ":* x:*",
    ],
)
def test_hostile_questions_only_find_nothing(many: Session, question: str) -> None:
    assert len(found(many, question)) <= search.MOST_HITS


@pytest.mark.parametrize(
    ("question", "match"),
    [
        ("kepegawaian", "words"),
        ("KEPEGAWAIAN cuti", "words"),
        ("kepeg", "words"),
        ("cuti kepe", "words"),
        ('"cuti kepegawaian"', "words"),
        ("cuti -izin", "words"),
        ("hilangnya", "words"),
        ("kepegwaian", "near"),
        ("cuti kepegwaian", "near"),
        ("TKT-2026-00777", "number"),
        ("00777/2026", "number"),
        ("tkt 2026.00777", "number"),
    ],
)
def test_one_ticket_of_many_is_found_first(many: Session, question: str, match: str) -> None:
    first = found(many, question)[0]

    assert (first.number, first.match) == ("TKT-2026-00777", match)


def test_a_wrong_number_is_no_slip_of_the_pen(many: Session) -> None:
    assert found(many, "TKT-2026-99999") == []


def test_one_statement_at_most_twenty_hits_and_the_same_order_again(many: Session) -> None:
    with statements(many.get_bind()) as sent:
        hits = found(many, "keluhan")

    assert len(sent) == 1 and len(hits) == search.MOST_HITS and hits == found(many, "keluhan")
    assert [hit.number for hit in hits] == sorted(hit.number for hit in hits), "equals: the newest first"


@pytest.mark.parametrize("question", ["kepegawaian", "kepegwaian", "00777/2026", "kepeg"])
def test_the_indexes_answer_and_the_table_is_not_read_whole(many: Session, question: str) -> None:
    asked = read(question)
    assert asked
    wanted = select(Ticket.id).where(TICKETS_SEARCHED.found(asked))
    compiled = wanted.compile(many.connection().engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join(many.connection().exec_driver_sql(f"EXPLAIN {compiled}").scalars())

    assert "ix_ticket_search_words" in plan and "Seq Scan on ticket" not in plan, plan


def test_a_search_that_takes_too_long_is_ended(many: Session) -> None:
    assert many.scalar(text("SHOW statement_timeout")) == "2s"
