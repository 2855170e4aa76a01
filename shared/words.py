"""Money, numbers, dates and times as an Indonesian office writes and reads them."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from shared.errors import FieldError, Incomplete

WIB: Final = ZoneInfo("Asia/Jakarta")
LARGEST_AMOUNT: Final = 2**63 - 1
"""Money stands in 64-bit columns; more than this cannot be kept."""

_LOCALE: Final = "id_ID"

# Dots only as thousands, in threes; "Rp", "Rp." and the habitual ",-" at the end may stand around it.
_TYPED_AMOUNT: Final = re.compile(r"(?:rp\.?\s*)?([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,-)?", re.IGNORECASE)
_LOOKS_FRACTIONAL: Final = re.compile(r".*[0-9](?:,[0-9]+|\.[0-9]{1,2})", re.DOTALL)

_UNITS: Final = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_SCALES: Final = (
    (10**18, "kuintiliun"),
    (10**15, "kuadriliun"),
    (10**12, "triliun"),
    (10**9, "miliar"),
    (10**6, "juta"),
    (10**3, "ribu"),
    (100, "ratus"),
    (10, "puluh"),
)


def rupiah(amount: int) -> str:
    """Write whole rupiah the official way: `Rp1.500.000`, below zero `-Rp660` (domain §6)."""
    return f"{'-' if amount < 0 else ''}Rp{_grouped(abs(amount))}"


def read_rupiah(text: str, *, pointer: str = "") -> int:
    """Read typed rupiah: "1.500.000", "Rp 1.500.000", "1500000"; the answer is whole rupiah, never below 0.

    Refuses with `Incomplete` what has a fraction, misplaced dots, another sign or does not fit 64 bits;
    `pointer` (a JSON pointer) says which field the refusal is about.
    """
    typed = text.strip()
    match = _TYPED_AMOUNT.fullmatch(typed)
    if match is None:
        if _LOOKS_FRACTIONAL.fullmatch(typed):
            detail = "Jumlah uang ditulis dalam rupiah bulat tanpa sen dan tanpa koma, misalnya 1.500.000."
        else:
            detail = "Jumlah uang tidak terbaca. Mohon tulis angka rupiah bulat, misalnya 1.500.000."
        raise _unreadable(detail, pointer)
    digits = match[1].replace(".", "").lstrip("0") or "0"
    if len(digits) > len(str(LARGEST_AMOUNT)) or int(digits) > LARGEST_AMOUNT:
        raise _unreadable("Jumlah uang terlalu besar. Mohon periksa kembali banyaknya angka nol.", pointer)
    return int(digits)


def in_words(number: int) -> str:
    """Spell a number out (terbilang) in lower case: 1_001_000 is "satu juta seribu" (domain §6)."""
    if number < 0:
        return f"minus {in_words(-number)}"
    if number < 10:
        return _UNITS[number]
    if number < 12:
        return "sepuluh" if number == 10 else "sebelas"
    if number < 20:
        return f"{_UNITS[number - 10]} belas"
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    # "Se-" replaces "satu" before ratus and ribu only: seratus, seribu, but satu juta.
    head = f"se{name}" if count == 1 and size in (100, 1000) else f"{in_words(count)} {name}"
    return f"{head} {in_words(rest)}" if rest else head


def amount_in_words(amount: int) -> str:
    """Spell whole rupiah out as a receipt or contract does: "seratus sebelas juta rupiah" (domain §6)."""
    return f"{in_words(amount)} rupiah"


def count_with_words(number: int) -> str:
    """Write a count the way letters do, figure and word: "3 (tiga)"."""
    return f"{_grouped(number)} ({in_words(number)})"


def percent(part: int, whole: int) -> str:
    """Say how much of `whole` is `part`, rounded half up to two decimals: "97,89%"; "–" when `whole` is 0."""
    if whole == 0:
        return "–"
    negative = (part < 0) != (whole < 0) and part != 0
    hundredths = (abs(part) * 20_000 + abs(whole)) // (2 * abs(whole))
    return f"{'-' if negative and hundredths else ''}{_grouped(hundredths // 100)},{hundredths % 100:02d}%"


def local_date(moment: date | datetime) -> date:
    """Tell which day it is in WIB at an aware time; a date stays what it is."""
    return _in_wib(moment).date() if isinstance(moment, datetime) else moment


def _day(moment: date | datetime, pattern: str) -> str:
    return _written(local_date(moment), pattern)


@lru_cache(2_000)
def _written(day: date, pattern: str) -> str:
    # Half of what a list costs would be its dates.
    return format_date(day, pattern, locale=_LOCALE)


def long_date(moment: date | datetime) -> str:
    """Write the day in WIB: "22 November 2026"."""
    return _day(moment, "d MMMM y")


def long_date_with_day(moment: date | datetime) -> str:
    """Write the day in WIB with its name: "Minggu, 22 November 2026"."""
    return _day(moment, "EEEE, d MMMM y")


def numeric_date(moment: date | datetime) -> str:
    """Write the day in WIB in figures, for tables: "22/11/2026"."""
    return _day(moment, "dd/MM/y")


def month_name(moment: date | datetime) -> str:
    """Name the month in WIB: "November"."""
    return _day(moment, "LLLL")


def date_in_words(moment: date | datetime) -> str:
    """Spell the day out as official records do, to follow "Pada hari ini":
    "Minggu tanggal dua puluh dua bulan November tahun dua ribu dua puluh enam" (domain §5)."""
    day = local_date(moment)
    weekday = _day(day, "EEEE")
    return f"{weekday} tanggal {in_words(day.day)} bulan {month_name(day)} tahun {in_words(day.year)}"


def clock_time(moment: datetime) -> str:
    """Write an aware time as the clock on the wall shows it: "15.05 WIB"."""
    return _in_wib(moment).strftime("%H.%M WIB")


def long_moment(moment: datetime) -> str:
    """Write day and time of an aware time: "22 November 2026 pukul 15.05 WIB"."""
    return f"{long_date(moment)} pukul {clock_time(moment)}"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _in_wib(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown in WIB")
    return moment.astimezone(WIB)


def _unreadable(detail: str, pointer: str) -> Incomplete:
    return Incomplete(detail, code="amount_unreadable", errors=[FieldError(pointer=pointer, detail=detail)])
