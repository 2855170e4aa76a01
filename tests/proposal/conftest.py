"""The application division's office and session for its tests."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from services.proposal.model import Office
from services.proposal.settings import Settings
from shared.database import utc_now
from shared.words import local_date
from tests.proposal import walk as journey
from tests.proposal.walk import Walk


@pytest.fixture(autouse=True)
def today() -> None:
    """Let every test know its own day: a run that begins before midnight in WIB goes on after it."""
    day = local_date(utc_now())
    if day == journey.TODAY:
        return
    for name, module in tuple(sys.modules.items()):
        if name.startswith("tests.proposal.") and hasattr(module, "TODAY"):
            module.TODAY = day


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return the office with its store in a folder of the test."""
    return Office.of(Settings(database_url="", keys_folder=tmp_path / "keys", files_folder=tmp_path / "files"))


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a session on the division's database that is rolled back."""
    return sessions("proposal")


@pytest.fixture
def walk(session: Session, office: Office) -> Walk:
    """Return what takes a case along the procedure, by the acts and messages that do it in life."""
    return Walk(session, office)
