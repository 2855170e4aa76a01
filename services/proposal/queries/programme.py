"""The work programme of a year: its entries in their order, its sums, its revisions and what differs between two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.authority import ACTS, READERS
from services.proposal.model import (
    LEFT,
    QUARTERS,
    Case,
    ProgrammeRevision,
    ProgrammeSheet,
    WorkProgramme,
    WorkProgrammeEntry,
)
from shared.authority import Act
from shared.errors import NotAllowed, NotFound
from shared.identity import Person, Role
from shared.words import rupiah

PROGRAMME_READERS = READERS | {Role.PLANNING, Role.PROPOSER, Role.UNIT_HEAD}
MOST_ENTRIES = 500
"""Entries that are meant for one year; no more are taken in."""
MOST_LISTED = 1000
"""Entries of one year that are shown, with those that were carried over, deferred or ended."""
FIELDS = {
    "priority": "Prioritas",
    "activity": "Kegiatan",
    "indicator": "Indikator",
    "target": "Target",
    "quarter": "Triwulan",
    "estimated_amount": "Perkiraan anggaran",
    "pic": "Penanggung jawab",
}
"""What can change of an entry, with its heading."""


@dataclass(frozen=True)
class Sum:
    """The sum of a quarter or of all: how many entries, their estimates, and the ceilings that the budget told."""

    label: str
    count: int
    estimated_amount: int
    ceiling_amount: int
    without_ceiling: int
    quarter: str | None


@dataclass(frozen=True)
class Difference:
    """What differs in one entry between two revisions."""

    number: str
    name: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Programme:
    """The work programme of a year whole."""

    fiscal_year: int
    whole: WorkProgramme | None
    """None while nothing was entered."""
    entries: Sequence[WorkProgrammeEntry]
    revisions: Sequence[ProgrammeRevision]
    """The newest first."""

    @property
    def sums(self) -> list[Sum]:
        """Return the sums by quarter, then of all, of what is still meant for this year."""
        counted = [entry for entry in self.entries if entry.is_standing]
        quarters = sorted({entry.quarter for entry in counted}, key=_by_quarter)
        named = [
            _sum(f"Triwulan {quarter}" if quarter else "Triwulan belum ditentukan", counted, quarter)
            for quarter in quarters
        ]
        return [*named, _sum("Seluruhnya", counted, None)]

    @property
    def offered(self) -> list[str]:
        """Return the names of the acts whose turn it is, whoever may do them."""
        if self.whole is None:
            return ["check_programme_sheet"]
        if self.whole.is_frozen:
            return ["revise_programme", "carry_over"]
        return ["rank_programme", "amend_entry", "check_programme_sheet", "carry_over", "freeze_programme"]


def _by_quarter(quarter: str) -> tuple[int, str]:
    # Entered before quarters were chosen from a list, it may say anything.
    first = quarter.partition("-")[0]
    return (QUARTERS.index(first) if first in QUARTERS else len(QUARTERS), quarter)


def _sum(label: str, entries: Sequence[WorkProgrammeEntry], quarter: str | None) -> Sum:
    meant = [entry for entry in entries if quarter is None or entry.quarter == quarter]
    ceilings = [ceiling_of(entry) for entry in meant]
    return Sum(
        label,
        len(meant),
        sum(entry.estimated_amount for entry in meant),
        sum(amount for amount in ceilings if amount is not None),
        sum(amount is None for amount in ceilings),
        quarter,
    )


def ceiling_of(entry: WorkProgrammeEntry) -> int | None:
    """Return the ceiling that the budget told for an entry's year, None while there is none."""
    return entry.case.ceiling_amount if entry.case.fiscal_year == entry.fiscal_year else None


