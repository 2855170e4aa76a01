"""The report on time: planned against actual by step and actor, with filters and as a sheet."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from services.proposal.pages.case import pages, router
from services.proposal.queries import clock
from services.proposal.queries.clock import Asked, Report
from shared.database import utc_now
from shared.errors import NotFound
from shared.figures import Column, Row, Table, as_csv
from shared.procedure import span
from shared.web import Asker, Session
from shared.words import local_date

DIVISIONS = {
    "proposal": "Divisi Aplikasi",
    "budget": "Anggaran",
    "deploy": "Divisi Infrastruktur",
    "security": "Divisi Monitoring dan Security",
    "helpdesk": "Divisi Layanan dan Sosialisasi",
}


def asked_of(request: Request) -> Asked:
    """Return what the address asks for; what cannot be is left out."""
    asked = request.query_params
    # Without a word the present year: all of them together are a question of their own.
    year, division = asked.get("tahun", str(local_date(utc_now()).year)), asked.get("divisi", "")
    return Asked(
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 and year >= "1900" else None,
        unit=asked.get("unit", "").strip()[:20],
        division=division if division in DIVISIONS else "",
    )


def _query(asked: Asked) -> str:
    return urlencode({"tahun": str(asked.year or ""), "divisi": asked.division, "unit": asked.unit})


@router.get("/waktu")
def report(request: Request, session: Session, by: Asker) -> Response:
    asked = asked_of(request)
    found = clock.report(session, by, asked)
    return pages.render(
        request,
        "clock.html",
        "Waktu",
        report=found,
        asked=asked,
        planned=span(*found.planned_days),
        query=_query(asked),
        divisions=DIVISIONS,
    )


@router.get("/waktu/{name}.csv")
def sheet(request: Request, session: Session, by: Asker, name: str) -> Response:
    if name not in SHEETS:
        raise NotFound("Daftar itu tidak ada. Buka kembali halaman Waktu.")
    table = SHEETS[name](clock.report(session, by, asked_of(request)))
    return Response(
        as_csv(table),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="waktu-{name}.csv"'},
    )


def _steps(report: Report) -> Table:
    columns = {
        "step": "Langkah", "title": "Nama langkah", "division": "Divisi", "standard": "Standar (hari kerja)",
        "median_days": "Median (hari kerja)", "own_days": "Rata-rata di pusat (hari kerja)",
        "outside_days": "Rata-rata di luar (hari kerja)", "stays": "Selesai", "late": "Lewat standar",
    }  # fmt: skip
    return _table("steps", columns, report.steps)


def _actors(report: Report) -> Table:
    columns = {
        "title": "Pemegang giliran", "times": "Kali", "median_days": "Median (hari kerja)",
        "days": "Jumlah hari kerja", "minutes": "Jumlah menit kerja",
    }  # fmt: skip
    return _table("actors", columns, report.actors)


def _table(key: str, columns: dict[str, str], rows: Any) -> Table:
    return Table(
        key=key,
        caption="Waktu",
        columns=[Column(key=name, label=label, kind="text") for name, label in columns.items()],
        rows=[Row(cells={name: getattr(row, name) for name in columns}) for row in rows],
        empty="Belum ada langkah yang selesai.",
    )


SHEETS = {"langkah": _steps, "giliran": _actors}
