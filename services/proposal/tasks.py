"""The application division's message door: every fact about a case is written into its trace."""

from sqlalchemy.orm import Session

from services.proposal import actions
from services.proposal.settings import Settings
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import CaseMessage, every_message
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the division's worker: one handler for every message that is addressed to it."""
    worker = Worker("proposal", Database(settings.database_url), Keys(settings.keys_folder))

    def note(session: Session, message: CaseMessage, letter: Letter) -> None:
        actions.note(session, message, letter)

    for kind in every_message().values():
        if "proposal" in kind.to and issubclass(kind, CaseMessage):
            worker.handles(kind)(note)
    return worker
