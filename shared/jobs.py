"""Long work as rows: claimed with a lease and a fence, journalled step by step, followed line by line.

A task of the queue only says "look at job X". Whoever claims it works without a transaction and records under the
fence: a worker that was frozen and comes back can no longer write.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    column,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import NotFound, Refused, Unavailable
from shared.log import logger
from shared.mailbox import metadata

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(80), nullable=False),
    Column("thing_id", String(200), nullable=False, index=True),
    Column("params", JSONB, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("most_attempts", Integer, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("hinted_at", DateTime(timezone=True)),
    Column("owner", String(200)),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("reason", Text),
    Column("result", JSONB),
    Column("trace", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Index("ix_job_open", "due_at", postgresql_where=text("state IN ('waiting', 'running')")),
    Index("ix_job_failed", "ended_at", postgresql_where=text("state = 'failed'")),
)
"""`params` and `result` hold ids and numbers, never a secret."""

job_step = Table(
    "job_step",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("fence", BigInteger, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
)

job_line = Table(
    "job_line",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("text", Text, nullable=False),
    Column("step", String(120), nullable=False, server_default=""),
    Column("state", String(16), nullable=False, server_default=""),
)

LEASE: Final = timedelta(seconds=60)
HEARTBEAT: Final = timedelta(seconds=15)
MOST_ATTEMPTS: Final = 5
PAUSES: Final = (5, 15, 60, 300)
"""Seconds before the second, third, … attempt."""
HINT_AGAIN: Final = timedelta(seconds=5)

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
"""waiting -> running -> done | failed; running -> waiting after a failed attempt or a lost worker."""


class FenceLost(Exception):  # noqa: N818 - it names what happened to the lease
    """Somebody else holds the job now: what this worker still wants to write is refused."""


@dataclass(frozen=True)
class Job:
    """One piece of long work."""

    id: UUID
    kind: str
    thing_id: str
    params: dict[str, Any]
    state: str
    attempts: int
    most_attempts: int
    trace: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Line:
    """One line of what a job tells while it runs."""

    seq: int
    at: datetime
    text: str
    step: str
    state: str


@dataclass(frozen=True)
class Step:
    """One step of a job's journal."""

    name: str
    ordinal: int
    state: str
    note: str
    started_at: datetime
    ended_at: datetime | None


def start(
    session: Session,
    kind: str,
    thing_id: object,
    params: dict[str, Any] | None = None,
    *,
    most_attempts: int = MOST_ATTEMPTS,
) -> Job:
    """Write down long work in the session's transaction; a worker takes it up after the commit.

    `params` hold ids and numbers, never a secret.
    """
    row = insert(job).values(
        id=uuid4(),
        kind=kind,
        thing_id=str(thing_id),
        params=params or {},
        state=WAITING,
        most_attempts=most_attempts,
        due_at=func.clock_timestamp(),
        trace=session.info.get("trace") or uuid4().hex,
        created_at=func.clock_timestamp(),
    )
    return _job(session.execute(row.returning(*job.c)).one())


def find(session: Session, job_id: UUID) -> Job:
    """Return one job; raise NotFound."""
    row = session.execute(select(job).where(job.c.id == job_id)).first()
    if row is None:
        raise NotFound("Pekerjaan itu tidak ada. Mohon periksa kembali alamatnya.")
    return _job(row)


def of_thing(session: Session, thing_id: object) -> list[Job]:
    """Return the jobs about one thing, newest first."""
    rows = session.execute(select(job).where(job.c.thing_id == str(thing_id)).order_by(job.c.created_at.desc()))
    return [_job(row) for row in rows]


def lines(session: Session, job_id: UUID, after: int = 0, *, limit: int = 500) -> list[Line]:
    """Return what a job told after line `after`, in order (the source of a live stream)."""
    rows = session.execute(
        select(*job_line.c["seq", "at", "text", "step", "state"])
        .where(job_line.c.job_id == job_id, job_line.c.seq > after)
        .order_by(job_line.c.seq)
        .limit(limit)
    )
    return [Line(**row._mapping) for row in rows]


def lines_of(session: Session, job_ids: Sequence[UUID], after: int = 0, *, limit: int = 500) -> list[tuple[UUID, Line]]:
    """Return what several jobs told, the oldest job first; of the first one named only what follows line `after`."""
    rows = session.execute(
        select(job_line)
        .join(job, job.c.id == job_line.c.job_id)
        .where(job.c.id.in_(job_ids), or_(job.c.id != job_ids[0], job_line.c.seq > after))
        .order_by(job.c.created_at, job.c.id, job_line.c.seq)
        .limit(limit)
    )
    return [(row.job_id, Line(row.seq, row.at, row.text, row.step, row.state)) for row in rows]


def steps(session: Session, job_id: UUID) -> list[Step]:
    """Return a job's journal in order."""
    rows = session.execute(
        select(*job_step.c["name", "ordinal", "state", "note", "started_at", "ended_at"])
        .where(job_step.c.job_id == job_id)
        .order_by(job_step.c.ordinal)
    )
    return [Step(**row._mapping) for row in rows]


