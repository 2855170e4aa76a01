"""Meetings, what they spoke about, and the outcome of each item: closed minutes decide (S03, S10)."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept, utc_now


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
    APPROVE = "approve"
    REVISE = "revise"
    DEFER = "defer"
    REJECT = "reject"


OUTCOME_LABELS = {
    Outcome.CONTINUE: "Dilanjutkan",
    Outcome.APPROVE: "Disetujui",
    Outcome.REVISE: "Direvisi",
    Outcome.DEFER: "Ditunda",
    Outcome.REJECT: "Tidak dilanjutkan",
}


class Presence(StrEnum):
    """Whether somebody who was invited came."""

    INVITED = "invited"
    PRESENT = "present"
    EXCUSED = "excused"
    ABSENT = "absent"


PRESENCE_LABELS = {
    Presence.INVITED: "Diundang",
    Presence.PRESENT: "Hadir",
    Presence.EXCUSED: "Izin",
    Presence.ABSENT: "Tidak hadir",
}


class ItemSource(StrEnum):
    """Where an item of the agenda comes from."""

    STANDING = "standing"
    CASE = "case"
    EVALUATION = "evaluation"
    FINDING = "finding"
    TICKET = "ticket"
    TASK = "task"
    OTHER = "other"


SOURCE_LABELS = {
    ItemSource.STANDING: "Acara tetap",
    ItemSource.CASE: "Perkara",
    ItemSource.EVALUATION: "Laporan evaluasi",
    ItemSource.FINDING: "Temuan keamanan",
    ItemSource.TICKET: "Tiket",
    ItemSource.TASK: "Tindak lanjut",
    ItemSource.OTHER: "Lain-lain",
}


class TaskState(StrEnum):
    """What became of something that somebody was to do."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


TASK_LABELS = {TaskState.OPEN: "Belum selesai", TaskState.DONE: "Selesai", TaskState.DROPPED: "Tidak dilanjutkan"}


class MeetingSeries(Kept, Table):
    """The rule by which meetings come by themselves: when, where, who is invited, what always stands on the agenda."""

    __tablename__ = "meeting_series"
    __table_args__ = (
        CheckConstraint(
            "(weekday IS NOT NULL AND month IS NULL AND day IS NULL)"
            " OR (weekday IS NULL AND month IS NOT NULL AND day IS NOT NULL)",
            name="weekday_or_day_of_the_year",
        ),
    )

    kind: Mapped[MeetingKind] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    weekday: Mapped[int | None]
    """0 = Monday, for a weekly series."""
    month: Mapped[int | None]
    day: Mapped[int | None]
    """The day of the year, for an annual series."""
    starts: Mapped[time]
    ends: Mapped[time | None]
    place: Mapped[str] = mapped_column(String(200))
    chair_role: Mapped[str] = mapped_column(String(40))
    note_taker: Mapped[str] = mapped_column(String(200))
    invited_roles: Mapped[list[str]] = mapped_column(JSONB, default=list)
    invited_people: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Usernames of the directory, or names as typed."""
    standing_items: Mapped[list[str]] = mapped_column(JSONB, default=list)
    quorum: Mapped[int | None]
    made_by_id: Mapped[UUID]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def label(self) -> str:
        """Return the Indonesian words for its kind."""
        return MEETING_LABELS[MeetingKind(self.kind)]


class Meeting(Kept, Table):
    """One meeting and its minutes."""

    __tablename__ = "meeting"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("series_id", "series_on"),
        Index("ix_meeting_created_at_id", "created_at", "id"),
        Index("ix_meeting_on", "on"),
        Index("ix_meeting_coming", "kind", "on", postgresql_where=text("closed_at IS NULL AND cancelled_at IS NULL")),
    )

    kind: Mapped[MeetingKind] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(80))
    series_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting_series.id"))
    series: Mapped[MeetingSeries | None] = relationship(lazy="selectin")
    series_on: Mapped[date | None]
    """The day on which the rule of its series put it; the meeting may have been moved since."""
    on: Mapped[date]
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    place: Mapped[str] = mapped_column(String(200))
    chair: Mapped[str] = mapped_column(String(200))
    note_taker: Mapped[str] = mapped_column(String(200))
    quorum: Mapped[int | None]
    made_by_id: Mapped[UUID]
    edition: Mapped[int] = mapped_column(default=1)
    sequence: Mapped[int] = mapped_column(default=0)
    """How often time, place or its taking place were changed: SEQUENCE in calendars."""
    moved_reason: Mapped[str] = mapped_column(Text, default="")
    cancelled_at: Mapped[datetime | None]
    cancelled_by_name: Mapped[str] = mapped_column(String(200), default="")
    cancelled_reason: Mapped[str] = mapped_column(Text, default="")
    invitation_number: Mapped[str] = mapped_column(String(120), default="")
    invitation_digest: Mapped[str] = mapped_column(String(64), default="")
    attendance_digest: Mapped[str] = mapped_column(String(64), default="")
    """The sheet for signatures."""
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None]
    closed_by_name: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)
    """Of the minutes: re-opened minutes are closed as the next one."""
    reopened_at: Mapped[datetime | None]
    reopened_by_name: Mapped[str] = mapped_column(String(200), default="")
    reopened_reason: Mapped[str] = mapped_column(Text, default="")
    minutes_digest: Mapped[str] = mapped_column(String(64), default="")
    items: Mapped[list["MeetingItem"]] = relationship(
        order_by="MeetingItem.ordinal",
        lazy="selectin",
        cascade="all, delete-orphan",
        foreign_keys="MeetingItem.meeting_id",
    )
    attendance: Mapped[list["Attendance"]] = relationship(
        order_by="Attendance.ordinal", lazy="selectin", cascade="all, delete-orphan"
    )
    versions: Mapped[list["MinutesVersion"]] = relationship(order_by="MinutesVersion.version", lazy="selectin")

    @property
    def is_closed(self) -> bool:
        """Tell whether the minutes are closed and their outcomes performed."""
        return self.closed_at is not None

    @property
    def is_cancelled(self) -> bool:
        """Tell whether the meeting does not take place."""
        return self.cancelled_at is not None

    @property
    def label(self) -> str:
        """Return the Indonesian words for its kind."""
        return MEETING_LABELS[MeetingKind(self.kind)]

    @property
    def is_for_head(self) -> bool:
        """Tell whether an outcome waits here that is the Head's to carry out: anything but to go on."""
        return any(item.decision not in (None, Outcome.CONTINUE) and not item.performed_at for item in self.items)

    @property
    def attendees(self) -> list[str]:
        """Return the names of those who were there."""
        return [one.name for one in self.attendance if one.presence == Presence.PRESENT]


