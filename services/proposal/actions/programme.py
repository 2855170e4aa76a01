"""The work programme of a year: entries enter, are ranked, carried over; it is frozen and revised. And S03's end.

Whoever changes it locks the case first, then the programme, then the audit chain: no two acts wait for each other.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.actions import paper, programme_paper
from services.proposal.actions.case import find, move, next_number, write
from services.proposal.authority import ACTS, check_move
from services.proposal.model import (
    Case,
    Office,
    ProgrammeRevision,
    ProgrammeState,
    WorkProgramme,
    WorkProgrammeEntry,
)
from services.proposal.queries.programme import MOST_ENTRIES, ceiling_of, changes, standing
from shared.authority import Act, authorize
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import MeetingsConcluded, PaperFact, WorkProgrammeEntered
from shared.sentence import Sentence, together
from shared.words import local_date, rupiah


def earliest_year(approved_at: datetime, *, cut_off: tuple[int, int], is_overridden: bool) -> int:
    """Return the first fiscal year that an approval may enter: N+1, or N+2 after the cut-off date (domain §6)."""
    on = local_date(approved_at)
    is_late = on > date(on.year, *cut_off) and not is_overridden
    return on.year + (2 if is_late else 1)


def enter_work_programme(
    session: Session,
    by: Person,
    case_id: UUID,
    office: Office,
    *,
    activity: str = "",
    fiscal_year: int | None = None,
    indicator: str = "",
    target: str = "",
    quarter: str = "",
    priority: int | None = None,
    estimated_amount: int = 0,
    pic: str = "",
) -> WorkProgrammeEntry:
    """Enter an approved or deferred case in the work programme of a coming year (S02); the budget is told.

    `estimated_amount` is whole rupiah; without `fiscal_year` it is the earliest that the rules allow. Raises
    Incomplete for an earlier year.
    """
    case = find(session, case_id)
    first = first_year(case, office)
    year = fiscal_year or first
    whole = find_programme(session, year)
    by = authorize(session, by, ACTS.enter_work_programme, case)
    check_move(by, case, ACTS.enter_work_programme)
    if year < first:
        month, day = office.cut_off
        raise Incomplete(
            Sentence(
                "Tahun anggaran paling awal untuk perkara {number} adalah {first}. Persetujuan setelah "
                "{day}/{month} masuk program kerja dua tahun berikutnya, kecuali Kepala menetapkan lain saat "
                "menyetujui; perkara yang ditunda masuk tahun sesudah tahun yang ditunda.",
                number=case.number,
                first=first,
                day=f"{day:02d}",
                month=f"{month:02d}",
            ),
            errors=[FieldError("/fiscal_year", Sentence("Isi {first} atau sesudahnya.", first=first))],
            code="fiscal_year_too_early",
        )
    must_be_draft(whole)
    entries = _with_room(session, year)
    _supersede(session, case, year)
    number = _next_number(session, office, year)
    place = min(priority or len(entries) + 1, len(entries) + 1)
    printed = paper.programme_entry(
        session,
        office,
        case,
        by,
        number=number,
        fiscal_year=year,
        rows=[
            ("Kegiatan", activity or f"Pembangunan {case.name}"),
            ("Indikator", indicator),
            ("Target", target),
            ("Triwulan", quarter),
            ("Prioritas", str(place)),
            ("Perkiraan anggaran", rupiah(estimated_amount)),
            ("Penanggung jawab", pic),
        ],
    )
    entry = WorkProgrammeEntry(
        case_id=case.id,
        case=case,
        number=number,
        fiscal_year=year,
        activity=activity or f"Pembangunan {case.name}",
        indicator=indicator,
        target=target,
        quarter=quarter,
        priority=place,
        estimated_amount=estimated_amount,
        pic=pic,
        paper_digest=printed.digest,
        by_id=by.id,
    )
    session.add(entry)
    entries.insert(place - 1, entry)
    _number(entries)
    case.fiscal_year = year
    whole.note(by.name, f"mencantumkan {number}")
    move(
        session,
        by,
        case,
        ACTS.enter_work_programme,
        says=f"Masuk program kerja Tahun Anggaran {year}",
        detail=f"Butir {number}, perkiraan anggaran {rupiah(estimated_amount)}",
        papers=[printed],
        path=f"/proker?tahun={year}",
    )
    post(
        session,
        WorkProgrammeEntered(
            case_id=case.id,
            case_number=case.number,
            application=case.facts,
            fiscal_year=year,
            estimated_amount=estimated_amount,
            papers=(printed,),
            path=f"/perkara/{case.number}",
        ),
        by=by,
    )
    return entry


def first_year(case: Case, office: Office) -> int:
    """Return the first fiscal year in which a case may stand, by its approval or by the year that it missed."""
    first = 0
    if case.approved_at:
        first = earliest_year(case.approved_at, cut_off=office.cut_off, is_overridden=bool(case.override_reason))
    if case.fiscal_year:
        # Deferred: the year in which it waited is over for it.
        first = max(first, case.fiscal_year + 1)
    return first or local_date(case.entered_at).year + 1


def _supersede(session: Session, case: Case, year: int) -> None:
    """Note on the entries of earlier years that the case was not realised there."""
    earlier = session.scalars(
        select(WorkProgrammeEntry).where(
            WorkProgrammeEntry.case_id == case.id,
            WorkProgrammeEntry.carried_to.is_(None),
            WorkProgrammeEntry.fiscal_year < year,
        )
    )
    for entry in earlier:
        entry.carried_to, entry.carried_reason = year, case.status_reason or "Ditunda"


def _next_number(session: Session, office: Office, year: int) -> str:
    n = next_number(session, f"programme-{office.programme_code}", year)
    return f"{year}-{office.programme_code}-{n:02d}"


def _with_room(session: Session, fiscal_year: int) -> list[WorkProgrammeEntry]:
    """Return the entries of a year in their order; raise OutOfTurn when it takes no more."""
    entries = _ranked(session, fiscal_year)
    must_have_room(fiscal_year, len(entries) + 1)
    return entries


def must_have_room(fiscal_year: int, count: int) -> None:
    """Refuse (OutOfTurn) more entries than a year may have: those beyond would be ranked and printed by nobody."""
    if count > MOST_ENTRIES:
        raise OutOfTurn(
            Sentence(
                "Program kerja Tahun Anggaran {fiscal_year} paling banyak memuat {most} butir. Alihkan butir yang "
                "tidak terlaksana ke tahun lain, atau cantumkan perkara ini pada tahun lain.",
                fiscal_year=fiscal_year,
                most=MOST_ENTRIES,
            ),
            code="programme_full",
        )


# --- the programme as a whole -------------------------------------------------------------------------------------


def find_programme(session: Session, fiscal_year: int) -> WorkProgramme:
    """Return the work programme of a year with its row locked until the transaction ends; an empty one if need be.

    Raises NotFound for a year that cannot be one.
    """
    if not 2000 <= fiscal_year <= 2200:
        raise NotFound("Tahun anggaran ini tidak ada. Pilih tahun dari halaman program kerja.")
    made = insert(WorkProgramme).values(
        fiscal_year=fiscal_year,
        state=ProgrammeState.DRAFT,
        edition=1,
        revision=0,
        reason="",
        changed_by_name="",
        changed_what="",
    )
    session.execute(made.on_conflict_do_nothing(index_elements=["fiscal_year"]))
    return session.scalars(
        select(WorkProgramme)
        .where(WorkProgramme.fiscal_year == fiscal_year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def must_be_draft(whole: WorkProgramme) -> None:
    """Refuse (OutOfTurn) a change to a frozen programme."""
    if whole.is_frozen:
        raise OutOfTurn(
            Sentence(
                "Program kerja Tahun Anggaran {fiscal_year} sudah ditetapkan (revisi {revision}). Buka revisi "
                "dengan alasan dahulu, lalu ulangi.",
                fiscal_year=whole.fiscal_year,
                revision=whole.revision,
            ),
            code="programme_frozen",
        )


def stale_words(whole: WorkProgramme) -> str:
    """Return what the later of two writers is told: who changed what, and that nothing of theirs was done."""
    what = (
        f"{whole.changed_by_name} {whole.changed_what}" if whole.changed_by_name else Sentence("seseorang mengubahnya")
    )
    return Sentence(
        "Program kerja ini berubah sejak Anda membukanya: {what}. Yang tampil sekarang adalah urutan "
        "terbaru; perubahan Anda belum diterapkan. Periksa, lalu ulangi bila masih perlu.",
        what=what,
    )


def rank_programme(
    session: Session, by: Person, entry_id: UUID, *, ordinal: int, seen: str | None = None
) -> WorkProgramme:
    """Put an entry at a place of its year's order, from 1; the others make room.

    `seen` is the tag of the programme that the person saw. Raises Stale, saying who changed what, OutOfTurn when
    it is frozen.
    """
    entry = _entry(session, entry_id)
    whole = find_programme(session, entry.fiscal_year)
    by = authorize(session, by, ACTS.rank_programme, whole, entry=entry.number, ordinal=ordinal)
    must_be_draft(whole)
    must_be_present(seen, whole.edition, words=stale_words(whole))
    entries = _ranked(session, entry.fiscal_year)
    _must_stand(entry)
    before = entries.index(entry) + 1
    entries.remove(entry)
    place = min(max(ordinal, 1), len(entries) + 1)
    entries.insert(place - 1, entry)
    _number(entries)
    if place != before:
        whole.note(by.name, f"memindahkan {entry.number} dari urutan {before} ke {place}")
    session.flush()
    return whole


def number_again(session: Session, fiscal_year: int, *, first: Mapping[UUID, int]) -> None:
    """Number the entries of a year from 1, where `first` says which rank a case was given."""
    entries = _ranked(session, fiscal_year)
    entries.sort(key=lambda one: (first.get(one.case_id, one.priority), one.case_id not in first, one.number))
    _number(entries)
    session.flush()


def _number(entries: Sequence[WorkProgrammeEntry]) -> None:
    for n, one in enumerate(entries, start=1):
        one.priority = n


def _ranked(session: Session, fiscal_year: int) -> list[WorkProgrammeEntry]:
    session.flush()
    return list(session.scalars(standing(fiscal_year).execution_options(populate_existing=True)))


def _must_stand(entry: WorkProgrammeEntry) -> None:
    """Refuse (OutOfTurn) an entry that is no longer meant for its year."""
    if entry.carried_to:
        raise OutOfTurn(
            Sentence(
                "Butir {number} sudah dialihkan ke tahun {carried_to}.",
                number=entry.number,
                carried_to=entry.carried_to,
            )
        )
    if not entry.is_standing:
        raise OutOfTurn(
            Sentence(
                "Perkara butir {number} berstatus “{label}”, sehingga butir ini tidak lagi dihitung pada tahunnya.",
                number=entry.number,
                label=entry.case.label,
            )
        )


def amend_entry(
    session: Session, by: Person, entry_id: UUID, *, values: Mapping[str, Any], seen: str | None = None
) -> WorkProgramme:
    """Change what an entry says, whole: activity, indicator, target, quarter, estimate, person in charge (S02).

    `seen` as in `rank_programme`. Raises Stale, and OutOfTurn when the programme is frozen or the entry carried over.
    """
    found = _entry(session, entry_id)
    case = find(session, found.case_id)
    whole = find_programme(session, found.fiscal_year)
    by = authorize(session, by, ACTS.amend_entry, whole, entry=found.number)
    must_be_draft(whole)
    must_be_present(seen, whole.edition, words=stale_words(whole))
    entry = session.get_one(WorkProgrammeEntry, entry_id, populate_existing=True)
    _must_stand(entry)
    if says := changes(row_of(entry), values):
        change(session, entry, values, says=says, case=case, act=ACTS.amend_entry, by=by)
        whole.note(by.name, f"mengubah {entry.number}")
    session.flush()
    return whole


def change(
    session: Session,
    entry: WorkProgrammeEntry,
    values: Mapping[str, Any],
    *,
    says: Sequence[str],
    case: Case,
    act: Act,
    by: Person,
) -> None:
    """Set what an entry says and tell its case what changed; whoever calls has asked who may."""
    for key, value in values.items():
        setattr(entry, key, value)
    write(
        session,
        by,
        case,
        act.name,
        step="S02",
        says=f"Butir program kerja {entry.number} diubah",
        detail="; ".join(says)[:2000],
        path=f"/proker?tahun={entry.fiscal_year}",
    )


def _entry(session: Session, entry_id: UUID) -> WorkProgrammeEntry:
    entry = session.get(WorkProgrammeEntry, entry_id)
    if entry is None:
        raise NotFound("Butir program kerja ini tidak ada. Buka kembali dari halaman program kerja.")
    return entry


def freeze_programme(
    session: Session, by: Person, fiscal_year: int, office: Office, *, seen: str | None = None
) -> ProgrammeRevision:
    """Freeze the work programme of a year: its order and entries stand, printed and signed, as the next revision.

    Raises OutOfTurn when it is frozen already, Stale when it changed since it was seen, Incomplete when it is empty.
    """
    whole = find_programme(session, fiscal_year)
    by = authorize(session, by, ACTS.freeze_programme, whole, fiscal_year=fiscal_year)
    if whole.is_frozen:
        raise OutOfTurn(
            Sentence(
                "Program kerja Tahun Anggaran {fiscal_year} sudah ditetapkan (revisi {revision}).",
                fiscal_year=fiscal_year,
                revision=whole.revision,
            )
        )
    must_be_present(seen, whole.edition, words=stale_words(whole))
    entries = _ranked(session, fiscal_year)
    if not entries:
        raise Incomplete(
            Sentence(
                "Program kerja Tahun Anggaran {fiscal_year} masih kosong. Cantumkan dahulu perkara yang sudah "
                "disetujui.",
                fiscal_year=fiscal_year,
            ),
            code="programme_empty",
        )
    _number(entries)
    whole.revision += 1
    whole.state = ProgrammeState.FROZEN
    whole.note(by.name, f"menetapkan revisi {whole.revision}")
    rows = [row_of(entry) for entry in entries]
    number = f"{fiscal_year}-{office.programme_code}-R{whole.revision}"
    kept = ProgrammeRevision(
        fiscal_year=fiscal_year,
        revision=whole.revision,
        reason=whole.reason,
        rows=rows,
        total_amount=sum(entry.estimated_amount for entry in entries),
        number=number,
        paper_digest=programme_paper.print_frozen(session, office, whole, rows, number=number, signer=by),
        by_id=by.id,
        by_name=by.name,
    )
    session.add(kept)
    session.flush()
    return kept


def row_of(entry: WorkProgrammeEntry) -> dict[str, Any]:
    """Return an entry as a revision keeps it."""
    return {
        "number": entry.number,
        "case_number": entry.case.number,
        "name": entry.case.name,
        "unit": entry.case.unit,
        "activity": entry.activity,
        "indicator": entry.indicator,
        "target": entry.target,
        "quarter": entry.quarter,
        "priority": entry.priority,
        "estimated_amount": entry.estimated_amount,
        "ceiling_amount": ceiling_of(entry),
        "pic": entry.pic,
    }


def revise_programme(session: Session, by: Person, fiscal_year: int, *, reason: str) -> WorkProgramme:
    """Open a frozen work programme again for a reason; the frozen revision stays. Raises OutOfTurn unless frozen."""
    whole = find_programme(session, fiscal_year)
    by = authorize(session, by, ACTS.revise_programme, whole, fiscal_year=fiscal_year, revision=whole.revision)
    if not whole.is_frozen:
        raise OutOfTurn(
            Sentence(
                "Program kerja Tahun Anggaran {fiscal_year} belum ditetapkan; ubah langsung tanpa revisi.",
                fiscal_year=fiscal_year,
            )
        )
    whole.state, whole.reason = ProgrammeState.DRAFT, reason
    whole.note(by.name, f"membuka revisi {whole.revision + 1}")
    session.flush()
    return whole


def carry_over(
    session: Session,
    by: Person,
    entry_id: UUID,
    office: Office,
    *,
    reason: str,
    fiscal_year: int | None = None,
) -> WorkProgrammeEntry:
    """Carry an entry that was not realised over to a later year; both stay, the budget plans for the later one.

    Without `fiscal_year` it is the year after. Raises OutOfTurn when the case has gone further than the programme
    or the later year is frozen, Incomplete for an earlier year.
    """
    found = _entry(session, entry_id)
    case = find(session, found.case_id)
    year = fiscal_year or found.fiscal_year + 1
    # The earlier year first, so that two who carry over never wait for each other.
    wholes = {one: find_programme(session, one) for one in sorted({found.fiscal_year, year})}
    left, whole = wholes[found.fiscal_year], wholes[year]
    by = authorize(session, by, ACTS.carry_over, found, number=found.number, to=year)
    entry = session.get_one(WorkProgrammeEntry, entry_id, populate_existing=True)
    if entry.carried_to:
        _must_stand(entry)
    if case.status != "in_work_programme":
        raise OutOfTurn(
            Sentence(
                "Perkara {number} berstatus “{label}”. Yang dapat dialihkan adalah butir yang belum selesai "
                "dibahas; perkara yang ditunda dicantumkan kembali dari halaman perkaranya.",
                number=case.number,
                label=case.label,
            )
        )
    if year <= entry.fiscal_year:
        raise Incomplete(
            Sentence("Tahun tujuan harus sesudah {fiscal_year}.", fiscal_year=entry.fiscal_year),
            errors=[
                FieldError(
                    "/fiscal_year", Sentence("Isi {fiscal_year} atau sesudahnya.", fiscal_year=entry.fiscal_year + 1)
                )
            ],
        )
    must_be_draft(whole)
    entries = _with_room(session, year)
    entry.carried_to, entry.carried_reason = year, reason
    number = _next_number(session, office, year)
    made = WorkProgrammeEntry(
        case_id=case.id,
        case=case,
        number=number,
        fiscal_year=year,
        activity=entry.activity,
        indicator=entry.indicator,
        target=entry.target,
        quarter=entry.quarter,
        priority=len(entries) + 1,
        estimated_amount=entry.estimated_amount,
        pic=entry.pic,
        by_id=by.id,
    )
    session.add(made)
    case.fiscal_year = year
    for one in (left, whole):
        one.note(by.name, f"mengalihkan {entry.number} ke {number}")
    if not left.is_frozen:
        # A frozen order stands as it was frozen; a draft closes its gap.
        number_again(session, left.fiscal_year, first={})
    write(
        session,
        by,
        case,
        ACTS.carry_over.name,
        step="S02",
        says=f"Butir program kerja dialihkan ke Tahun Anggaran {year}",
        note=reason,
        detail=f"{entry.number} menjadi {number}",
        path=f"/proker?tahun={year}",
    )
    post(
        session,
        WorkProgrammeEntered(
            case_id=case.id,
            case_number=case.number,
            application=case.facts,
            fiscal_year=year,
            estimated_amount=made.estimated_amount,
            note=reason,
            path=f"/perkara/{case.number}",
        ),
        by=by,
    )
    return made


# --- the end of the meetings --------------------------------------------------------------------------------------


def conclude(session: Session, by: Person, case_id: UUID) -> Case:
    """State that weekly and annual meeting said "continue" and KAK and RAB stand (S03); the budget is told.

    Raises Incomplete with everything that is lacking.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.conclude, case)
    check_move(by, case, ACTS.conclude)
    ready = queries.readiness(session, case)
    if ready.lacking:
        raise Incomplete(
            Sentence("Pembahasan belum dapat dinyatakan selesai. {lacking}", lacking=together(ready.lacking)),
            code="meetings_not_concluded",
        )
    minutes = tuple(found.number for found in ready.minutes)
    terms = queries.newest_terms(session, case.id)
    papers = [
        *(PaperFact(kind=m.kind, title=m.title, number=m.number, digest=m.digest) for m in ready.minutes),
        *([PaperFact(kind="kak", title=f"KAK versi {terms.version}", digest=terms.paper_digest)] if terms else []),
    ]
    move(
        session,
        by,
        case,
        ACTS.conclude,
        says="Pembahasan rapat selesai",
        detail=f"Notulen {' dan '.join(minutes)}; KAK versi {case.terms_version}; RAB versi {case.plan_version}",
        papers=papers,
    )
    post(
        session,
        MeetingsConcluded(
            case_id=case.id,
            case_number=case.number,
            minutes=minutes,
            terms_of_reference_digest=terms.paper_digest if terms else "",
            papers=tuple(papers),
            path=f"/perkara/{case.number}",
        ),
        by=by,
    )
    return case
