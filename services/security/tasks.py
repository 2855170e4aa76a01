"""The security division's message door, and its long work."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from services.security import actions, queries, runs
from services.security.settings import Settings
from shared import calendar, directory, permit, proving
from shared.database import Database
from shared.jobs import Lease
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import (
    ApplicationRetired,
    BuildReceived,
    EvaluationOpened,
    HandedOver,
    InstalledForTesting,
    WentLive,
)
from shared.store import Store
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the security division's worker: what it does about each message, and how it runs a scan."""
    worker = Worker("security", Database(settings.database_url), Keys(settings.keys_folder))
    directory.keep(worker)

    def permits(session: Session, case_id: UUID) -> Iterable[dict[str, str]]:
        public_key = permit.public_key(settings.keys_folder).public_bytes_raw().hex()
        return ({**signed, "public_key": public_key} for signed in queries.signed_permits(session, case_id))

    proving.keep(worker, permits=permits)
    calendar.keep(worker)

    @worker.handles(HandedOver)
    def note_handover(session: Session, message: HandedOver, letter: Letter) -> None:
        actions.note_case(session, message)

    @worker.handles(BuildReceived)
    def note_build(session: Session, message: BuildReceived, letter: Letter) -> None:
        actions.note_case(session, message)

    @worker.handles(InstalledForTesting)
    def open_test(session: Session, message: InstalledForTesting, letter: Letter) -> None:
        actions.open_test(session, message)

    @worker.handles(WentLive)
    def note_live(session: Session, message: WentLive, letter: Letter) -> None:
        actions.note_live(session, message)

    @worker.handles(ApplicationRetired)
    def note_retirement(session: Session, message: ApplicationRetired, letter: Letter) -> None:
        actions.note_retirement(session, message)

    @worker.handles(EvaluationOpened)
    def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
        actions.gather_figures(session, message, letter)

    @worker.runs(actions.SCAN, on_failure=runs.give_up_scan)
    def run_scan(database: Database, lease: Lease) -> None:
        runs.run_scan(database, lease, store=Store(settings.files_folder))

    return worker
