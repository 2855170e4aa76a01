"""Due dates count the days and hours on which the office works."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.workdays import Calendar, indonesian_holidays, seeded_calendar

YEARS = range(2025, 2029)
OFFICE = seeded_calendar(YEARS)
DAYS = st.dates(min_value=date(2025, 1, 1), max_value=date(2028, 6, 30))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 20), True),  # Friday
        (date(2026, 11, 21), False),  # Saturday
        (date(2026, 11, 22), False),  # Sunday
        (date(2026, 3, 19), False),  # Nyepi
        (date(2026, 3, 20), False),  # collective leave before Idul Fitri
        (date(2026, 3, 24), False),  # collective leave after it
        (date(2026, 3, 25), True),
    ],
)
def test_weekends_holidays_and_collective_leave_are_no_working_days(day: date, works: bool) -> None:
    assert OFFICE.is_working_day(day) is works


def test_the_day_of_filing_is_not_counted() -> None:
    assert OFFICE.add_working_days(date(2026, 11, 16), 3) == date(2026, 11, 19)


def test_a_term_jumps_over_the_long_idul_fitri_holiday() -> None:
    assert OFFICE.add_working_days(date(2026, 3, 17), 1) == date(2026, 3, 25)


def test_zero_days_from_a_sunday_is_monday() -> None:
    assert OFFICE.add_working_days(date(2026, 11, 22), 0) == date(2026, 11, 23)
    assert OFFICE.add_working_days(date(2026, 11, 23), 0) == date(2026, 11, 23)


def test_days_late_are_counted_below_zero() -> None:
    assert OFFICE.working_days_between(date(2026, 11, 23), date(2026, 11, 19)) == -2


@given(DAYS, st.integers(min_value=1, max_value=60))
def test_counting_back_gives_the_term_that_was_added(start: date, count: int) -> None:
    due = OFFICE.add_working_days(start, count)

    assert OFFICE.is_working_day(due)
    assert OFFICE.working_days_between(start, due) == count


def test_a_list_without_any_working_day_is_refused_not_searched_for_ever() -> None:
    closed = Calendar(frozenset(), hours={})

    with pytest.raises(ValueError, match="holidays"):
        closed.add_working_days(date(2026, 11, 16), 1)


def test_the_office_opens_at_eight_and_closes_at_four_and_pauses_for_friday_prayer() -> None:
    assert OFFICE.hours_on(date(2026, 11, 19)) == ((time(8), time(16)),)
    assert OFFICE.hours_on(date(2026, 11, 20)) == ((time(8), time(11, 30)), (time(13), time(16)))
    assert OFFICE.hours_on(date(2026, 11, 21)) == ()


def test_holidays_are_listed_once_each_in_order_with_their_kind() -> None:
    listed = indonesian_holidays([2026])

    assert [holiday.on for holiday in listed] == sorted({holiday.on for holiday in listed})
    assert {holiday.kind for holiday in listed if holiday.on == date(2026, 12, 24)} == {"collective_leave"}
    assert {holiday.kind for holiday in listed if holiday.on == date(2026, 12, 25)} == {"national"}
    assert not any(holiday.is_estimate for holiday in listed)


def test_movable_days_without_a_decree_are_marked_as_estimates() -> None:
    estimates = {holiday.name: holiday.is_estimate for holiday in indonesian_holidays([2032])}

    assert estimates["Hari Raya Idul Fitri"]
    assert estimates["Tahun Baru Imlek"]
    assert not estimates["Hari Kemerdekaan Republik Indonesia"]
    assert not estimates["Wafat Yesus Kristus"]
    assert not any("perkiraan" in name for name in estimates)
