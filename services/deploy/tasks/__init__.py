"""The infrastructure division's message door: what it does about letters, jobs and the clock."""

from sqlalchemy.orm import Session

from services.deploy import actions
from services.deploy.settings import Settings
from services.deploy.tasks.host import Host, runs_on_hosts
from services.deploy.tasks.watch import measure
from shared import calendar, directory, permit, proving
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import (
    ApplicationRetired,
    CaseSuspended,
    ContractSigned,
    ContractTerminated,
    EvaluationOpened,
    HandedOver,
    PermitRevoked,
    TestFailed,
    TestPassed,
)
from shared.store import Store
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the infrastructure division's worker: what it does about each message, job and minute."""
    worker = Worker("deploy", Database(settings.database_url), Keys(settings.keys_folder))
    directory.keep(worker)
    proving.keep(worker)
    calendar.keep(worker)
    _handles_messages(worker, settings)
    host = Host(
        key=settings.ssh_key,
        keys_folder=settings.keys_folder,
        store=Store(settings.files_folder),
        public_url=settings.public_url,
    )
    runs_on_hosts(worker, host)
    if settings.measures:
        worker.every(seconds=60, name="measure")(measure)
    return worker


def _handles_messages(worker: Worker, settings: Settings) -> None:
    @worker.handles(ContractSigned)
    def know_contract(session: Session, message: ContractSigned, letter: Letter) -> None:
        actions.know_contract(session, message)

    @worker.handles(ContractTerminated)
    def end_contract(session: Session, message: ContractTerminated, letter: Letter) -> None:
        actions.end_contract(session, message)

    @worker.handles(HandedOver)
    def know_handover(session: Session, message: HandedOver, letter: Letter) -> None:
        actions.know_handover(session, message)

    @worker.handles(TestFailed)
    def fail_test(session: Session, message: TestFailed, letter: Letter) -> None:
        actions.fail_test(session, message)

    @worker.handles(TestPassed)
    def pass_test(session: Session, message: TestPassed, letter: Letter) -> None:
        actions.pass_test(session, message, public_key=permit.public_key(settings.keys_folder))

    @worker.handles(PermitRevoked)
    def revoke_permit(session: Session, message: PermitRevoked, letter: Letter) -> None:
        actions.revoke_permit(session, message)

    @worker.handles(CaseSuspended)
    def suspend(session: Session, message: CaseSuspended, letter: Letter) -> None:
        actions.suspend(session, message)

    @worker.handles(ApplicationRetired)
    def retire(session: Session, message: ApplicationRetired, letter: Letter) -> None:
        actions.retire(session, message)

    @worker.handles(EvaluationOpened)
    def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
        actions.gather_figures(session, message, letter)
