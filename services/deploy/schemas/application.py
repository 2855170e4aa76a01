"""Shapes of applications, and what every shape of the infrastructure division shares."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

CASE = "Nomor perkara seperti pada halaman perkara."
FromRow = ConfigDict(from_attributes=True)


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


def own_values(shape: type[BaseModel], row: object) -> dict[str, Any]:
    """Return the values of a row that a shape names; what the row only works out is left to the caller."""
    # Attributes that are worked out may not be there yet: a hosting without a server has no names.
    kept = [n for n in shape.model_fields if not isinstance(getattr(type(row), n, None), property | None)]
    found = {name: getattr(row, name) for name in kept}
    if "application" in found:
        found["application"] = ApplicationView.model_validate(found["application"])
    return found
