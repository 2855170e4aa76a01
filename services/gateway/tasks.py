"""The gateway's message door."""

from sqlalchemy.orm import Session

from services.gateway.actions import calendar, held_form
from services.gateway.actions.delivery import deliver_due, prune
from services.gateway.actions.mention import tell_mention
from services.gateway.channels import senders
from services.gateway.settings import Settings
from shared.clock import DAY
from shared.database import Database, utc_now
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import PersonMentioned
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the gateway's worker: what it does about each message, job and hour."""
    keys = Keys(settings.keys_folder)
    worker = Worker("gateway", Database(settings.database_url), keys)
    ways = senders(settings)

    @worker.handles(PersonMentioned)
    def note_mention(session: Session, message: PersonMentioned, letter: Letter) -> None:
        tell_mention(session, message, letter.source, at=letter.created_at)

    @worker.every(seconds=30, name="deliver")
    def deliver(database: Database) -> None:
        deliver_due(database, keys, ways)

    @worker.every(seconds=DAY, name="prune_notices", after=20 * 3600)
    def prune_notices(database: Database) -> None:
        with database.transaction() as session:
            prune(session, now=utc_now())

    @worker.every(seconds=DAY, name="calendar", after=1 * 3600)
    def tell_of_the_calendar(database: Database) -> None:
        with database.transaction() as session:
            calendar.tell_what_is_missing(session, now=utc_now())

    @worker.every(seconds=3600, name="prune_forms")
    def prune_forms(database: Database) -> None:
        with database.transaction() as session:
            held_form.prune(session, now=utc_now())

    return worker
