"""The SOP as data: steps, statuses, roles and moves, with a version; a running case keeps its version."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.identity import Role

DATA = Path(__file__).with_name("procedure.yaml")
CURRENT = 1
"""Version that new cases take."""


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


def _roles(words: str) -> frozenset[Role]:
    found = set()
    for word in words.replace(" or ", "+").split("+"):
        found.add(Role(word.strip()))
    return frozenset(found)


@cache
def procedure(version: int = CURRENT) -> Procedure:
    """Return a version of the SOP; raise KeyError for one that never was."""
    if version != CURRENT:
        raise KeyError(version)
    return read(yaml.safe_load(DATA.read_text(encoding="utf-8")), version=version)


def read(data: dict[str, Any], *, version: int) -> Procedure:
    """Build a procedure from its data (the shape of `procedure.yaml`)."""
    steps = {}
    for row in data["steps"]:
        time = row.get("time", {})
        steps[row["id"]] = Step(
            id=row["id"],
            key=row["key"],
            service=row["service"],
            title=row["title"]["id"],
            origin=row["origin"],
            evidence=tuple(row["evidence"]),
            working_days=time["value"] if time.get("unit") == "wd" else 0,
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
    data = yaml.safe_load(DATA.read_text(encoding="utf-8"))["security_controls"]
    keys = ("number", "article", "text", "how", "cwe")
    return tuple(dict(zip(keys, row, strict=True)) for row in data["controls"])
