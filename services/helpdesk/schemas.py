"""Shapes that enter and leave the helpdesk's JSON door; pages draw their forms from the same."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.pages import AREA, labelled


class NewTicket(BaseModel):
    """A user's report."""

    model_config = ConfigDict(extra="forbid")

    application: str = Field(max_length=40, title="Aplikasi", description="Nama singkat aplikasi, misalnya e-presensi.")
    title: str = Field(min_length=5, max_length=200, title="Judul", description="Satu kalimat: apa yang terjadi.")
    body: str = Field(
        min_length=5,
        max_length=10_000,
        title="Uraian",
        description="Apa yang Anda lakukan, apa yang terjadi, dan apa yang diharapkan. Jangan menulis kata sandi.",
        json_schema_extra=AREA,
    )
    category: Literal["akun", "gangguan", "permintaan", "pertanyaan", "keamanan"] = Field(
        "gangguan",
        title="Kategori",
        json_schema_extra=labelled(
            {
                "akun": "Akun",
                "gangguan": "Gangguan",
                "permintaan": "Permintaan",
                "pertanyaan": "Pertanyaan",
                "keamanan": "Keamanan",
            }
        ),
    )
    priority: Literal["low", "medium", "high", "critical"] = Field(
        "medium",
        title="Prioritas",
        json_schema_extra=labelled({"low": "Rendah", "medium": "Sedang", "high": "Tinggi", "critical": "Kritis"}),
    )


class Words(BaseModel):
    """An answer or addition."""

    model_config = ConfigDict(extra="forbid")

    body: str = Field(min_length=2, max_length=10_000, title="Isi", json_schema_extra=AREA)


class ReplyView(BaseModel):
    """One reply."""

    model_config = ConfigDict(from_attributes=True)
    author_name: str
    body: str
    created_at: datetime


class TicketRow(BaseModel):
    """A ticket in a list."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str
    application_code: str
    case_number: str
    title: str
    status: str
    priority: str
    category: str
    release_number: int
    reporter_name: str
    assignee_name: str
    created_at: datetime


class TicketView(TicketRow):
    """A ticket whole."""

    body: str
    case_id: UUID
    first_response_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    replies: list[ReplyView]
