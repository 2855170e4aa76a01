"""The work programme, the terms of reference and the end of the meetings (S02, F02, S03)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.actions import paper
from services.proposal.actions.case import find, move, next_number, write
from services.proposal.authority import ACTS, check_move
from services.proposal.model import SECTIONS, Case, Office, Terms, TermsOfReference, WorkProgrammeEntry
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import MeetingsConcluded, PaperFact, WorkProgrammeEntered
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
    by = authorize(session, by, ACTS.enter_work_programme, case)
    check_move(by, case, ACTS.enter_work_programme)
    first = _first_year(case, office)
    year = fiscal_year or first
    if year < first:
        month, day = office.cut_off
        raise Incomplete(
            f"Tahun anggaran paling awal untuk perkara {case.number} adalah {first}. Persetujuan setelah "
            f"{day:02d}/{month:02d} masuk program kerja dua tahun berikutnya, kecuali Kepala menetapkan lain saat "
            "menyetujui; perkara yang ditunda masuk tahun sesudah tahun yang ditunda.",
            errors=[FieldError("/fiscal_year", f"Isi {first} atau sesudahnya.")],
            code="fiscal_year_too_early",
        )
    n = next_number(session, f"programme-{office.programme_code}", year)
    number = f"{year}-{office.programme_code}-{n:02d}"
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
            ("Prioritas", str(priority or n)),
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
        priority=priority or n,
        estimated_amount=estimated_amount,
        pic=pic,
        paper_digest=printed.digest,
        by_id=by.id,
    )
    session.add(entry)
    case.fiscal_year = year
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


def _first_year(case: Case, office: Office) -> int:
    first = 0
    if case.approved_at:
        first = earliest_year(case.approved_at, cut_off=office.cut_off, is_overridden=bool(case.override_reason))
    if case.fiscal_year:
        # Deferred: the year in which it waited is over for it.
        first = max(first, case.fiscal_year + 1)
    return first or local_date(case.entered_at).year + 1


def write_terms(session: Session, by: Person, case_id: UUID, office: Office, terms: Terms) -> TermsOfReference:
    """Keep a new version of the terms of reference (F02); earlier versions stay.

    Raises OutOfTurn before the work programme and once the plan lies with the planning section.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.write_terms, case)
    if not may_write_terms(case):
        raise OutOfTurn(
            f"Perkara {case.number} berstatus “{case.label}”. KAK disusun setelah aplikasi masuk program kerja dan "
            "sebelum rencana disampaikan kepada Bagian Perencanaan."
        )
    case.terms_version += 1
    printed = paper.terms_of_reference(
        session,
        office,
        case,
        by,
        version=case.terms_version,
        sections=[(title, getattr(terms, key)) for key, title in SECTIONS.items()],
    )
    kept = TermsOfReference(
        case_id=case.id,
        version=case.terms_version,
        sections=terms.model_dump(mode="json"),
        paper_digest=printed.digest,
        by_id=by.id,
        by_name=by.name,
    )
    session.add(kept)
    write(
        session,
        by,
        case,
        ACTS.write_terms.name,
        step="F02",
        says="KAK disusun",
        detail=f"Versi {kept.version}",
        papers=[printed],
    )
    return kept


def may_write_terms(case: Case) -> bool:
    """Tell whether the terms of reference may still change."""
    return any(case.next(name) for name in ("conclude_meetings", "send_to_planning"))


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
            "Pembahasan belum dapat dinyatakan selesai. " + " ".join(ready.lacking), code="meetings_not_concluded"
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
