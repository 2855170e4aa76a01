"""The application register: the list by name, one application with what belongs to it, and its rows for the export."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import Session, contains_eager

from services.proposal.authority import ACTS, READERS
from services.proposal.model import (
    CRITICALITY_LABELS,
    DATA_LABELS,
    Case,
    Description,
    Evaluation,
    RegisterChange,
    RegisteredApplication,
    RegisterLayout,
    description_of,
)
from services.proposal.queries.case import is_outsider, seen_by
from shared.authority import Act
from shared.errors import Incomplete, NotAllowed, NotFound
from shared.identity import Person
from shared.sheets import Cell
from shared.words import local_date

BATCH = 1000
"""Rows of the export that are read at once."""
LAYOUT = 1
"""The only row of the layout."""
Place = tuple[str, UUID]


@dataclass(frozen=True)
class ExportColumn:
    """A column that the export may have."""

    key: str
    title: str
    value: Callable[[RegisteredApplication, Case, dict[str, str]], Cell]
    is_first_set: bool = True
    """Whether it is in the export until somebody chooses otherwise."""


def _described(key: str, *, is_first_set: bool = True) -> ExportColumn:
    title = str(Description.model_fields[key].title)
    return ExportColumn(key, title, lambda _entry, _case, said: said[key], is_first_set)


def _day(at: datetime | None) -> Cell:
    return local_date(at) if at else None


EXPORT = (
    ExportColumn("name", "Nama aplikasi", lambda e, _c, _s: e.name),
    ExportColumn("purpose", "Uraian", lambda _e, c, _s: c.purpose),
    *(
        _described(key)
        for key in (
            "function", "service", "business_process", "data_used", "inputs", "outputs", "platform", "licence",
            "language", "framework", "database", "developer", "operator", "kind", "reference_1", "reference_2",
        )
    ),
    ExportColumn("code", "Kode aplikasi", lambda e, _c, _s: e.code, is_first_set=False),
    ExportColumn("unit", "Unit pemilik", lambda e, _c, _s: e.unit, is_first_set=False),
    ExportColumn("state", "Status", lambda e, _c, _s: e.label, is_first_set=False),
    ExportColumn("address", "Domain", lambda e, _c, _s: e.address, is_first_set=False),
    ExportColumn("live_since", "Digunakan sejak", lambda e, _c, _s: _day(e.live_since), is_first_set=False),
    ExportColumn("ended_at", "Berakhir", lambda e, _c, _s: _day(e.ended_at), is_first_set=False),
    ExportColumn("release", "Rilis", lambda e, _c, _s: e.release_number, is_first_set=False),
    ExportColumn(
        "personal_data", "Data pribadi", lambda _e, c, _s: DATA_LABELS.get(c.personal_data), is_first_set=False
    ),
    ExportColumn(
        "criticality", "Kekritisan", lambda _e, c, _s: CRITICALITY_LABELS.get(c.criticality), is_first_set=False
    ),
    ExportColumn("vendor", "Penyedia", lambda _e, c, _s: c.vendor_name, is_first_set=False),
    ExportColumn("contract", "Nomor kontrak", lambda _e, c, _s: c.contract_number, is_first_set=False),
    ExportColumn("value", "Nilai pengembangan (Rp)", lambda _e, c, _s: c.contract_amount, is_first_set=False),
    ExportColumn("case_number", "Nomor perkara", lambda _e, c, _s: c.number, is_first_set=False),
    *(
        _described(key, is_first_set=False)
        for key in (
            "administrative_contact", "technical_contact", "source_code_owner", "server_place", "backup_place",
            "access", "usage", "interfaces", "asset_status", "firewall", "antivirus",
        )
    ),
)  # fmt: skip
"""The columns of the SPBE list first, then what ministries keep beside it (domain §7)."""
BY_KEY = {column.key: column for column in EXPORT}


@dataclass(frozen=True)
class Registered:
    """An application with its case and what belongs to it."""

    entry: RegisteredApplication
    case: Case
    contract_number: str
    """Empty for the proposing unit, which does not read contracts (domain §4)."""
    described: dict[str, str]
    relatives: Sequence[Case]
    """Cases that lead to it or follow from it."""
    evaluations: Sequence[Evaluation]
    changes: Sequence[RegisterChange]
    offered: list[Act]


def registered(
    session: Session,
    by: Person,
    *,
    state: str | None = None,
    q: str | None = None,
    limit: int = 50,
    after: Place | None = None,
    only_opened: bool = False,
) -> Sequence[RegisteredApplication]:
    """Return the application register by name, as far as this person may see it, after a place in that order.

    Without a state, what is coming and what is retired is there too, but not what came to nothing; `only_opened`
    leaves out what users have not seen yet.
    """
    wanted = RegisteredApplication.state == state if state else RegisteredApplication.state != "cancelled"
    found: list[ColumnElement[bool]] = [seen_by(by), wanted]
    if only_opened:
        found.append(RegisteredApplication.live_since.is_not(None))
    if q:
        found.append(
            or_(
                RegisteredApplication.name.icontains(q, autoescape=True),
                RegisteredApplication.code.istartswith(q, autoescape=True),
            )
        )
    if after:
        found.append(tuple_(RegisteredApplication.name, RegisteredApplication.id) > after)
    return session.scalars(
        select(RegisteredApplication)
        .join(Case, Case.id == RegisteredApplication.case_id)
        .where(*found)
        .options(contains_eager(RegisteredApplication.case))
        .order_by(RegisteredApplication.name, RegisteredApplication.id)
        .limit(limit)
    ).all()


def register_mark(rows: Sequence[RegisteredApplication], limit: int) -> str | None:
    """Return the place after the last row; None where the list surely ended."""
    if len(rows) < limit:
        return None
    return urlsafe_b64encode(f"{rows[-1].id}|{rows[-1].name}".encode()).decode().rstrip("=")


def register_place(after: str | None) -> Place | None:
    """Read that place back; raise Incomplete for anything else."""
    if not after:
        return None
    try:
        row_id, _, name = urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode().partition("|")
        return name, UUID(row_id)
    except ValueError as reason:
        raise Incomplete("Tanda lanjut daftar tidak dikenal. Buka daftar dari awal.") from reason


def application(session: Session, by: Person, which: str | UUID) -> Registered:
    """Return an application by its code or id with what belongs to it; raise NotFound."""
    wanted = RegisteredApplication.id == which if isinstance(which, UUID) else RegisteredApplication.code == which
    entry = session.scalar(
        select(RegisteredApplication)
        .join(Case, Case.id == RegisteredApplication.case_id)
        .where(wanted, seen_by(by))
        .options(contains_eager(RegisteredApplication.case))
        # What came to nothing may have left its name to another one.
        .order_by(RegisteredApplication.state == "cancelled", RegisteredApplication.created_at.desc())
        .limit(1)
    )
    if entry is None:
        raise NotFound("Aplikasi tidak ditemukan dalam daftar. Periksa kodenya atau cari di daftar aplikasi.")
    case = entry.case
    kin: list[ColumnElement[bool]] = [Case.parent_case_id == case.id]
    if case.parent_case_id:
        kin.append(Case.id == case.parent_case_id)
    relatives = session.scalars(
        select(Case).where(or_(*kin), seen_by(by)).order_by(Case.created_at.desc()).limit(50)
    ).all()
    is_inner = by.has(*READERS)
    evaluations = session.scalars(
        select(Evaluation).where(Evaluation.case_id == case.id).order_by(Evaluation.created_at.desc()).limit(20)
    ).all()
    changes = session.scalars(
        select(RegisterChange)
        .where(RegisterChange.application_id == entry.id)
        .order_by(RegisterChange.created_at.desc())
        .limit(50)
    ).all()
    return Registered(
        entry,
        case,
        "" if is_outsider(by) else case.contract_number,
        description_of(entry, case),
        relatives,
        evaluations if is_inner else (),
        changes if is_inner else (),
        [ACTS.describe_application] if ACTS.describe_application.allows(by, entry) else [],
    )


def layout(session: Session) -> list[ExportColumn]:
    """Return the columns of the export as the installation chose them."""
    kept = session.get(RegisterLayout, LAYOUT)
    chosen = [BY_KEY[key] for key in kept.columns if key in BY_KEY] if kept else []
    return chosen or [column for column in EXPORT if column.is_first_set]


def must_export(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not take the whole register along."""
    if not by.has(*READERS):
        raise NotAllowed("Ekspor daftar aplikasi hanya untuk PUSTIPD dan auditor.")


def export_rows(session: Session, by: Person, columns: Sequence[ExportColumn]) -> Iterator[list[Cell]]:
    """Yield what is or was in use row by row, a batch at a time, in the order of names."""
    after: Place | None = None
    while True:
        rows = registered(session, by, limit=BATCH, after=after, only_opened=True)
        for entry in rows:
            said = description_of(entry, entry.case)
            yield [column.value(entry, entry.case, said) for column in columns]
        if len(rows) < BATCH:
            return
        after = rows[-1].name, rows[-1].id
        session.expunge_all()
