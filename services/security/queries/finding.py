"""Findings: one, those of a case, and how many are open."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security.model import FindingRow, FindingStatus
from shared.errors import NotFound

SEVERITIES = ("critical", "high", "medium", "low")
BY_HAND = "manual"
FINDING_LABELS = {FindingStatus.OPEN: "Terbuka", FindingStatus.FIXED: "Diperbaiki"}


SEVERITY_WORDS = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}


def findings(session: Session, case_id: UUID) -> Sequence[FindingRow]:
    """Return a case's findings: open ones first, the gravest first."""
    rows = session.scalars(select(FindingRow).where(FindingRow.case_id == case_id).limit(2000)).all()
    return sorted(rows, key=lambda f: (f.status != FindingStatus.OPEN, SEVERITIES.index(f.severity), f.title))


def finding(session: Session, finding_id: UUID) -> FindingRow:
    """Return a finding, locked for a change; raise NotFound when there is none."""
    found = session.get(FindingRow, finding_id, with_for_update=True)
    if found is None:
        raise NotFound("Temuan tidak ditemukan. Periksa daftar temuan pada halaman uji.")
    return found


def open_by_severity(rows: Iterable[FindingRow]) -> dict[str, int]:
    """Count open findings by severity; every severity stands in the answer."""
    counted = dict.fromkeys(SEVERITIES, 0)
    for row in rows:
        if row.status == FindingStatus.OPEN:
            counted[row.severity] += 1
    return counted
