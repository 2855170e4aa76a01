"""The helpdesk's figures for the dashboards: open tickets by age, and how fast they were answered."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from services.helpdesk.authority import READERS
from services.helpdesk.model import STATUS_LABELS, Ticket, TicketStatus
from shared.ages import age_table, by_age
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.figures import Big, Column, Figures, Panel, Plot, Row, Series, Table
from shared.identity import Person
from shared.sentence import Sentence

PRIORITY_WORDS = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}
AGES = {1: "sampai 1 hari", 3: "2–3 hari", 7: "4–7 hari", None: "lebih dari 7 hari"}
OPEN = tuple(status for status in TicketStatus if status not in (TicketStatus.RESOLVED, TicketStatus.CLOSED))
PERIOD = timedelta(days=90)


def figures(session: Session, by: Person, *, now: datetime | None = None) -> Figures:
    """Return open tickets by age and how fast tickets were answered, in two statements; refuses NotAllowed."""
    if not by.has(*READERS):
        raise NotAllowed("Angka layanan hanya untuk Divisi Layanan, divisi terkait, dan pimpinan.")
    now = now or utc_now()
    return Figures(panels=[_tickets_panel(session, now), _speed_panel(session, now)])


def _tickets_panel(session: Session, now: datetime) -> Panel:
    counted = by_age(
        session, OPEN, kind=Ticket.status, at=Ticket.created_at, where=Ticket.status.in_(OPEN), ages=AGES, now=now
    )
    total, old = (sum(cells[key] for cells in counted.values()) for key in ("total", "age_3"))
    return Panel(
        key="tickets",
        title="Tiket terbuka",
        source="Daftar tiket; umur dihitung dalam hari kalender sejak tiket dibuat.",
        counted_at=now,
        numbers=[
            Big(label="Tiket terbuka", value=total, unit="tiket", path="/tiket"),
            Big(
                label="Lebih dari 7 hari",
                value=old,
                unit="tiket",
                comparison=Sentence("dari {total} yang terbuka", total=total) if total else "",
                tone="bad" if old else "good",
                path="/tiket",
            ),
            Big(
                label="Menunggu pelapor",
                value=counted[TicketStatus.WAITING_USER]["total"],
                unit="tiket",
                path="/tiket",
            ),
        ],
        tables=[
            age_table(
                counted,
                STATUS_LABELS,
                AGES,
                key="states",
                caption="Tiket terbuka menurut keadaan dan umur",
                first=Column(key="status", label="Keadaan", kind="text"),
                rest=[Column(key="total", label="Jumlah", unit="tiket")],
                path="/tiket",
                empty="Tidak ada tiket terbuka. Tiket pengguna akan tampil di sini menurut umurnya.",
            )
        ],
    )


def _speed_panel(session: Session, now: datetime) -> Panel:
    def median(until: Any) -> ColumnElement[Any]:
        hours = func.extract("epoch", until - Ticket.created_at) / 3600
        return func.percentile_cont(0.5).within_group(hours)

    rows = session.execute(
        select(
            Ticket.priority,
            func.count(),
            func.count(Ticket.resolved_at),
            median(Ticket.first_response_at),
            median(Ticket.resolved_at),
        )
        .where(Ticket.created_at >= now - PERIOD)
        .group_by(Ticket.priority)
    ).all()
    found = {row[0]: row for row in rows}
    order = [name for name in PRIORITY_WORDS if name in found] + sorted(set(found) - set(PRIORITY_WORDS))
    return Panel(
        key="speed",
        title="Kecepatan layanan",
        source="Tiket yang masuk dalam 90 hari terakhir; jam kalender dari tiket dibuat sampai jawaban pertama dan "
        "sampai dinyatakan selesai. Tiket yang belum dijawab atau belum selesai tidak masuk ke mediannya.",
        counted_at=now,
        tables=[
            Table(
                key="priorities",
                caption="Waktu tanggap dan penyelesaian menurut prioritas, 90 hari terakhir",
                columns=[
                    Column(key="priority", label="Prioritas", kind="text"),
                    Column(key="count", label="Tiket masuk", unit="tiket"),
                    Column(key="resolved", label="Selesai", unit="tiket"),
                    Column(key="response", label="Median jam sampai dijawab", kind="decimal", unit="jam"),
                    Column(key="resolution", label="Median jam sampai selesai", kind="decimal", unit="jam"),
                ],
                rows=[
                    Row(
                        cells={
                            "priority": PRIORITY_WORDS.get(name, name),
                            "count": found[name][1],
                            "resolved": found[name][2],
                            "response": None if found[name][3] is None else float(found[name][3]),
                            "resolution": None if found[name][4] is None else float(found[name][4]),
                        },
                        path="/tiket",
                    )
                    for name in order
                ],
                plot=Plot(kind="bars", label="priority", series=[Series(key="resolution")]),
                empty="Kecepatan layanan akan tampil di sini setelah tiket pertama masuk.",
            )
        ],
    )
