"""The service clock counts what a clerk with a stop-watch would: checked minute by minute over random calendars."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.service_clock import Change, Hours, Meaning, Reading, by_actor, by_step, read
from shared.words import WIB
from shared.workdays import Calendar, Span, SpecialHours, seeded_calendar

DAY_MINUTES = 24 * 60
FIRST = date(2026, 11, 20)
"""The random days lie around a New Year."""
LONGEST = 60
ZONES = (UTC, WIB, ZoneInfo("Asia/Jayapura"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati"))
OFFICE = Hours(seeded_calendar(range(2025, 2029)))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Open spans of a day: none, one, or several with breaks between them."""
    count = draw(st.integers(0, 3))
    edges = sorted(draw(st.lists(st.integers(0, DAY_MINUTES - 1), min_size=2 * count, max_size=2 * count, unique=True)))
    clocks = [time(n // 60, n % 60) for n in edges]
    return tuple(zip(clocks[::2], clocks[1::2], strict=True))


week = st.lists(spans(), min_size=7, max_size=7).map(lambda days: dict(enumerate(days)))
days = st.integers(0, LONGEST + 5).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A calendar with random hours, holidays and a time of other hours."""
    special = ()
    if draw(st.booleans()):
        first, last = sorted((draw(days), draw(days)))
        special = (SpecialHours(first, last, draw(week)),)
    return Calendar(frozenset(draw(st.sets(days, max_size=12))), draw(week), special)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """A moment within the random days, to the second, told in some zone."""
    seconds = draw(st.integers(0, LONGEST * DAY_MINUTES * 60 - 1))
    begins = datetime.combine(FIRST, time(), WIB)
    return (begins + timedelta(seconds=seconds)).astimezone(draw(st.sampled_from(ZONES)))


class StopWatch:
    """Counts minute by minute: slow, and too simple to be wrong."""

    def __init__(self, calendar: Calendar) -> None:
        self.ends: list[float] = []
        """The end of each open minute, in seconds since 1970."""
        for n in range(LONGEST + 6):
            day = FIRST + timedelta(days=n)
            midnight = datetime.combine(day, time(), WIB).timestamp()
            hours = calendar.hours
            for special in calendar.special:
                if special.first <= day <= special.last:
                    hours = special.hours
            for opens, closes in () if day in calendar.holidays else hours[day.weekday()]:
                for minute in range(opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute):
                    self.ends.append(midnight + (minute + 1) * 60)

    def within(self, start: datetime, end: datetime) -> list[float]:
        """Return the minutes that ended after `start` and not after `end`."""
        return self.ends[bisect_right(self.ends, start.timestamp()) : bisect_right(self.ends, end.timestamp())]

    def minutes(self, start: datetime, end: datetime) -> int:
        return len(self.within(start, end))

    def due(self, start: datetime, minutes: int) -> datetime | None:
        later = self.ends[bisect_right(self.ends, start.timestamp()) :]
        return datetime.fromtimestamp(later[minutes - 1], UTC) if len(later) >= minutes else None


thorough = settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@thorough
@given(calendars(), moments(), moments(), st.integers(1, 3000))
def test_it_counts_what_a_stop_watch_counts(calendar: Calendar, one: datetime, other: datetime, promised: int) -> None:
    start, end = sorted((one, other))
    watch, hours = StopWatch(calendar), Hours(calendar)

    assert hours.minutes(start, end) == watch.minutes(start, end)
    assert hours.minutes(end, start) == -watch.minutes(start, end)
    assert hours.days(start, end) == calendar.working_days_between(
        start.astimezone(WIB).date(), end.astimezone(WIB).date()
    )
    due = watch.due(start, promised)
    if due is not None:
        assert hours.due(start, promised) == due


STATES = {
    "work": Meaning(step="A", actor="ani"),
    "check": Meaning(step="A", actor="budi"),
    "vendor": Meaning(step="B", actor="joko", is_outside=True),
    "wait": Meaning(runs=False),
    "done": Meaning(runs=False, ends=True),
}


@thorough
@given(
    calendars(),
    st.lists(st.tuples(moments(), st.sampled_from(sorted(STATES))), min_size=1, max_size=8),
    moments(),
    st.integers(0, 4000),
)
def test_spans_of_states_add_up_to_what_a_stop_watch_counts(
    calendar: Calendar, told: list[tuple[datetime, str]], now: datetime, promised: int
) -> None:
    changes = [Change(at, state) for at, state in sorted(told)]
    watch = StopWatch(calendar)
    counted: dict[str, int] = dict.fromkeys(STATES, 0)
    running: list[float] = []
    ended = None
    for n, one in enumerate(changes):
        if one.at > now or ended:
            break
        if one.state == "done":
            ended = one.at
            break
        end = min(changes[n + 1].at, now) if n + 1 < len(changes) else now
        inside = watch.within(one.at, end)
        counted[one.state] += len(inside)
        if STATES[one.state].runs:
            running += inside

    found = read(changes, STATES.__getitem__, Hours(calendar), now=now, target_minutes=promised)

    assert found.worked.minutes == counted["work"] + counted["check"]
    assert found.worked.outside_minutes == counted["vendor"]
    assert found.paused.total_minutes == counted["wait"]
    assert {actor: one.total_minutes for actor, one in by_actor(found).items() if one.total_minutes} == {
        actor: counted[state]
        for actor, state in (("ani", "work"), ("budi", "check"), ("joko", "vendor"))
        if counted[state]
    }
    assert found.ended_at == ended
    assert found.remaining_minutes == promised - len(running)
    assert found.is_late == (len(running) > promised)
    if 0 < promised <= len(running):
        # Met or missed: it was due at the end of the promised minute, and later pauses do not move that.
        assert found.due_at and found.due_at.timestamp() == running[promised - 1]


# --- by hand --------------------------------------------------------------------------------------------------------


def wib(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in November 2026; the 16th is a Monday, the 20th a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=WIB)


def test_the_minutes_of_spans_that_follow_each_other_add_up() -> None:
    start, middle, end = (wib(16, 9) + timedelta(seconds=s) for s in (20, 110, 200))

    assert OFFICE.minutes(start, middle) + OFFICE.minutes(middle, end) == OFFICE.minutes(start, end) == 3


def test_a_year_passes_in_one_subtraction_and_holds_its_holidays() -> None:
    a, b = datetime(2025, 3, 3, 1, tzinfo=UTC), datetime(2028, 2, 29, 4, tzinfo=UTC)

    whole = [
        (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
        for n in range((b - a).days)
        for opens, closes in OFFICE.calendar.hours_on(a.date() + timedelta(days=n))
    ]
    assert OFFICE.minutes(a, b) == sum(whole) + 3 * 60


def test_promises_need_hours() -> None:
    closed = Hours(Calendar(frozenset(), hours={}))

    with pytest.raises(ValueError, match="open hours"):
        closed.due(wib(16, 9), 1)
    with pytest.raises(ValueError, match="taken away"):
        OFFICE.due(wib(16, 9), -1)
    with pytest.raises(ValueError, match="zone"):
        OFFICE.minutes(datetime(2026, 11, 16, 9), wib(16, 10))
    assert OFFICE.due(wib(21, 9), 0) == wib(21, 9)
    assert closed.minutes(wib(16, 9), wib(20, 9)) == 0


def test_days_are_due_when_the_office_closes() -> None:
    assert OFFICE.due_days(wib(16, 9), 3) == wib(19, 16)
    assert OFFICE.due_days(wib(21, 9), 1) == wib(23, 16)


def test_steps_are_planned_against_actual_and_a_second_round_has_its_own_standard() -> None:
    way = [("work", 16, 9), ("check", 17, 9), ("vendor", 18, 9), ("work", 19, 9), ("wait", 20, 9)]
    changes = [Change(wib(day, hour), state) for state, day, hour in way]

    found = read(changes, STATES.__getitem__, OFFICE, now=wib(24, 9))
    a, b = by_step(found, {"A": 1, "B": 5}.__getitem__)

    assert (a.step, a.actual.days, a.actual.rounds, a.over_days, a.is_over) == ("A", 3, 2, 1, True)
    assert {actor: one.days for actor, one in a.actors.items()} == {"ani": 2, "budi": 1}
    assert (b.step, b.actual.days, b.actual.outside_days, b.over_days) == ("B", 0, 1, 0)
    assert (found.worked.days, found.worked.outside_days, found.paused.days) == (3, 1, 2)


# --- the help desk will use it: pause while the user is asked, promises of answer and solution ----------------------

TICKET = {
    "new": Meaning(actor="helpdesk"),
    "in_progress": Meaning(actor="helpdesk"),
    "waiting_user": Meaning(runs=False, actor="user"),
    "resolved": Meaning(ends=True),
}
ANSWER = {state: Meaning(runs=state == "new", ends=state != "new") for state in TICKET}


def ticket(until: datetime, *way: tuple[str, datetime], target: int, meaning: dict[str, Meaning] = TICKET) -> Reading:
    changes = [Change(at, state) for state, at in way]
    return read(changes, meaning.__getitem__, OFFICE, now=until, target_minutes=target)


def test_a_ticket_is_not_late_while_its_user_is_asked() -> None:
    way = [("new", wib(16, 8)), ("in_progress", wib(16, 9)), ("waiting_user", wib(16, 10))]
    waiting = ticket(wib(19, 10), *way, target=480)
    goes_on = ticket(wib(19, 12), *way, ("in_progress", wib(19, 10)), target=480)
    late = ticket(wib(23, 9), *way, ("in_progress", wib(19, 10)), target=480)

    assert (waiting.remaining_minutes, waiting.due_at, waiting.is_running) == (360, None, False)
    assert (goes_on.remaining_minutes, goes_on.due_at, goes_on.is_late) == (240, wib(19, 16), False)
    assert late.is_late and late.due_at == wib(19, 16)


def test_an_answer_ends_the_first_promise_and_a_solution_the_second() -> None:
    way = [("new", wib(16, 8)), ("in_progress", wib(16, 8, 45)), ("resolved", wib(17, 9))]
    answer = ticket(wib(27, 9), *way, target=60, meaning=ANSWER)
    solution = ticket(wib(27, 9), *way, target=480)

    assert (answer.ended_at, answer.worked.minutes, answer.is_late) == (wib(16, 8, 45), 45, False)
    assert (solution.ended_at, solution.worked.minutes, solution.is_late) == (wib(17, 9), 540, True)


def test_an_ended_clock_stands_for_ever() -> None:
    way = [("new", wib(16, 8)), ("resolved", wib(16, 9))]

    assert ticket(wib(17, 9), *way, target=480).worked == ticket(wib(27, 9), *way, target=480).worked


def test_a_change_told_with_an_earlier_moment_lasted_no_time() -> None:
    found = ticket(wib(16, 12), ("new", wib(16, 9)), ("waiting_user", wib(16, 10)), ("new", wib(16, 8)), target=60)

    assert [one.minutes for one in found.stretches] == [60, 0, 120]


def test_a_seed_knows_that_its_dates_may_move() -> None:
    told = Calendar(frozenset(), estimates=frozenset({date(2026, 11, 18)}), years=frozenset({2026}))

    assert Hours(told).is_estimated(wib(20, 9), wib(17, 9))
    assert not Hours(told).is_estimated(wib(19, 9), wib(20, 9))
    assert Hours(told).is_estimated(wib(20, 9), datetime(2027, 1, 2, tzinfo=WIB))
