"""The engines' work: started as jobs, kept when it ends (S08)."""

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security import queries
from services.security.actions.finding import keep_findings
from services.security.authority import ACTS
from services.security.model import ENDED, Scan, SecurityTest, TestStatus
from services.security.verdict import ScanResult, standing_policy
from shared import jobs
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person
from shared.mailbox import post
from shared.messages import SecurityTestStarted

SCAN = "scan"


def start(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Begin the test: its tester is named and every engine of the policy runs as a job (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.start, found, digest=found.digest)
    found.move("start")
    found.tester_id, found.tester_name = by.id, by.name
    _start_scans(session, found)
    post(
        session,
        SecurityTestStarted(
            case_id=found.case_id,
            case_number=found.case.case_number,
            round=found.round,
            digest=found.digest,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found


def rescan(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Run every engine again, for instance after one could not finish (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.rescan, found, digest=found.digest)
    found.move("rescan")
    _start_scans(session, found)
    return found


def record_scan(session: Session, scan_id: UUID, result: ScanResult) -> None:
    """Keep an engine's answer; its findings join the case's list, what it no longer sees counts as mended.

    Nothing counts as mended by a scan that is not complete, and nothing changes by one whose round is over.
    After the last engine the tester looks at it.
    """
    scan, found = _find_scan(session, scan_id)
    if scan.finished_at is not None:
        return
    scan.result = result.model_dump(mode="json")
    scan.is_complete = result.complete
    scan.finished_at = utc_now()
    if found.status in ENDED:
        return
    keep_findings(session, found, result)
    session.flush()
    if found.status == TestStatus.SCANNING and all(s.finished_at for s in found.scans):
        found.move("finish_scanning")


def give_up_scan(session: Session, scan_id: UUID, *, problem: str) -> None:
    """Keep that an engine could not be run at all: the scan is there, and is not complete."""
    scan, found = _find_scan(session, scan_id)
    record_scan(session, scan_id, incomplete(scan.engine, found.digest, problem))


def incomplete(engine: str, digest: str, problem: str) -> ScanResult:
    """Return the answer of an engine that has seen nothing."""
    policy = standing_policy()
    return ScanResult(
        engine=engine,
        version="",
        policy_digest=policy.engine_digest(engine) if engine in policy.engines else "0" * 64,
        digest=digest,
        complete=False,
        problems=(problem,),
    )


def _find_scan(session: Session, scan_id: UUID) -> tuple[Scan, SecurityTest]:
    """Return a scan and its test, the test locked: two engines that end at once come one after the other."""
    test_id = session.scalar(select(Scan.test_id).where(Scan.id == scan_id))
    if test_id is None:
        raise NotFound("Pemindaian tidak ditemukan.")
    found = session.get_one(SecurityTest, test_id, with_for_update={"of": SecurityTest})
    return session.get_one(Scan, scan_id, populate_existing=True), found


def _start_scans(session: Session, found: SecurityTest) -> None:
    for engine in sorted(standing_policy().engines):
        scan = Scan(id=uuid4(), test_id=found.id, engine=engine)
        scan.job_id = jobs.start(session, SCAN, scan.id, {"scan_id": str(scan.id)}).id
        found.scans.append(scan)
    session.flush()
