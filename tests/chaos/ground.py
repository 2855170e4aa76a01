"""The ground on which the chaos runs: real databases, a real broker, real worker processes, and one judge."""

import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import psutil
from sqlalchemy import text

from alur.embedded import Valkey
from shared import audit, mailbox
from shared.database import Database
from shared.keys import Keys
from shared.messages import PaymentMade
from tests.chaos.toy import EFFECT, TICKED
from tests.people import INDAH

if TYPE_CHECKING:
    from tests.conftest import Spares

PROJECT = Path(__file__).parents[2]
SETTLE_SECONDS = 30.0


# --- the judge ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A fact that was committed by its producer: `state` is "acked", "dead", "skipped" or "open"."""

    id: UUID
    stream: str
    version: int
    amount: int
    state: str


@dataclass(frozen=True)
class Effect:
    """What a fact did at its receiver, in the order in which it happened."""

    letter: UUID
    stream: str
    version: int
    amount: int


def judge(told: Iterable[Told], effects: Iterable[Effect]) -> list[str]:
    """Return every breach of I1 (nothing lost), I2 (nothing doubled), I3 (order) and I4 (sums); empty is innocent."""
    facts = {fact.id: fact for fact in told}
    seen = list(effects)
    breaches: list[str] = []
    dead: dict[str, int] = {}
    for fact in facts.values():
        if fact.state == "dead":
            dead[fact.stream] = min(fact.version, dead.get(fact.stream, fact.version))
    done: dict[UUID, int] = defaultdict(int)
    for effect in seen:
        done[effect.letter] += 1
        if effect.letter not in facts:
            breaches.append(f"I2: {effect.letter} acted and was never committed")
    for fact in facts.values():
        held = fact.stream in dead and fact.version > dead[fact.stream]
        if fact.state == "open" and not held:
            breaches.append(f"I1: {fact.stream} version {fact.version} is neither done, dead nor held")
        wanted = 1 if fact.state == "acked" else 0
        if done[fact.id] < wanted:
            breaches.append(f"I1: {fact.stream} version {fact.version} had no effect")
        if done[fact.id] > 1 or (fact.state in ("dead", "skipped") and done[fact.id]):
            breaches.append(f"I2: {fact.stream} version {fact.version} acted {done[fact.id]} times")
    streams = defaultdict(list)
    for effect in seen:
        streams[effect.stream].append(effect.version)
    breaches += [f"I3: {stream} acted as {versions}" for stream, versions in streams.items() if _disorder(versions)]
    producer = sum(fact.amount for fact in facts.values() if fact.state == "acked")
    receiver = sum(effect.amount for effect in seen if effect.letter in facts)
    if producer != receiver:
        breaches.append(f"I4: producer says {producer}, receiver {receiver}")
    return breaches


def _disorder(versions: list[int]) -> bool:
    return any(later <= earlier for earlier, later in pairwise(versions))


# --- processes ----------------------------------------------------------------------------------------------------


@dataclass
class Process:
    """A worker in a process of its own, with its pool children."""

    module: str
    told: dict[str, object]
    log: Path
    popen: "subprocess.Popen[bytes] | None" = None
    known: set[psutil.Process] = field(default_factory=set)

    def start(self, **more: object) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", self.module, orjson.dumps(self.told | more).decode()],
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def main(self) -> psutil.Process:
        assert self.popen is not None
        return psutil.Process(self.popen.pid)

    def children(self) -> list[psutil.Process]:
        """Return the pool children that live now."""
        with suppress(psutil.Error):
            self.known |= set(self.main.children(recursive=True))
        return [child for child in self.known if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]

    def kill(self) -> None:
        """Kill the main process with -9 and see that its children end."""
        assert self.popen is not None
        children = self.children()
        self.popen.kill()
        self.reap(children)

    def reap(self, children: Iterable[psutil.Process] = ()) -> int:
        """Wait for the end of the process; children that stay are killed."""
        assert self.popen is not None
        code = self.popen.wait(40)
        _, left = psutil.wait_procs(list(children), timeout=3)
        for child in left:
            with suppress(psutil.Error):
                child.kill()
        self.known.clear()
        return code

    def stop(self) -> int:
        """Ask it to end as an operator would, and return its exit code."""
        assert self.popen is not None
        children = self.children()
        if self.popen.poll() is None:
            self.popen.terminate()
        return self.reap(children)


