"""Shapes that enter and leave the infrastructure division's JSON door; pages draw their forms from the same."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.deploy.model import Hosting, Installation, Release
from shared.addresses import PlainAddress
from shared.jobs import Job

AREA: dict[str, Any] = {"kind": "area"}
CASE = "Nomor perkara seperti pada halaman perkara."
ADDRESS = r"^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]{2,45})\z"
FINGERPRINT = r"^SHA256:[A-Za-z0-9+/]{43}\z"
Port = Annotated[int, Field(ge=1, le=65535)]
WhatsApp = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{9,15}\z")]
FromRow = ConfigDict(from_attributes=True)


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


class NewBuild(BaseModel):
    """A package as a page uploads it."""

    case_number: str = Field(max_length=40, title="Nomor perkara", description=CASE)
    file: UploadFile = Field(
        title="Paket",
        description="Arsip .zip, .tar, atau .tar.gz; paling besar 2 GiB; tanpa tautan dan alamat mutlak.",
        json_schema_extra={"kind": "file"},
    )


class NewInstallation(BaseModel):
    """Which build goes where."""

    model_config = ConfigDict(extra="forbid")

    hosting_id: UUID
    build_id: UUID


class Approval(BaseModel):
    """Which plan is approved."""

    model_config = ConfigDict(extra="forbid")

    plan_digest: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}\z",
        title="Sidik rencana",
        description="Rencana yang Anda baca; bila sudah disusun ulang, persetujuan ditolak.",
    )


# --- answers ---------------------------------------------------------------------------------------------


class ApplicationView(BaseModel):
    """What is known of an application."""

    model_config = FromRow
    case_id: UUID
    case_number: str
    code: str
    name: str
    unit: str
    vendor: str
    vendor_name: str
    status: str


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
            _own_values(cls, hosting)
            | {
                "server_name": place.name if place else None,
                "public_host": hosting.public_host if place else None,
                "closed_host": hosting.closed_host if place else None,
            }
        )


class BuildView(BaseModel):
    """A build."""

    model_config = FromRow
    id: UUID
    application: ApplicationView
    digest: str
    files: int
    total_size: int
    file_name: str
    received_by_name: str
    defect_reason: str
    defect_at: datetime | None
    created_at: datetime


class OperationView(BaseModel):
    """What is done on the host, and how far it is."""

    model_config = FromRow
    id: UUID
    kind: str
    status: str
    reason: str
    fence: int
    created_at: datetime
    ended_at: datetime | None


class InstallationRow(BaseModel):
    """An installation in a list."""

    model_config = FromRow
    id: UUID
    hosting_id: UUID
    build_id: UUID
    case_number: str
    digest: str
    status: str
    plan_digest: str
    made_by_name: str
    approved_by_name: str
    approved_at: datetime | None
    reason: str
    created_at: datetime
    ended_at: datetime | None


class InstallationView(InstallationRow):
    """An installation with its plan and its job."""

    plan: dict[str, Any] | None
    job_id: UUID | None
    """The job that works on it or worked last."""
    job_state: str
    release_id: UUID | None

    @classmethod
    def of(cls, installation: Installation, *, job: Job | None, release: Release | None) -> "InstallationView":
        """Return an installation with the job that works on it and the release that it became."""
        return cls.model_validate(
            _own_values(cls, installation)
            | {
                "case_number": installation.case_number,
                "digest": installation.digest,
                "job_id": job.id if job else None,
                "job_state": job.state if job else "",
                "release_id": release.id if release else None,
            }
        )


class ReleaseRow(BaseModel):
    """A release in a list."""

    id: UUID
    application: ApplicationView
    number: int
    digest: str
    build_id: UUID
    hosting_id: UUID
    status: str
    is_closed: bool
    public_host: str
    closed_host: str
    address: str
    installed_by_name: str
    authorised_by_name: str
    authorised_at: datetime | None
    postponed_reason: str
    live_at: datetime | None
    permit_id: UUID | None
    permit_valid_until: datetime | None
    permit_revoked_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, release: Release, **more: Any) -> Self:
        """Return what is shown of a release."""
        hosting, permit = release.hosting, release.permit
        return cls.model_validate(
            _own_values(cls, release)
            | {
                "public_host": hosting.public_host,
                "closed_host": hosting.closed_host,
                "address": hosting.public_address,
                "permit_id": permit.id if permit else None,
                "permit_valid_until": permit.valid_until if permit else None,
                "permit_revoked_at": permit.revoked_at if permit else None,
            }
            | more
        )


class ReleaseView(ReleaseRow):
    """A release with what is done on its host."""

    operation: OperationView | None


def _own_values(shape: type[BaseModel], row: object) -> dict[str, Any]:
    """Return the values of a row that a shape names; what the row only works out is left to the caller."""
    # Attributes that are worked out may not be there yet: a hosting without a server has no names.
    kept = [n for n in shape.model_fields if not isinstance(getattr(type(row), n, None), property | None)]
    found = {name: getattr(row, name) for name in kept}
    if "application" in found:
        found["application"] = ApplicationView.model_validate(found["application"])
    return found


class LogLine(BaseModel):
    """One line of a job's log."""

    model_config = FromRow
    at: datetime
    text: str
    step: str
    state: str
