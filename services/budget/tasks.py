"""The budget division's message door."""

from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.settings import Settings
from shared import calendar, directory, proving
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import (
    ApplicationRetired,
    CaseHalted,
    DefectReported,
    EvaluationOpened,
    MeetingsConcluded,
    WentLive,
    WorkProgrammeEntered,
)
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the budget division's worker: what it does about each message."""
    worker = Worker("budget", Database(settings.database_url), Keys(settings.keys_folder))
    directory.keep(worker)
    proving.keep(worker)
    calendar.keep(worker)

    @worker.handles(WorkProgrammeEntered)
    def open_plan(session: Session, message: WorkProgrammeEntered, letter: Letter) -> None:
        actions.open_plan(session, message)

    @worker.handles(MeetingsConcluded)
    def note_meetings(session: Session, message: MeetingsConcluded, letter: Letter) -> None:
        actions.note_meetings(session, message)

    @worker.handles(CaseHalted)
    def note_halt(session: Session, message: CaseHalted, letter: Letter) -> None:
        actions.note_halt(session, message)

    @worker.handles(DefectReported)
    def note_defect(session: Session, message: DefectReported, letter: Letter) -> None:
        actions.note_defect(session, message)

    @worker.handles(WentLive)
    def note_live(session: Session, message: WentLive, letter: Letter) -> None:
        actions.note_live(session, message)

    @worker.handles(ApplicationRetired)
    def note_retirement(session: Session, message: ApplicationRetired, letter: Letter) -> None:
        actions.note_retirement(session, message)

    @worker.handles(EvaluationOpened)
    def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
        actions.gather_figures(session, message, letter)

    return worker
