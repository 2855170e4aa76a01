"""What the house tests look at: every division's worker."""

import importlib
from pathlib import Path

import pytest

from shared.keys import DIVISIONS, make_keys


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
