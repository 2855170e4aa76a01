"""The gateway's own JSON door: sessions, tokens, and what it puts together from all divisions."""

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy.exc
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from services.gateway import appointments as acting
from services.gateway import sign_in, together
from services.gateway.authority import ACTS
from services.gateway.doors import Doors
from services.gateway.schemas import (
    AppointmentView,
    Credentials,
    Health,
    NewAppointment,
    NewToken,
    PersonView,
    SessionView,
    TokenRow,
    TokenView,
    WaitingRow,
)
from services.gateway.settings import Settings
from shared.database import Database, utc_now
from shared.errors import NotAllowed, NotSignedIn
from shared.identity import Caller, Person
from shared.pages import Reason
from shared.web import Asker, Door, Session, problem
from shared.words import local_date

router = APIRouter(prefix="/api", tags=["gateway"])
kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Those whose request is one transaction of the gateway's own database."""


async def known_caller(request: Request) -> Caller:
    """Return who asks, as the gateway found out before; raise NotSignedIn."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise NotSignedIn("Halaman ini memerlukan akun. Silakan masuk dahulu.")
    return caller


Known = Annotated[Caller, Depends(known_caller)]


async def _own_session(request: Request) -> Caller:
    caller = await known_caller(request)
    if not request.state.by_cookie:
        raise NotAllowed("Sebuah token tidak dapat membuat atau mencabut token. Masuk dengan kata sandi lebih dahulu.")
    return caller


OwnSession = Annotated[Caller, Depends(_own_session)]


def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Put the session into the answer: out of reach of scripts, and not sent along by other sites' forms."""
    settings: Settings = request.app.state.settings
    response.set_cookie(settings.cookie_name, token, path="/", secure=settings.is_secure, httponly=True, samesite="lax")


def take_cookie(request: Request, response: Response) -> None:
    """Take the session's cookie back."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(settings.cookie_name, path="/", secure=settings.is_secure, httponly=True, samesite="lax")


def enter(request: Request, credentials: Credentials) -> sign_in.SignedIn:
    """Sign somebody in; whoever was signed in here before is signed out. Raises as `sign_in.sign_in`."""
    database: Database = request.app.state.database
    signed_in = sign_in.sign_in(
        database,
        username=credentials.username,
        password=credentials.password,
        address=request.state.address,
        now=utc_now(),
        replaces=request.state.cookie or None,
    )
    request.app.state.memory.forget()
    return signed_in


def leave(request: Request) -> None:
    """End the session of the request's cookie."""
    database: Database = request.app.state.database
    with database.transaction() as session:
        sign_in.end_session(session, request.state.cookie, now=utc_now())
    request.app.state.memory.forget()


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


@kept.get("/appointments", response_model=list[AppointmentView])
def appointments(session: Session, by: Asker) -> list[AppointmentView]:
    must_watch(by)
    today = local_date(utc_now())
    return [AppointmentView.of(one, today) for one in acting.appointments(session)]


@kept.post("/appointments", response_model=AppointmentView, status_code=201)
def appoint(request: Request, session: Session, by: Asker, body: NewAppointment) -> AppointmentView:
    made = acting.appoint(session, by, body, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(made, local_date(utc_now()))


@kept.post("/appointments/{appointment_id}/ending", response_model=AppointmentView)
def end_appointment(
    request: Request, session: Session, by: Asker, appointment_id: UUID, body: Reason
) -> AppointmentView:
    ended = acting.end_appointment(session, by, appointment_id, reason=body.reason, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(ended, local_date(utc_now()))


def must_watch(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not see who may do what."""
    reason = ACTS.see_authority.refusal(by, None)
    if reason:
        raise NotAllowed(reason)


@router.get("/waiting", response_model=list[WaitingRow])
async def waiting(request: Request, response: Response, caller: Known) -> list[WaitingRow]:
    gathered = await together.waiting_on(_doors(request), caller)
    if gathered.silent:
        response.headers["x-alur-silent"] = ", ".join(gathered.silent)
    return gathered.rows


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request) -> Any:
    parts = {"gateway": await run_in_threadpool(_own_health, request)} | await together.health(_doors(request))
    is_well = all(state == "ok" for state in parts.values())
    body = {"status": "ok" if is_well else "down", "parts": parts}
    return JSONResponse(body, status_code=200 if is_well else 503, headers={} if is_well else {"retry-after": "5"})


def _own_health(request: Request) -> str:
    database: Database = request.app.state.database
    try:
        with database.session() as session:
            session.execute(text("SELECT 1"))
    except sqlalchemy.exc.SQLAlchemyError:
        return "down"
    return "ok"


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(await together.description(_doors(request), request.app.openapi()))
