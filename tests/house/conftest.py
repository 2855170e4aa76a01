"""What the house tests look at: every division's worker."""

import importlib
from pathlib import Path

import pytest

from shared.identity import Role
from shared.keys import DIVISIONS, make_keys


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cells of the authority matrix were looked at, when they were."""
    passed = {report.nodeid.partition("::")[2] for report in terminalreporter.getreports("passed")}
    looked = [name for name in passed if name.startswith("test_each_cell_allows_exactly_who_stands_in_the_table[")]
    tables = [name.partition("[")[2].removesuffix("]") for name in looked]
    acts = sum(len(importlib.import_module(f"services.{name}.authority").ACTS.rows) for name in tables)
    if acts:
        terminalreporter.write_line(
            f"authority matrix: {acts * len(Role)} cells ({acts} acts x {len(Role)} roles) in {len(tables)} tables"
        )


@pytest.fixture
def handled(tmp_path: Path) -> dict[str, set[str]]:
    """Return the kinds of message that each division's worker handles."""
    make_keys(tmp_path / "keys")
    result = {}
    for service in DIVISIONS:
        settings = importlib.import_module(f"services.{service}.settings").Settings(
            database_url="postgresql+psycopg:///nowhere",
            keys_folder=tmp_path / "keys",
            files_folder=tmp_path / "files",
        )
        worker = importlib.import_module(f"services.{service}.tasks").make_worker(settings)
        result[service] = set(worker.handlers)
    return result
