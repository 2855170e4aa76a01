"""The worker between its two doors: what its tasks do, and the real thing over a real broker."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from alur.embedded import Valkey
from shared import clock, jobs, mailbox
from shared.clock import Entry
from shared.database import Database
from shared.errors import Unavailable
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import CaseHalted, PaymentMade
from shared.worker import CALM_SECONDS, ROOM, Relay, Worker, _Publisher, celery_app, refuse_eviction
from tests.chaos.ground import Ground, laid, until
from tests.chaos.toy import AGE

if TYPE_CHECKING:
    from tests.conftest import Spares


@pytest.fixture
def worker(database_of: Callable[[str], Database], keys: Keys) -> Worker:
    return Worker("proposal", database_of("proposal"), keys)


def nothing(session: Session, message: PaymentMade, letter: Letter) -> None:
    """Handle a message by doing nothing."""


# --- by hand ------------------------------------------------------------------------------------------------------


def test_a_message_has_one_handler(worker: Worker) -> None:
    worker.handles(PaymentMade)(nothing)

    with pytest.raises(ValueError, match="already"):
        worker.handles(PaymentMade)


def test_a_message_for_another_division_has_no_handler_here(worker: Worker) -> None:
    with pytest.raises(ValueError, match="not addressed"):
        worker.handles(CaseHalted)


def test_a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it(worker: Worker) -> None:
    with worker.database.transaction() as session:
        job = jobs.start(session, "newer", "x")

    assert worker.run(job.id) == jobs.WAITING


def test_what_the_timetable_names_happens_once_in_a_period(worker: Worker) -> None:
    done: list[str] = []
    worker.every(seconds=AGE, name="remind")(lambda database: done.append("now"))

    assert [worker.tick("remind"), worker.tick("remind"), worker.tick("unheard of")] == [True, False, False]
    assert done == ["now"]


def test_an_entry_is_due_again_in_another_period_and_after_the_clock_was_set_back(
    sessions: Callable[[str], Session],
) -> None:
    session = sessions("proposal")
    entry = Entry("proposal", "remind", AGE)
    assert [clock.due(session, entry), clock.due(session, entry)] == [True, False]

    for shift in (-1, +5):
        session.execute(text("UPDATE msg.mark SET period = period + :shift"), {"shift": shift})
        assert clock.due(session, entry)


def test_a_period_begins_when_the_entry_says() -> None:
    entry = Entry("proposal", "prune", clock.DAY, after=19 * 3600)
    before, after = datetime(2026, 3, 1, 18, 59, tzinfo=UTC), datetime(2026, 3, 1, 19, 0, tzinfo=UTC)

    assert entry.period(after) == entry.period(before) + 1
    assert entry.period(after + timedelta(hours=23)) == entry.period(after)


@pytest.mark.live
def test_a_broker_that_evicts_is_refused(valkey: Valkey) -> None:
    refuse_eviction(valkey.url)
    with redis.Redis(unix_socket_path=str(valkey.socket)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            with pytest.raises(Unavailable, match="noeviction"):
                refuse_eviction(valkey.url)
        finally:
            client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.live
def test_what_a_busy_receiver_cannot_take_gathers_and_travels_together(
    database_of: Callable[[str], Database], keys: Keys, valkey: Valkey
) -> None:
    budget = Worker("budget", database_of("budget"), keys)
    app = celery_app([budget], valkey.url)
    relay = Relay(app, budget, ticks=False)
    with (
        app.connection_for_write() as broker,
        budget.database.engine.connect() as connection,
        redis.Redis(unix_socket_path=str(valkey.socket)) as client,
    ):
        publisher = _Publisher(app, broker)
        assert relay._step(connection, publisher) == CALM_SECONDS
        for number in range(ROOM + 6):
            paid = PaymentMade(case_id=uuid4(), case_number="1/2026", note="", term=1, amount=number, paid_amount=0)
            with budget.database.transaction() as session:
                mailbox.post(session, paid)
            relay._step(connection, publisher)
        with budget.database.transaction() as session:
            # What is under way is not due again, however slow this machine is.
            session.execute(text("UPDATE msg.outbox SET due_at = clock_timestamp() + interval '50 seconds'"))
        assert (client.llen("proposal.msg"), unsent(budget.database)) == (ROOM, 6)

        client.rpop("proposal.msg")
        relay._step(connection, publisher)

        assert (client.llen("proposal.msg"), unsent(budget.database)) == (ROOM, 0)
        client.delete("proposal.msg")
    relay._wake.close()
    relay._waker.close()


def unsent(database: Database) -> int:
    """Return how many letters have not left yet."""
    with database.transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM msg.outbox WHERE sent_at IS NULL")).scalar_one())


# --- over a real broker -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(spares: "Spares", state: Path, keys: Keys) -> Iterator[Ground]:
    with laid(spares, state, keys, name="worker", concurrency=3) as made:
        yield made


def started(ground: Ground, until_exists: Path) -> UUID:
    with ground.budget.transaction() as session:
        return jobs.start(session, "wait", uuid4(), {"until": str(until_exists)}).id


def state_of(ground: Ground, job_id: UUID) -> str:
    with ground.budget.transaction() as session:
        return jobs.find(session, job_id).state


def lines_of(ground: Ground, job_id: UUID) -> list[str]:
    with ground.budget.transaction() as session:
        return [line.text for line in jobs.lines(session, job_id)]


@pytest.mark.live
def test_a_fact_and_its_answer_travel_within_ten_seconds(ground: Ground) -> None:
    ground.tell(uuid4(), times=3)

    ground.settle(seconds=10)

    ground.check()


@pytest.mark.live
def test_the_timetable_is_kept_without_another_process(ground: Ground) -> None:
    def ticks() -> int:
        with ground.budget.transaction() as session:
            return int(session.execute(text("SELECT count(*) FROM ticked")).scalar_one())

    until(ticks, what="the tick")

    ground.tell(uuid4())
    ground.settle()
    assert ticks() == 1


@pytest.mark.live
def test_letters_are_handled_while_as_many_jobs_run_as_may(ground: Ground, tmp_path: Path) -> None:
    waiting = [started(ground, tmp_path / "go") for _ in range(4)]
    until(lambda: [state_of(ground, one) for one in waiting].count(jobs.RUNNING) == 2, what="two running jobs")

    ground.tell(uuid4(), times=5)
    ground.settle(seconds=10)

    assert [state_of(ground, one) for one in waiting].count(jobs.RUNNING) == 2
    (tmp_path / "go").touch()
    until(lambda: all(state_of(ground, one) == jobs.DONE for one in waiting), what="the end of all jobs")


@pytest.mark.live
def test_a_job_whose_worker_was_killed_is_taken_up_again(ground: Ground, tmp_path: Path) -> None:
    job_id = started(ground, tmp_path / "go")
    until(lambda: len(lines_of(ground, job_id)) == 2, what="the first attempt")
    ground.worker.children()
    os.kill(int(lines_of(ground, job_id)[1].split()[1]), signal.SIGKILL)
    with ground.budget.transaction() as session:
        # A minute passes.
        session.execute(text("UPDATE msg.job SET lease_until = clock_timestamp() WHERE id = :id"), {"id": job_id})

    until(lambda: len(lines_of(ground, job_id)) >= 4, what="the second attempt")
    (tmp_path / "go").touch()

    until(lambda: state_of(ground, job_id) == jobs.DONE, what="the end of the job")


@pytest.mark.live
def test_the_relay_comes_back_when_its_database_connection_breaks(ground: Ground) -> None:
    with ground.budget.transaction() as session:
        ended = session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND usename = current_user"
            )
        ).all()
    assert ended

    ground.tell(uuid4(), times=3)

    ground.settle()
    ground.check()


@pytest.mark.live
def test_sigterm_ends_the_worker_softly_and_leaves_nobody_behind(ground: Ground) -> None:
    children = ground.worker.children()

    code = ground.worker.stop()

    assert code == 0
    assert not [child for child in children if child.is_running()]
    ground.worker.start()
