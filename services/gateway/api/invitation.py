"""The JSON door for people, invitations and one's own password."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.gateway.actions import invitation
from services.gateway.actions import person as actions
from services.gateway.asker import OwnSession, give_cookie
from services.gateway.entrance import changed, link_of, must_keep, send
from services.gateway.schemas.invitation import (
    Acceptance,
    InvitationView,
    MadeInvitation,
    NewInvitation,
    NewPassword,
    NewReset,
    PersonRow,
)
from services.gateway.schemas.session import PersonView, SessionView
from shared.database import utc_now
from shared.identity import Role
from shared.pages import Reason
from shared.web import Asker, Door, Session, answer_list, mark, place

kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Each request is one transaction of the gateway's own database."""
router = APIRouter(prefix="/api", tags=["gateway"])
"""These hash a password, which holds no transaction."""


@kept.get("/people", response_model=list[PersonRow])
def people(
    request: Request,
    session: Session,
    by: Asker,
    q: Annotated[str, Query(max_length=100)] = "",
    is_active: bool | None = None,
    role: Role | None = None,
    unit: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = actions.PAGE,
) -> Any:
    must_keep(by)
    rows = actions.people(session, q=q.strip(), is_active=is_active, role=role, unit=unit, after=after, limit=limit)
    last = rows[-1].username if len(rows) == limit else None
    return answer_list(request, [PersonRow.of(row) for row in rows], after=last)


@kept.get("/people/{person_id}", response_model=PersonRow)
def person(session: Session, by: Asker, person_id: UUID) -> PersonRow:
    must_keep(by)
    return PersonRow.of(actions.find_person(session, person_id))


@kept.post("/people/{person_id}/reset", response_model=MadeInvitation, status_code=201)
def reset_password(request: Request, session: Session, by: Asker, person_id: UUID, body: NewReset) -> MadeInvitation:
    return _told(request, session, invitation.reset_password(session, by, person_id, body, now=utc_now()))


@kept.post("/people/{person_id}/closing", response_model=PersonRow)
def close_account(request: Request, session: Session, by: Asker, person_id: UUID, body: Reason) -> PersonRow:
    closed = actions.close_account(session, by, person_id, reason=body.reason, now=utc_now())
    request.app.state.memory.forget()
    return PersonRow.of(closed)


@kept.get("/invitations", response_model=list[InvitationView])
def invitations(
    request: Request,
    session: Session,
    by: Asker,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = invitation.PAGE,
) -> Any:
    must_keep(by)
    now = utc_now()
    rows = invitation.invitations(session, after=place(after), limit=limit)
    return answer_list(request, [InvitationView.of(row, now) for row in rows], after=mark(rows, limit))


@kept.post("/invitations", response_model=MadeInvitation, status_code=201)
def invite(request: Request, session: Session, by: Asker, body: NewInvitation) -> MadeInvitation:
    return _told(request, session, invitation.invite(session, by, body, now=utc_now()))


@kept.post("/invitations/{invitation_id}/withdrawal", response_model=InvitationView)
def withdraw_invitation(session: Session, by: Asker, invitation_id: UUID) -> InvitationView:
    now = utc_now()
    return InvitationView.of(invitation.withdraw_invitation(session, by, invitation_id, now=now), now)


def _told(request: Request, session: Session, made: invitation.Made) -> MadeInvitation:
    send(request, session, made)
    view = InvitationView.of(made.invitation, made.invitation.created_at)
    return MadeInvitation(**view.model_dump(), link=link_of(request, made))


@router.post("/invitations/acceptance", response_model=SessionView, status_code=201)
def accept_invitation(request: Request, response: Response, body: Acceptance) -> Any:
    signed_in = invitation.accept_invitation(
        request.app.state.database,
        token=body.token,
        password=body.password,
        address=request.state.address,
        now=utc_now(),
        profile=request.app.state.settings.password_rules,
        replaces=request.state.cookie or None,
        agent=request.headers.get("user-agent", ""),
    )
    request.app.state.memory.forget()
    if signed_in is None:
        return Response(status_code=204)
    give_cookie(request, response, signed_in.token)
    caller = signed_in.caller
    return SessionView(person=PersonView.of(caller.person), form_token=caller.form_token, ends_at=signed_in.ends_at)


@router.post("/password", response_model=SessionView)
def change_password(request: Request, response: Response, caller: OwnSession, body: NewPassword) -> Any:
    signed_in = changed(request, caller.person.username, body.old_password, body.password, token=request.state.cookie)
    if signed_in is None:
        return Response(status_code=204)
    give_cookie(request, response, signed_in.token)
    renewed = signed_in.caller
    return SessionView(person=PersonView.of(renewed.person), form_token=renewed.form_token, ends_at=signed_in.ends_at)
