"""What people ask of the helpdesk; nothing here changes anything."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, case, cast, engine, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from services.helpdesk.authority import ACTS, AGENTS, HELPERS
from services.helpdesk.model import (
    APPLICATIONS_SEARCHED,
    MOVES,
    STATUS_LABELS,
    TICKETS_SEARCHED,
    LiveApplication,
    Ticket,
    TicketStatus,
)
from shared import search
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotAllowed, NotFound
from shared.figures import Big, Column, Figures, Panel, Plot, Row, Series, Table, Tone
from shared.identity import Person, Role
from shared.messages import Figure
from shared.search import Hit
from shared.words import WIB, local_date

READERS = HELPERS | {Role.APP_HEAD, Role.HEAD, Role.INFRA_HEAD, Role.SECURITY_HEAD, Role.AUDITOR}


def ticket(session: Session, by: Person, ticket_id: UUID, *, is_locked: bool = False) -> Ticket:
    """Return a ticket that this person may see, locked for a change if wished; raise NotFound otherwise."""
    found = session.get(
        Ticket,
        ticket_id,
        options=[joinedload(Ticket.replies)],
        with_for_update={"of": Ticket} if is_locked else None,
    )
    if found is None or not (by.has(*READERS) or found.reporter_id == by.id):
        raise NotFound("Tiket tidak ditemukan. Periksa nomornya atau cari di daftar tiket.")
    return found


LISTED = (
    *(Ticket.id, Ticket.number, LiveApplication.code.label("application_code"), LiveApplication.case_number),
    *(LiveApplication.name.label("application_name"), Ticket.title, Ticket.status, Ticket.priority, Ticket.category),
    *(Ticket.release_number, Ticket.reporter_name, Ticket.assignee_name, Ticket.created_at),
)
LISTING = select(*LISTED).join(Ticket.application).order_by(Ticket.created_at.desc(), Ticket.id.desc())
Listed = engine.Row[*tuple[Any, ...]]
"""What a list shows of a ticket; entities would be made for each row only to be thrown away."""


def tickets(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Listed]:
    """Return rows (`LISTED`) of tickets that this person may see, newest first, after a place in that order."""
    statement = LISTING.limit(limit)
    if not by.has(*READERS):
        statement = statement.where(Ticket.reporter_id == by.id)
    if after:
        statement = statement.where(tuple_(Ticket.created_at, Ticket.id) < after)
    return session.execute(statement).all()


_LIVE = LiveApplication.__table__.c
IN_USE = (
    select(_LIVE.code, _LIVE.name, _LIVE.is_suspended).where(_LIVE.retired_at.is_(None)).order_by(_LIVE.name).limit(500)
)
"""Built once: it stands beside every list of tickets, and building it costs twice as much as asking it."""


def applications(session: Session) -> dict[str, str]:
    """Return what the applications in use are called by their codes, by name; suspended ones say so."""
    rows = session.execute(IN_USE)
    return {code: name + (" (dihentikan sementara)" if is_suspended else "") for code, name, is_suspended in rows}


def offered(by: Person, thing: Ticket) -> list[Act]:
    """Return what this person may do with a ticket now."""
    return [act for act in ACTS if act.name in MOVES and thing.allows(act.name) and act.allows(by, thing)]


def waiting_on(session: Session, by: Person) -> Sequence[Ticket]:
    """Return the tickets that wait for this person, oldest first."""
    for_reporter = [TicketStatus.WAITING_USER, TicketStatus.RESOLVED]
    theirs = and_(Ticket.reporter_id == by.id, Ticket.status.in_(for_reporter))
    if by.has(*AGENTS):
        theirs = or_(theirs, Ticket.status.in_([TicketStatus.NEW, TicketStatus.IN_PROGRESS]))
    if by.has(*HELPERS - AGENTS):
        theirs = or_(theirs, Ticket.status == TicketStatus.ESCALATED)
    return session.scalars(select(Ticket).where(theirs).order_by(Ticket.created_at).limit(100)).all()


def figures(session: Session, case_id: UUID, *, from_on: date, until_on: date) -> tuple[Figure, ...]:
    """Count a period's tickets of one application for its evaluation (S10); no median when none was resolved."""
    since = datetime.combine(from_on, time.min, WIB)
    until = datetime.combine(until_on, time.max, WIB)
    total, closed, hours = session.execute(
        select(
            func.count(),
            func.count(Ticket.closed_at),
            func.percentile_cont(0.5).within_group(
                func.extract("epoch", Ticket.resolved_at - Ticket.created_at) / 3600
            ),
        ).where(Ticket.case_id == case_id, Ticket.created_at.between(since, until))
    ).one()
    source = f"Tiket Divisi Layanan, {from_on:%d/%m/%Y} s.d. {until_on:%d/%m/%Y}"
    counted = (
        Figure(key="tickets_total", label="Tiket masuk", value=total, unit="tiket", source=source),
        Figure(key="tickets_closed", label="Tiket ditutup", value=closed, unit="tiket", source=source),
    )
    if hours is None:
        return counted
    median = round(float(hours), 1)
    label = "Median waktu penyelesaian"
    return (*counted, Figure(key="tickets_median_hours", label=label, value=median, unit="jam", source=source))


