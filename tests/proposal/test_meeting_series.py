"""Series make the coming meetings on working days; calendars read them under a secret address."""

from datetime import date, time, timedelta
from typing import Any

import icalendar
import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.actions.series import HORIZON_DAYS
from services.proposal.model import CalendarKey, Meeting, MeetingKind, MeetingSeries, Office
from shared.calendar import calendar as office_calendar
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.procedure import procedure
from shared.workdays import Calendar
from tests.people import ANI, BAYU, BUDI, CITRA, SARI, TONO
from tests.proposal.walk import TODAY, Walk

URL = "https://alur.kampus.example"


def weekly(walk: Walk, **more: Any) -> MeetingSeries:
    rule = {
        "kind": MeetingKind.WEEKLY, "name": "Rapat Senin pagi", "weekday": 0, "starts": time(9), "ends": time(11),
        "place": "Ruang Rapat", "chair_role": Role.HEAD, "note_taker": "Staf Aplikasi",
        "invited_roles": [Role.HEAD, Role.APP_HEAD], "invited_people": ["Tamu Tetap"],
        "standing_items": ["Pembukaan", "Pembacaan tindak lanjut"],
    }  # fmt: skip
    return actions.make_series(walk.session, BUDI, walk.office, **(rule | more))


def made(walk: Walk, series: MeetingSeries) -> list[Meeting]:
    rows = select(Meeting).where(Meeting.series_id == series.id).order_by(Meeting.on)
    return list(walk.session.scalars(rows))


# --- the rule


def test_a_weekly_series_makes_the_coming_meetings_on_working_days(walk: Walk) -> None:
    series = weekly(walk)

    found = made(walk, series)

    working = office_calendar(walk.session)
    horizon = [TODAY + timedelta(days=n) for n in range(HORIZON_DAYS[MeetingKind.WEEKLY] + 1)]
    assert [m.on for m in found] == [day for day in horizon if day.weekday() == 0 and working.is_working_day(day)]
    assert {(m.starts, m.ends, m.place) for m in found} == {(time(9), time(11), "Ruang Rapat")}


def test_a_holiday_has_no_weekly_meeting_and_is_named(walk: Walk) -> None:
    series = weekly(walk)
    mondays = [m.on for m in made(walk, series)]
    holiday = mondays[1]

    days = actions.coming_days(series, TODAY, Calendar(frozenset({holiday})))

    assert holiday not in days
    assert len(days) >= 3


def test_a_yearly_meeting_on_a_holiday_is_held_on_the_next_working_day(walk: Walk) -> None:
    series = weekly(walk, kind=MeetingKind.ANNUAL, weekday=None, month=1, day=1, name="Raker")

    found = made(walk, series)

    working = office_calendar(walk.session)
    years = [date(TODAY.year + n, 1, 1) for n in (0, 1)]
    held = {new_year: working.add_working_days(new_year, 0) for new_year in years}
    assert all(day > new_year for new_year, day in held.items())
    assert [m.on for m in found] == [next(day for day in held.values() if day >= TODAY)]


def test_the_clock_makes_nothing_twice(walk: Walk, office: Office) -> None:
    series = weekly(walk)
    before = [(m.id, m.on) for m in made(walk, series)]
    actions.cancel_meeting(walk.session, CITRA, before[0][0], reason="Ruangan diperbaiki.")
    actions.move_meeting(walk.session, BUDI, before[1][0], on=before[1][1] + timedelta(days=1), reason="Bentrok.")

    assert actions.make_coming(walk.session, office) == 0
    assert {m.id for m in made(walk, series)} == {id for id, _ in before}


def test_an_ended_series_makes_no_more(walk: Walk, office: Office) -> None:
    series = weekly(walk)
    count = len(made(walk, series))
    actions.end_series(walk.session, BUDI, series.id, reason="Diganti hari Selasa.")
    for meeting in made(walk, series):
        walk.session.delete(meeting)
    walk.session.flush()

    assert count > 0
    assert actions.make_coming(walk.session, office) == 0
    walk.refuses(OutOfTurn, actions.end_series, BUDI, series.id, reason="Sekali lagi.")


