"""Findings of a case through all rounds: those of people, those of engines (S08)."""

from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security import queries
from services.security.actions.control import CONTROLS, no_such_control
from services.security.authority import ACTS
from services.security.model import FindingRow, FindingStatus, SecurityTest
from services.security.verdict import Finding, ScanResult, standing_policy
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import NotFound, OutOfTurn
from shared.identity import Person
from shared.words import local_date


def add_finding(
    session: Session,
    by: Person,
    test_id: UUID,
    *,
    control: str,
    severity: str,
    title: str,
    where: str,
    evidence: str,
    recommendation: str,
    risk: str,
) -> FindingRow:
    """Write down what a person found (S08); raise Incomplete for a control that does not exist."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.add_finding, found, control=control, severity=severity)
    found.move("add_finding")
    if control not in CONTROLS:
        raise no_such_control(control, "/control")
    row = FindingRow(
        case_id=found.case_id,
        fingerprint=uuid4().hex,
        engine=queries.BY_HAND,
        rule="manual",
        control=control,
        cwe="",
        severity=severity,
        title=title,
        risk=risk,
        where=where,
        evidence=evidence[:600],
        recommendation=recommendation,
        first_round=found.round,
        last_round=found.round,
        due_on=_due(severity),
    )
    session.add(row)
    session.flush()
    return row


def mend_finding(session: Session, by: Person, test_id: UUID, *, finding_id: UUID, reason: str) -> FindingRow:
    """Close a finding that a person wrote down, once a person has seen that it is mended (S08).

    Raises NotFound for a finding of another case, OutOfTurn for one that is not open or that an engine found: the
    next complete scan decides about those.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    row = queries.finding(session, finding_id)
    by = authorize(session, by, ACTS.mend_finding, found, finding=row.id, reason=reason)
    found.move("mend_finding")
    if row.case_id != found.case_id:
        raise NotFound("Temuan ini bukan temuan aplikasi yang sedang diuji.")
    if row.engine != queries.BY_HAND:
        raise OutOfTurn("Temuan alat uji tertutup sendiri bila pemindaian berikutnya tidak menemukannya lagi.")
    if row.status != FindingStatus.OPEN:
        raise OutOfTurn("Temuan ini sudah dinyatakan diperbaiki.")
    row.status = FindingStatus.FIXED
    return row


def keep_findings(session: Session, found: SecurityTest, result: ScanResult) -> None:
    """Join an engine's findings to the case's list; what a complete scan no longer sees counts as mended."""
    known = {
        row.fingerprint: row
        for row in session.scalars(
            select(FindingRow).where(FindingRow.case_id == found.case_id, FindingRow.engine == result.engine)
        )
    }
    seen = {one.fingerprint: one for one in result.findings}
    for fingerprint, one in seen.items():
        row = known.get(fingerprint)
        if row is None:
            row = FindingRow(case_id=found.case_id, fingerprint=fingerprint, first_round=found.round)
            session.add(row)
        if row.status != FindingStatus.OPEN:
            row.due_on = _due(str(one.severity))
        _copy(one, row)
        row.status, row.last_round = FindingStatus.OPEN, found.round
    if result.complete:
        for fingerprint in known.keys() - seen.keys():
            known[fingerprint].status = FindingStatus.FIXED


def _copy(seen: Finding, row: FindingRow) -> None:
    for name in ("engine", "rule", "control", "cwe", "title", "risk", "where", "evidence", "recommendation"):
        setattr(row, name, getattr(seen, name))
    row.severity = str(seen.severity)


def _due(severity: str) -> date | None:
    days = {str(key): value for key, value in standing_policy().due_days.items()}.get(severity)
    return local_date(utc_now()) + timedelta(days=days) if days else None
