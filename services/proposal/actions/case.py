"""What every act on a case shares: finding it under a lock, its numbers, its moves, its place in the trace."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.proposal.actions import life_cycle
from services.proposal.authority import MOVES, check_move
from services.proposal.model import Case, Counter, Paper, TraceEntry
from shared import audit
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Person
from shared.mailbox import Letter, post
from shared.messages import CaseHalted, PaperFact

SERVICE = "proposal"
NO_CASE = "Perkara tidak ditemukan. Periksa nomornya atau cari di daftar perkara."


def find(session: Session, case_id: UUID) -> Case:
    """Return a case with its row locked until the transaction ends; raise NotFound."""
    case = session.get(Case, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound(NO_CASE)
    return case


def next_number(session: Session, series: str, year: int) -> int:
    """Take the next number of a series in a year, from 1; it is given for good with the transaction."""
    first = insert(Counter).values(series=series, year=year, last=1)
    taken = first.on_conflict_do_update(index_elements=["series", "year"], set_={"last": Counter.last + 1}).returning(
        Counter.last
    )
    return session.execute(taken).scalar_one()


def note_number(session: Session, series: str, year: int, n: int) -> None:
    """Note that a number of a series was given outside Alur: the next one is higher."""
    first = insert(Counter).values(series=series, year=year, last=n)
    session.execute(
        first.on_conflict_do_update(index_elements=["series", "year"], set_={"last": func.greatest(Counter.last, n)})
    )


def move(
    session: Session,
    doer: Person,
    case: Case,
    act: Act,
    *,
    says: str,
    step: str = "",
    reason: str = "",
    detail: str = "",
    papers: Sequence[PaperFact] = (),
    path: str = "",
) -> TraceEntry:
    """Make the act's move and write it into the trace; raise OutOfTurn by status, NotAllowed by role."""
    check_move(doer, case, act)
    made = case.move(MOVES[act.name], by_id=doer.id, by_name=doer.name, reason=reason)
    return write(
        session,
        doer,
        case,
        act.name,
        step=step or act.step,
        says=says,
        note=reason,
        detail=detail,
        move=made.name,
        papers=papers,
        path=path,
    )


def write(
    session: Session,
    by: Person | None,
    case: Case,
    kind: str,
    *,
    step: str,
    says: str,
    note: str = "",
    detail: str = "",
    move: str = "",
    papers: Sequence[PaperFact] = (),
    digest: str = "",
    path: str = "",
    at: datetime | None = None,
) -> TraceEntry:
    """Write one of our own acts into the trace, pointing to its line in the audit chain; the register follows."""
    if move:
        life_cycle.follow(session, case)
    link: audit.Link | None = session.info.get("audit")
    entry = TraceEntry(
        case_id=case.id,
        at=at or utc_now(),
        step=step,
        kind=kind,
        says=says,
        detail=detail,
        note=note,
        move=move,
        status=case.status,
        person_id=by.id if by else None,
        person_name=by.name if by else "Alur",
        as_what=by.as_what if by else "Alur",
        acting_for=(by.acting_for or "") if by else "",
        digest=digest,
        path=path or f"/perkara/{case.number}",
        source=SERVICE,
        audit_service=SERVICE,
        audit_seq=link.seq if link else None,
        audit_hash=link.hash if link else None,
    )
    return _keep(session, entry, papers)


def write_told(
    session: Session,
    letter: Letter,
    case: Case,
    *,
    step: str,
    says: str,
    note: str,
    detail: str,
    move: str,
    papers: Sequence[PaperFact],
    digest: str,
    path: str,
) -> TraceEntry:
    """Write a fact that another division told into the trace, as its letter says who did it; the register follows."""
    if move:
        life_cycle.follow(session, case)
    entry = TraceEntry(
        case_id=case.id,
        at=letter.created_at,
        step=step,
        kind=letter.kind,
        says=says,
        detail=detail,
        note=note,
        move=move,
        status=case.status,
        person_id=letter.actor.id,
        person_name=letter.actor.name,
        as_what=letter.actor.as_what,
        digest=digest,
        path=path,
        source=letter.source,
        message_id=letter.id,
        audit_service=letter.source,
        audit_seq=letter.actor.audit_seq,
        audit_hash=letter.actor.audit_hash,
    )
    return _keep(session, entry, papers)


def _keep(session: Session, entry: TraceEntry, papers: Sequence[PaperFact]) -> TraceEntry:
    session.add(entry)
    session.flush()
    attach(session, entry, *papers)
    return entry


def attach(session: Session, entry: TraceEntry, *papers: PaperFact) -> None:
    """Name papers on which an entry of the trace rests."""
    session.add_all(
        Paper(
            case_id=entry.case_id,
            trace_entry_id=entry.id,
            step=entry.step,
            kind=paper.kind,
            title=paper.title,
            number=paper.number,
            digest=paper.digest,
            source=entry.source,
        )
        for paper in papers
    )
    session.flush()


def tell_halt(session: Session, doer: Person, case: Case, *, note: str, papers: Sequence[PaperFact] = ()) -> None:
    """Tell the budget that a case it may already plan for waits or ended."""
    if case.fiscal_year is None:
        return
    post(
        session,
        CaseHalted(
            case_id=case.id,
            case_number=case.number,
            note=note,
            status=case.status,
            papers=tuple(papers),
            path=f"/perkara/{case.number}",
        ),
        by=doer,
    )
