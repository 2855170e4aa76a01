"""Hostings: an application's closed and public place on one server, requested and decided upon."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.deploy.model.application import Application
from services.deploy.model.server import Server
from services.deploy.model.table import Moving, Table
from shared.database import Kept

RESERVED = frozenset({"www", "mail", "ns", "admin", "api", "sso"})
"""Names that no application may take (`domain.md` §6)."""
CLOSED_SUFFIX = "-uji"
"""Ending of the closed address' first label; a public name may not have it, or it could take a closed address."""


class HostingStatus(StrEnum):
    """How far a hosting request is."""

    REQUESTED = "requested"
    READY = "ready"
    REFUSED = "refused"


_H = HostingStatus


class Hosting(Kept, Moving, Table):
    """The place of one application on one server; its id is the name that permits and the host know."""

    __tablename__ = "hosting"
    __table_args__ = (
        CheckConstraint("disk_mb BETWEEN 1 AND 1048576", name="disk_mb"),
        CheckConstraint("status <> 'ready' OR server_id IS NOT NULL", name="ready_has_server"),
        Index("uq_hosting_subdomain", "subdomain", unique=True, postgresql_where="status <> 'refused'"),
        Index("uq_hosting_case_id", "case_id", unique=True, postgresql_where="status <> 'refused'"),
        Index("ix_hosting_created_at_id", "created_at", "id"),
    )
    noun = "Permohonan hosting"
    labels = {_H.REQUESTED: "Menunggu keputusan", _H.READY: "Tersedia", _H.REFUSED: "Ditolak"}  # noqa: RUF012
    moves = {  # noqa: RUF012
        "accept_hosting": (frozenset({_H.REQUESTED}), _H.READY),
        "refuse_hosting": (frozenset({_H.REQUESTED}), _H.REFUSED),
    }

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.case_id"))
    application: Mapped[Application] = relationship(lazy="joined", innerjoin=True)
    subdomain: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(10))
    runtime: Mapped[str] = mapped_column(String(10))
    disk_mb: Mapped[int]
    until_on: Mapped[date | None]
    """End of a temporary hosting; empty for a permanent one."""
    administrative_contact: Mapped[str] = mapped_column(String(200))
    administrative_whatsapp: Mapped[str] = mapped_column(String(20))
    technical_contact: Mapped[str] = mapped_column(String(200))
    technical_whatsapp: Mapped[str] = mapped_column(String(20))
    status: Mapped[HostingStatus] = mapped_column(String(10), default=HostingStatus.REQUESTED)
    server_id: Mapped[UUID | None] = mapped_column(ForeignKey("server.id"))
    server: Mapped[Server | None] = relationship(lazy="joined")
    reason: Mapped[str] = mapped_column(Text, default="")
    requested_by_id: Mapped[UUID]
    requested_by_name: Mapped[str] = mapped_column(String(200))
    decided_by_id: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(String(200), default="")
    paper_digest: Mapped[str | None] = mapped_column(String(64))
    """The note of what was provided."""
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    """Number of the newest run on the host; the host refuses older ones."""

    @property
    def key(self) -> str:
        """Return the name by which permits and the host know this hosting."""
        return str(self.id)

    @property
    def place(self) -> Server:
        """Return the server of an accepted hosting."""
        if self.server is None:
            raise ValueError("a hosting that was not accepted has no server")
        return self.server

    @property
    def public_host(self) -> str:
        """Return the public name, e.g. presensi.kampus.example."""
        return f"{self.subdomain}.{self.place.base_domain}"

    @property
    def closed_host(self) -> str:
        """Return the closed name, e.g. presensi-uji.kampus.example."""
        return f"{self.subdomain}{CLOSED_SUFFIX}.{self.place.base_domain}"

    @property
    def public_address(self) -> str:
        """Return the public address as people type it; the port only where it is not the usual one."""
        port = self.place.connect_port
        return f"http://{self.public_host}{'' if port in (80, 443) else f':{port}'}/"
