"""The application division's message door: every fact about a case is written into its trace."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.proposal import actions
from services.proposal.model import Office, clock, fold
from services.proposal.settings import Settings
from shared import calendar, directory, jobs
from shared.clock import DAY
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import CaseMessage, ProofGiven, every_message
from shared.store import Store
from shared.worker import Worker

HOUR = 3600
MEASURE = "measure_year"
"""The job that counts the time of cases again after the calendar of a year has changed."""


def make_worker(settings: Settings) -> Worker:
    """Return the division's worker: one handler for every message that is addressed to it."""
    worker = Worker("proposal", Database(settings.database_url), Keys(settings.keys_folder))
    directory.keep(worker)

    def measure_again(session: Session, year: int) -> None:
        jobs.start(session, MEASURE, year)

    calendar.keep(worker, changed=measure_again)

    @worker.runs(MEASURE)
    def measure_year(database: Database, lease: jobs.Lease) -> None:
        # In small transactions: whoever moves a case meanwhile waits for a thousand others at most.
        after: UUID | None = None
        while True:
            with lease.recording() as session:
                after = clock.measure_year(session, int(lease.job.thing_id), after)
                if after is None:
                    lease.finish(session)
                    return

    # 18.00 UTC is 01.00 in western Indonesia.
    @worker.every(seconds=DAY, name="meetings", after=18 * 3600)
    def make_coming_meetings(database: Database) -> None:
        with database.transaction() as session:
            actions.make_coming(session, Office.of(settings))

    @worker.every(seconds=HOUR, name="tally")
    def fold_tally(database: Database) -> None:
        with database.transaction() as session:
            fold(session)

    def note(session: Session, message: CaseMessage, letter: Letter) -> None:
        actions.note(session, message, letter)

    @worker.handles(ProofGiven)
    def take_proof(session: Session, message: ProofGiven, letter: Letter) -> None:
        actions.take_proof(session, message)

    @worker.runs(actions.BUILD, on_failure=actions.note_failure)
    def build_pack(database: Database, lease: jobs.Lease) -> None:
        actions.build_pack(database, lease, store=Store(settings.files_folder), keys=worker.keys)

    @worker.every(seconds=DAY, name="open_evaluations", after=20 * 3600)
    def open_evaluations(database: Database) -> None:
        with database.transaction() as session:
            actions.open_due(session, Office.of(settings), months=settings.evaluation_months)

    for kind in every_message().values():
        if "proposal" in kind.to and issubclass(kind, CaseMessage):
            worker.handles(kind)(note)
    return worker
