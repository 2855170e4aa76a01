"""Meetings and the work programme, as the centre's people read them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import cache
from uuid import UUID

from sqlalchemy import Date, Select, bindparam, or_, select, tuple_, union_all
from sqlalchemy.orm import Session, joinedload, lazyload

from services.proposal.authority import ACTS, READERS
from services.proposal.model import (
    ActionItem,
    Meeting,
    MeetingItem,
    MeetingSeries,
    TaskState,
)
from services.proposal.queries.task import WAITING_LIMIT, Task
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotAllowed, NotFound
from shared.identity import Person, Role
from shared.sentence import Sentence
from shared.words import local_date


def meetings(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Meeting]:
    """Return meetings, newest first; nothing for whoever may not read minutes."""
    _must_read(by)
    statement = select(Meeting).order_by(Meeting.created_at.desc(), Meeting.id.desc()).limit(limit)
    if after:
        statement = statement.where(tuple_(Meeting.created_at, Meeting.id) < after)
    return session.scalars(statement.options(*_BARE)).all()


def listed_meetings(
    session: Session, by: Person, today: date, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> tuple[list[Meeting], list[Meeting]]:
    """Return what comes and what was held, in one question.

    What comes are the meetings of today and later that are not closed, nearest first, cancelled ones too; they stand
    on the first page only. Held are those that are past or whose minutes are closed, newest first.
    """
    _must_read(by)
    at, last = after or (None, None)
    wanted = _listed(limit, is_first=after is None)
    rows = session.scalars(wanted, {"today": today, "at": at, "last": last}).all()
    comes = [row for row in rows if row.on >= today and not row.is_closed]
    past = [row for row in rows if row.on < today or row.is_closed]
    comes.sort(key=lambda row: (row.on, row.starts is None, row.starts or time.min))
    past.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    return comes, past


_BARE = (
    lazyload(Meeting.items),
    lazyload(Meeting.attendance),
    lazyload(Meeting.versions),
    lazyload(Meeting.series),
)
"""A list of meetings shows none of what belongs to each."""


@cache
def _listed(limit: int, *, is_first: bool) -> Select[Meeting]:
    """Return the question for what a page of the list shows; building it anew costs as much as asking it."""
    today, place = bindparam("today", type_=Date), tuple_(Meeting.created_at, Meeting.id)
    held = (
        select(Meeting.id)
        .where(or_(Meeting.on < today, Meeting.closed_at.is_not(None)))
        .order_by(Meeting.created_at.desc(), Meeting.id.desc())
        .limit(limit)
    )
    if is_first:
        coming = select(Meeting.id).where(Meeting.on >= today, Meeting.closed_at.is_(None))
        wanted = Meeting.id.in_(union_all(held, coming.order_by(Meeting.on, Meeting.starts).limit(20)))
    else:
        before = tuple_(bindparam("at", type_=Meeting.created_at.type), bindparam("last", type_=Meeting.id.type))
        wanted = Meeting.id.in_(held.where(place < before))
    return select(Meeting).where(wanted).options(*_BARE)


def _must_read(by: Person) -> None:
    if not by.has(*READERS):
        raise NotAllowed("Notulen rapat hanya untuk PUSTIPD dan SPI.")


def meeting(session: Session, by: Person, meeting_id: UUID) -> Meeting:
    """Return a meeting with its items; raise NotFound for whoever may not read minutes."""
    found = session.get(Meeting, meeting_id)
    if found is None or not by.has(*READERS):
        raise NotFound("Rapat tidak ditemukan. Buka kembali dari daftar rapat.")
    return found


def meeting_of(session: Session, item_id: UUID) -> UUID:
    """Return the meeting of an item; raise NotFound."""
    found = session.scalar(select(MeetingItem.meeting_id).where(MeetingItem.id == item_id))
    if found is None:
        raise NotFound("Butir ini tidak ada lagi pada agenda. Buka kembali dari daftar rapat.")
    return found


def papers_of(meeting: Meeting) -> dict[str, str]:
    """Return the titles of a meeting's papers by their digests, newest minutes first."""
    found = {}
    if meeting.minutes_digest:
        found[meeting.minutes_digest] = "Notulen"
    for one in reversed(meeting.versions):
        found.setdefault(one.digest, f"Notulen versi {one.version}")
    if meeting.invitation_digest:
        found[meeting.invitation_digest] = f"Undangan {meeting.invitation_number}"
    if meeting.attendance_digest:
        found[meeting.attendance_digest] = "Lembar tanda tangan daftar hadir"
    return found