def test_those_invited_are_the_holders_of_the_posts_then_the_named(walk: Walk) -> None:
    walk.knows(CITRA, role="head")

    meeting = made(walk, weekly(walk))[0]

    assert [(one.name, one.person_id) for one in meeting.attendance] == [
        (CITRA.name, CITRA.id),
        (procedure().titles[Role.APP_HEAD], None),
        ("Tamu Tetap", None),
    ]
    assert meeting.chair == CITRA.name


def test_the_nearest_meeting_alone_is_filled(walk: Walk) -> None:
    case = walk.programmed()

    first, second, *_ = made(walk, weekly(walk))

    assert [item.subject for item in first.items][:2] == ["Pembukaan", "Pembacaan tindak lanjut"]
    assert f"case:{case.id}" in [item.source_key for item in first.items]
    assert second.items == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"weekday": None}, "/weekday"),
        ({"kind": MeetingKind.ANNUAL}, "/month"),
        ({"kind": MeetingKind.ANNUAL, "month": 2, "day": 30}, "/day"),
        ({"ends": time(8)}, "/ends"),
    ],
)
def test_a_rule_that_says_no_day_is_refused(walk: Walk, wrong: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Incomplete) as caught:
        weekly(walk, **wrong)

    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_who_does_not_lead_makes_no_series(walk: Walk) -> None:
    series = weekly(walk)

    walk.refuses(NotAllowed, actions.end_series, BAYU, series.id, reason="Tidak perlu.")
    with pytest.raises(NotAllowed):
        actions.make_series(
            walk.session, BAYU, walk.office, kind=MeetingKind.WEEKLY, name="X", weekday=0, starts=time(9),
            place="X", chair_role=Role.HEAD, note_taker="X",
        )  # fmt: skip


# --- calendars


def events(file: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(file).walk("VEVENT"))


def test_a_feed_tells_time_place_change_and_cancelling(walk: Walk) -> None:
    walk.knows(BAYU)
    key = actions.make_calendar(walk.session, BAYU)
    first, second, *_ = made(walk, weekly(walk))
    actions.move_meeting(walk.session, BUDI, first.id, on=first.on + timedelta(days=1), reason="Bentrok.")
    actions.cancel_meeting(walk.session, CITRA, second.id, reason="Ruangan diperbaiki.")

    file = queries.feed(walk.session, key, public_url=URL)

    found = {str(event["UID"]): event for event in events(file)}
    moved = found[f"rapat-{first.id}@kampus.example"]
    assert moved["DTSTART"].dt.isoformat() == f"{first.on}T09:00:00+07:00"
    assert moved["DTSTART"].params["TZID"] == "Asia/Jakarta"
    assert (moved["SEQUENCE"], moved["STATUS"], moved["LOCATION"]) == (1, "CONFIRMED", "Ruang Rapat")
    assert found[f"rapat-{second.id}@kampus.example"]["STATUS"] == "CANCELLED"
    zones = icalendar.Calendar.from_ical(file).walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["Asia/Jakarta"]
    assert len(events(queries.one_meeting(first, public_url=URL))) == 1


def test_a_key_is_kept_as_its_digest_and_dies_with_the_next_one(walk: Walk) -> None:
    walk.knows(BAYU)
    old = actions.make_calendar(walk.session, BAYU)
    new = actions.make_calendar(walk.session, BAYU)
    kept = walk.session.get_one(CalendarKey, BAYU.id)

    walk.refuses(NotFound, queries.feed, old, public_url=URL)
    assert queries.feed(walk.session, new, public_url=URL).startswith(b"BEGIN:VCALENDAR")
    assert new not in kept.digest
    actions.revoke_calendar(walk.session, BAYU)
    walk.refuses(NotFound, queries.feed, new, public_url=URL)
    walk.refuses(OutOfTurn, actions.revoke_calendar, BAYU)


