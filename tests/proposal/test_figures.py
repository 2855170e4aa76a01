"""The flow of all cases: every figure equals a count by hand over random histories."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.model import Case, CaseStatus, Kind
from services.proposal.model.case import AT_REST, STANDS
from services.proposal.queries import dashboard
from services.proposal.queries.case import CLOCK, standard_of
from services.proposal.queries.dashboard import Asked, first_day, narrowed
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.figures import Figures, Table
from shared.procedure import STATION, procedure
from shared.words import local_date
from shared.workdays import seeded_calendar
from tests.counting import statements
from tests.people import ANI, CITRA, GITA, JOKO, SARI, ZULKIFLI

NOW = utc_now()
CALENDAR = seeded_calendar(range(NOW.year - 4, local_date(NOW).year + 1))
SOP = procedure()


def put(session: Session, way: list[tuple[str, datetime]], **more: Any) -> Case:
    """Keep a case with the history of its statuses."""
    number = f"APL-2026-{uuid4().hex[:8]}"
    case = Case(
        number=number, status=way[-1][0], entered_at=way[-1][1], sop_version=1, kind=Kind.NEW, code=f"a{uuid4().hex}",
        name=more.pop("name", "Aplikasi uji"), unit=more.pop("unit", "BPEG"), proposer_id=ANI.id, proposer_name="Ani",
        **more,
    )  # fmt: skip
    session.add(case)
    session.flush()
    before = ""
    for n, (status, at) in enumerate(way):
        session.add(
            CaseStatus(
                case_id=case.id, source=before, move="m", status=status, at=at, by_name="x",
                created_at=NOW + timedelta(microseconds=n),
            )
        )  # fmt: skip
        before = status
    session.flush()
    return case


def random_way(dice: random.Random) -> list[tuple[str, datetime]]:
    """Return a walk through the procedure's own moves, each some days after the one before."""
    at = NOW - timedelta(days=dice.randint(1, 900), hours=dice.randint(0, 23))
    way = [("draft", at)]
    for _ in range(dice.randint(0, 25)):
        moves = SOP.moves_from(way[-1][0])
        at += timedelta(days=dice.randint(0, 40), minutes=dice.randint(0, 1440))
        if not moves or at > NOW:
            break
        targets = [move.target for move in moves]
        if dice.random() < 0.95:
            # Any status may be cancelled; a walk that always might would not come far.
            targets = [target for target in targets if target != "cancelled"] or targets
        way.append((dice.choice(targets), at))
    return way


@pytest.fixture(scope="module")
def ways() -> list[tuple[list[tuple[str, datetime]], str, int | None]]:
    dice = random.Random(20261122)
    return [
        (random_way(dice), dice.choice(["BPEG", "LPPM", "FST"]), dice.choice([None, 2026, 2027])) for _ in range(250)
    ]


@pytest.fixture
def session(sessions: Callable[[str], Session], ways: Any) -> Session:
    found = sessions("proposal")
    for way, unit, year in ways:
        put(found, way, unit=unit, fiscal_year=year)
    return found


def days(start: datetime, end: datetime) -> int:
    return CALENDAR.working_days_between(local_date(start), local_date(end))


def by_hand(ways: list[Any]) -> dict[str, dict[str, Any]]:
    """Count the steps as the dashboard promises to."""
    counted: dict[str, dict[str, Any]] = {s: {"standing": 0, "late": 0, "closed": [], "running": []} for s in SOP.steps}
    for way, _unit, _year in ways:
        status, entered = way[-1]
        if status not in AT_REST:
            at_step = counted[CLOCK[status]]
            at_step["standing"] += 1
            if status not in STANDS:
                at_step["running"].append(days(entered, NOW))
            at_step["late"] += days(entered, NOW) > (standard_of(status, SOP) or 10_000)
        stays: list[tuple[str, datetime]] = []
        for status, at in way:
            step = "" if status in AT_REST else CLOCK[status]
            if not stays or stays[-1][0] != step:
                stays.append((step, at))
        for (step, at), (_, left) in pairwise(stays):
            if step and local_date(left) >= first_day(NOW):
                counted[step]["closed"].append(days(at, left))
    return counted


def steps(found: Figures) -> Table:
    return found.panels[0].tables[0]


def check(found: Figures, ways: list[Any]) -> None:
    expected = by_hand(ways)
    for row in steps(found).rows:
        step = str(row.cells["step"])
        if row.cells["standing"] is None:
            continue
        wanted = expected[step]
        assert row.cells["standing"] == wanted["standing"], step
        assert row.cells["late"] == wanted["late"], step
        assert row.cells["closed"] == len(wanted["closed"]), step
        assert row.cells["closed_days"] == (median(wanted["closed"]) if wanted["closed"] else None), step
        assert row.cells["running_days"] == (median(wanted["running"]) if wanted["running"] else None), step


