"""Minutes that decide: notes on each item, closing them, which carries the outcomes out once, and correcting (X6)."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.proposal.actions import meeting_paper
from services.proposal.actions.agenda import (
    fill,
    find_item,
    find_meeting,
    must_be_open,
    must_be_ours,
    named,
    next_meeting,
    put,
)
from services.proposal.actions.case import find, move, tell_halt, write
from services.proposal.actions.evaluation import find_evaluation, present
from services.proposal.actions.meeting import invited
from services.proposal.actions.proposal import approve
from services.proposal.actions.task import give_task
from services.proposal.authority import ACTS, MOVES
from services.proposal.model import (
    OUTCOME_LABELS,
    Case,
    Evaluation,
    ItemSource,
    Meeting,
    MeetingItem,
    MeetingKind,
    MinutesVersion,
    Office,
    Outcome,
    Presence,
)
from services.proposal.queries.agenda import Candidate
from shared.authority import Act, authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person, Role
from shared.messages import PaperFact
from shared.sentence import Sentence
from shared.words import local_date

# --- notes --------------------------------------------------------------------------------------------------------


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
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.record_item, meeting)
    must_be_open(meeting)
    candidate = (
        _heard(session, meeting, evaluation_id)
        if evaluation_id
        else named(session, case_number=case_number, subject=subject)
    )
    item = next((one for one in meeting.items if one.source_key == candidate.key), None)
    item = item or put(meeting, candidate, by.id)
    item.subject = subject or item.subject
    session.flush()
    _note(
        session,
        by,
        meeting,
        item,
        {"discussion": discussion, "decision": decision, "follow_up": follow_up, "pic": pic, "due_on": due_on},
    )
    return meeting


def _heard(session: Session, meeting: Meeting, evaluation_id: UUID) -> Candidate:
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise Incomplete(
            "Evaluasi tidak ditemukan.",
            errors=[FieldError("/evaluation_id", "Pilih evaluasi dari daftar yang menunggu dibahas.")],
        )
    if meeting.kind != MeetingKind.WEEKLY:
        raise Incomplete(
            "Laporan evaluasi dipaparkan pada rapat rutin mingguan (langkah 10).",
            errors=[FieldError("/evaluation_id", "Catat pada rapat rutin mingguan.")],
        )
    return Candidate(
        ItemSource.EVALUATION,
        f"evaluation:{evaluation.id}",
        f"Laporan evaluasi {evaluation.case.name} ({evaluation.number})",
        f"/evaluasi/{evaluation.id}",
        case_id=evaluation.case_id,
        evaluation_id=evaluation.id,
    )


TEXTS = {"discussion": "Pembahasan", "follow_up": "Tindak lanjut"}


def write_item(
    session: Session, by: Person, item_id: UUID, *, changes: dict[str, Any], seen: str | None = None
) -> MeetingItem:
    """Change what is noted on an item; what `changes` does not name stays.

    Raises Stale when somebody else wrote since it was `seen` (If-Match); the refusal holds both texts, so that nobody's
    notes are lost. Raises OutOfTurn once the minutes are closed, or for an outcome that was carried out.
    """
    meeting, item = find_item(session, item_id)
    by = authorize(session, by, ACTS.write_item, meeting, item=str(item.id))
    must_be_open(meeting)
    _must_have_seen(item, changes, seen)
    _note(session, by, meeting, item, changes)
    return item


def _must_have_seen(item: MeetingItem, changes: dict[str, Any], seen: str | None) -> None:
    both = [
        FieldError(f"/{name}/{whose}", words)
        for name in TEXTS
        if name in changes and changes[name] != getattr(item, name)
        for whose, words in (("saved", getattr(item, name)), ("yours", changes[name] or ""))
    ]
    who = item.written_by_name or Sentence("Notulis lain")
    must_be_present(
        seen,
        item.edition,
        words=Sentence(
            "{who} mengubah catatan butir “{subject}” sesudah Anda membukanya. Tulisan Anda belum disimpan. "
            "Yang tersimpan sekarang: “{discussion}”. Gabungkan keduanya, lalu simpan lagi.",
            who=who,
            subject=item.subject,
            discussion=item.discussion,
        ),
        errors=both,
    )


def _note(session: Session, by: Person, meeting: Meeting, item: MeetingItem, changes: dict[str, Any]) -> None:
    decision = changes.get("decision", item.decision)
    if item.moved_to_id or (item.performed_at and decision != item.decision):
        must_be_ours(item)
    if decision and not item.performed_at:
        if not (changes.get("discussion", item.discussion) or "").strip():
            raise Incomplete(
                "Keputusan memerlukan catatan pembahasan.",
                errors=[FieldError("/discussion", "Tuliskan pembahasannya; catatan ini masuk ke riwayat perkara.")],
            )
        _must_be_known(item, Outcome(decision))
        case = session.get(Case, item.case_id) if item.case_id else None
        if case and not item.evaluation_id:
            _must_be_possible(case, Outcome(decision))
    for name, value in changes.items():
        setattr(item, name, value)
    if changes.get("pic"):
        item.pic = invited(session, item.pic).name
    item.edition += 1
    item.by_id, item.written_by_name = by.id, by.name
    meeting.edition += 1
    session.flush()


def _must_be_known(item: MeetingItem, outcome: Outcome) -> None:
    if outcome == Outcome.APPROVE and (item.evaluation_id or not item.case_id):
        raise OutOfTurn(
            "Keputusan “disetujui” hanya untuk usulan yang menunggu persetujuan Kepala. Pilih “dilanjutkan”."
        )


# --- closing ------------------------------------------------------------------------------------------------------


def close_minutes(session: Session, by: Person, meeting_id: UUID, office: Office) -> Meeting:
    """Close the minutes, print them and carry every outcome out, once (S03, S10; X6).

    What was not reached moves to the next meeting. Approving, deferring, revising and ending are the Head's: minutes
    with such an outcome are closed by the Head. Raises OutOfTurn when they are closed already, or when a case has
    moved on so that its outcome cannot be carried out. Re-opened minutes carry out only what is new.
    """
    meeting = find_meeting(session, meeting_id)
    following = next_meeting(session, meeting)
    # In the order of their ids, so that two minutes on the same cases wait for each other instead of locking up;
    # and all before the audit chain, whose lock every act takes after that of its case.
    decided = [item for item in meeting.items if item.decision]
    cases = {case_id: find(session, case_id) for case_id in sorted({i.case_id for i in decided if i.case_id})}
    for evaluation_id in sorted(i.evaluation_id for i in decided if i.evaluation_id):
        find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.close_minutes, meeting, version=meeting.version)
    must_be_open(meeting)
    _must_be_complete(meeting, by)
    now = utc_now()
    for one in meeting.attendance:
        if one.presence == Presence.INVITED:
            one.presence = Presence.ABSENT
    meeting.closed_at, meeting.closed_by_id, meeting.closed_by_name = now, by.id, by.name
    printed = meeting_paper.minutes(session, office, meeting, by)
    meeting.minutes_digest = printed.digest
    for item in decided:
        if item.performed_at:
            _tell_correction(session, by, cases, meeting, item, printed)
        else:
            _perform(session, by, cases, meeting, item, printed, office)
            item.performed_at = now
    _keep(session, meeting)
    session.flush()
    if following:
        fill(session, following, by.id)
    return meeting


def _must_be_complete(meeting: Meeting, by: Person) -> None:
    if meeting.on > local_date(utc_now()):
        raise OutOfTurn("Rapat ini belum berlangsung; notulennya ditutup pada hari rapat atau sesudahnya.")
    decided = [item for item in meeting.items if item.decision]
    if not decided or not meeting.attendees:
        raise Incomplete("Notulen memerlukan daftar hadir dan paling sedikit satu butir yang dibahas.")
    if meeting.quorum and len(meeting.attendees) < meeting.quorum:
        raise Incomplete(
            Sentence(
                "Kuorum {quorum} orang belum tercapai; yang hadir {attendees}. Lengkapi daftar hadir, ubah "
                "kuorum rapat ini, atau batalkan rapat agar agendanya pindah ke rapat berikutnya.",
                quorum=meeting.quorum,
                attendees=len(meeting.attendees),
            )
        )
    if meeting.is_for_head and not by.has(Role.HEAD):
        raise NotAllowed(
            "Notulen ini memuat keputusan setuju, revisi, tunda, atau tidak dilanjutkan, yang merupakan wewenang "
            "Kepala. Mohon Kepala PUSTIPD yang menutupnya."
        )


def _perform(
    session: Session,
    by: Person,
    cases: dict[UUID, Case],
    meeting: Meeting,
    item: MeetingItem,
    printed: PaperFact,
    office: Office,
) -> None:
    """Carry out what a meeting decided on one item, and give its follow-up to somebody."""
    if item.evaluation_id:
        present(session, by, item.evaluation_id, meeting, printed, note=item.discussion)
    elif item.case_id:
        _carry_out(session, by, cases[item.case_id], meeting, item, printed, office)
    if item.follow_up.strip():
        give_task(session, meeting, item)


def _carry_out(
    session: Session,
    by: Person,
    case: Case,
    meeting: Meeting,
    item: MeetingItem,
    printed: PaperFact,
    office: Office,
) -> None:
    outcome = item.decision or Outcome.CONTINUE
    _must_be_possible(case, outcome)
    cites = f"{meeting.label} {meeting.number}"
    says = f"Dibahas dalam {cites}: {OUTCOME_LABELS[outcome].lower()}"
    path = f"/rapat/{meeting.id}"
    act = _act_of(case, outcome)
    if outcome == Outcome.APPROVE:
        approve(session, by, case.id, office, words=f"Diputuskan dalam {cites}. {item.discussion}")
    if act is None or outcome == Outcome.APPROVE:
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
    if outcome == Outcome.APPROVE:
        return ACTS.approve
    if outcome == Outcome.DEFER:
        return ACTS.defer
    if outcome == Outcome.REJECT:
        return ACTS.reject if case.next("reject") else ACTS.cancel
    return None


def _must_be_possible(case: Case, outcome: Outcome) -> None:
    act = _act_of(case, outcome)
    if act and case.next(MOVES[act.name]) is None:
        raise OutOfTurn(
            Sentence(
                "Perkara {number} berstatus “{label}”, sehingga keputusan “{outcome}” tidak dapat dijalankan. "
                "Mohon ubah keputusan pada butir itu.",
                number=case.number,
                label=case.label,
                outcome=OUTCOME_LABELS[outcome],
            )
        )


def _tell_correction(
    session: Session,
    by: Person,
    cases: dict[UUID, Case],
    meeting: Meeting,
    item: MeetingItem,
    printed: PaperFact,
) -> None:
    """Name the corrected minutes in the trace of a case whose outcome stands."""
    if not item.case_id:
        return
    write(
        session,
        by,
        cases[item.case_id],
        ACTS.close_minutes.name,
        step="S10" if item.evaluation_id else "S03",
        says=f"Notulen {meeting.number} terbit kembali sebagai versi {meeting.version}; keputusannya tetap",
        note=meeting.reopened_reason,
        papers=[printed],
        path=f"/rapat/{meeting.id}",
    )


def _follow_up(item: MeetingItem) -> str:
    due = f" paling lambat {item.due_on:%d/%m/%Y}" if item.due_on else ""
    who = f" ({item.pic})" if item.pic else ""
    return f"Tindak lanjut: {item.follow_up}{who}{due}" if item.follow_up else ""


# --- history ------------------------------------------------------------------------------------------------------


def reopen_minutes(session: Session, by: Person, meeting_id: UUID, *, reason: str) -> Meeting:
    """Open closed minutes for a correction, with the reason; outcomes that were carried out stay.

    The version that was closed is kept; its paper counts until the next version is closed. Raises OutOfTurn for
    minutes that are open.
    """
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.reopen_minutes, meeting, version=meeting.version)
    if not meeting.is_closed:
        raise OutOfTurn(
            Sentence(
                "Notulen {number} masih terbuka; catatannya dapat langsung diperbaiki.",
                number=meeting.number,
            )
        )
    meeting.closed_at, meeting.closed_by_id, meeting.closed_by_name = None, None, ""
    meeting.reopened_at, meeting.reopened_by_name, meeting.reopened_reason = utc_now(), by.name, reason
    meeting.version += 1
    meeting.edition += 1
    session.flush()
    return meeting


def _keep(session: Session, meeting: Meeting) -> None:
    meeting.versions.append(
        MinutesVersion(
            meeting_id=meeting.id,
            version=meeting.version,
            content={"items": _items(meeting.items), "present": meeting.attendees},
            digest=meeting.minutes_digest,
            closed_at=meeting.closed_at,
            closed_by_name=meeting.closed_by_name,
            reason=meeting.reopened_reason if meeting.version > 1 else "",
        )
    )


def _items(items: Sequence[MeetingItem]) -> list[dict[str, Any]]:
    return [
        {
            "ordinal": item.ordinal,
            "subject": item.subject,
            "discussion": item.discussion,
            "decision": item.decision,
            "follow_up": item.follow_up,
            "pic": item.pic,
            "due_on": item.due_on.isoformat() if item.due_on else None,
        }
        for item in items
    ]
