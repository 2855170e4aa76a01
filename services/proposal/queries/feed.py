"""Meetings as calendars read them (RFC 5545): one file for each, and a feed for each person's secret address."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vText
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, lazyload

from services.proposal.authority import READERS
from services.proposal.model import CalendarKey, Meeting
from shared.database import utc_now
from shared.directory import directory_appointment, directory_person
from shared.errors import NotFound
from shared.institution import institution
from shared.words import local_date

ZONE: Final = ZoneInfo("Asia/Jakarta")
PAST_DAYS: Final = 90
MOST: Final = 300
LASTS: Final = timedelta(hours=2)
"""How long a calendar shows a meeting whose end is not known."""


def feed(session: Session, key: str, *, public_url: str) -> bytes:
    """Return the meetings of the last months and all coming ones for the holder of a key.

    Raises NotFound for an unknown key, and for one whose holder has no open account or no post in the centre today.
    """
    person_id = session.scalar(
        select(CalendarKey.person_id).where(CalendarKey.digest == hashlib.sha256(key.encode()).hexdigest())
    )
    today = local_date(utc_now())
    post = directory_appointment.c
    holds_post = person_id and session.scalar(
        select(post.id)
        .join(directory_person, directory_person.c.id == post.person_id)
        .where(
            post.person_id == person_id,
            post.role.in_([role.value for role in READERS]),
            post.from_on <= today,
            or_(post.until_on.is_(None), post.until_on >= today),
            directory_person.c.is_active,
        )
        .limit(1)
    )
    if not holds_post:
        raise NotFound("Alamat kalender ini tidak dikenal atau sudah dicabut. Buat alamat baru di halaman Rapat.")
    rows = session.scalars(
        select(Meeting)
        .where(Meeting.on >= today - timedelta(days=PAST_DAYS))
        .order_by(Meeting.on, Meeting.id)
        .limit(MOST)
        .options(lazyload(Meeting.items), lazyload(Meeting.attendance), lazyload(Meeting.versions))
    ).all()
    return _calendar(rows, public_url)


def one_meeting(meeting: Meeting, *, public_url: str) -> bytes:
    """Return one meeting as a file that a calendar takes in."""
    return _calendar([meeting], public_url)


def _calendar(meetings: Iterable[Meeting], public_url: str) -> bytes:
    place = institution()
    made = Calendar()
    made.add("prodid", "-//Alur//Rapat//ID")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"Rapat {place.centre_short}")
    made.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    made.add_component(_zone())
    for meeting in meetings:
        made.add_component(_event(meeting, public_url.rstrip("/"), place.base_domain))
    file: bytes = made.to_ical()
    return file


@cache
def _zone() -> Timezone:
    # Western Indonesia has kept one offset since 1964.
    return Timezone.from_tzinfo(ZONE, first_date=date(2020, 1, 1), last_date=date(2038, 1, 1))


def _event(meeting: Meeting, address: str, domain: str) -> Event:
    event = Event()
    event.add("uid", f"rapat-{meeting.id}@{domain}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.cancelled_at or meeting.created_at)
    event.add("summary", f"{meeting.label} {meeting.number}")
    event.add("location", vText(meeting.place))
    event.add("status", "CANCELLED" if meeting.is_cancelled else "CONFIRMED")
    event.add("url", f"{address}/rapat/{meeting.id}")
    if meeting.cancelled_reason or meeting.moved_reason:
        event.add("description", meeting.cancelled_reason or f"Jadwal dipindahkan: {meeting.moved_reason}")
    if meeting.starts:
        begins = _moment(meeting.on, meeting.starts)
        event.add("dtstart", begins)
        event.add("dtend", _moment(meeting.on, meeting.ends) if meeting.ends else begins + LASTS)
    else:
        event.add("dtstart", meeting.on)
        event.add("dtend", meeting.on + timedelta(days=1))
    return event


def _moment(on: date, at: time) -> datetime:
    return datetime.combine(on, at, ZONE)
