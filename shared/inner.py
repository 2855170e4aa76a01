"""What every service answers to the gateway alone, for auditors and operators; the person's header is signed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from shared import oversight
from shared.oversight import AuditLine, AuditQuery, Standing, Verification
from shared.pages import Reason
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/inner", route_class=Door, include_in_schema=False)


@router.get("/audit", response_model=list[AuditLine])
def audit_lines(session: Session, by: Asker, asked: Annotated[AuditQuery, Query()]) -> list[AuditLine]:
    return oversight.audit_lines(session, by, asked)


@router.post("/audit/verification", response_model=Verification)
def verify_audit(session: Session, by: Asker) -> Verification:
    return oversight.verify_audit(session, by)


@router.get("/audit/verification", response_model=Verification)
def verification(session: Session, by: Asker) -> Verification:
    return oversight.verification(session, by)


@router.get("/operations", response_model=Standing)
def standing(session: Session, by: Asker) -> Standing:
    return oversight.standing(session, by)


@router.post("/messages/{letter_id}/retry", status_code=204)
def retry_message(session: Session, by: Asker, letter_id: UUID) -> None:
    oversight.retry_message(session, by, letter_id)


@router.post("/messages/{letter_id}/skip", status_code=204)
def skip_message(session: Session, by: Asker, letter_id: UUID, body: Reason) -> None:
    oversight.skip_message(session, by, letter_id, reason=body.reason)
