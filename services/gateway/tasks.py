"""The gateway's message door."""

from services.gateway.settings import Settings
from shared.database import Database
from shared.keys import Keys
from shared.worker import Worker


def make_worker(settings: Settings) -> Worker:
    """Return the gateway's worker: what it does about each message, job and hour."""
    return Worker("gateway", Database(settings.database_url), Keys(settings.keys_folder))
