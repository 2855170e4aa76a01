"""Pages of meetings and the work programme."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import MEETING_LABELS, OUTCOME_LABELS, MeetingKind, Outcome
from services.proposal.pages.case import desk, pages, prefill, tone
from services.proposal.schemas.meeting import NewItem, NewMeeting
from shared.database import utc_now
from shared.identity import Person
from shared.pages import Nothing
from shared.web import Session, Signed, mark, place
from shared.words import local_date

router = pages.router


def _meetings(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    found = queries.meetings(session, by, after=place(request.query_params.get("after")))
    offers = pages.offers(request, [ACTS.call_meeting] if ACTS.call_meeting.allows(by, None) else [])
    return pages.render(
        request,
        "meetings.html",
        "Rapat",
        meetings=found,
        after=mark(found, 50),
        labels={kind.value: label for kind, label in MEETING_LABELS.items()},
        offers=prefill(offers, ACTS.call_meeting.name, {"on": local_date(utc_now()).isoformat()}),
    )


@router.get("/rapat")
def meetings(request: Request, session: Session, signed: Signed) -> Response:
    return _meetings(request, session, signed.person)


@router.get("/rapat/{meeting_id}")
def meeting(request: Request, session: Session, signed: Signed, meeting_id: UUID) -> Response:
    return _meeting(request, session, signed.person, meeting_id)


def _meeting(request: Request, session: orm.Session, by: Person, meeting_id: UUID) -> Response:
    found = queries.meeting(session, by, meeting_id)
    asked = request.query_params
    chosen = {"case_number": asked.get("perkara", ""), "evaluation_id": asked.get("evaluasi", "")}
    offers = pages.offers(request, queries.offered_in_meeting(by, found), id=found.id)
    return pages.render(
        request,
        "meeting.html",
        f"{found.label} {found.number}",
        meeting=found,
        kind=MEETING_LABELS[MeetingKind(found.kind)],
        outcome=lambda decision: OUTCOME_LABELS[Outcome(decision)],
        suggestions=[] if found.is_closed else queries.agenda(session, found),
        offers=prefill(offers, ACTS.record_item.name, {key: value for key, value in chosen.items() if value}),
    )


@router.get("/proker")
def work_programme(request: Request, session: Session, signed: Signed) -> Response:
    asked = request.query_params.get("tahun", "")
    years = queries.fiscal_years(session)
    coming = local_date(utc_now()).year + 1
    year = (
        int(asked)
        if asked.isdecimal() and len(asked) == 4
        else (coming if coming in years else max(years, default=coming))
    )
    return pages.render(
        request,
        "programme.html",
        f"Program kerja {year}",
        entries=queries.work_programme(session, signed.person, fiscal_year=year),
        year=year,
        years=years,
        tone=tone,
    )


pages.act(
    ACTS.call_meeting,
    "/rapat",
    NewMeeting,
    lambda s, by, _id, body, request: f"/rapat/{actions.call_meeting(s, by, desk(request), **body.model_dump()).id}",
    back=_meetings,
)
pages.act(
    ACTS.record_item,
    "/rapat/{id}/butir",
    NewItem,
    lambda s, by, id, body, _r: f"/rapat/{actions.record_item(s, by, id, **body.model_dump()).id}",
    back=_meeting,
)
pages.act(
    ACTS.close_minutes,
    "/rapat/{id}/penutupan",
    Nothing,
    lambda s, by, id, _b, request: f"/rapat/{actions.close_minutes(s, by, id, desk(request)).id}",
    back=_meeting,
)
