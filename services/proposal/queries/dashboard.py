"""The flow of all cases for the dashboards: how many stand at each step, how long it took, and what is late."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import (
    Date,
    Integer,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from services.proposal.authority import MONEY_READERS, READERS
from services.proposal.model import Case, CaseStatus
from services.proposal.model.clock import AT_REST
from services.proposal.queries.case import CLOCK, NO_STANDARD, seen_by
from services.proposal.queries.clock import Stay, stays
from shared.calendar import calendar
from shared.database import utc_now
from shared.day_numbers import DayNumbers
from shared.errors import NotAllowed
from shared.figures import Big, Choice, Column, Figures, Panel, Plot, Return, Row, Series, Table
from shared.identity import Person, Role
from shared.plots import STEP_NAMES
from shared.procedure import STATION, Procedure, procedure
from shared.words import local_date
from shared.workdays import Calendar

YEARS = 10
"""How far back a stay is counted; an older one counts from there."""
PERIOD = timedelta(days=365)
"""Finished stays count when they ended within it."""
ORDER = ("S01", "F01", "S02", "F02", "S03", "S04", "S05", "S06", "S07", "S08", "F04", "S09", "S10", "S11")
"""The steps at which something can stand, as they follow each other."""
FEW = 10


@dataclass(frozen=True)
class Asked:
    """Which cases are counted."""

    fiscal_year: int | None = None
    unit: str = ""


def figures(session: Session, by: Person, asked: Asked | None = None, *, now: datetime | None = None) -> Figures:
    """Return the flow of the cases that a person may see, and what is late, in five statements and the calendar.

    A proposing unit sees its own cases only; raises NotAllowed for vendors.
    """
    asked, now = asked or Asked(), now or utc_now()
    seen = may_count(by)
    is_of_centre = by.has(*READERS, *MONEY_READERS)
    if by.unit and not is_of_centre:
        asked = replace(asked, unit=by.unit)
    chosen = [seen]
    if asked.fiscal_year is not None:
        chosen.append(Case.fiscal_year == asked.fiscal_year)
    if asked.unit:
        chosen.append(Case.unit == asked.unit)
    which = and_(*chosen)
    numbers = day_numbers(session, local_date(now))
    standing = _standing(session, which, numbers)
    closed = _closed(session, which, now)
    returns = _returns(session, which, now)
    late = _late(session, which, numbers)
    sop = procedure()
    flow = _flow_panel(sop, standing, closed, returns, asked, is_of_centre=is_of_centre)
    panels = [flow, _late_panel(sop, late, standing, now)]
    choices = _choices(session, seen, asked)
    return Figures(panels=panels, choices=choices if is_of_centre else choices[:1])


def may_count(by: Person) -> ColumnElement[bool]:
    """Return the condition on the cases that count for a person; raises NotAllowed for vendors."""
    if by.has(Role.VENDOR) and not by.has(*READERS, *MONEY_READERS):
        raise NotAllowed("Dasbor hanya untuk pusat dan unit pengusul. Kontrak dan tagihan Anda ada di halaman Kontrak.")
    return seen_by(by)


def day_numbers(session: Session, today: date) -> DayNumbers:
    """Return the running number of working days for the last ten years up to today."""
    return _day_numbers(calendar(session), today)


@lru_cache(maxsize=4)
def _day_numbers(known: Calendar, today: date) -> DayNumbers:
    return DayNumbers.of(known, date(today.year - YEARS, 1, 1), today)


def _days(numbers: DayNumbers, name: str) -> FromClause:
    """Return the numbered days as a table of the statement."""
    return (
        func.unnest(
            cast(literal(numbers.days, ARRAY(Date)), ARRAY(Date)),
            cast(literal(list(numbers.numbers), ARRAY(Integer)), ARRAY(Integer)),
        )
        .table_valued(column("on", Date), column("number", Integer), name=name)
        .render_derived(name=name)
    )


def _day(moment: ColumnElement[datetime] | Any, numbers: DayNumbers) -> ColumnElement[date]:
    """Return the day of a moment in WIB, within the numbered days."""
    day = cast(func.timezone("Asia/Jakarta", moment), Date)
    last = numbers.days[-1]
    return func.least(func.greatest(day, literal(numbers.first, Date)), literal(last, Date))


@cache
def standards() -> dict[str, int]:
    """Return the standard time of each status in which somebody of the centre is awaited."""
    steps = procedure().steps
    found = {status: steps[step].working_days for status, step in CLOCK.items() if status not in NO_STANDARD}
    return {status: days for status, days in found.items() if days}


def is_late(numbers: DayNumbers) -> ColumnElement[bool]:
    """Return the condition for cases whose present status lasts longer than its standard, as `pace` counts."""
    total = numbers.numbers[-1]
    begun = cast(func.timezone("Asia/Jakarta", Case.entered_at), Date)
    late: list[ColumnElement[bool]] = []
    for status, standard in standards().items():
        # The first day from which no more than the standard has passed: whoever came before it is late.
        index = next(n for n, number in enumerate(numbers.numbers) if number >= total - standard)
        late.append(and_(Case.status == status, begun < numbers.first + timedelta(days=index)))
    return or_(*late)


@dataclass(frozen=True)
class Standing:
    """What stands in one status."""

    status: str
    count: int
    late: int
    median: float | None
    """Working days since the status began."""


@dataclass(frozen=True)
class Now:
    """What stands where at this moment."""

    by_status: dict[str, Standing]
    by_step: dict[str, Standing]


def _standing(session: Session, which: ColumnElement[bool], numbers: DayNumbers) -> Now:
    entered = _days(numbers, "entered")
    cases = (
        select(
            Case.status,
            case(CLOCK, value=Case.status, else_="").label("step"),
            is_late(numbers).label("is_late"),
            (numbers.numbers[-1] - entered.c.number).label("days"),
        )
        .join(entered, entered.c.on == _day(Case.entered_at, numbers))
        .where(which, Case.status.not_in(AT_REST))
        .subquery()
    )
    found = session.execute(
        select(
            func.grouping(cases.c.status),
            cases.c.status,
            cases.c.step,
            func.count(),
            func.count().filter(cases.c.is_late),
            func.percentile_cont(0.5).within_group(cases.c.days),
        ).group_by(func.grouping_sets(tuple_(cases.c.step), tuple_(cases.c.status)))
    ).all()
    rows = [
        (is_step, Standing(at if is_step else status, count, late, None if median is None else float(median)))
        for is_step, status, at, count, late, median in found
    ]
    return Now(
        {one.status: one for is_step, one in rows if not is_step}, {one.status: one for is_step, one in rows if is_step}
    )


def _closed(session: Session, which: ColumnElement[bool], now: datetime) -> dict[str, Stay]:
    """Return how long the stays in each step took that ended within the period, as the report on time counts them."""
    return stays(session, since=now - PERIOD, cases=which)


def _returns(session: Session, which: ColumnElement[bool], now: datetime) -> list[tuple[str, str, str, int]]:
    """Return the ways back along the line within the period: from, to, into which status, how often."""
    since = now - PERIOD
    rows = session.execute(
        select(CaseStatus.source, CaseStatus.status, func.count())
        .join(Case, Case.id == CaseStatus.case_id)
        .where(which, Case.entered_at >= since, CaseStatus.at >= since, CaseStatus.source != "")
        .group_by(CaseStatus.source, CaseStatus.status)
    ).all()
    counted: dict[tuple[str, str, str], int] = {}
    for source, status, times in rows:
        start, end = STATION[source], STATION[status]
        if end < start and status != "cancelled":
            counted[start, end, status] = counted.get((start, end, status), 0) + times
    return [(*way, times) for way, times in sorted(counted.items())]


@dataclass(frozen=True)
class Late:
    """A case that has passed its standard."""

    number: str
    name: str
    unit: str
    status: str
    days: int
    over: int


def _late(session: Session, which: ColumnElement[bool], numbers: DayNumbers) -> list[Late]:
    entered = _days(numbers, "entered")
    days = numbers.numbers[-1] - entered.c.number
    over = days - case(standards(), value=Case.status, else_=0)
    rows = session.execute(
        select(Case.number, Case.name, Case.unit, Case.status, days, over)
        .join(entered, entered.c.on == _day(Case.entered_at, numbers))
        .where(which, is_late(numbers))
        .order_by(over.desc(), Case.number)
        .limit(FEW)
    ).all()
    return [Late(*row) for row in rows]


def _choices(session: Session, seen: ColumnElement[bool], asked: Asked) -> list[Choice]:
    """Return the years and units by which a person may narrow the flow, as far as they see cases of them."""
    years, units = session.execute(
        select(
            func.array_agg(Case.fiscal_year.distinct()).filter(Case.fiscal_year.is_not(None)),
            func.array_agg(Case.unit.distinct()),
        ).where(seen)
    ).one()
    year = "" if asked.fiscal_year is None else str(asked.fiscal_year)
    return [
        Choice(
            key="tahun",
            label="Tahun anggaran",
            values=[str(y) for y in sorted(y for y in years or [] if y)[-20:]],
            chosen=year,
        ),
        Choice(key="unit", label="Unit", values=sorted(units or [])[:300], chosen=asked.unit),
    ]


def _path(asked: Asked, **more: str) -> str:
    narrowed = {"tahun": "" if asked.fiscal_year is None else str(asked.fiscal_year), "unit": asked.unit}
    query = {key: value for key, value in {**more, **narrowed}.items() if value}
    return f"/perkara?{urlencode(query)}" if query else "/perkara"


STEP_COLUMNS = [
    Column(key="step", label="Langkah", kind="text"),
    Column(key="name", label="Nama langkah", kind="text"),
    Column(key="standing", label="Perkara di sini", unit="perkara"),
    Column(key="late", label="Melewati standar", unit="perkara"),
    Column(key="running_days", label="Median hari kerja, yang masih di sini", kind="decimal", unit="hari kerja"),
    Column(key="closed_days", label="Median hari kerja, yang sudah lewat", kind="decimal", unit="hari kerja"),
    Column(key="closed", label="Sudah lewat dalam 12 bulan", unit="kali"),
    Column(key="standard", label="Waktu standar", unit="hari kerja"),
]


def _flow_panel(
    sop: Procedure,
    now: Now,
    closed: dict[str, Stay],
    returns: Sequence[tuple[str, str, str, int]],
    asked: Asked,
    *,
    is_of_centre: bool,
) -> Panel:
    rows = []
    for step in ORDER:
        here, gone = now.by_step.get(step), closed.get(step)
        is_stood_at = step in CLOCK.values()
        rows.append(
            Row(
                cells={
                    "step": step,
                    "name": sop.steps[step].title,
                    # Payments (S06), evaluations (S10) and new proposals (S11) run beside: no case stands there.
                    "standing": (here.count if here else 0) if is_stood_at else None,
                    "late": (here.late if here else 0) if is_stood_at else None,
                    "running_days": here.median if here else None,
                    "closed_days": gone.median_days if gone else None,
                    "closed": (gone.count if gone else 0) if is_stood_at else None,
                    "standard": sop.steps[step].working_days or None,
                },
                path=_path(asked, langkah=step) if is_stood_at else "",
            )
        )
    ways = [
        Row(
            cells={
                "from": _station(start, sop),
                "to": _station(end, sop),
                "into": sop.statuses[status].label,
                "times": times,
            },
            path=_path(asked, status=status),
        )
        for start, end, status, times in returns
    ]
    arches: dict[tuple[str, str], int] = {}
    for start, end, _status, times in returns:
        arches[start, end] = arches.get((start, end), 0) + times
    on_the_way = sum(one.count for one in now.by_status.values() if one.status not in ("live", "suspended"))
    late = sum(one.late for one in now.by_status.values())
    live = now.by_status.get("live")
    is_any = bool(now.by_status or closed)
    numbers = [
        Big(label="Perkara berjalan", value=on_the_way, unit="perkara", path=_path(asked)),
        Big(
            label="Melewati waktu standar",
            value=late,
            unit="perkara",
            comparison=f"dari {on_the_way} yang berjalan" if on_the_way else "",
            tone="bad" if late else "good",
            path=_path(asked, terlambat="1"),
        ),
        Big(
            label="Aplikasi digunakan",
            value=live.count if live else 0,
            unit="aplikasi",
            path=_path(asked, status="live"),
        ),
    ]
    return Panel(
        key="flow",
        title="Di mana setiap aplikasi berada" if is_of_centre else "Di mana aplikasi unit Anda berada",
        source="Riwayat status perkara, dihitung dengan kalender kerja. “Masih di sini” dihitung sejak status kini "
        "dimulai; “sudah lewat” adalah lama tinggal tanpa putus di langkah itu yang berakhir dalam 12 bulan terakhir. "
        "Draf dan perkara yang berakhir tidak dihitung.",
        numbers=numbers,
        tables=[
            Table(
                key="steps",
                caption="Perkara menurut langkah prosedur",
                columns=STEP_COLUMNS,
                rows=rows if is_any else [],
                plot=Plot(
                    kind="flow",
                    label="name",
                    series=[Series(key="standing"), Series(key="late", tone="bad"), Series(key="closed_days")],
                    returns=[Return(source=a, target=b, times=n) for (a, b), n in sorted(arches.items())],
                ),
                note="Angka dalam lingkaran: perkara yang kini berada di langkah itu; merah bila ada yang melewati "
                "waktu standar. Di bawah namanya: median hari kerja dari yang sudah lewat. Panah di atas garis: berapa "
                "kali perkara kembali dalam 12 bulan terakhir.",
                empty="Peta semua perkara akan tampil di sini setelah usulan pertama diajukan.",
            ),
            Table(
                key="returns",
                caption="Jalan kembali dalam 12 bulan terakhir",
                columns=[
                    Column(key="from", label="Dari langkah", kind="text"),
                    Column(key="to", label="Kembali ke", kind="text"),
                    Column(key="into", label="Menjadi", kind="text"),
                    Column(key="times", label="Berapa kali", unit="kali"),
                ],
                rows=ways,
                empty="Belum ada perkara yang kembali ke langkah sebelumnya dalam 12 bulan terakhir.",
            ),
        ],
    )


def _station(step: str, sop: Procedure) -> str:
    return f"{step} {STEP_NAMES.get(step) or sop.steps[step].title}"


def _late_panel(sop: Procedure, late: Sequence[Late], now: Now, moment: datetime) -> Panel:
    rows = []
    for one in late:
        moves = [move for move in sop.moves_from(one.status) if move.target != "cancelled"]
        roles = sorted({sop.titles[role] for move in moves for role in move.roles})
        rows.append(
            Row(
                cells={
                    "case": f"{one.name} ({one.number})",
                    "unit": one.unit,
                    "step": _station(CLOCK[one.status], sop),
                    "status": sop.statuses[one.status].label,
                    "turn": " / ".join(roles),
                    "days": one.days,
                    "over": one.over,
                },
                path=f"/perkara/{one.number}",
            )
        )
    total = sum(one.late for one in now.by_status.values())
    return Panel(
        key="late",
        title="Yang paling terlambat",
        source="Hari kerja sejak status kini dimulai, dikurangi waktu standar langkahnya. Giliran dibaca dari "
        "perpindahan yang diizinkan prosedur pada status itu.",
        counted_at=moment,
        tables=[
            Table(
                key="cases",
                caption=f"{len(rows)} perkara yang paling lama melewati standar, dari {total} yang terlambat"
                if rows
                else "Perkara yang paling lama melewati standar",
                columns=[
                    Column(key="case", label="Perkara", kind="text"),
                    Column(key="unit", label="Unit", kind="text"),
                    Column(key="step", label="Langkah", kind="text"),
                    Column(key="status", label="Keadaan", kind="text"),
                    Column(key="turn", label="Giliran", kind="text"),
                    Column(key="days", label="Hari kerja", unit="hari kerja"),
                    Column(key="over", label="Terlambat", unit="hari kerja"),
                ],
                rows=rows,
                empty="Tidak ada perkara yang melewati waktu standar.",
                is_first_list=True,
            )
        ],
    )


def narrowed(
    session: Session, *, step: str = "", fiscal_year: int | None = None, only_late: bool = False
) -> list[ColumnElement[bool]]:
    """Return the conditions for the list behind a number of the flow."""
    found: list[ColumnElement[bool]] = []
    if step:
        found.append(Case.status.in_([s for s, at in CLOCK.items() if at == step and s not in AT_REST]))
    if fiscal_year is not None:
        found.append(Case.fiscal_year == fiscal_year)
    if only_late:
        found.append(is_late(day_numbers(session, local_date(utc_now()))))
    return found
