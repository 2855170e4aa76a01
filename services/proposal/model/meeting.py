"""Meetings, what they spoke about, and the outcome of each item: closed minutes decide (S03, S10)."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept


class MeetingKind(StrEnum):
    """The two kinds of meeting that the procedure knows."""

    WEEKLY = "weekly"
    ANNUAL = "annual"


MEETING_LABELS = {
    MeetingKind.WEEKLY: "Rapat rutin mingguan",
    MeetingKind.ANNUAL: "Rapat kerja tahunan",
}
MINUTES = {MeetingKind.WEEKLY: "notulen_rapat_mingguan", MeetingKind.ANNUAL: "notulen_raker"}
"""The paper that the minutes of a meeting are, as the procedure names it."""


class Outcome(StrEnum):
    """What a meeting decided about an item."""

    CONTINUE = "continue"
    REVISE = "revise"
    DEFER = "defer"
    REJECT = "reject"


OUTCOME_LABELS = {
    Outcome.CONTINUE: "Dilanjutkan",
    Outcome.REVISE: "Direvisi",
    Outcome.DEFER: "Ditunda",
    Outcome.REJECT: "Tidak dilanjutkan",
}


class Meeting(Kept, Table):
    """One meeting and its minutes."""

    __tablename__ = "meeting"
    __table_args__ = (UniqueConstraint("number"), Index("ix_meeting_created_at_id", "created_at", "id"))

    kind: Mapped[MeetingKind] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(80))
    on: Mapped[date]
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    place: Mapped[str] = mapped_column(String(200))
    chair: Mapped[str] = mapped_column(String(200))
    note_taker: Mapped[str] = mapped_column(String(200))
    attendees: Mapped[list[str]] = mapped_column(JSONB, default=list)
    made_by_id: Mapped[UUID]
    edition: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None]
    closed_by_name: Mapped[str] = mapped_column(String(200), default="")
    minutes_digest: Mapped[str] = mapped_column(String(64), default="")
    items: Mapped[list["MeetingItem"]] = relationship(
        order_by="MeetingItem.ordinal", lazy="selectin", cascade="all, delete-orphan"
    )

    @property
    def is_closed(self) -> bool:
        """Tell whether the minutes are closed and their outcomes performed."""
        return self.closed_at is not None

    @property
    def label(self) -> str:
        """Return the Indonesian words for its kind."""
        return MEETING_LABELS[MeetingKind(self.kind)]


class MeetingItem(Kept, Table):
    """One item of a meeting: what was said, what was decided, who does what until when."""

    __tablename__ = "meeting_item"
    __table_args__ = (
        UniqueConstraint("meeting_id", "ordinal"),
        Index("ix_meeting_item_case_id", "case_id"),
        Index("ix_meeting_item_evaluation_id", "evaluation_id"),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    ordinal: Mapped[int]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case | None] = relationship(lazy="selectin")
    evaluation_id: Mapped[UUID | None] = mapped_column(ForeignKey("evaluation.id"))
    subject: Mapped[str] = mapped_column(String(300))
    discussion: Mapped[str] = mapped_column(Text)
    decision: Mapped[Outcome] = mapped_column(String(10))
    follow_up: Mapped[str] = mapped_column(Text, default="")
    pic: Mapped[str] = mapped_column(String(200), default="")
    due_on: Mapped[date | None]
    performed_at: Mapped[datetime | None]
    """When closing the minutes carried the outcome out."""
    by_id: Mapped[UUID]
