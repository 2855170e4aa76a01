"""Due dates count the days and hours on which the office works."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.workdays import OFFICE_ZONE, Calendar, indonesian_holidays, seeded_calendar

YEARS = range(2025, 2029)
OFFICE = seeded_calendar(YEARS)
DAYS = st.dates(min_value=date(2025, 1, 1), max_value=date(2028, 6, 30))


def wib(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in November 2026; the 16th is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=OFFICE_ZONE)


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
    with pytest.raises(ValueError, match="hours"):
        closed.add_working_time(wib(16, 9), timedelta(hours=1))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (wib(19, 7, 59), False),
        (wib(19, 8), True),
        (wib(19, 12), True),
        (wib(19, 16), False),
        (wib(20, 12), False),  # Friday prayer
        (wib(20, 13), True),
        (wib(21, 9), False),
        (datetime(2026, 11, 19, 1, 30, tzinfo=UTC), True),
    ],
)
def test_the_office_opens_at_eight_and_closes_at_four(moment: datetime, is_open: bool) -> None:
    assert OFFICE.is_open(moment) is is_open


def test_a_night_and_a_weekend_cost_no_working_time() -> None:
    assert OFFICE.working_time_between(wib(20, 15), wib(23, 9)) == timedelta(hours=2)
    assert OFFICE.working_time_between(wib(23, 9), wib(20, 15)) == timedelta()


def test_eight_working_hours_from_friday_noon_end_on_monday() -> None:
    assert OFFICE.add_working_time(wib(20, 12), timedelta(hours=8)) == wib(23, 13)


def test_a_term_may_end_at_the_minute_of_closing() -> None:
    assert OFFICE.add_working_time(wib(19, 15), timedelta(hours=1)) == wib(19, 16)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 6, 1)),
    st.timedeltas(timedelta(minutes=1), timedelta(hours=80)),
)
def test_working_time_that_was_added_can_be_measured(start: datetime, duration: timedelta) -> None:
    begins = start.replace(tzinfo=UTC)

    assert OFFICE.working_time_between(begins, OFFICE.add_working_time(begins, duration)) == duration


def test_other_hours_may_be_set() -> None:
    ramadan = Calendar(frozenset(), hours=dict.fromkeys(range(5), ((time(8), time(15)),)))

    assert ramadan.is_open(wib(20, 12))
    assert not ramadan.is_open(wib(20, 15, 30))


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


def test_a_time_without_zone_has_no_working_hours() -> None:
    with pytest.raises(ValueError, match="zone"):
        OFFICE.is_open(datetime(2026, 11, 19, 9))
