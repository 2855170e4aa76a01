"""The services by name: their web doors, their workers; only here does one place know them all.

What a web process does not need (Celery and its broker) is imported by the functions that need it.
"""

import asyncio
import importlib
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from shared import audit, log, oversight
from shared.database import Database, utc_now
from shared.jobs import Lease
from shared.keys import DIVISIONS, GATEWAY, SERVICES
from shared.settings import ServiceSettings

if TYPE_CHECKING:
    from shared.worker import Worker


def settings_of(service: str) -> ServiceSettings:
    """Return a service's settings from the environment; raise pydantic's ValidationError for what lacks."""
    found: ServiceSettings = importlib.import_module(f"services.{service}.settings").Settings()
    return found


def web_of(service: str) -> FastAPI:
    """Return a service's web application."""
    made: FastAPI = importlib.import_module(f"services.{service}.app").make(settings_of(service))
    return made


def worker_of(service: str) -> "Worker":
    """Return a service's worker."""
    made: Worker = importlib.import_module(f"services.{service}.tasks").make_worker(settings_of(service))
    anchors = os.environ.get("ALUR_ANCHORS_FOLDER")
    path = Path(anchors) / f"{service}.jsonl" if anchors else None

    @made.runs(oversight.VERIFY)
    def verify_audit(database: Database, lease: Lease) -> None:
        oversight.verify_chain(database, lease, anchors=path)

    if path:

        @made.every(seconds=3600, name="anchor")
        def anchor(database: Database) -> None:
            with database.session() as session:
                head = audit.head(session)
            if head is not None:
                audit.note_anchor(path, head, at=utc_now())

    return made


TURN = 0.001
"""Seconds after which a thread lets another one go on. A request changes threads: with Python's own 5 ms it would wait
longer for its turn than for the database."""


def one_web() -> Any:
    """Return the gateway with the five web doors in its own process."""
    log.set_up(service="web")
    sys.setswitchinterval(TURN)
    doors = {service: web_of(service) for service in DIVISIONS}
    gateway = importlib.import_module("services.gateway.app")
    return gateway.make(settings_of(GATEWAY), doors)


def load_front() -> None:
    """Import what `serve` needs for its first page."""
    for name in ("uvicorn", "services.gateway.app"):
        importlib.import_module(name)


def serve(host: str, port: int) -> int:
    """Serve the gateway, and right after its start the five doors in the same process; return the exit code."""
    import uvicorn

    log.set_up(service="web")
    sys.setswitchinterval(TURN)
    one_at_a_time = asyncio.Lock()
    late = importlib.import_module("services.gateway.door.late").LateDoor
    doors = {service: late(partial(web_of, service), one_at_a_time) for service in DIVISIONS}
    gateway = importlib.import_module("services.gateway.app").make(settings_of(GATEWAY), doors)
    uvicorn.run(
        gateway,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    return 0


def split_web() -> Any:
    """Return the web application of the service that ALUR_SERVICE names, for a container of its own."""
    service = os.environ["ALUR_SERVICE"]
    log.set_up(service=service)
    sys.setswitchinterval(TURN)
    return web_of(service)


def work(services: tuple[str, ...], *, concurrency: int) -> int:
    """Handle the messages and jobs of these services until told to stop; return the exit code.

    On one machine the worker keeps the timetable itself; in the split shape the clock does.
    """
    from shared.worker import run_worker

    alone = len(services) == 1
    log.set_up(service=f"{services[0]}-worker" if alone else "worker")
    workers = [worker_of(service) for service in services]
    return run_worker(workers, settings_of(services[0]).broker_url, concurrency=concurrency, ticks=not alone)


def tick() -> None:
    """Announce the timetable until told to stop (split shape)."""
    from shared.worker import run_clock

    log.set_up(service="clock")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    entries = [entry for service in SERVICES for entry, _ in worker_of(service).timetable.values()]
    run_clock(settings_of(GATEWAY).broker_url, entries, stop=stop)
