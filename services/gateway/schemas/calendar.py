"""The calendar of a year: holidays, their decrees, and times with other working hours."""

from datetime import date, time
from typing import Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from shared.messages import CalendarDay, OfficeHours

HolidayKind = Literal["national", "collective_leave"]
KINDS: JsonDict = {"national": "Libur nasional", "collective_leave": "Cuti bersama"}


class ClosedDay(BaseModel):
    """A day on which the office is closed."""

    model_config = ConfigDict(extra="forbid")
    on: date = Field(title="Tanggal", description="Hari yang sudah tercantum akan diganti isinya.")
    name: str = Field(min_length=3, max_length=200, pattern=r"\S", title="Nama hari")
    kind: HolidayKind = Field("national", title="Jenis", json_schema_extra={"labels": KINDS})
    is_estimate: bool = Field(False, title="Masih perkiraan (belum ada keputusan pemerintah)")
    decree: str = Field("", max_length=200, title="Nomor keputusan", description="Misalnya nomor SKB Tiga Menteri.")


class OpenedDay(BaseModel):
    """A day that is no holiday after all."""

    model_config = ConfigDict(extra="forbid")
    on: date = Field(title="Tanggal")


class Decree(BaseModel):
    """The decree that confirms the dates of a year."""

    model_config = ConfigDict(extra="forbid")
    decree: str = Field(
        min_length=3,
        max_length=200,
        pattern=r"\S",
        title="Nomor keputusan",
        description="Semua tanggal yang masih perkiraan pada tahun ini menjadi pasti menurut keputusan ini. Periksa "
        "dan betulkan tanggalnya lebih dahulu.",
    )


class CalendarFile(BaseModel):
    """A year's days as a sheet."""

    file: UploadFile = Field(
        title="Berkas CSV",
        description="Kolom: tanggal, nama, jenis, perkiraan, keputusan. Seluruh daftar tahun ini diganti dengan isi "
        "berkas.",
        json_schema_extra={"kind": "file"},
    )


class Period(BaseModel):
    """Other working hours for some days, e.g. in Ramadan. Each field holds spans: 08.00-12.00, 12.30-15.00."""

    model_config = ConfigDict(extra="forbid")
    first_on: date = Field(title="Mulai", description="Masa yang mulai pada tanggal yang sama akan diganti.")
    last_on: date = Field(title="Sampai dengan")
    name: str = Field(min_length=3, max_length=100, pattern=r"\S", title="Nama masa")
    usual: str = Field(
        "",
        max_length=100,
        title="Senin sampai Kamis",
        description="Ditulis seperti 08.00-15.00; bila ada istirahat: 08.00-12.00, 12.30-15.00. Kosong: tutup.",
    )
    friday: str = Field("", max_length=100, title="Jumat")
    saturday: str = Field("", max_length=100, title="Sabtu")
    sunday: str = Field("", max_length=100, title="Minggu")


class EndedPeriod(BaseModel):
    """A time whose hours are the usual ones after all."""

    model_config = ConfigDict(extra="forbid")
    first_on: date = Field(title="Mulai")


class CalendarView(BaseModel):
    """A year as it is kept."""

    year: int
    version: int
    """0: nobody has entered it; what stands here comes from the library."""
    days: list[CalendarDay]
    hours: list[OfficeHours]
    estimates: int
    working_days: int
    working_hours: int


class MonthView(BaseModel):
    """A month of the year view."""

    name: str
    working_days: int
    working_minutes: int
    days: list[CalendarDay]


def spans_of(words: str) -> list[tuple[time, time]]:
    """Return the spans that somebody wrote; raise ValueError for what is no time, overlaps or ends before it begins."""
    found: list[tuple[time, time]] = []
    for part in words.replace("–", "-").split(","):
        if not part.strip():
            continue
        opens, _, closes = (one.strip() for one in part.partition("-"))
        span = _clock(opens), _clock(closes)
        if span[0] >= span[1] or (found and found[-1][1] > span[0]):
            raise ValueError(words)
        found.append(span)
    return found


def _clock(words: str) -> time:
    hour, _, minute = words.replace(":", ".").partition(".")
    return time(int(hour), int(minute or 0))
