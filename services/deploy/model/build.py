"""Builds: what a vendor delivered, as files in the store under one digest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.deploy.model.application import Application
from services.deploy.model.table import Table
from shared.database import Kept
from shared.errors import OutOfTurn


class Build(Kept, Table):
    """One package of one application; the same files twice are the same build."""

    __tablename__ = "build"
    __table_args__ = (
        UniqueConstraint("case_id", "digest"),
        Index("ix_build_created_at_id", "created_at", "id"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.case_id"))
    application: Mapped[Application] = relationship(lazy="joined", innerjoin=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the canonical manifest, which lies in the store under this very name."""
    files: Mapped[int]
    total_size: Mapped[int] = mapped_column(BigInteger)
    file_name: Mapped[str] = mapped_column(String(255))
    received_by_id: Mapped[UUID]
    received_by_name: Mapped[str] = mapped_column(String(200))
    defect_reason: Mapped[str] = mapped_column(Text, default="")
    defect_by_name: Mapped[str] = mapped_column(String(200), default="")
    defect_at: Mapped[datetime | None]

    @property
    def vendor(self) -> str:
        """Return the code of the vendor whose contract it belongs to."""
        return self.application.vendor

    @property
    def label(self) -> str:
        """Return the Indonesian word for its state."""
        return "Cacat, dikembalikan" if self.defect_at else "Diterima"

    def must_be_sound(self) -> None:
        """Raise OutOfTurn when the build was reported as defective."""
        if self.defect_at:
            raise OutOfTurn(
                "Paket ini sudah dilaporkan cacat dan dikembalikan kepada penyedia. Mohon pilih paket perbaikannya."
            )
