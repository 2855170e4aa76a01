"""Scans as jobs: the real engines on a small build and a small site, and what their answers mean for the verdict."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from services.security import actions, queries
from services.security.actions import Answer, Desk
from services.security.model import Scan, SecurityTest
from services.security.settings import Settings
from services.security.tasks import make_worker
from services.security.verdict import PassRefused
from shared import jobs
from shared.manifest import Entry, Manifest
from shared.store import Store
from shared.worker import Worker
from tests.people import FAJAR, FITRI
from tests.security.conftest import CONTROLS, handed_over, installed

PAGE = b"<!doctype html><title>e-Presensi</title><h1>e-Presensi</h1>"
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
Serving = Callable[[dict[str, bytes]], int]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Return what serves files on a free port and returns the port; everything else is not found."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def serve(files: dict[str, bytes]) -> int:
        class Site(BaseHTTPRequestHandler):
            server_version = "web"
            sys_version = ""

            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                for name, value in SAFE.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return int(server.server_address[1])

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def worker(settings: Settings) -> Iterator[Worker]:
    """Return the division's worker on a database of its own."""
    made = make_worker(settings)
    yield made
    made.database.close()


@pytest.fixture
def store(settings: Settings) -> Store:
    """Return the store that the worker reads."""
    return Store(settings.files_folder)


def build(store: Store, files: dict[str, bytes]) -> str:
    """Keep a build as the intake does and return its digest."""
    manifest = Manifest([Entry(path, "644", len(content), store.put(content)) for path, content in files.items()])
    assert store.put(manifest.bytes) == manifest.digest
    return manifest.digest


def started(worker: Worker, digest: str, port: int) -> UUID:
    """Return a round of a build at a port, its scans waiting as jobs."""
    with worker.database.transaction() as session:
        actions.note_case(session, handed_over())
        test = actions.open_test(session, installed(digest, connect_port=port))
        actions.start(session, FAJAR, test.id)
        return test.id


def scanned(worker: Worker, test_id: UUID) -> dict[str, Scan]:
    """Run the jobs that wait and return the scans by engine."""
    with worker.database.session() as session:
        waiting = [scan.job_id for scan in session.get_one(SecurityTest, test_id).scans]
    assert [worker.run(job_id) for job_id in waiting] == [jobs.DONE] * len(waiting)
    with worker.database.session() as session:
        return {scan.engine: scan for scan in session.get_one(SecurityTest, test_id).scans}


def submitted(worker: Worker, test_id: UUID) -> None:
    """Answer every control and hand the test over for the verdict."""
    with worker.database.transaction() as session:
        answers = [Answer(number, "pass") for number in CONTROLS]
        actions.answer_controls(session, FAJAR, test_id, answers=answers)
        actions.submit(session, FAJAR, test_id)


def test_a_careful_build_on_a_careful_site_passes(worker: Worker, store: Store, serving: Serving, desk: Desk) -> None:
    files = {"index.html": PAGE, "alat/hitung.py": b"def tambah(a, b):\n    return a + b\n"}
    port = serving({"/": PAGE, **{f"/{path}": content for path, content in files.items()}})
    test_id = started(worker, build(store, files), port)

    scans = scanned(worker, test_id)
    submitted(worker, test_id)

    assert {engine: (scan.is_complete, scan.result["problems"]) for engine, scan in scans.items() if scan.result} == {
        "bandit": (True, []),
        "probe": (True, []),
    }
    with worker.database.transaction() as session:
        assert actions.clear(session, FITRI, test_id, note="", desk=desk).status == "passed"


def test_a_broken_python_file_makes_the_scan_incomplete_and_a_pass_impossible(
    worker: Worker, store: Store, serving: Serving, desk: Desk
) -> None:
    files = {"index.html": PAGE, "rusak.py": b"def rusak(:\n"}
    port = serving({"/": PAGE, **{f"/{path}": content for path, content in files.items()}})
    test_id = started(worker, build(store, files), port)

    scans = scanned(worker, test_id)
    submitted(worker, test_id)

    assert not scans["bandit"].is_complete
    with worker.database.session() as session, pytest.raises(PassRefused) as refused:
        actions.clear(session, FITRI, test_id, note="", desk=desk)
    assert refused.value.errors[0].detail.startswith("Pemindaian bandit tidak lengkap")


def test_what_the_engines_find_is_kept_told_line_by_line_and_forbids_a_pass(
    worker: Worker, store: Store, serving: Serving, desk: Desk
) -> None:
    files = {"index.html": PAGE, "app.py": b"import subprocess\n\n\ndef f(x):\n    subprocess.call(x, shell=True)\n"}
    port = serving({"/": PAGE, "/index.html": PAGE, "/app.py": b"lain", "/.env": b"DB_PASSWORD=rahasia\n"})
    test_id = started(worker, build(store, files), port)

    scans = scanned(worker, test_id)
    submitted(worker, test_id)

    with worker.database.session() as session:
        test = session.get_one(SecurityTest, test_id)
        found = {(row.engine, row.rule) for row in queries.findings(session, test.case_id)}
        told = [line.text for line in jobs.lines(session, scans["bandit"].job_id)]
        assert {("bandit", "B602"), ("probe", "served-file-differs")} <= found
        assert any(engine == "probe" and "env" in rule for engine, rule in found)
        assert any("[high]" in line and "app.py:5" in line for line in told)
        with pytest.raises(PassRefused):
            actions.clear(session, FITRI, test_id, note="", desk=desk)


def test_a_site_that_does_not_answer_makes_the_scan_incomplete(worker: Worker, store: Store, serving: Serving) -> None:
    test_id = started(worker, build(store, {"index.html": PAGE}), 1)

    scans = scanned(worker, test_id)

    assert (scans["bandit"].is_complete, scans["probe"].is_complete) == (True, False)


def test_a_build_that_is_not_in_the_store_leaves_incomplete_scans_and_the_reason(worker: Worker) -> None:
    test_id = started(worker, "e" * 64, 1)
    with worker.database.session() as session:
        waiting = [scan.job_id for scan in session.get_one(SecurityTest, test_id).scans]

    assert [worker.run(job_id) for job_id in waiting] == [jobs.FAILED, jobs.FAILED]

    with worker.database.session() as session:
        test = session.get_one(SecurityTest, test_id)
        assert test.status == "reviewing"
        for scan in test.scans:
            assert not scan.is_complete and scan.result
            assert scan.result["problems"][0].startswith("Pemindai tidak dapat dijalankan:")


def test_a_scan_that_was_recorded_is_not_run_again(worker: Worker, store: Store, serving: Serving) -> None:
    test_id = started(worker, build(store, {"index.html": PAGE}), serving({"/": PAGE, "/index.html": PAGE}))
    with worker.database.session() as session:
        [bandit, _probe] = session.get_one(SecurityTest, test_id).scans
    lease = jobs.claim(worker.database, bandit.job_id, "terbunuh")
    assert lease is not None
    # The worker recorded its answer and was killed before it could say that the job is done.
    worker.runners[actions.SCAN].runner(worker.database, lease)
    with worker.database.session() as session:
        kept = session.get_one(Scan, bandit.id).finished_at

    worker.runners[actions.SCAN].runner(worker.database, lease)

    with worker.database.session() as session:
        assert session.get_one(Scan, bandit.id).finished_at == kept is not None
