"""The agenda of a meeting: it fills itself with what waits, in an order that people may change (S03, S10)."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.proposal.authority import ACTS
from services.proposal.model import Case, ItemSource, Meeting, MeetingItem, MeetingKind
from services.proposal.queries.agenda import Candidate, new_for, not_reached, of_case
from shared import audit
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence

NO_MEETING = "Rapat tidak ditemukan. Buka kembali dari daftar rapat."


def find_meeting(session: Session, meeting_id: UUID) -> Meeting:
    """Return a meeting with its row locked until the transaction ends; raise NotFound."""
    meeting = session.get(Meeting, meeting_id, with_for_update=True, populate_existing=True)
    if meeting is None:
        raise NotFound(NO_MEETING)
    return meeting


def find_item(session: Session, item_id: UUID) -> tuple[Meeting, MeetingItem]:
    """Return an item and its meeting, whose row is locked until the transaction ends; raise NotFound."""
    meeting_id = session.scalar(select(MeetingItem.meeting_id).where(MeetingItem.id == item_id))
    if meeting_id is None:
        raise NotFound("Butir ini tidak ada lagi pada agenda. Muat ulang halaman rapat.")
    meeting = find_meeting(session, meeting_id)
    return meeting, next(item for item in meeting.items if item.id == item_id)


def must_be_open(meeting: Meeting) -> None:
    """Refuse (OutOfTurn) a meeting that was cancelled or whose minutes are closed."""
    if meeting.is_cancelled:
        raise OutOfTurn(
            Sentence(
                "Rapat {number} sudah dibatalkan: {cancelled_reason}",
                number=meeting.number,
                cancelled_reason=meeting.cancelled_reason,
            )
        )
    if meeting.is_closed:
        raise OutOfTurn(
            Sentence(
                "Notulen {number} sudah ditutup oleh {closed_by_name}; keputusannya sudah dijalankan. Catat hal "
                "baru pada rapat berikutnya, atau mohon Kepala atau Koordinator membukanya kembali.",
                number=meeting.number,
                closed_by_name=meeting.closed_by_name,
            )
        )


# --- filling ------------------------------------------------------------------------------------------------------


def fill(session: Session, meeting: Meeting, by_id: UUID) -> int:
    """Put what waits on the agenda of a meeting; return how many items are new.

    What stands undecided on another open meeting of the kind is left there. What earlier meetings did not reach
    moves here with the count of the times it moved.
    """
    new = new_for(session, meeting)
    for candidate in new:
        put(meeting, candidate, by_id)
    session.flush()
    _note_what_moved(session, meeting)
    return len(new)


def put(meeting: Meeting, candidate: Candidate, by_id: UUID) -> MeetingItem:
    """Put something at the end of the agenda, undecided."""
    item = MeetingItem(
        id=uuid4(),
        ordinal=max((one.ordinal for one in meeting.items), default=0) + 1,
        source=candidate.source,
        source_key=candidate.key,
        source_path=candidate.path,
        case_id=candidate.case_id,
        evaluation_id=candidate.evaluation_id,
        subject=candidate.subject[:300],
        discussion="",
        follow_up="",
        pic="",
        edition=1,
        moved_count=0,
        by_id=by_id,
    )
    meeting.items.append(item)
    return item


def _note_what_moved(session: Session, meeting: Meeting) -> None:
    here = {item.source_key: item for item in meeting.items if item.source != ItemSource.STANDING}
    if not here:
        return
    left = session.scalars(
        select(MeetingItem)
        .join(Meeting, Meeting.id == MeetingItem.meeting_id)
        .where(MeetingItem.source_key.in_(list(here)), *not_reached(meeting))
    ).all()
    for item in left:
        item.moved_to_id = meeting.id
        now = here[item.source_key]
        now.moved_count = max(now.moved_count, item.moved_count + 1)
    session.flush()


def next_meeting(session: Session, meeting: Meeting) -> Meeting | None:
    """Return the next open meeting of the same series (or of the kind, outside a series), its row locked."""
    same = Meeting.series_id == meeting.series_id if meeting.series_id else Meeting.kind == meeting.kind
    later = or_(Meeting.on > meeting.on, and_(Meeting.on == meeting.on, Meeting.created_at > meeting.created_at))
    return session.scalars(
        select(Meeting)
        .where(same, later, Meeting.closed_at.is_(None), Meeting.cancelled_at.is_(None))
        .order_by(Meeting.on, Meeting.created_at)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


# --- by hand ------------------------------------------------------------------------------------------------------


def refresh_agenda(session: Session, by: Person, meeting_id: UUID) -> Meeting:
    """Fill the agenda anew with what waits now; raise OutOfTurn once the minutes are closed."""
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.refresh_agenda, meeting)
    must_be_open(meeting)
    fill(session, meeting, by.id)
    meeting.edition += 1
    return meeting


def add_to_agenda(
    session: Session, by: Person, meeting_id: UUID, *, subject: str = "", case_number: str = ""
) -> Meeting:
    """Put a subject or a case on the agenda by hand; what stands there already stays where it is.

    Raises Incomplete without either, or for a case that is not there.
    """
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.add_to_agenda, meeting)
    must_be_open(meeting)
    candidate = named(session, case_number=case_number, subject=subject)
    if all(item.source_key != candidate.key for item in meeting.items):
        put(meeting, candidate, by.id)
        meeting.edition += 1
        session.flush()
    return meeting


def named(session: Session, *, case_number: str = "", subject: str = "") -> Candidate:
    """Return what a person named for the agenda: a case by its number, else a subject; raise Incomplete."""
    if case_number.strip():
        case = session.scalar(select(Case).where(Case.number == case_number.strip()))
        if case is None:
            raise Incomplete(
                "Nomor perkara tidak ditemukan.",
                errors=[FieldError("/case_number", "Tulis nomor perkara, misalnya APL-2026-0001.")],
            )
        return of_case(case)
    if not subject.strip():
        raise Incomplete(
            "Butir memerlukan perkara atau pokok pembahasan.",
            errors=[FieldError("/subject", "Isi pokok pembahasan, atau nomor perkara.")],
        )
    return Candidate(ItemSource.OTHER, f"other:{uuid4()}", subject.strip(), "")


def remove_from_agenda(session: Session, by: Person, item_id: UUID) -> Meeting:
    """Take an item that nobody has decided from the agenda; raise OutOfTurn for one that was carried out or moved."""
    meeting, item = find_item(session, item_id)
    by = authorize(session, by, ACTS.remove_from_agenda, meeting, subject=item.source_key)
    must_be_open(meeting)
    must_be_ours(item)
    meeting.items.remove(item)
    _number(meeting, meeting.items)
    session.flush()
    return meeting


def must_be_ours(item: MeetingItem) -> None:
    """Refuse (OutOfTurn) an item whose outcome stands, or that another meeting has now."""
    if item.performed_at:
        raise OutOfTurn(
            Sentence(
                "Keputusan butir “{subject}” sudah dijalankan dan tidak dapat diubah dari notulen. Putuskan "
                "pada halaman perkaranya, atau bahas lagi pada rapat berikutnya.",
                subject=item.subject,
            )
        )
    if item.moved_to_id:
        raise OutOfTurn(
            Sentence(
                "Butir “{subject}” sudah dipindahkan ke rapat berikutnya karena tidak sempat dibahas. Catat "
                "pembahasannya di sana.",
                subject=item.subject,
            )
        )


def order_agenda(session: Session, by: Person, item_id: UUID, *, ordinal: int) -> Meeting:
    """Put an item at a place of the agenda, from 1; the others make room."""
    meeting, item = find_item(session, item_id)
    by = authorize(session, by, ACTS.order_agenda, meeting)
    must_be_open(meeting)
    others = [one for one in meeting.items if one is not item]
    others.insert(min(max(ordinal, 1), len(meeting.items)) - 1, item)
    _number(meeting, others)
    session.flush()
    session.refresh(meeting, ["items"])
    return meeting


def _number(meeting: Meeting, items: Sequence[MeetingItem]) -> None:
    for n, one in enumerate(list(items), start=1):
        one.ordinal = n
    meeting.edition += 1


def fill_nearest(session: Session, kinds: Iterable[MeetingKind], today: date) -> int:
    """Fill the agenda of the nearest open meeting of each kind (the clock); return how many items are new."""
    new = 0
    for kind in kinds:
        meeting = session.scalars(
            select(Meeting)
            .where(
                Meeting.kind == kind,
                Meeting.on >= today,
                Meeting.closed_at.is_(None),
                Meeting.cancelled_at.is_(None),
                Meeting.reopened_at.is_(None),
            )
            .order_by(Meeting.on, Meeting.created_at)
            .limit(1)
            .with_for_update()
        ).first()
        if meeting is None:
            continue
        count = fill(session, meeting, meeting.made_by_id)
        if count:
            audit.record(session, None, "refresh_agenda", meeting, items=count)
        new += count
    return new