def offered_in_meeting(by: Person, meeting: Meeting) -> list[Act]:
    """Return what this person may do with a meeting now."""
    if meeting.is_cancelled:
        return []
    if meeting.is_closed:
        return [act for act in [ACTS.reopen_minutes] if act.allows(by, meeting)]
    is_to_come = meeting.on > local_date(utc_now())
    is_decided = any(item.decision for item in meeting.items)
    may_close = by.has(Role.HEAD) or not meeting.is_for_head
    acts = [
        *([ACTS.close_minutes] if is_decided and not is_to_come and may_close else []),
        ACTS.record_item,
        ACTS.record_attendance,
        ACTS.add_to_agenda,
        ACTS.refresh_agenda,
        ACTS.print_attendance,
        *([] if meeting.reopened_at else [ACTS.invite, ACTS.move_meeting, ACTS.cancel_meeting]),
    ]
    return [act for act in acts if act.allows(by, meeting)]


def offered_on_item(by: Person, meeting: Meeting, item: MeetingItem) -> list[Act]:
    """Return what this person may do with an item of a meeting now."""
    if meeting.is_cancelled or meeting.is_closed or item.moved_to_id:
        return []
    acts = [ACTS.write_item, ACTS.order_agenda, *([] if item.performed_at else [ACTS.remove_from_agenda])]
    return [act for act in acts if act.allows(by, meeting)]


def series(session: Session, by: Person) -> Sequence[MeetingSeries]:
    """Return the series of meetings, those that go on first."""
    _must_read(by)
    return session.scalars(
        select(MeetingSeries).order_by(MeetingSeries.ended_at.is_not(None), MeetingSeries.created_at.desc()).limit(100)
    ).all()


def tasks(
    session: Session,
    by: Person,
    *,
    everybody: bool = False,
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[ActionItem]:
    """Return one's own action items, or everybody's for whoever reads minutes: newest first."""
    statement = select(ActionItem).order_by(ActionItem.created_at.desc(), ActionItem.id.desc()).limit(limit)
    if not (everybody and by.has(*READERS)):
        statement = statement.where(ActionItem.person_id == by.id)
    if after:
        statement = statement.where(tuple_(ActionItem.created_at, ActionItem.id) < after)
    return session.scalars(statement.options(joinedload(ActionItem.meeting).options(*_BARE))).all()


def offered_on_task(by: Person, task: ActionItem) -> list[Act]:
    """Return what this person may do with an action item now."""
    if task.state != TaskState.OPEN:
        return []
    return [act for act in (ACTS.finish_task, ACTS.drop_task) if act.allows(by, task)]


def minutes_to_close(session: Session, by: Person) -> list[Task]:
    """Return the meetings that took place and whose minutes wait to be closed."""
    if not by.has(Role.HEAD, Role.APP_HEAD):
        return []
    rows = session.execute(
        select(Meeting.id, Meeting.number, Meeting.created_at)
        .where(Meeting.closed_at.is_(None), Meeting.cancelled_at.is_(None), Meeting.on <= local_date(utc_now()))
        .order_by(Meeting.on)
        .limit(WAITING_LIMIT)
    ).all()
    return [
        Task(Sentence("Tutup notulen rapat"), f"Notulen {row.number}", "", "S03", row.created_at, f"/rapat/{row.id}")
        for row in rows
    ]


def own_tasks(session: Session, by: Person) -> list[Task]:
    """Return the open action items of this person, overdue ones said so."""
    rows = session.execute(
        select(ActionItem.words, ActionItem.due_on, ActionItem.created_at)
        .where(ActionItem.person_id == by.id, ActionItem.state == TaskState.OPEN)
        .order_by(ActionItem.due_on.nulls_last(), ActionItem.created_at)
        .limit(WAITING_LIMIT)
    ).all()
    today = local_date(utc_now())
    return [Task(_due(row.due_on, today), row.words[:200], "", "S03", row.created_at, "/tindak-lanjut") for row in rows]


def _due(due_on: date | None, today: date) -> str:
    if due_on is None:
        return Sentence("Selesaikan tindak lanjut rapat")
    if due_on < today:
        return Sentence("Tindak lanjut rapat terlambat {days} hari", days=(today - due_on).days)
    return Sentence("Selesaikan tindak lanjut rapat paling lambat {due_on}", due_on=due_on)