def label(status: str) -> str:
    """Return the Indonesian word for a status."""
    return STATUS_LABELS[TicketStatus(status)]


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return the tickets that this person may see and asked for, the best first."""
    asked = search.read(question)
    if asked is None:
        return []
    search.limit_time(session)
    statement = select(
        Ticket.id, Ticket.number, Ticket.title, Ticket.status, Ticket.created_at, LiveApplication.name
    ).join(Ticket.application)
    if not by.has(*READERS):
        statement = statement.where(Ticket.reporter_id == by.id)
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="ticket",
            title=row.title,
            number=row.number,
            about=row.name,
            path=f"/tiket/{row.id}",
            label=label(row.status),
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Ticket.id,
        at=Ticket.created_at,
        own=TICKETS_SEARCHED,
        others=[APPLICATIONS_SEARCHED],
    )


PRIORITY_WORDS = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}
AGES = ((1, "sampai 1 hari"), (3, "2–3 hari"), (7, "4–7 hari"), (None, "lebih dari 7 hari"))
"""Buckets of age in calendar days, youngest first."""
OPEN = tuple(status for status in TicketStatus if status not in (TicketStatus.RESOLVED, TicketStatus.CLOSED))
PERIOD = timedelta(days=90)


def dashboard(session: Session, by: Person, *, now: datetime | None = None) -> Figures:
    """Return open tickets by age and how fast tickets were answered, in two statements; refuses NotAllowed."""
    if not by.has(*READERS):
        raise NotAllowed("Angka layanan hanya untuk Divisi Layanan, divisi terkait, dan pimpinan.")
    now = now or utc_now()
    return Figures(panels=[_tickets_panel(session, now), _speed_panel(session, now)])


def _tickets_panel(session: Session, now: datetime) -> Panel:
    age = local_date(now) - cast(func.timezone("Asia/Jakarta", Ticket.created_at), Date)
    open_ones = (
        select(
            Ticket.status,
            case(*((age <= most, index) for index, (most, _) in enumerate(AGES) if most is not None), else_=3).label(
                "bucket"
            ),
        )
        .where(Ticket.status.in_(OPEN))
        .subquery()
    )
    rows = session.execute(
        select(open_ones.c.status, open_ones.c.bucket, func.count()).group_by(open_ones.c.status, open_ones.c.bucket)
    ).all()
    counted: dict[TicketStatus, list[int]] = {status: [0] * len(AGES) for status in OPEN}
    for status, bucket, count in rows:
        counted[TicketStatus(status)][bucket] += count
    total, old = sum(map(sum, counted.values())), sum(ages[-1] for ages in counted.values())
    tones: list[Tone] = ["plain", "wait", "quiet", "bad"]
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
                comparison=f"dari {total} yang terbuka" if total else "",
                tone="bad" if old else "good",
                path="/tiket",
            ),
            Big(
                label="Menunggu pelapor",
                value=sum(counted[TicketStatus.WAITING_USER]),
                unit="tiket",
                path="/tiket",
            ),
        ],
        tables=[
            Table(
                key="states",
                caption="Tiket terbuka menurut keadaan dan umur",
                columns=[
                    Column(key="status", label="Keadaan", kind="text"),
                    *(Column(key=f"age_{n}", label=words, unit="tiket") for n, (_, words) in enumerate(AGES)),
                    Column(key="total", label="Jumlah", unit="tiket"),
                ],
                rows=[
                    Row(
                        cells={
                            "status": STATUS_LABELS[status],
                            **{f"age_{n}": count for n, count in enumerate(ages)},
                            "total": sum(ages),
                        },
                        path="/tiket",
                    )
                    for status, ages in counted.items()
                ]
                if total
                else [],
                plot=Plot(
                    kind="stack",
                    label="status",
                    series=[Series(key=f"age_{n}", tone=tone) for n, tone in enumerate(tones)],
                ),
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
