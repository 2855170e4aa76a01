"""Acting appointments."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.gateway.model import Appointment
from shared.identity import Role
from shared.procedure import procedure

Post = Literal["head", "app_head", "service_head", "infra_head", "security_head", "ppk", "treasurer"]

KINDS: JsonDict = {"plh": "Plh. (pejabatnya berhalangan)", "plt": "Plt. (jabatan kosong)"}

TITLES: JsonDict = {str(role): title for role, title in procedure().titles.items()}


class NewAppointment(BaseModel):
    """An acting appointment that is wanted."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=40, title="Pelaksana", description="Nama pengguna yang ditugaskan.")
    role: Post = Field(title="Jabatan", json_schema_extra={"labels": TITLES})
    kind: Literal["plh", "plt"] = Field(title="Jenis", json_schema_extra={"labels": KINDS})
    for_username: str | None = Field(
        None, max_length=40, title="Menggantikan", description="Nama pengguna pejabatnya; wajib untuk Plh."
    )
    from_on: date = Field(title="Mulai")
    until_on: date = Field(title="Sampai dengan")
    letter_number: str = Field(
        min_length=3,
        max_length=100,
        pattern=r"\S",
        title="Nomor surat",
        description="Nomor surat tugas atau surat perintah.",
    )


class AppointmentView(BaseModel):
    """An acting appointment as it stands today."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    person: str
    username: str
    role: Role
    post: str
    """As printed, e.g. "Plh. Kepala PUSTIPD"."""
    instead_of: str | None
    from_on: date
    until_on: date
    letter_number: str
    appointed_by: str
    ended_at: datetime | None
    ended_by: str | None
    state: Literal["coming", "in_force", "over", "ended"]

    @classmethod
    def of(cls, one: Appointment, today: date) -> "AppointmentView":
        """Return the view of an appointment on a day in WIB."""
        state: Literal["coming", "in_force", "over"] = (
            "coming" if today < one.from_on else "over" if today > one.until_on else "in_force"
        )
        return cls(
            id=one.id,
            person=one.person.display_name,
            username=one.person.username,
            role=Role(one.role),
            post=one.printed,
            instead_of=one.for_person.display_name if one.for_person else None,
            from_on=one.from_on,
            until_on=one.until_on,
            letter_number=one.letter_number,
            appointed_by=one.appointed_by_name,
            ended_at=one.ended_at,
            ended_by=one.ended_by_name,
            state="ended" if one.ended_at else state,
        )
