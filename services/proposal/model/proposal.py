"""The proposal of a case: what is asked for and why, each submission kept; the analysis and the decisions on it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.content import Content
from services.proposal.model.table import Table
from shared.database import Kept, utc_now


class Proposal(Table):
    """What the proposer writes; its id is the id of its case."""

    __tablename__ = "proposal"

    id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)

    letter_number: Mapped[str] = mapped_column(String(120), default="")
    letter_on: Mapped[date | None]
    letter_digest: Mapped[str] = mapped_column(String(64), default="")
    letter_file_name: Mapped[str] = mapped_column(String(200), default="")
    background: Mapped[str] = mapped_column(Text, default="")
    """The problem and how the work is done today."""
    benefit: Mapped[str] = mapped_column(Text, default="")
    users: Mapped[str] = mapped_column(Text, default="")
    """Who will use it."""
    indicators: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """Promised success indicators: name, target, measure; the evaluation compares with them."""
    more: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Further sections of the form by key (legal basis, risk, knowledge transfer, …)."""

    version: Mapped[int] = mapped_column(default=0)
    """Number of submissions so far."""
    agenda_number: Mapped[str] = mapped_column(String(80), default="")
    """Register number given at the first submission."""
    submitted_at: Mapped[datetime | None]


class ProposalVersion(Kept, Table):
    """What one submission said, kept for ever, with its paper."""

    __tablename__ = "proposal_version"
    __table_args__ = (UniqueConstraint("proposal_id", "version"),)

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    submitted_by_id: Mapped[UUID]
    submitted_by_name: Mapped[str] = mapped_column(String(200))
    paper_digest: Mapped[str] = mapped_column(String(64))
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """The files that came with it: label, file_name, digest."""


class NeedsAnalysis(Kept, Table):
    """The needs analysis of the application division (F01), each version kept."""

    __tablename__ = "needs_analysis"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    version: Mapped[int]
    summary: Mapped[str] = mapped_column(Text)
    recommendation: Mapped[str] = mapped_column(String(20))
    """proceed, adjust or decline: what the analyst advises."""
    advice: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    paper_digest: Mapped[str] = mapped_column(String(64))


class Disposition(Kept, Table):
    """One line of the routing slip: who decided what, as whom, with which words."""

    __tablename__ = "disposition"
    __table_args__ = (Index("ix_disposition_case_id", "case_id", "created_at"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    act: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    as_what: Mapped[str] = mapped_column(String(200))
    paper_digest: Mapped[str] = mapped_column(String(64), default="")


def content_of(case: Case, proposal: Proposal) -> Content:
    """Return what the proposer has written so far, as one shape."""
    return Content.model_validate(
        {
            **{name: value for name, value in proposal.more.items() if name in Content.model_fields},
            "name": case.name,
            "code": case.code,
            "kind": case.kind,
            "purpose": case.purpose,
            "letter_number": proposal.letter_number,
            "letter_on": proposal.letter_on,
            "background": proposal.background,
            "benefit": proposal.benefit,
            "users": proposal.users,
            "expected_users": case.expected_users,
            "personal_data": case.personal_data,
            "criticality": case.criticality,
            "indicators": proposal.indicators,
            **{key: value for key, value in case.tech.items() if value},
        }
    )
