"""Invitations, reset links, the directory of people, and new passwords."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from services.gateway.model import Invitation, Person
from shared.identity import Role
from shared.procedure import procedure

ADDRESS = r"^[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,185}\.[^\s@,;<>\".]{2,63}$"
TITLES: JsonDict = {str(role): title for role, title in procedure().titles.items()}


class NewInvitation(BaseModel):
    """Somebody who is invited."""

    model_config = ConfigDict(extra="forbid")
    display_name: str = Field(min_length=1, max_length=200, pattern=r"\S", title="Nama lengkap")
    username: str = Field(
        min_length=2,
        max_length=40,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]+$",
        title="Nama pengguna",
        description="2-40 huruf, angka, titik, garis bawah, atau tanda hubung; disimpan dengan huruf kecil.",
    )
    address: str = Field(
        max_length=254, pattern=ADDRESS, title="Alamat surel", description="Undangan terikat pada alamat ini."
    )
    role: Role = Field(title="Peran", json_schema_extra={"labels": TITLES})
    more_roles: list[Role] = Field(
        default=[],
        max_length=len(Role),
        title="Peran tambahan",
        description="Satu kunci peran setiap baris, misalnya app_staff.",
    )
    title: str = Field(
        "",
        max_length=200,
        title="Jabatan",
        description="Seperti tercetak di bawah tanda tangan; kosong: menurut peran.",
    )
    unit: str | None = Field(None, max_length=20, title="Kode unit", description="Untuk warga kampus.")
    vendor: str | None = Field(None, max_length=20, title="Kode penyedia", description="Hanya untuk akun penyedia.")

    @field_validator("address")
    @classmethod
    def _in_lower_case(cls, address: str) -> str:
        return address.casefold()


class NewReset(BaseModel):
    """Where a reset link is to go."""

    model_config = ConfigDict(extra="forbid")
    address: str = Field(
        max_length=254,
        pattern=ADDRESS,
        title="Alamat surel",
        description="Pastikan alamat ini milik orang itu; jangan percaya pada permintaan lewat surel saja.",
    )

    @field_validator("address")
    @classmethod
    def _in_lower_case(cls, address: str) -> str:
        return address.casefold()


class InvitationView(BaseModel):
    """An invitation or reset link without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    purpose: Literal["invite", "reset"]
    username: str
    display_name: str
    title: str
    roles: list[Role]
    unit: str | None
    vendor: str | None
    address: str
    made_by_name: str
    created_at: datetime
    ends_at: datetime
    state: Literal["open", "used", "withdrawn", "over"]

    @classmethod
    def of(cls, one: Invitation, now: datetime) -> "InvitationView":
        """Return the view of an invitation at a moment."""
        state = "withdrawn" if one.withdrawn_at else "used" if one.used_at else "over" if one.ends_at <= now else "open"
        values = {name: getattr(one, name) for name in cls.model_fields if name != "state"}
        return cls(**values, state=state)


class MadeInvitation(InvitationView):
    """An invitation just made: its link is shown this once."""

    link: str


class Acceptance(BaseModel):
    """An invitation that is accepted, or a reset that is carried out."""

    model_config = ConfigDict(extra="forbid")
    token: str = Field(min_length=20, max_length=200, repr=False)
    password: str = Field(max_length=500, title="Kata sandi baru", repr=False)


class NewPassword(BaseModel):
    """One's own password, changed."""

    model_config = ConfigDict(extra="forbid")
    old_password: str = Field(max_length=500, title="Kata sandi sekarang", repr=False)
    password: str = Field(max_length=500, title="Kata sandi baru", repr=False)


class PersonRow(BaseModel):
    """A person of the directory."""

    id: UUID
    username: str
    name: str
    title: str
    roles: list[Role]
    unit: str | None
    vendor: str | None
    is_active: bool

    @classmethod
    def of(cls, one: Person) -> "PersonRow":
        """Return the row of a person with the posts that they hold today."""
        today = one.as_signed()
        return cls(
            id=one.id,
            username=one.username,
            name=one.display_name,
            title=today.title,
            roles=sorted(today.roles),
            unit=one.unit,
            vendor=one.vendor,
            is_active=one.is_active,
        )
