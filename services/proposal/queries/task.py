"""What waits for a person, in the one shape in which every noun of this division tells it."""

from dataclasses import dataclass
from datetime import datetime

WAITING_LIMIT = 100


@dataclass(frozen=True)
class Task:
    """One thing that waits for a person."""

    title: str
    about: str
    case_number: str
    step: str
    since: datetime
    path: str
    due_at: datetime | None = None
    """When the clock of the case says that it is late; None where no standard runs."""
