"""What differs between two states of what people wrote: field by field, and within a field word by word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Literal

from pydantic import BaseModel

from shared.words import long_date, rupiah

MOST_WORDS = 20_000
"""Longer texts are compared line by line: the work grows faster than the text."""
AROUND = 25
"""So many words of what stayed the same are shown beside a change."""


@dataclass(frozen=True)
class Piece:
    """Some words that stayed, went or came."""

    mark: Literal["same", "gone", "new"]
    words: str


@dataclass(frozen=True)
class Difference:
    """One field that says something else in the later of two states."""

    label: str
    before: str
    after: str

    @property
    def pieces(self) -> list[Piece]:
        """Return the change word by word; of long stretches that stayed the same only their ends."""
        return pieces(self.before, self.after)


def differences(shape: type[BaseModel], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two states of one shape, field by field, in the order of the shape, readable."""
    found = []
    for name, info in shape.model_fields.items():
        old, new = readable(shape, name, before.get(name)), readable(shape, name, after.get(name))
        if old != new:
            found.append(Difference(str(info.title), old, new))
    return found


def readable(shape: type[BaseModel], name: str, value: Any) -> str:
    """Return a field's value as people read it; empty for nothing."""
    if value in (None, "", [], 0):
        return ""
    extra = shape.model_fields[name].json_schema_extra
    labels = extra.get("labels") if isinstance(extra, dict) else None
    if isinstance(labels, dict):
        return str(labels.get(str(value), value))
    if name.endswith("_amount"):
        return rupiah(int(value))
    if name.endswith("_on"):
        return long_date(value if isinstance(value, date) else date.fromisoformat(str(value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(_line(row) for row in value)
    return f"{value:,}".replace(",", ".") if isinstance(value, int) else str(value)


def _line(row: Any) -> str:
    given = row.model_dump() if isinstance(row, BaseModel) else row
    return "; ".join(str(part) for part in given.values() if part) if isinstance(given, Mapping) else str(given)


def pieces(before: str, after: str) -> list[Piece]:
    """Return how one text became the other one: the words that stayed, went and came, in the order of reading."""
    old, new = _parts(before), _parts(after)
    if len(old) + len(new) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) + len(new) > MOST_WORDS:
        return [Piece("gone", before), Piece("new", after)]
    found: list[Piece] = []
    changes = SequenceMatcher(None, old, new).get_opcodes()
    for n, (what, i, j, k, m) in enumerate(changes):
        if what == "equal":
            found.append(Piece("same", _shown(old[i:j], is_first=n == 0, is_last=n + 1 == len(changes))))
            continue
        if j > i:
            found.append(Piece("gone", _joined(old[i:j])))
        if m > k:
            found.append(Piece("new", _joined(new[k:m])))
    return found


def _parts(text: str) -> list[str]:
    # The end of a line is a part of its own, so that a word does not differ because a line ends behind it.
    return re.findall(r"\n|[^\s]+", text)


def _joined(parts: Sequence[str]) -> str:
    return re.sub(r" ?\n ?", "\n", " ".join(parts))


def _shown(parts: Sequence[str], *, is_first: bool, is_last: bool) -> str:
    head, tail = 0 if is_first else AROUND, 0 if is_last else AROUND
    if len(parts) <= head + tail + AROUND:
        return _joined(parts)
    return " ".join(filter(None, (_joined(parts[:head]), "[…]", _joined(parts[len(parts) - tail :]))))
