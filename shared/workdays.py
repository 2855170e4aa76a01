"""Working days and working hours of the office: Monday to Friday without holidays and collective leave.

Pure: a `Calendar` is made from the holidays it is given (the administrator edits the list each year, because
the government's decree moves Islamic dates) and touches neither clock nor database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final, Literal

HolidayKind = Literal["national", "collective_leave"]
Span = tuple[time, time]

DAYS_AHEAD: Final = 366 * 20
"""How far a date is searched: a list that makes every day a holiday must not hang the caller."""

_ESTIMATED: Final = "(perkiraan)"
# These fall on the same day each year; all others are moved by the moon or by decree.
_FIXED_DAYS: Final = frozenset({(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)})
_EASTER_NAMES: Final = ("Wafat Yesus Kristus", "Kebangkitan Yesus Kristus", "Kenaikan Yesus Kristus")

DEFAULT_HOURS: Final[Mapping[int, tuple[Span, ...]]] = {
    **dict.fromkeys(range(4), ((time(8), time(16)),)),
    4: ((time(8), time(11, 30)), (time(13), time(16))),
}
"""Open spans for each weekday (0 = Monday); Friday has the prayer break (domain §6, our proposal)."""


@dataclass(frozen=True, order=True)
class Holiday:
    """A day on which the office is closed."""

    on: date
    name: str
    kind: HolidayKind
    is_estimate: bool
    """True while no decree confirms the date; the administrator is asked to check it."""


@dataclass(frozen=True)
class SpecialHours:
    """Other hours on the days from one date up to and including another: those of Ramadan, say."""

    first: date
    last: date
    hours: Mapping[int, tuple[Span, ...]] = field(hash=False)
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """The days and hours on which the office works."""

    holidays: frozenset[date]
    hours: Mapping[int, tuple[Span, ...]] = field(default_factory=lambda: DEFAULT_HOURS, hash=False)
    special: tuple[SpecialHours, ...] = ()
    """Where two overlap, the first one holds."""
    estimates: frozenset[date] = frozenset()
    """Holidays whose date no decree has confirmed yet."""
    years: frozenset[int] | None = None
    """Years whose list is known; of every other year the dates are an estimate. None: all are known."""

    def hours_on(self, day: date) -> tuple[Span, ...]:
        """Return the open spans of a day; none when the office is closed."""
        if day in self.holidays:
            return ()
        for one in self.special:
            if one.first <= day <= one.last:
                return one.hours.get(day.weekday(), ())
        return self.hours.get(day.weekday(), ())

    def is_working_day(self, day: date) -> bool:
        """Tell whether the office works on this day."""
        return bool(self.hours_on(day))

    def is_estimated(self, start: date, end: date) -> bool:
        """Tell whether what is counted between two days leans on a date that nobody has confirmed yet."""
        if self.years is not None and any(year not in self.years for year in range(start.year, end.year + 1)):
            return True
        return any(start <= day <= end for day in self.estimates)

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`; negative when `end` lies before."""
        if end < start:
            return -self.working_days_between(end, start)
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))

    def add_working_days(self, start: date, count: int) -> date:
        """Give the day on which `count` working days after `start` have passed; `start` is not counted.

        With 0 it is `start`, or the next working day when the office is closed then.
        """
        if count < 0:
            raise ValueError("working days are added, not taken away")
        day = start
        for _ in range(DAYS_AHEAD):
            if count <= 0 and self.is_working_day(day):
                return day
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        raise ValueError("no working day within twenty years; check the list of holidays")


def indonesian_holidays(years: Iterable[int]) -> tuple[Holiday, ...]:
    """List national holidays and collective leave of these years, earliest first, estimates marked.

    A year whose collective leave is not known has no decree yet, so its movable days count as estimates.
    Seeds the administrator's table; not meant to be asked in the middle of an act.
    """
    found: list[Holiday] = []
    for year in sorted(set(years)):
        national = _from_library(year, "public")
        leave = _from_library(year, "government")
        for day, name in national.items():
            fixed = (day.month, day.day) in _FIXED_DAYS or name in _EASTER_NAMES
            estimate = _ESTIMATED in name or (not leave and not fixed)
            found.append(Holiday(day, name.replace(_ESTIMATED, "").strip(), "national", estimate))
        found.extend(
            Holiday(day, name.replace(_ESTIMATED, "").strip(), "collective_leave", _ESTIMATED in name)
            for day, name in leave.items()
            if day not in national
        )
    return tuple(sorted(found))


def seeded_calendar(years: Iterable[int]) -> Calendar:
    """Make a calendar from the known holidays of these years and the default hours."""
    return Calendar(frozenset(holiday.on for holiday in indonesian_holidays(years)))


def _from_library(year: int, category: str) -> dict[date, str]:
    import holidays as holiday_library  # here, because of all processes few ask it, and it knows every country

    return dict(holiday_library.country_holidays("ID", years=year, language="id", categories=(category,)).items())
