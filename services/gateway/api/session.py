"""The JSON door for sessions and tokens."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway.actions import second_factor, sign_in
from services.gateway.actions import session as sessions_
from services.gateway.asker import Known, OwnSession, enter, enter_by_code, give_cookie, leave, prove, take_cookie
from services.gateway.schemas.session import (
    Code,
    FactorHolderView,
    NewFactorView,
    NewSession,
    NewToken,
    PersonView,
    Proof,
    ProofView,
    RecoveryCodesView,
    SessionRow,
    SessionView,
    TokenRow,
    TokenView,
)
from shared.database import utc_now
from shared.pages import Reason
from shared.web import Asker, Door, Session, problem

router = APIRouter(prefix="/api", tags=["gateway"])

kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Those whose request is one transaction of the gateway's own database."""


@router.post("/session", response_model=SessionView, status_code=201)
def open_session(request: Request, response: Response, body: NewSession) -> Any:
    try:
        try:
            signed_in = enter(request, body)
        except sign_in.SecondFactorNeeded as needed:
            if not body.code:
                raise
            signed_in = enter_by_code(request, needed.pending, body.code)
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


@router.post("/session/proof", response_model=ProofView)
def prove_session(request: Request, caller: OwnSession, body: Proof) -> Any:
    try:
        proved = prove(request, caller.person, body.code or body.password)
    except sign_in.WaitBeforeTrying as refusal:
        answer = problem(refusal, instance=request.url.path)
        answer.headers["retry-after"] = str(refusal.seconds)
        return answer
    return ProofView(proved_until=proved.person.proved_until)


@kept.get("/sessions", response_model=list[SessionRow])
def sessions(request: Request, session: Session, caller: OwnSession) -> Any:
    this = sign_in.digest(request.state.cookie)
    return [
        SessionRow(
            id=one.id,
            device=sessions_.device(one.agent),
            address=one.address,
            created_at=one.created_at,
            seen_at=one.seen_at,
            is_this=one.id == this,
        )
        for one in sessions_.sessions_of(session, caller.person, now=utc_now())
    ]


@kept.delete("/sessions", status_code=204)
def end_every_session(request: Request, session: Session, caller: OwnSession) -> Response:
    sessions_.end_every(session, caller.person, now=utc_now())
    request.app.state.memory.forget()
    response = Response(status_code=204)
    take_cookie(request, response)
    return response


@kept.delete("/sessions/{session_id}", status_code=204)
def end_own_session(request: Request, session: Session, caller: OwnSession, session_id: str) -> Response:
    sessions_.end_own(session, caller.person, session_id, now=utc_now())
    request.app.state.memory.forget()
    return Response(status_code=204)


@kept.post("/second-factor", response_model=NewFactorView, status_code=201)
def begin_second_factor(request: Request, session: Session, caller: OwnSession) -> NewFactorView:
    state = request.app.state
    secret = second_factor.begin(session, caller.person, state.factor_seal, now=utc_now())
    address = second_factor.address_of(secret, caller.person, issuer=state.settings.site_name)
    return NewFactorView(secret=secret, address=address)


@kept.post("/second-factor/confirmation", response_model=RecoveryCodesView)
def confirm_second_factor(request: Request, session: Session, caller: OwnSession, body: Code) -> RecoveryCodesView:
    seal = request.app.state.factor_seal
    codes = second_factor.confirm(session, caller.person, seal, code=body.code, now=utc_now())
    request.app.state.memory.forget()
    return RecoveryCodesView(recovery_codes=codes)


@kept.post("/second-factor/recovery-codes", response_model=RecoveryCodesView)
def renew_codes(session: Session, caller: OwnSession) -> RecoveryCodesView:
    return RecoveryCodesView(recovery_codes=second_factor.renew_codes(session, caller.person, now=utc_now()))


@kept.delete("/second-factor", status_code=204)
def switch_off_second_factor(request: Request, session: Session, caller: OwnSession) -> Response:
    second_factor.switch_off(session, caller.person)
    request.app.state.memory.forget()
    return Response(status_code=204)


@kept.get("/second-factors", response_model=list[FactorHolderView])
def second_factors(session: Session, by: Asker) -> Any:
    return [
        FactorHolderView(id=person.id, username=person.username, name=person.display_name, since=since)
        for person, since in second_factor.holders(session, by)
    ]


@kept.post("/second-factors/{person_id}/removal", status_code=204)
def remove_second_factor(request: Request, session: Session, by: Asker, person_id: UUID, body: Reason) -> Response:
    second_factor.remove_second_factor(session, by, person_id, reason=body.reason)
    request.app.state.memory.forget()
    return Response(status_code=204)


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
