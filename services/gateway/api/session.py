"""The JSON door for sessions and tokens."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway.actions import sign_in
from services.gateway.asker import Known, OwnSession, enter, give_cookie, leave, take_cookie
from services.gateway.schemas.session import Credentials, NewToken, PersonView, SessionView, TokenRow, TokenView
from shared.database import utc_now
from shared.web import Asker, Door, Session, problem

router = APIRouter(prefix="/api", tags=["gateway"])

kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Those whose request is one transaction of the gateway's own database."""


@router.post("/session", response_model=SessionView, status_code=201)
def open_session(request: Request, response: Response, body: Credentials) -> Any:
    try:
        signed_in = enter(request, body)
    except sign_in.WaitBeforeTrying as refusal:
        answer = problem(refusal, instance=request.url.path)
        answer.headers["retry-after"] = str(refusal.seconds)
        return answer
    give_cookie(request, response, signed_in.token)
    caller = signed_in.caller
    return SessionView(person=PersonView.of(caller.person), form_token=caller.form_token, ends_at=signed_in.ends_at)


@router.get("/session", response_model=SessionView)
def current_session(caller: Known) -> SessionView:
    return SessionView(person=PersonView.of(caller.person), form_token=caller.form_token)


@router.delete("/session", status_code=204)
def end_session(request: Request, caller: OwnSession) -> Response:
    leave(request)
    response = Response(status_code=204)
    take_cookie(request, response)
    return response


@kept.post("/tokens", response_model=TokenView, status_code=201)
def make_token(session: Session, caller: OwnSession, body: NewToken) -> TokenView:
    made = sign_in.make_token(
        session, caller.person, name=body.name, days=body.days, scopes=frozenset(body.scopes), now=utc_now()
    )
    return TokenView(**TokenRow.model_validate(made.token).model_dump(), token=made.text)


@kept.get("/tokens", response_model=list[TokenRow])
def tokens(session: Session, by: Asker) -> Any:
    return sign_in.tokens_of(session, by, now=utc_now())


@kept.delete("/tokens/{token_id}", status_code=204)
def revoke_token(request: Request, session: Session, caller: OwnSession, token_id: UUID) -> Response:
    sign_in.revoke_token(session, caller.person, token_id, now=utc_now())
    request.app.state.memory.forget()
    return Response(status_code=204)