def test_a_feed_ends_with_the_account_and_the_post(walk: Walk) -> None:
    key = actions.make_calendar(walk.session, BAYU)

    walk.refuses(NotFound, queries.feed, key, public_url=URL)  # nobody told of this person
    walk.knows(BAYU, role="proposer")
    walk.refuses(NotFound, queries.feed, key, public_url=URL)
    walk.knows(BAYU, is_active=False)
    walk.refuses(NotFound, queries.feed, key, public_url=URL)
    walk.knows(BAYU)
    assert queries.feed(walk.session, key, public_url=URL)
    walk.refuses(NotFound, queries.feed, "", public_url=URL)


@pytest.mark.parametrize("by", [ANI, SARI, TONO], ids=lambda p: p.username)
def test_who_is_not_of_the_centre_gets_no_calendar(walk: Walk, by: object) -> None:
    walk.refuses(NotAllowed, actions.make_calendar, by)


# --- the rule is changed


def rule_of(series: MeetingSeries, **more: Any) -> dict[str, Any]:
    rule = {
        "kind": series.kind, "name": series.name, "weekday": series.weekday, "starts": series.starts,
        "ends": series.ends, "place": series.place, "chair_role": series.chair_role,
        "note_taker": series.note_taker, "invited_roles": series.invited_roles,
    }  # fmt: skip
    return rule | more


def test_meetings_to_come_follow_a_changed_rule_and_none_is_doubled(walk: Walk) -> None:
    series = weekly(walk)
    weeks = {m.on.isocalendar()[:2] for m in made(walk, series) if m.on > TODAY}

    actions.change_series(
        walk.session,
        BUDI,
        series.id,
        walk.office,
        **rule_of(series, weekday=2, starts=time(13), ends=None, place="Aula"),
    )
    actions.make_coming(walk.session, walk.office)

    later = [m for m in made(walk, series) if m.on > TODAY]
    found = [m.on.isocalendar()[:2] for m in later]
    assert len(found) == len(set(found))
    assert weeks <= set(found)
    assert {(m.starts, m.place) for m in later} == {(time(13), "Aula")}
    working = office_calendar(walk.session)
    wednesdays = {m.on for m in later if m.on.weekday() == 2}
    assert wednesdays
    # A week whose Wednesday is past or a holiday keeps its Monday.
    for meeting in later:
        wednesday = meeting.on + timedelta(days=2 - meeting.on.weekday())
        assert meeting.on == wednesday or wednesday <= TODAY or not working.is_working_day(wednesday)


def test_a_meeting_that_was_moved_or_called_off_stays_as_people_know_it(walk: Walk) -> None:
    series = weekly(walk)
    first, second, third = [m for m in made(walk, series) if m.on > TODAY][:3]
    actions.move_meeting(walk.session, BUDI, first.id, on=first.on + timedelta(days=1), reason="Kepala bertugas.")
    actions.cancel_meeting(walk.session, BUDI, second.id, reason="Libur bersama.")
    before = [(m.on, m.starts, m.place) for m in (first, second)]

    actions.change_series(walk.session, BUDI, series.id, walk.office, **rule_of(series, place="Aula"))

    assert [(m.on, m.starts, m.place) for m in (first, second)] == before
    assert third.place == "Aula"
    assert third.sequence == 1


def test_a_series_keeps_its_kind_and_an_ended_one_stays_ended(walk: Walk) -> None:
    series = weekly(walk)

    def change(by: Person = BUDI, **more: Any) -> None:
        actions.change_series(walk.session, by, series.id, walk.office, **rule_of(series, **more))

    with pytest.raises(Incomplete):
        change(kind=MeetingKind.ANNUAL)
    with pytest.raises(Incomplete):
        change(weekday=None)
    with pytest.raises(NotAllowed):
        change(BAYU)
    actions.end_series(walk.session, BUDI, series.id, reason="Digabung.")
    with pytest.raises(OutOfTurn):
        change()
