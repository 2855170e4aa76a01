"""The flow of all cases for the dashboards: how many stand at each step, how long it took, and what is late."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from sqlalchemy import and_, false, or_, select, true, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from services.proposal.model import Case
from services.proposal.model.case import AT_REST, STANDS
from services.proposal.model.sop import procedures
from services.proposal.model.tally import ALWAYS, BACK, STANDING, STAY, parted
from services.proposal.queries import tally
from services.proposal.queries.case import CLOCK, NO_STANDARD, standard_of
from services.proposal.queries.sop import current_procedure, published
from services.proposal.queries.tally import Stay
from shared.calendar import calendar
from shared.database import utc_now
from shared.day_numbers import DayNumbers
from shared.errors import NotAllowed
from shared.figures import Big, Choice, Column, Figures, Panel, Plot, Return, Row, Series, Table
from shared.identity import Person
from shared.plots import STEP_NAMES
from shared.procedure import STATION, Procedure, procedure
from shared.sentence import Sentence
from shared.words import WIB, local_date
from shared.workdays import Calendar

YEARS = 10
"""How far back a stay is counted; an older one counts from there."""
ORDER = ("S01", "F01", "S02", "F02", "S03", "S04", "S05", "S06", "S07", "S08", "F04", "S09", "S10", "S11")
"""The steps at which something can stand, as they follow each other."""
FEW = 10


@dataclass(frozen=True)
class Asked:
    """Which cases are counted."""

    fiscal_year: int | None = None
    unit: str = ""


def figures(session: Session, by: Person, asked: Asked | None = None, *, now: datetime | None = None) -> Figures:
    """Return the flow of the cases that a person counts, and what is late, in four statements and the calendar.

    Late is judged by the version of the SOP under which a case runs; versions not read before are one question more.
    Each reads sums and the latest of each status: as many rows however many cases there are. A proposing unit sees
    its own cases only; raises NotAllowed for vendors.
    """
    asked, now = asked or Asked(), now or utc_now()
    if not tally.may_count(by):
        raise NotAllowed("Dasbor hanya untuk pusat dan unit pengusul. Kontrak dan tagihan Anda ada di halaman Kontrak.")
    is_of_centre = tally.is_of_centre(by)
    if by.unit and not is_of_centre:
        asked = replace(asked, unit=by.unit)
    scope = tally.scope_of(by, unit=asked.unit, fiscal_year=asked.fiscal_year)
    on = today(session, now)
    since = first_day(now)
    found = tally.read(
        session,
        tally.sums(scope, STANDING),
        tally.sums(scope, STAY, since=since),
        tally.sums(scope, BACK, since=since),
    )
    sops = procedures(session, {parted(one.key)[1] for one in found[STANDING]})
    standing = _standing(found[STANDING], on, sops)
    sop = current_procedure(session)
    flow = _flow_panel(
        sop, standing, _closed(found[STAY]), _returns(found[BACK]), asked,
        is_of_centre=is_of_centre,
    )  # fmt: skip
    late = _late(session, scope, standing, on, sops)
    choices = _choices(session, by, asked)
    return Figures(
        panels=[flow, _late_panel(sop, late, standing, now)], choices=choices if is_of_centre else choices[:1]
    )


def first_day(now: datetime) -> date:
    """Return the day since which finished stays and ways back count: the first of this month a year ago."""
    today = local_date(now)
    return date(today.year - 1, today.month, 1)


@dataclass(frozen=True)
class Today:
    """A day as the flow is counted on it."""

    numbers: DayNumbers
    """Of the last ten years up to that day."""

    def late_before(self, standard: int) -> date:
        """Return the first day from which no more than a standard has passed: what came before it is late."""
        if not standard:
            return ALWAYS
        numbers = self.numbers.numbers
        return self.numbers.first + timedelta(days=bisect_left(numbers, numbers[-1] - standard))

    def days_since(self, ons: Sequence[int]) -> list[int]:
        """Count the working days since each of many days, given as days after `ALWAYS`."""
        numbers, first = self.numbers.numbers, (self.numbers.first - ALWAYS).days
        last, total = len(numbers) - 1, numbers[-1]
        return [total - numbers[min(max(on - first, 0), last)] for on in ons]


def today(session: Session, now: datetime) -> Today:
    """Return a day with the running number of working days of the last ten years."""
    return _today(calendar(session), local_date(now))


@lru_cache(maxsize=4)
def _today(known: Calendar, on: date) -> Today:
    return Today(DayNumbers.of(known, date(on.year - YEARS, 1, 1), on))


def is_late(on: Today, sops: Mapping[int, Procedure]) -> ColumnElement[bool]:
    """Return the condition for cases whose present status lasts longer than the standard of their own version."""
    return or_(*(_began_before(on, status, sops) for status in CLOCK if status not in NO_STANDARD))


def _began_before(on: Today, status: str, sops: Mapping[int, Procedure]) -> ColumnElement[bool]:
    """Return the condition for cases that stand in a status since before the day of their version."""
    usual = standard_of(status, procedure())
    others: dict[int, list[int]] = defaultdict(list)
    for version, sop in sops.items():
        if (standard := standard_of(status, sop)) != usual:
            others[standard].append(version)
    # Whatever version is not known here any more runs by the times of the shipped one.
    rest = Case.sop_version.not_in([one for some in others.values() for one in some]) if others else true()
    ways = [(usual, rest), *((standard, Case.sop_version.in_(some)) for standard, some in others.items())]
    late = [
        and_(Case.entered_at < datetime.combine(on.late_before(days), time(), WIB), which)
        for days, which in ways
        if days
    ]
    return and_(Case.status == status, or_(false(), *late))


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


def _standing(sums: Sequence[tally.Sum], on: Today, sops: Mapping[int, Procedure]) -> Now:
    by_status: dict[str, Standing] = {}
    by_step: dict[str, Standing] = {}
    running: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in sums:
        status, version = parted(one.key)
        limit = (on.late_before(standard_of(status, sops[version])) - ALWAYS).days
        late = sum(times for entered, times in zip(one.ons, one.times, strict=True) if entered < limit)
        # In use is the goal: since when, nobody waits.
        days = [] if status in STANDS else list(zip(on.days_since(one.ons), one.times, strict=True))
        for found, key in ((by_status, status), (by_step, CLOCK[status])):
            running[key] += days
            before = found.get(key, Standing(key, 0, 0, None))
            found[key] = Standing(key, before.count + sum(one.times), before.late + late, tally.median(running[key]))
    return Now(by_status, by_step)


def _closed(sums: Sequence[tally.Sum]) -> dict[str, Stay]:
    return {one.key: stay for one in sums if (stay := Stay.of(one.values))}


def _returns(sums: Sequence[tally.Sum]) -> list[tuple[str, str, str, int]]:
    """Return the ways back along the line within the period: from, to, into which status, how often."""
    counted: dict[tuple[str, str, str], int] = {}
    for one in sums:
        source, _, status = one.key.partition(">")
        way = STATION[source], STATION[status], status
        counted[way] = counted.get(way, 0) + sum(times for _, times in one.values)
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


def _late(session: Session, scope: tally.Scope, standing: Now, on: Today, sops: Mapping[int, Procedure]) -> list[Late]:
    """Return those that are most late: of each status in which one is, the few that came first."""
    ways = [
        select(Case.number, Case.name, Case.unit, Case.status, Case.entered_at, Case.sop_version)
        .where(_began_before(on, one.status, sops), *scope.cases)
        .order_by(Case.entered_at, Case.number)
        .limit(FEW)
        for one in standing.by_status.values()
        if one.late
    ]
    if not ways:
        return []
    found = []
    for number, name, unit, status, entered_at, version in session.execute(union_all(*ways)):
        (days,) = on.days_since([(local_date(entered_at) - ALWAYS).days])
        found.append(Late(number, name, unit, status, days, days - standard_of(status, sops[version])))
    return sorted(found, key=lambda one: (-one.over, one.number))[:FEW]


def _choices(session: Session, by: Person, asked: Asked) -> list[Choice]:
    """Return the years and units by which a person may narrow the flow, as far as they count cases of them."""
    years, units = tally.known(session, tally.scope_of(by))
    year = "" if asked.fiscal_year is None else str(asked.fiscal_year)
    return [
        Choice(key="tahun", label="Tahun anggaran", values=[str(one) for one in years[-20:]], chosen=year),
        Choice(key="unit", label="Unit", values=units[:300], chosen=asked.unit),
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
    Column(key="standard", label="Waktu standar (hari kerja)", kind="text"),
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
                    "standard": sop.steps[step].days,
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
            comparison=Sentence("dari {on_the_way} yang berjalan", on_the_way=on_the_way) if on_the_way else "",
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
        "dimulai; “sudah lewat” adalah lama tinggal tanpa putus di langkah itu yang berakhir dalam bulan ini dan dua "
        "belas bulan sebelumnya. Draf dan perkara yang berakhir tidak dihitung.",
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
    return Sentence("{step} {name}", step=step, name=STEP_NAMES.get(step) or sop.steps[step].title)


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
                    "turn": Sentence("{roles}", roles=roles),
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
                caption=Sentence(
                    "{rows} perkara yang paling lama melewati standar, dari {total} yang terlambat",
                    rows=len(rows),
                    total=total,
                )
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
        found.append(is_late(today(session, utc_now()), published(session)))
    return found