class Attendance(Kept, Table):
    """Somebody who was invited to a meeting, and whether they came."""

    __tablename__ = "meeting_attendance"
    __table_args__ = (Index("ix_meeting_attendance_meeting_id", "meeting_id", "ordinal"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    ordinal: Mapped[int]
    person_id: Mapped[UUID | None]
    """Somebody whom the directory knows."""
    name: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(210), default="")
    presence: Mapped[Presence] = mapped_column(String(10), default=Presence.INVITED)
    is_late: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(300), default="")


class MeetingItem(Kept, Table):
    """One item of a meeting: what was said, what was decided, who does what until when."""

    __tablename__ = "meeting_item"
    __table_args__ = (
        # Looked at when the transaction ends: an item that moves up passes the place of another.
        UniqueConstraint("meeting_id", "ordinal", deferrable=True, initially="DEFERRED"),
        UniqueConstraint("meeting_id", "source_key"),
        Index("ix_meeting_item_case_id", "case_id"),
        Index("ix_meeting_item_evaluation_id", "evaluation_id"),
        Index("ix_meeting_item_source_key", "source_key"),
        # A half decided item would be carried out as something.
        CheckConstraint("performed_at IS NULL OR decision IS NOT NULL", name="performed_is_decided"),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    ordinal: Mapped[int]
    source: Mapped[ItemSource] = mapped_column(String(12))
    source_key: Mapped[str] = mapped_column(String(140))
    """What the item is about, once in a meeting: `case:<id>`, `ticket:<number>`, …"""
    source_path: Mapped[str] = mapped_column(String(300), default="")
    """The page of what it is about."""
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("application_case.id"))
    case: Mapped[Case | None] = relationship(lazy="selectin")
    evaluation_id: Mapped[UUID | None] = mapped_column(ForeignKey("evaluation.id"))
    subject: Mapped[str] = mapped_column(String(300))
    discussion: Mapped[str] = mapped_column(Text, default="")
    decision: Mapped[Outcome | None] = mapped_column(String(10))
    """Empty until the meeting reached the item."""
    follow_up: Mapped[str] = mapped_column(Text, default="")
    pic: Mapped[str] = mapped_column(String(200), default="")
    due_on: Mapped[date | None]
    edition: Mapped[int] = mapped_column(default=1)
    """Grows with each change of what note takers write; the ETag."""
    written_by_name: Mapped[str] = mapped_column(String(200), default="")
    moved_count: Mapped[int] = mapped_column(default=0)
    """How many meetings did not reach it before this one."""
    moved_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    """The meeting to which it moved on, because this one did not reach it."""
    performed_at: Mapped[datetime | None]
    """When closing the minutes carried the outcome out."""
    by_id: Mapped[UUID]


class MinutesVersion(Kept, Table):
    """What closed minutes said, kept for ever, and why they were opened again."""

    __tablename__ = "minutes_version"
    __table_args__ = (UniqueConstraint("meeting_id", "version"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[datetime]
    closed_by_name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why this version was written; empty for the first."""


class ActionItem(Kept, Table):
    """Something that a meeting gave to somebody, with a day; it comes back on the agenda until it is settled."""

    __tablename__ = "action_item"
    __table_args__ = (
        Index("ix_action_item_person_id", "person_id", "state"),
        Index("ix_action_item_open", "due_on", postgresql_where=text("state = 'open'")),
        Index("ix_action_item_created_at_id", "created_at", "id"),
        CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled_is_not_open"),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    meeting: Mapped[Meeting] = relationship(lazy="joined", innerjoin=True)
    meeting_item_id: Mapped[UUID] = mapped_column(ForeignKey("meeting_item.id"), unique=True)
    """One outcome gives one task, however often the minutes are closed."""
    subject: Mapped[str] = mapped_column(String(300))
    words: Mapped[str] = mapped_column(Text)
    person_id: Mapped[UUID | None]
    person_name: Mapped[str] = mapped_column(String(200), default="")
    due_on: Mapped[date | None]
    state: Mapped[TaskState] = mapped_column(String(10), default=TaskState.OPEN)
    note: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[datetime | None]
    settled_by_name: Mapped[str] = mapped_column(String(200), default="")

    @property
    def label(self) -> str:
        """Return the Indonesian words for its state."""
        return TASK_LABELS[TaskState(self.state)]


class CalendarKey(Table):
    """The secret address under which somebody's calendar reads the meetings; only its digest is kept."""

    __tablename__ = "calendar_key"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
