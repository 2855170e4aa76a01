"""Shapes of meetings, their series, items, attendance and action items."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from services.proposal import queries
from services.proposal.model import (
    MEETING_LABELS,
    OUTCOME_LABELS,
    PRESENCE_LABELS,
    ActionItem,
    Meeting,
    MeetingItem,
    MeetingKind,
    MeetingSeries,
    Outcome,
    Presence,
)
from shared.identity import Person, Role
from shared.pages import AREA, labelled
from shared.procedure import procedure
from shared.sentence import Sentence

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Subject = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2000)]
Quorum = Annotated[int, Field(ge=1, le=300)]
KINDS = labelled({kind.value: label for kind, label in MEETING_LABELS.items()})
OUTCOMES = labelled({outcome.value: label for outcome, label in OUTCOME_LABELS.items()})
WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip
TITLES = {title.lower(): role for role, title in procedure().titles.items()}
QUORUM = "Banyaknya orang yang harus hadir; kosongkan bila tidak dipersyaratkan."


class NewMeeting(BaseModel):
    """A meeting to be called."""

    model_config = ConfigDict(extra="forbid")

    kind: MeetingKind = Field(title="Jenis rapat", json_schema_extra=KINDS)
    on: date = Field(title="Tanggal")
    starts: time | None = Field(None, title="Mulai", description="Misalnya 09:00.")
    ends: time | None = Field(None, title="Selesai", description="Misalnya 11:15.")
    place: Name = Field(title="Tempat")
    chair: Name = Field(title="Pimpinan rapat")
    note_taker: str = Field("", max_length=200, title="Notulis", description="Kosongkan bila Anda sendiri.")
    attendees: list[Name] = Field(
        min_length=1,
        max_length=300,
        title="Peserta",
        description="Satu nama, nama pengguna, atau jabatan per baris. Untuk rapat yang akan datang: yang diundang; "
        "untuk rapat hari ini: yang hadir.",
    )
    quorum: Quorum | None = Field(None, title="Kuorum", description=QUORUM)


class NewSeries(BaseModel):
    """A rule by which meetings come by themselves."""

    model_config = ConfigDict(extra="forbid")

    kind: MeetingKind = Field(title="Jenis rapat", json_schema_extra=KINDS)
    name: Name = Field(title="Nama seri", description="Misalnya: Rapat Senin pagi.")
    weekday: Literal[0, 1, 2, 3, 4] | None = Field(
        None, title="Hari (rapat mingguan)", json_schema_extra=labelled({str(n): day for n, day in enumerate(WEEKDAYS)})
    )
    month: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] | None = Field(
        None,
        title="Bulan (rapat tahunan)",
        json_schema_extra=labelled({str(n): month for n, month in enumerate(MONTHS, start=1)}),
    )
    day: int | None = Field(
        None,
        ge=1,
        le=31,
        title="Tanggal (rapat tahunan)",
        description="Bila libur, diadakan pada hari kerja berikutnya.",
    )
    starts: time = Field(title="Mulai", description="Misalnya 09:00.")
    ends: time | None = Field(None, title="Selesai", description="Misalnya 11:00.")
    place: Name = Field(title="Tempat")
    chair_role: Role = Field(
        Role.HEAD,
        title="Pimpinan rapat",
        description="Jabatan; orangnya mengikuti pemegang jabatan pada hari rapat.",
        json_schema_extra=labelled({role.value: title for role, title in procedure().titles.items()}),
    )
    note_taker: Name = Field(title="Notulis")
    invited_roles: list[Role] = Field(
        default_factory=list,
        max_length=20,
        title="Jabatan yang diundang",
        description="Satu jabatan per baris, misalnya: Koordinator Divisi Aplikasi.",
    )
    invited_people: list[Name] = Field(
        default_factory=list,
        max_length=200,
        title="Orang yang diundang",
        description="Satu nama atau nama pengguna per baris.",
    )
    standing_items: list[Subject] = Field(
        default_factory=list,
        max_length=20,
        title="Acara tetap",
        description="Satu butir per baris, misalnya: Pembukaan dan pembacaan tindak lanjut.",
    )
    quorum: Quorum | None = Field(None, title="Kuorum", description=QUORUM)

    @field_validator("weekday", "month", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        """Take a number as a form sends it."""
        return int(given) if isinstance(given, str) and given.isascii() and given.isdecimal() else given

    @field_validator("invited_roles", mode="before")
    @classmethod
    def _titles(cls, given: Any) -> Any:
        """Take a role by its title, as people write it."""
        if not isinstance(given, list):
            return given
        known = {role.value for role in Role}
        wrong = [str(one) for one in given if str(one) not in known and str(one).lower() not in TITLES]
        if wrong:
            raise ValueError(
                Sentence("Jabatan tidak dikenal: {wrong}. Tulis seperti pada tabel wewenang.", wrong=wrong[0])
            )
        return [one if str(one) in known else TITLES[str(one).lower()] for one in given]


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
        description="Setuju, revisi, tunda, dan tidak dilanjutkan berlaku bila notulen ditutup oleh Kepala.",
        json_schema_extra=OUTCOMES,
    )
    follow_up: str = Field("", max_length=2000, title="Tindak lanjut")
    pic: str = Field("", max_length=200, title="Penanggung jawab", description="Nama atau nama pengguna.")
    due_on: date | None = Field(None, title="Paling lambat")


class ItemChange(BaseModel):
    """What note takers change of an item; what is not sent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    discussion: str = Field("", max_length=10_000, title="Pembahasan", json_schema_extra=AREA)
    decision: Outcome | None = Field(
        None, title="Keputusan", description="Kosongkan bila belum dibahas.", json_schema_extra=OUTCOMES
    )
    follow_up: str = Field("", max_length=2000, title="Tindak lanjut")
    pic: str = Field("", max_length=200, title="Penanggung jawab", description="Nama atau nama pengguna.")
    due_on: date | None = Field(None, title="Paling lambat")


