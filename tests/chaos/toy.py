"""Two toy divisions in one real worker process: budget tells of payments, proposal notes each and answers.

Started by the chaos tests and the live tests of the worker: `python -m tests.chaos.toy '{"budget": "postgresql…"}'`.
"""

import os
import signal
import sys
import time
from pathlib import Path

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import jobs, log, mailbox, worker
from shared.database import Database
from shared.keys import Keys
from shared.mailbox import Letter
from shared.messages import CaseHalted, PaymentMade
from shared.worker import Worker

EFFECT = """
CREATE TABLE IF NOT EXISTS effect (
    id bigserial PRIMARY KEY, source text, letter uuid, aggregate text, version bigint, amount bigint,
    at timestamptz DEFAULT clock_timestamp()
)
"""
AGE = 10**10
"""Seconds: a period that no test sees the end of, as it would once in so many runs with an hour."""
TICKED = "CREATE TABLE IF NOT EXISTS ticked (at timestamptz DEFAULT clock_timestamp())"


def note(session: Session, letter: Letter, amount: int) -> None:
    """Have the effect of a letter: one row, so that doublings and disorder can be seen afterwards."""
    session.execute(
        text("INSERT INTO effect (source, letter, aggregate, version, amount) VALUES (:s, :l, :a, :v, :m)"),
        {"s": letter.source, "l": letter.id, "a": letter.aggregate, "v": letter.version, "m": amount},
    )


def toys(budget_url: str, proposal_url: str, keys: Path) -> list[Worker]:
    """Return the workers of the two toy divisions."""
    budget = Worker("budget", Database(budget_url), Keys(keys))
    proposal = Worker("proposal", Database(proposal_url), Keys(keys))

    @proposal.handles(PaymentMade)
    def note_payment(session: Session, message: PaymentMade, letter: Letter) -> None:
        note(session, letter, message.amount)
        match message.note.split(":"):
            case ["raise"]:
                raise RuntimeError("poison")
            case ["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["sleep", seconds]:
                time.sleep(float(seconds))
        answer = CaseHalted(case_id=message.case_id, case_number=message.case_number, status=str(message.amount))
        mailbox.post(session, answer, actor=letter.actor)

    @budget.handles(CaseHalted)
    def note_answer(session: Session, message: CaseHalted, letter: Letter) -> None:
        note(session, letter, int(message.status))

    @budget.runs("wait")
    def wait(database: Database, lease: jobs.Lease) -> None:
        with lease.step("wait"):
            lease.write_line(f"pid {os.getpid()}")
            while not Path(lease.job.params["until"]).exists():
                if lease.lost.wait(0.02):
                    return

    @budget.every(seconds=AGE, name="tick")
    def tick(database: Database) -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO ticked DEFAULT VALUES"))

    return [budget, proposal]


def plant(fault: str, mark: Path) -> None:
    """Let the relay be killed at a fault point, once: `fault` is "point:how-manieth time"."""
    point, _, times = fault.partition(":")
    passed = 0

    def crash(name: str) -> None:
        nonlocal passed
        passed += name == point
        if passed == int(times) and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    worker.at_fault_point = crash


def main() -> None:
    """Serve until told to stop."""
    told = orjson.loads(sys.argv[1])
    log.set_up(service="toy")
    if told.get("fault"):
        plant(told["fault"], Path(told["mark"]))
    workers = toys(told["budget"], told["proposal"], Path(told["keys"]))
    raise SystemExit(worker.run_worker(workers, told["broker"], told.get("concurrency", 2)))


if __name__ == "__main__":
    main()
