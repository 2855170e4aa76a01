"""A security division that knows one case, engines' answers as they come, and a desk that can sign permits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security import actions
from services.security.actions import Answer, Desk
from services.security.app import make
from services.security.model import SecurityTest
from services.security.settings import Settings
from services.security.verdict import Finding, ScanResult, Severity, standing_policy
from shared import mailbox, permit
from shared.database import Database
from shared.identity import Person
from shared.keys import Keys
from shared.messages import ApplicationFacts, HandedOver, InstalledForTesting, Message, WentLive
from shared.procedure import security_controls
from shared.store import Store
from tests.doors import Door
from tests.people import EDI, FAJAR

CASE = UUID("0b7e1c1e-0000-4000-8000-000000000002")
CASE_NUMBER = "APL-2026-0002"
FIRST, SECOND = "a" * 64, "b" * 64
"""Digests of the first build and of the one that follows."""
FACTS = ApplicationFacts(code="e-presensi", name="e-Presensi", unit="BPEG")
HOSTING = "e-presensi-1"
CONTROLS = [control["number"] for control in security_controls()]
ENGINES = ("bandit", "probe")


def handed_over(vendor: str = "CKD", case_id: UUID = CASE, case_number: str = CASE_NUMBER) -> HandedOver:
    """Return the fact that the contract's work was handed over."""
    return HandedOver(
        case_id=case_id, case_number=case_number, application=FACTS, vendor=vendor, handover_number="001/BAST"
    )


def installed(digest: str = FIRST, *, by: Person = EDI, release: int = 1, **changed: Any) -> InstalledForTesting:
    """Return the fact that a build stands at its closed address."""
    told = {
        "case_id": CASE,
        "case_number": CASE_NUMBER,
        "digest": digest,
        "application": FACTS,
        "release_id": uuid4(),
        "release_number": release,
        "hosting": HOSTING,
        "closed_host": "e-presensi.uji.kampus.example",
        "connect_address": "127.0.0.1",
        "connect_port": 8443,
        "server": "web-1",
        "installed_by": by.id,
    }
    return InstalledForTesting.model_validate({**told, **changed})


def went_live(digest: str = FIRST, case_id: UUID = CASE) -> WentLive:
    """Return the fact that a build is open to users."""
    return WentLive(
        case_id=case_id,
        case_number=CASE_NUMBER,
        digest=digest,
        application=FACTS,
        release_id=uuid4(),
        release_number=1,
        address="https://presensi.kampus.example",
        permit_id=uuid4(),
    )


def letter(message: Message, *, source: str = "deploy") -> mailbox.Letter:
    """Return a message as it is handed to a handler."""
    return mailbox.Letter(
        id=uuid4(),
        source=source,
        dest="security",
        aggregate=message.aggregate,
        version=1,
        kind=type(message).__name__,
        schema_v=1,
        created_at=datetime.now(UTC),
        trace="jejak",
        actor=mailbox.Actor(id=EDI.id, name=EDI.name, as_what=EDI.as_what),
        body=message.model_dump(mode="json"),
        digest="0" * 64,
        sent=1,
    )


def told(session: Session, kind: str) -> list[dict[str, Any]]:
    """Return the bodies of the messages of a kind that wait in the outbox, one for each sending, in order."""
    box = mailbox.outbox.c
    found = session.scalars(select(box.body).where(box.kind == kind, box.dest == "proposal").order_by(box.seq))
    return [orjson.loads(body) for body in found]


def fault(name: str = "x", *, engine: str = "bandit", severity: Severity = Severity.HIGH) -> Finding:
    """Return a finding of an engine; its name is what makes it the same one again."""
    return Finding(
        fingerprint=name.encode().hex().ljust(32, "0")[:32],
        engine=engine,
        rule="B602",
        control="K22",
        cwe="CWE-78",
        severity=severity,
        title=f"Temuan {name}",
        risk="Server dapat diambil alih.",
        where=f"app/{name}.py:5",
        evidence="subprocess.call(name, shell=True)",
        recommendation="Pakai daftar argumen.",
    )


def result(engine: str, *findings: Finding, digest: str = FIRST, complete: bool = True, **changed: Any) -> ScanResult:
    """Return what an engine says of a build."""
    return ScanResult(
        engine=engine,
        version="1",
        policy_digest=changed.pop("policy_digest", standing_policy().engine_digest(engine)),
        digest=digest,
        complete=complete,
        problems=() if complete else ("Satu berkas tidak terbaca.",),
        findings=findings,
    )


@dataclass
class Bench:
    """The division at work in one session."""

    session: Session
    desk: Desk

    def opened(self, digest: str = FIRST, **changed: Any) -> SecurityTest:
        """Return a new round for a build."""
        return actions.open_test(self.session, installed(digest, **changed))

    def scanned(self, test: SecurityTest, *findings: Finding, complete: bool = True) -> SecurityTest:
        """Let both engines answer about the build of the round that runs."""
        for scan in test.scans:
            if scan.finished_at is None:
                own = [f for f in findings if f.engine == scan.engine]
                answer = result(scan.engine, *own, digest=test.digest, complete=complete or scan.engine != "bandit")
                actions.record_scan(self.session, scan.id, answer)
        return test

    def reviewed(self, *findings: Finding, digest: str = FIRST) -> SecurityTest:
        """Return a round that Fajar started and both engines answered."""
        test = self.opened(digest)
        actions.start(self.session, FAJAR, test.id)
        return self.scanned(test, *findings)

    def answered(self, test: SecurityTest) -> SecurityTest:
        """Let Fajar answer every control."""
        answers = [Answer(number, "pass") for number in CONTROLS]
        return actions.answer_controls(self.session, FAJAR, test.id, answers=answers)

    def submitted(self, *findings: Finding, digest: str = FIRST) -> SecurityTest:
        """Return a round that waits for the verdict."""
        test = self.answered(self.reviewed(*findings, digest=digest))
        return actions.submit(self.session, FAJAR, test.id)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk with a store and a key of its own."""
    permit.new_key_pair(tmp_path / "permit")
    return Desk(
        store=Store(tmp_path / "files"),
        signer=permit.private_key(tmp_path / "permit"),
        install_days=14,
        valid_months=12,
        public_url="https://alur.kampus.example",
    )


@pytest.fixture
def bench(sessions: Callable[[str], Session], desk: Desk) -> Bench:
    """Return the division at work; it knows the case from its handover."""
    session = sessions("security")
    actions.note_case(session, handed_over())
    return Bench(session, desk)


@pytest.fixture
def settings(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Settings:
    """Return the settings of a division with a database and keys of its own."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for file in keys.folder.glob("*.key"):
        if file.name != permit.PRIVATE_KEY:
            (folder / file.name).symlink_to(file)
    permit.new_key_pair(folder)
    return Settings(database_url=database_of("security").url, keys_folder=folder, files_folder=tmp_path / "store")


@pytest.fixture
def door(settings: Settings, keys: Keys) -> Iterator[Door]:
    """Return the division's web application; it knows the case from its handover."""
    app = make(settings)
    found = Door.of(app, keys)
    with found.database.transaction() as session:
        actions.note_case(session, handed_over())
    yield found
    found.database.close()
