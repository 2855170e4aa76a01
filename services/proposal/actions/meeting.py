"""Meetings: calling one, recording its items, and closing the minutes, which carries the outcomes out (S03, S10)."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.actions import paper
from services.proposal.actions.case import find, move, next_number, tell_halt, write
from services.proposal.actions.evaluation import find_evaluation, present
from services.proposal.authority import ACTS, MOVES
from services.proposal.model import (
    OUTCOME_LABELS,
    Case,
    Evaluation,
    Meeting,
    MeetingItem,
    MeetingKind,
    Office,
    Outcome,
)
from shared import letters
from shared.authority import Act, authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.messages import PaperFact
from shared.words import local_date


def call_meeting(
    session: Session,
    by: Person,
    office: Office,
    *,
    kind: MeetingKind,
    on: date,
    place: str,
    chair: str,
    attendees: Sequence[str],
    note_taker: str = "",
    starts: time | None = None,
    ends: time | None = None,
    number: str = "",
) -> Meeting:
    """Call a weekly or annual meeting and give its minutes their number (S03).

    `number` is for minutes that were numbered before they came into Alur.
    """
    by = authorize(session, by, ACTS.call_meeting, f"meeting:{kind}:{on}")
    if not number:
        n = next_number(session, "minutes", on.year)
        number = letters.number("minutes", n, on, office=office.code)
    meeting = Meeting(
        kind=kind,
        number=number,
        on=on,
        starts=starts,
        ends=ends,
        place=place,
        chair=chair,
        note_taker=note_taker or by.name,
        attendees=list(attendees),
        made_by_id=by.id,
    )
    session.add(meeting)
    session.flush()
    return meeting


def record_item(
    session: Session,
    by: Person,
    meeting_id: UUID,
    *,
    discussion: str,
    decision: Outcome,
    case_number: str = "",
    evaluation_id: UUID | None = None,
    subject: str = "",
    follow_up: str = "",
    pic: str = "",
    due_on: date | None = None,
) -> Meeting:
    """Record an item of a meeting (S03); one on the same case or evaluation replaces what stood there.

    Nothing of it takes effect before the minutes are closed. Raises OutOfTurn once they are.
    """
    meeting = _find(session, meeting_id)
    by = authorize(session, by, ACTS.record_item, meeting)
    _must_be_open(meeting)
    case = None
    if evaluation_id:
        evaluation = session.get(Evaluation, evaluation_id)
        if evaluation is None:
            raise Incomplete(
                "Evaluasi tidak ditemukan.",
                errors=[FieldError("/evaluation_id", "Pilih evaluasi dari daftar yang menunggu dibahas.")],
            )
        case = evaluation.case
        subject = subject or f"Laporan evaluasi {case.name} ({evaluation.number})"
        if meeting.kind != MeetingKind.WEEKLY:
            raise Incomplete(
                "Laporan evaluasi dipaparkan pada rapat rutin mingguan (langkah 10).",
                errors=[FieldError("/evaluation_id", "Catat pada rapat rutin mingguan.")],
            )
    elif case_number.strip():
        case = session.scalar(select(Case).where(Case.number == case_number.strip()))
        if case is None:
            raise Incomplete(
                "Nomor perkara tidak ditemukan.",
                errors=[FieldError("/case_number", "Tulis nomor perkara, misalnya APL-2026-0001.")],
            )
        subject = subject or case.name
    if not subject:
        raise Incomplete(
            "Butir memerlukan perkara atau pokok pembahasan.",
            errors=[FieldError("/subject", "Isi pokok pembahasan, atau nomor perkara.")],
        )
    if case and not evaluation_id:
        _must_be_possible(case, Outcome(decision))
    item = _same(meeting, case, evaluation_id)
    if item is None:
        item = MeetingItem(ordinal=len(meeting.items) + 1)
        meeting.items.append(item)
    item.case, item.case_id, item.evaluation_id = case, case.id if case else None, evaluation_id
    item.subject, item.discussion, item.decision = subject, discussion, decision
    item.follow_up, item.pic, item.due_on, item.by_id = follow_up, pic, due_on, by.id
    meeting.edition += 1
    session.flush()
    return meeting


def _same(meeting: Meeting, case: Case | None, evaluation_id: UUID | None) -> MeetingItem | None:
    if case is None:
        return None
    return next((i for i in meeting.items if i.case_id == case.id and i.evaluation_id == evaluation_id), None)


def close_minutes(session: Session, by: Person, meeting_id: UUID, office: Office) -> Meeting:
    """Close the minutes, print them and carry every outcome out, once (S03, S10; X6).

    Deferring, revising and ending are the Head's: minutes with such an outcome are closed by the Head. Raises
    OutOfTurn when they are closed already, or when a case has moved on so that its outcome cannot be carried out.
    """
    meeting = _find(session, meeting_id)
    # In the order of their ids, so that two minutes on the same cases wait for each other instead of locking up;
    # and all before the audit chain, whose lock every act takes after that of its case.
    cases = {case_id: find(session, case_id) for case_id in sorted({i.case_id for i in meeting.items if i.case_id})}
    for evaluation_id in sorted(i.evaluation_id for i in meeting.items if i.evaluation_id):
        find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.close_minutes, meeting)
    _must_be_open(meeting)
    if not meeting.items or not meeting.attendees:
        raise Incomplete("Notulen memerlukan daftar hadir dan paling sedikit satu butir pembahasan.")
    if meeting.on > local_date(utc_now()):
        raise OutOfTurn("Rapat ini belum berlangsung; notulennya ditutup pada hari rapat atau sesudahnya.")
    if any(item.decision != Outcome.CONTINUE for item in meeting.items) and not by.has(Role.HEAD):
        raise NotAllowed(
            "Notulen ini memuat keputusan revisi, tunda, atau tidak dilanjutkan, yang merupakan wewenang Kepala. "
            "Mohon Kepala PUSTIPD yang menutupnya."
        )
    now = utc_now()
    meeting.closed_at, meeting.closed_by_id, meeting.closed_by_name = now, by.id, by.name
    printed = paper.minutes(session, office, meeting, by)
    meeting.minutes_digest = printed.digest
    for item in meeting.items:
        if item.evaluation_id:
            present(session, by, item.evaluation_id, meeting, printed, note=item.discussion)
        elif item.case_id:
            _carry_out(session, by, cases[item.case_id], meeting, item, printed)
        item.performed_at = now
    session.flush()
    return meeting


def _carry_out(
    session: Session, by: Person, case: Case, meeting: Meeting, item: MeetingItem, printed: PaperFact
) -> None:
    outcome = Outcome(item.decision)
    _must_be_possible(case, outcome)
    cites = f"{meeting.label} {meeting.number}"
    says = f"Dibahas dalam {cites}: {OUTCOME_LABELS[outcome].lower()}"
    path = f"/rapat/{meeting.id}"
    act = _act_of(case, outcome)
    if act is None:
        write(
            session,
            by,
            case,
            ACTS.close_minutes.name,
            step="S03",
            says=says,
            note=item.discussion,
            detail=_follow_up(item),
            papers=[printed],
            path=path,
        )
        if outcome == Outcome.REVISE:
            tell_halt(session, by, case, note=item.discussion, papers=[printed])
        return
    by = authorize(session, by, act, case, meeting=meeting.number)
    move(
        session,
        by,
        case,
        act,
        step="S03",
        says=says,
        reason=item.discussion,
        detail=_follow_up(item),
        papers=[printed],
        path=path,
    )
    tell_halt(session, by, case, note=item.discussion, papers=[printed])


def _act_of(case: Case, outcome: Outcome) -> Act | None:
    """Return the act by which an outcome changes the status of a case; None when the status stays."""
    if outcome == Outcome.DEFER:
        return ACTS.defer
    if outcome == Outcome.REJECT:
        return ACTS.reject if case.next("reject") else ACTS.cancel
    return None


def _must_be_possible(case: Case, outcome: Outcome) -> None:
    act = _act_of(case, outcome)
    if act and case.next(MOVES[act.name]) is None:
        raise OutOfTurn(
            f"Perkara {case.number} berstatus “{case.label}”, sehingga keputusan “{OUTCOME_LABELS[outcome].lower()}” "
            "tidak dapat dijalankan. Mohon ubah keputusan pada butir itu."
        )


def _follow_up(item: MeetingItem) -> str:
    due = f" paling lambat {item.due_on:%d/%m/%Y}" if item.due_on else ""
    who = f" ({item.pic})" if item.pic else ""
    return f"Tindak lanjut: {item.follow_up}{who}{due}" if item.follow_up else ""


def _find(session: Session, meeting_id: UUID) -> Meeting:
    meeting = session.get(Meeting, meeting_id, with_for_update=True, populate_existing=True)
    if meeting is None:
        raise NotFound("Rapat tidak ditemukan. Buka kembali dari daftar rapat.")
    return meeting


def _must_be_open(meeting: Meeting) -> None:
    if meeting.is_closed:
        raise OutOfTurn(
            f"Notulen {meeting.number} sudah ditutup oleh {meeting.closed_by_name}; keputusannya sudah dijalankan. "
            "Catat hal baru pada rapat berikutnya."
        )
