"""Long work of the security division: one engine over one build, outside every transaction."""

from urllib.parse import quote
from uuid import UUID

from sqlalchemy.orm import Session

from services.security import actions
from services.security.model import Scan, SecurityTest
from services.security.scanners.bandit import BanditScanner, CodeTarget
from services.security.scanners.probe import ProbeScanner, SiteTarget
from services.security.verdict import ScanResult
from shared.database import Database
from shared.jobs import Job, Lease
from shared.manifest import Manifest
from shared.store import Store


def run_scan(database: Database, lease: Lease, *, store: Store) -> None:
    """Run the engine that a job names and keep its answer; what goes wrong becomes an incomplete answer (S08)."""
    scan_id = UUID(lease.job.params["scan_id"])
    with database.transaction() as session:
        scan = session.get_one(Scan, scan_id)
        if scan.finished_at is not None:
            return
        test = session.get_one(SecurityTest, scan.test_id)
    lease.write_line(f"Pemindai {scan.engine} mulai memeriksa paket {test.digest[:12]}", step=scan.engine)
    result = _scan(scan, test, store)
    for trouble in result.problems:
        lease.write_line(f"Tidak lengkap: {trouble}", step=scan.engine, state="failed")
    for found in result.findings:
        lease.write_line(f"[{found.severity}] {found.title} ({found.where})", step=scan.engine)
    lease.write_line(
        f"Selesai: {len(result.scanned_files)} berkas atau alamat, {len(result.findings)} temuan",
        step=scan.engine,
        state="done" if result.complete else "failed",
    )
    with lease.recording() as session:
        actions.record_scan(session, scan_id, result)


def give_up_scan(session: Session, job: Job) -> None:
    """Keep that an engine could not be run at all: the scan is there, and is not complete."""
    problem = f"Pemindai tidak dapat dijalankan: {(job.reason or '')[:300]}"
    actions.give_up_scan(session, UUID(job.params["scan_id"]), problem=problem)


def _scan(scan: Scan, test: SecurityTest, store: Store) -> ScanResult:
    with store.open(test.digest, verify=True) as file:
        manifest = Manifest.parse(file.read())
    if scan.engine == "bandit":
        return BanditScanner().scan(CodeTarget(manifest=manifest, store=store))
    if scan.engine == "probe":
        target = SiteTarget(
            host=test.closed_host,
            address=test.connect_address,
            port=test.connect_port,
            digest=test.digest,
            files={f"/{quote(entry.path)}": entry.sha256 for entry in manifest if _is_served(entry.path)},
        )
        return ProbeScanner().scan(target)
    return actions.incomplete(scan.engine, test.digest, f"Pemindai {scan.engine} tidak dikenal.")


def _is_served(path: str) -> bool:
    """Tell whether the web server gives a file out at all: names with a leading dot it never does."""
    return not any(part.startswith(".") for part in path.split("/"))
