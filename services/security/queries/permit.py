"""Permits as they were given."""

import json
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security.model import PermitRow
from shared.errors import NotFound


def permit(session: Session, permit_id: UUID, *, is_locked: bool = False) -> PermitRow:
    """Return a permit, locked for a change if wished; raise NotFound when there is none."""
    found = session.get(PermitRow, permit_id, with_for_update=is_locked)
    if found is None:
        raise NotFound("Izin tidak ditemukan. Periksa nomornya pada halaman uji.")
    return found


def signed_permits(session: Session, case_id: UUID) -> list[dict[str, str]]:
    """Return every permit of a case as it was signed, the oldest first, with the reason for which it was revoked."""
    asked = select(PermitRow).where(PermitRow.case_id == case_id).order_by(PermitRow.created_at)
    return [{**json.loads(one.signed), "revoked_reason": one.revoked_reason} for one in session.scalars(asked)]
