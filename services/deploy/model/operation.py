"""Operations: what is changed on a host, one at a time for each hosting, each with its fence number."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.deploy.model.hosting import Hosting
from services.deploy.model.table import Table
from shared.database import Kept


class OperationKind(StrEnum):
    """What is done on the host."""

    INSTALL = "install"
    OPEN = "open"
    ROLL_BACK = "roll_back"
    CLOSE = "close"
    REVOKE = "revoke"


class OperationStatus(StrEnum):
    """How far an operation is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPERATION_LABELS = {
    OperationKind.INSTALL: "Pemasangan di alamat tertutup",
    OperationKind.OPEN: "Pembukaan untuk pengguna",
    OperationKind.ROLL_BACK: "Pengembalian ke rilis sebelumnya",
    OperationKind.CLOSE: "Penutupan",
    OperationKind.REVOKE: "Pencabutan izin",
}
STATE_LABELS = {
    OperationStatus.WAITING: "Menunggu giliran",
    OperationStatus.RUNNING: "Sedang berjalan",
    OperationStatus.DONE: "Selesai",
    OperationStatus.FAILED: "Gagal",
}


class Operation(Kept, Table):
    """One change on one host, by one person."""

    __tablename__ = "operation"
    __table_args__ = (
        # Two at once on one hosting are impossible whatever the code does; the host has its own lock besides.
        Index("uq_operation_hosting_id", "hosting_id", unique=True, postgresql_where="status = 'running'"),
        Index("ix_operation_hosting_id_created_at", "hosting_id", "created_at"),
        Index("ix_operation_thing_id", "thing_id", "created_at"),
    )

    hosting_id: Mapped[UUID] = mapped_column(ForeignKey("hosting.id"))
    hosting: Mapped[Hosting] = relationship(lazy="joined", innerjoin=True)
    kind: Mapped[OperationKind] = mapped_column(String(10))
    thing_id: Mapped[UUID]
    """The installation, release or permit that it is about."""
    status: Mapped[OperationStatus] = mapped_column(String(10), default=OperationStatus.WAITING)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    job_id: Mapped[UUID | None]
    actor: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The person who started it, as signed; empty when another division's fact did."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it failed, in Indonesian; for a closing, why it was ordered."""
    ended_at: Mapped[datetime | None]

    @property
    def label(self) -> str:
        """Return in Indonesian what is done and how far it is."""
        kind = OPERATION_LABELS[OperationKind(self.kind)]
        return f"{kind}: {STATE_LABELS[OperationStatus(self.status)].lower()}"
