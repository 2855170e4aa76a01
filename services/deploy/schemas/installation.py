"""Shapes of installations, their plans and logs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.deploy.model import Installation, Release
from services.deploy.schemas.application import FromRow, own_values
from shared.jobs import Job


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
            own_values(cls, installation)
            | {
                "case_number": installation.case_number,
                "digest": installation.digest,
                "job_id": job.id if job else None,
                "job_state": job.state if job else "",
                "release_id": release.id if release else None,
            }
        )


class LogLine(BaseModel):
    """One line of a job's log."""

    model_config = FromRow
    at: datetime
    text: str
    step: str
    state: str
