"""Shapes of proof packs."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from services.proposal.model import ProofPack


class ProofPackView(BaseModel):
    """One proof pack, and how far it is."""

    id: UUID
    case_id: UUID
    created_at: datetime
    asked_by: str
    missing: list[str]
    """Divisions whose evidence has not arrived."""
    is_ready: bool
    refusal: str
    """Why it could not be made."""
    digest: str
    size: int
    files: int

    @classmethod
    def of(cls, pack: ProofPack) -> Self:
        """Return a pack as it is told."""
        return cls(
            id=pack.id,
            case_id=pack.case_id,
            created_at=pack.created_at,
            asked_by=pack.asked_by_name,
            missing=pack.missing,
            is_ready=bool(pack.digest),
            refusal=pack.refusal,
            digest=pack.digest,
            size=pack.size,
            files=pack.files,
        )
