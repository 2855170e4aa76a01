"""Every message between the divisions, in the order of the procedure: the contracts.

A message is a fact in the past tense. It carries what its receivers need, so that nobody has to ask back.
Whatever belongs to a case is also addressed to `proposal`, which keeps the trace: `step`, `says` and `move`
tell what it writes there and which move of the case follows. Fields are only added, with a default; anything
else is a new class with a higher `schema_v`.
"""

from abc import abstractmethod
from datetime import date, datetime, time
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class PaperFact(BaseModel):
    """A paper that a fact rests on: its kind, number and the sha256 of its file in the store."""

    model_config = ConfigDict(frozen=True)

    kind: str
    """Key of the paper in `procedure.yaml`, e.g. "notulen_rapat_mingguan"."""
    title: str
    number: str = ""
    digest: str = ""


class Message(BaseModel):
    """A fact that one division tells others."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    to: ClassVar[tuple[str, ...]] = ()
    schema_v: ClassVar[int] = 1
    step: ClassVar[str] = ""
    """Step of the procedure under which the trace files it."""
    says: ClassVar[str] = ""
    """What happened, in Indonesian, as the trace shows it."""
    move: ClassVar[str] = ""
    """Move of the case that follows in `proposal`; empty when the status stays."""

    @property
    @abstractmethod
    def aggregate(self) -> str:
        """Name the thing within which messages take effect in order."""


class CaseMessage(Message):
    """A fact about one case."""

    case_id: UUID
    case_number: str
    note: str = ""
    """Reason or remark, as the person wrote it."""
    papers: tuple[PaperFact, ...] = ()
    digest: str = ""
    """Digest of the build that the fact is about."""
    path: str = ""
    """Page of the thing in its division."""

    @property
    def aggregate(self) -> str:
        """Name the case: all facts of one division about one case take effect in order."""
        return f"case:{self.case_id}"


class ApplicationFacts(BaseModel):
    """What every division needs to know of an application."""

    model_config = ConfigDict(frozen=True)

    code: str
    """Short name, the subdomain grammar: `[a-z][a-z0-9-]{1,30}`."""
    name: str
    unit: str
    """Code of the proposing unit."""
    purpose: str = ""
    personal_data: str = "none"
    criticality: str = "medium"


# --- People, units and posts: gateway ------------------------------------------------------------------------

EVERY_DIVISION = ("proposal", "budget", "deploy", "security", "helpdesk")


class UnitRegistered(Message):
    """A unit of the campus is known, or its name has changed; every division keeps a copy."""

    to = EVERY_DIVISION
    code: str
    name: str
    changed_at: datetime
    """Since when this is so: what a division heard of a later moment stays."""

    @property
    def aggregate(self) -> str:
        """Name the unit."""
        return f"unit:{self.code}"


class PostHeld(BaseModel):
    """A post that somebody holds, held or will hold, with the days."""

    model_config = ConfigDict(frozen=True)

    appointment_id: UUID
    role: str
    kind: str
    """definitive, plt or plh."""
    title: str
    """The post as printed, e.g. "Plh. Kepala PUSTIPD"."""
    from_on: date
    until_on: date | None = None
    """The last day (WIB); empty: no end is known."""


class PersonChanged(Message):
    """Somebody was taken in, shut out, appointed or relieved: everything that is told of them, as it is now."""

    to = EVERY_DIVISION
    person_id: UUID
    username: str
    name: str
    unit: str | None = None
    vendor: str | None = None
    is_active: bool = True
    changed_at: datetime
    """Since when this is so: what a division heard of a later moment stays."""
    posts: tuple[PostHeld, ...] = ()

    @property
    def aggregate(self) -> str:
        """Name the person: what is told of them takes effect in order."""
        return f"person:{self.person_id}"


class PersonMentioned(Message):
    """Somebody was named in a comment on a case that they see; what it says stays with the case."""

    to = ("gateway",)
    person_id: UUID
    comment_id: UUID
    case_number: str
    about: str
    """Name of the application."""
    by_name: str
    as_what: str
    path: str

    @property
    def aggregate(self) -> str:
        """Name the comment and the person: no mention waits for another."""
        return f"mention:{self.comment_id}:{self.person_id}"


# --- The calendar of the office: gateway ---------------------------------------------------------------------


class CalendarDay(BaseModel):
    """A day on which the office is closed."""

    model_config = ConfigDict(frozen=True)

    on: date
    name: str
    kind: str = "national"
    """national or collective_leave."""
    is_estimate: bool = False
    """True while no decree confirms the date."""
    decree: str = ""
    """Number of the decree that says so."""


class OpenHours(BaseModel):
    """From when until when the office is open on a day of the week (0 = Monday)."""

    model_config = ConfigDict(frozen=True)

    weekday: int
    opens: time
    closes: time


class OfficeHours(BaseModel):
    """The working hours from one day up to and including another, e.g. those of Ramadan."""

    model_config = ConfigDict(frozen=True)

    first_on: date
    last_on: date
    name: str = ""
    hours: tuple[OpenHours, ...] = ()


class CalendarChanged(Message):
    """The administrator changed the holidays or working hours of a year: the whole year, as it is now."""

    to = EVERY_DIVISION
    year: int
    version: int
    """What a division heard of a higher version stays."""
    changed_at: datetime
    days: tuple[CalendarDay, ...] = ()
    hours: tuple[OfficeHours, ...] = ()
    """Where two overlap, the first one holds; on other days the usual hours do."""

    @property
    def aggregate(self) -> str:
        """Name the year: its versions take effect in order."""
        return f"calendar:{self.year}"


# --- S02, F02, S03: proposal ---------------------------------------------------------------------------------


class WorkProgrammeEntered(CaseMessage):
    """S02: an approved application stands in the work programme of a coming year; the budget may be planned."""

    to = ("budget",)
    step = "S02"
    application: ApplicationFacts
    fiscal_year: int
    estimated_amount: int = 0


class MeetingsConcluded(CaseMessage):
    """S03: weekly and annual minutes say "continue"; the plan may be conveyed to planning."""

    to = ("budget",)
    step = "S03"
    minutes: tuple[str, ...]
    """Numbers of the minutes."""
    terms_of_reference_digest: str = ""


class CaseHalted(CaseMessage):
    """S02-S03: the case was deferred, sent back for revision or cancelled; the budget waits."""

    to = ("budget",)
    step = "S03"
    status: str


# --- F03, S04, S05, S06: budget ------------------------------------------------------------------------------


class BudgetPlanLocked(CaseMessage):
    """F03: a version of the budget plan (RAB) is agreed and locked."""

    to = ("proposal",)
    step = "F03"
    says = "RAB versi disepakati dan dikunci"
    version: int
    total_amount: int


class BudgetPlanReopened(CaseMessage):
    """F03: the Head asked for a revision of the budget plan."""

    to = ("proposal",)
    step = "F03"
    says = "RAB diminta direvisi"
    version: int


class ConveyanceWithheld(CaseMessage):
    """S04: the Head withheld the approval; the plan is not conveyed."""

    to = ("proposal",)
    step = "S04"
    says = "Persetujuan penyampaian ditahan oleh Kepala"


class PlanConveyed(CaseMessage):
    """S04: signed by coordinator and service head, approved by the Head, sent to the planning section."""

    to = ("proposal",)
    step = "S04"
    says = "Disampaikan ke Bagian Perencanaan"
    move = "send_to_planning"
    letter_number: str
    total_amount: int


class PlanReturned(CaseMessage):
    """S04: the planning section returned the plan."""

    to = ("proposal",)
    step = "S04"
    says = "Dikembalikan oleh Bagian Perencanaan"
    move = "return"


class PlanDeferred(CaseMessage):
    """S04: the planning section has no funds this year."""

    to = ("proposal",)
    step = "S04"
    says = "Ditunda oleh Bagian Perencanaan karena anggaran belum tersedia"
    move = "defer"


class CeilingSet(CaseMessage):
    """S04: the planning section set the ceiling (pagu)."""

    to = ("proposal",)
    step = "S04"
    says = "Pagu ditetapkan"
    move = "set_ceiling"
    amount: int
    fiscal_year: int


class ContractSigned(CaseMessage):
    """S05: the PPK signed the contract with a vendor."""

    to = ("proposal", "deploy")
    step = "S05"
    says = "Kontrak ditandatangani"
    move = "start_contract"
    application: ApplicationFacts
    contract_number: str
    vendor: str
    vendor_name: str
    amount: int


class ContractTerminated(CaseMessage):
    """S05: the PPK terminated the contract."""

    to = ("proposal", "deploy")
    step = "S05"
    says = "Kontrak dihentikan"
    move = "terminate_contract"
    contract_number: str


class DeliverableRejected(CaseMessage):
    """S05: the coordinator sent a deliverable back to the vendor."""

    to = ("proposal",)
    step = "S05"
    says = "Hasil pekerjaan dikembalikan kepada penyedia"


class BudgetDistributed(CaseMessage):
    """S06: part of the ceiling was distributed to an activity."""

    to = ("proposal",)
    step = "S06"
    says = "Anggaran didistribusikan"
    amount: int
    activity: str


class PaymentMade(CaseMessage):
    """S06: the treasurer paid a term."""

    to = ("proposal",)
    step = "S06"
    says = "Termin dibayar"
    term: int
    amount: int
    paid_amount: int
    """Paid so far under the contract."""


class PaymentRefused(CaseMessage):
    """S06: the treasurer refused a claim."""

    to = ("proposal",)
    step = "S06"
    says = "Tagihan termin ditolak"
    term: int


class HandedOver(CaseMessage):
    """S05: handover (BAST) signed by both sides; documentation and financial report are in."""

    to = ("proposal", "deploy", "security")
    step = "S05"
    says = "Serah terima (BAST) ditandatangani"
    move = "hand_over"
    application: ApplicationFacts
    vendor: str = ""
    handover_number: str


# --- S07, F04: deploy ----------------------------------------------------------------------------------------


class HostingReady(CaseMessage):
    """S07: domain, space and database for the application are set aside."""

    to = ("proposal",)
    step = "S07"
    says = "Domain dan ruang hosting disediakan"
    subdomain: str
    server: str


class HostingRefused(CaseMessage):
    """S07: the infrastructure division refused a hosting request."""

    to = ("proposal",)
    step = "S07"
    says = "Permohonan hosting ditolak"


class DefectReported(CaseMessage):
    """S07: the package cannot be installed; it goes back to the vendor."""

    to = ("proposal", "budget")
    step = "S07"
    says = "Paket cacat dikembalikan kepada penyedia"
    move = "report_defect"


class BuildReceived(CaseMessage):
    """S07: a build was taken in; its files stand in the store under one digest."""

    to = ("proposal", "security")
    step = "S07"
    says = "Paket aplikasi diterima"
    build_id: UUID
    file_name: str
    files: int
    total_size: int


class InstallationApproved(CaseMessage):
    """S07: somebody else than its maker approved the plan of an installation."""

    to = ("proposal",)
    step = "S07"
    says = "Rencana instalasi disetujui"
    plan_digest: str


class InstallationFailed(CaseMessage):
    """S07: an installation ended without effect; the server stands as before."""

    to = ("proposal",)
    step = "S07"
    says = "Instalasi gagal dan dipulihkan"


class InstalledForTesting(CaseMessage):
    """S07: a build stands at its closed address; users cannot reach it."""

    to = ("proposal", "security")
    step = "S07"
    says = "Terpasang di alamat tertutup"
    move = "install"
    application: ApplicationFacts
    release_id: UUID
    release_number: int
    hosting: str
    """Name of the hosting: the application's closed and public place on one server."""
    closed_host: str
    connect_address: str
    connect_port: int
    server: str
    installed_by: UUID
    """Person who installed: the tester must be somebody else."""


