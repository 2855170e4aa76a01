"""A helpdesk that knows one live application, and letters as the mailbox would hand them over."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.helpdesk import actions
from services.helpdesk.app import make
from services.helpdesk.model import Ticket
from services.helpdesk.settings import Settings
from shared import mailbox
from shared.database import Database
from shared.identity import Person
from shared.keys import Keys
from shared.messages import ApplicationFacts, WentLive
from tests.doors import Door
from tests.people import LINA

CASE = UUID("0b7e1c1e-0000-4000-8000-000000000001")
CASE_NUMBER = "APL-2026-0001"
FACTS = ApplicationFacts(code="e-presensi", name="e-Presensi", unit="BPEG")
WORDS: dict[str, Any] = {
    "application": "e-presensi",
    "title": "Tidak dapat masuk",
    "body": "Setelah menekan tombol masuk, halaman kosong.",
    "category": "gangguan",
    "priority": "high",
}


def went_live(*, release: int = 1, digest: str = "a" * 64, case_id: UUID = CASE, **facts: Any) -> WentLive:
    """Return the fact that an application is in use."""
    return WentLive(
        case_id=case_id,
        case_number=facts.pop("case_number", CASE_NUMBER),
        digest=digest,
        application=FACTS.model_copy(update=facts),
        release_id=uuid4(),
        release_number=release,
        address="https://presensi.kampus.example",
        permit_id=uuid4(),
    )


def letter(message: Any, *, source: str = "deploy") -> mailbox.Letter:
    """Return a message as it is handed to a handler."""
    return mailbox.Letter(
        id=uuid4(),
        source=source,
        dest="helpdesk",
        aggregate=message.aggregate,
        version=1,
        kind=type(message).__name__,
        schema_v=1,
        created_at=datetime.now(UTC),
        trace="jejak",
        actor=mailbox.Actor(id=LINA.id, name="Lina", as_what="Pengguna"),
        body=message.model_dump(mode="json"),
        digest="0" * 64,
        sent=1,
    )


def told(session: Session, kind: str) -> list[dict[str, Any]]:
    """Return the bodies of the messages of a kind that wait in the outbox, in order."""
    found = session.scalars(
        select(mailbox.outbox.c.body).where(mailbox.outbox.c.kind == kind).order_by(mailbox.outbox.c.seq)
    )
    return [orjson.loads(body) for body in found]


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a session of the helpdesk that knows the live application e-presensi."""
    found = sessions("helpdesk")
    actions.note_live(found, went_live())
    return found


@pytest.fixture
def ticket(session: Session) -> Ticket:
    """Return Lina's new ticket on it."""
    return actions.open_ticket(session, LINA, **WORDS)


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """Return the helpdesk's web application with one live application."""
    settings = Settings(
        database_url=database_of("helpdesk").url, keys_folder=keys.folder, files_folder=tmp_path / "files"
    )
    app = make(settings)
    found = Door.of(app, keys)
    with found.database.transaction() as session:
        actions.note_live(session, went_live())
    yield found
    found.database.close()


def opened(door: Door, by: Person = LINA, **changed: Any) -> str:
    """Open a ticket at the JSON door and return its id."""
    answer = door.post(by, "/api/tickets", json={**WORDS, **changed})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
