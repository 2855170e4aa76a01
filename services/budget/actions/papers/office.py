"""The office that prints: its numbers, and the row that says a paper was issued."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget.model import BudgetPlan, Contract, Conveyance, Handover, IssuedPaper
from services.budget.settings import Settings
from shared import letters, printing
from shared.database import utc_now
from shared.institution import institution
from shared.papers import Paper
from shared.printing import print_paper
from shared.store import Store
from shared.words import local_date

VERSIONED = frozenset({"rab", "penetapan_pagu"})
"""Papers of a plan of which only the newest counts."""


@dataclass(frozen=True)
class Office(printing.Office):
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    commitment_office: str
    """Office in the numbers of contracts and handover records."""

    @classmethod
    def of(cls, settings: Settings) -> "Office":
        """Return the office of an installation."""
        return cls(Store(settings.files_folder), settings.public_url, settings.commitment_office)


def today() -> date:
    """Return the day in WIB."""
    return local_date(utc_now())


def letter_number(session: Session, on: date) -> str:
    """Take the number of the next letter of the centre; numbers taken over from before Alur are passed by."""
    place = institution()
    while True:
        n = letters.next_number(session, "letter", on.year, office=place.letter_office)
        number = letters.number("letter", n, on, office=place.letter_office, classification=place.letter_classification)
        if session.scalar(select(Conveyance.id).where(Conveyance.letter_number == number)) is None:
            return number


def record_number(session: Session, office: Office, on: date) -> str:
    """Take the number of the next contract or official record of the PPK; both share one series."""
    while True:
        n = letters.next_number(session, "record", on.year, office=office.commitment_office)
        number = letters.number("record", n, on, office=office.commitment_office)
        taken = [
            session.scalar(select(Contract.id).where(Contract.number == number)),
            session.scalar(select(Handover.id).where(Handover.number == number)),
        ]
        if not any(taken):
            return number


def issue(
    session: Session,
    office: Office,
    plan: BudgetPlan,
    *,
    kind: str,
    paper: Paper,
    contract: Contract | None = None,
) -> IssuedPaper:
    """Print a paper with its code, keep the file, and return the row that names it."""
    printed = print_paper(
        session,
        "budget",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind=kind,
        case_number=plan.case_number,
        series=f"{kind}:{plan.id}" if kind in VERSIONED else "",
    )
    row = IssuedPaper(
        plan_id=plan.id,
        contract_id=contract.id if contract else None,
        kind=kind,
        title=paper.title.replace("\n", " "),
        number=paper.number,
        code=printed.code,
        digest=printed.digest,
    )
    session.add(row)
    session.flush()
    return row


def fact_of(session: Session, paper_id: UUID | None) -> IssuedPaper | None:
    """Return an issued paper by its id."""
    return session.get(IssuedPaper, paper_id) if paper_id else None
