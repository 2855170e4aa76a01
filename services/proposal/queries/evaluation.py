"""Evaluations as people may see them, and which of them wait for whom."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from services.proposal.authority import ACTS, READERS
from services.proposal.model import (
    Case,
    Comparison,
    Evaluation,
    EvaluationStatus,
    Proposal,
    compared,
)
from services.proposal.queries.case import seen_by
from services.proposal.queries.task import WAITING_LIMIT, Task
from shared.authority import Act
from shared.errors import NotAllowed, NotFound
from shared.identity import Person, Role


def evaluation(session: Session, by: Person, evaluation_id: UUID) -> Evaluation:
    """Return an evaluation with its figures; raise NotFound for one that this person may not know of."""
    found = session.scalar(
        select(Evaluation).join(Case, Case.id == Evaluation.case_id).where(Evaluation.id == evaluation_id, seen_by(by))
    )
    if found is None or not by.has(*READERS, Role.PLANNING):
        raise NotFound("Evaluasi tidak ditemukan. Buka kembali dari halaman perkaranya.")
    return found


def promised(session: Session, evaluation: Evaluation) -> list[Comparison]:
    """Return the success indicators that the proposal promised, each with what became of it (f11)."""
    found = session.get(Proposal, evaluation.case_id)
    return compared(found.indicators if found else [], evaluation.actuals)


FOLLOWED = ("further_development", "retire")
"""Decisions after which a proposal follows."""


def without_evaluation(*, months: int) -> Select[Case]:
    """Return the question for applications in use since `months` of which none began within them and none runs."""
    since = func.now() - func.make_interval(0, months)
    recent = select(Evaluation.id).where(
        Evaluation.case_id == Case.id,
        or_(Evaluation.created_at > since, Evaluation.status != EvaluationStatus.DECIDED),
    )
    return select(Case).where(Case.status == "live", Case.live_at <= since, ~recent.exists())


STALE_SHOWN = 100


def stale(session: Session, by: Person, *, months: int) -> Sequence[Case]:
    """Return the applications in use that nobody evaluated for so long, the longest in use first (f13).

    Raises NotAllowed for whoever may not read evaluations.
    """
    if not by.has(*READERS, Role.PLANNING):
        raise NotAllowed("Daftar evaluasi hanya untuk PUSTIPD, Bagian Perencanaan, dan SPI.")
    return session.scalars(
        without_evaluation(months=months).where(seen_by(by)).order_by(Case.live_at).limit(STALE_SHOWN)
    ).all()


def evaluations(
    session: Session, by: Person, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> Sequence[Evaluation]:
    """Return evaluations, newest first; raise NotAllowed for whoever may not read them."""
    if not by.has(*READERS, Role.PLANNING):
        raise NotAllowed("Daftar evaluasi hanya untuk PUSTIPD, Bagian Perencanaan, dan SPI.")
    asked = select(Evaluation).join(Case, Case.id == Evaluation.case_id).where(seen_by(by))
    if after:
        asked = asked.where(tuple_(Evaluation.created_at, Evaluation.id) < after)
    newest = asked.order_by(Evaluation.created_at.desc(), Evaluation.id.desc()).limit(limit)
    return session.scalars(newest.options(*Evaluation.bare(with_case=True))).all()


def offered_in_evaluation(by: Person, evaluation: Evaluation) -> list[Act]:
    """Return what this person may do with an evaluation now."""
    status = evaluation.status
    turn = {
        "report_evaluation": status in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED),
        "ask_again": status in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED) and bool(evaluation.missing),
        "decide_evaluation": status == EvaluationStatus.PRESENTED,
        "follow_up": status == EvaluationStatus.DECIDED
        and evaluation.decision in FOLLOWED
        and evaluation.follow_up_case_id is None,
    }
    return [act for act in ACTS if turn.get(act.name) and act.allows(by, evaluation)]


def evaluations_waiting(session: Session, by: Person) -> list[Task]:
    """Return the evaluations that wait for this person: to be reported, decided or followed up."""
    turn: ColumnElement[bool] = false()
    if by.has(Role.APP_HEAD, Role.APP_STAFF):
        turn = or_(turn, Evaluation.status.in_([EvaluationStatus.GATHERING, EvaluationStatus.RETURNED]))
    if by.has(Role.APP_HEAD):
        turn = or_(
            turn,
            and_(
                Evaluation.status == EvaluationStatus.DECIDED,
                Evaluation.decision.in_(FOLLOWED),
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
