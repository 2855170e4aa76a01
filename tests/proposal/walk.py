"""Takes a case along the procedure by the acts and messages that do it in life, so that no test starts elsewhere."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_DNS, uuid4, uuid5

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.proposal import actions
from services.proposal.model import Case, Content, Evaluation, Meeting, Office, Outcome, Terms, TraceEntry
from shared import messages
from shared.database import utc_now
from shared.directory import take_person
from shared.errors import Refused
from shared.identity import Person
from shared.mailbox import Actor, Letter
from shared.messages import CaseMessage, Figure
from shared.words import local_date
from tests.people import ANI, BAYU, BUDI, CITRA, EDI, FAJAR, FITRI, GITA, HADI

R = TypeVar("R", bound=Refused)
TODAY = local_date(utc_now())
DIGEST = "1" * 64
OTHER_DIGEST = "2" * 64
TOLD_BY = {"budget": GITA, "deploy": EDI, "security": FITRI, "helpdesk": BAYU}


def content(**changed: Any) -> Content:
    """Return the content of a complete proposal."""
    given = {
        "name": "e-Presensi Pegawai dan Dosen",
        "code": f"app-{uuid4().hex[:8]}",
        "purpose": "Mencatat kehadiran pegawai dan dosen.",
        "letter_number": "B-0412/Un.99/B.II/TI.01/08/2026",
        "letter_on": TODAY,
        "background": "Kehadiran dicatat di kertas dan direkap setiap akhir bulan.",
        "benefit": "Rekap selesai tepat waktu.",
        "users": "Pegawai dan dosen.",
        "expected_users": 1250,
        "personal_data": "specific",
        "indicators": [{"name": "Rekap tepat waktu", "target": "hari kerja pertama", "measure": "tanggal rekap"}],
    }
    return Content.model_validate(given | changed)


TERMS = Terms(
    background="Kehadiran adalah dasar pembayaran uang makan.",
    purpose="Menyediakan pencatatan kehadiran.",
    objectives=["Rekap tepat waktu"],
)


def letter_of(message: CaseMessage, *, by: Person | None = None, at: datetime | None = None) -> Letter:
    """Return the letter in which a division tells a fact, as the mailbox would open it."""
    source = SOURCES[message.step]
    person = by or TOLD_BY[source]
    return Letter(
        id=uuid4(),
        source=source,
        dest="proposal",
        aggregate=message.aggregate,
        version=1,
        kind=type(message).__name__,
        schema_v=1,
        created_at=at or utc_now(),
        trace="",
        actor=Actor(id=person.id, name=person.name, as_what=person.as_what, audit_seq=7, audit_hash="a" * 64),
        body={},
        digest="",
        sent=1,
    )


SOURCES = {
    "F03": "budget",
    "S04": "budget",
    "S05": "budget",
    "S06": "budget",
    "S07": "deploy",
    "F04": "deploy",
    "S08": "security",
    "S09": "helpdesk",
    "S10": "helpdesk",
}
"""Who tells the facts of a step."""


class Walk:
    """One test's way through the procedure."""

    def __init__(self, session: Session, office: Office) -> None:
        self.session = session
        self.office = office

    # --- proposals

    def drafted(self, by: Person = ANI, **changed: Any) -> Case:
        """Return a draft."""
        return actions.propose(self.session, by, content(**changed))

    def submitted(self, by: Person = ANI, **changed: Any) -> Case:
        """Return a submitted case."""
        return actions.submit(self.session, by, self.drafted(by, **changed).id, self.office)

    def analysed(self, **changed: Any) -> Case:
        """Return a case under analysis, the analysis written."""
        case = self.submitted(**changed)
        actions.accept(self.session, BUDI, case.id, self.office)
        return self.analyse(case)

    def analyse(self, case: Case) -> Case:
        """Write the analysis of a case."""
        return actions.analyse(
            self.session,
            BAYU,
            case.id,
            self.office,
            summary="Presensi dengan kode QR dan lokasi.",
            recommendation="proceed",
        )

    def recommended(self, **changed: Any) -> Case:
        """Return a case that awaits the Head's decision."""
        return actions.recommend(self.session, BUDI, self.analysed(**changed).id, self.office, words="Mohon disetujui.")

    def approved(self, **changed: Any) -> Case:
        """Return an approved case."""
        return actions.approve(self.session, CITRA, self.recommended(**changed).id, self.office)

    def programmed(self, **changed: Any) -> Case:
        """Return a case in the work programme."""
        case = self.approved(**changed)
        actions.enter_work_programme(self.session, BUDI, case.id, self.office, estimated_amount=136_000_000)
        return case

    def knows(self, person: Person, *, role: str = "app_staff", is_active: bool = True) -> None:
        """Let the division's directory know somebody and the post that they hold."""
        post = messages.PostHeld(
            appointment_id=uuid5(NAMESPACE_DNS, f"{person.username} {role}"),
            role=role,
            kind="definitive",
            title=person.name,
            from_on=TODAY - timedelta(days=30),
        )
        told = messages.PersonChanged(
            person_id=person.id,
            username=person.username,
            name=person.name,
            unit=person.unit,
            vendor=person.vendor,
            is_active=is_active,
            changed_at=utc_now(),
            posts=(post,),
        )
        take_person(self.session, told)

    # --- meetings

    def meeting(self, kind: str = "weekly", *, on: date | None = None, by: Person = BAYU) -> Meeting:
        """Return a meeting that was called."""
        return actions.call_meeting(
            self.session,
            by,
            self.office,
            kind=kind,  # type: ignore[arg-type]
            on=on or TODAY,
            place="Ruang Rapat PUSTIPD",
            chair="Kepala PUSTIPD",
            attendees=["Kepala PUSTIPD", "Koordinator Divisi Aplikasi"],
        )

    def minuted(self, case: Case, kind: str = "weekly", *, decision: str = "continue", by: Person = CITRA) -> Meeting:
        """Return a meeting whose closed minutes name the case."""
        meeting = self.meeting(kind)
        self.item(meeting, case, decision=decision)
        return actions.close_minutes(self.session, by, meeting.id, self.office)

    def item(self, meeting: Meeting, case: Case, *, decision: str = "continue", **more: Any) -> Meeting:
        """Record an item on a case."""
        return actions.record_item(
            self.session,
            BAYU,
            meeting.id,
            case_number=case.number,
            discussion="Dibahas kebutuhan dan jadwalnya.",
            decision=Outcome(decision),
            **more,
        )

    def ready(self, **changed: Any) -> Case:
        """Return a programmed case for which the meetings may be concluded."""
        case = self.programmed(**changed)
        actions.write_terms(self.session, BAYU, case.id, self.office, TERMS)
        self.minuted(case, "weekly")
        self.minuted(case, "annual")
        self.told(case, messages.BudgetPlanLocked, version=1, total_amount=135_400_000)
        return case

    def discussed(self, **changed: Any) -> Case:
        """Return a discussed case."""
        return actions.conclude(self.session, BUDI, self.ready(**changed).id)

    # --- the facts of others

    def told(
        self, case: Case, kind: type[CaseMessage], *, by: Person | None = None, at: datetime | None = None, **facts: Any
    ) -> TraceEntry:
        """Let a division tell a fact about a case; return its entry of the trace."""
        message = kind(case_id=case.id, case_number=case.number, **(self.usual(case, kind) | facts))
        letter = letter_of(message, by=by, at=at)
        actions.note(self.session, message, letter)
        self.session.flush()
        return self.session.scalars(select(TraceEntry).where(TraceEntry.message_id == letter.id)).one()

    def usual(self, case: Case, kind: type[CaseMessage]) -> dict[str, Any]:
        """Return facts that a message of this kind usually carries."""
        usual: dict[str, Any] = {
            "application": case.facts,
            "version": 1,
            "total_amount": 135_400_000,
            "letter_number": "B-0231/Un.99/PUSTIPD/TI.01/06/2026",
            "amount": 130_980_000,
            "fiscal_year": case.fiscal_year or 2027,
            "contract_number": "007/PPK/02/2026",
            "vendor": "CKD",
            "vendor_name": "CV Contoh Karya Digital",
            "activity": "Jasa pemrogram",
            "term": 1,
            "paid_amount": 39_294_000,
            "handover_number": "021/PPK/06/2026",
            "subdomain": "presensi",
            "server": "srv1",
            "build_id": uuid5(NAMESPACE_DNS, "build"),
            "file_name": "presensi.zip",
            "files": 12,
            "total_size": 4096,
            "plan_digest": "3" * 64,
            "release_id": uuid5(NAMESPACE_DNS, "release"),
            "release_number": 1,
            "hosting": "presensi",
            "closed_host": "presensi-uji.kampus.example",
            "connect_address": "127.0.0.1",
            "connect_port": 8080,
            "installed_by": EDI.id,
            "address": "presensi.kampus.example",
            "permit_id": uuid5(NAMESPACE_DNS, "permit"),
            "permit": "{}",
            "valid_until": utc_now() + timedelta(days=365),
            "round": 1,
            "findings": {"critical": 1, "high": 2, "medium": 0, "low": 0},
            "ticket_number": "TKT-2026-0001",
            "title": "Tidak dapat masuk",
        }
        return {name: usual[name] for name in kind.model_fields if name in usual}

    def built(self, **changed: Any) -> Case:
        """Return a case in development."""
        case = self.discussed(**changed)
        self.told(case, messages.PlanConveyed)
        self.told(case, messages.CeilingSet, amount=136_000_000)
        self.told(case, messages.ContractSigned, by=HADI)
        return case

    def handed_over(self, **changed: Any) -> Case:
        """Return a case that was taken over from paper at its handover: the short way to the later steps."""
        return actions.register_existing(
            self.session,
            BUDI,
            actions.Existing(
                content=content(**changed),
                unit="BPEG",
                proposer_id=ANI.id,
                proposer_name=ANI.name,
                status="handed_over",
                submitted_on=TODAY - timedelta(days=300),
                since=TODAY - timedelta(days=3),
                fiscal_year=TODAY.year,
                vendor="CKD",
                vendor_name="CV Contoh Karya Digital",
                contract_number="007/PPK/02/2026",
                contract_amount=130_980_000,
                ceiling_amount=136_000_000,
            ),
        )

    def installed(self, *, digest: str = DIGEST, **changed: Any) -> Case:
        """Return a case that is installed for testing."""
        case = self.handed_over(**changed)
        self.told(case, messages.InstalledForTesting, digest=digest)
        return case

    def live(self, **changed: Any) -> Case:
        """Return a live case."""
        case = self.installed(**changed)
        self.told(case, messages.SecurityTestStarted, by=FAJAR, digest=DIGEST)
        self.told(case, messages.TestPassed, digest=DIGEST)
        self.told(case, messages.WentLive, digest=DIGEST)
        return case

    # --- evaluations

    def opened(self, case: Case | None = None) -> Evaluation:
        """Return an evaluation that waits for its figures."""
        case = case or self.live()
        return actions.open_evaluation(
            self.session, BUDI, case.id, self.office, from_on=TODAY - timedelta(days=180), until_on=TODAY
        )

    def figures(self, evaluation: Evaluation, division: str, *figures: Figure) -> TraceEntry:
        """Let a division send its figures."""
        return self.told(
            evaluation.case,
            messages.FiguresGathered,
            evaluation_id=evaluation.id,
            division=division,
            figures=figures
            or (Figure(key="k", label=f"Angka {division}", value=99.4, unit="%", source=f"Catatan {division}"),),
        )

    def gathered(self) -> Evaluation:
        """Return an evaluation with every division's figures."""
        evaluation = self.opened()
        for division in ("deploy", "security", "helpdesk", "budget"):
            self.figures(evaluation, division)
        return evaluation

    def reported(self, *, by: Person = BUDI) -> Evaluation:
        """Return an evaluation whose report is written."""
        return actions.report_evaluation(
            self.session,
            by,
            self.gathered().id,
            self.office,
            obstacles=["Pembayaran masih manual"],
            advice=["Menambah pembayaran akun virtual"],
            advises="further_development",
        )

    def hear(self, meeting: Meeting, evaluation: Evaluation) -> Meeting:
        """Record that a meeting heard a report."""
        return actions.record_item(
            self.session,
            BAYU,
            meeting.id,
            evaluation_id=evaluation.id,
            discussion="Laporan didengar.",
            decision=Outcome.CONTINUE,
        )

    def heard(self, evaluation: Evaluation) -> Meeting:
        """Present a report in a weekly meeting and close its minutes."""
        meeting = self.hear(self.meeting("weekly"), evaluation)
        return actions.close_minutes(self.session, CITRA, meeting.id, self.office)

    def decided(self, decision: str = "further_development", words: str = "") -> Evaluation:
        """Return an evaluation that the Head decided."""
        evaluation = self.reported()
        self.heard(evaluation)
        return actions.decide_evaluation(self.session, CITRA, evaluation.id, decision=decision, words=words)

    # --- looking

    def trace(self, case: Case) -> list[TraceEntry]:
        """Return the trace of a case in its order."""
        return list(
            self.session.scalars(
                select(TraceEntry).where(TraceEntry.case_id == case.id).order_by(TraceEntry.at, TraceEntry.seq)
            )
        )

    def posted(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of the messages of a kind that wait in the outbox."""
        rows = self.session.execute(text("SELECT body FROM msg.outbox WHERE kind = :kind ORDER BY seq"), {"kind": kind})
        return [json.loads(row.body) for row in rows]

    def refuses(self, kind: type[R], do: Callable[..., Any], *args: Any, **named: Any) -> R:
        """Assert that an act is refused, undo it as a request would, and return the refusal."""
        with pytest.raises(kind) as caught, self.session.begin_nested():
            do(self.session, *args, **named)
        return caught.value


__all__ = ["DIGEST", "OTHER_DIGEST", "TERMS", "TODAY", "Walk", "content", "letter_of"]
