"""One's own account and personal tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import sign_in
from services.gateway.asker import OwnSession
from services.gateway.pages.show import pages, show
from services.gateway.schemas.session import NewToken
from shared.database import utc_now
from shared.identity import Caller
from shared.procedure import procedure
from shared.web import Session, Signed

kept = pages.router
"""Pages whose request is one transaction of the gateway's own database."""


@kept.get("/saya")
def myself(request: Request, session: Session, signed: Signed) -> Response:
    return _myself(request, session, signed)


def _myself(request: Request, session: Session, signed: Caller, made: str = "", problem: str = "") -> Response:
    return show(
        request,
        "myself.html",
        "Saya",
        tokens=sign_in.tokens_of(session, signed.person, now=utc_now()),
        roles=[procedure().titles[role] for role in sorted(signed.person.roles)],
        made=made,
        problem=problem,
        status=422 if problem else 200,
    )


@kept.post("/saya/token")
def make_token(
    request: Request,
    session: Session,
    caller: OwnSession,
    name: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[str, Form()] = "30",
) -> Response:
    if not name.strip() or not days.isdecimal():
        return _myself(request, session, caller, problem="Beri token sebuah nama dan lama berlakunya dalam hari.")
    body = NewToken(name=name.strip(), days=min(max(int(days), 1), sign_in.LONGEST_TOKEN_DAYS))
    made = sign_in.make_token(
        session, caller.person, name=body.name, days=body.days, scopes=frozenset(body.scopes), now=utc_now()
    )
    return _myself(request, session, caller, made=made.text)


@kept.post("/saya/token/{token_id}/pencabutan")
def revoke_token(request: Request, session: Session, caller: OwnSession, token_id: UUID) -> Response:
    sign_in.revoke_token(session, caller.person, token_id, now=utc_now())
    request.app.state.memory.forget()
    return RedirectResponse("/saya", status_code=303)
