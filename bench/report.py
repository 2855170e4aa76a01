"""What was measured beside what was wanted: told on the terminal as it comes, and written as docs/performance.md."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.reasons import reason

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "docs" / "performance.md"
TOLD_OF = ("fastapi", "uvicorn", "sqlalchemy", "psycopg", "celery")
"""Packages whose version stands in the paper."""
QUIET = 0.5
"""Load for each core, before the run, above which the figures are not to be trusted."""
HOW = """\
- **Side by side.** What is compared is asked in turn, round by round (A B A B), on the same machine in the same run,
  and the first round is thrown away: it fills caches and opens connections. A figure is the median of its rounds.
  Absolute times move from machine to machine; the goals are ratios.
- **The whole way.** Alur is asked as a browser or a program asks it: through the gateway, signed in, authorised,
  audited. Only the limit on requests for each person is lifted. The database syncs every commit to its disc.
- **Letters** that a new ticket sends to another division are carried by the worker while more tickets are made; the
  peer is asked when all have arrived.
- **CPU** is that of the web process and of the database together, for one answer.
- **The load** comes from a process of its own with 8 connections that ask again as soon as they are answered, or with
  one connection where a table says so; how busy it was stands in the notes.
- **The bare limit** is FastAPI with one small JSON object: no database, nobody asked who they are.
- **The tutorial way** is FastAPI and SQLAlchemy as their tutorials write them, on the same tables: entities,
  `response_model`, a session and a user from two sync dependencies, one row of outbox with a new ticket.
- **django-helpdesk** is the free help desk that a campus would else install: unchanged, in an environment of its own,
  gunicorn with one process of eight threads, its database on the same server, no mail sent.
- **A page and its twin**: the HTML page and the JSON of the same list or thing, one connection.
- **The register**: two installations beside each other, one with 1,000 cases and one with 100,000.
- **The floor of starting** is a process that imports uvicorn, FastAPI, SQLAlchemy and Celery and answers once.
- **Memory** is the proportional set size (PSS): a page that processes share counts once. Memory and idle CPU are taken
  at rest: when every division has been opened and the first look at what waits for whom is over.

Not taken here: installing over SSH, messages, scanning, papers and sheets."""


@dataclass(frozen=True)
class Goal:
    """One goal: what was wanted, what was measured, beside whom, and whether it holds (None: not measured)."""

    part: str
    wanted: str
    measured: str
    peer: str = ""
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        """Say whether it holds."""
        return "not measured" if self.holds is None else "yes" if self.holds else "**no**"


@dataclass
class Report:
    """Goals and tables in the order in which they were taken."""

    parts: Sequence[str] = ()
    """The parts that will be taken, in their order."""
    goals: list[Goal] = field(default_factory=list)
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=lambda: {name: version(name) for name in TOLD_OF})
    _began: float = field(default_factory=time.monotonic)
    _load: float = field(default_factory=lambda: os.getloadavg()[0])

    def begins(self, part: str, words: str) -> None:
        """Say which part is taken now, of how many."""
        print(f"\n[{self.parts.index(part) + 1}/{len(self.parts)}] {part}: {words}  ({self.so_far})", flush=True)

    def goal(self, part: str, wanted: str, measured: str, *, peer: str = "", holds: bool | None = None) -> None:
        """Note a goal and print it."""
        self.goals.append(Goal(part, wanted, measured, peer, holds))
        mark = "not measured" if holds is None else "holds" if holds else "MISSED"
        print(f"  [{mark}] {part}: {wanted}: {measured}" + (f" ({peer})" if peer else ""), flush=True)

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Note a table and print it."""
        self.tables.append((title, heads, rows))
        wide = [max(len(str(row[n])) for row in [heads, *rows]) for n in range(len(heads))]
        print(f"\n  {title}", flush=True)
        for row in [heads, *rows]:
            print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, wide, strict=True)), flush=True)

    def note(self, words: str) -> None:
        """Note a sentence that a reader of the figures must know, and print it."""
        self.notes.append(words)
        print(f"  {words}", flush=True)

    def ends(self, *, quick: bool) -> None:
        """Print how many goals hold, and why those that were missed were."""
        if quick:
            print(f"\nEvery part ran, in {self.so_far}. Figures of tiny numbers say nothing.", flush=True)
            return
        print(f"\n{self.verdict} Taken in {self.so_far}. {self.warning}".rstrip(), flush=True)
        for goal in self.missed:
            print(f"  MISSED {goal.part}: {goal.wanted}: {goal.measured}\n    {reason(goal.part, goal.wanted)}")

    def write(self, path: Path = PAPER) -> None:
        """Write the paper."""
        path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    @property
    def so_far(self) -> str:
        """Return how long the run has taken."""
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        return f"{minutes} min {seconds:02} s"

    @property
    def missed(self) -> list[Goal]:
        """Return the goals that do not hold."""
        return [goal for goal in self.goals if goal.holds is False]

    @property
    def verdict(self) -> str:
        """Say in one sentence how many goals hold."""
        held = sum(goal.holds is True for goal in self.goals)
        open_ = sum(goal.holds is None for goal in self.goals)
        rest = f"; {open_} could not be measured" if open_ else ""
        return f"{held} of {len(self.goals)} goals hold, {len(self.missed)} were missed{rest}."

    @property
    def warning(self) -> str:
        """Say that the machine had other things to do when the run began; empty if it had not."""
        if self._load <= QUIET * (os.cpu_count() or 1):
            return ""
        return (
            f"The machine was busy with other things (a load of {self._load:.1f} on {os.cpu_count()} cores before it "
            "began): times, and ratios of times, are not to be trusted; those by CPU are closer to the truth."
        )

    def _lines(self) -> list[str]:
        lines = [
            "# How fast Alur is",
            "",
            f"Written by `make bench` on {date.today():%Y-%m-%d}, in {self.so_far}. Do not edit it: run it.",
            "",
            f"**{self.verdict}** {self.warning}".rstrip(),
            "",
            "| | goal | measured | peer | holds? |",
            "|---|---|---|---|---|",
            *(f"| {g.part} | {g.wanted} | {g.measured} | {g.peer} | {g.verdict} |" for g in self.goals),
        ]
        if self.missed:
            lines += ["", "## What was missed, and why", ""]
            lines += [f"- **{g.part}: {g.wanted}** ({g.measured}). {reason(g.part, g.wanted)}" for g in self.missed]
        lines += ["", "## How it was measured", "", HOW, "", "## On what", "", "| | |", "|---|---|"]
        lines += [_row(pair) for pair in self._ground()]
        for title, heads, rows in self.tables:
            lines += ["", f"## {title}", "", _row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
        if self.notes:
            lines += ["", "## Notes", "", *(f"- {note}" for note in self.notes)]
        return lines

    def _ground(self) -> list[tuple[str, str]]:
        return [
            ("Commit", _commit()),
            (
                "Machine",
                f"{os.cpu_count()} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GB of memory",
            ),
            ("System", f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"),
            ("Load", f"{self._load:.1f} before, {os.getloadavg()[0]:.1f} at the end"),
            ("Python", f"{platform.python_version()}, {'no ' if sys.dont_write_bytecode else ''}bytecode kept"),
            *self.versions.items(),
        ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty= with changes", "--abbrev=12", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
