"""The negative control: a plain Celery task sent after the commit, which the judge must find guilty.

Run as a worker: `python -m tests.chaos.control '{"database": …, "broker": …, "late": false, "mark": …}'`.
"""

import os
import signal
import sys
from pathlib import Path

import orjson
from celery import Celery
from sqlalchemy import text

from shared.database import Database


def control_app(broker: str, *, late: bool) -> Celery:
    """Return the app of the control, with or without late acknowledgement."""
    app = Celery("control", broker=broker, set_as_current=False)
    app.conf.update(
        task_acks_late=late,
        task_reject_on_worker_lost=late,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_default_queue="control",
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 1,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
    )
    return app


def main() -> None:
    """Serve until killed; a payment noted "kill" kills the worker once, right after its commit."""
    told = orjson.loads(sys.argv[1])
    app = control_app(told["broker"], late=told["late"])
    database = Database(told["database"])

    @app.task(name="control.note")  # type: ignore[untyped-decorator]
    def note(letter: str, stream: str, version: int, amount: int, what: str) -> None:
        with database.transaction() as session:
            session.execute(
                text("INSERT INTO effect (letter, aggregate, version, amount) VALUES (:l, :a, :v, :m)"),
                {"l": letter, "a": stream, "v": version, "m": amount},
            )
        mark = Path(told["mark"])
        if what == "kill" and not mark.exists():
            mark.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    app.Worker(concurrency=1, loglevel="WARNING", without_gossip=True, without_mingle=True, quiet=True).start()


if __name__ == "__main__":
    main()
