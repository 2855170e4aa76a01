"""The JSON door of the office's calendar: one year, its holidays and working hours."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, UploadFile

from services.gateway.actions import calendar as actions
from services.gateway.schemas.calendar import CalendarView, ClosedDay, Decree, EndedPeriod, OpenedDay, Period
from shared.calendar import Year, calendar_from
from shared.database import utc_now
from shared.service_clock import Hours
from shared.web import Asker, Door, Session
from shared.words import WIB

router = APIRouter(prefix="/api/working-calendar", tags=["gateway"], route_class=Door)
Number = Annotated[int, Path(ge=actions.FIRST_YEAR, le=actions.LAST_YEAR)]


@router.get("/{year}")
def calendar(session: Session, by: Asker, year: Number) -> CalendarView:
    return _view(actions.kept_or_known(session, year))


@router.post("/{year}/days", status_code=201)
def edit_calendar(session: Session, by: Asker, year: Number, body: ClosedDay) -> CalendarView:
    return _view(actions.edit_calendar(session, by, year, body, now=utc_now()))


@router.post("/{year}/opened-days")
def open_day(session: Session, by: Asker, year: Number, body: OpenedDay) -> CalendarView:
    return _view(actions.open_day(session, by, year, body.on, now=utc_now()))


@router.post("/{year}/confirmation")
def confirm_calendar(session: Session, by: Asker, year: Number, body: Decree) -> CalendarView:
    return _view(actions.confirm_calendar(session, by, year, body.decree, now=utc_now()))


@router.post("/{year}/seed")
def seed_calendar(session: Session, by: Asker, year: Number) -> CalendarView:
    return _view(actions.seed_calendar(session, by, year, now=utc_now()))


@router.post("/{year}/sheet")
def import_calendar(session: Session, by: Asker, year: Number, file: UploadFile) -> CalendarView:
    sheet = file.file.read(actions.SHEET_BYTES + 1)
    return _view(actions.import_calendar(session, by, year, sheet, now=utc_now()))


@router.post("/{year}/hours", status_code=201)
def set_hours(session: Session, by: Asker, year: Number, body: Period) -> CalendarView:
    return _view(actions.set_hours(session, by, year, body, now=utc_now()))


@router.post("/{year}/usual-hours")
def usual_hours_again(session: Session, by: Asker, year: Number, body: EndedPeriod) -> CalendarView:
    return _view(actions.usual_hours_again(session, by, year, body.first_on, now=utc_now()))


def _view(year: Year) -> CalendarView:
    hours = Hours(calendar_from({year.year: year}, around=year.year))
    first, last = datetime(year.year, 1, 1, tzinfo=WIB), datetime(year.year, 12, 31, 23, 59, tzinfo=WIB)
    return CalendarView(
        year=year.year,
        version=year.version,
        days=list(year.days),
        hours=list(year.hours),
        estimates=sum(one.is_estimate for one in year.days),
        working_days=hours.days(first, last) + hours.calendar.is_working_day(first.date()),
        working_hours=hours.minutes(first, last) // 60,
    )
