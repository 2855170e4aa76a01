"""A division's worker: empties the outbox into the broker, opens letters, does jobs, keeps the timetable.

This is the only file that publishes. One Celery app serves the queues of one division (many machines) or of all
of them (one machine). The broker holds hints and copies only; whatever it forgets, the relay sends again.

The relay is a thread beside Celery's main process: PostgreSQL nudges it at each commit, an advisory lock lets one
relay of a service be active, and it forks with nothing locked.
"""

import gc
import os
import select
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, lockf
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

# SIGTERM is to end the worker softly: read once, when billiard is imported. `celery worker` imports it before this
# file, so containers set the variable themselves.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from celery import Celery, bootsteps, signals
from celery.exceptions import SecurityWarning, SoftTimeLimitExceeded
from kombu.connection import Connection
from kombu.entity import Queue
from psycopg.errors import Error as PostgresError
from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import text
from sqlalchemy.orm import Session, configure_mappers

from shared import clock, jobs, mailbox
from shared.database import Database
from shared.errors import Unavailable
from shared.keys import Keys
from shared.log import logger
from shared.mailbox import RELAY_LOCK, Handler, Letter, Outcome
from shared.messages import Message

M = TypeVar("M", bound=Message)
MessageHandler = Callable[[Session, M, Letter], None]
JobRunner = Callable[[Database, jobs.Lease], None]
TimedWork = Callable[[Database], None]

CONCURRENCY: Final = 3
EPOCH: Final = "alur:epoch"
ROOM: Final = 4
"""Most tasks that may wait in a receiver's queue. What a busy receiver cannot take stays in the outbox and gathers
there: fifty letters in one task cost a fraction of fifty tasks."""
POLL_SECONDS: Final = 1.0
CALM_SECONDS: Final = 5.0
"""The net under the nudges while no letter and no job is open at all; the timetable may be as late as this."""
BUSY_SECONDS: Final = 0.05
"""Rest while a receiver does not keep up: what is written in the meantime travels together."""
BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
TICK_AGAIN_SECONDS: Final = 15.0
JOB_SOFT_LIMIT: Final = 3600
END_AT_LAST_SECONDS: Final = 30.0
"""After the 20 that work at hand is given: then a worker that was told to stop is gone, come what may (F34)."""
JOB_LIMIT: Final = JOB_SOFT_LIMIT + 60

SETTINGS: Final[Mapping[str, Any]] = {
    # The outbox sends again. With late acknowledgement a Celery 5.7.0 worker exits when Redis drops during a task.
    "task_acks_late": False,
    "task_ignore_result": True,
    "result_backend": None,
    "accept_content": ["json"],
    "task_serializer": "json",
    # A publisher that waits for the broker would hold the relay's transaction open.
    "task_publish_retry": False,
    "task_create_missing_queues": False,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_soft_time_limit": 25,
    "task_time_limit": 30,
    "worker_max_tasks_per_child": 1000,
    "worker_soft_shutdown_timeout": 20,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # kombu's own record of unacknowledged tasks is left out, and with it visibility_timeout: an acknowledgement
        # that fails because Redis just went away would keep its place in the prefetch for ever, and a worker whose
        # places are all lost in this way sits still without noticing (F2). What is lost instead, the outbox sends.
        "ack_emulation": False,
        # No priorities: one list for each queue to wait on instead of four.
        "priority_steps": [0],
    },
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "enable_utc": True,
    "timezone": "UTC",
}


def at_fault_point(name: str) -> None:
    """Do nothing; the chaos tests put a crash here (`shared.worker.at_fault_point = …`)."""


@dataclass(frozen=True)
class _Work:
    """What runs one kind of job."""

    runner: JobRunner
    on_failure: jobs.OnFailure | None


