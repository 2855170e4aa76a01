"""Take each figure of Alur beside its peer, in one run: print them, and write docs/performance.md.

It starts installations of its own in temporary folders and removes them. Take the full run on a machine that does
nothing else: about ten minutes on two cores.
"""

import argparse
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import cases, pages, peer, standing, web
from bench.ground import AT_FULL_SPEED, Ground
from bench.report import PAPER, Report
from tests.procedure.installation import Installation, installation

READER = "kepala"
"""Who reads and reports: the demo account that may see every division's lists."""
PARTS: Mapping[str, str] = {
    "standing": "second start, memory, CPU at rest, the first page over the wire",
    "pages": "each page beside its JSON twin",
    "peer": "tickets beside django-helpdesk, which is installed for it (once, needs a network)",
    "web": "tickets through the gateway beside bare FastAPI and the way of its tutorials, up to a million",
    "cases": "a register of 100,000 cases beside one of 1,000, in two more installations",
}


def main() -> int:
    """Take the figures that were asked for; return 0, for a slow machine is no fault."""
    told = _arguments()
    # Whoever ends the bench ends what it started, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report([part for part in PARTS if part in told.parts])
    if report.warning:
        print(report.warning, flush=True)
    try:
        _take(report, quick=told.quick)
    except KeyboardInterrupt:
        print("\nEnded early; nothing was written.", flush=True)
        return 130
    report.ends(quick=told.quick)
    if told.paper:
        report.write(told.paper)
        print(f"Written to {told.paper}")
    return 0


def _take(report: Report, *, quick: bool) -> None:
    if quick or set(report.parts) != {"cases"}:
        with installation() as one:
            _on_one(one, report, quick=quick)
    if "cases" in report.parts and not quick:
        report.begins("cases", PARTS["cases"])
        cases.measure(report, cases.Size())


def _on_one(one: Installation, report: Report, *, quick: bool) -> None:
    """Take what needs one installation; a quick run takes everything on it."""
    one.settings |= AT_FULL_SPEED
    ground = Ground(one)
    if not (quick and "standing" in report.parts):
        print("Starting an installation", flush=True)
        one.start()
    if not quick and {"standing", "pages"} & set(report.parts):
        print("Walking the demo, so that every division has something to show", flush=True)
        _walk(one)
        ground.calm()
    if "standing" in report.parts:
        report.begins("standing", PARTS["standing"])
        # Here a quick run starts it at all.
        standing.measure_start(one, report, rounds=1 if quick else 3)
    report.versions["PostgreSQL"] = ground.version
    ground.sign_in(READER)
    ground.calm()
    if "standing" in report.parts:
        # The first look at what waits for whom begins 20 s after a start and takes 48 s; a minute has every heartbeat.
        standing.measure_rest(ground, report, settles=0 if quick else 75, seconds=1 if quick else 60)
    if "pages" in report.parts:
        report.begins("pages", PARTS["pages"])
        # A process' time is told in hundredths of a second: fewer answers would say nothing.
        pages.measure(ground, report, rounds=1 if quick else 5, count=2 if quick else 50)
    with ExitStack() as stack:
        other = None
        if "peer" in report.parts:
            report.begins("peer", PARTS["peer"])
            amount = peer.Size(1, 0.1, 500, 510, 2_000) if quick else peer.Size()
            other = stack.enter_context(peer.beside(ground, report, may_download=not quick))
            if other:
                peer.measure_few(other, report, amount)
        if "web" in report.parts:
            report.begins("web", PARTS["web"])
            web.measure(ground, report, web.Size(1, 0.1, 2_000) if quick else web.Size(5, 1.0, 1_000_000))
        if other:
            peer.measure_many(other, report, amount)
    if quick and "cases" in report.parts:
        report.begins("cases", PARTS["cases"])
        cases.measure(report, cases.Size(100, 1_000, 1, 1), only=ground)


def _walk(one: Installation) -> None:
    done = one.command("demo")
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr + one.logs())


def _arguments() -> argparse.Namespace:
    told_of = "\n".join(f"  {name:<10}{words}" for name, words in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"parts, taken in this order (all, unless some are named):\n{told_of}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument(
        "--quick", action="store_true", help="tiny numbers on one installation: does every part run at all?"
    )
    parser.add_argument(
        "--paper", type=Path, help=f"where to write; a full run of all parts writes docs/{PAPER.name}, others nothing"
    )
    told = parser.parse_args()
    if unknown := set(told.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not told.parts:
        told.parts = list(PARTS)
        told.paper = told.paper or (None if told.quick else PAPER)
    return told


if __name__ == "__main__":
    sys.exit(main())
