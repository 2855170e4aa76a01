"""`python -m bench`: starts an installation and its peers, takes every figure, prints them and writes the paper."""

import argparse
import signal
import sys
import time
from pathlib import Path

from bench import cases, pages, standing, web
from bench.ground import AT_FULL_SPEED, Ground
from bench.report import PAPER, Report
from tests.procedure.installation import Installation, installation

READER = "kepala"
"""Who reads and reports: the demo account that may see every division's lists."""


def main() -> int:
    """Take the figures that were asked for; return 0, for a slow machine is no fault."""
    told = _arguments()
    # Whoever ends the bench ends what it started, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    report = Report()
    with installation() as one:
        one.settings |= AT_FULL_SPEED
        _walked(one)
        if "standing" in told.parts:
            standing.measure_start(one, report, rounds=1 if told.quick else 3)
        ground = Ground(one)
        ground.sign_in(READER)
        if "standing" in told.parts:
            standing.measure_rest(ground, report, seconds=2 if told.quick else 20)
        if "pages" in told.parts:
            # A process' time is told in hundredths of a second: fewer answers would say nothing.
            pages.measure(ground, report, rounds=1 if told.quick else 5, count=20 if told.quick else 50)
        if "web" in told.parts:
            size = web.Size(1, 0.2, 2_000) if told.quick else web.Size(5, 1.0, 1_000_000)
            web.measure(ground, report, size)
    if "cases" in told.parts:
        cases.measure(report, cases.Size(100, 1_000, 1, 3) if told.quick else cases.Size())
    if told.paper:
        report.write(told.paper)
    print(f"\nTaken in {time.monotonic() - began:.0f} s" + (f", written to {told.paper}" if told.paper else ""))
    return 0


def _walked(one: Installation) -> None:
    """Start the installation and walk the demo, so that every division has something to show."""
    print("Starting an installation and walking the demo (once)", flush=True)
    one.start()
    done = one.command("demo")
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr + one.logs())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=["web", "pages", "standing", "cases"], help="web, pages, standing, cases"
    )
    parser.add_argument("--quick", action="store_true", help="tiny numbers: does it run at all?")
    parser.add_argument("--paper", type=Path, help=f"where to write (else {PAPER.name}; --quick writes none)")
    told = parser.parse_args()
    if told.paper is None and not told.quick:
        told.paper = PAPER
    return told


if __name__ == "__main__":
    sys.exit(main())
