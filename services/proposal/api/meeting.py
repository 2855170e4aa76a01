"""The JSON door of meetings (S03)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.schemas.meeting import MeetingRow, MeetingView, NewItem, NewMeeting
from shared.web import Asker, Door, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["meeting"])


@router.post("/meetings", status_code=201)
def call_meeting(session: Session, by: Asker, desk: Desk, body: NewMeeting) -> MeetingView:
    return MeetingView.of(actions.call_meeting(session, by, desk, **body.model_dump()), by)


@router.get("/meetings", response_model=list[MeetingRow])
def meetings(
    request: Request,
    session: Session,
    by: Asker,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.meetings(session, by, limit=limit, after=place(after))
    return answer_list(request, [MeetingRow.model_validate(one) for one in found], after=mark(found, limit))


@router.get("/meetings/{meeting_id}")
def meeting(session: Session, by: Asker, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(queries.meeting(session, by, meeting_id), by)


@router.post("/meetings/{meeting_id}/items", status_code=201)
def record_item(session: Session, by: Asker, meeting_id: UUID, body: NewItem) -> MeetingView:
    return MeetingView.of(actions.record_item(session, by, meeting_id, **body.model_dump()), by)


@router.post("/meetings/{meeting_id}/closing")
def close_minutes(session: Session, by: Asker, desk: Desk, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(actions.close_minutes(session, by, meeting_id, desk), by)
