"""Who asks at the gateway, and how they come in and go."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from services.gateway.actions import second_factor, sign_in
from services.gateway.authority import ACTS
from services.gateway.door.doors import Doors
from services.gateway.schemas.session import Credentials
from services.gateway.settings import Settings
from shared.database import Database, utc_now
from shared.errors import NotAllowed, NotSignedIn
from shared.identity import Caller, Person


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


def doors_of(request: Request) -> Doors:
    """Return the divisions' doors."""
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


def give_pending(request: Request, response: Response, token: str) -> None:
    """Put the token of the second step into the answer, for the few minutes in which it counts."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        settings.pending_cookie_name,
        token,
        path="/",
        max_age=int(sign_in.PENDING.total_seconds()),
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def take_pending(request: Request, response: Response) -> None:
    """Take the cookie of the second step back."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(
        settings.pending_cookie_name, path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )


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
        agent=request.headers.get("user-agent", ""),
        profile=request.app.state.settings.password_rules,
    )
    request.app.state.memory.forget()
    return signed_in


def enter_by_code(request: Request, pending: str, code: str) -> sign_in.SignedIn:
    """Finish a sign-in by its second step. Raises as `second_factor.complete`."""
    signed_in = second_factor.complete(
        request.app.state.database,
        request.app.state.factor_seal,
        pending=pending,
        code=code,
        address=request.state.address,
        now=utc_now(),
        replaces=request.state.cookie or None,
        agent=request.headers.get("user-agent", ""),
    )
    request.app.state.memory.forget()
    return signed_in


def prove(request: Request, by: Person, answer: str) -> Caller:
    """Take a fresh proof and return the caller with it. Raises as `second_factor.prove`, and NotSignedIn."""
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    now, token = utc_now(), request.state.cookie
    second_factor.prove(
        database,
        request.app.state.factor_seal,
        by=by,
        token=token,
        answer=answer,
        address=request.state.address,
        now=now,
    )
    request.app.state.memory.forget()
    with database.transaction() as session:
        proof = timedelta(minutes=settings.proof_minutes)
        caller = sign_in.session_caller(session, token, now=now, proof=proof)
    if caller is None:
        raise NotSignedIn("Sesi Anda sudah berakhir. Silakan masuk kembali.")
    return caller


def leave(request: Request) -> None:
    """End the session of the request's cookie."""
    database: Database = request.app.state.database
    with database.transaction() as session:
        sign_in.end_session(session, request.state.cookie, now=utc_now())
    request.app.state.memory.forget()


def must_watch(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not see who may do what."""
    reason = ACTS.see_authority.refusal(by, None)
    if reason:
        raise NotAllowed(reason)
