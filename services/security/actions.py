"""What the security division does (S08): test, findings, controls, verdict, permit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.security import queries, record
from services.security.authority import ACTS
from services.security.model import (
    ENDED,
    ControlAnswer,
    FindingRow,
    FindingStatus,
    KnownCase,
    PermitRow,
    Scan,
    SecurityTest,
    TestStatus,
)
from services.security.settings import Settings
from services.security.verdict import Finding, ScanResult, refuse_untrue_pass, standing_policy
from shared import jobs, letters
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.institution import institution
from shared.mailbox import Letter, post
from shared.messages import (
    BuildReceived,
    CaseSuspended,
    EvaluationOpened,
    FiguresGathered,
    HandedOver,
    InstalledForTesting,
    PaperFact,
    PermitRevoked,
    SecurityTestStarted,
    TestFailed,
    TestPassed,
    WentLive,
)
from shared.permit import Permit, private_key, sign
from shared.procedure import security_controls
from shared.store import Store
from shared.words import local_date

SCAN = "scan"
OFFICE = "MS"
"""Monitoring dan Security, in the numbers of its records."""
CONTROLS = frozenset(control["number"] for control in security_controls())


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


@dataclass(frozen=True)
class Answer:
    """A person's answer to one control: pass, fail or not_applicable (which needs a note)."""

    control: str
    answer: str
    note: str = ""


def note_case(session: Session, message: HandedOver | BuildReceived | InstalledForTesting) -> KnownCase:
    """Know a case from the first message that names it, and more of it with each later one."""
    case = session.get(KnownCase, message.case_id, with_for_update=True)
    if case is None:
        case = KnownCase(case_id=message.case_id, case_number=message.case_number)
        session.add(case)
    if isinstance(message, HandedOver | InstalledForTesting):
        case.code, case.name, case.unit = (
            message.application.code,
            message.application.name,
            message.application.unit,
        )
    if isinstance(message, HandedOver) and message.vendor:
        case.vendor = message.vendor
    session.flush()
    return case


def open_test(session: Session, message: InstalledForTesting) -> SecurityTest:
    """Open the next round for a build that stands at its closed address; an unfinished round is superseded."""
    case = note_case(session, message)
    earlier = session.scalars(
        select(SecurityTest).where(SecurityTest.case_id == case.case_id).with_for_update(of=SecurityTest)
    ).all()
    for old in earlier:
        if old.status not in ENDED:
            old.move("supersede")
    found = SecurityTest(
        case=case,
        case_id=case.case_id,
        round=len(earlier) + 1,
        digest=message.digest,
        release_id=message.release_id,
        release_number=message.release_number,
        hosting=message.hosting,
        closed_host=message.closed_host,
        connect_address=message.connect_address,
        connect_port=message.connect_port,
        installed_by_id=message.installed_by,
    )
    session.add(found)
    session.flush()
    return found


def note_live(session: Session, message: WentLive) -> None:
    """Know which digest users see."""
    case = session.get(KnownCase, message.case_id, with_for_update=True)
    if case is None:
        raise OutOfTurn("Perkara belum dikenal.")
    case.live_digest = message.digest


