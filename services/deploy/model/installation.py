"""Installations: a plan made from what the server is, approved by somebody else, and carried out."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.deploy.model.build import Build
from services.deploy.model.hosting import Hosting
from services.deploy.model.table import Moving, Table
from shared.database import Kept


class InstallationStatus(StrEnum):
    """How far an installation is."""

    PLANNING = "planning"
    PLANNED = "planned"
    APPROVED = "approved"
    INSTALLED = "installed"
    FAILED = "failed"


_I = InstallationStatus


class Installation(Kept, Moving, Table):
    """One build on its way to the closed address of one hosting (S07)."""

    __tablename__ = "installation"
    __table_args__ = (
        Index(
            "uq_installation_hosting_id",
            "hosting_id",
            unique=True,
            postgresql_where="status IN ('planning', 'planned', 'approved')",
        ),
        Index("ix_installation_created_at_id", "created_at", "id"),
    )
    noun = "Instalasi"
    labels = {  # noqa: RUF012 - one table for all rows
        _I.PLANNING: "Rencana sedang disusun",
        _I.PLANNED: "Menunggu persetujuan",
        _I.APPROVED: "Disetujui, dikerjakan",
        _I.INSTALLED: "Terpasang di alamat tertutup",
        _I.FAILED: "Gagal",
    }
    moves = {  # noqa: RUF012
        "keep_plan": (frozenset({_I.PLANNING, _I.APPROVED}), _I.PLANNED),
        "approve_installation": (frozenset({_I.PLANNED}), _I.APPROVED),
        "cancel_installation": (frozenset({_I.PLANNING, _I.PLANNED}), _I.FAILED),
        "finish": (frozenset({_I.APPROVED}), _I.INSTALLED),
        "fail": (frozenset({_I.PLANNING, _I.PLANNED, _I.APPROVED}), _I.FAILED),
    }

    hosting_id: Mapped[UUID] = mapped_column(ForeignKey("hosting.id"))
    hosting: Mapped[Hosting] = relationship(lazy="joined", innerjoin=True)
    build_id: Mapped[UUID] = mapped_column(ForeignKey("build.id"))
    build: Mapped[Build] = relationship(lazy="joined", innerjoin=True)
    status: Mapped[InstallationStatus] = mapped_column(String(10), default=InstallationStatus.PLANNING)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The plan as `plan.py` wrote it, secrets masked."""
    plan_digest: Mapped[str] = mapped_column(String(64), default="")
    approved_digest: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the plan that was approved; another plan needs another approval."""
    maker: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The person who made the plan, as signed: in the trace the installation is theirs."""
    made_by_id: Mapped[UUID]
    made_by_name: Mapped[str] = mapped_column(String(200))
    approved_by_id: Mapped[UUID | None]
    approved_by_name: Mapped[str] = mapped_column(String(200), default="")
    approved_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it failed or has to be approved again, in Indonesian."""
    plan_job_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    paper_number: Mapped[str | None] = mapped_column(String(80))
    paper_digest: Mapped[str | None] = mapped_column(String(64))
    """The record of the installation (berita acara)."""

    @property
    def case_number(self) -> str:
        """Return the number of the case that it belongs to."""
        return self.hosting.application.case_number

    @property
    def digest(self) -> str:
        """Return the digest of the build."""
        return self.build.digest

    @property
    def last_job_id(self) -> UUID | None:
        """Return the job whose lines are shown: the installation, or before it the making of the plan."""
        return self.job_id or self.plan_job_id