def to_hint(session: Session, *, limit: int) -> list[UUID]:
    """Return jobs that a worker should look at, and note that they were hinted at: due, or their worker is gone."""
    rows = session.execute(
        text("""
        UPDATE msg.job SET hinted_at = clock_timestamp() WHERE id IN (
            SELECT id FROM msg.job
            WHERE ((state = 'waiting' AND due_at <= clock_timestamp())
                OR (state = 'running' AND lease_until < clock_timestamp()))
            AND (hinted_at IS NULL OR hinted_at < clock_timestamp() - CAST(:again AS interval)
                OR hinted_at > clock_timestamp())
            ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """),
        {"again": HINT_AGAIN, "limit": limit},
    )
    return list(rows.scalars())


def hint_again(session: Session) -> None:
    """Let the relay hint at waiting jobs at once: a worker has room again."""
    session.execute(text("UPDATE msg.job SET hinted_at = NULL WHERE state = 'waiting' AND hinted_at IS NOT NULL"))
    session.execute(text("SELECT pg_notify('msg_outbox', '')"))


def claim(database: Database, job_id: UUID, owner: str) -> "Lease | None":
    """Take a job up for a minute, or return None when it is done, not due or somebody works on it.

    The fence grows with each claim; the former holder's writes are refused from now on. When `lease.exhausted`
    the attempts are used up and all that is left is to fail it.
    """
    with database.transaction() as session:
        row = session.execute(
            text("""
            UPDATE msg.job SET state = 'running', owner = :owner, fence = fence + 1, attempts = attempts + 1,
                lease_until = clock_timestamp() + CAST(:lease AS interval),
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = :id AND (
                (state = 'waiting' AND due_at <= clock_timestamp())
                OR (state = 'running' AND lease_until < clock_timestamp())
            )
            RETURNING *, (SELECT coalesce(max(seq), 0) FROM msg.job_line WHERE job_id = :id) AS last_line
            """).columns(*job.c, column("last_line", Integer)),
            {"id": job_id, "owner": owner, "lease": LEASE},
        ).first()
    if row is None:
        return None
    return Lease(database, _job(row), owner, row.fence, row.last_line)


