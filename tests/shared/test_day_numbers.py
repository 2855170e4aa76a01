"""Numbered days: a subtraction says what the calendar counts day by day."""

import random
from datetime import date, timedelta

import pytest

from shared.day_numbers import DayNumbers
from shared.workdays import seeded_calendar

CALENDAR = seeded_calendar(range(2024, 2028))
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
NUMBERS = DayNumbers.of(CALENDAR, FIRST, LAST)


def test_a_subtraction_counts_what_the_calendar_counts() -> None:
    dice = random.Random(3)
    span = (LAST - FIRST).days
    for _ in range(400):
        start, end = sorted(FIRST + timedelta(days=dice.randint(0, span)) for _ in range(2))
        assert NUMBERS.between(start, end) == CALENDAR.working_days_between(start, end)


def test_a_day_before_the_first_counts_as_the_first() -> None:
    assert NUMBERS.between(date(1999, 1, 1), LAST) == NUMBERS.between(FIRST, LAST)


def test_every_day_has_its_number() -> None:
    assert len(NUMBERS.days) == len(NUMBERS.numbers) == (LAST - FIRST).days + 1
    assert NUMBERS.days[-1] == LAST


def test_days_cannot_end_before_they_begin() -> None:
    with pytest.raises(ValueError, match="before"):
        DayNumbers.of(CALENDAR, LAST, FIRST)
