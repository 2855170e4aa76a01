"""Working days between two dates as a subtraction: every day with the running number of working days up to it.

Counting day by day is right for one case and too slow for a hundred thousand. The same numbers serve a database: as
two arrays they are joined to the rows, and the difference of two numbers is what `Calendar.working_days_between` says.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.workdays import Calendar


@dataclass(frozen=True)
class DayNumbers:
    """Consecutive days from `first`, each with the number of working days after `first` up to and including it."""

    first: date
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, calendar: Calendar, first: date, last: date) -> "DayNumbers":
        """Number the days from `first` to `last`; raise ValueError when `last` lies before."""
        if last < first:
            raise ValueError("the last day lies before the first")
        counted, numbers = 0, [0]
        for n in range(1, (last - first).days + 1):
            counted += calendar.is_working_day(first + timedelta(days=n))
            numbers.append(counted)
        return cls(first, tuple(numbers))

    @property
    def days(self) -> list[date]:
        """Return the days, in the order of their numbers."""
        return [self.first + timedelta(days=n) for n in range(len(self.numbers))]

    def number(self, day: date) -> int:
        """Return the number of a day; one outside takes that of the nearest day that is known."""
        return self.numbers[min(max((day - self.first).days, 0), len(self.numbers) - 1)]

    def between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`, as the calendar does."""
        return self.number(end) - self.number(start)