class Lease:
    """The right to work on one job, until somebody else gets it."""

    def __init__(self, database: Database, held: Job, owner: str, fence: int, last_line: int) -> None:
        self.database = database
        self.job = held
        self.owner = owner
        self.fence = fence
        self.lost = Event()
        """Set when the heartbeat found that somebody else holds the job."""
        self._line = last_line
        self._lines = Lock()

    @property
    def exhausted(self) -> bool:
        """Tell whether the job was taken up more often than it may be: its workers were killed."""
        return self.job.attempts > self.job.most_attempts

    def guard(self, session: Session) -> None:
        """Raise FenceLost unless this lease holds in the session's transaction, and keep it so until commit."""
        held = session.execute(
            select(job.c.id)
            .where(job.c.id == self.job.id, job.c.fence == self.fence, job.c.state == RUNNING)
            .with_for_update()
        ).first()
        if held is None:
            self.lost.set()
            raise FenceLost(f"job {self.job.id} is no longer held under fence {self.fence}")

    @contextmanager
    def recording(self) -> Iterator[Session]:
        """Open a transaction that stands only while the lease holds; raise FenceLost otherwise."""
        with self.database.transaction() as session:
            self.guard(session)
            session.info["trace"] = self.job.trace
            yield session

    @contextmanager
    def heartbeat(self, every: timedelta = HEARTBEAT) -> Iterator[None]:
        """Extend the lease every 15 seconds while the block runs, in a thread with its own connection."""
        over = Event()
        thread = Thread(target=self._beat, args=(over, every), name=f"heartbeat-{self.job.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, over: Event, every: timedelta) -> None:
        while not over.wait(every.total_seconds()):
            try:
                self.extend()
            except FenceLost:
                return
            except (DBAPIError, NoConnection) as reason:
                # The database may be back before the lease ends.
                logger().warning("heartbeat_missed", job=str(self.job.id), reason=str(reason))

    def extend(self) -> None:
        """Hold the job for another minute; raise FenceLost when somebody else has it."""
        with self.recording() as session:
            session.execute(
                update(job).where(job.c.id == self.job.id).values(lease_until=func.clock_timestamp() + LEASE)
            )

    @contextmanager
    def step(self, name: str) -> Iterator["StepJournal"]:
        """Write a journal line before and after the block; raise FenceLost when somebody else has the job.

        `journal.was_done` tells that an earlier attempt finished this step: then look whether its effect still
        stands before doing it again.
        """
        with self.recording() as session:
            before = session.execute(
                select(*job_step.c["state", "note"]).where(job_step.c.job_id == self.job.id, job_step.c.name == name)
            ).first()
            row = insert(job_step).values(
                job_id=self.job.id,
                name=name,
                ordinal=select(func.count() + 1).where(job_step.c.job_id == self.job.id).scalar_subquery(),
                state=RUNNING,
                fence=self.fence,
                started_at=func.clock_timestamp(),
            )
            session.execute(
                row.on_conflict_do_update(
                    index_elements=["job_id", "name"],
                    set_={
                        "state": RUNNING,
                        "fence": self.fence,
                        "started_at": row.excluded.started_at,
                        "ended_at": None,
                    },
                )
            )
        journal = StepJournal(was_done=before is not None and before.state == DONE, note=before.note if before else "")
        self.write_line(name, step=name, state=RUNNING)
        try:
            yield journal
        except BaseException as reason:
            # The worker is going down, or somebody else has the job: the journal must not hide the cause.
            with suppress(FenceLost, DBAPIError, NoConnection):
                self._end_step(name, FAILED, _told(reason))
            raise
        self._end_step(name, DONE, journal.note)

    def _end_step(self, name: str, state: str, note: str) -> None:
        with self.recording() as session:
            session.execute(
                update(job_step)
                .where(job_step.c.job_id == self.job.id, job_step.c.name == name)
                .values(state=state, note=note, ended_at=func.clock_timestamp())
            )
        self.write_line(note or name, step=name, state=state)

    def write_line(self, text: str, *, step: str = "", state: str = "") -> None:
        """Tell those who watch one line (secrets already masked); raise FenceLost when the lease is over."""
        with self._lines, self.recording() as session:
            session.execute(
                insert(job_line).values(
                    job_id=self.job.id,
                    seq=self._line + 1,
                    at=func.clock_timestamp(),
                    text=text.replace("\x00", "")[:4000],
                    step=step,
                    state=state,
                )
            )
            self._line += 1

    def finish(self, session: Session, result: dict[str, Any] | None = None) -> None:
        """Mark the job done in the transaction that records its effect; raise FenceLost."""
        self.guard(session)
        session.execute(
            update(job)
            .where(job.c.id == self.job.id)
            .values(state=DONE, result=result, reason=None, lease_until=None, ended_at=func.clock_timestamp())
        )

    def fail(self, session: Session, reason: str, *, again: bool) -> bool:
        """End this attempt: waiting for another one, or failed for good; return whether it failed for good."""
        self.guard(session)
        final = not again or self.job.attempts >= self.job.most_attempts
        pause = timedelta(seconds=PAUSES[min(self.job.attempts, len(PAUSES)) - 1])
        values = (
            {"state": FAILED, "ended_at": func.clock_timestamp()}
            if final
            else {"state": WAITING, "due_at": func.clock_timestamp() + pause, "hinted_at": None}
        )
        session.execute(
            update(job).where(job.c.id == self.job.id).values(reason=reason[:2000], lease_until=None, **values)
        )
        return final


@dataclass
class StepJournal:
    """What a step leaves in the journal."""

    was_done: bool
    note: str = ""


OnFailure = Callable[[Session, Job], None]


def work(lease: Lease, runner: Callable[[Database, Lease], None], *, on_failure: OnFailure | None = None) -> str:
    """Run a claimed job to the end of this attempt and return its state then, or "lost" when it was taken away.

    A runner that returns has finished (it may have called `finish` itself, in the transaction of its effect). What
    it raises is retried with growing pauses; a refusal (but "unavailable") is an answer, and final. `on_failure`
    is called in the transaction in which the job fails for good.
    """
    database = lease.database
    if lease.exhausted:
        return _fail(lease, "worker berhenti di tengah pekerjaan pada setiap percobaan", False, on_failure)
    try:
        with lease.heartbeat():
            runner(database, lease)
        with database.transaction() as session:
            if find(session, lease.job.id).state == RUNNING:
                lease.finish(session)
        return DONE
    except FenceLost:
        logger().warning("job_lost", job=str(lease.job.id), fence=lease.fence)
        return "lost"
    except Refused as reason:
        return _fail(lease, reason.detail, isinstance(reason, Unavailable), on_failure)
    except Exception as reason:  # the edge: whatever a runner raises ends this attempt, not the worker
        logger().warning("job_attempt_failed", job=str(lease.job.id), kind=lease.job.kind, exc_info=reason)
        return _fail(lease, _told(reason), True, on_failure)


def _fail(lease: Lease, reason: str, again: bool, on_failure: OnFailure | None) -> str:
    try:
        with lease.recording() as session:
            final = lease.fail(session, reason, again=again)
            if final and on_failure is not None:
                on_failure(session, find(session, lease.job.id))
    except FenceLost:
        return "lost"
    except Exception as trouble:  # the division's callback must not keep its job running for ever
        logger().error("job_failure_not_told", job=str(lease.job.id), exc_info=trouble)
        with lease.recording() as session:
            lease.fail(session, f"{reason} ({_told(trouble)})", again=False)
        final = True
    logger().warning("job_failed" if final else "job_waits", job=str(lease.job.id), reason=reason)
    return FAILED if final else WAITING


def _told(reason: BaseException) -> str:
    return (f"{type(reason).__name__}: {reason}").replace("\x00", "").strip()[:1000]


def _job(row: Any) -> Job:
    return Job(**{name.name: getattr(row, name.name) for name in fields(Job)})
