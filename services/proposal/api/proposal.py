"""The JSON door of proposals: from draft to the end of the meetings (S01, F01, S02, F02, S03)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.model import Case, Office, Proposal
from services.proposal.schemas.proposal import (
    Analysis,
    Approval,
    Content,
    Duplicate,
    Note,
    ProgrammeEntry,
    ProgrammeEntryView,
    ProposalView,
)
from shared.edition import tag_of
from shared.identity import Person
from shared.pages import Reason
from shared.web import Asker, Door, Seen, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["proposal"])


async def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


Desk = Annotated[Office, Depends(_office)]
"""The office in whose name papers are printed."""


def _view(session: orm.Session, by: Person, case: Case, response: Response) -> ProposalView:
    response.headers["etag"] = tag_of(case.edition)
    return ProposalView.of(session.get_one(Proposal, case.id), by)


@router.post("/proposals", status_code=201)
def propose(session: Session, by: Asker, body: Content, response: Response) -> ProposalView:
    case = actions.propose(session, by, body)
    response.headers["location"] = f"/api/proposals/{case.id}"
    return _view(session, by, case, response)


@router.get("/proposals/{proposal_id}")
def proposal(session: Session, by: Asker, proposal_id: UUID, response: Response) -> ProposalView:
    found = queries.proposal(session, by, proposal_id)
    response.headers["etag"] = tag_of(found.case.edition)
    return ProposalView.of(found, by)


@router.put("/proposals/{proposal_id}")
def amend(
    session: Session,
    by: Asker,
    proposal_id: UUID,
    body: Content,
    response: Response,
    seen: Seen = None,
) -> ProposalView:
    case = actions.amend(session, by, proposal_id, body, seen=seen)
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/letter")
def attach_letter(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, letter: UploadFile, response: Response
) -> ProposalView:
    case = actions.attach_letter(session, by, proposal_id, desk, file=letter.file, file_name=letter.filename or "surat")
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/submission")
def submit(session: Session, by: Asker, desk: Desk, proposal_id: UUID, response: Response) -> ProposalView:
    return _view(session, by, actions.submit(session, by, proposal_id, desk), response)


@router.post("/proposals/{proposal_id}/resubmission")
def resubmit(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, response: Response, body: Content | None = None
) -> ProposalView:
    if body is not None:
        actions.amend(session, by, proposal_id, body)
    return _view(session, by, actions.submit(session, by, proposal_id, desk), response)


@router.post("/proposals/{proposal_id}/acceptance")
def accept(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, response: Response, body: Note | None = None
) -> ProposalView:
    case = actions.accept(session, by, proposal_id, desk, words=body.words if body else "")
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/return")
def send_back(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Reason, response: Response
) -> ProposalView:
    return _view(session, by, actions.send_back(session, by, proposal_id, desk, reason=body.reason), response)


@router.post("/proposals/{proposal_id}/merger")
def merge_duplicate(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Duplicate, response: Response
) -> ProposalView:
    case = actions.merge_duplicate(session, by, proposal_id, desk, into=body.into, reason=body.reason)
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/analysis")
def analyse(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Analysis, response: Response
) -> ProposalView:
    return _view(session, by, actions.analyse(session, by, proposal_id, desk, **body.model_dump()), response)


@router.post("/proposals/{proposal_id}/recommendation")
def recommend(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, response: Response, body: Note | None = None
) -> ProposalView:
    case = actions.recommend(session, by, proposal_id, desk, words=body.words if body else "")
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/approval")
def approve(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, response: Response, body: Approval | None = None
) -> ProposalView:
    given = body or Approval()
    case = actions.approve(session, by, proposal_id, desk, words=given.words, override_cut_off=given.override_cut_off)
    return _view(session, by, case, response)


@router.post("/proposals/{proposal_id}/rejection")
def reject(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Reason, response: Response
) -> ProposalView:
    return _view(session, by, actions.reject(session, by, proposal_id, desk, reason=body.reason), response)


@router.post("/proposals/{proposal_id}/deferral")
def defer(session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Reason, response: Response) -> ProposalView:
    return _view(session, by, actions.defer(session, by, proposal_id, desk, reason=body.reason), response)


@router.post("/proposals/{proposal_id}/cancellation")
def cancel(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Reason, response: Response
) -> ProposalView:
    return _view(session, by, actions.cancel(session, by, proposal_id, desk, reason=body.reason), response)


@router.post("/proposals/{proposal_id}/work-programme-entry", status_code=201)
def enter_work_programme(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: ProgrammeEntry
) -> ProgrammeEntryView:
    entry = actions.enter_work_programme(session, by, proposal_id, desk, **body.model_dump())
    return ProgrammeEntryView.of(entry)


@router.post("/proposals/{proposal_id}/conclusion")
def conclude(session: Session, by: Asker, proposal_id: UUID, response: Response) -> ProposalView:
    return _view(session, by, actions.conclude(session, by, proposal_id), response)