class WentLive(CaseMessage):
    """F04: the front door is open on a permitted build."""

    to = ("proposal", "security", "helpdesk", "budget")
    step = "F04"
    says = "Dibuka untuk pengguna"
    move = "go_live"
    application: ApplicationFacts
    release_id: UUID
    release_number: int
    address: str
    permit_id: UUID


class GoLivePostponed(CaseMessage):
    """F04: the Head postponed opening."""

    to = ("proposal",)
    step = "F04"
    says = "Pembukaan ditunda oleh Kepala"


class RolledBack(CaseMessage):
    """F04: an earlier permitted release serves again."""

    to = ("proposal", "helpdesk")
    step = "F04"
    says = "Dikembalikan ke rilis sebelumnya"
    release_id: UUID
    release_number: int


# --- S08: security -------------------------------------------------------------------------------------------


class SecurityTestStarted(CaseMessage):
    """S08: a round of the security test began on one digest."""

    to = ("proposal",)
    step = "S08"
    says = "Uji keamanan dimulai"
    move = "start_security_test"
    round: int


class TestFailed(CaseMessage):
    """S08: verdict *tidak lulus*; findings have to be mended."""

    __test__: ClassVar[bool] = False  # no test case, whatever its name says
    to = ("proposal", "deploy")
    step = "S08"
    says = "Tidak lulus uji keamanan"
    move = "fail"
    round: int
    findings: dict[str, int]
    """Open findings by severity."""


