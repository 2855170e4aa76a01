"""Closing minutes under kill -9 at each step: every outcome is carried out once, whatever is repeated (X6, I1-I3)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from alur.settings import free_port
from services.budget.settings import Settings as BudgetSettings
from services.budget.tasks import make_worker as budget_worker
from services.proposal.app import make
from services.proposal.model import ActionItem, Case, Evaluation, Meeting, Office, Paper, TraceEntry
from services.proposal.settings import Settings
from shared import audit, issued, mailbox
from shared.database import Database
from shared.identity import HEADER, Caller, sign
from shared.keys import GATEWAY, Keys
from tests.chaos.ground import Process, until
from tests.gateway.conftest import serving
from tests.people import CITRA
from tests.proposal.walk import Walk

pytestmark = pytest.mark.live

OUTCOMES = ("defer", "revise", "continue")
FAULTS = (
    *(f"{side}:{n}" for n in range(1, len(OUTCOMES) + 2) for side in ("before", "after")),
    "printed",
    "commit",
    "committed",
)


@dataclass
class Ground:
    """The division's web door in a process of its own, on a database of the test's own."""

    database: Database
    office: Office
    keys: Keys
    process: Process
    settings: Settings
    port: int
    cases: dict[UUID, str] = field(default_factory=dict)
    meeting_id: UUID | None = None
    evaluation_id: UUID | None = None

    def lay(self) -> None:
        """Record minutes with an item of each outcome."""
        with self.database.transaction() as session:
            walk = Walk(session, self.office)
            evaluation = walk.reported()
            cases = [walk.programmed() for _ in OUTCOMES]
            meeting = walk.meeting("weekly")
            for case, outcome in zip(cases, OUTCOMES, strict=True):
                walk.item(meeting, case, decision=outcome, follow_up=f"Susulan {outcome}", pic="Bayu")
            walk.hear(meeting, evaluation)
            self.cases = {case.id: outcome for case, outcome in zip(cases, OUTCOMES, strict=True)}
            self.meeting_id, self.evaluation_id = meeting.id, evaluation.id

    def start(self, fault: str = "") -> None:
        self.process.start(fault=fault)
        until(self._answers, what="the web door")

    @contextmanager
    def served_again(self) -> Iterator[None]:
        """Serve what a kill left, in this process: all of it is in the database and the store, none in a process."""
        app = make(self.settings)
        with serving(app) as url:
            self.port = int(url.rsplit(":", 1)[1])
            yield
        app.state.database.close()

    def _answers(self) -> bool:
        assert self.process.popen is not None
        assert self.process.popen.poll() is None, self.process.log.read_text(errors="replace")[-3000:]
        try:
            with self._client() as client:
                return client.get("/api/health").status_code == 200
        except httpx.TransportError:
            return False

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20, trust_env=False)

    def close(self, key: str) -> httpx.Response:
        """Ask to close the minutes, as the gateway asks."""
        caller = Caller(person=CITRA, form_token="token")
        signed = sign(caller, key=self.keys.pair(GATEWAY, "proposal", use="person"), audience="proposal")
        headers = {HEADER: signed, "idempotency-key": key}
        with self._client() as client:
            return client.post(f"/api/meetings/{self.meeting_id}/closing", headers=headers)

    def check(self) -> None:
        """Fail unless every outcome was carried out once, and everything tells of it once."""
        with self.database.transaction() as session:
            meeting = session.get_one(Meeting, self.meeting_id)
            told = session.execute(
                text("SELECT body::json ->> 'case_id', count(*) FROM msg.outbox WHERE kind = 'CaseHalted' GROUP BY 1")
            ).all()
            versions = session.execute(
                text("SELECT array_agg(version ORDER BY version) FROM msg.outbox GROUP BY dest, aggregate")
            ).scalars()
            papers = session.execute(
                select(issued.registered_paper.c.digest, issued.registered_paper.c.withdrawn_at).where(
                    issued.registered_paper.c.series == f"minutes:{meeting.id}"
                )
            ).all()
            entries = session.scalars(select(TraceEntry).where(TraceEntry.path == f"/rapat/{meeting.id}")).all()
            cited = session.scalars(select(Paper.digest).where(Paper.digest == meeting.minutes_digest)).all()

            assert meeting.is_closed
            assert sorted(entry.case_id for entry in entries if entry.step == "S03") == sorted(self.cases)
            assert len([entry for entry in entries if entry.step == "S10"]) == 1
            assert all(meeting.number in entry.says for entry in entries)
            assert len(cited) == len(entries) == len(self.cases) + 1
            statuses = {case_id: session.get_one(Case, case_id).status for case_id in self.cases}
            assert statuses == {
                case_id: "deferred" if outcome == "defer" else "in_work_programme"
                for case_id, outcome in self.cases.items()
            }
            assert session.get_one(Evaluation, self.evaluation_id).status == "presented"
            assert sorted(told) == sorted((str(c), 1) for c, outcome in self.cases.items() if outcome != "continue")
            assert all(found == list(range(1, len(found) + 1)) for found in versions)
            assert papers == [(meeting.minutes_digest, None)]
            assert self.office.store.path(meeting.minutes_digest).read_bytes().startswith(b"%PDF-")
            assert len(session.scalars(select(ActionItem)).all()) == len(self.cases)
            assert [one.version for one in meeting.versions] == [1]
            assert audit.verify(session)[1] == []
            closings = session.execute(text("SELECT count(*) FROM audit.entry WHERE line LIKE '%\"close_minutes\"%'"))
            assert closings.scalar_one() == 1


@pytest.fixture
def ground(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Ground]:
    database = database_of("proposal")
    files = tmp_path / "files"
    settings = Settings(database_url=database.url, keys_folder=keys.folder, files_folder=files)
    office = Office.of(settings)
    port = free_port()
    told = {"database": database.url, "keys": str(keys.folder), "files": str(files), "port": port}
    process = Process("tests.chaos.closing", told, tmp_path / "log")
    made = Ground(database, office, keys, process, settings, port)
    made.lay()
    yield made
    process.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_kill_at_each_step_of_closing_carries_out_once(ground: Ground, fault: str) -> None:
    ground.start(fault)
    with pytest.raises(httpx.TransportError):
        ground.close("tutup-1")
    assert ground.process.reap() == -9

    with ground.served_again():
        answer = ground.close("tutup-1")
        again = ground.close("tutup-1")
        other = ground.close("tutup-2")

    assert (answer.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert again.json() == answer.json()
    assert "sudah ditutup oleh" in other.json()["detail"]
    ground.check()


def test_closing_twice_in_parallel_carries_out_once_and_tells_the_second(ground: Ground) -> None:
    ground.start()
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda key=key: answers.append(ground.close(key))) for key in ("satu", "dua", "tiga")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"out_of_turn"}
    ground.check()


def test_what_closing_tells_arrives_once(
    ground: Ground, database_of: Callable[[str], Database], tmp_path: Path
) -> None:
    """The letters that a killed closing left are those of the one that stands; the budget takes each once."""
    ground.start("committed")
    with pytest.raises(httpx.TransportError):
        ground.close("tutup-1")
    ground.process.reap()
    budget = database_of("budget")
    settings = BudgetSettings(database_url=budget.url, keys_folder=ground.keys.folder, files_folder=tmp_path / "b")
    worker = budget_worker(settings)

    with ground.database.transaction() as session:
        parcels = mailbox.take(session, source="proposal", keys=ground.keys, room={"budget": 100})
        session.rollback()
    wires = [wire for parcel in parcels for wire in parcel.wires]

    first = worker.receive(wires)
    once = rows(budget)
    second = worker.receive(wires)
    worker.database.close()

    assert {outcome.result for outcome in (*first, *second)} == {"done"}
    assert once["msg.inbox"] == len(wires)
    assert len([wire for wire in wires if "CaseHalted" in wire["letter"]]) == 2
    assert rows(budget) == once


def rows(database: Database) -> dict[str, int]:
    """Return how many rows each table holds."""
    with database.transaction() as session:
        names = session.execute(
            text("""SELECT schemaname, tablename FROM pg_tables
                WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""")
        ).all()
        return {f"{s}.{t}": session.execute(text(f'SELECT count(*) FROM "{s}"."{t}"')).scalar_one() for s, t in names}
