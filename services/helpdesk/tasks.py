"""The helpdesk's message door."""

from sqlalchemy.orm import Session

from services.helpdesk import actions
from services.helpdesk.settings import Settings
from shared import calendar, directory, proving
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import ApplicationRetired, CaseSuspended, EvaluationOpened, RolledBack, WentLive
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the helpdesk's worker: what it does about each message."""
    worker = Worker("helpdesk", Database(settings.database_url), Keys(settings.keys_folder))
    directory.keep(worker)
    proving.keep(worker)
    calendar.keep(worker)

    @worker.handles(WentLive)
    def note_live(session: Session, message: WentLive, letter: Letter) -> None:
        actions.note_live(session, message)

    @worker.handles(RolledBack)
    def note_roll_back(session: Session, message: RolledBack, letter: Letter) -> None:
        actions.note_roll_back(session, message)

    @worker.handles(CaseSuspended)
    def note_suspension(session: Session, message: CaseSuspended, letter: Letter) -> None:
        actions.note_suspension(session, message)

    @worker.handles(ApplicationRetired)
    def note_retirement(session: Session, message: ApplicationRetired, letter: Letter) -> None:
        actions.note_retirement(session, message)

    @worker.handles(EvaluationOpened)
    def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
        actions.gather_figures(session, message, letter)

    return worker
