"""Shapes of builds."""

from datetime import datetime
from uuid import UUID

from fastapi import UploadFile
from pydantic import BaseModel, Field

from services.deploy.schemas.application import CASE, ApplicationView, FromRow


class NewBuild(BaseModel):
    """A package as a page uploads it."""

    case_number: str = Field(max_length=40, title="Nomor perkara", description=CASE)
    file: UploadFile = Field(
        title="Paket",
        description="Arsip .zip, .tar, atau .tar.gz; paling besar 2 GiB; tanpa tautan dan alamat mutlak.",
        json_schema_extra={"kind": "file"},
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
