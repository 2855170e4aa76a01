"""Servers that Alur manages: where they are, by which host key they are known, and whether they may be used."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.deploy.model.table import Moving, Table
from shared.database import Kept


class ServerKind(StrEnum):
    """Who looks after the server."""

    PRACTICE = "practice"
    MANAGED = "managed"


class ServerStatus(StrEnum):
    """Whether a server may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Probe(Kept, Table):
    """One look at a server that is not yet known: the host key that it showed, for a person to compare."""

    __tablename__ = "probe"
    __table_args__ = (Index("ix_probe_created_at_id", "created_at", "id"),)

    address: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    job_id: Mapped[UUID | None]
    host_key: Mapped[str] = mapped_column(String(200), default="")
    """`ssh-ed25519 AAAA…` as the server showed it; empty until it answered."""
    fingerprint: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was not answered, in Indonesian."""
    asked_by_id: Mapped[UUID]
    asked_by_name: Mapped[str] = mapped_column(String(200))

    @property
    def state(self) -> str:
        """Return waiting, done or failed."""
        return "done" if self.host_key else "failed" if self.reason else "waiting"


class Server(Kept, Moving, Table):
    """One server with its pinned host key."""

    __tablename__ = "server"
    __table_args__ = (
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        CheckConstraint("connect_port BETWEEN 1 AND 65535", name="connect_port"),
        CheckConstraint("host_key LIKE 'ssh-ed25519 %'", name="host_key_is_ed25519"),
        Index("uq_server_address_in_use", "address", "port", unique=True, postgresql_where="status <> 'retired'"),
        Index("ix_server_created_at_id", "created_at", "id"),
    )
    noun = "Server"
    labels = {  # noqa: RUF012 - one table for all rows
        ServerStatus.ACTIVE: "Siap dipakai",
        ServerStatus.SUSPENDED: "Dihentikan: kunci server berubah",
        ServerStatus.RETIRED: "Tidak dipakai lagi",
    }
    moves = {  # noqa: RUF012
        "suspend": (frozenset({ServerStatus.ACTIVE, ServerStatus.SUSPENDED}), ServerStatus.SUSPENDED),
        "repin_server": (frozenset({ServerStatus.ACTIVE, ServerStatus.SUSPENDED}), ServerStatus.ACTIVE),
        "retire_server": (frozenset({ServerStatus.ACTIVE, ServerStatus.SUSPENDED}), ServerStatus.RETIRED),
    }

    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[ServerKind] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    username: Mapped[str] = mapped_column(String(32))
    host_key: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(80))
    base_domain: Mapped[str] = mapped_column(String(200))
    connect_address: Mapped[str] = mapped_column(String(253))
    """Where its web server is reached from the centre, for both the closed and the public address."""
    connect_port: Mapped[int]
    status: Mapped[ServerStatus] = mapped_column(String(10), default=ServerStatus.ACTIVE)
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was suspended or retired."""
    registered_by_id: Mapped[UUID]
    registered_by_name: Mapped[str] = mapped_column(String(200))

    @property
    def is_active(self) -> bool:
        """Tell whether the server may be used."""
        return self.status == ServerStatus.ACTIVE
