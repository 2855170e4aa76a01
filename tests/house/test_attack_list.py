"""docs/attacks.md names every attack that is tried, and only those."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (W\d+) \|[^|]+\|(?P<files>[^|]+)\|$", re.MULTILINE)
TEST = re.compile(r"^def test_(w\d+)_", re.MULTILINE)
WITHOUT_NAME = {("W1", "tests/house/test_authority_matrix.py")}
"""Tries the attack cell by cell, in tests that are older than the ids."""


def test_every_attack_of_the_list_is_tried_where_it_says() -> None:
    told = {
        (row[1], file)
        for row in ROW.finditer((ROOT / "docs" / "attacks.md").read_text(encoding="utf-8"))
        for file in re.findall(r"`(tests/[\w/]+\.py)`", row["files"])
    }
    tried = {
        (name.upper(), str(path.relative_to(ROOT)))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name in TEST.findall(path.read_text(encoding="utf-8"))
    }

    assert told - tried - WITHOUT_NAME == set(), "named, but not tried there"
    assert tried - told == set(), "tried, but not named in docs/attacks.md"
    wanted = {f"W{n}" for n in (*range(1, 16), 18, 19, 20)}
    assert {name for name, _ in told} >= wanted
