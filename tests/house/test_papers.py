"""docs/papers.md says of every paper of the procedure who prints it, or why nobody does."""

from collections import Counter

import pytest

from shared.procedure import procedure
from tests.house.test_documents import DASH, DOCS, ROOT, Row, names, rows

PAPERS = rows((DOCS / "papers.md").read_text(encoding="utf-8"), "Key", "Paper", "Printed by", "Note")


def evidence() -> dict[str, set[str]]:
    """Return the papers that the procedure names, each with its steps."""
    found: dict[str, set[str]] = {}
    for step in procedure().steps.values():
        for key in step.evidence:
            found.setdefault(key, set()).add(step.id)
    return found


def test_every_paper_of_the_procedure_has_one_row_with_its_steps() -> None:
    listed = Counter(key for row in PAPERS for key in names(row["Key"]))

    assert set(listed) == set(evidence())
    assert set(listed.values()) == {1}
    assert {names(row["Key"])[0]: set(row["Step"].split(", ")) for row in PAPERS} == evidence()


@pytest.mark.parametrize("row", PAPERS, ids=lambda row: names(row["Key"])[0])
def test_every_paper_is_printed_and_tested_or_the_reason_stands_there(row: Row) -> None:
    [key] = names(row["Key"])

    if row["Printed by"] == DASH:
        assert len(row["Note"].split()) > 4
        return
    [folder] = names(row["Printed by"])
    for place in (ROOT / folder, ROOT / folder.replace("services", "tests")):
        sources = [path for path in place.rglob("*.py") if f'"{key}"' in path.read_text(encoding="utf-8")]
        assert sources, f"{key} stands nowhere in {place.relative_to(ROOT)}"
