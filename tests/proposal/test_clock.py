"""The time of cases: measured when a status ends, the same in every report, counted anew when the calendar changes."""

import importlib.util
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.proposal.model import Case, CaseStatus, Kind
from services.proposal.model.case import STANDS
from services.proposal.model.clock import BALL, MEASURED, OUTSIDE, STEP, measure, measure_year, step_of
from services.proposal.queries import clock, dashboard
from services.proposal.queries.clock import Asked
from services.proposal.settings import Settings
from services.proposal.tasks import make_worker
from shared import calendar
from shared.database import Database, utc_now
from shared.errors import NotAllowed
from shared.keys import Keys
from shared.messages import CalendarChanged, CalendarDay
from shared.procedure import procedure
from shared.words import WIB
from tests.counting import statements
from tests.people import ANI, CITRA, JOKO, SARI, ZULKIFLI

SOP = procedure()
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Nine o'clock in WIB."""


def put(session: Session, *way: tuple[str, datetime], **more: Any) -> Case:
    """Keep a case with the history of its statuses, moved one by one as in life."""
    first, at = way[0]
    case = Case(
        number=f"APL-2026-{uuid4().hex[:8]}", status=first, entered_at=at, kind=Kind.NEW,
        sop_version=more.pop("sop_version", 1), code=f"a{uuid4().hex}",
        name=more.pop("name", "Aplikasi uji"), unit=more.pop("unit", "BPEG"), proposer_id=ANI.id,
        proposer_name="Ani", **more,
    )  # fmt: skip
    session.add(case)
    before = ""
    for n, (status, moved_at) in enumerate(way):
        case.history.add(
            CaseStatus(
                source=before, move="m", status=status, at=moved_at, by_name="x",
                created_at=MONDAY + timedelta(microseconds=n),
            )
        )  # fmt: skip
        session.flush()
        case.status, case.entered_at, before = status, moved_at, status
    session.flush()
    return case


def after(days: int, hours: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hours)


WAY = (
    ("draft", after(-7)),
    ("submitted", after(0)),
    ("under_analysis", after(1)),
    ("awaiting_decision", after(2)),
    ("under_analysis", after(3)),
    ("awaiting_decision", after(4)),
    ("approved", after(7)),
    ("in_work_programme", after(8)),
    ("discussed", after(9)),
    ("sent_to_planning", after(10)),
    ("budgeted", after(14)),
)


def rows(session: Session, case: Case) -> list[Any]:
    asked = select(CaseStatus.__table__).where(CaseStatus.case_id == case.id)
    return list(session.execute(asked.order_by(CaseStatus.at, CaseStatus.created_at)))


def test_a_status_is_measured_when_the_next_one_comes(session: Session) -> None:
    found = rows(session, put(session, *WAY))

    assert [row.left_at for row in found] == [at for _, at in WAY[1:]] + [None]
    assert (found[1].step, found[1].worked_days, found[1].worked_minutes) == ("S01", 1, 480)
    assert found[-1].worked_minutes is None and found[-1].step == "S05" and not found[-1].ends_stay
    # From Friday to Monday, and two statuses in one step.
    assert (found[5].worked_days, found[5].ends_stay) == (1, False)
    assert (found[6].stay_days, found[6].ends_stay) == (2, True)


def test_planned_against_actual_for_each_step_and_actor(session: Session) -> None:
    found = clock.time_of(session, put(session, *WAY), now=after(15))
    lines = {line.step: line for line in found.lines}

    assert list(lines) == ["S01", "F01", "S02", "F02", "S04", "S05"]
    assert (lines["F01"].actual.days, lines["F01"].actual.rounds, lines["F01"].planned_days) == (2, 2, 10)
    assert {actor: one.total_days for actor, one in lines["S04"].actors.items()} == {"app_head": 1, "planning": 2}
    assert (lines["S04"].actual.days, lines["S04"].actual.outside_days) == (1, 2)
    assert [line.step for line in found.lines if not line.is_over] == ["S05"]
    assert (found.began_at, found.ended_at) == (after(0), None)
    assert found.total.days + found.total.outside_days == 11
    assert found.due_at is not None and found.due_at > after(14)


