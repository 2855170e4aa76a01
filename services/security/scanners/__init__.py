"""Scanners: a target in, findings out; each says also whether it has seen all that it should."""

import hashlib
import re
from typing import Protocol, TypeVar

from services.security.verdict import Finding, ScanResult, Severity

__all__ = ["Finding", "ScanResult", "Scanner", "Severity", "fingerprint", "printable"]

EVIDENCE_SIGNS = 400
_SPACES = re.compile(r"\s+")

Target = TypeVar("Target", contravariant=True)


class Scanner(Protocol[Target]):
    """One engine. It never raises for what it finds: what goes wrong makes the result incomplete."""

    engine: str

    def scan(self, target: Target) -> ScanResult:
        """Look at the whole target."""


def fingerprint(engine: str, rule: str, path: str, context: str, *, occurrence: int = 0) -> str:
    """Return 32 hex digits that stay the same when lines move or are indented anew.

    `occurrence` counts equal contexts in one file from 0.
    """
    parts = (engine, rule, path, _SPACES.sub(" ", context).strip(), str(occurrence))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def printable(text: str, *, most: int = EVIDENCE_SIGNS) -> str:
    """Return foreign text fit for a page or a log: one line, cut, everything unprintable escaped."""
    line = _SPACES.sub(" ", text[: most * 4]).strip()
    safe = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in line)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
