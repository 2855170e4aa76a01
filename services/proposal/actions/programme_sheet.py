"""The work programme as a spreadsheet: what a sheet would change, all its mistakes, and taking it over (S02)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.proposal.actions.programme import (
    change,
    enter_work_programme,
    find_programme,
    first_year,
    must_be_draft,
    must_have_room,
    number_again,
    row_of,
    stale_words,
)
from services.proposal.authority import ACTS
from services.proposal.model import QUARTERS, Case, Office, ProgrammeSheet, WorkProgramme, WorkProgrammeEntry
from services.proposal.queries.programme import MOST_LISTED, changes, in_order
from shared import sheets
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import Incomplete, NotFound, OutOfTurn, TooLarge
from shared.identity import Person
from shared.sentence import Sentence
from shared.sheets import Column, Mistake, Row, Sheet
from shared.words import LARGEST_AMOUNT, read_rupiah

MOST_NEW = 50
"""New entries of one sheet: each is printed, numbered and told to the budget while everybody else waits."""
COLUMNS = (
    Column("number", "Nomor butir", "Diisi oleh Alur; boleh kosong.", width=16, is_read=False),
    Column(
        "case",
        "Perkara atau kode aplikasi",
        "Wajib. Nomor perkara (APL-2026-0001) atau kode aplikasi. Perkara yang sudah disetujui Kepala dan belum "
        "tercantum menjadi butir baru.",
        width=26,
        is_required=True,
    ),
    Column("name", "Aplikasi", "Hanya keterangan; tidak dibaca kembali.", width=34, is_read=False),
    Column("activity", "Kegiatan", "Wajib. Paling panjang 1.000 huruf.", width=44, is_required=True),
    Column("indicator", "Indikator", "Misalnya: 1 aplikasi digunakan.", width=30, is_required=True),
    Column("target", "Target", "Misalnya: 100% unit.", width=20, is_required=True),
    Column(
        "quarter",
        "Triwulan",
        "Pilih dari daftar, misalnya I-III; boleh kosong.",
        width=12,
        choices=QUARTERS,
        is_required=True,
    ),
    Column(
        "priority",
        "Prioritas",
        "Bilangan bulat mulai 1, tidak boleh sama; kosong berarti di urutan terakhir.",
        kind="number",
        width=12,
        is_required=True,
    ),
    Column(
        "estimated_amount",
        "Perkiraan anggaran",
        "Rupiah bulat tanpa sen, misalnya 136000000 atau 136.000.000.",
        kind="money",
        width=20,
        is_required=True,
    ),
    Column("pic", "Penanggung jawab", "Paling panjang 200 huruf.", width=28, is_required=True),
    Column("ceiling", "Pagu", "Hanya keterangan dari Anggaran; tidak dibaca kembali.", "money", 18, is_read=False),
    Column("status", "Status", "Hanya keterangan; tidak dibaca kembali.", width=24, is_read=False),
)
NOTES = (
    "Templat program kerja",
    "Satu baris satu butir. Baris judul jangan diubah. Rumus, makro, dan tautan ke berkas lain tidak diterima.",
    "Unggah di halaman program kerja: semua kesalahan ditunjukkan dahulu, dan tidak ada yang disimpan sampai benar.",
    "Butir yang tidak ada di berkas tidak diubah dan tidak dihapus.",
    f"Paling banyak {MOST_NEW} butir baru dalam satu berkas; butir yang sudah tercantum tidak ikut dihitung.",
)
LONGEST = {"activity": 1000, "indicator": 1000, "target": 1000, "pic": 200}
_QUARTER = re.compile(r"(?:triwulan|tw)?\s*([ivIV1-4]+)(?:\s*(?:-|–|s\.d\.|sd)\s*([ivIV1-4]+))?")
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "I": "I", "II": "II", "III": "III", "IV": "IV"}


@dataclass(frozen=True)
class Change:
    """What a row of the sheet would do."""

    row: int
    what: Literal["new", "changed", "unchanged"]
    case: Case
    entry: WorkProgrammeEntry | None
    values: dict[str, Any]
    says: tuple[str, ...]
    """What changes, in words."""


@dataclass(frozen=True)
class Plan:
    """What a whole sheet would do; with mistakes it does nothing."""

    changes: tuple[Change, ...]
    mistakes: tuple[Mistake, ...]

    def count(self, what: str) -> int:
        """Return how many rows do this."""
        return sum(change.what == what for change in self.changes)


def read_plan(session: Session, office: Office, fiscal_year: int, file: BinaryIO) -> Plan:
    """Return what a sheet would change in the work programme of a year, and all its mistakes.

    Raises TooLarge and Incomplete for what is no sheet at all.
    """
    sheet = sheets.read(file, COLUMNS)
    if not sheet.rows and not sheet.mistakes:
        raise Incomplete("Lembar ini belum berisi satu butir pun. Isi mulai baris di bawah judul.", code="sheet_empty")
    cases = _cases(session, sheet.rows)
    entries = {entry.case_id: entry for entry in session.scalars(in_order(fiscal_year).limit(MOST_LISTED))}
    reader = _Reader(sheet, office, fiscal_year, cases, entries)
    found = [one for row in sheet.rows if (one := reader.change(row)) is not None]
    plan = Plan(tuple(found), (*sheet.mistakes, *reader.mistakes))
    new = plan.count("new")
    if new > MOST_NEW:
        raise TooLarge(
            Sentence(
                "Berkas ini memuat {new} butir baru; paling banyak {most} dalam satu berkas. Bagi menjadi beberapa "
                "berkas; butir yang sudah tercantum tidak ikut dihitung.",
                new=new,
                most=MOST_NEW,
            )
        )
    if new:
        must_have_room(fiscal_year, sum(entry.is_standing for entry in entries.values()) + new)
    return plan


def _cases(session: Session, rows: Sequence[Row]) -> dict[str, Case]:
    """Return the cases that the rows name, by number and by code, in one question."""
    named = {str(row.cells.get("case") or "")[:40] for row in rows} - {""}
    wanted = named | {name.upper() for name in named} | {name.lower() for name in named}
    found = session.scalars(
        select(Case).where(
            or_(Case.number.in_(wanted), Case.code.in_(wanted) & Case.status.not_in(["rejected", "cancelled"]))
        )
    ).all()
    return {case.code.lower(): case for case in found} | {case.number.lower(): case for case in found}


class _Reader:
    """Reads the rows of one sheet, one after the other, and gathers what is wrong."""

    def __init__(
        self,
        sheet: Sheet,
        office: Office,
        fiscal_year: int,
        cases: dict[str, Case],
        entries: dict[UUID, WorkProgrammeEntry],
    ) -> None:
        self.sheet = sheet
        self.office = office
        self.fiscal_year = fiscal_year
        self.cases = cases
        self.entries = entries
        self.mistakes: list[Mistake] = []
        self.seen: dict[UUID, int] = {}
        self.ranks: dict[int, int] = {}

    def wrong(self, row: Row, key: str, says: str) -> None:
        self.mistakes.append(self.sheet.mistake(row, key, says))

    def change(self, row: Row) -> Change | None:
        case = self.case(row)
        values: dict[str, Any] = {key: self.words(row, key) for key in LONGEST}
        values["quarter"] = self.quarter(row)
        values["priority"] = self.priority(row)
        values["estimated_amount"] = self.amount(row)
        if not values["activity"]:
            self.wrong(row, "activity", "Kegiatan belum diisi. Tulis apa yang dikerjakan.")
        if case is None:
            return None
        entry = self.entries.get(case.id)
        if entry is None:
            return Change(row.number, "new", case, None, values, ("Butir baru",))
        if values["priority"] is None:
            values["priority"] = entry.priority
        says = changes(row_of(entry), values)
        return Change(row.number, "changed" if says else "unchanged", case, entry, values, says)

    def case(self, row: Row) -> Case | None:
        named = str(row.cells.get("case") or "").strip()
        if not named:
            self.wrong(row, "case", "Nomor perkara atau kode aplikasi belum diisi.")
            return None
        case = self.cases.get(named.lower())
        if case is None:
            self.wrong(
                row,
                "case",
                Sentence("“{named}” tidak ditemukan. Salin nomornya dari daftar perkara.", named=named[:60]),
            )
            return None
        if case.id in self.seen:
            self.wrong(
                row,
                "case",
                Sentence(
                    "{number} sudah ada di baris {row}. Hapus salah satunya.",
                    number=case.number,
                    row=self.seen[case.id],
                ),
            )
            return None
        self.seen[case.id] = row.number
        entry = self.entries.get(case.id)
        if entry and entry.carried_to:
            self.wrong(
                row,
                "case",
                Sentence(
                    "{number} sudah dialihkan ke tahun {carried_to}. Hapus baris ini.",
                    number=entry.number,
                    carried_to=entry.carried_to,
                ),
            )
            return None
        if entry is None:
            return self.new_case(row, case)
        if not entry.is_standing:
            self.wrong(
                row,
                "case",
                Sentence(
                    "{number} berstatus “{label}”, sehingga tidak lagi dihitung pada tahun ini. Hapus baris ini.",
                    number=case.number,
                    label=case.label,
                ),
            )
            return None
        return case

    def new_case(self, row: Row, case: Case) -> Case | None:
        if case.next("enter_work_programme") is None:
            self.wrong(
                row,
                "case",
                Sentence(
                    "{number} berstatus “{label}”; hanya perkara yang disetujui atau ditunda yang dapat "
                    "dicantumkan. Hapus baris ini atau mohon keputusan Kepala dahulu.",
                    number=case.number,
                    label=case.label,
                ),
            )
            return None
        first = first_year(case, self.office)
        if self.fiscal_year < first:
            self.wrong(
                row,
                "case",
                Sentence(
                    "{number} paling awal masuk program kerja {first}. Pindahkan ke tahun itu.",
                    number=case.number,
                    first=first,
                ),
            )
            return None
        return case

    def words(self, row: Row, key: str) -> str:
        words = str(row.cells.get(key) or "").strip()
        if len(words) > LONGEST[key]:
            self.wrong(
                row,
                key,
                Sentence(
                    "Terlalu panjang: {length} huruf, paling banyak {most}. Ringkaslah.",
                    length=len(words),
                    most=LONGEST[key],
                ),
            )
        return words

    def quarter(self, row: Row) -> str:
        words = str(row.cells.get("quarter") or "").strip()
        if not words:
            return ""
        match = _QUARTER.fullmatch(words.lower())
        found = [_ROMAN.get(part.upper(), "") for part in match.groups() if part] if match else [""]
        quarter = "-".join(found)
        if quarter not in QUARTERS:
            self.wrong(
                row,
                "quarter",
                Sentence(
                    "“{words}” bukan triwulan. Pilih salah satu: {quarters}.",
                    words=words[:30],
                    quarters=", ".join(QUARTERS),
                ),
            )
            return ""
        return quarter

    def priority(self, row: Row) -> int | None:
        value = row.cells.get("priority")
        if value is None:
            return None
        words = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,3}", words) or int(words) < 1:
            self.wrong(
                row,
                "priority",
                Sentence("“{words}” bukan urutan. Tulis bilangan bulat 1 sampai 999.", words=words[:30]),
            )
            return None
        rank = int(words)
        if rank in self.ranks:
            self.wrong(
                row,
                "priority",
                Sentence(
                    "Prioritas {rank} sudah dipakai baris {row}. Beri urutan lain.",
                    rank=rank,
                    row=self.ranks[rank],
                ),
            )
        self.ranks.setdefault(rank, row.number)
        return rank

    def amount(self, row: Row) -> int:
        value = row.cells.get("estimated_amount")
        if value is None:
            return 0
        if isinstance(value, int) and 0 <= value <= min(LARGEST_AMOUNT, 10**15):
            return value
        try:
            amount = read_rupiah(str(value)) if isinstance(value, str) else -1
        except Incomplete as refusal:
            self.wrong(row, "estimated_amount", refusal.errors[0].detail if refusal.errors else refusal.detail)
            return 0
        if not 0 <= amount <= 10**15:
            self.wrong(
                row,
                "estimated_amount",
                Sentence("“{value}” bukan rupiah bulat. Tulis misalnya 136000000, tanpa sen.", value=value),
            )
            return 0
        return amount


def check_programme_sheet(
    session: Session, by: Person, fiscal_year: int, office: Office, *, file: BinaryIO, file_name: str
) -> ProgrammeSheet:
    """Keep a sheet without mistakes, to be looked at and taken over; nothing of the programme changes yet.

    Raises Incomplete with every mistake, each with row, column and what to do; then nothing is kept.
    """
    whole = find_programme(session, fiscal_year)
    by = authorize(session, by, ACTS.check_programme_sheet, whole, fiscal_year=fiscal_year)
    must_be_draft(whole)
    plan = read_plan(session, office, fiscal_year, file)
    if plan.mistakes:
        raise sheets.refusal(plan.mistakes)
    file.seek(0)
    kept = ProgrammeSheet(
        fiscal_year=fiscal_year,
        digest=office.store.put(file, limit=sheets.MOST_BYTES),
        file_name=file_name[:200],
        by_id=by.id,
        by_name=by.name,
    )
    session.add(kept)
    session.flush()
    return kept


def take_programme_sheet(
    session: Session, by: Person, sheet_id: UUID, office: Office, *, seen: str | None = None
) -> WorkProgramme:
    """Take a checked sheet over: all of its rows or none.

    `seen` is the tag of the programme beside which the preview was drawn. Raises Stale when it changed since,
    OutOfTurn the second time, Incomplete when a row has become wrong meanwhile.
    """
    sheet = session.get(ProgrammeSheet, sheet_id, with_for_update=True)
    if sheet is None:
        raise NotFound("Berkas impor ini tidak ada. Unggah kembali dari halaman program kerja.")
    with office.store.open(sheet.digest, verify=True) as file:
        named = _cases(session, sheets.read(file, COLUMNS).rows)
        # Cases before the programme, in one order, before the audit chain: so that two acts never wait for each other.
        ids = sorted({case.id for case in named.values()})
        session.scalars(select(Case).where(Case.id.in_(ids)).order_by(Case.id).with_for_update()).all()
        whole = find_programme(session, sheet.fiscal_year)
        by = authorize(session, by, ACTS.take_programme_sheet, sheet, digest=sheet.digest)
        if sheet.taken_at:
            raise OutOfTurn("Berkas ini sudah diterapkan. Unggah berkas baru bila masih ada yang perlu diubah.")
        must_be_draft(whole)
        must_be_present(seen, whole.edition, words=stale_words(whole))
        file.seek(0)
        plan = read_plan(session, office, sheet.fiscal_year, file)
    if plan.mistakes:
        raise sheets.refusal(plan.mistakes)
    wanted: dict[UUID, int] = {}
    for one in plan.changes:
        if one.values["priority"] is not None:
            wanted[one.case.id] = one.values["priority"]
        if one.what == "new":
            enter_work_programme(session, by, one.case.id, office, fiscal_year=sheet.fiscal_year, **one.values)
        elif one.what == "changed" and one.entry:
            change(session, one.entry, one.values, says=one.says, case=one.case, act=ACTS.take_programme_sheet, by=by)
    number_again(session, sheet.fiscal_year, first=wanted)
    sheet.taken_at = utc_now()
    whole.note(by.name, f"menerapkan berkas {sheet.file_name}")
    session.flush()
    return whole
