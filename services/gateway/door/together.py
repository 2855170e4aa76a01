"""What the gateway puts together from all divisions: what waits for a person, cases, health, the list of operations."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from services.gateway.door import described
from services.gateway.door.doors import Answered, Doors
from services.gateway.schemas.whole import WaitingRow
from shared.authority import ActView
from shared.identity import Caller
from shared.log import logger
from shared.web import Waiting

WAITING = TypeAdapter(list[Waiting])
METHODS = ("get", "post", "put", "patch", "delete")
TABLE = TypeAdapter(list[ActView])
CASES = "proposal"
"""The division that knows how far each case is."""


@dataclass
class Gathered:
    """What the divisions answered, oldest first, and which of them did not."""

    rows: list[WaitingRow] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


async def waiting_on(doors: Doors, caller: Caller) -> Gathered:
    """Return what waits for a person in all divisions, what waits longest first."""
    gathered = Gathered()
    for name, answered in (await doors.ask_all("/api/waiting", caller=caller)).items():
        rows = _read_waiting(name, answered)
        if rows is None:
            gathered.silent.append(name)
        else:
            gathered.rows += [WaitingRow(**row.model_dump(), part=name) for row in rows]
    gathered.rows.sort(key=lambda row: _moment(row.since))
    return gathered


def _read_waiting(name: str, answered: Answered | None) -> list[Waiting] | None:
    if answered is None or answered.status != 200:
        return None
    try:
        return WAITING.validate_json(answered.body)
    except ValidationError as reason:
        logger().error("waiting_not_understood", part=name, reason=str(reason))
        return None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class CaseRow(BaseModel):
    """A case as the gateway's own lists show it."""

    model_config = ConfigDict(extra="ignore")
    number: str
    name: str
    unit: str | None = None
    status: str = ""
    entered_at: str = ""
    """When it came into its present status."""


CASE_ROWS = TypeAdapter(list[CaseRow])


async def cases(doors: Doors, caller: Caller, *, limit: int) -> list[CaseRow] | None:
    """Return the newest cases that a person may see; None: not answered."""
    part = doors.parts.get(CASES)
    answered = await doors.ask(part, f"/api/cases?limit={limit}", caller=caller) if part else None
    if answered is None or answered.status != 200:
        return None
    try:
        return CASE_ROWS.validate_json(answered.body)
    except ValidationError as reason:
        logger().error("cases_not_understood", reason=str(reason))
        return None


async def authority(doors: Doors) -> dict[str, list[ActView] | None]:
    """Return each division's table of who may do what; None for one that does not answer."""
    answers = await doors.ask_all("/inner/authority")
    return {name: _read_table(name, answered) for name, answered in answers.items()}


def _read_table(name: str, answered: Answered | None) -> list[ActView] | None:
    if answered is None or answered.status != 200:
        return None
    try:
        return TABLE.validate_json(answered.body)
    except ValidationError as reason:
        logger().error("authority_not_understood", part=name, reason=str(reason))
        return None


async def health(doors: Doors) -> dict[str, str]:
    """Return how each division is: "ok", "down" or "silent"."""
    answers = await doors.ask_all("/api/health")
    return {
        name: "silent" if answered is None else "ok" if answered.status == 200 else "down"
        for name, answered in answers.items()
    }


async def description(doors: Doors, own: dict[str, Any]) -> dict[str, Any]:
    """Return one OpenAPI description of the gateway and all divisions; silent ones stand in `x-silent`.

    Shapes of two divisions may have one name, so each division's stand under its own: `budget.Reason`.
    """
    whole: dict[str, Any] = {
        "openapi": own["openapi"],
        "info": {
            "title": "Alur",
            "version": own["info"]["version"],
            "description": "Satu jejak bagi setiap aplikasi, dari usulan sampai layanan.",
        },
        # A copy: what is added here must not stand in the gateway's own description the next time.
        "paths": copy.deepcopy(own["paths"]),
        "components": {
            "schemas": copy.deepcopy(own.get("components", {}).get("schemas", {})),
            "securitySchemes": SCHEMES,
        },
        "security": [{"bearer": []}, {"session": [], "formToken": []}],
        "x-silent": [],
    }
    answers = await doors.ask_all("/api/openapi.json")
    for name, answered in answers.items():
        told = _read_description(answered)
        if told is None:
            whole["x-silent"].append(name)
            continue
        told = _renamed(told, name)
        for path, operations in told.get("paths", {}).items():
            whole["paths"].setdefault(path, operations)
        for key, shape in told.get("components", {}).get("schemas", {}).items():
            whole["components"]["schemas"][f"{name}.{key}"] = shape
    whole["paths"] = dict(sorted(whole["paths"].items()))
    described.finish(whole)
    return whole


SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Token pribadi dari POST /api/tokens."},
    "session": {"type": "apiKey", "in": "cookie", "name": "alur", "description": "Sesi dari POST /api/session."},
    "formToken": {"type": "apiKey", "in": "header", "name": "X-Form-Token"},
}


def _read_description(answered: Answered | None) -> dict[str, Any] | None:
    if answered is None or answered.status != 200:
        return None
    try:
        told = answered.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _renamed(value: dict[str, Any], name: str) -> dict[str, Any]:
    renamed: dict[str, Any] = _point_to_own(value, name)
    return renamed


def _point_to_own(value: Any, name: str) -> Any:
    """Return the description with every reference to a shape pointing to the division's own."""
    if isinstance(value, dict):
        return {
            key: inner.replace("#/components/schemas/", f"#/components/schemas/{name}.")
            if key == "$ref" and isinstance(inner, str)
            else _point_to_own(inner, name)
            for key, inner in value.items()
        }
    return [_point_to_own(inner, name) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Operation:
    """One line of the list of operations."""

    method: str
    path: str
    summary: str
    part: str


def operations(description_: dict[str, Any]) -> dict[str, list[Operation]]:
    """Return every operation of a description by the division that answers it, in the order of the paths."""
    found: dict[str, list[Operation]] = {}
    for path, methods in description_["paths"].items():
        for method in METHODS:
            if method in methods:
                part = (methods[method].get("tags") or ["gateway"])[0]
                summary = methods[method].get("summary", "")
                found.setdefault(part, []).append(Operation(method.upper(), path, summary, part))
    return found
