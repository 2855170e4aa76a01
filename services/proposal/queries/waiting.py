"""What waits for people: cases at their turn, evaluations, minutes to close, agreed tasks, an SOP to publish."""

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.proposal.model import Case
from services.proposal.queries.case import CLOCK
from services.proposal.queries.clock import due_at
from services.proposal.queries.evaluation import evaluations_waiting
from services.proposal.queries.meeting import minutes_to_close, own_tasks
from services.proposal.queries.sop import to_publish
from services.proposal.queries.task import WAITING_LIMIT, Task
from shared.identity import Person, Role


def waiting_on(session: Session, by: Person) -> list[Task]:
    """Return what waits for this person, oldest first (a13)."""
    tasks = [
        *to_publish(session, by),
        *_cases(session, by),
        *evaluations_waiting(session, by),
        *minutes_to_close(session, by),
        *own_tasks(session, by),
    ]
    return sorted(tasks, key=lambda task: task.since)[:WAITING_LIMIT]


def _cases(session: Session, by: Person) -> list[Task]:
    turns = []
    mine = Case.proposer_id == by.id
    turns.append(and_(mine, Case.status.in_(["draft", "returned"])))
    if by.has(Role.APP_HEAD):
        turns += [
            and_(Case.status == "submitted", Case.is_from_app_head.is_(False), ~mine),
            and_(Case.status == "under_analysis", Case.analysis_version > 0),
            Case.status == "approved",
            and_(Case.status == "in_work_programme", Case.terms_version > 0, Case.is_plan_locked.is_(True)),
        ]
    if by.has(Role.APP_STAFF):
        turns += [
            and_(Case.status == "under_analysis", Case.analysis_version == 0),
            and_(Case.status == "in_work_programme", Case.terms_version == 0),
        ]
    if by.has(Role.HEAD):
        turns += [
            and_(Case.status == "submitted", Case.is_from_app_head.is_(True), ~mine),
            and_(Case.status == "awaiting_decision", ~mine),
        ]
    found = session.scalars(select(Case).where(or_(*turns)).order_by(Case.entered_at).limit(WAITING_LIMIT)).all()
    return [
        Task(
            title=TODO.get(case.status, case.label),
            about=case.name,
            case_number=case.number,
            step=CLOCK[case.status],
            since=case.entered_at,
            path=_where(case),
            due_at=due_at(session, case.status, case.entered_at, case.sop),
        )
        for case in found
    ]


def _where(case: Case) -> str:
    """Return the page on which the next thing is done."""
    is_for_terms = case.status == "in_work_programme" and case.terms_version == 0
    return f"/perkara/{case.number}/kak" if is_for_terms else f"/perkara/{case.number}"


TODO = {
    "draft": "Lengkapi dan ajukan usulan",
    "returned": "Perbaiki usulan yang dikembalikan",
    "submitted": "Periksa usulan baru",
    "under_analysis": "Analisis kebutuhan",
    "awaiting_decision": "Putuskan usulan",
    "approved": "Cantumkan dalam program kerja",
    "in_work_programme": "Siapkan KAK dan pembahasan rapat",
}
