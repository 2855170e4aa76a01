"""Cases as people may see them: the list, one case whole, what may be done now, what still lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, lazyload, object_session

from services.proposal.authority import ACTS, MONEY_READERS, MOVES, READERS, STAFF, may_move
from services.proposal.model import (
    CASES,
    MINUTES,
    Case,
    CaseStatus,
    Comment,
    Evaluation,
    Meeting,
    MeetingItem,
    MeetingKind,
    Outcome,
    Paper,
    Proposal,
    TermsOfReference,
    TraceEntry,
)
from services.proposal.model.clock import STEP
from shared import line, search
from shared.authority import Act
from shared.calendar import hours, mark, recall
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person, Role
from shared.patience import patience
from shared.procedure import STATION, Procedure, Step
from shared.sentence import Sentence
from shared.words import local_date, numeric_date

NO_CASE = "Perkara tidak ditemukan. Periksa nomornya atau cari di daftar perkara."
VENDOR_STEPS = ("S05", "S06", "S07", "S08", "F04", "S09")
"""Steps of which a vendor sees the entries of its own contract's case."""
SECURITY_PAPERS = ("berita_acara_uji_keamanan", "laporan_pemindaian")
INNER_PAPERS = (
    "notulen_rapat_mingguan",
    "notulen_raker",
    "kontrak_spk",
    "bukti_pembayaran",
    "laporan_keuangan",
    "penetapan_pagu",
    "laporan_evaluasi",
)
"""Papers that are not for the proposing unit (domain §4); minutes speak of other units' cases too."""

CLOCK = STEP
"""Step whose standard time runs while a case is in a status."""
NO_STANDARD = frozenset({"draft", "returned", "deferred", "live", "suspended", "retired", "rejected", "cancelled"})
"""Statuses in which nobody in the centre is behind: it waits for the proposer, a coming year, or for nothing."""


def seen_by(by: Person) -> ColumnElement[bool]:
    """Return the condition under which this person may know of a case (domain §4)."""
    if by.has(Role.AUDITOR):
        return true()
    mine: list[ColumnElement[bool]] = [Case.proposer_id == by.id]
    if by.has(*STAFF):
        # A draft belongs to its unit until it is submitted.
        mine.append(Case.status != "draft")
    if by.has(*MONEY_READERS):
        mine.append(Case.fiscal_year.is_not(None))
    if by.has(Role.VENDOR):
        return Case.vendor == by.vendor if by.vendor else false()
    if by.unit:
        mine.append(Case.unit == by.unit)
    return or_(*mine)


def cases(
    session: Session,
    by: Person,
    *,
    status: str | None = None,
    more: Sequence[ColumnElement[bool]] = (),
    unit: str | None = None,
    q: str | None = None,
    mine: bool = False,
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Case]:
    """Return the cases that this person may see, newest first, after a place in that order.

    `more` narrows them by conditions that a question elsewhere made (`dashboard.narrowed`).
    """
    which = [seen_by(by), *more]
    if status:
        which.append(Case.status == status)
    if unit:
        which.append(Case.unit == unit)
    if mine:
        which.append(Case.proposer_id == by.id)
    if q:
        search.agree(session)
        with patience(session):
            return _newest(session, [*which, _holding(session, q, which)], limit, after)
    return _newest(session, which, limit, after)


def _newest(
    session: Session, which: Sequence[ColumnElement[bool]], limit: int, after: tuple[datetime, UUID] | None
) -> Sequence[Case]:
    statement = select(Case, mark()).where(*which)
    if after:
        statement = statement.where(tuple_(Case.created_at, Case.id) < after)
    rows = session.execute(statement.order_by(Case.created_at.desc(), Case.id.desc()).limit(limit)).all()
    if rows:
        recall(session, rows[0][1])
    return [row[0] for row in rows]


FEW = 500


