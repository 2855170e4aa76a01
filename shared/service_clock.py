"""The service clock: who has the ball since when, and how much working time that is, against what was promised.

One engine for the time of a case and for the promised answers of the help desk. Pure: it is given states, moments and
a calendar. A day's minutes are added up once for each year, so a span costs the same however long it is.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import Final

from shared.words import WIB
from shared.workdays import Calendar

YEARS_AHEAD: Final = 20
"""How far a due moment is searched: a calendar without open hours must not hang the caller."""


@dataclass(frozen=True)
class _Year:
    """A year's days with their running sums: `minutes[n]` and `days[n]` have passed before its n-th day."""

    minutes: tuple[int, ...]
    days: tuple[int, ...]


class Hours:
    """Working minutes and days between two moments as subtractions of running sums.

    A minute counts when it is over, and an office opens and closes at whole minutes. So the minutes of two spans that
    follow each other add up to those of the whole, whatever the seconds.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._years: dict[int, _Year] = {}

    def minutes(self, start: datetime, end: datetime) -> int:
        """Count the working minutes between two aware moments; negative when `end` lies before."""
        return self._between(self._moment(start), self._moment(end), "minutes")

    def days(self, start: datetime, end: datetime) -> int:
        """Count the working days after the day of `start` (WIB) up to that of `end`, as the calendar does."""
        first, last = _local(start).date(), _local(end).date()
        return self._between(
            (first.year, self._year(first.year).days[_index(first) + 1]),
            (last.year, self._year(last.year).days[_index(last) + 1]),
            "days",
        )

    def due(self, start: datetime, minutes: int) -> datetime:
        """Return the first moment (WIB) at which `minutes` counts so many since `start`; `start` itself for 0.

        Raises ValueError for less, and when the office does not open for twenty years.
        """
        if minutes < 0:
            raise ValueError("working time is added, not taken away")
        local = _local(start)
        if not minutes:
            return local
        year, wanted = self._moment(start)
        wanted += minutes
        for _ in range(YEARS_AHEAD):
            sums = self._year(year).minutes
            if wanted <= sums[-1]:
                # The last day before which fewer minutes than those have passed.
                index = bisect_left(sums, wanted) - 1
                return self._within(date(year, 1, 1) + timedelta(days=index), wanted - sums[index])
            wanted, year = wanted - sums[-1], year + 1
        raise ValueError("no open hours within twenty years; check the working hours")

    def due_days(self, start: datetime, days: int) -> datetime:
        """Return when the office closes on the day on which so many working days after that of `start` have passed."""
        day = self.calendar.add_working_days(_local(start).date(), days)
        return datetime.combine(day, self.calendar.hours_on(day)[-1][1], WIB)

    def is_estimated(self, start: datetime, end: datetime) -> bool:
        """Tell whether the time between two moments leans on days that no decree has confirmed."""
        return self.calendar.is_estimated(*sorted((_local(start).date(), _local(end).date())))

    def _between(self, start: tuple[int, int], end: tuple[int, int], what: str) -> int:
        if start > end:
            return -self._between(end, start, what)
        whole = sum(getattr(self._year(year), what)[-1] for year in range(start[0], end[0]))
        return int(whole + end[1] - start[1])

    def _moment(self, moment: datetime) -> tuple[int, int]:
        """Return a moment as its year and the working minutes of that year that are over."""
        local = _local(moment)
        day, clock = local.date(), local.time()
        passed = self._year(day.year).minutes[_index(day)]
        for opens, closes in self.calendar.hours_on(day):
            passed += max(min(_minute(clock), _minute(closes)) - _minute(opens), 0)
        return day.year, passed

    def _within(self, day: date, minutes: int) -> datetime:
        for opens, closes in self.calendar.hours_on(day):
            length = _minute(closes) - _minute(opens)
            if minutes <= length:
                return datetime.combine(day, opens, WIB) + timedelta(minutes=minutes)
            minutes -= length
        raise AssertionError("the day holds fewer minutes than its sum says")

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            first = date(year, 1, 1)
            count = (date(year + 1, 1, 1) - first).days if year < date.max.year else 365
            open_on = [self.calendar.hours_on(first + timedelta(days=n)) for n in range(count)]
            found = _Year(
                tuple(accumulate((sum(_minute(b) - _minute(a) for a, b in one) for one in open_on), initial=0)),
                tuple(accumulate((bool(one) for one in open_on), initial=0)),
            )
            self._years[year] = found
        return found


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _index(day: date) -> int:
    return day.timetuple().tm_yday - 1


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no working hours")
    return moment.astimezone(WIB)


# --- states, and what they mean for the clock ---------------------------------------------------------------------


@dataclass(frozen=True)
class Meaning:
    """What a state means for the clock."""

    runs: bool = True
    """Time in it counts against the promise; while it waits for somebody else, it does not."""
    actor: str = ""
    """Who has the ball."""
    step: str = ""
    is_outside: bool = False
    """The ball lies outside the house: counted, and counted apart."""
    ends: bool = False
    """The clock stops for good: what was promised has come."""


@dataclass(frozen=True)
class Change:
    """A state and since when."""

    at: datetime
    state: str


@dataclass(frozen=True)
class Stretch:
    """A state from its beginning to the next, in working time."""

    state: str
    meaning: Meaning
    start: datetime
    end: datetime
    minutes: int
    days: int
    is_over: bool
    """False for the present state, which is counted up to now."""


@dataclass
class Sum:
    """Stretches taken together."""

    minutes: int = 0
    days: int = 0
    outside_minutes: int = 0
    outside_days: int = 0
    rounds: int = 0
    """How often one came here from elsewhere."""

    def add(self, one: Stretch) -> None:
        """Take a stretch in."""
        if one.meaning.is_outside:
            self.outside_minutes += one.minutes
            self.outside_days += one.days
        else:
            self.minutes += one.minutes
            self.days += one.days

    @property
    def total_days(self) -> int:
        """Return the working days inside and outside."""
        return self.days + self.outside_days

    @property
    def total_minutes(self) -> int:
        """Return the working minutes inside and outside."""
        return self.minutes + self.outside_minutes


@dataclass(frozen=True)
class Reading:
    """What the clock shows."""

    stretches: tuple[Stretch, ...]
    worked: Sum
    """States in which the clock runs."""
    paused: Sum
    """States in which it stands."""
    ended_at: datetime | None
    target_minutes: int | None = None
    due_at: datetime | None = None
    """When the promise is due, or was when it was due; None while it stands before that, and without a promise."""

    @property
    def is_running(self) -> bool:
        """Tell whether the clock runs at this moment."""
        return self.ended_at is None and bool(self.stretches) and self.stretches[-1].meaning.runs

    @property
    def remaining_minutes(self) -> int | None:
        """Return the working minutes that are left of the promise, below zero when it is passed; None without one."""
        return None if self.target_minutes is None else self.target_minutes - self.worked.total_minutes

    @property
    def is_late(self) -> bool:
        """Tell whether more working time has passed than was promised."""
        return self.remaining_minutes is not None and self.remaining_minutes < 0

    def by(self, key: Callable[[Stretch], str]) -> dict[str, Sum]:
        """Return the sums of what runs by step, actor or whatever `key` says, in the order of their first coming."""
        found: dict[str, Sum] = {}
        before = None
        for one in self.stretches:
            name = key(one) if one.meaning.runs else ""
            if name:
                found.setdefault(name, Sum()).add(one)
                found[name].rounds += name != before
            before = name
        return found


def read(
    changes: Iterable[Change],
    meaning: Callable[[str], Meaning],
    hours: Hours,
    *,
    now: datetime,
    target_minutes: int | None = None,
) -> Reading:
    """Return what the clock shows: changes in the order in which they happened, the last one lasts until now.

    A change that is told with an earlier moment than the one before it lasted no time. The clock stops at the first
    state that ends it: for the time to an answer, everything but "new" does.
    """
    found: list[Stretch] = []
    ended_at = None
    worked, paused = Sum(), Sum()
    due_at = None
    for one, following in _in_turn(changes, now):
        what = meaning(one.state)
        if what.ends:
            ended_at = one.at
            break
        end = max(following.at if following else now, one.at)
        stretch = Stretch(
            one.state, what, one.at, end, hours.minutes(one.at, end), hours.days(one.at, end), following is not None
        )
        found.append(stretch)
        if not what.runs:
            paused.add(stretch)
            continue
        left = None if target_minutes is None else target_minutes - worked.total_minutes
        worked.add(stretch)
        reached = left is not None and left <= stretch.minutes
        if left is not None and due_at is None and (reached or following is None):
            # An office without any open hours never owes anything.
            with suppress(ValueError):
                due_at = hours.due(one.at, max(left, 0))
    return Reading(tuple(found), worked, paused, ended_at, target_minutes, due_at)


def _in_turn(changes: Iterable[Change], now: datetime) -> Iterator[tuple[Change, Change | None]]:
    told: list[Change] = []
    for one in changes:
        late = told[-1].at if told else one.at
        told.append(Change(max(one.at, late), one.state))
    told = [one for one in told if one.at <= now]
    yield from pairwise(told)
    if told:
        yield told[-1], None


# --- planned against actual ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A step as it was planned and as it went."""

    step: str
    planned_days: int
    """0 where no standard runs."""
    actual: Sum
    actors: dict[str, Sum] = field(default_factory=dict)
    is_over: bool = True

    @property
    def over_days(self) -> int:
        """Return the working days beyond the standard; 0 within it."""
        return max(self.actual.total_days - self.planned_days * self.actual.rounds, 0) if self.planned_days else 0


def by_step(reading: Reading, planned: Callable[[str], int]) -> list[Line]:
    """Return planned against actual for each step in the order of their first coming.

    The standard of a step that was walked twice counts twice.
    """
    sums = reading.by(lambda one: one.meaning.step)
    here = reading.stretches[-1].meaning.step if reading.is_running else ""
    found = []
    for step, actual in sums.items():
        of_step = [one for one in reading.stretches if one.meaning.runs and one.meaning.step == step]
        found.append(Line(step, planned(step), actual, _by_actor(of_step), is_over=step != here))
    return found


def by_actor(reading: Reading) -> dict[str, Sum]:
    """Return how long each had the ball, in the order of their first turn."""
    return reading.by(lambda one: one.meaning.actor)


def _by_actor(stretches: Sequence[Stretch]) -> dict[str, Sum]:
    found: dict[str, Sum] = {}
    for one in stretches:
        found.setdefault(one.meaning.actor, Sum()).add(one)
    return found
