"""Long work is taken up by one worker at a time, survives its worker, and ends with an answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import jobs
from shared.database import Database
from shared.errors import NotFound, OutOfTurn, Unavailable
from shared.jobs import FenceLost, Job, Lease


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of("deploy")


def started(database: Database, **how: int) -> UUID:
    with database.transaction() as session:
        return jobs.start(session, "install", "release:1", {"server": "uji"}, **how).id


def seen(database: Database, job_id: UUID) -> Job:
    with database.transaction() as session:
        return jobs.find(session, job_id)


def let_the_lease_end(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE msg.job SET lease_until = clock_timestamp() - interval '1 second'"))


def let_the_pause_end(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE msg.job SET due_at = clock_timestamp()"))


def claimed(database: Database, job_id: UUID) -> Lease:
    lease = jobs.claim(database, job_id, "w")
    assert lease is not None
    return lease


def test_a_job_is_there_only_with_the_commit(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        job = jobs.start(session, "install", "release:1")
        raise ZeroDivisionError

    with database.transaction() as session, pytest.raises(NotFound):
        jobs.find(session, job.id)


def test_one_of_many_workers_gets_the_job(database: Database) -> None:
    job_id = started(database)

    with ThreadPoolExecutor(5) as pool:
        leases = list(pool.map(lambda n: jobs.claim(database, job_id, f"w{n}"), range(5)))

    assert len([lease for lease in leases if lease]) == 1


def test_a_finished_job_is_not_taken_up_again(database: Database) -> None:
    job_id = started(database)
    told: list[str] = []

    state = jobs.work(claimed(database, job_id), lambda _, lease: told.append(lease.job.params["server"]))

    assert (state, told, seen(database, job_id).state) == (jobs.DONE, ["uji"], jobs.DONE)
    assert jobs.claim(database, job_id, "w") is None


def test_a_job_whose_worker_is_gone_is_taken_up_under_a_higher_fence(database: Database) -> None:
    job_id = started(database)
    first = claimed(database, job_id)
    assert jobs.claim(database, job_id, "w2") is None

    let_the_lease_end(database)

    assert claimed(database, job_id).fence == first.fence + 1


@pytest.mark.parametrize("write", ["line", "step", "finish", "fail", "extend"])
def test_a_worker_that_comes_back_late_can_write_nothing(database: Database, write: str) -> None:
    job_id = started(database)
    old = claimed(database, job_id)
    let_the_lease_end(database)
    new = claimed(database, job_id)
    new.write_line("mine")

    with pytest.raises(FenceLost), database.transaction() as session:
        match write:
            case "line":
                old.write_line("too late")
            case "step":
                with old.step("unpack"):
                    raise AssertionError("the step ran")
            case "finish":
                old.finish(session)
            case "fail":
                old.fail(session, "x", again=False)
            case "extend":
                old.extend()

    assert old.lost.is_set()
    with database.transaction() as session:
        assert [line.text for line in jobs.lines(session, job_id)] == ["mine"]
        assert jobs.find(session, job_id).state == jobs.RUNNING


def test_a_runner_that_lost_its_lease_changes_nothing(database: Database) -> None:
    job_id = started(database)

    def frozen(database: Database, lease: Lease) -> None:
        let_the_lease_end(database)
        claimed(database, job_id)
        lease.write_line("too late")

    assert jobs.work(claimed(database, job_id), frozen) == "lost"
    assert seen(database, job_id).state == jobs.RUNNING


def test_the_heartbeat_holds_the_job(database: Database) -> None:
    job_id = started(database)
    lease = claimed(database, job_id)
    let_the_lease_end(database)

    with lease.heartbeat(timedelta(milliseconds=5)):
        waiting = Event()
        for _ in range(400):
            with database.transaction() as session:
                held = session.execute(text("SELECT lease_until > clock_timestamp() FROM msg.job")).scalar_one()
            if held or waiting.wait(0.01):
                break

    assert held
    assert jobs.claim(database, job_id, "w2") is None


def test_the_journal_and_the_lines_tell_what_happened(database: Database) -> None:
    job_id = started(database)
    lease = claimed(database, job_id)

    with lease.step("upload") as journal:
        lease.write_line("3 berkas", step="upload")
        journal.note = "3 berkas dikirim"
    with pytest.raises(RuntimeError), lease.step("health"):
        raise RuntimeError("404")

    with database.transaction() as session:
        journal_lines = [(step.ordinal, step.name, step.state, step.note) for step in jobs.steps(session, job_id)]
        told = jobs.lines(session, job_id)
        rest = jobs.lines(session, job_id, after=told[2].seq)
    assert journal_lines == [
        (1, "upload", "done", "3 berkas dikirim"),
        (2, "health", "failed", "RuntimeError: 404"),
    ]
    assert [line.seq for line in told] == [1, 2, 3, 4, 5]
    assert [line.seq for line in rest] == [4, 5]


def test_a_second_attempt_knows_which_steps_were_done(database: Database) -> None:
    job_id = started(database)
    with claimed(database, job_id).step("upload") as first:
        first.note = "ok"
    let_the_lease_end(database)

    lease = claimed(database, job_id)

    with lease.step("upload") as again, lease.step("unpack") as new:
        assert (again.was_done, again.note, new.was_done) == (True, "ok", False)


def test_what_a_runner_raises_is_tried_again_and_fails_at_last(database: Database) -> None:
    job_id = started(database, most_attempts=3)
    failed: list[Job] = []
    states = []

    def broken(database: Database, lease: Lease) -> None:
        raise RuntimeError("no route to host")

    for _ in range(3):
        lease = claimed(database, job_id)
        states.append(jobs.work(lease, broken, on_failure=lambda session, job: failed.append(job)))
        assert jobs.claim(database, job_id, "w") is None
        let_the_pause_end(database)

    assert states == [jobs.WAITING, jobs.WAITING, jobs.FAILED]
    assert [job.reason for job in failed] == ["RuntimeError: no route to host"]


def test_a_refusal_is_an_answer_and_final(database: Database) -> None:
    job_id = started(database)

    def refused(database: Database, lease: Lease) -> None:
        raise OutOfTurn("Izin belum terbit.")

    assert jobs.work(claimed(database, job_id), refused) == jobs.FAILED
    assert seen(database, job_id).reason == "Izin belum terbit."


def test_a_silent_part_is_waited_for(database: Database) -> None:
    job_id = started(database)

    def away(database: Database, lease: Lease) -> None:
        raise Unavailable("Server tidak menjawab.")

    assert jobs.work(claimed(database, job_id), away) == jobs.WAITING


def test_a_job_that_kills_every_worker_fails_and_its_division_is_told(database: Database) -> None:
    job_id = started(database, most_attempts=2)
    told: list[UUID] = []
    claimed(database, job_id)
    let_the_lease_end(database)
    claimed(database, job_id)
    let_the_lease_end(database)

    def never(database: Database, lease: Lease) -> None:
        raise AssertionError("the runner ran")

    state = jobs.work(claimed(database, job_id), never, on_failure=lambda session, job: told.append(job.id))

    assert (state, told) == (jobs.FAILED, [job_id])


def test_the_effect_and_the_end_of_a_job_are_one_commit(database: Database) -> None:
    job_id = started(database)

    def half_done(database: Database, lease: Lease) -> None:
        with lease.recording() as session:
            lease.finish(session, {"release": 1})
            raise RuntimeError("before the commit")

    assert jobs.work(claimed(database, job_id), half_done) == jobs.WAITING
    assert seen(database, job_id).result is None


def test_a_runner_may_finish_by_itself(database: Database) -> None:
    job_id = started(database)

    def done(database: Database, lease: Lease) -> None:
        with lease.recording() as session:
            lease.finish(session, {"release": 1})

    assert jobs.work(claimed(database, job_id), done) == jobs.DONE
    assert seen(database, job_id).result == {"release": 1}


def test_a_job_fails_though_its_division_cannot_be_told(database: Database) -> None:
    job_id = started(database)

    def refused(database: Database, lease: Lease) -> None:
        raise OutOfTurn("Izin belum terbit.")

    def broken(session: Session, job: Job) -> None:
        raise RuntimeError("bug")

    assert jobs.work(claimed(database, job_id), refused, on_failure=broken) == jobs.FAILED
    assert "RuntimeError: bug" in str(seen(database, job_id).reason)


def test_a_job_is_hinted_at_when_it_is_due_and_again_when_the_hint_was_lost(database: Database) -> None:
    job_id = started(database)

    def hinted() -> list[UUID]:
        with database.transaction() as session:
            return jobs.to_hint(session, limit=10)

    assert [hinted(), hinted()] == [[job_id], []]
    with database.transaction() as session:
        session.execute(text("UPDATE msg.job SET hinted_at = hinted_at - interval '6 seconds'"))
    assert hinted() == [job_id]
    with database.transaction() as session:
        jobs.hint_again(session)
    assert hinted() == [job_id]
    claimed(database, job_id)
    assert hinted() == []


def test_the_jobs_of_a_thing_are_found_newest_first(database: Database) -> None:
    first, second = started(database), started(database)
    with database.transaction() as session:
        jobs.start(session, "install", uuid4())

        assert [job.id for job in jobs.of_thing(session, "release:1")] == [second, first]
