"""Forms that the gateway keeps for a while, so that nobody types them twice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from services.gateway.model.table import Table
from shared.database import Kept


class HeldForm(Kept, Table):
    """What somebody sent and could not yet be done: the session had ended, or a fresh proof is needed."""

    __tablename__ = "held_form"
    __table_args__ = (
        CheckConstraint("purpose IN ('restore', 'step_up')", name="purpose_is_known"),
        Index("ix_held_form_person_id", "person_id"),
        Index("ix_held_form_expires_at", "expires_at"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(String(2000))
    """Path and query to which the form was sent."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """The fields, urlencoded and sealed with a key that is not in the database; no files."""
    lost_files: Mapped[bool] = mapped_column(default=False)
    """Files had been chosen; they are not kept."""
    label: Mapped[str] = mapped_column(String(300), default="")
    """The act that needs a fresh proof, as its button calls it."""
    consequence: Mapped[str] = mapped_column(String(2000), default="")
    expires_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    """When it was sent on: that happens once."""
