"""Operations on hosts: begun one at a time for each hosting with a new fence number, ended with what came of them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.model import Hosting, Operation, OperationKind, OperationStatus, Server
from shared import audit, jobs
from shared.database import utc_now
from shared.errors import OutOfTurn, Unavailable
from shared.identity import Person
from shared.sentence import Sentence

OPEN = (OperationStatus.WAITING, OperationStatus.RUNNING)
ATTEMPTS = 3
"""How often what a person asked for is tried while the server is silent; then they are told."""
PATIENT_ATTEMPTS = 300
"""How often what the security division ordered is tried: more than a day."""


class Busy(Unavailable):
    """Another operation runs on this hosting; this one waits."""

    code = "hosting_busy"
    title = "Hosting sedang dikerjakan"


def enqueue(
    session: Session, hosting: Hosting, kind: OperationKind, thing_id: UUID, *, by: Person | None, reason: str = ""
) -> Operation:
    """Write down an operation and the job that will do it, and return it."""
    operation = Operation(
        hosting=hosting,
        kind=kind,
        thing_id=thing_id,
        actor=by.model_dump(mode="json") if by else None,
        reason=reason,
    )
    session.add(operation)
    session.flush()
    attempts = PATIENT_ATTEMPTS if kind in (OperationKind.CLOSE, OperationKind.REVOKE) else ATTEMPTS
    params = {"operation": str(operation.id)}
    operation.job_id = jobs.start(session, kind.value, thing_id, params, most_attempts=attempts).id
    return operation


def must_be_idle(session: Session, hosting: Hosting) -> None:
    """Refuse (OutOfTurn) while an operation on this hosting waits or runs."""
    # The row lock makes two askers at once see each other.
    session.get_one(Hosting, hosting.id, with_for_update={"of": Hosting})
    current = session.scalar(
        select(Operation).where(Operation.hosting_id == hosting.id, Operation.status.in_(OPEN)).limit(1)
    )
    if current:
        raise OutOfTurn(
            Sentence(
                "Masih ada pekerjaan lain di hosting ini ({label}). Mohon tunggu sampai selesai, lalu ulangi.",
                label=current.label,
            )
        )


def must_be_usable(server: Server) -> None:
    """Refuse (OutOfTurn) a server that is suspended or retired."""
    if not server.is_active:
        raise OutOfTurn(
            Sentence(
                "Server “{name}” sedang tidak dipakai ({label}). Mohon selesaikan dahulu dengan Kepala Divisi "
                "Infrastruktur.",
                name=server.name,
                label=server.label,
            )
        )


def begin(session: Session, operation_id: UUID) -> Operation | None:
    """Take the next fence number for an operation and mark it running; None when it has ended already.

    Raises Busy while another one runs on the same hosting.
    """
    operation = session.get_one(Operation, operation_id, with_for_update={"of": Operation})
    if operation.status not in OPEN:
        return None
    hosting = session.get_one(Hosting, operation.hosting_id, with_for_update={"of": Hosting})
    other = session.scalar(
        select(Operation.id).where(
            Operation.hosting_id == hosting.id,
            Operation.status == OperationStatus.RUNNING,
            Operation.id != operation.id,
        )
    )
    if other:
        raise Busy("Pekerjaan lain di hosting ini belum selesai; pekerjaan ini menunggu gilirannya.")
    hosting.fence += 1
    operation.fence = hosting.fence
    operation.status = OperationStatus.RUNNING
    session.flush()
    return operation


def end(session: Session, operation: Operation, *, reason: str = "") -> None:
    """Mark an operation as ended, failed when there is a reason, and write it into the audit chain."""
    if operation.status not in OPEN:
        return
    operation.status = OperationStatus.FAILED if reason else OperationStatus.DONE
    operation.reason = reason or operation.reason
    operation.ended_at = utc_now()
    outcome = "failed" if reason else "done"
    audit.record(session, actor(operation), f"{operation.kind}_{outcome}", operation, fence=operation.fence)


def actor(operation: Operation) -> Person | None:
    """Return the person who started an operation; None when another division's fact did."""
    return Person.model_validate(operation.actor) if operation.actor else None
