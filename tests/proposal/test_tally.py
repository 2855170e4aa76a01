"""The tally: whatever moves a case or changes where it counts, the sums are those of a count of everything anew."""

import random
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.proposal.model import Case, Tally, TallyChange, fold, measure
from services.proposal.queries import clock, dashboard
from services.proposal.queries.dashboard import Asked
from services.proposal.queries.tally import known, median, scope_of
from services.proposal.settings import Settings
from services.proposal.tasks import make_worker
from shared.calendar import take
from shared.database import Database, utc_now
from shared.keys import Keys
from shared.messages import CalendarChanged, CalendarDay
from shared.words import local_date
from tests.people import CITRA, GITA, ZULKIFLI
from tests.proposal.test_clock import put, random_way

CELL = ("kind", "unit", "fiscal_year", "key", "on", "days", "times", "minutes")


def folded(session: Session) -> list[Any]:
    """Return every sum, after what is new was added."""
    fold(session)
    assert not session.scalars(select(TallyChange)).all()
    return sorted(tuple(row) for row in session.execute(select(*(getattr(Tally, name) for name in CELL))))


def counted_anew(session: Session) -> list[Any]:
    """Return every sum as the migration counts what it finds."""
    session.execute(text("DELETE FROM tally"))
    for name in ("0009_figures_of_the_day", "0014_times_by_version"):
        for statement in import_module(f"services.proposal.migrations.versions.{name}").FILL:
            session.execute(text(statement))
    return sorted(tuple(row) for row in session.execute(select(*(getattr(Tally, name) for name in CELL))))


@pytest.fixture
def cases(session: Session) -> list[Case]:
    dice = random.Random(20261123)
    found = []
    for _ in range(25):
        way = random_way(dice)
        case = put(session, *way, unit=dice.choice(["BPEG", "LPPM"]), fiscal_year=dice.choice([None, 2026, 2027]))
        if len(way) > 2 and dice.random() < 0.3:
            case.live_at, case.is_taken_over = dice.choice(way[2:])[1], dice.random() < 0.2
        found.append(case)
        if dice.random() < 0.1:
            session.flush()
            fold(session)
    session.flush()
    return found


def test_the_sums_are_those_of_a_count_of_everything(session: Session, cases: list[Case]) -> None:
    sums = folded(session)

    assert sums == counted_anew(session)
    assert {row[0] for row in sums} == {"known", "standing", "back", "stay", "stay_of_year", "passed", "finished"}


def test_a_case_that_changes_its_unit_and_its_year_counts_there_with_all_that_was(
    session: Session, cases: list[Case]
) -> None:
    dice = random.Random(7)
    fold(session)
    for case in cases[:15]:
        case.unit, case.fiscal_year = dice.choice(["FST", "LPPM"]), dice.choice([None, 2026, 2028])
        if dice.random() < 0.3:
            session.flush()
    session.flush()

    assert folded(session) == counted_anew(session)


def test_a_calendar_that_changes_is_counted_anew_in_the_sums_too(session: Session, cases: list[Case]) -> None:
    before = folded(session)
    year = local_date(utc_now() - timedelta(days=200)).year
    days = tuple(
        CalendarDay(on=local_date(utc_now()).replace(year=year, month=month, day=3), name="Hari uji")
        for month in range(1, 13)
    )
    take(session, CalendarChanged(year=year, version=1, changed_at=utc_now(), days=days))
    assert measure(session, [case.id for case in cases]) > 0
    after = folded(session)

    assert after != before
    assert after == counted_anew(session)


@pytest.mark.parametrize("by", [CITRA, GITA, ZULKIFLI], ids=["centre", "planning", "unit"])
def test_folding_changes_no_figure(session: Session, cases: list[Case], by: Any) -> None:
    now = utc_now()
    asked = [Asked(), Asked(2026), Asked(unit="BPEG"), Asked(2027, "LPPM")]

    def everything() -> list[Any]:
        pages = [dashboard.figures(session, by, one, now=now).model_dump(mode="json") for one in asked]
        for page in pages:
            for panel in page["panels"]:
                del panel["counted_at"]
        return [*pages, clock.report(session, by, clock.Asked(), now=now), known(session, scope_of(by))]

    before = everything()
    fold(session)

    assert everything() == before
    fold(session)
    assert everything() == before


def test_the_worker_folds_by_itself_what_moves_have_changed(
    database_of: Callable[[str], Database], keys: Keys, state: Path
) -> None:
    database = database_of("proposal")
    with database.transaction() as session:
        put(session, *random_way(random.Random(1)))
    settings = Settings(database_url=database.url, keys_folder=state / "keys", files_folder=state / "files")
    worker = make_worker(settings)
    try:
        _, work = worker.timetable["tally"]
        work(worker.database)
    finally:
        worker.database.close()

    with database.transaction() as session:
        assert session.scalars(select(TallyChange)).all() == []
        sums = {(row.kind, row.unit, row.times) for row in session.scalars(select(Tally).where(Tally.kind == "known"))}
    assert sums == {("known", "", 1), ("known", "BPEG", 1)}


def test_the_choices_are_what_somebody_counts(session: Session, cases: list[Case]) -> None:
    cases[0].unit, cases[0].fiscal_year, cases[0].status = "FEBI", None, "submitted"
    session.flush()

    for _ in range(2):
        assert known(session, scope_of(CITRA)) == ([2026, 2027], ["BPEG", "FEBI", "LPPM"])
        assert known(session, scope_of(GITA)) == ([2026, 2027], ["BPEG", "LPPM"])
        assert known(session, scope_of(ZULKIFLI))[1] == ["LPPM"]
        fold(session)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([(3, 1)], 3),
        ([(1, 1), (4, 1)], 2.5),
        ([(9, 1), (1, 2)], 1),
        ([(2, 2), (8, 2)], 5),
        ([(1, 0)], None),
    ],
)
def test_the_median_of_values_that_occur_often(values: list[tuple[int, int]], expected: float | None) -> None:
    assert median(values) == expected
