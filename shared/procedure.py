"""The SOP as data: steps, statuses, roles and moves, with a version; a running case keeps its version.

The version that stands in `procedure.yaml` is the one that the centre began with. Later ones are written and published
in the application division; they change words, actors and times. Statuses and moves are code and the same in all
(docs/decisions/0013).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.identity import Role

DATA = Path(__file__).with_name("procedure.yaml")
SHIPPED = 1
"""The version in the file."""
GOAL = "F04"
"""The step that puts an application to use."""


@dataclass(frozen=True)
class Refusal:
    """A way back out of a step, as the status machine knows it."""

    role: Role
    action: str
    target: str | None
    """Status of the case afterwards; None where it stays."""
    words: str
    """What it means for what was asked: "dikembalikan"."""


@dataclass(frozen=True)
class Step:
    """One step of the procedure."""

    id: str
    key: str
    service: str
    title: str
    origin: str
    evidence: tuple[str, ...]
    working_days: int
    """Standard time; 0 where the standard is not counted in working days."""
    most_days: int
    """The longest that the standard allows: its end where it is a range, otherwise the standard time itself."""
    refusals: tuple[Refusal, ...] = ()
    parallel_with: tuple[str, ...] = ()
    """Steps beside which it runs; its time adds nothing to the whole."""

    @property
    def days(self) -> str:
        """Return the standard time in working days as it is read: "66–132"; empty where there is none."""
        return span(self.working_days, self.most_days)


@dataclass(frozen=True)
class Status:
    """A status of a case."""

    key: str
    label: str
    is_terminal: bool


@dataclass(frozen=True)
class Move:
    """A way from one status to another."""

    source: str
    name: str
    target: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Procedure:
    """One version of the SOP."""

    version: int
    title: str
    steps: dict[str, Step]
    statuses: dict[str, Status]
    moves: tuple[Move, ...]
    titles: dict[Role, str]

    def move(self, source: str, name: str) -> Move | None:
        """Return the move of that name from a status, or None when it is not its turn."""
        return next((m for m in self.moves if m.source == source and m.name == name), None)

    def moves_from(self, source: str) -> list[Move]:
        """Return every move that a status allows."""
        return [m for m in self.moves if m.source == source]

    @property
    def stations(self) -> list[Step]:
        """Return the eleven steps of the written SOP, in order."""
        return [step for key, step in sorted(self.steps.items()) if key.startswith("S")]

    @property
    def total_days(self) -> tuple[int, int]:
        """Return the least and the most working days from the proposal until use (Total waktu).

        What runs beside another step adds nothing, nor what is not counted in working days.
        """
        until = list(self.steps).index(GOAL) + 1
        counted = [step for step in list(self.steps.values())[:until] if not step.parallel_with]
        return sum(step.working_days for step in counted), sum(step.most_days for step in counted)


STATION = {
    "draft": "S01", "submitted": "S01", "returned": "S01", "under_analysis": "S02", "awaiting_decision": "S02",
    "approved": "S02", "rejected": "S02", "in_work_programme": "S03", "deferred": "S03", "discussed": "S04",
    "sent_to_planning": "S04", "budgeted": "S05", "in_development": "S05", "handed_over": "S07",
    "installed": "S08", "security_testing": "S08", "remediation": "S07", "cleared": "S08", "live": "S09",
    "suspended": "S08", "retired": "S11", "cancelled": "S01",
}  # fmt: skip
"""Station of the line of eleven at which a case of that status stands."""

BEFORE_DEVELOPMENT = (
    "draft", "submitted", "returned", "under_analysis", "awaiting_decision", "approved",
    "in_work_programme", "deferred", "discussed", "sent_to_planning", "budgeted",
)  # fmt: skip


def span(least: int, most: int) -> str:
    """Write a standard time that may be a range: "66–132", "3"; empty for none."""
    return f"{least}–{most}" if most > least else str(least or "")


def _roles(words: str) -> frozenset[Role]:
    found = set()
    for word in words.replace(" or ", "+").split("+"):
        found.add(Role(word.strip()))
    return frozenset(found)


@cache
def data() -> dict[str, Any]:
    """Return the data of the shipped version as it stands in the file; whoever reads it changes nothing in it."""
    # Read in C where that is built: in Python it takes a tenth of every start.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(DATA.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe one
    return found


@cache
def procedure() -> Procedure:
    """Return the shipped SOP, whose statuses and moves are those of every version."""
    return read(data(), version=SHIPPED)


def restated(version: int, title: str, steps: Mapping[str, tuple[str, int, int]]) -> Procedure:
    """Return a later version: title, and by step its words and working days, the least and the most.

    Statuses and moves stay as they are.

    A step that the version does not name keeps the words and the time of the file.
    """
    whole = procedure()
    told = dict(whole.steps)
    for key in told.keys() & steps.keys():
        title_of, least, most = steps[key]
        told[key] = replace(told[key], title=title_of, working_days=least, most_days=most)
    return replace(whole, version=version, title=title, steps=told)


def read(data: dict[str, Any], *, version: int) -> Procedure:
    """Build a procedure from its data (the shape of `procedure.yaml`)."""
    steps = {}
    for row in data["steps"]:
        time = row.get("time", {})
        days = time["value"] if time.get("unit") == "wd" else 0
        steps[row["id"]] = Step(
            id=row["id"],
            key=row["key"],
            service=row["service"],
            title=row["title"]["id"],
            origin=row["origin"],
            evidence=tuple(row["evidence"]),
            working_days=days,
            most_days=days and time.get("most", days),
            refusals=tuple(
                Refusal(Role(one["by"]), one["action"], one["to"], data["words"]["refusals"][one["action"]])
                for one in row["refusals"]
            ),
            parallel_with=tuple(row.get("parallel_with", ())),
        )
    statuses = {
        key: Status(key=key, label=row["id"], is_terminal=row.get("terminal", False))
        for key, row in data["statuses"].items()
    }
    moves = []
    for source, name, target, roles, _guard in data["transitions"]:
        sources = BEFORE_DEVELOPMENT if source.startswith("*") else (source,)
        moves += [Move(s, name, target, _roles(roles)) for s in sources]
    titles = {Role(key): row["id"] for key, row in data["roles"].items()}
    return Procedure(version, data["sop"]["title"]["id"], steps, statuses, tuple(moves), titles)


@cache
def security_controls() -> tuple[dict[str, str], ...]:
    """Return the 72 controls of BSSN 4/2021: number, article, text, how it is checked, CWE."""
    keys = ("number", "article", "text", "how", "cwe")
    return tuple(dict(zip(keys, row, strict=True)) for row in data()["security_controls"]["controls"])