class TestPassed(CaseMessage):
    """S08: verdict *lulus*, with the permit for exactly this digest."""

    __test__: ClassVar[bool] = False  # no test case, whatever its name says
    to = ("proposal", "deploy")
    step = "S08"
    says = "Lulus uji keamanan; izin diterbitkan"
    move = "pass"
    round: int
    permit_id: UUID
    permit: str
    """The signed permit as JSON text (`shared/permit.py`)."""
    valid_until: datetime


class PermitRevoked(CaseMessage):
    """S08: a permit was taken back."""

    to = ("proposal", "deploy")
    step = "S08"
    says = "Izin dicabut"
    move = ""
    permit_id: UUID


class CaseSuspended(CaseMessage):
    """S08: the security head closed a live application."""

    to = ("proposal", "deploy", "helpdesk")
    step = "S08"
    says = "Dihentikan sementara oleh Divisi Monitoring dan Security"
    move = "suspend"


# --- S09: helpdesk -------------------------------------------------------------------------------------------


class TicketOpened(CaseMessage):
    """S09: a user reported trouble with a live application."""

    to = ("proposal",)
    step = "S09"
    says = "Tiket dibuka"
    ticket_number: str
    title: str
    release_number: int = 0

    @property
    def aggregate(self) -> str:
        """Name the ticket: a ticket in trouble must not hold up its case."""
        return f"ticket:{self.ticket_number}"


