"""Shapes of similar applications."""

from pydantic import BaseModel, ConfigDict


class SimilarView(BaseModel):
    """One application that looks like the one proposed."""

    model_config = ConfigDict(from_attributes=True)
    number: str
    name: str
    unit: str
    label: str
    likeness: int
    """In per cent."""
    path: str
    """Its page; empty for somebody who does not see the case."""
