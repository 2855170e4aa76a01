"""Starting and standing (performance.md, 6): second start, memory, idle CPU, first page over the wire."""

import re
import statistics
import subprocess
import sys
import threading
import time
from contextlib import suppress

import httpx
import psutil

from alur.settings import free_port
from bench.ground import ROOT, Ground, await_page
from bench.report import Report
from tests.procedure.installation import Installation

PART = "standing"
FLOOR = """
import celery, fastapi, sqlalchemy, uvicorn
app = fastapi.FastAPI()
app.get("/")(lambda: {"status": "ok"})
uvicorn.run(app, port=%d, log_level="warning", access_log=False)
"""


def measure_start(installation: Installation, report: Report, *, rounds: int) -> None:
    """Start the installation again and again, beside the floor; leaves it running, also where it did not run yet."""
    ours, floor = [], []
    for _ in range(rounds):
        floor.append(_floor())
        if installation.process is not None:
            installation.stop()
        began = time.perf_counter()
        starting = threading.Thread(target=installation.start)
        starting.start()
        await_page(f"{installation.url}/masuk")
        ours.append(time.perf_counter() - began)
        starting.join()
    found, least = statistics.median(ours), statistics.median(floor)
    report.goal(
        PART,
        "second start to first page <= 2 x the floor",
        f"{found:.2f} s, {found / least:.2f} x",
        peer=f"uvicorn, fastapi, sqlalchemy, celery: {least:.2f} s",
        holds=found <= 2 * least,
    )


def _floor() -> float:
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", FLOOR % port], cwd=ROOT)
    try:
        await_page(f"http://127.0.0.1:{port}/")
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def measure_rest(ground: Ground, report: Report, *, settles: float, seconds: float) -> None:
    """Measure memory and CPU of an installation that nobody asks for anything, and its first page.

    It rests when what a start leaves to be done is done: after `settles` seconds.
    """
    time.sleep(settles)
    everything = ground.installation.processes()
    own = [one for name in ("web", "worker") for one in _with_children(ground.installation.part(name))]
    small, whole = _proportional(own), _proportional(everything)
    report.goal(PART, "gateway and worker <= 160 MB", f"{small:.0f} MB (PSS)", holds=small <= 160)
    report.goal(PART, "everything <= 400 MB", f"{whole:.0f} MB (PSS)", holds=whole <= 400)
    before = _spent(everything)
    time.sleep(seconds)
    share = (_spent(everything) - before) / seconds
    report.goal(PART, f"idle CPU over {seconds:.0f} s <= 2 % of a core", f"{share:.1%}", holds=share <= 0.02)
    size = _first_page(ground)
    report.goal(
        PART, "first page <= 200 KB over the wire", f"{size / 1000:.0f} KB with all its files", holds=size <= 200_000
    )


def _first_page(ground: Ground) -> int:
    """Return the bytes of the page before signing in, and of every file that it or its style sheet names."""
    with httpx.Client(base_url=ground.installation.url, headers={"accept": "text/html,*/*"}) as client:
        page = client.get("/masuk")
        seen = {"/masuk": _size(page)}
        texts = [page.text]
        while texts:
            for path in re.findall(r"/static/[\w.-]+", texts.pop()):
                if path in seen:
                    continue
                answer = client.get(path)
                seen[path] = _size(answer)
                if path.endswith(".css"):
                    texts.append(answer.text)
    return sum(seen.values())


def _size(answer: httpx.Response) -> int:
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    return head + answer.num_bytes_downloaded


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _proportional(processes: list[psutil.Process]) -> float:
    """Return the megabytes that these processes take, shared pages divided among those who share them."""
    total = 0
    for one in processes:
        with suppress(psutil.Error):
            total += one.memory_full_info().pss
    return total / 1024 / 1024


def _spent(processes: list[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        with suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system
    return total
