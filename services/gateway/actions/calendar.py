"""Keeping the office's calendar: each change writes the whole year anew and tells every division."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway.actions.notice import tell
from services.gateway.authority import ACTS
from services.gateway.model import Person
from services.gateway.schemas.calendar import ClosedDay, Period, spans_of
from shared import identity
from shared.authority import Act, authorize
from shared.calendar import Year, from_library, take, year_of
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Role
from shared.mailbox import post
from shared.messages import CalendarChanged, CalendarDay, OfficeHours, OpenHours
from shared.sentence import Sentence, together
from shared.words import local_date

FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_DAYS, MOST_PERIODS = 120, 12
SHEET_BYTES = 200_000
COLUMNS = ("tanggal", "nama", "jenis", "perkiraan", "keputusan")
KIND_WORDS = {"national": "libur nasional", "collective_leave": "cuti bersama"}
ASKED_FROM = (10, 1)
"""From this day on the administrator is told that the coming year is missing: the decree comes about then."""
PATH = "/hari-kerja"


def kept_or_known(session: Session, year: int) -> Year:
    """Return a year as it is kept, or with version 0 as the library knows it; raise Incomplete for no year."""
    _check_year(year)
    return year_of(session, year) or _unkept(year, datetime.min)


def edit_calendar(session: Session, by: identity.Person, year: int, day: ClosedDay, *, now: datetime) -> Year:
    """Keep a day on which the office is closed, in place of what stood on that date; raise Incomplete."""
    _check_in(year, day.on, "/on")
    new = CalendarDay(**day.model_dump())

    def change(old: Year) -> dict[str, Any]:
        return {"days": _days([*(one for one in old.days if one.on != new.on), new])}

    return _changed(session, by, ACTS.edit_calendar, year, change, now=now, on=day.on.isoformat())


def open_day(session: Session, by: identity.Person, year: int, on: date, *, now: datetime) -> Year:
    """Take a day off the list of holidays; raise Incomplete when it does not stand there."""

    def change(old: Year) -> dict[str, Any]:
        left = tuple(one for one in old.days if one.on != on)
        if len(left) == len(old.days):
            raise Incomplete(
                "Tanggal itu tidak ada dalam daftar.", errors=[FieldError("/on", "Pilih tanggal dari daftar.")]
            )
        return {"days": left}

    return _changed(session, by, ACTS.open_day, year, change, now=now, on=on.isoformat())


def confirm_calendar(session: Session, by: identity.Person, year: int, decree: str, *, now: datetime) -> Year:
    """Confirm all dates of a year that were an estimate by the number of a decree; raise OutOfTurn without any."""

    def change(old: Year) -> dict[str, Any]:
        if old.version and not any(one.is_estimate for one in old.days):
            raise OutOfTurn(
                Sentence("Semua tanggal tahun {year} sudah pasti. Tidak ada yang perlu ditetapkan.", year=year)
            )
        sure = {"is_estimate": False, "decree": decree}
        return {"days": tuple(one.model_copy(update=sure) if one.is_estimate else one for one in old.days)}

    return _changed(session, by, ACTS.confirm_calendar, year, change, now=now, decree=decree)


def seed_calendar(session: Session, by: identity.Person, year: int, *, now: datetime) -> Year:
    """Enter a year from the library, estimates marked; days that stand there already stay as they are."""

    def change(old: Year) -> dict[str, Any]:
        known = {one.on for one in old.days}
        return {"days": _days([*old.days, *(one for one in from_library(year) if one.on not in known)])}

    return _changed(session, by, ACTS.seed_calendar, year, change, now=now)


def import_calendar(session: Session, by: identity.Person, year: int, sheet: bytes, *, now: datetime) -> Year:
    """Replace the days of a year by those of a sheet; raise Incomplete with every mistake, and nothing is changed."""
    days = read_sheet(sheet, year)
    return _changed(session, by, ACTS.import_calendar, year, lambda old: {"days": days}, now=now, days=len(days))


def set_hours(session: Session, by: identity.Person, year: int, period: Period, *, now: datetime) -> Year:
    """Keep other working hours for some days of a year; raise Incomplete for hours that cannot be."""
    _check_in(year, period.first_on, "/first_on")
    _check_in(year, period.last_on, "/last_on")
    wrong = []
    if period.last_on < period.first_on:
        wrong.append(FieldError("/last_on", "Hari terakhir mendahului hari pertama."))
    hours: list[OpenHours] = []
    for name, weekdays in WEEKDAYS.items():
        try:
            spans = spans_of(getattr(period, name))
        except ValueError:
            wrong.append(FieldError(f"/{name}", "Tulis jam seperti 08.00-15.00, yang awal lebih dahulu."))
            continue
        hours += [OpenHours(weekday=day, opens=opens, closes=closes) for day in weekdays for opens, closes in spans]
    if wrong:
        raise Incomplete("Jam kerja ini belum dapat disimpan. Betulkan isian yang ditandai.", errors=wrong)
    new = OfficeHours(first_on=period.first_on, last_on=period.last_on, name=period.name, hours=tuple(hours))

    def change(old: Year) -> dict[str, Any]:
        others = [one for one in old.hours if one.first_on != new.first_on]
        # The shorter one first: what holds for a month stands before what holds for the year.
        kept = sorted([*others, new], key=lambda one: (one.last_on - one.first_on, one.first_on))
        if len(kept) > MOST_PERIODS:
            raise Incomplete(
                Sentence(
                    "Satu tahun memuat paling banyak {most_periods} masa. Hapus yang tidak dipakai.",
                    most_periods=MOST_PERIODS,
                )
            )
        return {"hours": tuple(kept)}

    return _changed(session, by, ACTS.set_hours, year, change, now=now, first_on=period.first_on.isoformat())


def usual_hours_again(session: Session, by: identity.Person, year: int, first_on: date, *, now: datetime) -> Year:
    """Let the usual hours hold again in place of a time with other ones; raise Incomplete when there is none."""

    def change(old: Year) -> dict[str, Any]:
        left = tuple(one for one in old.hours if one.first_on != first_on)
        if len(left) == len(old.hours):
            raise Incomplete(
                "Tidak ada masa yang mulai pada tanggal itu.",
                errors=[FieldError("/first_on", "Pilih tanggal mulai dari daftar.")],
            )
        return {"hours": left}

    return _changed(session, by, ACTS.usual_hours_again, year, change, now=now, first_on=first_on.isoformat())


WEEKDAYS = {"usual": range(4), "friday": (4,), "saturday": (5,), "sunday": (6,)}


def tell_calendar(session: Session) -> None:
    """Tell every division all years that are kept; whoever knows them changes nothing."""
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        found = year_of(session, year)
        if found:
            post(session, found)


def _changed(
    session: Session,
    by: identity.Person,
    act: Act,
    year: int,
    change: Callable[[Year], dict[str, Any]],
    *,
    now: datetime,
    **facts: Any,
) -> Year:
    _check_year(year)
    # Whoever is audited holds the chain: two administrators change a year one after the other.
    by = authorize(session, by, act, f"calendar:{year}", **facts)
    old = year_of(session, year, lock=True) or _unkept(year, now)
    new = old.model_copy(update={**change(old), "version": old.version + 1, "changed_at": now})
    if len(new.days) > MOST_DAYS:
        raise Incomplete(
            Sentence(
                "Satu tahun memuat paling banyak {most_days} hari libur. Periksa kembali daftarnya.",
                most_days=MOST_DAYS,
            )
        )
    take(session, new)
    post(session, new, by=by)
    return new


def _unkept(year: int, now: datetime) -> Year:
    return CalendarChanged(year=year, version=0, changed_at=now, days=from_library(year))


def _days(days: Iterable[CalendarDay]) -> tuple[CalendarDay, ...]:
    return tuple(sorted(days, key=lambda one: one.on))


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Incomplete(
            Sentence(
                "Kalender tersedia untuk tahun {first_year} sampai {last_year}.",
                first_year=FIRST_YEAR,
                last_year=LAST_YEAR,
            )
        )


def _check_in(year: int, on: date, pointer: str) -> None:
    if on.year != year:
        words = Sentence(
            "Tanggal harus dalam tahun {year}. Buka tahun {on_year} untuk tanggal ini.",
            year=year,
            on_year=on.year,
        )
        raise Incomplete(words, errors=[FieldError(pointer, words)])


# --- sheets --------------------------------------------------------------------------------------------------------


def sheet_rows(year: Year) -> list[tuple[str, ...]]:
    """Return the rows of a year's sheet, the names of the columns first."""
    return [
        COLUMNS,
        *(
            (one.on.isoformat(), one.name, KIND_WORDS[one.kind], "ya" if one.is_estimate else "tidak", one.decree)
            for one in year.days
        ),
    ]