def start(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Begin the test: its tester is named and every engine of the policy runs as a job (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.start, found, digest=found.digest)
    found.move("start")
    found.tester_id, found.tester_name = by.id, by.name
    _start_scans(session, found)
    post(
        session,
        SecurityTestStarted(
            case_id=found.case_id,
            case_number=found.case.case_number,
            round=found.round,
            digest=found.digest,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found


def rescan(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Run every engine again, for instance after one could not finish (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.rescan, found, digest=found.digest)
    found.move("rescan")
    _start_scans(session, found)
    return found


def record_scan(session: Session, scan_id: UUID, result: ScanResult) -> None:
    """Keep an engine's answer; its findings join the case's list, what it no longer sees counts as mended.

    Nothing counts as mended by a scan that is not complete, and nothing changes by one whose round is over.
    After the last engine the tester looks at it.
    """
    scan, found = _find_scan(session, scan_id)
    if scan.finished_at is not None:
        return
    scan.result = result.model_dump(mode="json")
    scan.is_complete = result.complete
    scan.finished_at = utc_now()
    if found.status in ENDED:
        return
    _keep_findings(session, found, result)
    session.flush()
    if found.status == TestStatus.SCANNING and all(s.finished_at for s in found.scans):
        found.move("finish_scanning")


def give_up_scan(session: Session, scan_id: UUID, *, problem: str) -> None:
    """Keep that an engine could not be run at all: the scan is there, and is not complete."""
    scan, found = _find_scan(session, scan_id)
    record_scan(session, scan_id, incomplete(scan.engine, found.digest, problem))


def incomplete(engine: str, digest: str, problem: str) -> ScanResult:
    """Return the answer of an engine that has seen nothing."""
    policy = standing_policy()
    return ScanResult(
        engine=engine,
        version="",
        policy_digest=policy.engine_digest(engine) if engine in policy.engines else "0" * 64,
        digest=digest,
        complete=False,
        problems=(problem,),
    )


def add_finding(
    session: Session,
    by: Person,
    test_id: UUID,
    *,
    control: str,
    severity: str,
    title: str,
    where: str,
    evidence: str,
    recommendation: str,
    risk: str,
) -> FindingRow:
    """Write down what a person found (S08); raise Incomplete for a control that does not exist."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.add_finding, found, control=control, severity=severity)
    found.move("add_finding")
    if control not in CONTROLS:
        raise _no_such_control(control, "/control")
    row = FindingRow(
        case_id=found.case_id,
        fingerprint=uuid4().hex,
        engine=queries.BY_HAND,
        rule="manual",
        control=control,
        cwe="",
        severity=severity,
        title=title,
        risk=risk,
        where=where,
        evidence=evidence[:600],
        recommendation=recommendation,
        first_round=found.round,
        last_round=found.round,
        due_on=_due(severity),
    )
    session.add(row)
    session.flush()
    return row


def mend_finding(session: Session, by: Person, test_id: UUID, *, finding_id: UUID, reason: str) -> FindingRow:
    """Close a finding that a person wrote down, once a person has seen that it is mended (S08).

    Raises NotFound for a finding of another case, OutOfTurn for one that is not open or that an engine found: the
    next complete scan decides about those.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    row = queries.finding(session, finding_id)
    authorize(session, by, ACTS.mend_finding, found, finding=row.id, reason=reason)
    found.move("mend_finding")
    if row.case_id != found.case_id:
        raise NotFound("Temuan ini bukan temuan aplikasi yang sedang diuji.")
    if row.engine != queries.BY_HAND:
        raise OutOfTurn("Temuan alat uji tertutup sendiri bila pemindaian berikutnya tidak menemukannya lagi.")
    if row.status != FindingStatus.OPEN:
        raise OutOfTurn("Temuan ini sudah dinyatakan diperbaiki.")
    row.status = FindingStatus.FIXED
    return row


def answer_controls(session: Session, by: Person, test_id: UUID, *, answers: Sequence[Answer]) -> SecurityTest:
    """Keep a person's answers to controls; a later answer replaces an earlier one (BSSN 4/2021).

    Raises Incomplete for a control that does not exist and for "not applicable" without a reason.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.answer_controls, found, answers=len(answers))
    found.move("answer_controls")
    wrong = [error for answer in answers if (error := _fault(answer))]
    if wrong:
        raise Incomplete(wrong[0].detail, errors=wrong)
    rows = [
        {"test_id": found.id, "control": a.control, "answer": a.answer, "note": a.note, "by_name": by.name}
        for a in {answer.control: answer for answer in answers}.values()
    ]
    if rows:
        statement = insert(ControlAnswer).values(rows)
        kept = {name: statement.excluded[name] for name in ("answer", "note", "by_name")}
        session.execute(statement.on_conflict_do_update(index_elements=["test_id", "control"], set_=kept))
    return found


def _fault(answer: Answer) -> FieldError | None:
    place = f"/answers/{answer.control}"
    if answer.control not in CONTROLS:
        return _no_such_control(answer.control, place).errors[0]
    if answer.answer == "not_applicable" and len(answer.note.strip()) < 5:
        return FieldError(f"{place}/note", f"Butir {answer.control}: “tidak berlaku” memerlukan alasan tertulis.")
    return None


def submit(session: Session, by: Person, test_id: UUID) -> SecurityTest:
    """Hand the test to the head of the division for the verdict (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.submit, found)
    found.move("submit")
    return found


def send_back(session: Session, by: Person, test_id: UUID, *, reason: str) -> SecurityTest:
    """Give the test back to the tester, with the reason (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.send_back, found, reason=reason)
    found.move("send_back")
    found.verdict_note = reason
    return found


def clear(session: Session, by: Person, test_id: UUID, *, note: str, desk: Desk) -> SecurityTest:
    """Give the verdict *lulus* and the permit for exactly this build (S08).

    Raises PassRefused with every reason when the verdict would be untrue: an engine missing or incomplete, a
    scan of another build or under other rules, an unanswered control, an open finding that blocks.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.clear, found, digest=found.digest)
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
    authorize(session, by, ACTS.fail, found, digest=found.digest)
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


def revoke(session: Session, by: Person, permit_id: UUID, *, reason: str) -> PermitRow:
    """Take a permit back (S08); deploy and the host refuse it from then on."""
    row = queries.permit(session, permit_id, is_locked=True)
    authorize(session, by, ACTS.revoke, row, reason=reason)
    if row.revoked_at is not None:
        raise OutOfTurn("Izin ini sudah dicabut.")
    row.revoked_at, row.revoked_reason = utc_now(), reason
    case = session.get_one(KnownCase, row.case_id)
    post(
        session,
        PermitRevoked(
            case_id=case.case_id,
            case_number=case.case_number,
            permit_id=row.id,
            digest=row.digest,
            note=reason,
            path=f"/uji-keamanan/{row.test_id}",
        ),
        by=by,
    )
    return row


def suspend(session: Session, by: Person, test_id: UUID, *, reason: str) -> SecurityTest:
    """Close a live application for its users until it has been tested again (S08)."""
    found = queries.test(session, by, test_id, is_locked=True)
    authorize(session, by, ACTS.suspend, found, reason=reason)
    if not found.case.live_digest:
        raise OutOfTurn("Aplikasi ini sedang tidak dibuka untuk pengguna.")
    found.case.live_digest = ""
    post(
        session,
        CaseSuspended(
            case_id=found.case_id,
            case_number=found.case.case_number,
            note=reason,
            path=f"/uji-keamanan/{found.id}",
        ),
        by=by,
    )
    return found


def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
    """Answer an evaluation with the security facts of the application (S10)."""
    post(
        session,
        FiguresGathered(
            case_id=message.case_id,
            case_number=message.case_number,
            evaluation_id=message.evaluation_id,
            division="security",
            figures=queries.figures(session, message.case_id),
        ),
        actor=letter.actor,
    )


def _find_scan(session: Session, scan_id: UUID) -> tuple[Scan, SecurityTest]:
    """Return a scan and its test, the test locked: two engines that end at once come one after the other."""
    test_id = session.scalar(select(Scan.test_id).where(Scan.id == scan_id))
    if test_id is None:
        raise NotFound("Pemindaian tidak ditemukan.")
    found = session.get_one(SecurityTest, test_id, with_for_update={"of": SecurityTest})
    return session.get_one(Scan, scan_id, populate_existing=True), found


def _no_such_control(control: str, pointer: str) -> Incomplete:
    words = f"Butir kendali “{control}” tidak ada. Pilih K01 sampai K72."
    return Incomplete(words, errors=[FieldError(pointer, words)])


def _start_scans(session: Session, found: SecurityTest) -> None:
    for engine in sorted(standing_policy().engines):
        scan = Scan(id=uuid4(), test_id=found.id, engine=engine)
        scan.job_id = jobs.start(session, SCAN, scan.id, {"scan_id": str(scan.id)}).id
        found.scans.append(scan)
    session.flush()


def _latest(scans: Sequence[Scan]) -> list[Scan]:
    return list({scan.engine: scan for scan in scans}.values())


def _keep_findings(session: Session, found: SecurityTest, result: ScanResult) -> None:
    known = {
        row.fingerprint: row
        for row in session.scalars(
            select(FindingRow).where(FindingRow.case_id == found.case_id, FindingRow.engine == result.engine)
        )
    }
    seen = {one.fingerprint: one for one in result.findings}
    for fingerprint, one in seen.items():
        row = known.get(fingerprint)
        if row is None:
            row = FindingRow(case_id=found.case_id, fingerprint=fingerprint, first_round=found.round)
            session.add(row)
        if row.status != FindingStatus.OPEN:
            row.due_on = _due(str(one.severity))
        _copy(one, row)
        row.status, row.last_round = FindingStatus.OPEN, found.round
    if result.complete:
        for fingerprint in known.keys() - seen.keys():
            known[fingerprint].status = FindingStatus.FIXED


def _copy(seen: Finding, row: FindingRow) -> None:
    for name in ("engine", "rule", "control", "cwe", "title", "risk", "where", "evidence", "recommendation"):
        setattr(row, name, getattr(seen, name))
    row.severity = str(seen.severity)


def _due(severity: str) -> date | None:
    days = {str(key): value for key, value in standing_policy().due_days.items()}.get(severity)
    return local_date(utc_now()) + timedelta(days=days) if days else None


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
    printed = record.print_record(
        found,
        findings=file.findings,
        answers=file.answers,
        signer_title=by.as_what,
        public_url=desk.public_url,
    )
    found.paper_digest = desk.store.put(printed)
    return PaperFact(
        kind="berita_acara_uji_keamanan",
        title="Berita Acara Uji Keamanan",
        number=found.number,
        digest=found.paper_digest,
    )
