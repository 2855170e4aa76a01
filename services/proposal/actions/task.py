"""Action items: what a meeting gave to somebody, until it is done or dropped (S03)."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.proposal.actions.meeting import known
from services.proposal.authority import ACTS
from services.proposal.model import ActionItem, Meeting, MeetingItem, TaskState
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import NotFound, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence
from shared.words import local_date


def give_task(session: Session, meeting: Meeting, item: MeetingItem) -> ActionItem:
    """Give the follow-up of an item to the one whom the minutes name; the directory says who that is."""
    found = known(session, item.pic) if item.pic.strip() else None
    task = ActionItem(
        meeting=meeting,
        meeting_item_id=item.id,
        subject=item.subject,
        words=item.follow_up,
        person_id=found.id if found else None,
        person_name=found.name if found else item.pic.strip(),
        due_on=item.due_on,
    )
    session.add(task)
    session.flush()
    return task


def finish_task(session: Session, by: Person, task_id: UUID, *, note: str = "") -> ActionItem:
    """Say that a task is done; it comes on no further agenda. Raises OutOfTurn for one that is settled."""
    task = _find(session, task_id)
    by = authorize(session, by, ACTS.finish_task, task)
    return _settle(session, by, task, TaskState.DONE, note)


def drop_task(session: Session, by: Person, task_id: UUID, *, reason: str) -> ActionItem:
    """Say that a task is given up, with the reason. Raises OutOfTurn for one that is settled."""
    task = _find(session, task_id)
    by = authorize(session, by, ACTS.drop_task, task)
    return _settle(session, by, task, TaskState.DROPPED, reason)


def _settle(session: Session, by: Person, task: ActionItem, state: TaskState, note: str) -> ActionItem:
    if task.state != TaskState.OPEN:
        on = Sentence(" pada {day}", day=local_date(task.settled_at)) if task.settled_at else ""
        raise OutOfTurn(
            Sentence(
                "Tindak lanjut ini sudah dinyatakan “{label}” oleh {settled_by_name}{on}.",
                label=task.label,
                settled_by_name=task.settled_by_name,
                on=on,
            )
        )
    task.state, task.note = state, note
    task.settled_at, task.settled_by_name = utc_now(), by.name
    session.flush()
    return task


def _find(session: Session, task_id: UUID) -> ActionItem:
    task = session.get(ActionItem, task_id, with_for_update={"of": ActionItem}, populate_existing=True)
    if task is None:
        raise NotFound("Tindak lanjut tidak ditemukan. Buka kembali dari daftar tindak lanjut.")
    return task