def read_sheet(sheet: bytes, year: int) -> tuple[CalendarDay, ...]:
    """Return the days of a sheet; raise Incomplete with the row and column of every mistake."""
    if len(sheet) > SHEET_BYTES:
        raise Incomplete("Berkas ini terlalu besar untuk daftar hari libur. Periksa apakah berkasnya benar.")
    try:
        text = sheet.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        words = "Berkas ini bukan teks UTF-8. Simpan kembali sebagai “CSV UTF-8”, lalu unggah lagi."
        raise Incomplete(words, errors=[FieldError("/file", words)]) from reason
    delimiter = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != COLUMNS:
        words = Sentence("Baris pertama harus berisi nama kolom: {columns}.", columns=", ".join(COLUMNS))
        raise Incomplete(words, errors=[FieldError("/file", words)])
    wrong: list[str] = []
    found: dict[date, CalendarDay] = {}
    for n, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            day = _read_row(n, [cell.strip() for cell in row], year, wrong)
            if day and day.on in found:
                wrong.append(Sentence("Baris {n}, kolom tanggal: {on} sudah ada di atas.", n=n, on=day.on.isoformat()))
            elif day:
                found[day.on] = day
    if wrong or not found:
        told = wrong or ["Berkas ini tidak memuat satu hari pun."]
        raise Incomplete(
            Sentence("Tidak ada yang disimpan. {told}", told=together(told[:20])),
            errors=[FieldError("/file", one) for one in told[:100]],
        )
    return _days(found.values())


