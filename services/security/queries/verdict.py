"""What a test rests on, and what follows from it for the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security.model import ControlAnswer, FindingRow, FindingStatus, PermitRow, SecurityTest
from services.security.queries.finding import BY_HAND, findings
from services.security.verdict import Finding, Judgement, ScanResult, judge, standing_policy
from shared.database import utc_now
from shared.procedure import security_controls
from shared.words import local_date


@dataclass(frozen=True)
class File:
    """Everything that a test rests on, read once."""

    findings: Sequence[FindingRow]
    answers: Mapping[str, ControlAnswer]
    """Answered controls by their number."""
    permits: Sequence[PermitRow]
    """Permits of the case, newest first."""
    judgement: Judgement
    """Whether the test may end with *lulus*, and everything that stands in the way."""


def file(session: Session, thing: SecurityTest) -> File:
    """Return what a test rests on, and what follows from it for the verdict."""
    rows = findings(session, thing.case_id)
    answered = {
        row.control: row
        for row in session.scalars(select(ControlAnswer).where(ControlAnswer.test_id == thing.id)).all()
    }
    given = select(PermitRow).where(PermitRow.case_id == thing.case_id).order_by(PermitRow.created_at.desc())
    judgement = judge(
        standing_policy(),
        digest=thing.digest,
        scans=[ScanResult.model_validate(scan.result) for scan in thing.scans if scan.result is not None],
        today=local_date(utc_now()),
        by_hand=[as_finding(row) for row in rows if row.engine == BY_HAND and row.status == FindingStatus.OPEN],
        unanswered=[c["number"] for c in security_controls() if c["number"] not in answered],
    )
    return File(rows, answered, session.scalars(given.limit(100)).all(), judgement)


def as_finding(row: FindingRow) -> Finding:
    """Return a kept finding in the shape that the rules of the verdict know."""
    return Finding(**{name: getattr(row, name) for name in Finding.model_fields})
