"""Proof packs: one archive of everything that shows a case's way, and the evidence that each division gave for it."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept
from shared.messages import ProofAsked

PROVERS = tuple(ProofAsked.to)
"""Divisions whose evidence a pack waits for."""


class ProofPack(Kept, Table):
    """One archive of a case as its trace stood when somebody asked; the file stands in the store under its digest."""

    __tablename__ = "proof_pack"
    __table_args__ = (Index("ix_proof_pack_case_id", "case_id", "created_at"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)
    until_seq: Mapped[int] = mapped_column(BigInteger)
    """The last entry of the trace that belongs to it."""
    asked_by_id: Mapped[UUID]
    asked_by_name: Mapped[str] = mapped_column(String(200))
    asked_as: Mapped[str] = mapped_column(String(200))
    answered: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Divisions whose evidence is all here."""
    job_id: Mapped[UUID | None]
    digest: Mapped[str] = mapped_column(String(64), default="")
    """sha256 of the archive; empty while it is made."""
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    files: Mapped[int] = mapped_column(default=0)
    refusal: Mapped[str] = mapped_column(Text, default="")
    """Why it could not be made."""

    @property
    def missing(self) -> list[str]:
        """Return the divisions whose evidence has not all arrived."""
        return [division for division in PROVERS if division not in self.answered]


class ProofPart(Table):
    """Evidence that one division gave for one pack, in one letter."""

    __tablename__ = "proof_part"

    pack_id: Mapped[UUID] = mapped_column(ForeignKey("proof_pack.id"), primary_key=True)
    division: Mapped[str] = mapped_column(String(20), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    parts: Mapped[int]
    head_seq: Mapped[int] = mapped_column(BigInteger)
    head_hash: Mapped[str] = mapped_column(String(64))
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Kind and exact JSON text of each piece."""
