"""The verdict of a person on one round, its record, and the permit that follows from it (S08)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from services.security import queries
from services.security.actions.record import record_paper
from services.security.authority import ACTS
from services.security.model import PermitRow, Scan, SecurityTest
from services.security.settings import Settings
from services.security.verdict import refuse_untrue_pass, standing_policy
from shared import letters
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.institution import institution
from shared.mailbox import post
from shared.messages import PaperFact, TestFailed, TestPassed
from shared.permit import Permit, private_key, sign
from shared.printing import print_paper
from shared.store import Store
from shared.words import local_date

OFFICE = "MS"
"""Monitoring dan Security, in the numbers of its records."""
RECORD = "berita_acara_uji_keamanan"


@dataclass(frozen=True)
class Desk:
    """What a verdict needs from outside: where papers are kept, and the key that signs permits."""

    store: Store
    signer: Ed25519PrivateKey
    install_days: int
    valid_months: int
    public_url: str

    @classmethod
    def of(cls, settings: Settings) -> "Desk":
        """Return the desk of an installation; raise PermitRefused when its key cannot be read."""
        return cls(
            store=Store(settings.files_folder),
            signer=private_key(settings.keys_folder),
            install_days=settings.install_days,
            valid_months=settings.valid_months,
            public_url=settings.public_url,
        )


def submit(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Hand the test to the head of the division for the verdict (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.submit, found)
    found.move("submit")
    return found


def send_back(session: Session, by: Person, test_id: UUID, *, reason: str) -> SecurityTest:
    """Give the test back to the tester, with the reason (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.send_back, found, reason=reason)
    found.move("send_back")
    found.verdict_note = reason
    return found


def clear(session: Session, by: Person, test_id: UUID, *, note: str, desk: Desk) -> SecurityTest:
    """Give the verdict *lulus* and the permit for exactly this build (S08).

    Raises PassRefused with every reason when the verdict would be untrue: an engine missing or incomplete, a
    scan of another build or under other rules, an unanswered control, an open finding that blocks.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.clear, found, digest=found.digest)
    found.require("clear")
    file = queries.file(session, found)
    refuse_untrue_pass(file.judgement)
    found.move("clear")
    paper = _conclude(session, by, found, file, note=note, desk=desk)
    now = utc_now()
    permit = Permit(
        id=uuid4(),
        case=found.case.case_number,
        application=found.case.code,
        digest=found.digest,
        hosting=found.hosting,
        policy=standing_policy().digest,
        scans=tuple(str(scan.id) for scan in _latest(found.scans)),
        round=found.round,
        issued_at=now,
        install_until=now + timedelta(days=desk.install_days),
        valid_until=now + timedelta(days=desk.valid_months * 365 // 12),
    )
    signed = sign(permit, desk.signer).model_dump_json()
    session.add(
        PermitRow(
            id=permit.id,
            case_id=found.case_id,
            test_id=found.id,
            digest=found.digest,
            signed=signed,
            valid_until=permit.valid_until,
            given_by_id=by.id,
        )
    )
    post(
        session,
        TestPassed(
            case_id=found.case_id,
            case_number=found.case.case_number,
            round=found.round,
            digest=found.digest,
            papers=(paper,),
            permit_id=permit.id,
            permit=signed,
            valid_until=permit.valid_until,
            note=note,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found


def fail(session: Session, by: Person, test_id: UUID, *, note: str, desk: Desk) -> SecurityTest:
    """Give the verdict *tidak lulus* (S08): the findings go back to be mended, with the reason.

    Raises Incomplete without a written reason, OutOfTurn when there is no open finding to mend.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.fail, found, digest=found.digest)
    found.require("fail")
    if len(note.strip()) < 5:
        words = "Putusan tidak lulus memerlukan alasan tertulis, agar pihak yang memperbaiki memahaminya."
        raise Incomplete(words, errors=[FieldError("/note", words)])
    file = queries.file(session, found)
    counted = queries.open_by_severity(file.findings)
    if not any(counted.values()):
        raise OutOfTurn("Tidak ada temuan terbuka. Catat temuannya dahulu, agar yang diperbaiki jelas.")
    found.move("fail")
    paper = _conclude(session, by, found, file, note=note, desk=desk)
    post(
        session,
        TestFailed(
            case_id=found.case_id,
            case_number=found.case.case_number,
            round=found.round,
            digest=found.digest,
            papers=(paper,),
            findings=counted,
            note=note,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found


def _latest(scans: Sequence[Scan]) -> list[Scan]:
    return list({scan.engine: scan for scan in scans}.values())


def _conclude(
    session: Session, by: Person, found: SecurityTest, file: queries.File, *, note: str, desk: Desk
) -> PaperFact:
    """Number, print and keep the record of the test; name it for the trace."""
    now = utc_now()
    found.verdict_by_id, found.verdict_by_name, found.verdict_at, found.verdict_note = (
        by.id,
        by.name,
        now,
        note,
    )
    on = local_date(now)
    # Each division counts its own series, so the office in the number has to tell them apart.
    office = f"{institution().record_office}-{OFFICE}"
    found.number = letters.number(
        "record", letters.next_number(session, "record", on.year, office=office), on, office=office
    )
    paper = record_paper(
        found,
        findings=file.findings,
        answers=file.answers,
        signer=by,
        valid_until=now + timedelta(days=desk.valid_months * 365 // 12),
    )
    found.paper_digest = print_paper(
        session,
        "security",
        paper,
        store=desk.store,
        public_url=desk.public_url,
        kind=RECORD,
        case_number=found.case.case_number,
    ).digest
    return PaperFact(kind=RECORD, title=paper.title, number=found.number, digest=found.paper_digest)
