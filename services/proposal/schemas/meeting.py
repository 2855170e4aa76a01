"""Shapes of meetings and their items."""

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.proposal import queries
from services.proposal.model import MEETING_LABELS, OUTCOME_LABELS, Meeting, MeetingItem, MeetingKind, Outcome
from shared.identity import Person
from shared.pages import AREA, labelled

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewMeeting(BaseModel):
    """A meeting to be called."""

    model_config = ConfigDict(extra="forbid")

    kind: MeetingKind = Field(
        title="Jenis rapat", json_schema_extra=labelled({k.value: v for k, v in MEETING_LABELS.items()})
    )
    on: date = Field(title="Tanggal")
    starts: time | None = Field(None, title="Mulai", description="Misalnya 09:00.")
    ends: time | None = Field(None, title="Selesai", description="Misalnya 11:15.")
    place: Name = Field(title="Tempat")
    chair: Name = Field(title="Pimpinan rapat")
    note_taker: str = Field("", max_length=200, title="Notulis", description="Kosongkan bila Anda sendiri.")
    attendees: list[Name] = Field(
        min_length=1, max_length=300, title="Daftar hadir", description="Satu nama atau jabatan per baris."
    )


class NewItem(BaseModel):
    """An item of a meeting."""

    model_config = ConfigDict(extra="forbid")

    case_number: str = Field("", max_length=40, title="Nomor perkara", description="Misalnya APL-2026-0001.")
    evaluation_id: UUID | None = Field(
        None, title="Evaluasi", description="Diisi bila butir ini memaparkan laporan evaluasi."
    )
    subject: str = Field("", max_length=300, title="Pokok", description="Kosongkan untuk nama aplikasinya.")
    discussion: str = Field(min_length=5, max_length=10_000, title="Pembahasan", json_schema_extra=AREA)
    decision: Outcome = Field(
        title="Keputusan",
        description="Revisi, tunda, dan tidak dilanjutkan berlaku bila notulen ditutup oleh Kepala.",
        json_schema_extra=labelled({k.value: v for k, v in OUTCOME_LABELS.items()}),
    )
    follow_up: str = Field("", max_length=2000, title="Tindak lanjut")
    pic: str = Field("", max_length=200, title="Penanggung jawab")
    due_on: date | None = Field(None, title="Paling lambat")


class ItemView(BaseModel):
    """An item of a meeting."""

    id: UUID
    ordinal: int
    case_id: UUID | None
    case_number: str
    evaluation_id: UUID | None
    subject: str
    discussion: str
    decision: str
    follow_up: str
    pic: str
    due_on: date | None
    performed_at: datetime | None

    @classmethod
    def of(cls, item: MeetingItem) -> "ItemView":
        """Return an item with the number of its case."""
        return cls(
            id=item.id,
            ordinal=item.ordinal,
            case_id=item.case_id,
            case_number=item.case.number if item.case else "",
            evaluation_id=item.evaluation_id,
            subject=item.subject,
            discussion=item.discussion,
            decision=item.decision,
            follow_up=item.follow_up,
            pic=item.pic,
            due_on=item.due_on,
            performed_at=item.performed_at,
        )


class MeetingRow(BaseModel):
    """A meeting in a list."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: str
    label: str
    number: str
    on: date
    place: str
    chair: str
    is_closed: bool
    minutes_digest: str
    created_at: datetime


class MeetingView(MeetingRow):
    """A meeting whole."""

    starts: time | None
    ends: time | None
    note_taker: str
    attendees: list[str]
    closed_at: datetime | None
    closed_by_name: str
    items: list[ItemView]
    moves: list[str]

    @classmethod
    def of(cls, meeting: Meeting, by: Person) -> "MeetingView":
        """Return a meeting with what this person may do with it."""
        return cls(
            **MeetingRow.model_validate(meeting).model_dump(),
            starts=meeting.starts,
            ends=meeting.ends,
            note_taker=meeting.note_taker,
            attendees=meeting.attendees,
            closed_at=meeting.closed_at,
            closed_by_name=meeting.closed_by_name,
            items=[ItemView.of(item) for item in meeting.items],
            moves=[act.name for act in queries.offered_in_meeting(by, meeting)],
        )