def test_a_case_in_use_has_reached_its_goal(session: Session) -> None:
    case = put(session, *WAY, ("in_development", after(15)), ("live", after(16)))

    found = clock.time_of(session, case, now=after(200))

    assert (found.ended_at, found.due_at) == (after(16), None)
    assert found.total == clock.time_of(session, case, now=after(20)).total


def test_every_status_that_waits_has_somebody_with_the_ball() -> None:
    assert set(BALL) | STANDS == set(SOP.statuses)
    for status, role in BALL.items():
        assert role in {one for move in SOP.moves_from(status) for one in move.roles} or status in (
            "deferred", "installed", "remediation", "suspended",
        ), status  # fmt: skip
    assert set(STEP) - set(BALL) == {"live"}


def random_way(dice: random.Random) -> list[tuple[str, datetime]]:
    at = utc_now() - timedelta(days=dice.randint(1, 700), minutes=dice.randint(0, 1440))
    way = [("draft", at)]
    for _ in range(dice.randint(1, 20)):
        targets = [move.target for move in SOP.moves_from(way[-1][0]) if move.target != "cancelled"]
        at += timedelta(minutes=dice.randint(0, 60 * 24 * 25))
        if not targets or at > utc_now():
            break
        way.append((dice.choice(targets), at))
    return way


@pytest.fixture
def ways(session: Session) -> list[list[tuple[str, datetime]]]:
    dice = random.Random(20261122)
    found = [random_way(dice) for _ in range(120)]
    for way in found:
        put(session, *way, unit=dice.choice(["BPEG", "LPPM"]))
    return found


def test_the_report_says_what_the_engine_counts_case_by_case(session: Session, ways: list[Any]) -> None:
    found = clock.report(session, SARI)
    hours = calendar.hours(session)
    own: dict[str, int] = {}
    outside: dict[str, int] = {}
    by_actor: dict[str, int] = {}
    stays: dict[str, list[int]] = {}
    for way in ways:
        for (status, at), (_, left) in pairwise(way):
            step = step_of(status)
            if step:
                to = outside if BALL.get(status) in OUTSIDE else own
                to[step] = to.get(step, 0) + hours.days(at, left)
            if status not in STANDS:
                by_actor[BALL[status]] = by_actor.get(BALL[status], 0) + hours.minutes(at, left)
        for n, (status, at) in enumerate(way):
            if n == 0 or step_of(way[n - 1][0]) != step_of(status):
                ended = next((t for s, t in way[n + 1 :] if step_of(s) != step_of(status)), None)
                if ended and step_of(status):
                    stays.setdefault(step_of(status), []).append(hours.days(at, ended))

    for row in found.steps:
        wanted = stays.get(row.step, [])
        assert (row.stays, row.median_days) == (len(wanted), median(wanted) if wanted else None), row.step
        standard = row.most_days
        assert row.late == (sum(n > standard for n in wanted) if standard else 0), row.step
        if wanted and row.step != "S09":
            assert row.outside_days * row.stays == pytest.approx(outside.get(row.step, 0)), row.step
            assert row.own_days * row.stays == pytest.approx(own.get(row.step, 0)), row.step
    assert {row.actor: row.minutes for row in found.actors} == {role.value: n for role, n in by_actor.items()}
    assert sum(row.stays for row in found.steps) > 100


def test_the_dashboard_and_the_report_have_one_definition_of_a_median(session: Session, ways: list[Any]) -> None:
    flow = dashboard.figures(session, SARI).panels[0].tables[0]
    ended = session.execute(
        select(CaseStatus.step, func.percentile_cont(0.5).within_group(CaseStatus.stay_days))
        .where(CaseStatus.ends_stay, CaseStatus.step != "")
        .where(CaseStatus.left_at >= datetime.combine(dashboard.first_day(utc_now()), time(), WIB))
        .group_by(CaseStatus.step)
    ).all()

    found = {row.cells["step"]: row.cells["closed_days"] for row in flow.rows}
    assert {step: days for step, days in found.items() if days is not None} == dict(map(tuple, ended))


