"""The office of the tests, and a session on the budget division's database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from services.budget.actions import Office
from services.budget.settings import Settings


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return the office that prints papers, with a store of its own."""
    settings = Settings(database_url="postgresql+psycopg:///", keys_folder=tmp_path, files_folder=tmp_path / "files")
    return Office.of(settings)


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a session whose changes are rolled back with the test."""
    return sessions("budget")