def _read_row(n: int, cells: Sequence[str], year: int, wrong: list[str]) -> CalendarDay | None:
    before = len(wrong)
    if len(cells) != len(COLUMNS):
        wrong.append(
            Sentence(
                "Baris {n}: harus berisi {columns} kolom, bukan {cells}.",
                n=n,
                columns=len(COLUMNS),
                cells=len(cells),
            )
        )
        return None
    on_words, name, kind_words, estimate, decree = cells
    try:
        on = date.fromisoformat(on_words)
    except ValueError:
        wrong.append(
            Sentence(
                "Baris {n}, kolom tanggal: tulis seperti {year}-08-17, bukan “{on_words}”.",
                n=n,
                year=year,
                on_words=on_words[:30],
            )
        )
        on = date.min
    else:
        if on.year != year:
            wrong.append(
                Sentence(
                    "Baris {n}, kolom tanggal: {on_words} bukan tanggal tahun {year}.",
                    n=n,
                    on_words=on_words,
                    year=year,
                )
            )
    if not 3 <= len(name) <= 200 or "\x00" in name:
        wrong.append(Sentence("Baris {n}, kolom nama: isi nama harinya, 3 sampai 200 huruf.", n=n))
    kind = {words: key for key, words in KIND_WORDS.items()}.get(kind_words.lower())
    if kind is None:
        wrong.append(Sentence("Baris {n}, kolom jenis: tulis “libur nasional” atau “cuti bersama”.", n=n))
    if estimate.lower() not in ("ya", "tidak"):
        wrong.append(Sentence("Baris {n}, kolom perkiraan: tulis “ya” atau “tidak”.", n=n))
    if len(decree) > 200 or "\x00" in decree:
        wrong.append(Sentence("Baris {n}, kolom keputusan: paling banyak 200 huruf.", n=n))
    if len(wrong) > before or kind is None:
        return None
    return CalendarDay(on=on, name=name, kind=kind, is_estimate=estimate.lower() == "ya", decree=decree)


# --- what is missing -----------------------------------------------------------------------------------------------


def missing(session: Session, *, now: datetime) -> list[int]:
    """Return which of this year and, from October on, the coming year are not kept or hold estimates."""
    today = local_date(now)
    asked = [today.year] + ([today.year + 1] if (today.month, today.day) >= ASKED_FROM else [])
    found = []
    for year in asked:
        days = (year_of(session, year) or _unkept(year, now)).days
        if any(one.is_estimate for one in days) or (year > today.year and year_of(session, year) is None):
            found.append(year)
    return found


def tell_what_is_missing(session: Session, *, now: datetime) -> int:
    """Tell the administrators which year's calendar is missing, once for each; return how many were told."""
    years = missing(session, now=now)
    if not years:
        return 0
    today, count = local_date(now), 0
    for person in session.scalars(select(Person).where(Person.is_active)):
        if Role.ADMIN not in person.as_signed(today).roles:
            continue
        for year in years:
            count += tell(
                session,
                person.id,
                kind="news",
                title=f"Daftar hari libur {year} belum ditetapkan",
                about="Batas waktu pada tahun itu dihitung dengan perkiraan.",
                path=f"{PATH}/{year}",
                key=f"calendar:{year}",
                now=now,
            )
    return count
