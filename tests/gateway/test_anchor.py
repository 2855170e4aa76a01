"""Every service's audit chain, the gateway's too, is noted each hour outside its database."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alur.parts import worker_of
from services.gateway.actions import person
from shared import audit
from shared.database import Database
from shared.identity import Role
from shared.keys import SERVICES


@pytest.fixture
def folder(
    tmp_path: Path, state: Path, database_of: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return the folder of the notes; every service finds its own database."""
    for service in SERVICES:
        monkeypatch.setenv(f"ALUR_{service.upper()}_DATABASE_URL", database_of(service).url)
        monkeypatch.setenv(f"ALUR_{service.upper()}_KEYS_FOLDER", str(state / "keys"))
        monkeypatch.setenv(f"ALUR_{service.upper()}_FILES_FOLDER", str(tmp_path / "files"))
    monkeypatch.setenv("ALUR_ANCHORS_FOLDER", str(tmp_path / "anchors"))
    return tmp_path / "anchors"


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("service", SERVICES)
def test_each_worker_notes_the_head_of_its_chain_every_hour(service: str, folder: Path) -> None:
    worker = worker_of(service)
    with worker.database.transaction() as session:
        head = audit.record(session, None, "open", "thing:1")

    was_due = [worker.tick("anchor"), worker.tick("anchor")]

    assert worker.timetable["anchor"][0].seconds == 3600 and was_due == [True, False]
    assert audit.read_anchors(folder / f"{service}.jsonl") == {head.seq: head.hash}
    worker.database.close()


@pytest.mark.usefixtures("keys")
def test_a_chain_of_the_gateway_that_was_written_anew_does_not_fit_its_note(folder: Path) -> None:
    worker = worker_of("gateway")
    with worker.database.transaction() as session:
        person.add_person(
            session, username="citra", display_name="Citra", roles=[Role.HEAD], password="sebuah kalimat yang panjang"
        )
    worker.tick("anchor")

    with worker.database.session() as session:
        notes = audit.read_anchors(folder / "gateway.jsonl")
        forged = dict.fromkeys(notes, "0" * 64)
        assert audit.verify(session, anchors=dict(notes))[1] == []
        assert [one.seq for one in audit.verify(session, anchors=forged)[1]] == list(notes)
    worker.database.close()
