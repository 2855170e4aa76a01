"""The JSON door of meetings, their series, minutes and action items (S03)."""

import re
from collections.abc import Iterator
from typing import Annotated, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.schemas.meeting import (
    AttendanceList,
    CalendarAddress,
    Done,
    ItemChange,
    ItemView,
    MeetingRow,
    MeetingView,
    NewAgendaItem,
    NewItem,
    NewMeeting,
    NewSeries,
    NewTime,
    Place,
    SeriesView,
    TaskView,
    WrittenReason,
    calendar_address,
)
from shared.edition import tag_of
from shared.errors import NotFound
from shared.store import CHUNK
from shared.web import Asker, Door, Limit, Seen, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["meeting"])


@router.post("/meetings", status_code=201)
def call_meeting(session: Session, by: Asker, desk: Desk, body: NewMeeting) -> MeetingView:
    return MeetingView.of(actions.call_meeting(session, by, desk, **body.model_dump()), by)


@router.get("/meetings", response_model=list[MeetingRow])
def meetings(
    request: Request, session: Session, by: Asker, limit: Limit = 50, after: str | None = None
) -> JSONResponse:
    found = queries.meetings(session, by, limit=limit, after=place(after))
    return answer_list(request, [MeetingRow.model_validate(one) for one in found], after=mark(found, limit))


