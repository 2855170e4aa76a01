"""Taking over a case that already runs outside Alur: as it stands, with no step written that nobody walked here."""

from datetime import date, datetime, time
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.actions import life_cycle
from services.proposal.actions.case import next_number, note_number, write
from services.proposal.actions.message import register
from services.proposal.actions.proposal import open_case
from services.proposal.authority import ACTS
from services.proposal.model import Case, CaseStatus, Content, Terms, TermsOfReference, WorkProgrammeEntry
from shared import audit
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete
from shared.identity import Person
from shared.procedure import STATION
from shared.sentence import Sentence
from shared.words import WIB, long_date


class Existing(BaseModel):
    """A case as it stands when Alur takes it over; every date is the real one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: Content
    unit: str
    proposer_id: UUID
    proposer_name: str
    is_from_app_head: bool = False
    status: str
    submitted_on: date
    since: date
    """When the present status began."""
    reason: str = ""
    """Why it was returned, rejected, deferred or suspended."""
    parent_number: str = ""
    fiscal_year: int | None = None
    programme_number: str = ""
    programme_activity: str = ""
    programme_indicator: str = ""
    programme_quarter: str = ""
    programme_priority: int = 0
    estimated_amount: int = Field(0, ge=0)
    terms: Terms | None = None
    plan_version: int | None = None
    plan_amount: int | None = Field(None, ge=0)
    is_plan_locked: bool = False
    ceiling_amount: int | None = Field(None, ge=0)
    vendor: str | None = None
    vendor_name: str = ""
    contract_number: str = ""
    contract_amount: int | None = Field(None, ge=0)
    paid_amount: int | None = Field(None, ge=0)
    live_on: date | None = None
    address: str = ""
    note: str = ""
    """What the person who takes it over wants to say."""


def register_existing(session: Session, by: Person | None, existing: Existing) -> Case:
    """Take over a case in the middle of its way: number, status, dates, and one entry of the trace that says so.

    `by` is None when Alur loads it itself (the demo campus). Raises Incomplete for a status that the procedure
    does not know, an unknown parent, and a name that is taken.
    """
    if by:
        by = authorize(session, by, ACTS.register_existing, f"application:{existing.content.code}")
    else:
        audit.record(session, None, ACTS.register_existing.name, f"application:{existing.content.code}")
    case = open_case(
        session,
        existing.content,
        unit=existing.unit,
        proposer_id=existing.proposer_id,
        proposer_name=existing.proposer_name,
        proposer_unit=existing.unit,
        year=existing.submitted_on.year,
    )
    if existing.status not in case.sop.statuses:
        raise Incomplete(
            Sentence("Status “{status}” tidak dikenal prosedur.", status=existing.status),
            errors=[FieldError("/status", "Pilih dari daftar.")],
        )
    since = _morning(existing.since)
    case.created_at = _morning(existing.submitted_on)
    case.is_taken_over, case.is_from_app_head = True, existing.is_from_app_head
    case.status, case.entered_at, case.status_reason = existing.status, since, existing.reason
    case.fiscal_year = existing.fiscal_year
    case.parent_case_id = _parent(session, existing.parent_number)
    case.plan_version, case.plan_amount = existing.plan_version, existing.plan_amount
    case.is_plan_locked, case.ceiling_amount = existing.is_plan_locked, existing.ceiling_amount
    case.vendor, case.vendor_name = existing.vendor, existing.vendor_name
    case.contract_number, case.contract_amount = existing.contract_number, existing.contract_amount
    case.paid_amount, case.address = existing.paid_amount, existing.address
    case.history.add(
        CaseStatus(
            source="",
            move="taken_over",
            status=existing.status,
            at=since,
            by_id=by.id if by else None,
            by_name=by.name if by else "Alur",
            reason=existing.reason,
        )
    )
    if existing.live_on:
        case.live_at = _morning(existing.live_on)
        register(session, case, release_number=None)
    else:
        life_cycle.follow(session, case)
    if existing.fiscal_year and existing.programme_activity:
        _enter(session, case, existing)
    if existing.terms:
        case.terms_version = 1
        session.add(
            TermsOfReference(
                case_id=case.id,
                version=1,
                sections=existing.terms.model_dump(mode="json"),
                paper_digest="",
                by_id=existing.proposer_id,
                by_name="",
            )
        )
    write(
        session,
        by,
        case,
        ACTS.register_existing.name,
        step=STATION[case.status],
        says=f"Diambil alih ke dalam Alur pada status “{case.label}”",
        detail=f"Diajukan {long_date(existing.submitted_on)}; status ini sejak {long_date(existing.since)}. "
        "Langkah sebelumnya berjalan di luar Alur dan tidak ditulis ulang.",
        note=existing.note,
    )
    return case


def _enter(session: Session, case: Case, existing: Existing) -> None:
    year = existing.fiscal_year or 0
    parts = existing.programme_number.split("-")
    if len(parts) == 3 and parts[2].isdigit():
        number, n = existing.programme_number, int(parts[2])
        note_number(session, f"programme-{parts[1]}", year, n)
    else:
        n = next_number(session, "programme-APL", year)
        number = existing.programme_number or f"{year}-APL-{n:02d}"
    session.add(
        WorkProgrammeEntry(
            case_id=case.id,
            case=case,
            number=number,
            fiscal_year=year,
            activity=existing.programme_activity,
            indicator=existing.programme_indicator,
            quarter=existing.programme_quarter,
            priority=existing.programme_priority or n,
            estimated_amount=existing.estimated_amount,
            by_id=existing.proposer_id,
        )
    )


def _parent(session: Session, number: str) -> UUID | None:
    if not number:
        return None
    found = session.scalar(select(Case.id).where(Case.number == number))
    if found is None:
        raise Incomplete(
            "Perkara induk tidak ditemukan.",
            errors=[FieldError("/parent_number", "Tulis nomor perkara yang sudah ada di Alur.")],
        )
    return found


def _morning(on: date) -> datetime:
    return min(datetime.combine(on, time(8), WIB), utc_now())
