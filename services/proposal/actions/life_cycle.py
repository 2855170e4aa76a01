"""The register follows the case: what is planned, built and tested stands in it before users see it (a17)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.model import LIFE_CYCLE, Case, Kind, RegisteredApplication


def follow(session: Session, case: Case) -> None:
    """Bring the row of a case in the register up to the status that the case has come to.

    A case enters with its place in the work programme; ending an application is no application. What users have once
    seen stays in use, suspended or retired, whatever its mended build goes through.
    """
    state = LIFE_CYCLE.get(case.status)
    if state is None or case.kind == Kind.SHUT_DOWN:
        return
    entry = session.scalar(select(RegisteredApplication).where(RegisteredApplication.case_id == case.id))
    if entry is None:
        if state == "cancelled":
            return
        entry = RegisteredApplication(
            case_id=case.id, code=case.code, name=case.name, unit=case.unit, state=state, address="", digest=""
        )
        session.add(entry)
    if entry.live_since is None or state in ("live", "suspended", "retired"):
        entry.state = state
    session.flush()