@router.get("/meetings/{meeting_id}")
def meeting(session: Session, by: Asker, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(queries.meeting(session, by, meeting_id), by)


@router.get("/meetings/{meeting_id}/papers/{digest}", response_class=StreamingResponse)
def meeting_paper(
    session: Session,
    by: Asker,
    desk: Desk,
    meeting_id: UUID,
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
) -> StreamingResponse:
    found = queries.meeting(session, by, meeting_id)
    title = queries.papers_of(found).get(digest)
    if title is None:
        raise NotFound("Dokumen ini tidak ada pada rapat itu. Buka kembali dari halaman rapat.")
    file = desk.store.open(digest, verify=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{title} {found.number}").strip("-").lower()
    return StreamingResponse(
        _pieces(file),
        media_type="application/pdf",
        headers={
            "content-disposition": f'attachment; filename="{name}.pdf"',
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK):
            yield piece


@router.post("/meetings/{meeting_id}/items", status_code=201)
def record_item(session: Session, by: Asker, meeting_id: UUID, body: NewItem) -> MeetingView:
    return MeetingView.of(actions.record_item(session, by, meeting_id, **body.model_dump()), by)


@router.get("/meeting-items/{item_id}")
def item(session: Session, by: Asker, item_id: UUID, response: Response) -> ItemView:
    whole = queries.meeting(session, by, queries.meeting_of(session, item_id))
    found = next(one for one in whole.items if one.id == item_id)
    response.headers["etag"] = tag_of(found.edition)
    return ItemView.of(found)


@router.patch("/meeting-items/{item_id}")
def write_item(
    session: Session,
    by: Asker,
    item_id: UUID,
    body: ItemChange,
    response: Response,
    seen: Seen = None,
) -> ItemView:
    found = actions.write_item(session, by, item_id, changes=body.model_dump(exclude_unset=True), seen=seen)
    response.headers["etag"] = tag_of(found.edition)
    return ItemView.of(found)


@router.delete("/meeting-items/{item_id}")
def remove_from_agenda(session: Session, by: Asker, item_id: UUID) -> MeetingView:
    return MeetingView.of(actions.remove_from_agenda(session, by, item_id), by)


@router.post("/meeting-items/{item_id}/place")
def order_agenda(session: Session, by: Asker, item_id: UUID, body: Place) -> MeetingView:
    return MeetingView.of(actions.order_agenda(session, by, item_id, ordinal=body.ordinal), by)


@router.post("/meetings/{meeting_id}/agenda", status_code=201)
def add_to_agenda(session: Session, by: Asker, meeting_id: UUID, body: NewAgendaItem) -> MeetingView:
    return MeetingView.of(actions.add_to_agenda(session, by, meeting_id, **body.model_dump()), by)


@router.post("/meetings/{meeting_id}/agenda/refresh")
def refresh_agenda(session: Session, by: Asker, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(actions.refresh_agenda(session, by, meeting_id), by)


@router.put("/meetings/{meeting_id}/attendance")
def record_attendance(session: Session, by: Asker, meeting_id: UUID, body: AttendanceList) -> MeetingView:
    rows = [actions.Came(**row.model_dump()) for row in body.rows]
    return MeetingView.of(actions.record_attendance(session, by, meeting_id, rows=rows, quorum=body.quorum), by)


@router.post("/meetings/{meeting_id}/attendance-sheet")
def print_attendance(session: Session, by: Asker, desk: Desk, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(actions.print_attendance(session, by, meeting_id, desk), by)


@router.post("/meetings/{meeting_id}/invitation")
def invite(session: Session, by: Asker, desk: Desk, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(actions.invite(session, by, meeting_id, desk), by)


@router.post("/meetings/{meeting_id}/time")
def move_meeting(session: Session, by: Asker, meeting_id: UUID, body: NewTime) -> MeetingView:
    return MeetingView.of(actions.move_meeting(session, by, meeting_id, **body.model_dump()), by)


@router.post("/meetings/{meeting_id}/cancellation")
def cancel_meeting(session: Session, by: Asker, meeting_id: UUID, body: WrittenReason) -> MeetingView:
    return MeetingView.of(actions.cancel_meeting(session, by, meeting_id, reason=body.reason), by)


@router.post("/meetings/{meeting_id}/closing")
def close_minutes(session: Session, by: Asker, desk: Desk, meeting_id: UUID) -> MeetingView:
    return MeetingView.of(actions.close_minutes(session, by, meeting_id, desk), by)


@router.post("/meetings/{meeting_id}/reopening")
def reopen_minutes(session: Session, by: Asker, meeting_id: UUID, body: WrittenReason) -> MeetingView:
    return MeetingView.of(actions.reopen_minutes(session, by, meeting_id, reason=body.reason), by)


@router.post("/meeting-series", status_code=201)
def make_series(session: Session, by: Asker, desk: Desk, body: NewSeries) -> SeriesView:
    return SeriesView.model_validate(actions.make_series(session, by, desk, **body.model_dump()))


@router.get("/meeting-series")
def series(session: Session, by: Asker) -> list[SeriesView]:
    return [SeriesView.model_validate(one) for one in queries.series(session, by)]


@router.put("/meeting-series/{series_id}")
def change_series(session: Session, by: Asker, desk: Desk, series_id: UUID, body: NewSeries) -> SeriesView:
    return SeriesView.model_validate(actions.change_series(session, by, series_id, desk, **body.model_dump()))


@router.post("/meeting-series/{series_id}/end")
def end_series(session: Session, by: Asker, series_id: UUID, body: WrittenReason) -> SeriesView:
    return SeriesView.model_validate(actions.end_series(session, by, series_id, reason=body.reason))


@router.get("/action-items", response_model=list[TaskView])
def tasks(
    request: Request,
    session: Session,
    by: Asker,
    everybody: bool = False,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.tasks(session, by, everybody=everybody, limit=limit, after=place(after))
    return answer_list(request, [TaskView.of(one) for one in found], after=mark(found, limit))


@router.post("/action-items/{task_id}/finish")
def finish_task(session: Session, by: Asker, task_id: UUID, body: Done) -> TaskView:
    return TaskView.of(actions.finish_task(session, by, task_id, note=body.note))


@router.post("/action-items/{task_id}/drop")
def drop_task(session: Session, by: Asker, task_id: UUID, body: WrittenReason) -> TaskView:
    return TaskView.of(actions.drop_task(session, by, task_id, reason=body.reason))


@router.post("/meeting-calendar", status_code=201)
def make_calendar(session: Session, by: Asker, desk: Desk) -> CalendarAddress:
    return CalendarAddress(address=calendar_address(desk.public_url, actions.make_calendar(session, by)))


@router.delete("/meeting-calendar", status_code=204)
def revoke_calendar(session: Session, by: Asker) -> None:
    actions.revoke_calendar(session, by)
