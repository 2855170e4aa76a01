"""Shapes of servers, and of looks at them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.deploy.schemas.application import FromRow
from shared.addresses import PlainAddress

ADDRESS = r"^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]{2,45})\z"
FINGERPRINT = r"^SHA256:[A-Za-z0-9+/]{43}\z"
Port = Annotated[int, Field(ge=1, le=65535)]


class ProbeOrder(BaseModel):
    """Where to look for a server."""

    model_config = ConfigDict(extra="forbid")

    address: PlainAddress = Field(
        max_length=253, pattern=ADDRESS, title="Alamat", description="Nama atau alamat IP server."
    )
    port: Port = Field(22, title="Port SSH")


class NewServer(ProbeOrder):
    """A server for the register; its fingerprint was compared with its owner."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}\z", title="Nama", description="Misalnya web-1.")
    kind: Literal["managed", "practice"] = Field(
        "managed",
        title="Jenis",
        json_schema_extra={"labels": {"managed": "Server kampus", "practice": "Server latihan"}},
    )
    username: str = Field(
        "alur", pattern=r"^[a-z_][a-z0-9_-]{0,31}\z", title="Akun", description="Akun SSH untuk Alur di server."
    )
    fingerprint: str = Field(
        pattern=FINGERPRINT,
        title="Sidik jari kunci server",
        description="SHA256:… Salin dari pemilik server, bukan dari layar ini; Alur mencocokkannya.",
    )
    base_domain: str = Field(
        max_length=200,
        pattern=r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+\z",
        title="Domain induk",
        description="Misalnya kampus.example.",
    )
    connect_address: PlainAddress = Field(
        max_length=253,
        pattern=ADDRESS,
        title="Alamat web server",
        description="Alamat tempat alamat tertutup dan alamat umum dijawab, dilihat dari pusat.",
    )
    connect_port: Port = Field(80, title="Port web server")


class Fingerprint(BaseModel):
    """A fingerprint that was compared."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: str = Field(
        pattern=FINGERPRINT,
        title="Sidik jari baru",
        description="SHA256:… Periksa server dahulu, lalu cocokkan dengan pemiliknya.",
    )


class ProbeView(BaseModel):
    """One look at a server."""

    model_config = FromRow
    id: UUID
    address: str
    port: int
    state: str
    host_key: str
    fingerprint: str
    reason: str
    created_at: datetime


class ServerView(BaseModel):
    """A server of the register."""

    model_config = FromRow
    id: UUID
    name: str
    kind: str
    address: str
    port: int
    username: str
    host_key: str
    fingerprint: str
    base_domain: str
    connect_address: str
    connect_port: int
    status: str
    is_active: bool
    reason: str
    registered_by_name: str
    created_at: datetime
