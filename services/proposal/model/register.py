"""The application register: what is or was in use, how the centre describes it, who changed that, and its columns."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.proposal.model.case import Case
from services.proposal.model.table import Table
from shared.database import Kept

STATE_LABELS = {
    "planned": "Direncanakan",
    "development": "Dibangun",
    "testing": "Diuji",
    "live": "Digunakan",
    "suspended": "Dihentikan sementara",
    "retired": "Dinonaktifkan",
    "cancelled": "Dibatalkan",
}
"""The life-cycle of an application, from its place in the work programme."""
LIFE_CYCLE = {
    **dict.fromkeys(("in_work_programme", "discussed", "sent_to_planning", "budgeted"), "planned"),
    **dict.fromkeys(("in_development", "handed_over"), "development"),
    **dict.fromkeys(("installed", "security_testing", "remediation", "cleared"), "testing"),
    **{state: state for state in ("live", "suspended", "retired", "cancelled")},
}
"""What each status of a case means for the application; a deferred one stays planned."""


class RegisteredApplication(Kept, Table):
    """An application that is coming, in use or retired, and the case that brought it here; nothing is deleted."""

    __tablename__ = "registered_application"
    __table_args__ = (
        # The name of what came to nothing is free again, as its case is.
        Index("uq_registered_application_code", "code", unique=True, postgresql_where=text("state <> 'cancelled'")),
        Index("ix_registered_application_name", "name", "id"),
        Index(
            "ix_registered_application_near",
            "name",
            "code",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops", "code": "gin_trgm_ops"},
        ),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"), unique=True)
    case: Mapped[Case] = relationship(lazy="raise", innerjoin=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    """One of `STATE_LABELS`."""
    address: Mapped[str] = mapped_column(String(300))
    release_number: Mapped[int | None]
    digest: Mapped[str] = mapped_column(String(64))
    live_since: Mapped[datetime | None]
    """Since when users may use it; empty while it is coming."""
    ended_at: Mapped[datetime | None]
    described: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    """What people wrote of it (`Description`)."""
    edition: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    @property
    def label(self) -> str:
        """Return the state in words."""
        return STATE_LABELS.get(self.state, self.state)


class RegisterChange(Kept, Table):
    """Who changed what of the description of an application."""

    __tablename__ = "register_change"
    __table_args__ = (Index("ix_register_change_application_id", "application_id", "created_at"),)

    application_id: Mapped[UUID] = mapped_column(ForeignKey("registered_application.id"))
    by_id: Mapped[UUID]
    by_name: Mapped[str] = mapped_column(String(200))
    says: Mapped[list[str]] = mapped_column(JSONB)


class RegisterLayout(Table):
    """Which columns the export of the register has, in their order; one row."""

    __tablename__ = "register_layout"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    columns: Mapped[list[str]] = mapped_column(JSONB)
    by_name: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]


Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]


class Description(BaseModel):
    """What the centre writes of an application, after the columns that SPBE asks for (domain §7)."""

    model_config = ConfigDict(extra="forbid")

    function: Long = Field("", title="Fungsi", json_schema_extra={"kind": "area"})
    service: Short = Field("", title="Layanan yang didukung")
    business_process: Short = Field("", title="Proses bisnis")
    data_used: Short = Field("", title="Data yang digunakan")
    inputs: Short = Field("", title="Masukan dan sumbernya")
    outputs: Short = Field("", title="Luaran dan penggunanya")
    platform: Short = Field("", title="Basis", description="Web, mobile, atau desktop.")
    licence: Short = Field("", title="Tipe lisensi")
    language: Short = Field("", title="Bahasa pemrograman")
    framework: Short = Field("", title="Kerangka pengembangan")
    database: Short = Field("", title="Basis data")
    developer: Short = Field("", title="Unit pengembang")
    operator: Short = Field("", title="Unit operasional")
    kind: Literal["", "umum", "khusus"] = Field(
        "",
        title="Jenis",
        description="Umum: dipakai bersama antarinstansi. Khusus: milik sendiri.",
        json_schema_extra={"labels": {"": "–", "umum": "Aplikasi umum", "khusus": "Aplikasi khusus"}},
    )
    reference_1: Short = Field("", title="Kode referensi level 1")
    reference_2: Short = Field("", title="Kode referensi level 2")
    administrative_contact: Short = Field("", title="Kontak administratif")
    technical_contact: Short = Field("", title="Kontak teknis")
    source_code_owner: Short = Field("", title="Pemilik kode sumber")
    server_place: Short = Field("", title="Lokasi server")
    backup_place: Short = Field("", title="Lokasi cadangan")
    access: Short = Field("", title="Cara akses")
    usage: Short = Field("", title="Frekuensi pemakaian")
    interfaces: Short = Field("", title="Antarmuka API")
    asset_status: Short = Field("", title="Status BMN")
    firewall: Short = Field("", title="WAF")
    antivirus: Short = Field("", title="Antivirus")


FROM_PROPOSAL = ("platform", "language", "framework", "database")
"""What the proposal says of the technology until somebody describes the application."""


def description_of(entry: RegisteredApplication, case: Case) -> dict[str, str]:
    """Return every descriptive field of an application: what was written, else what the proposal said."""
    said = {key: str(case.tech.get(key) or "") for key in FROM_PROPOSAL}
    return {key: str(entry.described.get(key, said.get(key, ""))) for key in Description.model_fields}
