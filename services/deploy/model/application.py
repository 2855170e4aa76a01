"""The applications that this division knows, by case, as the other divisions told it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.deploy.model.table import Moving, Table
from shared.database import utc_now
from shared.messages import ApplicationFacts


class ApplicationStatus(StrEnum):
    """How far an application is, as far as this division is concerned (statuses of `procedure.yaml`)."""

    BUDGETED = "budgeted"
    IN_DEVELOPMENT = "in_development"
    HANDED_OVER = "handed_over"
    INSTALLED = "installed"
    REMEDIATION = "remediation"
    CLEARED = "cleared"
    LIVE = "live"
    SUSPENDED = "suspended"
    RETIRED = "retired"


_A = ApplicationStatus
READY = frozenset({_A.HANDED_OVER, _A.REMEDIATION, _A.LIVE, _A.SUSPENDED})
"""Statuses in which a build may be installed (entry of S07; an update of a live application takes the same road)."""


class Application(Moving, Table):
    """One application and how far its case is."""

    __tablename__ = "application"
    __table_args__ = (
        Index("ix_application_code", "code"),
        Index("ix_application_vendor", "vendor", "created_at"),
        Index("ix_application_created_at", "created_at", "case_id"),
    )
    noun = "Aplikasi"
    labels = {  # noqa: RUF012 - one table for all rows
        _A.BUDGETED: "Kontrak dihentikan",
        _A.IN_DEVELOPMENT: "Dalam pembangunan",
        _A.HANDED_OVER: "Sudah serah terima",
        _A.INSTALLED: "Terpasang, sedang diuji",
        _A.REMEDIATION: "Perbaikan temuan",
        _A.CLEARED: "Lulus uji keamanan",
        _A.LIVE: "Digunakan",
        _A.SUSPENDED: "Dihentikan sementara",
        _A.RETIRED: "Dinonaktifkan",
    }
    moves = {  # noqa: RUF012
        "hand_over": (frozenset({_A.BUDGETED, _A.IN_DEVELOPMENT, _A.HANDED_OVER}), _A.HANDED_OVER),
        "terminate_contract": (frozenset({_A.BUDGETED, _A.IN_DEVELOPMENT}), _A.BUDGETED),
        "report_defect": (frozenset({_A.HANDED_OVER}), _A.IN_DEVELOPMENT),
        "install": (frozenset({_A.HANDED_OVER, _A.REMEDIATION, _A.SUSPENDED}), _A.INSTALLED),
        "fail": (frozenset({_A.INSTALLED, _A.REMEDIATION}), _A.REMEDIATION),
        "pass": (frozenset({_A.INSTALLED, _A.CLEARED}), _A.CLEARED),
        "go_live": (frozenset({_A.CLEARED, _A.LIVE}), _A.LIVE),
        "suspend": (frozenset({_A.LIVE, _A.SUSPENDED}), _A.SUSPENDED),
        "retire": (frozenset(_A), _A.RETIRED),
    }

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str] = mapped_column(String(40), unique=True)
    code: Mapped[str] = mapped_column(String(31))
    """Short name; a later case of the same application carries it too."""
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(Text, default="")
    personal_data: Mapped[str] = mapped_column(String(20), default="none")
    criticality: Mapped[str] = mapped_column(String(20), default="medium")
    vendor: Mapped[str] = mapped_column(String(20), default="")
    vendor_name: Mapped[str] = mapped_column(String(200), default="")
    contract_number: Mapped[str] = mapped_column(String(80), default="")
    handover_number: Mapped[str] = mapped_column(String(80), default="")
    status: Mapped[ApplicationStatus] = mapped_column(String(20), default=ApplicationStatus.IN_DEVELOPMENT)
    last_release: Mapped[int] = mapped_column(default=0)
    """Number of the newest release; its row lock makes the numbers gapless."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def id(self) -> UUID:
        """Return the case id: an application is its case."""
        return self.case_id

    @property
    def is_ready(self) -> bool:
        """Tell whether a build may be installed (entry of S07)."""
        return self.status in READY

    @property
    def facts(self) -> ApplicationFacts:
        """Return the facts as messages carry them."""
        return ApplicationFacts(
            code=self.code,
            name=self.name,
            unit=self.unit,
            purpose=self.purpose,
            personal_data=self.personal_data,
            criticality=self.criticality,
        )