def until(condition: Callable[[], object], *, seconds: float = SETTLE_SECONDS, what: str = "the condition") -> None:
    """Wait until a condition in another process holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:.0f} s")
        time.sleep(0.02)


# --- the two toy divisions ----------------------------------------------------------------------------------------


@dataclass
class Ground:
    """Budget and proposal with their databases, the broker and the worker process that serves both."""

    budget: Database
    proposal: Database
    keys: Keys
    valkey: Valkey
    worker: Process
    chance: random.Random
    told: int = 0

    def lay(self) -> None:
        """Make the tables of the toys."""
        for database in (self.budget, self.proposal):
            with database.transaction() as session:
                session.execute(text(EFFECT))
                session.execute(text(TICKED))

    def settings(self) -> dict[str, object]:
        return {
            "budget": self.budget.url,
            "proposal": self.proposal.url,
            "keys": str(self.keys.folder),
            "broker": self.valkey.url,
        }

    def tell(self, case: UUID, note: str = "", *, times: int = 1) -> None:
        """Commit payments of one case, each with its audit line."""
        with self.budget.transaction() as session:
            for _ in range(times):
                self.told += 1
                audit.record(session, INDAH, "pay", f"case:{case}", amount=self.told)
                payment = PaymentMade(
                    case_id=case, case_number="1/2026", note=note, term=1, amount=self.told, paid_amount=0
                )
                mailbox.post(session, payment, by=INDAH)

    def tell_at_random(self, count: int, *, cases: int = 12, between: Callable[[int], object] = lambda n: None) -> None:
        """Commit payments of some cases in random order, a few in a transaction; `between` is told how many."""
        some = [UUID(int=self.chance.getrandbits(128)) for _ in range(cases)]
        done = 0
        while done < count:
            times = self.chance.randint(1, 4)
            self.tell(self.chance.choice(some), times=times)
            done += times
            between(done)

    def open_letters(self) -> int:
        """Return how many letters of both divisions are neither done, dead nor held behind a dead one."""
        count = 0
        for database in (self.budget, self.proposal):
            with database.transaction() as session:
                count += session.execute(OPEN).scalar_one()
        return count

    def settle(self, *, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until every letter has arrived: the promise is thirty seconds after the last fault."""
        try:
            until(lambda: self.open_letters() == 0, seconds=seconds, what="the settling of all letters")
        except AssertionError:
            print(self.worker.log.read_text(errors="replace")[-6000:])
            raise

    def check(self) -> None:
        """Fail on any breach of I1-I4 and I6, in both directions."""
        sides = ((self.budget, self.proposal, "budget"), (self.proposal, self.budget, "proposal"))
        for producer, receiver, name in sides:
            breaches = judge(_told(producer), _effects(receiver, name))
            assert not breaches, f"{name}: {breaches[:10]}"
            with producer.transaction() as session:
                assert audit.verify(session)[1] == []


@contextmanager
def laid(spares: "Spares", state: Path, keys: Keys, *, name: str, seed: int = 0, **more: object) -> Iterator[Ground]:
    """Give a ground with its worker running; everything is stopped and given back at the end."""
    names = {service: spares.take(service) for service in ("budget", "proposal")}
    budget, proposal = (Database(spares.postgres.url(one, service)) for service, one in names.items())
    valkey = Valkey(state / name, ends_with_parent=True)
    worker = Process("tests.chaos.toy", {}, state / f"{name}.log")
    ground = Ground(budget, proposal, keys, valkey, worker, random.Random(seed))
    valkey.start()
    try:
        ground.lay()
        worker.told = ground.settings() | more
        worker.start()
        # A worker takes seconds to start; what a test times begins afterwards.
        ground.tell(UUID(int=0))
        ground.settle(seconds=2 * SETTLE_SECONDS)
        yield ground
    finally:
        if worker.popen is not None:
            worker.stop()
        valkey.stop()
        for service, database in (("budget", budget), ("proposal", proposal)):
            database.close()
            spares.give_back(service, names[service])


OPEN = text("""
SELECT count(*) FROM msg.outbox o WHERE acked_at IS NULL AND dead_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM msg.outbox d WHERE d.dest = o.dest AND d.aggregate = o.aggregate AND d.version < o.version
    AND d.dead_at IS NOT NULL)
""")


def _told(database: Database) -> list[Told]:
    with database.transaction() as session:
        rows = session.execute(
            text("""
            SELECT id, dest || ' ' || aggregate AS stream, version, kind,
                coalesce(body::json ->> 'amount', body::json ->> 'status', '0')::bigint AS amount,
                CASE WHEN kind = 'Skipped' THEN 'skipped' WHEN acked_at IS NOT NULL THEN 'acked'
                    WHEN dead_at IS NOT NULL THEN 'dead' ELSE 'open' END AS state
            FROM msg.outbox
            """)
        ).all()
    return [Told(row.id, row.stream, row.version, row.amount, row.state) for row in rows]


def _effects(database: Database, source: str) -> list[Effect]:
    with database.transaction() as session:
        rows = session.execute(
            text("SELECT letter, aggregate, version, amount FROM effect WHERE source = :source ORDER BY id"),
            {"source": source},
        ).all()
    dest = {"budget": "proposal", "proposal": "budget"}[source]
    return [Effect(row.letter, f"{dest} {row.aggregate}", row.version, row.amount) for row in rows]
