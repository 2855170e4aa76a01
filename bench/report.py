"""What was measured beside what was wanted, printed and written as docs/performance.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

PAPER = Path(__file__).parents[1] / "docs" / "performance.md"


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

    goals: list[Goal] = field(default_factory=list)
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def goal(self, part: str, wanted: str, measured: str, *, peer: str = "", holds: bool | None = None) -> None:
        """Note a goal and print it."""
        self.goals.append(Goal(part, wanted, measured, peer, holds))
        mark = "not measured" if holds is None else "holds" if holds else "MISSED"
        print(f"  [{mark}] {part}: {wanted}: {measured}" + (f" ({peer})" if peer else ""), flush=True)

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Note a table and print it."""
        self.tables.append((title, heads, rows))
        wide = [max(len(str(row[n])) for row in [heads, *rows]) for n in range(len(heads))]
        print(f"\n{title}", flush=True)
        for row in [heads, *rows]:
            print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, wide, strict=True)), flush=True)

    def note(self, words: str) -> None:
        """Note a sentence that a reader of the figures must know, and print it."""
        self.notes.append(words)
        print(f"  {words}", flush=True)

    def write(self, path: Path = PAPER) -> None:
        """Write the paper."""
        path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _lines(self) -> list[str]:
        lines = [
            "# How fast Alur is",
            "",
            f"Written by `make bench` on {date.today():%Y-%m-%d}: {_machine()}.",
            "Absolute times move from machine to machine, so goals are ratios between Alur and a peer that was asked "
            "in turn with it (A B A B), each figure the median of its rounds. CPU is that of the web process and the "
            "database together, for one request. The load comes from a process of its own.",
            "",
            "| | goal | measured | peer | holds? |",
            "|---|---|---|---|---|",
            *(f"| {g.part} | {g.wanted} | {g.measured} | {g.peer} | {g.verdict} |" for g in self.goals),
        ]
        for title, heads, rows in self.tables:
            lines += ["", f"## {title}", "", _row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
        if self.notes:
            lines += ["", "## Notes", "", *(f"- {note}" for note in self.notes)]
        return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} virtual cores, {platform.machine()}, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, load average {load:.1f} at the end of the run"
    )