def _holding(session: Session, q: str, which: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition for the cases that hold the words.

    A few are named by their ids: in the order of the list every case would be looked through for them. Of many the
    newest are soon found in that very order.
    """
    asked = search.read(q)
    if asked is None:
        return false()
    holds = CASES.found(asked)
    few = session.scalars(search.some(select(Case.id).where(*which, holds), FEW + 1)).all()
    return holds if len(few) > FEW else Case.id.in_(few)


def case(session: Session, by: Person, which: UUID | str) -> Case:
    """Return a case by id or number; raise NotFound for one that this person may not know of."""
    wanted = Case.id == which if isinstance(which, UUID) else Case.number == which
    found = session.scalar(select(Case).where(wanted, seen_by(by)))
    if found is None:
        raise NotFound(NO_CASE)
    return found


def proposal(session: Session, by: Person, case_id: UUID) -> Proposal:
    """Return a proposal; raise NotFound for one that this person may not know of, for vendors and for the money's side.

    Planning, PPK and treasurer know the case by its plan and contract, not what the unit wrote (domain §4).
    """
    found = session.scalar(select(Proposal).join(Case).where(Proposal.id == case_id, seen_by(by)))
    is_own = found is not None and (found.case.proposer_id == by.id or (bool(by.unit) and found.case.unit == by.unit))
    if found is None or by.has(Role.VENDOR) or not (is_own or by.has(*READERS)):
        raise NotFound("Usulan tidak ditemukan. Periksa nomornya atau cari di daftar usulan.")
    return found


@dataclass(frozen=True)
class Minutes:
    """Closed minutes that name a case."""

    kind: str
    """Key of the paper in the procedure."""
    title: str
    number: str
    digest: str


@dataclass(frozen=True)
class Readiness:
    """How far the discussion of a case is: the minutes that say "continue", and what still lacks."""

    minutes: tuple[Minutes, ...]
    lacking: tuple[str, ...]


def readiness(session: Session, case: Case) -> Readiness:
    """Return what `conclude_meetings` asks for (guard of S03), in one question.

    Of each kind the newest closed minutes count that name the case since it entered this work programme.
    """
    rows = session.execute(
        select(Meeting.kind, Meeting.number, Meeting.minutes_digest, MeetingItem.decision)
        .join(MeetingItem, MeetingItem.meeting_id == Meeting.id)
        .where(
            MeetingItem.case_id == case.id,
            MeetingItem.evaluation_id.is_(None),
            MeetingItem.performed_at.is_not(None),
            Meeting.closed_at >= case.entered_at,
        )
        .order_by(Meeting.closed_at.desc())
        .limit(100)
    ).all()
    minutes: list[Minutes] = []
    lacking: list[str] = []
    meetings = (
        (MeetingKind.WEEKLY, Sentence("rapat rutin mingguan")),
        (MeetingKind.ANNUAL, Sentence("rapat kerja tahunan")),
    )
    for kind, words in meetings:
        newest = next((row for row in rows if row.kind == kind), None)
        if newest is None:
            lacking.append(Sentence("Belum ada notulen {words} yang ditutup dan membahas perkara ini.", words=words))
        elif newest.decision != Outcome.CONTINUE:
            lacking.append(
                Sentence(
                    "Notulen {words} {number} belum memutuskan “dilanjutkan”.",
                    words=words,
                    number=newest.number,
                )
            )
        else:
            minutes.append(Minutes(MINUTES[kind], f"Notulen {words}", newest.number, newest.minutes_digest))
    if not case.terms_version:
        lacking.append("KAK belum disusun.")
    if not case.is_plan_locked:
        lacking.append("RAB belum dikunci.")
    return Readiness(tuple(minutes), tuple(lacking))


def newest_terms(session: Session, case_id: UUID) -> TermsOfReference | None:
    """Return the newest version of a case's terms of reference."""
    return session.scalar(
        select(TermsOfReference)
        .where(TermsOfReference.case_id == case_id)
        .order_by(TermsOfReference.version.desc())
        .limit(1)
    )


def offered(by: Person, case: Case, ready: Readiness | None = None) -> list[Act]:
    """Return what this person may do with a case now, in the order of the table of acts."""
    found = []
    for act in ACTS:
        if act.name in MOVES:
            turn = case.next(MOVES[act.name]) is not None and act.allows(by, case) and not may_move(by, case, act)
        else:
            turn = act.name in OTHERS and OTHERS[act.name](case) and act.allows(by, case)
        if turn and not _is_held_up(act, case, ready):
            found.append(act)
    return found


def _is_held_up(act: Act, case: Case, ready: Readiness | None) -> bool:
    if act.name == "accept":
        return case.is_from_app_head
    if act.name == "accept_from_app_head":
        return not case.is_from_app_head
    if act.name == "recommend":
        return not case.analysis_version
    if act.name == "conclude":
        return ready is not None and bool(ready.lacking)
    return False


OTHERS = {
    "amend": lambda case: any(case.next(name) for name in ("submit", "resubmit")),
    "attach_letter": lambda case: any(case.next(name) for name in ("submit", "resubmit")),
    "analyse": lambda case: case.next("recommend") is not None,
    "write_terms": lambda case: any(case.next(name) for name in ("conclude_meetings", "send_to_planning")),
    "open_evaluation": lambda case: case.next("suspend") is not None,
}
"""Acts that move no case, and when they are in turn."""


@dataclass(frozen=True)
class Relative:
    """A case that this one grew out of, or that grew out of it."""

    id: UUID
    number: str
    name: str
    is_parent: bool


@dataclass
class Whole:
    """One case with everything that its page shows."""

    case: Case
    proposal: Proposal | None
    trace: Sequence[TraceEntry]
    papers: Sequence[Paper]
    history: Sequence[CaseStatus]
    relatives: Sequence[Relative]
    evaluations: Sequence[Evaluation]
    ready: Readiness | None
    comments: int = 0
    """How many this person may read, at most 100."""
    offered: list[Act] = field(default_factory=list)

    @property
    def distinct_papers(self) -> list[Paper]:
        """Return each paper once, where it first appeared; one that has no file yet counts by its number."""
        seen: dict[tuple[str, str], Paper] = {}
        for paper in self.papers:
            seen.setdefault((paper.digest, "" if paper.digest else f"{paper.kind} {paper.number}"), paper)
        return list(seen.values())

    def papers_of(self, entry: TraceEntry) -> list[Paper]:
        """Return the papers on which an entry rests."""
        return [paper for paper in self.papers if paper.trace_entry_id == entry.id]


def whole(session: Session, by: Person, which: UUID | str) -> Whole:
    """Return a case with its trace, papers, history, relatives and what may be done now, in at most six questions."""
    wanted = Case.id == which if isinstance(which, UUID) else Case.number == which
    row = session.execute(
        select(Case, Proposal, mark(), _comments(by))
        .outerjoin(Proposal, Proposal.id == Case.id)
        .options(lazyload(Proposal.case))
        .where(wanted, seen_by(by))
    ).first()
    if row is None:
        raise NotFound(NO_CASE)
    found: Case = row[0]
    recall(session, row[2])
    is_vendor = by.has(Role.VENDOR)
    entries = select(TraceEntry).where(TraceEntry.case_id == found.id)
    if is_vendor:
        entries = entries.where(TraceEntry.step.in_(VENDOR_STEPS))
    trace = session.scalars(entries.order_by(TraceEntry.at, TraceEntry.seq)).all()
    papers = session.scalars(
        select(Paper).where(Paper.case_id == found.id, may_read(by)).order_by(Paper.created_at)
    ).all()
    history = session.scalars(
        select(CaseStatus).where(CaseStatus.case_id == found.id).order_by(CaseStatus.at, CaseStatus.created_at)
    ).all()
    relatives = [] if is_vendor else _relatives(session, found)
    evaluations: Sequence[Evaluation] = []
    ready = None
    hears = by.has(*READERS, Role.PLANNING)
    if found.next("conclude_meetings") and not is_vendor:
        ready = readiness(session, found)
    elif found.live_at and hears:
        evaluations = session.scalars(
            select(Evaluation)
            .where(Evaluation.case_id == found.id)
            .order_by(Evaluation.created_at.desc())
            .limit(20)
            .options(*Evaluation.bare())
        ).all()
    return Whole(
        found,
        None if is_vendor else row[1],
        trace,
        papers,
        history,
        relatives,
        evaluations,
        ready,
        0 if is_vendor else row[3],
        offered(by, found, ready),
    )


def _comments(by: Person) -> ScalarSelect[int]:
    """Return how many comments of a case this person may read, as a column beside it; no more than 100 are counted."""
    some = select(Comment.id).where(Comment.case_id == Case.id)
    if not by.has(*READERS):
        some = some.where(Comment.is_internal.is_(False))
    return select(func.count()).select_from(some.limit(100).correlate(Case).subquery()).scalar_subquery()


def _relatives(session: Session, case: Case) -> list[Relative]:
    related = (
        or_(Case.parent_case_id == case.id, Case.id == case.parent_case_id)
        if case.parent_case_id
        else (Case.parent_case_id == case.id)
    )
    rows = session.execute(
        select(Case.id, Case.number, Case.name).where(related).order_by(Case.created_at).limit(50)
    ).all()
    return [Relative(row.id, row.number, row.name, row.id == case.parent_case_id) for row in rows]


def may_read(by: Person) -> ColumnElement[bool]:
    """Return the condition under which this person may read a paper of a case that they may see."""
    if by.has(Role.VENDOR):
        return and_(Paper.step.in_(VENDOR_STEPS), Paper.digest != "")
    if by.has(*READERS):
        return true()
    if by.has(*MONEY_READERS):
        return Paper.kind.not_in(SECURITY_PAPERS)
    return Paper.kind.not_in(SECURITY_PAPERS + INNER_PAPERS)


def is_outsider(by: Person) -> bool:
    """Tell whether somebody sees a case only because it is their unit's: no amounts, no findings (domain §4)."""
    return not by.has(*READERS, *MONEY_READERS, Role.VENDOR)


def paper(session: Session, by: Person, digest: str) -> Paper:
    """Return a paper by the digest of its file; raise NotFound for one that this person may not read."""
    found = session.scalar(
        select(Paper).join(Case, Case.id == Paper.case_id).where(Paper.digest == digest, seen_by(by), may_read(by))
    )
    if found is None:
        raise NotFound("Dokumen tidak ditemukan. Buka kembali dari halaman perkaranya.")
    return found


def station_of(case: Case) -> Step:
    """Return the step at which a case stands."""
    return case.sop.steps[CLOCK.get(case.status, STATION[case.status])]


@dataclass(frozen=True)
class Pace:
    """Working days in the present status, against the standard of its step."""

    days: int
    standard: int
    """0 where no standard runs."""

    @property
    def is_late(self) -> bool:
        """Tell whether the standard is passed."""
        return 0 < self.standard < self.days


def pace(case: Case, *, now: datetime | None = None) -> Pace:
    """Count the working days since the present status began, against the standard (X5)."""
    now = now or utc_now()
    session = object_session(case)
    assert session is not None, "a case is shown in the transaction in which it was read"
    days = max(hours(session).days(case.entered_at, now), 0)
    return Pace(days, standard_of(case.status, case.sop))


def standard_of(status: str, sop: Procedure) -> int:
    """Return the working days after which somebody of the centre is late in a status; 0 where no standard runs."""
    step = sop.steps.get(CLOCK.get(status, ""))
    return step.most_days if step and status not in NO_STANDARD else 0


def stations(case: Case, history: Sequence[CaseStatus], evaluations: Sequence[Evaluation]) -> list[line.Station]:
    """Return the eleven stations with where the case stands and when it came there."""
    first: dict[str, date] = {}
    for row in history:
        first.setdefault(STATION[row.status], local_date(row.at))
    done = ["S06"] if case.contract_amount and case.paid_amount == case.contract_amount else []
    done += ["S10"] if any(one.decided_at for one in evaluations) else []
    return line.stations(
        case.sop,
        at=STATION[case.status],
        done=done,
        ended=case.status == "retired",
        stopped=case.status in ("rejected", "cancelled"),
        notes={step: numeric_date(on) for step, on in first.items()},
    )


def loops(case: Case, history: Sequence[CaseStatus]) -> list[line.Loop]:
    """Return the ways back that the case took along the line: returned proposals, failed tests, deferrals."""
    order = [step.id for step in case.sop.stations]
    counted: dict[tuple[str, str, str], int] = {}
    for row in history:
        if not row.source:
            continue
        source, target = STATION[row.source], STATION[row.status]
        if order.index(target) < order.index(source) and row.status not in ("cancelled",):
            key = (source, target, case.sop.statuses[row.status].label.lower())
            counted[key] = counted.get(key, 0) + 1
    return [line.Loop(source, target, times, reason) for (source, target, reason), times in counted.items()]
