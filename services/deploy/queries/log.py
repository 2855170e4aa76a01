"""What the jobs about one installation tell, line by line: the making of its plan, then each attempt to install."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from shared import jobs
from shared.errors import Incomplete

Mark = tuple[int, int]
"""A place in the log: which of the thing's jobs, counted from 1, and which of its lines."""
BEGINNING: Mark = (0, 0)
MOST = 500


@dataclass(frozen=True)
class Log:
    """Some lines of a log, each with its mark, and whether more may come."""

    lines: list[tuple[Mark, jobs.Line]]
    is_over: bool


def log_after(session: Session, thing_id: UUID, after: Mark = BEGINNING) -> Log:
    """Return the lines after a mark, at most 500; over when nothing is left and no job waits or runs."""
    about = jobs.of_thing(session, thing_id)[::-1]
    left = {job.id: number for number, job in enumerate(about, 1) if number >= after[0]}
    seen = after[1] if after[0] in left.values() else 0
    told = jobs.lines_of(session, list(left), seen, limit=MOST) if left else []
    found = [((left[job_id], line.seq), line) for job_id, line in told]
    is_open = any(job.state in (jobs.WAITING, jobs.RUNNING) for job in about)
    return Log(found, is_over=not is_open and not found)


def read_mark(text: str | None) -> Mark:
    """Read the mark back that a stream gave as the id of a line (`2.17`); raise Incomplete for anything else."""
    if not text:
        return BEGINNING
    job, _, line = text.partition(".")
    if not (job.isdecimal() and line.isdecimal() and len(text) < 20):
        raise Incomplete("Tanda lanjut catatan tidak dikenal. Mohon buka catatan dari awal.")
    return int(job), int(line)