def must_read_programme(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not read work programmes."""
    if not by.has(*PROGRAMME_READERS):
        raise NotAllowed("Program kerja hanya untuk PUSTIPD, unit pengusul, dan Bagian Perencanaan.")


def work_programme(session: Session, by: Person, *, fiscal_year: int) -> Sequence[WorkProgrammeEntry]:
    """Return the entries of a year in their order, what is no longer meant for it last; raise NotAllowed."""
    must_read_programme(by)
    found = session.scalars(in_order(fiscal_year).limit(MOST_LISTED)).all()
    return sorted(found, key=lambda entry: not entry.is_standing)


def in_order(fiscal_year: int) -> Any:
    """Return the statement for the entries of a year in their order."""
    return (
        select(WorkProgrammeEntry)
        .where(WorkProgrammeEntry.fiscal_year == fiscal_year)
        .order_by(WorkProgrammeEntry.priority, WorkProgrammeEntry.number)
    )


def standing(fiscal_year: int) -> Any:
    """Return the statement for the entries that are still meant for a year, in their order."""
    return (
        in_order(fiscal_year)
        .join(Case, Case.id == WorkProgrammeEntry.case_id)
        .where(WorkProgrammeEntry.carried_to.is_(None), Case.status.not_in(LEFT))
        .limit(MOST_ENTRIES)
    )


def programme(session: Session, by: Person, fiscal_year: int) -> Programme:
    """Return the work programme of a year with its revisions; an empty one where nothing was entered."""
    entries = work_programme(session, by, fiscal_year=fiscal_year)
    whole = session.scalar(select(WorkProgramme).where(WorkProgramme.fiscal_year == fiscal_year))
    revisions = session.scalars(
        select(ProgrammeRevision)
        .where(ProgrammeRevision.fiscal_year == fiscal_year)
        .order_by(ProgrammeRevision.revision.desc())
        .limit(50)
    ).all()
    return Programme(fiscal_year, whole, entries, revisions)


def fiscal_years(session: Session) -> list[int]:
    """Return the years that have a work programme, newest first."""
    years = session.scalars(select(WorkProgramme.fiscal_year)).all()
    return sorted(years, reverse=True)


def year_of_entry(session: Session, entry_id: UUID) -> int:
    """Return the fiscal year of an entry; raise NotFound."""
    year = session.scalar(select(WorkProgrammeEntry.fiscal_year).where(WorkProgrammeEntry.id == entry_id))
    if year is None:
        raise NotFound("Butir program kerja ini tidak ada. Buka kembali dari halaman program kerja.")
    return year


def programme_sheet(session: Session, by: Person, sheet_id: UUID) -> ProgrammeSheet:
    """Return an uploaded sheet for whoever may take it over; raise NotFound."""
    found = session.get(ProgrammeSheet, sheet_id)
    if found is None or not ACTS.take_programme_sheet.allows(by, found):
        raise NotFound("Berkas impor ini tidak ada. Unggah kembali dari halaman program kerja.")
    return found


def programme_acts(by: Person, found: Programme) -> list[Act]:
    """Return what this person may do with the work programme now."""
    return [act for name in found.offered if (act := ACTS.rows[name]).allows(by, found.whole)]


def compare(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[Difference]:
    """Return what differs between two revisions: new entries, those that are gone, and what changed in the others."""
    old = {row["number"]: row for row in before}
    new = {row["number"]: row for row in after}
    found: list[Difference] = []
    for number, row in new.items():
        if number not in old:
            found.append(Difference(number, row["name"], ("Butir baru",)))
            continue
        if says := changes(old[number], row):
            found.append(Difference(number, row["name"], says))
    gone = [Difference(n, row["name"], ("Tidak ada lagi",)) for n, row in old.items() if n not in new]
    return [*found, *gone]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what `after` says otherwise of an entry than `before`, each in words; what it does not name stays."""
    return tuple(
        f"{title}: {_shown(key, before[key])} → {_shown(key, after[key])}"
        for key, title in FIELDS.items()
        if key in after and before[key] != after[key]
    )


def _shown(key: str, value: Any) -> str:
    return rupiah(value) if key == "estimated_amount" else str(value or "(kosong)")
