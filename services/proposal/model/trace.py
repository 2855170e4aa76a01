"""The trace: every fact about a case from every division, and the papers that the facts rest on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.proposal.model.table import Table
from shared.database import Kept


class TraceEntry(Kept, Table):
    """One fact: when, who as what, under which step, resting on which papers and which build."""

    __tablename__ = "trace_entry"
    __table_args__ = (
        Index("ix_trace_entry_case_id", "case_id", "at", "seq"),
        # Which tickets are open: what a weekly meeting is told of.
        Index(
            "ix_trace_entry_ticket", "path", "kind", postgresql_where=text("kind IN ('TicketOpened', 'TicketClosed')")
        ),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    """The order of arrival; `at` is when it happened."""
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    at: Mapped[datetime]
    step: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(80))
    """Name of the act here, or of the message from another division."""
    says: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    """Amounts, numbers and names that the fact carries, in words."""
    note: Mapped[str] = mapped_column(Text, default="")
    """Reason or remark as the person wrote it."""
    move: Mapped[str] = mapped_column(String(40), default="")
    """The move of the case that followed; empty when the status stayed."""
    status: Mapped[str] = mapped_column(String(30))
    """Status of the case after it."""

    person_id: Mapped[UUID | None]
    person_name: Mapped[str] = mapped_column(String(200))
    as_what: Mapped[str] = mapped_column(String(200))
    acting_for: Mapped[str] = mapped_column(String(200), default="")

    digest: Mapped[str] = mapped_column(String(64), default="")
    """The build that the fact is about."""
    path: Mapped[str] = mapped_column(String(300), default="")
    """Page of the thing in its division."""
    source: Mapped[str] = mapped_column(String(32))
    """The service that told it."""
    message_id: Mapped[UUID | None] = mapped_column(unique=True)
    audit_service: Mapped[str] = mapped_column(String(32))
    """The service in whose audit chain the act stands."""
    audit_seq: Mapped[int | None] = mapped_column(BigInteger)
    audit_hash: Mapped[str | None] = mapped_column(String(64))


class Paper(Kept, Table):
    """A paper that an entry of the trace rests on; its file stands in the store under its digest."""

    __tablename__ = "paper"
    __table_args__ = (
        Index("ix_paper_case_id", "case_id", "created_at"),
        Index("ix_paper_digest", "digest"),
        Index("ix_paper_trace_entry_id", "trace_entry_id"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    trace_entry_id: Mapped[UUID] = mapped_column(ForeignKey("trace_entry.id"))
    step: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(60))
    """Key of the paper in the procedure, e.g. "notulen_raker"."""
    title: Mapped[str] = mapped_column(String(300))
    number: Mapped[str] = mapped_column(String(120), default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    """sha256 of the file; empty when only the number is known here."""
    file_name: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(32))
