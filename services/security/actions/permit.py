"""What the head of the division takes back: a permit, an application in use (S08)."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.security import queries
from services.security.authority import ACTS
from services.security.model import KnownCase, PermitRow, SecurityTest
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import CaseSuspended, PermitRevoked


def revoke(session: Session, by: Person, permit_id: UUID, *, reason: str) -> PermitRow:
    """Take a permit back (S08); deploy and the host refuse it from then on."""
    row = queries.permit(session, permit_id, is_locked=True)
    by = authorize(session, by, ACTS.revoke, row, reason=reason)
    if row.revoked_at is not None:
        raise OutOfTurn("Izin ini sudah dicabut.")
    row.revoked_at, row.revoked_reason = utc_now(), reason
    case = session.get_one(KnownCase, row.case_id)
    post(
        session,
        PermitRevoked(
            case_id=case.case_id,
            case_number=case.case_number,
            permit_id=row.id,
            digest=row.digest,
            note=reason,
            path=f"/uji-keamanan/{row.test_id}",
        ),
        by=by,
    )
    return row


def suspend(session: Session, by: Person, test_id: UUID, *, reason: str) -> SecurityTest:
    """Close a live application for its users until it has been tested again (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.suspend, found, reason=reason)
    if not found.case.live_digest:
        raise OutOfTurn("Aplikasi ini sedang tidak dibuka untuk pengguna.")
    found.case.live_digest = ""
    post(
        session,
        CaseSuspended(
            case_id=found.case_id,
            case_number=found.case.case_number,
            note=reason,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found
