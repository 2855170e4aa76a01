"""Shapes of hostings."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.deploy.model import Hosting
from services.deploy.schemas.application import CASE, ApplicationView, own_values
from shared.pages import AREA

WhatsApp = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{9,15}\z")]


class NewHosting(BaseModel):
    """A request for domain and space (`domain.md` §6)."""

    model_config = ConfigDict(extra="forbid")

    case_number: str = Field(max_length=40, title="Nomor perkara", description=CASE)
    subdomain: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]\z",
        title="Subdomain",
        description="2-40 huruf kecil, angka, atau tanda hubung; tidak diawali atau diakhiri tanda hubung.",
    )
    purpose: str = Field(min_length=5, max_length=2000, title="Peruntukan", json_schema_extra=AREA)
    kind: Literal["custom", "cms"] = Field(
        "custom",
        title="Jenis aplikasi",
        json_schema_extra={"labels": {"custom": "Dibuat khusus", "cms": "CMS"}},
    )
    runtime: Literal["static"] = Field(
        "static", title="Lingkungan jalan", json_schema_extra={"labels": {"static": "Statis (HTML)"}}
    )
    disk_mb: int = Field(ge=1, le=1_048_576, title="Ruang (MB)")
    permanence: Literal["permanent", "temporary"] = Field(
        "permanent",
        title="Masa pakai",
        json_schema_extra={"labels": {"permanent": "Tetap", "temporary": "Sementara"}},
    )
    until_on: date | None = Field(
        None, title="Dipakai sampai", description="Wajib untuk hosting sementara; kosongkan untuk yang tetap."
    )
    administrative_contact: str = Field(min_length=3, max_length=200, title="Narahubung administratif")
    administrative_whatsapp: WhatsApp = Field(
        title="WhatsApp narahubung administratif", description="Misalnya 628123456789."
    )
    technical_contact: str = Field(min_length=3, max_length=200, title="Narahubung teknis")
    technical_whatsapp: WhatsApp = Field(title="WhatsApp narahubung teknis", description="Misalnya 628123456789.")

    @model_validator(mode="after")
    def _end_fits(self) -> "NewHosting":
        if (self.permanence == "temporary") != (self.until_on is not None):
            raise ValueError("Hosting sementara memerlukan tanggal akhir; hosting tetap tidak memakainya.")
        return self


class Acceptance(BaseModel):
    """On which server a hosting is placed."""

    model_config = ConfigDict(extra="forbid")

    server: str = Field(max_length=80, title="Server", description="Nama server dari daftar server.")


class HostingView(BaseModel):
    """A hosting or request."""

    id: UUID
    application: ApplicationView
    subdomain: str
    purpose: str
    kind: str
    runtime: str
    disk_mb: int
    until_on: date | None
    administrative_contact: str
    technical_contact: str
    status: str
    server_name: str | None
    public_host: str | None
    closed_host: str | None
    reason: str
    requested_by_name: str
    decided_by_name: str
    created_at: datetime

    @classmethod
    def of(cls, hosting: Hosting) -> "HostingView":
        """Return what is shown of a hosting; its names are there once it has a server."""
        place = hosting.server
        return cls.model_validate(
            own_values(cls, hosting)
            | {
                "server_name": place.name if place else None,
                "public_host": hosting.public_host if place else None,
                "closed_host": hosting.closed_host if place else None,
            }
        )