def test_every_figure_of_the_flow_equals_a_count_by_hand(session: Session, ways: list[Any]) -> None:
    found = dashboard.figures(session, SARI, now=NOW)

    check(found, ways)
    assert sum(row.cells["standing"] or 0 for row in steps(found).rows) > 50  # type: ignore[misc]


def test_narrowed_to_a_year_and_a_unit_it_still_does(session: Session, ways: list[Any]) -> None:
    for asked in (Asked(2027), Asked(unit="LPPM"), Asked(2026, "FST")):
        some = [w for w in ways if asked.unit in ("", w[1]) and asked.fiscal_year in (None, w[2])]
        check(dashboard.figures(session, SARI, asked, now=NOW), some)


def test_ways_back_are_counted_as_the_line_of_one_case_does(session: Session, ways: list[Any]) -> None:
    expected: dict[tuple[str, str], int] = {}
    for way, _unit, _year in ways:
        for (source, _), (target, at) in pairwise(way):
            ends = STATION[source], STATION[target]
            if local_date(at) >= first_day(NOW) and ends[1] < ends[0] and target != "cancelled":
                expected[ends] = expected.get(ends, 0) + 1
    plot = steps(dashboard.figures(session, SARI, now=NOW)).plot

    assert plot and {(one.source, one.target): one.times for one in plot.returns} == expected
    assert expected


def test_the_list_behind_a_number_holds_as_many_cases(session: Session) -> None:
    late = 0
    for row in steps(dashboard.figures(session, SARI, now=NOW)).rows:
        if row.cells["standing"] is not None:
            listed = queries.cases(session, SARI, more=narrowed(session, step=str(row.cells["step"])), limit=1000)
            assert len(listed) == row.cells["standing"]
            late += row.cells["late"]  # type: ignore[operator]
    listed = queries.cases(session, SARI, more=narrowed(session, only_late=True), limit=1000)

    assert len(listed) == late > 0
    assert all(queries.pace(case).is_late for case in listed)


def test_the_most_late_stand_first_with_whose_turn_it_is(session: Session, ways: list[Any]) -> None:
    table = dashboard.figures(session, SARI, now=NOW).panels[1].tables[0]
    over = [days(way[-1][1], NOW) - standard for way, _, _ in ways if (standard := standard_of(way[-1][0], SOP))]

    assert [row.cells["over"] for row in table.rows] == sorted((n for n in over if n > 0), reverse=True)[:10]
    assert all(row.cells["turn"] and row.path.startswith("/perkara/APL-") for row in table.rows)


def test_a_unit_counts_its_own_cases_only(sessions: Callable[[str], Session], ways: list[Any]) -> None:
    session = sessions("proposal")
    for way, unit, year in ways:
        case = put(session, way, unit=unit, fiscal_year=year)
        case.proposer_id = uuid4()
    session.flush()

    check(dashboard.figures(session, ZULKIFLI, now=NOW), [w for w in ways if w[1] == "LPPM"])


def test_a_proposer_is_told_of_the_unit_even_where_they_proposed_for_others(session: Session, ways: list[Any]) -> None:
    found = dashboard.figures(session, ANI, Asked(unit="LPPM"), now=NOW)

    check(found, [w for w in ways if w[1] == "BPEG"])
    assert "unit" not in [choice.key for choice in found.choices]
    assert {row.cells["unit"] for row in found.panels[1].tables[0].rows} == {"BPEG"}


def test_planning_counts_what_stands_in_a_work_programme(session: Session, ways: list[Any]) -> None:
    check(dashboard.figures(session, GITA, now=NOW), [w for w in ways if w[2] is not None])


def test_a_vendor_is_told_nothing(session: Session) -> None:
    with pytest.raises(NotAllowed):
        dashboard.figures(session, JOKO)


def test_it_costs_the_same_however_many_cases_there_are(session: Session) -> None:
    dashboard.figures(session, CITRA)
    with statements(session.get_bind().engine) as sent:
        dashboard.figures(session, CITRA)

    assert len(sent) == 4


def test_without_a_case_the_map_says_what_will_stand_here(sessions: Callable[[str], Session]) -> None:
    found = dashboard.figures(sessions("proposal"), CITRA)

    assert not steps(found).rows
    assert "setelah usulan pertama" in steps(found).empty
