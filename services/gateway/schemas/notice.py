"""Notices, and how people want to be reached outside."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.gateway.actions.delivery import masked
from services.gateway.model import Channel, DeliveryAttempt, NoticeSetting
from services.gateway.model.notice import AT_ONCE, DAILY, MAIL, OFF, TELEGRAM, WHATSAPP

Way = Literal["mail", "whatsapp", "telegram"]
Pace = Literal["at_once", "daily", "off"]
WAYS = {MAIL: "Surel", WHATSAPP: "WhatsApp", TELEGRAM: "Telegram"}
PACES = {AT_ONCE: "Segera", DAILY: "Ringkasan harian", OFF: "Tidak dikirim"}
PACE_LABELS: JsonDict = {**PACES}


class NoticeView(BaseModel):
    """One notice as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: Literal["waiting", "reminder", "escalation", "news", "urgent"]
    title: str
    about: str
    case_number: str
    path: str
    since: datetime
    created_at: datetime
    read_at: datetime | None
    done_at: datetime | None


class NoticeCount(BaseModel):
    """How many notices are unread; 100 stands for "100 or more"."""

    unread: int


class Address(BaseModel):
    """Where somebody wants to be reached."""

    model_config = ConfigDict(extra="forbid")
    address: str = Field(min_length=3, max_length=320, title="Alamat")


class Code(BaseModel):
    """The code that was sent there."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(
        pattern=r"^\s*[0-9]{6}\s*$",
        title="Kode",
        description="Enam angka dari pesan yang kami kirim; berlaku 15 menit.",
    )


class ChosenPace(BaseModel):
    """When a channel is used."""

    model_config = ConfigDict(extra="forbid")
    pace: Pace = Field(title="Waktu pengiriman", json_schema_extra={"labels": PACE_LABELS})


class Hours(BaseModel):
    """When the digest comes and when it is quiet; whole hours in WIB."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
    digest_hour: int = Field(ge=0, le=23, title="Ringkasan harian pada jam", description="Jam WIB, 0 sampai 23.")
    quiet_from: int = Field(ge=0, le=23, title="Tenang mulai jam", description="Jam WIB, 0 sampai 23.")
    quiet_until: int = Field(
        ge=0,
        le=23,
        title="Tenang sampai jam",
        description="Yang masuk pada jam tenang dikirim sekaligus pada jam ini. Samakan dengan jam mulai bila tidak "
        "perlu jam tenang.",
    )
    quiet_days: bool = Field(title="Tenang juga pada Sabtu, Minggu, dan hari libur")


class ChannelView(BaseModel):
    """One channel as its owner sees it."""

    kind: Way
    label: str
    is_available: bool
    """Whether the centre has opened this way out."""
    address: str
    """Masked."""
    is_verified: bool
    is_code_waiting: bool
    pending_address: str
    """Where the waiting code was sent; masked."""
    pace: Pace
    trouble: str
    """Result code of the last delivery that failed for good."""
    trouble_at: datetime | None

    @classmethod
    def of(cls, kind: Way, channel: Channel | None, *, is_available: bool, now: datetime) -> "ChannelView":
        """Return the view of a channel, also of one that is not there yet."""
        ends_at = channel.code_ends_at if channel else None
        is_waiting = bool(ends_at and ends_at > now)
        return cls(
            kind=kind,
            label=WAYS[kind],
            is_available=is_available,
            address=masked(kind, channel.address) if channel and channel.address else "",
            is_verified=bool(channel and channel.verified_at),
            is_code_waiting=is_waiting,
            pending_address=masked(kind, channel.pending_address) if channel and is_waiting else "",
            pace=channel.pace if channel else AT_ONCE,
            trouble=channel.trouble if channel else "",
            trouble_at=channel.trouble_at if channel else None,
        )


class AttemptView(BaseModel):
    """One attempt to reach somebody outside."""

    at: datetime
    label: str
    place: str
    code: str
    number: int
    state: Literal["due", "sent", "failed", "cancelled"]
    """What has become of the delivery."""

    @classmethod
    def of(cls, attempt: DeliveryAttempt, state: str) -> "AttemptView":
        """Return the view of an attempt and what has become of its delivery."""
        given = {"at": attempt.at, "place": attempt.place, "code": attempt.code, "number": attempt.number}
        return cls.model_validate({**given, "label": WAYS[attempt.kind], "state": state})


class NoticeSettingsView(BaseModel):
    """How a person is told outside."""

    hours: Hours
    channels: list[ChannelView]
    attempts: list[AttemptView]

    @classmethod
    def hours_of(cls, settings: NoticeSetting) -> Hours:
        """Return the hours that were chosen."""
        return Hours.model_validate(settings)
