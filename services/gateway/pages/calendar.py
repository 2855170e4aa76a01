"""The calendar of the office: a year's holidays and working hours, edited by the administrator."""

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import calendar as actions
from services.gateway.authority import ACTS
from services.gateway.schemas.calendar import (
    KINDS,
    CalendarFile,
    ClosedDay,
    Decree,
    EndedPeriod,
    MonthView,
    OpenedDay,
    Period,
)
from shared.calendar import Year, calendar_from
from shared.database import utc_now
from shared.errors import Incomplete
from shared.identity import Person
from shared.language import said
from shared.pages import Nothing, Pages
from shared.sentence import Sentence
from shared.service_clock import Hours
from shared.web import Asker, Session
from shared.words import WIB, local_date
from shared.workdays import Calendar

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
CALENDAR = actions.PATH
MONTHS = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()  # noqa: SIM905
)
KEEPING = ("edit_calendar", "set_hours", "confirm_calendar", "seed_calendar", "import_calendar")
IN_ROWS = ("open_day", "usual_hours_again")


@router.get(CALENDAR)
def this_year() -> Response:
    return RedirectResponse(f"{CALENDAR}/{local_date(utc_now()).year}", status_code=303)


@router.get(f"{CALENDAR}/{{year}}")
def calendar(request: Request, session: Session, by: Asker, year: Annotated[str, InPath(max_length=4)]) -> Response:
    return _calendar(request, session, by, year)


@router.get(f"{CALENDAR}/{{year}}/berkas")
def sheet(session: Session, by: Asker, year: Annotated[str, InPath(max_length=4)]) -> Response:
    text = io.StringIO()
    csv.writer(text).writerows(actions.sheet_rows(actions.kept_or_known(session, _number(year))))
    return Response(
        "\ufeff" + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="hari-libur-{_number(year)}.csv"'},
    )


def _number(year: Any) -> int:
    if not (isinstance(year, str) and year.isascii() and year.isdigit() and len(year) == 4):
        raise Incomplete("Tahun ditulis dengan empat angka, misalnya 2027.")
    return int(year)


def _calendar(request: Request, session: Any, by: Person, place: Any) -> Response:
    number = _number(place)
    found = actions.kept_or_known(session, number)
    known = calendar_from({number: found}, around=number)
    may = by.has(*ACTS.edit_calendar.roles)
    acts = [act for act in ACTS if act.name in KEEPING and may]
    return pages.render(
        request,
        "calendar.html",
        Sentence("Hari kerja {number}", number=number),
        year=found,
        months=months(found, known),
        kinds=KINDS,
        usual=_usual(known),
        missing=actions.missing(session, now=utc_now()),
        estimates=sum(one.is_estimate for one in found.days),
        offers=pages.offers(request, acts, id=number),
        row_offers=pages.offers(request, [act for act in ACTS if act.name in IN_ROWS and may], id=number),
    )


def months(year: Year, known: Calendar) -> list[MonthView]:
    """Return the months of a year with their working days and hours."""
    hours = Hours(known)
    found = []
    for month, name in enumerate(MONTHS, 1):
        first = date(year.year, month, 1)
        last = date(year.year + month // 12, month % 12 + 1, 1)
        length = (last - first).days
        found.append(
            MonthView(
                name=name,
                working_days=sum(known.is_working_day(first + timedelta(days=n)) for n in range(length)),
                working_minutes=hours.minutes(_midnight(first), _midnight(last)),
                days=[one for one in year.days if one.on.month == month],
            )
        )
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=WIB)


def _usual(known: Calendar) -> list[tuple[str, str]]:
    names = ("Senin sampai Kamis", "Jumat", "Sabtu", "Minggu")
    spans = [known.hours.get(weekday, ()) for weekday in (0, 4, 5, 6)]
    return [(name, _words(one)) for name, one in zip(names, spans, strict=True)]


def _words(spans: Any) -> str:
    return ", ".join(f"{opens:%H.%M}–{closes:%H.%M}" for opens, closes in spans) or said("tutup")


def words_of(hours: Any, weekday: int) -> str:
    """Return the open spans of a weekday in words."""
    return _words([(one.opens, one.closes) for one in hours if one.weekday == weekday])


pages.environment.globals["words_of"] = words_of


def _back(year: int) -> str:
    return f"{CALENDAR}/{year}"


def _edit(session: Any, by: Person, place: Any, body: ClosedDay, _request: Request) -> str:
    return _back(actions.edit_calendar(session, by, _number(place), body, now=utc_now()).year)


def _open(session: Any, by: Person, place: Any, body: OpenedDay, _request: Request) -> str:
    return _back(actions.open_day(session, by, _number(place), body.on, now=utc_now()).year)


def _confirm(session: Any, by: Person, place: Any, body: Decree, _request: Request) -> str:
    return _back(actions.confirm_calendar(session, by, _number(place), body.decree, now=utc_now()).year)


def _seed(session: Any, by: Person, place: Any, _body: Nothing, _request: Request) -> str:
    return _back(actions.seed_calendar(session, by, _number(place), now=utc_now()).year)


def _import(session: Any, by: Person, place: Any, body: CalendarFile, _request: Request) -> str:
    sheet = body.file.file.read(actions.SHEET_BYTES + 1)
    return _back(actions.import_calendar(session, by, _number(place), sheet, now=utc_now()).year)


def _hours(session: Any, by: Person, place: Any, body: Period, _request: Request) -> str:
    return _back(actions.set_hours(session, by, _number(place), body, now=utc_now()).year)


def _usual_again(session: Any, by: Person, place: Any, body: EndedPeriod, _request: Request) -> str:
    return _back(actions.usual_hours_again(session, by, _number(place), body.first_on, now=utc_now()).year)


pages.act(ACTS.edit_calendar, f"{CALENDAR}/{{id}}/hari", ClosedDay, _edit, back=_calendar)
pages.act(ACTS.open_day, f"{CALENDAR}/{{id}}/hari-masuk", OpenedDay, _open, back=_calendar)
pages.act(ACTS.confirm_calendar, f"{CALENDAR}/{{id}}/penetapan", Decree, _confirm, back=_calendar)
pages.act(ACTS.seed_calendar, f"{CALENDAR}/{{id}}/pengisian", Nothing, _seed, back=_calendar)
pages.act(ACTS.import_calendar, f"{CALENDAR}/{{id}}/impor", CalendarFile, _import, back=_calendar)
pages.act(ACTS.set_hours, f"{CALENDAR}/{{id}}/jam", Period, _hours, back=_calendar)
pages.act(ACTS.usual_hours_again, f"{CALENDAR}/{{id}}/jam-biasa", EndedPeriod, _usual_again, back=_calendar)
