"""Shapes of the application register."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.proposal.queries.register import ExportColumn, Registered


class RegisterRow(BaseModel):
    """An application of the register."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    case_id: UUID
    code: str
    name: str
    unit: str
    state: str
    address: str
    release_number: int | None
    digest: str
    live_since: datetime | None
    ended_at: datetime | None


class ChangeOfRegister(BaseModel):
    """Who changed what of a description."""

    model_config = ConfigDict(from_attributes=True)
    created_at: datetime
    by_name: str
    says: list[str]


class ApplicationView(RegisterRow):
    """An application with its description and the cases that belong to it."""

    case_number: str
    purpose: str
    personal_data: str
    criticality: str
    vendor_name: str
    contract_number: str
    described: dict[str, str]
    edition: int
    relatives: list[str]
    """Numbers of the cases that lead to it or follow from it."""
    changes: list[ChangeOfRegister]

    @classmethod
    def of(cls, found: Registered) -> "ApplicationView":
        """Return an application as it leaves the door."""
        return cls(
            **RegisterRow.model_validate(found.entry).model_dump(),
            case_number=found.case.number,
            purpose=found.case.purpose,
            personal_data=found.case.personal_data,
            criticality=found.case.criticality,
            vendor_name=found.case.vendor_name,
            contract_number=found.contract_number,
            described=found.described,
            edition=found.entry.edition,
            relatives=[case.number for case in found.relatives],
            changes=[ChangeOfRegister.model_validate(one) for one in found.changes],
        )


class Layout(BaseModel):
    """The place of each column of the export; what has none is left out."""

    model_config = ConfigDict(extra="forbid")

    order: dict[Annotated[str, Field(max_length=40)], Annotated[int, Field(ge=1, le=999)]] = Field(
        default_factory=dict, title="Urutan kolom"
    )


class ColumnView(BaseModel):
    """A column of the export."""

    key: str
    title: str

    @classmethod
    def of(cls, column: ExportColumn) -> "ColumnView":
        """Return a column as it leaves the door."""
        return cls(key=column.key, title=column.title)
