"""The draft of a proposal: what was written and is not yet right, when it was saved last, and the files beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.proposal.model.table import Table
from shared.database import Kept, utc_now

ATTACHMENT_LABELS = {"needs": "Uraian kebutuhan", "process": "Bagan proses kerja", "other": "Lampiran lain"}
MOST_ATTACHMENTS = 20
ATTACHMENT_LIMIT = 20 * 1024 * 1024
"""Bytes of one attachment."""
ATTACHMENT_ENDINGS = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".csv", ".txt", ".zip"}
)


class Draft(Table):
    """What of a proposal cannot be taken as it was typed; its id is the id of the proposal."""

    __tablename__ = "draft"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    rough: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """By field: `typed`, as it was typed, and `errors`, by place within the field, why it cannot be taken."""
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)
    saved_by_id: Mapped[UUID]
    saved_by_name: Mapped[str] = mapped_column(String(200))


class Attachment(Kept, Table):
    """A file beside a proposal; what a submission holds is never taken away from it."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_proposal_id", "proposal_id", "created_at"),)

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """Key of `ATTACHMENT_LABELS`."""
    file_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime | None]
    """When it was taken out of the draft; later submissions are without it."""

    @property
    def label(self) -> str:
        """Return what kind of file it is, in Indonesian."""
        return ATTACHMENT_LABELS.get(self.kind, self.kind)
