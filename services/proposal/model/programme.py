"""The work programme of a fiscal year: its entries, its revisions, and sheets that wait to be taken over."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept, utc_now


class ProgrammeState(StrEnum):
    """Whether the work programme of a year may still change."""

    DRAFT = "draft"
    FROZEN = "frozen"


Quarter = Literal["", "I", "II", "III", "IV", "I-II", "I-III", "I-IV", "II-III", "II-IV", "III-IV"]
"""Quarter or span of quarters of a year; empty: not settled yet."""
QUARTERS: tuple[str, ...] = tuple(quarter for quarter in get_args(Quarter) if quarter)
LEFT = ("deferred", "rejected", "cancelled")
"""Statuses of a case whose entry is no longer meant for its year."""
PROGRAMME_LABELS = {ProgrammeState.DRAFT: "Disusun", ProgrammeState.FROZEN: "Ditetapkan"}


class WorkProgramme(Kept, Table):
    """The work programme of a fiscal year as a whole: it is drawn up, frozen by the Head, and revised with a reason."""

    __tablename__ = "work_programme"

    fiscal_year: Mapped[int] = mapped_column(unique=True)
    state: Mapped[ProgrammeState] = mapped_column(String(10), default=ProgrammeState.DRAFT)
    edition: Mapped[int] = mapped_column(default=1)
    """Grows with each change of the order or the entries; the ETag."""
    revision: Mapped[int] = mapped_column(default=0)
    """The last one that was frozen; 0 before the first."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why a frozen programme was opened again; empty before."""
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_by_name: Mapped[str] = mapped_column(String(200), default="")
    changed_what: Mapped[str] = mapped_column(Text, default="")

    @property
    def label(self) -> str:
        """Return the state in words."""
        return PROGRAMME_LABELS[ProgrammeState(self.state)]

    @property
    def is_frozen(self) -> bool:
        """Tell whether nothing may change without a revision."""
        return self.state == ProgrammeState.FROZEN

    def note(self, by_name: str, what: str) -> None:
        """Note who changed what; whoever saw the edition before is told so."""
        self.edition += 1
        self.changed_at, self.changed_by_name, self.changed_what = utc_now(), by_name, what


class ProgrammeRevision(Kept, Table):
    """The work programme of a year as it was frozen; every revision stays and can be compared."""

    __tablename__ = "programme_revision"
    __table_args__ = (UniqueConstraint("fiscal_year", "revision"),)

    fiscal_year: Mapped[int]
    revision: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The entries in their order."""
    total_amount: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(String(40))
    paper_digest: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))


class ProgrammeSheet(Kept, Table):
    """A spreadsheet that was read without a mistake and waits to be taken over."""

    __tablename__ = "programme_sheet"

    fiscal_year: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    taken_at: Mapped[datetime | None]


class WorkProgrammeEntry(Kept, Table):
    """One application in the work programme (proker) of a year (S02)."""

    __tablename__ = "work_programme_entry"
    __table_args__ = (
        UniqueConstraint("case_id", "fiscal_year"),
        Index("ix_work_programme_entry_fiscal_year", "fiscal_year", "priority", "number"),
        CheckConstraint("estimated_amount >= 0", name="estimated_amount_not_negative"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    fiscal_year: Mapped[int]
    activity: Mapped[str] = mapped_column(Text)
    indicator: Mapped[str] = mapped_column(Text, default="")
    target: Mapped[str] = mapped_column(Text, default="")
    quarter: Mapped[str] = mapped_column(String(20), default="")
    priority: Mapped[int]
    estimated_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    pic: Mapped[str] = mapped_column(String(200), default="")
    paper_digest: Mapped[str] = mapped_column(String(64), default="")
    by_id: Mapped[UUID]
    carried_to: Mapped[int | None]
    """The later year to which it was carried over, because it was not realised."""
    carried_reason: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))

    @property
    def is_standing(self) -> bool:
        """Tell whether it is still meant for its year: neither carried over, nor its case deferred or ended."""
        return self.carried_to is None and self.case.status not in LEFT
