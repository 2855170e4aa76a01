"""Faults between two divisions: whatever is killed, nothing is lost, doubled or out of order (F1-F22)."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import redis
from sqlalchemy import text

from alur.embedded import Valkey
from shared import mailbox
from shared.database import Database
from shared.keys import Keys
from shared.worker import RELAY_LOCK, Relay, _Publisher, celery_app
from tests.chaos.control import control_app
from tests.chaos.ground import Effect, Ground, Process, Told, judge, laid, until
from tests.chaos.toy import toys

if TYPE_CHECKING:
    from tests.conftest import Spares

pytestmark = pytest.mark.live

SEED = int(os.environ.get("ALUR_CHAOS_SEED", "0")) or random.randrange(10**6)


@pytest.fixture(scope="module")
def ground(spares: "Spares", state: Path, keys: Keys) -> Iterator[Ground]:
    print(f"chaos seed {SEED}: ALUR_CHAOS_SEED={SEED} repeats it")
    with laid(spares, state, keys, name="chaos", seed=SEED) as made:
        yield made


@pytest.fixture(autouse=True)
def innocent(ground: Ground) -> Iterator[None]:
    """Judge after every fault."""
    yield
    ground.settle()
    ground.check()


def broker(ground: Ground) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(ground.valkey.socket))


def test_f1_a_broker_that_forgets_everything_loses_nothing(ground: Ground) -> None:
    with broker(ground) as client:
        ground.tell_at_random(120, between=lambda done: client.flushall() if ground.chance.random() < 0.1 else None)
        client.flushall()

        ground.settle()


def test_f2_a_broker_killed_while_letters_travel_loses_nothing(ground: Ground) -> None:
    def kill(done: int) -> None:
        if done in range(40, 44) and ground.valkey.pid:
            os.kill(ground.valkey.pid, signal.SIGKILL)

    ground.tell_at_random(80, between=kill)
    ground.valkey.start()

    ground.settle()


def test_f6_a_killed_pool_child_loses_nothing(ground: Ground) -> None:
    def kill(done: int) -> None:
        children = ground.worker.children()
        if ground.chance.random() < 0.08 and children:
            ground.chance.choice(children).kill()

    ground.tell_at_random(120, between=kill)

    ground.settle()


def test_f7_a_killed_worker_loses_nothing(ground: Ground) -> None:
    ground.tell_at_random(60, between=lambda done: ground.worker.kill() if 30 <= done < 34 and alive(ground) else None)
    assert not alive(ground)

    ground.worker.start()

    ground.settle()


def alive(ground: Ground) -> bool:
    assert ground.worker.popen is not None
    return ground.worker.popen.poll() is None


def test_f8_a_relay_killed_between_publishing_and_marking_doubles_nothing(ground: Ground, tmp_path: Path) -> None:
    ground.worker.stop()
    ground.worker.start(fault="published:2", mark=str(tmp_path / "crashed"))

    ground.tell_at_random(30)
    until(lambda: not alive(ground), what="the crash of the relay")
    ground.worker.reap()
    ground.worker.start()

    ground.settle()
    assert (tmp_path / "crashed").exists()


def test_f9_of_two_relays_one_is_active(ground: Ground, state: Path) -> None:
    second = Process("tests.chaos.toy", ground.settings(), state / "second.log")
    second.start()
    try:
        until(lambda: relays(ground) == 2, what="the second relay")

        ground.tell_at_random(60)

        assert holders(ground) == 1
        ground.settle()
        ground.worker.kill()
        ground.tell_at_random(20)
        ground.settle()
        assert holders(ground) == 1
    finally:
        second.stop()
        if not alive(ground):
            ground.worker.start()


def relays(ground: Ground) -> int:
    with ground.budget.transaction() as session:
        return int(
            session.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE application_name = 'budget-relay' AND datname = current_database()"
                )
            ).scalar_one()
        )


def holders(ground: Ground) -> int:
    with ground.budget.transaction() as session:
        return int(
            session.execute(
                text(
                    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                    " WHERE d.datname = current_database() AND locktype = 'advisory' AND objid = :lock AND granted"
                ),
                {"lock": RELAY_LOCK},
            ).scalar_one()
        )


@pytest.mark.parametrize("poison", ["raise", "kill"])
def test_f17_f18_poison_is_dead_after_five_and_its_neighbours_do_not_wait(ground: Ground, poison: str) -> None:
    case, neighbour = uuid4(), uuid4()
    ground.tell(case, times=2)
    ground.settle()
    ground.tell(case, poison)
    ground.tell(case, times=2)

    def dead() -> list[mailbox.DeadLetter]:
        with ground.budget.transaction() as session:
            # Time passes quickly for what was refused or lost: the pauses are not what is tested.
            session.execute(
                text(
                    "UPDATE msg.outbox SET due_at = clock_timestamp()"
                    " WHERE sent_at < clock_timestamp() - interval '0.4 s' AND acked_at IS NULL AND dead_at IS NULL"
                )
            )
            return mailbox.dead_letters(session)

    until(dead, what="the death of the poison")
    ground.tell(neighbour, times=5)
    ground.settle()
    (letter,) = dead()
    assert (letter.held, letter.version) == (2, 3)
    assert slowest(ground, neighbour) < 5

    with ground.budget.transaction() as session:
        mailbox.skip(session, letter.id, reason="uji coba")
    ground.settle()

    assert [effect.version for effect in effects(ground, case)] == [1, 2, 4, 5]


def effects(ground: Ground, case: UUID) -> list[Effect]:
    with ground.proposal.transaction() as session:
        rows = session.execute(
            text("SELECT letter, aggregate, version, amount FROM effect WHERE aggregate = :a ORDER BY id"),
            {"a": f"case:{case}"},
        )
        return [Effect(*row) for row in rows]


def slowest(ground: Ground, case: UUID) -> float:
    """Return the longest time from commit to effect of a case, in seconds."""
    told = times(ground.budget, "SELECT id, created_at FROM msg.outbox WHERE aggregate = :case", case)
    acted = times(ground.proposal, "SELECT letter, at FROM effect WHERE aggregate = :case", case)
    return max((at - told[letter]).total_seconds() for letter, at in acted.items())


def times(database: Database, query: str, case: UUID) -> dict[UUID, datetime]:
    with database.transaction() as session:
        return {row[0]: row[1] for row in session.execute(text(query), {"case": f"case:{case}"})}


@pytest.fixture
def publisher(ground: Ground) -> Iterator[_Publisher]:
    """Return what puts anything into the queues, past the relay."""
    workers = toys(ground.budget.url, ground.proposal.url, ground.keys.folder)
    app = celery_app(workers, ground.valkey.url)
    with app.connection_for_write() as connection:
        yield _Publisher(app, connection)
    for worker in workers:
        worker.database.close()


def wires_of(ground: Ground, count: int) -> list[dict[str, object]]:
    """Commit payments and return their letters as a relay would send them."""
    cases = [uuid4() for _ in range(3)]
    with ground.budget.transaction() as session:
        session.execute(text("LOCK TABLE msg.outbox IN SHARE MODE"))
    for number in range(count):
        ground.tell(cases[number % 3])
    with ground.budget.transaction() as session:
        rows = session.execute(
            text("SELECT * FROM msg.outbox WHERE aggregate = ANY(:a) ORDER BY seq"), {"a": [f"case:{c}" for c in cases]}
        ).all()
    return [mailbox.seal(row, source="budget", keys=ground.keys) for row in rows]


def test_f21_every_letter_five_times_and_shuffled_acts_once_and_in_order(ground: Ground, publisher: _Publisher) -> None:
    wires = wires_of(ground, 30) * 5
    ground.chance.shuffle(wires)

    publisher.parcels([mailbox.Parcel("proposal", tuple(wires[n : n + 10]), ()) for n in range(0, len(wires), 10)])

    until(lambda: not queued(ground), what="the empty queue")


def queued(ground: Ground) -> int:
    with broker(ground) as client:
        return int(client.llen("proposal.msg"))


def test_f22_a_letter_with_a_wrong_signature_is_counted_and_dropped(ground: Ground, publisher: _Publisher) -> None:
    (wire,) = wires_of(ground, 1)
    ground.settle()
    forged = {**wire, "letter": str(wire["letter"]).replace('"amount":', '"amount":9')}

    publisher.parcels([mailbox.Parcel("proposal", (forged, {"letter": "\0"}, {}), ())])

    until(lambda: alarms(ground) == 3, what="three alarms")


def alarms(ground: Ground) -> int:
    with ground.proposal.transaction() as session:
        return int(
            session.execute(text("SELECT coalesce(sum(count), 0) FROM msg.alarm WHERE kind = 'signature'")).scalar_one()
        )


@pytest.mark.parametrize("late", [False, True], ids=["early acknowledgement", "late acknowledgement"])
def test_a_task_sent_after_the_commit_is_found_guilty(
    database_of: Callable[[str], Database], valkey: Valkey, tmp_path: Path, state: Path, late: bool
) -> None:
    database = database_of("helpdesk")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE told (id uuid, version int, amount int)"))
        session.execute(
            text("CREATE TABLE effect (id bigserial, letter uuid, aggregate text, version int, amount int)")
        )
    app = control_app(valkey.url, late=late)
    told = {"database": database.url, "broker": valkey.url, "late": late, "mark": str(tmp_path / "killed")}
    control = Process("tests.chaos.control", told, state / "control.log")

    def tell(version: int, what: str = "") -> Told:
        fact = Told(uuid4(), "s", version, version, "acked")
        with database.transaction() as session:
            session.execute(text("INSERT INTO told VALUES (:i, :v, :v)"), {"i": fact.id, "v": version})
        app.send_task("control.note", [str(fact.id), "s", version, version, what])
        return fact

    def seen() -> list[Effect]:
        with database.transaction() as session:
            rows = session.execute(text("SELECT letter, aggregate, version, amount FROM effect ORDER BY id"))
            return [Effect(*row) for row in rows]

    facts = [tell(1), tell(2)]
    if not late:
        with redis.Redis(unix_socket_path=str(valkey.socket)) as client:
            client.flushall()
    facts += [tell(3, "kill" if late else ""), tell(4)]
    control.start()
    try:
        if late:
            until(lambda: (tmp_path / "killed").exists(), what="the killing of the control")
            control.reap()
            control.start()
        until(lambda: len(seen()) >= (5 if late else 2), what="the effects")
        breaches = judge(facts, seen())
    finally:
        control.kill()
        app.close()

    assert {breach[:2] for breach in breaches} >= ({"I2", "I4"} if late else {"I1", "I4"})


def test_the_judge_knows_every_breach() -> None:
    fact = Told(uuid4(), "s", 1, 5, "acked")
    later = Told(uuid4(), "s", 2, 7, "acked")

    def effect(of: Told) -> Effect:
        return Effect(of.id, of.stream, of.version, of.amount)

    def kinds(told: list[Told], effects: list[Effect]) -> set[str]:
        return {breach[:2] for breach in judge(told, effects)}

    assert kinds([fact, later], [effect(fact), effect(later)]) == set()
    assert kinds([fact, later], [effect(fact)]) == {"I1", "I4"}
    assert "I2" in kinds([fact], [effect(fact), effect(fact)])
    assert kinds([fact, later], [effect(later), effect(fact)]) == {"I3"}
    assert kinds([fact], [Effect(fact.id, "s", 1, 6)]) == {"I4"}
    assert kinds([Told(uuid4(), "s", 1, 1, "open")], []) == {"I1"}


def test_the_relay_ends_at_once_when_it_is_asked(ground: Ground) -> None:
    workers = toys(ground.budget.url, ground.proposal.url, ground.keys.folder)
    relay = Relay(celery_app(workers, ground.valkey.url), workers[0])
    relay.start()
    until(lambda: relays(ground) == 2, what="the standby")

    relay.end()
    relay.join(2)

    assert not relay.is_alive()
