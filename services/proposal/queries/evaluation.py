"""Evaluations as people may see them, and what waits for whom."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from services.proposal.authority import ACTS, READERS
from services.proposal.model import Case, Evaluation, EvaluationStatus, Meeting, Proposal
from services.proposal.queries.case import CLOCK, seen_by
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person, Role

WAITING_LIMIT = 100


def evaluation(session: Session, by: Person, evaluation_id: UUID) -> Evaluation:
    """Return an evaluation with its figures; raise NotFound for one that this person may not know of."""
    found = session.scalar(
        select(Evaluation).join(Case, Case.id == Evaluation.case_id).where(Evaluation.id == evaluation_id, seen_by(by))
    )
    if found is None or not by.has(*READERS, Role.PLANNING):
        raise NotFound("Evaluasi tidak ditemukan. Buka kembali dari halaman perkaranya.")
    return found


def promised(session: Session, evaluation: Evaluation) -> list[dict[str, str]]:
    """Return the success indicators that the proposal promised (f11)."""
    found = session.get(Proposal, evaluation.case_id)
    return list(found.indicators) if found else []


def offered_in_evaluation(by: Person, evaluation: Evaluation) -> list[Act]:
    """Return what this person may do with an evaluation now."""
    status = evaluation.status
    turn = {
        "report_evaluation": status in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED),
        "decide_evaluation": status == EvaluationStatus.PRESENTED,
        "follow_up": status == EvaluationStatus.DECIDED
        and evaluation.decision == "further_development"
        and evaluation.follow_up_case_id is None,
    }
    return [act for act in ACTS if turn.get(act.name) and act.allows(by, evaluation)]


@dataclass(frozen=True)
class Task:
    """One thing that waits for a person."""

    title: str
    about: str
    case_number: str
    step: str
    since: datetime
    path: str


def waiting_on(session: Session, by: Person) -> list[Task]:
    """Return what waits for this person, oldest first (a13)."""
    tasks = [*_cases(session, by), *_evaluations(session, by), *_meetings(session, by)]
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
            path=f"/perkara/{case.number}",
        )
        for case in found
    ]


TODO = {
    "draft": "Lengkapi dan ajukan usulan",
    "returned": "Perbaiki usulan yang dikembalikan",
    "submitted": "Periksa usulan baru",
    "under_analysis": "Analisis kebutuhan",
    "awaiting_decision": "Putuskan usulan",
    "approved": "Cantumkan dalam program kerja",
    "in_work_programme": "Siapkan KAK dan pembahasan rapat",
}


def _evaluations(session: Session, by: Person) -> list[Task]:
    turn: ColumnElement[bool] = false()
    if by.has(Role.APP_HEAD, Role.APP_STAFF):
        turn = or_(turn, Evaluation.status.in_([EvaluationStatus.GATHERING, EvaluationStatus.RETURNED]))
    if by.has(Role.APP_HEAD):
        turn = or_(
            turn,
            and_(
                Evaluation.status == EvaluationStatus.DECIDED,
                Evaluation.decision == "further_development",
                Evaluation.follow_up_case_id.is_(None),
            ),
        )
    if by.has(Role.HEAD):
        turn = or_(turn, Evaluation.status == EvaluationStatus.PRESENTED)
    if not by.has(Role.APP_HEAD, Role.APP_STAFF, Role.HEAD):
        return []
    found = session.scalars(
        select(Evaluation)
        .where(turn)
        .order_by(Evaluation.created_at)
        .limit(WAITING_LIMIT)
        .options(*Evaluation.bare(with_case=True))
    ).all()
    words = {
        EvaluationStatus.PRESENTED: "Putuskan hasil evaluasi",
        EvaluationStatus.DECIDED: "Ajukan pengembangan lanjutan",
    }
    return [
        Task(
            title=words.get(EvaluationStatus(one.status), "Susun laporan evaluasi"),
            about=one.case.name,
            case_number=one.case.number,
            step="S11" if one.status == EvaluationStatus.DECIDED else "S10",
            since=one.decided_at or one.created_at,
            path=f"/evaluasi/{one.id}",
        )
        for one in found
    ]


def _meetings(session: Session, by: Person) -> list[Task]:
    if not by.has(Role.HEAD, Role.APP_HEAD):
        return []
    rows = session.execute(
        select(Meeting.id, Meeting.kind, Meeting.number, Meeting.created_at)
        .where(Meeting.closed_at.is_(None))
        .order_by(Meeting.created_at)
        .limit(WAITING_LIMIT)
    ).all()
    return [
        Task("Tutup notulen rapat", f"Notulen {row.number}", "", "S03", row.created_at, f"/rapat/{row.id}")
        for row in rows
    ]
