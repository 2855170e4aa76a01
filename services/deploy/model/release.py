"""Releases: installed builds on their way to users, and the permits that let them there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.deploy.model.application import Application
from services.deploy.model.build import Build
from services.deploy.model.hosting import Hosting
from services.deploy.model.table import Moving, Table
from shared.database import Kept, utc_now
from shared.permit import SignedPermit


class ReleaseStatus(StrEnum):
    """How far a release is (`release_statuses` of `procedure.yaml`)."""

    INSTALLED = "installed"
    REMEDIATION = "remediation"
    CLEARED = "cleared"
    LIVE = "live"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


_R = ReleaseStatus


class KeptPermit(Table):
    """One permit that was found genuine, as it travelled, and whether it was taken back."""

    __tablename__ = "permit"
    __table_args__ = (Index("ix_permit_release_id", "release_id", "received_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The id that the signed text itself names."""
    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"))
    signed: Mapped[str] = mapped_column(Text)
    """The signed permit as JSON text."""
    install_until: Mapped[datetime]
    valid_until: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def envelope(self) -> SignedPermit:
        """Return the permit as it travelled, not yet verified."""
        return SignedPermit.model_validate_json(self.signed)


class RevokedPermit(Table):
    """A permit id that was taken back; kept apart, for the revocation may come before the permit."""

    __tablename__ = "revoked_permit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    revoked_at: Mapped[datetime] = mapped_column(default=utc_now)


class Release(Kept, Moving, Table):
    """One build that stands on one hosting, numbered for its application."""

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("number > 0", name="number"),
        # P6: exactly one current release, kept by the database.
        Index("uq_release_hosting_id", "hosting_id", unique=True, postgresql_where="status = 'live'"),
        Index("ix_release_created_at_id", "created_at", "id"),
        Index("ix_release_case_id_digest", "case_id", "digest"),
    )
    noun = "Rilis"
    labels = {  # noqa: RUF012 - one table for all rows
        _R.INSTALLED: "Terpasang, menunggu uji keamanan",
        _R.REMEDIATION: "Perlu perbaikan",
        _R.CLEARED: "Lulus uji keamanan",
        _R.LIVE: "Digunakan",
        _R.SUPERSEDED: "Digantikan",
        _R.WITHDRAWN: "Ditarik",
    }
    moves = {  # noqa: RUF012
        "fail": (frozenset({_R.INSTALLED, _R.REMEDIATION}), _R.REMEDIATION),
        "pass": (frozenset({_R.INSTALLED, _R.CLEARED}), _R.CLEARED),
        "authorise_go_live": (frozenset({_R.CLEARED}), _R.CLEARED),
        "postpone": (frozenset({_R.CLEARED}), _R.CLEARED),
        "go_live": (frozenset({_R.CLEARED}), _R.LIVE),
        "supersede": (frozenset({_R.LIVE}), _R.SUPERSEDED),
        "roll_back": (frozenset({_R.SUPERSEDED}), _R.LIVE),
        "withdraw": (frozenset(_R) - {_R.LIVE}, _R.WITHDRAWN),
    }

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.case_id"))
    application: Mapped[Application] = relationship(lazy="joined", innerjoin=True)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    build_id: Mapped[UUID] = mapped_column(ForeignKey("build.id"))
    build: Mapped[Build] = relationship(lazy="joined", innerjoin=True)
    hosting_id: Mapped[UUID] = mapped_column(ForeignKey("hosting.id"))
    hosting: Mapped[Hosting] = relationship(lazy="joined", innerjoin=True)
    installation_id: Mapped[UUID] = mapped_column(ForeignKey("installation.id"))
    status: Mapped[ReleaseStatus] = mapped_column(String(12), default=ReleaseStatus.INSTALLED)
    installed_by_id: Mapped[UUID]
    installed_by_name: Mapped[str] = mapped_column(String(200))
    failed_note: Mapped[str] = mapped_column(Text, default="")
    """What the security test found wanting."""
    authorised_by_id: Mapped[UUID | None]
    authorised_by_name: Mapped[str] = mapped_column(String(200), default="")
    authorised_at: Mapped[datetime | None]
    postponed_reason: Mapped[str] = mapped_column(Text, default="")
    paper_digest: Mapped[str | None] = mapped_column(String(64))
    """The note of the opening."""
    live_at: Mapped[datetime | None]
    """When it was first opened."""
    is_closed: Mapped[bool] = mapped_column(default=False)
    """Whether the front door of a live release was shut by order of the security division."""
    permits: Mapped[list[KeptPermit]] = relationship(order_by=KeptPermit.received_at, lazy="selectin")

    @property
    def permit(self) -> KeptPermit | None:
        """Return the newest permit of this release."""
        return self.permits[-1] if self.permits else None
