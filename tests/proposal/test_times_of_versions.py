"""Late is what passed the times of the case's own version of the SOP, and the total time is told beside its plan."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from services.proposal import queries
from services.proposal.model import Case, Office, ProcedureVersion, fold
from services.proposal.model import sop as model
from services.proposal.queries import clock, dashboard
from services.proposal.queries.clock import Asked
from services.proposal.queries.dashboard import narrowed
from services.proposal.queries.sop import measured, version
from shared.calendar import calendar, hours
from shared.database import utc_now
from shared.procedure import SHIPPED, procedure, span
from shared.words import WIB, local_date
from tests.counting import statements
from tests.people import ANI, BUDI, SARI
from tests.proposal.test_clock import put
from tests.proposal.test_doors import House, house
from tests.proposal.test_sop import published, squeezed, words_of
from tests.proposal.walk import Walk

__all__ = ["house"]


def ago(walk: Walk, working_days: int) -> datetime:
    """Return a moment after which so many working days have passed up to today."""
    known, on = calendar(walk.session), local_date(utc_now())
    day = on
    while known.working_days_between(day, on) < working_days:
        day -= timedelta(days=1)
    return datetime(day.year, day.month, day.day, 1, tzinfo=WIB)


def stood(walk: Walk, status: str, working_days: int, sop_version: int) -> Case:
    """Return a case of a version that has stood in a status for so many working days."""
    at = ago(walk, working_days)
    return put(walk.session, ("draft", at - timedelta(days=1)), (status, at), sop_version=sop_version)


def steps(walk: Walk) -> dict[Any, dict[str, Any]]:
    rows = dashboard.figures(walk.session, SARI).panels[0].tables[0].rows
    return {row.cells["step"]: dict(row.cells) for row in rows}


@pytest.fixture
def four(walk: Walk, office: Office) -> Iterator[tuple[int, list[Case]]]:
    """A version that gives the first step one working day instead of three, and cases under both of two and of five."""
    new = published(walk, office, time_value=1)
    cases = [stood(walk, "submitted", days, number) for number in (SHIPPED, new) for days in (2, 5)]
    yield new, cases


def test_dashboard_list_and_page_judge_a_case_by_its_own_version(walk: Walk, four: tuple[int, list[Case]]) -> None:
    _, cases = four
    late = [cases[1].number, cases[2].number, cases[3].number]

    for _ in range(2):
        flow, rows = steps(walk), dashboard.figures(walk.session, SARI).panels[1].tables[0].rows
        listed = queries.cases(walk.session, SARI, more=narrowed(walk.session, only_late=True))

        assert (flow["S01"]["standing"], flow["S01"]["late"], flow["S01"]["standard"]) == (4, 3, "1")
        assert [row.cells["over"] for row in rows] == [4, 2, 1]
        assert {case.number for case in listed} == set(late)
        assert [case.number for case in cases if queries.pace(case).is_late] == late
        # The sums say the same when they were folded.
        fold(walk.session)


def test_a_case_whose_version_is_gone_is_judged_by_the_shipped_one(walk: Walk, four: tuple[int, list[Case]]) -> None:
    new, cases = four
    walk.session.execute(delete(ProcedureVersion).where(ProcedureVersion.version == new))
    walk.session.info.clear()

    assert steps(walk)["S01"]["late"] == 2
    listed = queries.cases(walk.session, SARI, more=narrowed(walk.session, only_late=True))
    assert {case.number for case in listed} == {cases[1].number, cases[3].number}


def test_several_versions_are_read_in_one_question(walk: Walk, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_kept", {})
    versions = [published(walk, office, time_value=days) for days in (1, 7)]
    walk.session.info.clear()

    with statements(walk.session.get_bind().engine) as sent:
        found = model.procedures(walk.session, [SHIPPED, *versions])

    assert [one.steps["S01"].working_days for one in found.values()] == [3, 1, 7]
    assert len(sent) == 1


def test_a_standard_that_is_a_range_is_passed_at_its_end(walk: Walk) -> None:
    step = procedure().steps["S05"]
    within, beyond = (stood(walk, "in_development", days, SHIPPED) for days in (step.most_days, step.most_days + 1))

    assert (step.days, step.working_days < step.most_days) == ("66–132", True)
    assert (queries.pace(within).is_late, queries.pace(beyond).is_late) == (False, True)
    assert (steps(walk)["S05"]["late"], steps(walk)["S05"]["standard"]) == (1, "66–132")
    assert clock.time_of(walk.session, within).due_at == hours(walk.session).due_days(within.entered_at, 132)


def finished(walk: Walk, days: int, sop_version: int = SHIPPED) -> Case:
    """Return a case that came into use today, so many working days after it was submitted, half of them outside."""
    end = utc_now()
    way = (ago(walk, days), "submitted"), (ago(walk, days - days // 2), "in_development"), (end, "live")
    case = put(walk.session, ("draft", way[0][0]), *((status, at) for at, status in way), sop_version=sop_version)
    case.live_at = end
    walk.session.flush()
    return case


def test_the_total_time_of_a_case_stands_beside_the_plan_of_its_version(walk: Walk, office: Office) -> None:
    least, most = procedure().total_days
    new = published(walk, office, time_value=1)
    old, quick = finished(walk, most + 3), finished(walk, most + 3, new)

    found, other = clock.time_of(walk.session, old), clock.time_of(walk.session, quick)

    assert (found.planned_days, other.planned_days) == ((least, most), (least - 2, most - 2))
    assert (found.until_use.total_days, found.over_days, other.over_days) == (most + 3, 3, 5)
    assert found.until_use.outside_days == (most + 4) // 2
    assert found.is_in_use
    # What comes after use is none of it.
    put_back = clock.time_of(walk.session, old, now=utc_now() + timedelta(days=40))
    assert put_back.until_use.total_days == most + 3


def test_a_case_that_was_taken_over_has_no_planned_total(walk: Walk) -> None:
    case = stood(walk, "in_development", 5, SHIPPED)
    case.is_taken_over = True
    walk.session.flush()

    found = clock.time_of(walk.session, case)

    assert (found.planned_days, found.over_days, found.until_use.total_days) == ((0, 0), 0, 5)


def test_the_report_tells_the_median_of_the_total_beside_its_plan_and_how_many_passed_it(
    walk: Walk, office: Office
) -> None:
    most = procedure().total_days[1]
    new = published(walk, office, time_value=1)
    for days, sop_version in ((4, SHIPPED), (most - 1, SHIPPED), (most - 1, new), (most + 1, new)):
        finished(walk, days, sop_version)

    for _ in range(2):
        found = clock.report(walk.session, SARI, Asked(year=local_date(utc_now()).year))

        assert (found.finished, found.total_days, found.total_late) == (4, most - 1, 2)
        assert found.planned_days == version(walk.session, SARI, new).wording.as_procedure(new).total_days
        fold(walk.session)


def test_a_stay_that_is_over_is_judged_by_the_version_of_its_case(walk: Walk, four: tuple[int, list[Case]]) -> None:
    for case in four[1]:
        case.move("accept", by_id=BUDI.id, by_name=BUDI.name)
    walk.session.flush()

    [row] = [one for one in clock.report(walk.session, SARI).steps if one.step == "S01"]

    assert (row.stays, row.late, row.standard) == (4, 3, "1")


def test_the_printed_sop_tells_the_measured_total_of_the_last_twelve_months(walk: Walk, office: Office) -> None:
    finished(walk, 10)
    finished(walk, 15)
    long_ago = finished(walk, 30)
    long_ago.live_at = utc_now() - timedelta(days=800)
    walk.session.flush()

    found = measured(walk.session)
    row = version(walk.session, ANI, published(walk, office)).row

    assert found.total and (found.total.count, found.total.median_days) == (2, 12.5)
    assert row
    with office.store.open(row.paper_digest) as file:
        printed = words_of(file.read())
    assert squeezed(f"{span(*procedure().total_days)} hari kerja 12,5 hari kerja (n = 2)") in printed


def test_pages_and_the_json_door_tell_the_total(house: House) -> None:
    case = house.walked("recommended")
    year = local_date(utc_now()).year

    page, told = (
        house.ask(BUDI, "GET", f"/perkara/{case.number}"),
        house.ask(BUDI, "GET", f"/api/cases/{case.number}/time"),
    )
    sop, report = house.ask(BUDI, "GET", "/sop"), house.ask(BUDI, "GET", f"/api/case-time?year={year}").json()

    planned = list(procedure().total_days)
    assert f"rencana {span(*planned)} hari kerja" in page.text
    assert (told.json()["planned_days"], told.json()["is_in_use"]) == (planned, False)
    assert f"Total waktu dari usulan sampai digunakan: {span(*planned)} hari kerja." in sop.text
    assert "Terukur: belum ada" in sop.text
    assert (report["planned_days"], report["total_late"], report["finished"]) == (planned, 0, 0)
