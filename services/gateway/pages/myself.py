"""One's own account and personal tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import session as own_sessions
from services.gateway.actions import sign_in
from services.gateway.asker import OwnSession, take_cookie
from services.gateway.pages.show import pages, show
from services.gateway.schemas.session import NewToken, SessionRow
from shared.database import utc_now
from shared.identity import Caller
from shared.procedure import procedure
from shared.web import Session, Signed

kept = pages.router
"""Pages whose request is one transaction of the gateway's own database."""


@kept.get("/saya")
def myself(request: Request, session: Session, signed: Signed) -> Response:
    return _myself(request, session, signed)


def _myself(
    request: Request,
    session: Session,
    signed: Caller,
    *,
    made: str = "",
    problem: str = "",
    typed_name: str = "",
    typed_days: str = "30",
    typed_decide: bool = False,
) -> Response:
    now, by = utc_now(), signed.person
    this = sign_in.digest(request.state.cookie)
    return show(
        request,
        "myself.html",
        "Saya",
        tokens=sign_in.tokens_of(session, by, now=now),
        sessions=[
            SessionRow(
                id=one.id,
                device=own_sessions.device(one.agent),
                address=one.address,
                created_at=one.created_at,
                seen_at=one.seen_at,
                is_this=one.id == this,
            )
            for one in own_sessions.sessions_of(session, by, now=now)
        ],
        has_second_factor=sign_in.has_second_factor(session, by.id),
        roles=[procedure().titles[role] for role in sorted(by.roles)],
        made=made,
        problem=problem,
        typed_name=typed_name,
        typed_days=typed_days,
        typed_decide=typed_decide,
        status=422 if problem else 200,
    )


@kept.post("/saya/token")
def make_token(
    request: Request,
    session: Session,
    caller: OwnSession,
    name: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[str, Form(max_length=10)] = "30",
    decide: Annotated[bool, Form()] = False,
) -> Response:
    if not name.strip() or not (days.isascii() and days.isdigit()):
        return _myself(
            request,
            session,
            caller,
            problem="Beri token sebuah nama dan lama berlakunya dalam hari.",
            typed_name=name,
            typed_days=days,
            typed_decide=decide,
        )
    body = NewToken(
        name=name.strip(),
        days=min(max(int(days), 1), sign_in.LONGEST_TOKEN_DAYS),
        scopes={"read", "write", "decide"} if decide else {"read", "write"},
    )
    made = sign_in.make_token(
        session, caller.person, name=body.name, days=body.days, scopes=frozenset(body.scopes), now=utc_now()
    )
    return _myself(request, session, caller, made=made.text)


@kept.post("/saya/token/{token_id}/pencabutan")
def revoke_token(request: Request, session: Session, caller: OwnSession, token_id: UUID) -> Response:
    sign_in.revoke_token(session, caller.person, token_id, now=utc_now())
    request.app.state.memory.forget()
    return RedirectResponse("/saya", status_code=303)


@kept.post("/saya/sesi/{session_id}/pengakhiran")
def end_session_page(request: Request, session: Session, caller: OwnSession, session_id: str) -> Response:
    own_sessions.end_own(session, caller.person, session_id, now=utc_now())
    request.app.state.memory.forget()
    return RedirectResponse("/saya", status_code=303)


@kept.post("/saya/sesi/pengakhiran")
def end_every_session_page(request: Request, session: Session, caller: OwnSession) -> Response:
    own_sessions.end_every(session, caller.person, now=utc_now())
    request.app.state.memory.forget()
    response = RedirectResponse("/masuk", status_code=303)
    take_cookie(request, response)
    return response
