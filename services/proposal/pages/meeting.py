"""Pages of meetings, their series and action items."""

import re
from dataclasses import replace
from datetime import time
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    MEETING_LABELS,
    OUTCOME_LABELS,
    PRESENCE_LABELS,
    SOURCE_LABELS,
    Meeting,
    MeetingItem,
    MeetingSeries,
)
from services.proposal.pages.case import desk, pages, prefill
from services.proposal.schemas.meeting import (
    AttendanceList,
    Done,
    NewAgendaItem,
    NewItem,
    NewMeeting,
    NewSeries,
    NewTime,
    Place,
    WrittenItem,
    WrittenReason,
    calendar_address,
    rule,
)
from shared.authority import Act
from shared.database import utc_now
from shared.edition import tag_of
from shared.identity import Person, Role
from shared.pages import Nothing, Offer
from shared.procedure import procedure
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place
from shared.words import local_date

router = pages.router
CALENDAR = "text/calendar; charset=utf-8"
OUTCOME_TONES = {"continue": "good", "approve": "good", "reject": "bad"}


def _meetings(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    today = local_date(utc_now())
    after = place(request.query_params.get("after"))
    coming, found = queries.listed_meetings(session, by, today, after=after)
    acts = [act for act in (ACTS.call_meeting, ACTS.make_calendar, ACTS.revoke_calendar) if act.allows(by, None)]
    offers = prefill(pages.offers(request, acts), ACTS.call_meeting.name, {"on": today.isoformat()})
    return pages.render(
        request,
        "meetings.html",
        "Rapat",
        coming=coming,
        meetings=found,
        after=mark(found, 50),
        labels={kind.value: label for kind, label in MEETING_LABELS.items()},
        offers=[offer for offer in offers if offer.act.name == ACTS.call_meeting.name],
        calendar=[offer for offer in offers if offer.act.name != ACTS.call_meeting.name],
    )


@router.get("/rapat")
def meetings(request: Request, session: Session, by: Asker) -> Response:
    return _meetings(request, session, by)


# --- calendars


@router.get("/rapat/kalender.ics")
def calendar(request: Request, session: Session, kunci: str = "") -> Response:
    """Answer whoever knows the key: a calendar cannot sign in."""
    made = queries.feed(session, kunci[:200], public_url=desk(request).public_url)
    return Response(made, media_type=CALENDAR, headers={"cache-control": "private, max-age=300"})


@router.get("/rapat/{meeting_id}/rapat.ics")
def one_meeting(request: Request, session: Session, by: Asker, meeting_id: UUID) -> Response:
    found = queries.meeting(session, by, meeting_id)
    name = re.sub(r"[^A-Za-z0-9]+", "-", found.number).strip("-").lower()
    return Response(
        queries.one_meeting(found, public_url=desk(request).public_url),
        media_type=CALENDAR,
        headers={"content-disposition": f'attachment; filename="rapat-{name}.ics"', "cache-control": "no-store"},
    )


# --- series


def _series(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    today = local_date(utc_now())
    found = queries.series(session, by)
    acts = [act for act in (ACTS.change_series, ACTS.end_series) if act.allows(by, None)]
    rows = [
        {
            "series": one,
            "rule": rule(one),
            "invited": [*(procedure().titles[Role(role)] for role in one.invited_roles), *one.invited_people],
            "left_out": [] if one.ended_at else actions.holidays_in_between(session, one, today),
            "offers": [] if one.ended_at else _on_series(request, one, acts),
        }
        for one in found
    ]
    offers = pages.offers(request, [ACTS.make_series] if ACTS.make_series.allows(by, None) else [])
    return pages.render(request, "meeting_series.html", "Seri rapat", rows=rows, offers=offers)


def _on_series(request: Request, one: MeetingSeries, acts: list[Act]) -> list[Offer]:
    rule = {
        name: "" if value is None else f"{value:%H:%M}" if isinstance(value, time) else value
        for name in NewSeries.model_fields
        for value in (getattr(one, name),)
    }
    return prefill(pages.offers(request, acts, id=one.id), ACTS.change_series.name, rule)


@router.get("/rapat/seri")
def series(request: Request, session: Session, by: Asker) -> Response:
    return _series(request, session, by)


# --- action items


def _tasks(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    asked = request.query_params
    everybody = asked.get("semua") == "1"
    found = queries.tasks(session, by, everybody=everybody, after=place(asked.get("after")))
    rows = [(task, pages.offers(request, queries.offered_on_task(by, task), id=task.id)) for task in found]
    return pages.render(
        request,
        "meeting_tasks.html",
        "Tindak lanjut rapat",
        rows=rows,
        everybody=everybody,
        after=mark(found, 50),
        today=local_date(utc_now()),
    )


@router.get("/tindak-lanjut")
def tasks(request: Request, session: Session, by: Asker) -> Response:
    return _tasks(request, session, by)


# --- one meeting


@router.get("/rapat/{meeting_id}")
def meeting(request: Request, session: Session, by: Asker, meeting_id: UUID) -> Response:
    return _meeting(request, session, by, meeting_id)


def _meeting(request: Request, session: orm.Session, by: Person, meeting_id: UUID) -> Response:
    found = queries.meeting(session, by, meeting_id)
    asked = request.query_params
    chosen = {"case_number": asked.get("perkara", ""), "evaluation_id": asked.get("evaluasi", "")}
    offers = pages.offers(request, queries.offered_in_meeting(by, found), id=found.id)
    offers = prefill(offers, ACTS.record_item.name, {key: value for key, value in chosen.items() if value})
    offers = prefill(offers, ACTS.record_attendance.name, {"rows": _rows(found), "quorum": found.quorum or ""})
    offers = prefill(offers, ACTS.move_meeting.name, {"on": found.on.isoformat()})
    return pages.render(
        request,
        "meeting.html",
        Sentence("{label} {number}", label=found.label, number=found.number),
        meeting=found,
        outcome=lambda decision: OUTCOME_LABELS[decision],
        outcome_tone=lambda decision: OUTCOME_TONES.get(decision, "wait"),
        presence=PRESENCE_LABELS,
        source=SOURCE_LABELS,
        papers=queries.papers_of(found),
        suggestions=[] if found.is_closed or found.is_cancelled else queries.new_for(session, found),
        item_offers={item.id: _on_item(request, by, found, item) for item in found.items},
        today=local_date(utc_now()),
        offers={offer.act.name: offer for offer in offers},
    )


def _rows(meeting: Meeting) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "title": one.title,
            "presence": str(one.presence),
            "is_late": "true" if one.is_late else "",
            "note": one.note,
        }
        for one in meeting.attendance
    ]


def _on_item(request: Request, by: Person, meeting: Meeting, item: MeetingItem) -> dict[str, Offer]:
    made = {
        offer.act.name: offer for offer in pages.offers(request, queries.offered_on_item(by, meeting, item), id=item.id)
    }
    form = made.get(ACTS.write_item.name)
    if form:
        written = {
            "discussion": item.discussion,
            "decision": item.decision or "",
            "follow_up": item.follow_up,
            "pic": item.pic,
            "due_on": item.due_on.isoformat() if item.due_on else "",
            "edition": item.edition,
        }
        made[ACTS.write_item.name] = replace(
            form, inputs=[replace(one, default=written[one.name]) for one in form.inputs]
        )
    return made


def _meeting_of_item(request: Request, session: orm.Session, by: Person, item_id: UUID) -> Response:
    return _meeting(request, session, by, queries.meeting_of(session, item_id))


# --- what people do


def _show_calendar(session: orm.Session, by: Person, _id: object, _body: Nothing, request: Request) -> Response:
    """Make the address and show it, once."""
    address = calendar_address(desk(request).public_url, actions.make_calendar(session, by))
    return pages.render(request, "meeting_calendar.html", "Alamat kalender", address=address)


def _revoke_calendar(session: orm.Session, by: Person, _id: object, _body: Nothing, _request: Request) -> str:
    actions.revoke_calendar(session, by)
    return "/rapat"


def _record_attendance(
    session: orm.Session, by: Person, meeting_id: UUID, body: AttendanceList, _request: Request
) -> str:
    rows = [actions.Came(**row.model_dump()) for row in body.rows]
    return f"/rapat/{actions.record_attendance(session, by, meeting_id, rows=rows, quorum=body.quorum).id}"


def _write_item(session: orm.Session, by: Person, item_id: UUID, body: WrittenItem, _request: Request) -> str:
    changes = body.model_dump(exclude={"edition"})
    item = actions.write_item(
        session, by, item_id, changes=changes, seen=tag_of(body.edition) if body.edition else None
    )
    return f"/rapat/{item.meeting_id}#butir-{item.id}"


pages.act(
    ACTS.call_meeting,
    "/rapat",
    NewMeeting,
    lambda s, by, _id, body, request: f"/rapat/{actions.call_meeting(s, by, desk(request), **body.model_dump()).id}",
    back=_meetings,
)
pages.act(ACTS.make_calendar, "/rapat/kalender", Nothing, _show_calendar, back=_meetings)
pages.act(ACTS.revoke_calendar, "/rapat/kalender/pencabutan", Nothing, _revoke_calendar, back=_meetings)
pages.act(
    ACTS.make_series,
    "/rapat/seri",
    NewSeries,
    lambda s, by, _id, body, request: (
        f"/rapat/seri#seri-{actions.make_series(s, by, desk(request), **body.model_dump()).id}"
    ),
    back=_series,
)
pages.act(
    ACTS.change_series,
    "/rapat/seri/{id}/perubahan",
    NewSeries,
    lambda s, by, id, body, request: (
        f"/rapat/seri#seri-{actions.change_series(s, by, id, desk(request), **body.model_dump()).id}"
    ),
    back=_series,
)
pages.act(
    ACTS.end_series,
    "/rapat/seri/{id}/pengakhiran",
    WrittenReason,
    lambda s, by, id, body, _r: f"/rapat/seri#seri-{actions.end_series(s, by, id, reason=body.reason).id}",
    back=_series,
)
pages.act(
    ACTS.finish_task,
    "/tindak-lanjut/{id}/selesai",
    Done,
    lambda s, by, id, body, _r: f"/tindak-lanjut#tugas-{actions.finish_task(s, by, id, note=body.note).id}",
    back=_tasks,
)
pages.act(
    ACTS.drop_task,
    "/tindak-lanjut/{id}/penghentian",
    WrittenReason,
    lambda s, by, id, body, _r: f"/tindak-lanjut?semua=1#tugas-{actions.drop_task(s, by, id, reason=body.reason).id}",
    back=_tasks,
)
pages.act(
    ACTS.record_item,
    "/rapat/{id}/butir",
    NewItem,
    lambda s, by, id, body, _r: f"/rapat/{actions.record_item(s, by, id, **body.model_dump()).id}",
    back=_meeting,
)
pages.act(ACTS.write_item, "/rapat/butir/{id}/catatan", WrittenItem, _write_item, back=_meeting_of_item)
pages.act(
    ACTS.order_agenda,
    "/rapat/butir/{id}/urutan",
    Place,
    lambda s, by, id, body, _r: f"/rapat/{actions.order_agenda(s, by, id, ordinal=body.ordinal).id}#butir-{id}",
    back=_meeting_of_item,
)
pages.act(
    ACTS.remove_from_agenda,
    "/rapat/butir/{id}/penghapusan",
    Nothing,
    lambda s, by, id, _b, _r: f"/rapat/{actions.remove_from_agenda(s, by, id).id}",
    back=_meeting_of_item,
)
pages.act(
    ACTS.add_to_agenda,
    "/rapat/{id}/agenda",
    NewAgendaItem,
    lambda s, by, id, body, _r: f"/rapat/{actions.add_to_agenda(s, by, id, **body.model_dump()).id}",
    back=_meeting,
)
pages.act(
    ACTS.refresh_agenda,
    "/rapat/{id}/agenda/pengisian",
    Nothing,
    lambda s, by, id, _b, _r: f"/rapat/{actions.refresh_agenda(s, by, id).id}",
    back=_meeting,
)
pages.act(ACTS.record_attendance, "/rapat/{id}/kehadiran", AttendanceList, _record_attendance, back=_meeting)
pages.act(
    ACTS.print_attendance,
    "/rapat/{id}/lembar-hadir",
    Nothing,
    lambda s, by, id, _b, request: f"/rapat/{actions.print_attendance(s, by, id, desk(request)).id}",
    back=_meeting,
)
pages.act(
    ACTS.invite,
    "/rapat/{id}/undangan",
    Nothing,
    lambda s, by, id, _b, request: f"/rapat/{actions.invite(s, by, id, desk(request)).id}",
    back=_meeting,
)
pages.act(
    ACTS.move_meeting,
    "/rapat/{id}/jadwal",
    NewTime,
    lambda s, by, id, body, _r: f"/rapat/{actions.move_meeting(s, by, id, **body.model_dump()).id}",
    back=_meeting,
)
pages.act(
    ACTS.cancel_meeting,
    "/rapat/{id}/pembatalan",
    WrittenReason,
    lambda s, by, id, body, _r: f"/rapat/{actions.cancel_meeting(s, by, id, reason=body.reason).id}",
    back=_meeting,
)
pages.act(
    ACTS.close_minutes,
    "/rapat/{id}/penutupan",
    Nothing,
    lambda s, by, id, _b, request: f"/rapat/{actions.close_minutes(s, by, id, desk(request)).id}",
    back=_meeting,
)
pages.act(
    ACTS.reopen_minutes,
    "/rapat/{id}/pembukaan",
    WrittenReason,
    lambda s, by, id, body, _r: f"/rapat/{actions.reopen_minutes(s, by, id, reason=body.reason).id}",
    back=_meeting,
)
