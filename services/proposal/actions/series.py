"""Series of meetings: a rule makes the coming ones, on working days, within a bounded horizon (S03)."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.actions.agenda import fill_nearest
from services.proposal.actions.meeting import Invited, by_role, chair_of, invited, make
from services.proposal.authority import ACTS
from services.proposal.model import Meeting, MeetingKind, MeetingSeries, Office
from shared import audit
from shared.authority import authorize
from shared.calendar import calendar as office_calendar
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.sentence import Sentence
from shared.words import local_date
from shared.workdays import Calendar

HORIZON_DAYS: Final = {MeetingKind.WEEKLY: 35, MeetingKind.ANNUAL: 366}
"""How far ahead meetings are made."""


def make_series(
    session: Session,
    by: Person,
    office: Office,
    *,
    kind: MeetingKind,
    name: str,
    starts: time,
    place: str,
    chair_role: Role,
    note_taker: str,
    weekday: int | None = None,
    month: int | None = None,
    day: int | None = None,
    ends: time | None = None,
    invited_roles: Sequence[Role] = (),
    invited_people: Sequence[str] = (),
    standing_items: Sequence[str] = (),
    quorum: int | None = None,
) -> MeetingSeries:
    """Lay down when meetings of a kind come by themselves, and make the coming ones.

    A weekly series needs its weekday (0 = Monday), an annual one its month and day: Incomplete otherwise.
    """
    by = authorize(session, by, ACTS.make_series, f"meeting-series:{kind}", name=name)
    series = MeetingSeries(kind=kind, made_by_id=by.id)
    _lay_down(
        series,
        name=name,
        starts=starts,
        place=place,
        chair_role=chair_role,
        note_taker=invited(session, note_taker).name,
        weekday=weekday,
        month=month,
        day=day,
        ends=ends,
        invited_roles=invited_roles,
        invited_people=invited_people,
        standing_items=standing_items,
        quorum=quorum,
    )
    session.add(series)
    session.flush()
    _make_coming(session, series, office)
    fill_nearest(session, [kind], local_date(utc_now()))
    return series


def change_series(
    session: Session, by: Person, series_id: UUID, office: Office, *, kind: MeetingKind, **rule: Any
) -> MeetingSeries:
    """Lay a series down anew, as for `make_series`; meetings to come that nobody moved follow in day, hour and place.

    Raises OutOfTurn for one that has ended, Incomplete for another kind: that is another series.
    """
    series = _find(session, series_id)
    by = authorize(session, by, ACTS.change_series, series, name=rule.get("name", ""))
    _must_run(series)
    if kind != series.kind:
        words = "Jenis rapat sebuah seri tetap. Akhiri seri ini, lalu buat seri baru."
        raise Incomplete(words, errors=[FieldError("/kind", words)])
    _lay_down(series, **rule | {"note_taker": invited(session, rule["note_taker"]).name})
    _follow(session, series)
    session.flush()
    _make_coming(session, series, office)
    fill_nearest(session, [kind], local_date(utc_now()))
    return series


def _lay_down(
    series: MeetingSeries,
    *,
    name: str,
    starts: time,
    place: str,
    chair_role: Role,
    note_taker: str,
    weekday: int | None = None,
    month: int | None = None,
    day: int | None = None,
    ends: time | None = None,
    invited_roles: Sequence[Role] = (),
    invited_people: Sequence[str] = (),
    standing_items: Sequence[str] = (),
    quorum: int | None = None,
) -> None:
    kind = MeetingKind(series.kind)
    wrong = _wrong(kind, weekday, month, day)
    if ends and ends <= starts:
        wrong.append(FieldError("/ends", "Isi jam yang lebih akhir dari jam mulai."))
    if wrong:
        raise Incomplete("Aturan seri rapat belum lengkap.", errors=wrong)
    is_weekly = kind == MeetingKind.WEEKLY
    series.name, series.place, series.starts, series.ends = name, place, starts, ends
    series.weekday = weekday if is_weekly else None
    series.month, series.day = (None, None) if is_weekly else (month, day)
    series.chair_role, series.note_taker, series.quorum = Role(chair_role).value, note_taker, quorum
    series.invited_roles = [Role(role).value for role in dict.fromkeys(invited_roles)]
    series.invited_people = list(dict.fromkeys(invited_people))
    series.standing_items = list(dict.fromkeys(standing_items))


def _follow(session: Session, series: MeetingSeries) -> None:
    """Bring the meetings to come to the rule; one that was moved, called off or sent out stays as people know it."""
    today, office_days = local_date(utc_now()), office_calendar(session)
    rows = session.scalars(
        select(Meeting).where(Meeting.series_id == series.id, Meeting.series_on > today).with_for_update(of=Meeting)
    ).all()
    taken = {row.series_on for row in rows}
    for meeting in rows:
        is_settled = meeting.closed_at or meeting.cancelled_at or meeting.moved_reason or meeting.invitation_number
        if is_settled or meeting.series_on is None:
            continue
        on = _day_of(series, meeting.series_on, office_days)
        if on > today and on not in taken and office_days.is_working_day(on):
            meeting.on = meeting.series_on = on
        meeting.starts, meeting.ends, meeting.place = series.starts, series.ends, series.place
        meeting.note_taker, meeting.quorum = series.note_taker, series.quorum
        meeting.chair = chair_of(session, Role(series.chair_role), meeting.on)
        meeting.sequence += 1
        meeting.edition += 1


def _day_of(series: MeetingSeries, was: date, office_days: Calendar) -> date:
    """Return the day on which the rule puts the meeting of a week or year."""
    if series.weekday is not None:
        return was + timedelta(days=series.weekday - was.weekday())
    month, day = series.month or 1, series.day or 1
    return office_days.add_working_days(date(was.year, month, min(day, monthrange(was.year, month)[1])), 0)


def _wrong(kind: MeetingKind, weekday: int | None, month: int | None, day: int | None) -> list[FieldError]:
    if kind == MeetingKind.WEEKLY:
        return [] if weekday is not None else [FieldError("/weekday", "Pilih hari rapat mingguan.")]
    if month is None or day is None:
        return [FieldError("/month", "Isi bulan dan tanggal rapat kerja tahunan.")]
    # The 29th of February is a day of the year too.
    if day > monthrange(2024, month)[1]:
        return [FieldError("/day", "Bulan itu tidak memiliki tanggal tersebut.")]
    return []


def end_series(session: Session, by: Person, series_id: UUID, *, reason: str) -> MeetingSeries:
    """End a series, with the reason: no further meetings are made; those that were made stay.

    Raises OutOfTurn for one that has ended.
    """
    series = _find(session, series_id)
    by = authorize(session, by, ACTS.end_series, series)
    _must_run(series)
    series.ended_at, series.ended_reason = utc_now(), reason
    session.flush()
    return series


def _find(session: Session, series_id: UUID) -> MeetingSeries:
    series = session.get(MeetingSeries, series_id, with_for_update=True, populate_existing=True)
    if series is None:
        raise NotFound("Seri rapat tidak ditemukan. Buka kembali dari daftar seri.")
    return series


def _must_run(series: MeetingSeries) -> None:
    if series.ended_at:
        raise OutOfTurn(
            Sentence(
                "Seri “{name}” sudah diakhiri: {ended_reason}",
                name=series.name,
                ended_reason=series.ended_reason,
            )
        )


def make_coming(session: Session, office: Office) -> int:
    """Make what every series has coming within its horizon, and fill the agenda of the nearest; return how many.

    What is there already, also cancelled, is not made again.
    """
    made = 0
    rows = session.scalars(
        select(MeetingSeries).where(MeetingSeries.ended_at.is_(None)).order_by(MeetingSeries.id).with_for_update()
    ).all()
    for series in rows:
        made += _make_coming(session, series, office)
    fill_nearest(session, list(MeetingKind), local_date(utc_now()))
    return made


def _make_coming(session: Session, series: MeetingSeries, office: Office) -> int:
    today = local_date(utc_now())
    days = coming_days(series, today, office_calendar(session))
    made = session.scalars(
        select(Meeting.series_on).where(Meeting.series_id == series.id, Meeting.series_on >= date(today.year, 1, 1))
    )
    # The yearly meeting of a year stays where it is, also when the list of holidays changes.
    there = {_period(series, on) for on in made if on}
    new = [on for on in days if _period(series, on) not in there]
    for on in new:
        audit.record(session, None, "call_meeting", f"meeting:{series.kind}:{on}", series=str(series.id))
        make(
            session,
            office,
            kind=MeetingKind(series.kind),
            on=on,
            place=series.place,
            chair=chair_of(session, Role(series.chair_role), on),
            note_taker=series.note_taker,
            invited=_invited(session, series, on),
            made_by_id=series.made_by_id,
            starts=series.starts,
            ends=series.ends,
            quorum=series.quorum,
            series=series,
        )
    return len(new)


def _period(series: MeetingSeries, on: date) -> object:
    return on if series.weekday is not None else on.year


def coming_days(series: MeetingSeries, today: date, office_days: Calendar) -> list[date]:
    """Return the days on which meetings of a series fall within the horizon.

    A weekly meeting on a holiday is left out; an annual one is held on the next working day.
    """
    until = today + timedelta(days=HORIZON_DAYS[MeetingKind(series.kind)])
    if series.weekday is not None:
        return [on for on in _weekdays(series.weekday, today, until) if office_days.is_working_day(on)]
    return [on for on in _annual(series, today, office_days) if today <= on <= until][:1]


def holidays_in_between(session: Session, series: MeetingSeries, today: date) -> list[date]:
    """Return the days within the horizon on which a weekly series would meet but the office is closed."""
    if series.weekday is None:
        return []
    until = today + timedelta(days=HORIZON_DAYS[MeetingKind(series.kind)])
    meets = coming_days(series, today, office_calendar(session))
    return [on for on in _weekdays(series.weekday, today, until) if on not in meets]


def _weekdays(weekday: int, today: date, until: date) -> Iterator[date]:
    on = today + timedelta(days=(weekday - today.weekday()) % 7)
    while on <= until:
        yield on
        on += timedelta(days=7)


def _annual(series: MeetingSeries, today: date, office_days: Calendar) -> Iterator[date]:
    month, day = series.month or 1, series.day or 1
    for year in range(today.year, today.year + 3):
        last = monthrange(year, month)[1]
        yield office_days.add_working_days(date(year, month, min(day, last)), 0)


def _invited(session: Session, series: MeetingSeries, on: date) -> list[Invited]:
    found: dict[str, Invited] = {}
    for role in series.invited_roles:
        for one in by_role(session, Role(role), on):
            found.setdefault(one.name.lower(), one)
    for name in series.invited_people:
        one = invited(session, name)
        found.setdefault(one.name.lower(), one)
    return list(found.values())
