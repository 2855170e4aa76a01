"""The JSON door for notices, and for how a person is told outside."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway import reach
from services.gateway.actions import channel as channels
from services.gateway.actions import notice as notices
from services.gateway.model import Notice
from services.gateway.schemas.notice import (
    Address,
    ChannelView,
    ChosenPace,
    Code,
    Hours,
    NoticeCount,
    NoticeSettingsView,
    NoticeView,
    Way,
)
from shared.database import utc_now
from shared.web import Asker, Door, Limit, Session, answer_list

router = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)


@router.get("/notices", response_model=list[NoticeView])
def list_notices(
    request: Request,
    session: Session,
    by: Asker,
    unread: bool = False,
    after: str | None = None,
    limit: Limit = 50,
) -> Response:
    found = notices.notices(session, by.id, limit=limit, after=reach.notice_place(after), unread=unread)
    return answer_list(
        request, [NoticeView.model_validate(one) for one in found], after=reach.notice_mark(found, limit)
    )


@router.get("/notices/count", response_model=NoticeCount)
def count_notices(session: Session, by: Asker) -> NoticeCount:
    return NoticeCount(unread=notices.unread_count(session, by.id))


@router.post("/notices/readings", response_model=NoticeCount)
def read_all_notices(session: Session, by: Asker) -> NoticeCount:
    notices.read_all_notices(session, by, now=utc_now())
    return NoticeCount(unread=0)


@router.post("/notices/{notice_id}/readings", response_model=NoticeView)
def read_notice(session: Session, by: Asker, notice_id: UUID) -> Notice:
    return notices.read_notice(session, by, notice_id, now=utc_now())


@router.get("/notice-settings", response_model=NoticeSettingsView)
def notice_settings(request: Request, session: Session, by: Asker) -> NoticeSettingsView:
    return reach.settings_view(request, session, by)


@router.put("/notice-settings/hours", response_model=Hours)
def set_hours(session: Session, by: Asker, body: Hours) -> Hours:
    return NoticeSettingsView.hours_of(channels.set_hours(session, by, **body.model_dump()))


@router.post("/notice-settings/{kind}/codes", status_code=202)
def send_code(request: Request, session: Session, by: Asker, kind: Way, body: Address) -> Response:
    reach.ask_for_code(request, session, by, kind, body.address)
    return Response(status_code=202)


@router.post("/notice-settings/{kind}/verification", response_model=ChannelView)
def verify_channel(request: Request, session: Session, by: Asker, kind: Way, body: Code) -> ChannelView:
    reach.type_code(request, by, kind, body.code)
    return ChannelView.of(kind, channels.channels_of(session, by).get(kind), is_available=True, now=utc_now())


@router.put("/notice-settings/{kind}/pace", response_model=ChannelView)
def choose_pace(session: Session, by: Asker, kind: Way, body: ChosenPace) -> ChannelView:
    now = utc_now()
    chosen = channels.choose_pace(session, by, kind=kind, pace=body.pace, now=now)
    return ChannelView.of(kind, chosen, is_available=True, now=now)


@router.delete("/notice-settings/{kind}", status_code=204)
def remove_channel(session: Session, by: Asker, kind: Way) -> Response:
    channels.remove_channel(session, by, kind=kind, now=utc_now())
    return Response(status_code=204)
