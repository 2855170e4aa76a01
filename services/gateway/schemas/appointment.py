"""Appointments: who holds which post, since when, until when, by which letter."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.gateway.model import Appointment
from shared.identity import Role
from shared.procedure import procedure

Kind = Literal["definitive", "plh", "plt"]
State = Literal["coming", "in_force", "over", "ended"]

KINDS: JsonDict = {
    "definitive": "Definitif",
    "plh": "Plh. (pejabatnya berhalangan)",
    "plt": "Plt. (jabatan kosong)",
}

TITLES: JsonDict = {str(role): title for role, title in procedure().titles.items()}


class NewAppointment(BaseModel):
    """An appointment that is wanted."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=40, title="Pejabat", description="Nama pengguna yang diangkat.")
    role: Role = Field(title="Jabatan", json_schema_extra={"labels": TITLES})
    kind: Kind = Field(title="Jenis", json_schema_extra={"labels": KINDS})
    title: str = Field(
        "",
        max_length=200,
        title="Sebutan jabatan",
        description="Seperti tercetak di bawah tanda tangan, tanpa Plt. atau Plh.; kosong: menurut SOP.",
    )
    for_username: str | None = Field(
        None, max_length=40, title="Menggantikan", description="Nama pengguna pejabatnya; wajib untuk Plh."
    )
    from_on: date = Field(title="Mulai")
    until_on: date | None = Field(
        None,
        title="Sampai dengan",
        description="Hari terakhir. Boleh kosong hanya untuk jabatan definitif yang dapat dipegang beberapa orang.",
    )
    letter_number: str = Field(
        min_length=3,
        max_length=100,
        pattern=r"\S",
        title="Nomor surat",
        description="Nomor surat keputusan, surat tugas atau surat perintah.",
    )


class Ending(BaseModel):
    """An appointment that shall end earlier."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(
        min_length=5,
        max_length=4000,
        title="Alasan",
        description="Ditulis lengkap; dibaca oleh yang bersangkutan dan oleh pengawas.",
        json_schema_extra={"kind": "area"},
    )
    letter_number: str = Field(
        "", max_length=100, title="Nomor surat", description="Surat pemberhentian; wajib untuk jabatan definitif."
    )
    last_on: date | None = Field(
        None, title="Hari terakhir", description="Kosong: berakhir saat ini juga; hari ini tidak terhitung lagi."
    )


class AppointmentView(BaseModel):
    """An appointment as it stands today."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    person: str
    username: str
    role: Role
    kind: Kind
    post: str
    """As printed, e.g. "Plh. Kepala PUSTIPD"."""
    instead_of: str | None
    from_on: date
    until_on: date | None
    """The last day; empty: no end is known."""
    letter_number: str
    """Empty: taken over without a letter."""
    appointed_by: str
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    end_letter_number: str | None
    state: State

    @classmethod
    def of(cls, one: Appointment, today: date) -> "AppointmentView":
        """Return the view of an appointment on a day in WIB."""
        state: State = "in_force" if one.is_in_force(today) else "coming" if today < one.from_on else "over"
        return cls(
            id=one.id,
            person=one.person.display_name,
            username=one.person.username,
            role=Role(one.role),
            kind=one.kind,
            post=one.printed,
            instead_of=one.for_person.display_name if one.for_person else None,
            from_on=one.from_on,
            until_on=one.until_on,
            letter_number=one.letter_number,
            appointed_by=one.appointed_by_name,
            ended_at=one.ended_at,
            ended_by=one.ended_by_name,
            end_reason=one.end_reason,
            end_letter_number=one.end_letter_number,
            state="ended" if one.ended_at else state,
        )
