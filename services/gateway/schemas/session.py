"""Signing in, and personal tokens."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.identity import Person, Role


class Credentials(BaseModel):
    """What somebody signs in with."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=200, title="Nama pengguna")
    password: str = Field(min_length=1, max_length=500, title="Kata sandi", repr=False)


class NewSession(Credentials):
    """A sign-in in one step: the code at once for somebody with a second factor."""

    code: str = Field("", max_length=40, title="Kode", repr=False)
    """From the authenticator, or a recovery code."""


class Proof(BaseModel):
    """A fresh proof of who somebody is: the password, or the code of who has a second factor."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field("", max_length=500, title="Kata sandi", repr=False)
    code: str = Field("", max_length=40, title="Kode", repr=False)


class ProofView(BaseModel):
    """Until when the proof carries acts that need a fresh one."""

    proved_until: datetime


class Code(BaseModel):
    """A one-time code."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=40, title="Kode", repr=False)


class NewFactorView(BaseModel):
    """A secret for the authenticator: shown until its first code was right, never after."""

    secret: str
    address: str
    """otpauth://…, what the QR code holds."""


class RecoveryCodesView(BaseModel):
    """The recovery codes, each good for once; told this once."""

    recovery_codes: list[str]


class FactorHolderView(BaseModel):
    """Somebody who signs in by two steps."""

    id: UUID
    username: str
    name: str
    since: datetime


class PersonView(BaseModel):
    """A person as they see themselves."""

    id: UUID
    username: str
    name: str
    title: str
    roles: list[Role]
    unit: str | None
    vendor: str | None

    @classmethod
    def of(cls, person: Person) -> "PersonView":
        """Return the view of a person; roles in the order of the alphabet."""
        return cls(**person.model_dump(include=set(cls.model_fields) - {"roles"}), roles=sorted(person.roles))


class SessionView(BaseModel):
    """Who is signed in, and the form token that every change through a cookie session carries."""

    person: PersonView
    form_token: str = ""
    """Empty for a personal token: that needs none."""
    ends_at: datetime | None = None
    """When the session ends at the latest; it also ends after 30 idle minutes."""


class SessionRow(BaseModel):
    """One of a person's open sessions."""

    id: str
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_this: bool


class NewToken(BaseModel):
    """A personal token that is wanted."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, title="Nama token", description="Misalnya: skrip laporan bulanan.")
    days: int = Field(30, ge=1, le=90, title="Berlaku (hari)", description="Paling lama 90 hari.")
    scopes: set[Literal["read", "write", "decide"]] = Field({"read", "write"}, min_length=1, title="Lingkup")
    """`decide` lets a program do acts that need a fresh proof; making such a token needs one itself."""


class TokenRow(BaseModel):
    """A personal token without its secret."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    ends_at: datetime
    used_at: datetime | None


class TokenView(TokenRow):
    """A personal token just made: its text is shown this once."""

    token: str
