"""What the pages of every draft share: what stands in the fields of a section, and what was typed otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from shared.edition import tag_of
from shared.pages import Input

INNER = ("form_token", "idempotency_key", "edition", "next")
"""Fields of the form of a section that are not part of what is written."""


def field_values(content: BaseModel, rough: Mapping[str, Any], fields: Sequence[Input]) -> dict[str, Any]:
    """Return what stands in the fields: what was typed and cannot be taken yet, else what is saved."""
    written = content.model_dump(mode="json")
    values: dict[str, Any] = {}
    for one in fields:
        value = rough[one.name]["typed"] if one.name in rough else written[one.name]
        if one.kind == "money" and isinstance(value, int):
            value = f"{value:,}".replace(",", ".") if value else ""
        values[one.name] = "" if value is None or value == 0 else value
    return values


def is_same(typed: Any, kept: Any) -> bool:
    """Tell whether a field says what is saved, whichever way it was sent."""
    if isinstance(kept, list) and isinstance(typed, str):
        typed = [line.strip() for line in typed.splitlines() if line.strip()]
    plain = [
        [{k: v for k, v in row.items() if v} if isinstance(row, dict) else row for row in one]
        if isinstance(one, list)
        else str(one or "")
        for one in (typed or type(kept)(), kept)
    ]
    return plain[0] == plain[1]


def seen_in(given: Mapping[str, Any]) -> str | None:
    """Return the edition that the sender of a section saw, as If-Match would say it; None for a form without one."""
    edition = str(given["edition"])
    return tag_of(edition) if edition.isdecimal() else None
