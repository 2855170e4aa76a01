"""Notices to people, the channels by which they leave the house, and what became of each delivery."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy import Table as Link
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.gateway.model.table import Table
from shared.database import Kept

MAIL, WHATSAPP, TELEGRAM = "mail", "whatsapp", "telegram"
AT_ONCE, DAILY, OFF = "at_once", "daily", "off"
WAITING, REMINDER, ESCALATION, NEWS, URGENT = "waiting", "reminder", "escalation", "news", "urgent"
KINDS = (WAITING, REMINDER, ESCALATION, NEWS, URGENT)
"""It is the person's turn; it is nearly or over its time; somebody else is late; it happened; it cannot wait."""

DUE, SENT, FAILED, CANCELLED = "due", "sent", "failed", "cancelled"


class Notice(Kept, Table):
    """One thing that one person is told, inside always and outside as they chose."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("person_id", "key"),
        CheckConstraint("kind IN ('waiting', 'reminder', 'escalation', 'news', 'urgent')", name="kind_is_known"),
        CheckConstraint("NOT is_open OR (read_at IS NULL AND done_at IS NULL)", name="open_is_unread_and_not_done"),
        Index("ix_notice_person_id_is_open_created_at_id", "person_id", "is_open", "created_at", "id"),
        Index("ix_notice_standing", "thing", "person_id", postgresql_where=text("done_at IS NULL AND thing <> ''")),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    key: Mapped[str] = mapped_column(String(200))
    """What it is about, so that nobody is told twice."""
    kind: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(300))
    about: Mapped[str] = mapped_column(String(300), default="")
    case_number: Mapped[str] = mapped_column(String(60), default="")
    path: Mapped[str] = mapped_column(String(500))
    since: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(20), default="")
    """Division in which it waits; empty for what the gateway tells by itself."""
    thing: Mapped[str] = mapped_column(String(64), default="")
    """Digest of what waits: the same for everybody for whom it waits, and for its reminders."""
    is_open: Mapped[bool] = mapped_column(default=True)
    """Neither read nor done: what the bell counts."""
    read_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    """When it no longer waited; nobody is reminded of it any more."""


class NoticeSetting(Table):
    """When a person wants to be left alone, and when the day's digest comes. Hours in WIB."""

    __tablename__ = "notice_setting"
    __table_args__ = (
        CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour_is_an_hour"),
        CheckConstraint("quiet_from BETWEEN 0 AND 23", name="quiet_from_is_an_hour"),
        CheckConstraint("quiet_until BETWEEN 0 AND 23", name="quiet_until_is_an_hour"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    digest_hour: Mapped[int] = mapped_column(default=7)
    quiet_from: Mapped[int] = mapped_column(default=18)
    quiet_until: Mapped[int] = mapped_column(default=7)
    """The same as `quiet_from`: no hour is quiet."""
    quiet_days: Mapped[bool] = mapped_column(default=True)
    """Saturdays, Sundays and holidays are quiet too."""


class Channel(Kept, Table):
    """One way to reach one person outside, used only after they have typed the code that was sent there."""

    __tablename__ = "channel"
    __table_args__ = (
        UniqueConstraint("person_id", "kind"),
        CheckConstraint("kind IN ('mail', 'whatsapp', 'telegram')", name="kind_is_known"),
        CheckConstraint("pace IN ('at_once', 'daily', 'off')", name="pace_is_known"),
        CheckConstraint("(address = '') = (verified_at IS NULL)", name="address_is_verified"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(320), default="")
    verified_at: Mapped[datetime | None]
    pace: Mapped[str] = mapped_column(String(8), default=AT_ONCE)
    pending_address: Mapped[str] = mapped_column(String(320), default="")
    """Where the code was sent; becomes `address` when it is typed."""
    code_digest: Mapped[str] = mapped_column(String(64), default="")
    code_ends_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    code_sent_at: Mapped[datetime | None]
    codes_since: Mapped[datetime | None]
    codes_sent: Mapped[int] = mapped_column(default=0)
    """Codes sent since `codes_since`, for the throttle; it outlives the address."""
    trouble: Mapped[str] = mapped_column(String(60), default="")
    """Result code of the last delivery that failed for good; empty after one that arrived."""
    trouble_at: Mapped[datetime | None]


delivery_notice = Link(
    "delivery_notice",
    Table.metadata,
    Column("delivery_id", ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    Column("notice_id", ForeignKey("notice.id"), primary_key=True, index=True),
)
"""Which notices one delivery tells of: one, or those of a digest."""


class Delivery(Kept, Table):
    """One message to one place outside: what it tells of, when it is due, and how far it came."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("state IN ('due', 'sent', 'failed', 'cancelled')", name="state_is_known"),
        CheckConstraint("state = 'due' OR sealed IS NULL", name="sealed_until_it_left"),
        Index("ix_delivery_due", "due_at", postgresql_where=text("state = 'due'")),
        Index("ix_delivery_channel_id_created_at", "channel_id", "created_at"),
    )

    kind: Mapped[str] = mapped_column(String(10))
    """mail, whatsapp or telegram."""
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channel.id"))
    channel: Mapped[Channel | None] = relationship(lazy="joined")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Address and words, encrypted, of what is no notice (a code, an invitation); wiped when it has left."""
    state: Mapped[str] = mapped_column(String(10), default=DUE)
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None]
    """Somebody is sending it until then."""
    ended_at: Mapped[datetime | None]
    notices: Mapped[list[Notice]] = relationship(
        secondary=delivery_notice, order_by=lambda: [Notice.since, Notice.id], lazy="raise"
    )


class DeliveryAttempt(Table):
    """One attempt to send a delivery. Never what it said, and the address only masked."""

    __tablename__ = "delivery_attempt"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(String(60))
    code: Mapped[str] = mapped_column(String(60))