class WrittenItem(ItemChange):
    """The form of an item: whole, with the edition that its writer saw."""

    edition: int | None = Field(None, ge=1, json_schema_extra={"kind": "hidden"})


class NewAgendaItem(BaseModel):
    """Something put on the agenda by hand."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject = Field("", title="Pokok", description="Apa yang dibahas; atau isi nomor perkara.")
    case_number: Line = Field("", title="Nomor perkara", description="Misalnya APL-2026-0001.")


class Place(BaseModel):
    """Where an item shall stand on the agenda."""

    model_config = ConfigDict(extra="forbid")

    ordinal: int = Field(ge=1, le=1000, title="Urutan")


class Row(BaseModel):
    """One line of the list of attendance."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(title="Nama")
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=210)] = Field("", title="Jabatan")
    presence: Presence = Field(
        Presence.PRESENT,
        title="Kehadiran",
        json_schema_extra=labelled({one.value: label for one, label in PRESENCE_LABELS.items()}),
    )
    is_late: bool = Field(False, title="Terlambat")
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field("", title="Keterangan")


class AttendanceList(BaseModel):
    """Who was invited and who came."""

    model_config = ConfigDict(extra="forbid")

    rows: list[Row] = Field(max_length=300, title="Peserta", description="Kosongkan nama untuk menghapus baris.")
    quorum: Quorum | None = Field(None, title="Kuorum", description=QUORUM)


class NewTime(BaseModel):
    """When and where a meeting is held instead."""

    model_config = ConfigDict(extra="forbid")

    on: date = Field(title="Tanggal baru")
    starts: time | None = Field(None, title="Mulai", description="Kosongkan bila tetap.")
    ends: time | None = Field(None, title="Selesai", description="Kosongkan bila tetap.")
    place: Line = Field("", title="Tempat", description="Kosongkan bila tetap.")
    reason: Why = Field(title="Alasan", json_schema_extra=AREA)


class WrittenReason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    reason: Why = Field(title="Alasan", json_schema_extra=AREA)


