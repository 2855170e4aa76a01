"""What the gateway puts together from all divisions."""

from typing import Literal

from pydantic import BaseModel

from shared.web import Waiting


class WaitingRow(Waiting):
    """One thing that waits for a person, and in which division."""

    part: str


class Health(BaseModel):
    """How each part is: "ok", "down" (it answers, but not well) or "silent"."""

    status: Literal["ok", "down"]
    parts: dict[str, Literal["ok", "down", "silent"]]