@dataclass
class Worker:
    """What one division does when a letter, a job or an hour comes; filled by decorators in its `tasks.py`."""

    service: str
    database: Database
    keys: Keys
    handlers: dict[str, Handler] = field(default_factory=dict)
    runners: dict[str, _Work] = field(default_factory=dict)
    timetable: dict[str, tuple[clock.Entry, TimedWork]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        prune = next(entry for entry in (*clock.TIMETABLE, self._daily()) if entry.service == self.service)
        self.timetable[prune.name] = (prune, _prune)
        # Its mark says more than a process that is there: the hint went by the broker to a child and back to here.
        beat = clock.Entry(self.service, clock.HEARTBEAT, clock.MINUTE)
        self.timetable[beat.name] = (beat, lambda database: None)

    def _daily(self) -> clock.Entry:
        return clock.Entry(self.service, "prune", clock.DAY)

    def handles(self, message: type[M]) -> Callable[[MessageHandler[M]], MessageHandler[M]]:
        """Register what this division does about a message: `(session, message, letter) -> None`."""
        kind = message.__name__
        if self.service not in message.to:
            raise ValueError(f"{kind} is not addressed to {self.service}")
        if kind in self.handlers:
            raise ValueError(f"{kind} has a handler in {self.service} already")

        def register(call: MessageHandler[M]) -> MessageHandler[M]:
            self.handlers[kind] = Handler(message, call)
            return call

        return register

    def runs(self, kind: str, *, on_failure: jobs.OnFailure | None = None) -> Callable[[JobRunner], JobRunner]:
        """Register what runs a kind of job: `(database, lease) -> None`, outside any transaction.

        `on_failure(session, job)` is called in the transaction in which a job fails for good.
        """
        if kind in self.runners:
            raise ValueError(f"{kind} has a runner in {self.service} already")

        def register(runner: JobRunner) -> JobRunner:
            self.runners[kind] = _Work(runner, on_failure)
            return runner

        return register

    def every(self, *, seconds: int, name: str, after: int = 0) -> Callable[[TimedWork], TimedWork]:
        """Register what happens by itself once in each period: `(database) -> None`."""
        if name in self.timetable:
            raise ValueError(f"{name} stands in the timetable of {self.service} already")

        def register(work: TimedWork) -> TimedWork:
            self.timetable[name] = (clock.Entry(self.service, name, seconds, after), work)
            return work

        return register

    # --- what the tasks do; called directly by tests that carry letters by hand -----------------------------------

    def receive(self, wires: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Let letters take effect and return what became of them."""
        return mailbox.receive(
            self.database,
            wires,
            service=self.service,
            keys=self.keys,
            handlers=self.handlers,
            interrupts=(SoftTimeLimitExceeded,),
        )

    def acknowledge(self, wires: Sequence[Mapping[str, Any]]) -> None:
        """Take in acknowledgements of our letters."""
        with self.database.transaction() as session:
            for wire in wires:
                mailbox.acknowledge(session, wire, producer=self.service, keys=self.keys)

    def run(self, job_id: UUID) -> str | None:
        """Work on a job when it can be claimed; return its state afterwards, None when there was nothing to do."""
        lease = jobs.claim(self.database, job_id, f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:8]}")
        if lease is None:
            return None
        work = self.runners.get(lease.job.kind)
        if work is None:
            # A newer version of Alur started it; its worker will come.
            with lease.recording() as session:
                lease.fail(session, f"pekerjaan “{lease.job.kind}” belum dikenal di sini", again=True)
            return jobs.WAITING
        return jobs.work(lease, work.runner, on_failure=work.on_failure)

    def tick(self, name: str) -> bool:
        """Do what the timetable names unless it was done in this period; return whether it was done now."""
        if name not in self.timetable:
            return False
        entry, work = self.timetable[name]
        with self.database.transaction() as session:
            if not clock.due(session, entry):
                return False
        work(self.database)
        return True


def _prune(database: Database) -> None:
    with database.transaction() as session:
        counts = mailbox.prune(session)
    logger().info("mailbox_pruned", **counts)


# --- the Celery app -----------------------------------------------------------------------------------------------


def celery_app(
    workers: Sequence[Worker], broker_url: str, *, concurrency: int = CONCURRENCY, ticks: bool = True
) -> Celery:
    """Return the Celery app that serves these divisions: their tasks, queues, relays and clocks.

    With `ticks=False` the relays do not tick: the clock of the split shape does (`run_clock`).
    """
    app = Celery("alur", broker=broker_url, set_as_current=False)
    app.conf.update(SETTINGS)
    queue: Any = Queue
    app.conf.task_queues = [queue(name) for worker in workers for name in _queues(worker.service)]
    app.conf.task_default_queue = app.conf.task_queues[0].name
    app.conf.worker_concurrency = concurrency
    # Half-made jobs must not keep letters waiting: at least one child is always left for them.
    slots = _Slots(max(1, concurrency - 1))
    for worker in workers:
        _add_tasks(app, worker, slots)
    app.steps["worker"].add(_relays(app, workers, ticks=ticks))

    def forget_inherited_connections(**_: Any) -> None:
        for worker in workers:
            worker.database.engine.dispose(close=False)

    signals.worker_process_init.connect(forget_inherited_connections, weak=False)
    return app


def run_worker(
    workers: Sequence[Worker], broker_url: str, concurrency: int = CONCURRENCY, *, ticks: bool = True
) -> int:
    """Serve until SIGTERM or Ctrl-C and return the exit code; work at hand is given 20 seconds.

    Raise Unavailable when the broker may evict what it holds.
    """
    app = celery_app(workers, broker_url, concurrency=concurrency, ticks=ticks)
    with suppress(OSError, *app.connection_for_write().connection_errors):
        refuse_eviction(broker_url, app)
    serving = app.Worker(
        hostname=f"alur-{os.getpid()}@%h",
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    # Celery warns root of pickled tasks; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # What is there before the pool forks stays shared between its children; the mappers else work out their relations
    # in each of them.
    configure_mappers()
    gc.collect()
    gc.freeze()
    signals.worker_shutting_down.connect(_end_at_last, weak=False)
    serving.start()
    return int(serving.exitcode or 0)


def _end_at_last(**_: Any) -> None:
    # With the broker away, Celery would wait for it while it shuts down; what was at hand is sent again anyway.
    guard = threading.Timer(END_AT_LAST_SECONDS, os._exit, args=(0,))
    guard.daemon = True
    guard.start()


def refuse_eviction(broker_url: str, app: Celery | None = None) -> None:
    """Raise Unavailable unless the broker refuses when it is full: one that evicts would lose hints in silence."""
    app = app or _publisher_app(broker_url)
    with app.connection_for_write() as connection:
        _refuse_eviction(_Publisher(app, connection).connection)


def run_clock(broker_url: str, entries: Sequence[clock.Entry] = clock.TIMETABLE, *, stop: threading.Event) -> None:
    """Announce the timetable until `stop` is set (the `clock` container); the services' marks decide."""
    app = _publisher_app(broker_url)
    announced: dict[clock.Entry, tuple[int, float]] = {}
    while not stop.is_set():
        try:
            with app.connection_for_write() as connection:
                publisher = _Publisher(app, connection)
                while not stop.wait(POLL_SECONDS):
                    for entry in _to_announce(entries, announced, known={}):
                        publisher.tick(entry)
        except Exception as reason:  # the edge of the thread: the broker may be away for long
            logger().warning("clock_waits_for_the_broker", reason=str(reason))
            stop.wait(BACKOFF_SECONDS[-1])


def _publisher_app(broker_url: str) -> Celery:
    app = Celery("alur-clock", broker=broker_url, set_as_current=False)
    app.conf.update(SETTINGS)
    return app


def _queues(service: str) -> tuple[str, str, str]:
    return (f"{service}.msg", f"{service}.ack", f"{service}.job")


def _add_tasks(app: Celery, worker: Worker, slots: "_Slots") -> None:
    service = worker.service

    @app.task(name=f"{service}.receive")  # type: ignore[untyped-decorator]
    def receive(batch: list[dict[str, Any]]) -> None:
        outcomes = worker.receive(batch)
        sources = sorted({outcome.source for outcome in outcomes})
        _answer(
            app,
            {
                source: mailbox.seal_acks(outcomes, consumer=service, source=source, keys=worker.keys)
                for source in sources
            },
        )

    @app.task(name=f"{service}.acknowledge")  # type: ignore[untyped-decorator]
    def acknowledge(batch: list[dict[str, Any]]) -> None:
        worker.acknowledge(batch)

    @app.task(name=f"{service}.run", soft_time_limit=JOB_SOFT_LIMIT, time_limit=JOB_LIMIT)  # type: ignore[untyped-decorator]
    def run(job_id: str) -> None:
        with slots.one() as free:
            if free and worker.run(UUID(job_id)) is not None:
                with worker.database.transaction() as session:
                    jobs.hint_again(session)

    @app.task(name=f"{service}.tick", soft_time_limit=JOB_SOFT_LIMIT, time_limit=JOB_LIMIT)  # type: ignore[untyped-decorator]
    def tick(name: str) -> None:
        worker.tick(name)


class _Slots:
    """How many jobs may run at once in this worker: locks that the system gives back when their holder dies.

    Each slot is a byte of a file without a name that the pool children inherit; a lock belongs to one process.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the worker lives

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Hold a slot while the block runs; yields False when all are taken."""
        for number in range(self.most):
            try:
                lockf(self._file, LOCK_EX | LOCK_NB, 1, number)
            except OSError:
                continue
            try:
                yield True
            finally:
                lockf(self._file, LOCK_UN, 1, number)
            return
        yield False


# --- publishing ---------------------------------------------------------------------------------------------------


class _Publisher:
    """Puts tasks into queues, of this worker or another's, over one connection."""

    def __init__(self, app: Celery, connection: Connection) -> None:
        self.app = app
        # Without this, the first use would wait for the broker for ever.
        ready: Any = connection
        self.connection: Connection = ready.ensure_connection(max_retries=0)
        self.producer: Any = app.amqp.Producer(connection, auto_declare=False)

    @property
    def client(self) -> Any:
        """Return the Redis client of the connection, with its time limits."""
        return _client(self.connection)

    def parcels(self, parcels: Sequence[mailbox.Parcel]) -> None:
        """Publish parcels in one flight."""
        with self.producer.batch():
            for parcel in parcels:
                self._task(f"{parcel.dest}.receive", list(parcel.wires), f"{parcel.dest}.msg")

    def acks(self, wire: dict[str, Any], source: str) -> None:
        """Publish acknowledgements for a producer."""
        self._task(f"{source}.acknowledge", [wire], f"{source}.ack")

    def job(self, service: str, job_id: UUID) -> None:
        """Publish a hint: look at this job."""
        self._task(f"{service}.run", str(job_id), f"{service}.job")

    def tick(self, entry: clock.Entry) -> None:
        """Publish a hint: look at the timetable."""
        self._task(f"{entry.service}.tick", entry.name, f"{entry.service}.job")

    def _task(self, name: str, argument: Any, queue: str) -> None:
        headers, properties, body, _ = self.app.amqp.as_task_v2(
            str(uuid4()), name, (argument,), ignore_result=True, argsrepr="-", kwargsrepr="-"
        )
        self.producer.publish(
            body, exchange="", routing_key=queue, serializer="json", delivery_mode=1, headers=headers, **properties
        )


_child = threading.local()


def _answer(app: Celery, acks: Mapping[str, dict[str, Any]]) -> None:
    """Publish acknowledgements over the connection that this pool child keeps.

    Nothing is lost by one that cannot be sent: the letter comes again, is known, and is acknowledged then.
    """
    try:
        kept: tuple[int, _Publisher] | None = getattr(_child, "publisher", None)
        if kept is None or kept[0] != os.getpid():
            kept = (os.getpid(), _Publisher(app, app.connection_for_write()))
            _child.publisher = kept
        for source, wire in acks.items():
            kept[1].acks(wire, source)
    except Exception as reason:  # the edge: the broker is away
        _child.publisher = None
        logger().warning("acknowledgement_not_sent", reason=_short(reason))


def _client(connection: Connection) -> Any:
    channel: Any = connection.default_channel
    return channel.client


def _refuse_eviction(connection: Connection) -> None:
    policy = _client(connection).info("memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise Unavailable(
            f"Redis memakai maxmemory-policy “{policy}”, sehingga dapat membuang isi antrean tanpa tanda. "
            f"Mohon atur menjadi noeviction, lalu jalankan kembali."
        )


# --- the relay ----------------------------------------------------------------------------------------------------


def _relays(app: Celery, workers: Sequence[Worker], *, ticks: bool) -> type[bootsteps.StartStopStep]:
    """Return the boot step that starts the relays after the pool has forked, and stops them with the worker."""
    relays: list[Relay] = []

    class Relays(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            for worker in workers:
                relay = Relay(app, worker, ticks=ticks)
                relays.append(relay)
                relay.start()

        def stop(self, parent: Any) -> None:
            for relay in relays:
                relay.end()
            for relay in relays:
                relay.join(5)
            relays.clear()

        terminate = stop

    return Relays


_quiet: set[threading.Lock] = set()
"""Held by relays while they work: a child is forked only between their steps, when no lock of theirs is taken."""


def _hold_relays() -> None:
    for lock in tuple(_quiet):
        lock.acquire()


def _let_relays_go() -> None:
    for lock in tuple(_quiet):
        lock.release()


def _forget_relays() -> None:
    _quiet.clear()


os.register_at_fork(before=_hold_relays, after_in_parent=_let_relays_go, after_in_child=_forget_relays)


class Relay(threading.Thread):
    """Carries one service's outbox and job hints to the broker; one is active, others stand by.

    It owns a connection to the database whose advisory lock makes it the active one: when that connection breaks,
    what it was about to mark is undone, and another relay may take over.
    """

    def __init__(self, app: Celery, worker: Worker, *, ticks: bool = True) -> None:
        super().__init__(name=f"relay-{worker.service}", daemon=True)
        self.app = app
        self.worker = worker
        self.ticks = ticks
        self.stop = threading.Event()
        self.active = False
        self._wake, self._waker = socket.socketpair()
        self._busy = threading.Lock()
        self._nudged = False
        self._epoch = ""
        self._announced: dict[clock.Entry, tuple[int, float]] = {}
        self._dests = sorted(
            {dest for message in _every_message().values() for dest in message.to if dest != worker.service}
        )

    def end(self) -> None:
        """Ask the relay to end; it wakes at once."""
        self.stop.set()
        # It may have ended by itself in this moment; a closed socket only says so.
        with suppress(OSError):
            self._waker.send(b".")

    def run(self) -> None:
        """Serve until stopped, whatever goes away and comes back."""
        _quiet.add(self._busy)
        failures = 0
        while not self.stop.is_set():
            # Its own pool of one: nothing that a forked child inherits is in use here.
            database = Database(self.worker.database.url, pool_size=1, application_name=f"{self.worker.service}-relay")
            begun = time.monotonic()
            try:
                with self._working():
                    connection = database.engine.connect()
                with connection:
                    self._serve(connection)
            except Exception as reason:  # the edge of the thread: PostgreSQL or the broker went away
                failures = 0 if time.monotonic() - begun > 10 else failures + 1
                with self._working():
                    logger().warning("relay_interrupted", service=self.worker.service, reason=_short(reason))
            finally:
                self.active = False
                with self._working():
                    database.close()
            self.stop.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
        _quiet.discard(self._busy)
        self._wake.close()
        self._waker.close()

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._busy:
            yield

    def _serve(self, connection: DatabaseConnection) -> None:
        with self._working():
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.add_notify_handler(self._nudge)
        while not self.active:
            with self._working(), connection.begin():
                self.active = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": RELAY_LOCK}))
            if not self.active and self.stop.wait(POLL_SECONDS):
                return
        with self._working(), connection.begin():
            connection.execute(text("LISTEN msg_outbox"))
            # A mark that is lost in a crash costs one more send, no more.
            connection.execute(text("SET synchronous_commit = off"))
        with self.app.connection_for_write() as broker:
            with self._working():
                publisher = _Publisher(self.app, broker)
                _refuse_eviction(broker)
                logger().info("relay_active", service=self.worker.service)
            while not self.stop.is_set():
                with self._working():
                    pause = self._step(connection, publisher)
                if pause == BUSY_SECONDS:
                    self.stop.wait(pause)
                elif pause and not self._nudged:
                    # Woken by PostgreSQL's notice; the pause is the net under it.
                    select.select([driver.fileno(), self._wake], [], [], pause)

    def _nudge(self, _: Any) -> None:
        self._nudged = True

    def _step(self, connection: DatabaseConnection, publisher: _Publisher) -> float:
        """Carry what may travel now; return how long to wait, 0 when there may be more."""
        nudged, self._nudged = self._nudged, False
        if not nudged:
            waits = self._waits(connection)
            if not (waits.letters or waits.work):
                if self.ticks:
                    self._tick(connection, publisher)
                return POLL_SECONDS if waits.jobs else CALM_SECONDS
        room = self._room(connection, publisher)
        sent = self._carry(connection, publisher, room)
        # After the letters: a nudge is nearly always theirs, and they are in a hurry.
        if self._waits(connection).work and room[self.worker.service] > 0:
            with Session(connection) as session, session.begin():
                for job_id in jobs.to_hint(session, limit=ROOM):
                    publisher.job(self.worker.service, job_id)
        if self.ticks:
            self._tick(connection, publisher)
        # A receiver that is away keeps what it has; only one that has no place for more is asked again so soon.
        enough = ROOM if sent else 1
        if any(room[dest] < enough for dest in self._dests):
            return BUSY_SECONDS
        return 0 if sent else POLL_SECONDS

    def _waits(self, connection: DatabaseConnection) -> Any:
        """Tell whether letters wait, whether work is to be hinted at now, and whether there are jobs at all."""
        with connection.begin():
            return connection.execute(_WAITS).one()

    def _room(self, connection: DatabaseConnection, publisher: _Publisher) -> dict[str, int]:
        """Return how many tasks each receiver's queue, and our own for jobs, may still take."""
        with publisher.client.pipeline(transaction=False) as asked:
            asked.get(EPOCH)
            for dest in self._dests:
                asked.llen(f"{dest}.msg")
            asked.llen(f"{self.worker.service}.job")
            epoch, *waiting = asked.execute()
        self._heed_epoch(connection, publisher.client, epoch)
        names = (*self._dests, self.worker.service)
        return {name: ROOM - tasks for name, tasks in zip(names, waiting, strict=True)}

    def _carry(self, connection: DatabaseConnection, publisher: _Publisher, room: Mapping[str, int]) -> int:
        letters = {dest: room[dest] for dest in self._dests}
        with Session(connection) as session, session.begin():
            parcels = mailbox.take(session, source=self.worker.service, keys=self.worker.keys, room=letters)
            if parcels:
                publisher.parcels(parcels)
                at_fault_point("published")
                mailbox.mark_sent(session, parcels)
        return len(parcels)

    def _heed_epoch(self, connection: DatabaseConnection, client: Any, epoch: bytes | None) -> None:
        """Let everything be due when the broker has forgotten: its epoch is missing or another one."""
        if epoch is None:
            client.set(EPOCH, uuid4().hex, nx=True)
            epoch = client.get(EPOCH)
        told = epoch.decode() if isinstance(epoch, bytes) else str(epoch)
        if told == self._epoch:
            return
        with Session(connection) as session, session.begin():
            if mailbox.broker_epoch(session, self.worker.service) != told:
                count = mailbox.due_now(session)
                mailbox.note_epoch(session, self.worker.service, told)
                if count:
                    logger().warning("broker_forgot", service=self.worker.service, letters_due=count)
        self._epoch = told

    def _tick(self, connection: DatabaseConnection, publisher: _Publisher) -> None:
        entries = [entry for entry, _ in self.worker.timetable.values()]
        if not any(True for _ in _to_announce(entries, dict(self._announced), known={})):
            return
        with Session(connection) as session, session.begin():
            known = clock.marks(session)
        for entry in _to_announce(entries, self._announced, known=known):
            publisher.tick(entry)


_WAITS = text("""
SELECT EXISTS (SELECT 1 FROM msg.outbox WHERE sent_at IS NULL AND acked_at IS NULL AND dead_at IS NULL)
    OR EXISTS (SELECT 1 FROM msg.outbox WHERE sent_at IS NOT NULL AND acked_at IS NULL AND dead_at IS NULL)
    AS letters,
    EXISTS (SELECT 1 FROM msg.job WHERE state = 'waiting' AND due_at <= clock_timestamp()
        OR state = 'running' AND lease_until < clock_timestamp()) AS work,
    EXISTS (SELECT 1 FROM msg.job WHERE state IN ('waiting', 'running')) AS jobs
""")


def _to_announce(
    entries: Sequence[clock.Entry],
    announced: dict[clock.Entry, tuple[int, float]],
    *,
    known: Mapping[str, int],
) -> Iterator[clock.Entry]:
    """Yield entries whose period has begun and that are not marked yet, each again only after a while."""
    now = time.monotonic()
    for entry in entries:
        period = entry.period()
        told_period, told_at = announced.get(entry, (None, 0.0))
        if told_period == period and now - told_at < TICK_AGAIN_SECONDS:
            continue
        if known.get(entry.name) == period:
            # Marked: nothing to say until the period ends.
            announced[entry] = (period, float("inf"))
            continue
        announced[entry] = (period, now)
        yield entry


def _every_message() -> dict[str, type[Message]]:
    from shared.messages import every_message

    return every_message()


def _short(reason: BaseException) -> str:
    cause = reason.__cause__ if isinstance(reason.__cause__, PostgresError) else reason
    return f"{type(cause).__name__}: {cause}".split("\n")[0][:300]