class TicketClosed(CaseMessage):
    """S09: a ticket was answered and closed."""

    to = ("proposal",)
    step = "S09"
    says = "Tiket ditutup"
    ticket_number: str
    title: str

    @property
    def aggregate(self) -> str:
        """Name the ticket: a ticket in trouble must not hold up its case."""
        return f"ticket:{self.ticket_number}"


# --- S10: evaluation -----------------------------------------------------------------------------------------


class EvaluationOpened(CaseMessage):
    """S10: the application division asks every division for its figures of a period."""

    to = ("deploy", "security", "helpdesk", "budget")
    step = "S10"
    evaluation_id: UUID
    from_on: date
    until_on: date


class ApplicationRetired(CaseMessage):
    """S10: the Head retired an application after its evaluation; it stays in the register, and its case has ended."""

    to = ("deploy", "security", "helpdesk", "budget")
    step = "S10"
    says = "Aplikasi dinonaktifkan"


class Figure(BaseModel):
    """One number with its unit and its source."""

    model_config = ConfigDict(frozen=True)

    key: str
    label: str
    value: float | int
    unit: str
    source: str
    """Where the number comes from, in Indonesian: what was counted, and when."""


class FiguresGathered(CaseMessage):
    """S10: a division's figures for one evaluation (from deploy, security, helpdesk and budget alike)."""

    to = ("proposal",)
    step = "S10"
    says = "Angka evaluasi diterima"
    evaluation_id: UUID
    division: str
    figures: tuple[Figure, ...]


# --- Proof packs ------------------------------------------------------------------------------------------------


class ProofItem(BaseModel):
    """One piece of evidence that a division keeps of a case, as the exact JSON text that goes into the pack."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["line", "paper", "permit"]
    body: str


class ProofMessage(Message):
    """A word about a proof pack; it is no fact of the case and does not enter its trace."""

    pack_id: UUID
    case_id: UUID
    case_number: str

    @property
    def aggregate(self) -> str:
        """Name the pack."""
        return f"proof:{self.pack_id}"


class ProofAsked(ProofMessage):
    """Somebody has a proof pack made: every division is asked for what the trace cites of it."""

    to = ("budget", "deploy", "security", "helpdesk")
    lines: dict[str, tuple[int, ...]]
    """Numbers of the audit lines that are cited, by division."""


class ProofGiven(ProofMessage):
    """A division's evidence for one pack, in as many letters as it needs."""

    to = ("proposal",)
    division: str
    part: int
    parts: int
    head_seq: int
    """The last line of the division's audit chain when it answered."""
    head_hash: str
    items: tuple[ProofItem, ...]


def every_message() -> dict[str, type[Message]]:
    """Return every message class by its kind (the class name)."""
    found: dict[str, type[Message]] = {}
    queue = Message.__subclasses__()
    while queue:
        kind = queue.pop()
        if kind.to:
            found[kind.__name__] = kind
        queue.extend(kind.__subclasses__())
    return found
