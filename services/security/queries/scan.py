"""One scan of a test."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.security.model import Scan
from services.security.queries.test import test
from shared.errors import NotFound
from shared.identity import Person


def scan(session: Session, by: Person, scan_id: UUID) -> Scan:
    """Return a scan of a test that this person may see; raise NotFound otherwise."""
    found = session.get(Scan, scan_id)
    if found is None:
        raise NotFound("Pemindaian tidak ditemukan.")
    test(session, by, found.test_id)
    return found