class Done(BaseModel):
    """That something is done, and what came of it."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = Field("", title="Hasil")


class ItemView(BaseModel):
    """An item of a meeting."""

    id: UUID
    ordinal: int
    source: str
    source_path: str
    case_id: UUID | None
    case_number: str
    evaluation_id: UUID | None
    subject: str
    discussion: str
    decision: str | None
    follow_up: str
    pic: str
    due_on: date | None
    edition: int
    moved_count: int
    moved_to_id: UUID | None
    performed_at: datetime | None

    @classmethod
    def of(cls, item: MeetingItem) -> "ItemView":
        """Return an item with the number of its case."""
        return cls(
            id=item.id,
            ordinal=item.ordinal,
            source=item.source,
            source_path=item.source_path,
            case_id=item.case_id,
            case_number=item.case.number if item.case else "",
            evaluation_id=item.evaluation_id,
            subject=item.subject,
            discussion=item.discussion,
            decision=item.decision,
            follow_up=item.follow_up,
            pic=item.pic,
            due_on=item.due_on,
            edition=item.edition,
            moved_count=item.moved_count,
            moved_to_id=item.moved_to_id,
            performed_at=item.performed_at,
        )


class AttendanceView(BaseModel):
    """Somebody who was invited."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    title: str
    person_id: UUID | None
    presence: str
    is_late: bool
    note: str


class VersionView(BaseModel):
    """A version of minutes that was closed."""

    model_config = ConfigDict(from_attributes=True)
    version: int
    digest: str
    closed_at: datetime
    closed_by_name: str
    reason: str
    content: dict[str, Any]


class MeetingRow(BaseModel):
    """A meeting in a list."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: str
    label: str
    number: str
    series_id: UUID | None
    on: date
    place: str
    chair: str
    is_closed: bool
    is_cancelled: bool
    minutes_digest: str
    created_at: datetime


class MeetingView(MeetingRow):
    """A meeting whole."""

    starts: time | None
    ends: time | None
    note_taker: str
    quorum: int | None
    attendees: list[str]
    attendance: list[AttendanceView]
    moved_reason: str
    cancelled_reason: str
    invitation_number: str
    invitation_digest: str
    attendance_digest: str
    closed_at: datetime | None
    closed_by_name: str
    version: int
    reopened_reason: str
    versions: list[VersionView]
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
            quorum=meeting.quorum,
            attendees=meeting.attendees,
            attendance=[AttendanceView.model_validate(one) for one in meeting.attendance],
            moved_reason=meeting.moved_reason,
            cancelled_reason=meeting.cancelled_reason,
            invitation_number=meeting.invitation_number,
            invitation_digest=meeting.invitation_digest,
            attendance_digest=meeting.attendance_digest,
            closed_at=meeting.closed_at,
            closed_by_name=meeting.closed_by_name,
            version=meeting.version,
            reopened_reason=meeting.reopened_reason,
            versions=[VersionView.model_validate(one) for one in meeting.versions],
            items=[ItemView.of(item) for item in meeting.items],
            moves=[act.name for act in queries.offered_in_meeting(by, meeting)],
        )


class SeriesView(BaseModel):
    """A series of meetings."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: str
    label: str
    name: str
    weekday: int | None
    month: int | None
    day: int | None
    starts: time
    ends: time | None
    place: str
    chair_role: str
    note_taker: str
    invited_roles: list[str]
    invited_people: list[str]
    standing_items: list[str]
    quorum: int | None
    ended_at: datetime | None
    ended_reason: str


class TaskView(BaseModel):
    """Something that a meeting gave to somebody."""

    id: UUID
    meeting_id: UUID
    meeting_number: str
    subject: str
    words: str
    person_id: UUID | None
    person_name: str
    due_on: date | None
    state: str
    note: str
    settled_at: datetime | None
    settled_by_name: str
    created_at: datetime

    @classmethod
    def of(cls, task: ActionItem) -> "TaskView":
        """Return an action item with the number of its meeting."""
        own = {name: getattr(task, name) for name in cls.model_fields if name != "meeting_number"}
        return cls(**own, meeting_number=task.meeting.number)


class CalendarAddress(BaseModel):
    """The secret address of one's calendar; it is shown once."""

    address: str


def rule(series: MeetingSeries) -> str:
    """Return the rule of a series in words: "setiap Senin", "setiap 10 Januari"."""
    if series.weekday is not None:
        return f"setiap {WEEKDAYS[series.weekday]}"
    return f"setiap {series.day} {MONTHS[(series.month or 1) - 1]}"


def calendar_address(public_url: str, key: str) -> str:
    """Return the address that somebody gives to their calendar."""
    return f"{public_url.rstrip('/')}/rapat/kalender.ics?kunci={key}"