def test_a_year_a_unit_and_a_division_narrow_the_report(session: Session, ways: list[Any]) -> None:
    year = utc_now().astimezone(WIB).year
    whole, years = clock.report(session, SARI), [clock.report(session, SARI, Asked(year=year - n)) for n in range(3)]
    units = [clock.report(session, SARI, Asked(unit=unit)) for unit in ("BPEG", "LPPM")]

    for n, row in enumerate(whole.steps):
        assert sum(one.steps[n].stays for one in years) == row.stays
        assert sum(one.steps[n].stays for one in units) == row.stays
    security = clock.report(session, SARI, Asked(division="security"))
    assert {row.division for row in security.steps} == {"security"}
    assert {row.actor for row in security.actors} <= {"security_staff", "security_head", "infra_staff"}


def test_a_unit_sees_its_own_time_and_a_vendor_none(session: Session, ways: list[Any]) -> None:
    session.execute(text("UPDATE application_case SET proposer_id = gen_random_uuid()"))
    mine, whole = clock.report(session, ZULKIFLI), clock.report(session, SARI, Asked(unit="LPPM"))

    assert mine.steps == whole.steps
    with pytest.raises(NotAllowed):
        clock.report(session, JOKO)


def test_the_report_asks_a_fixed_number_of_questions(session: Session, ways: list[Any]) -> None:
    clock.report(session, CITRA)
    with statements(session.get_bind().engine) as sent:
        clock.report(session, CITRA)

    assert len(sent) == 2


# --- the calendar changes ------------------------------------------------------------------------------------------


def closed(year: int, version: int, *days: date) -> CalendarChanged:
    told = tuple(CalendarDay(on=on, name="Hari uji") for on in days)
    return CalendarChanged(year=year, version=version, changed_at=utc_now(), days=told)


def test_a_changed_calendar_is_counted_anew_by_a_job(
    database_of: Callable[[str], Database], keys: Keys, state: Any
) -> None:
    database = database_of("proposal")
    with database.transaction() as session:
        case = put(session, *WAY)
        before = rows(session, case)[1]
    settings = Settings(database_url=database.url, keys_folder=state / "keys", files_folder=state / "files")
    worker = make_worker(settings)
    try:
        with database.transaction() as session:
            note = worker.handlers["CalendarChanged"].call
            note(session, closed(2026, 1, date(2026, 3, 3)), None)  # type: ignore[arg-type]
            job_id = session.scalar(text("SELECT id FROM msg.job WHERE kind = 'measure_year'"))
        assert worker.run(job_id) == "done"
        with database.transaction() as session:
            after_it = rows(session, case)[1]
    finally:
        worker.database.close()

    assert (before.worked_days, before.worked_minutes) == (1, 480)
    # Tuesday is closed now: the day of the move is none, and Monday's hours remain.
    assert (after_it.worked_days, after_it.worked_minutes) == (0, 420)


def test_only_cases_of_that_year_are_counted_anew(session: Session) -> None:
    put(session, *WAY)

    assert measure_year(session, 2024) is None
    touched = measure_year(session, 2026)
    assert touched is not None and measure_year(session, 2026, touched) is None


def test_measuring_again_changes_nothing(session: Session, ways: list[Any]) -> None:
    everyone = session.scalars(select(Case.id)).all()

    assert measure(session, everyone) == 0


def test_the_migration_measures_what_was_there_before(database_of: Callable[[str], Database]) -> None:
    database = database_of("proposal")
    dice = random.Random(5)
    with database.transaction() as session:
        for _ in range(10):
            put(session, *random_way(dice))
        columns = ", ".join(MEASURED)
        expected = session.execute(text(f"SELECT id, {columns} FROM case_status ORDER BY id")).all()
        session.execute(
            text(
                "UPDATE case_status SET step = '', left_at = NULL, worked_minutes = NULL, worked_days = NULL,"
                " stay_minutes = NULL, stay_days = NULL, ends_stay = false"
            )
        )
        _fill(session)
        assert session.execute(text(f"SELECT id, {columns} FROM case_status ORDER BY id")).all() == expected


def _fill(session: Session) -> None:
    """Run what the migration runs over the rows that it finds."""
    path = Path(__file__).parents[2] / "services/proposal/migrations/versions/0007_clock_of_the_case.py"
    spec = importlib.util.spec_from_file_location("clock_migration", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with Operations.context(MigrationContext.configure(session.connection())):
        spec.loader.exec_module(module)
        module._fill()
