"""Shapes of releases, and of what is done on their host."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from services.deploy.model import Release
from services.deploy.schemas.application import ApplicationView, FromRow, own_values


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
            own_values(cls, release)
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
