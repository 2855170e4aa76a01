"""The gateway's own pages: signing in, the start, what waits, search, one's own account, the list of operations."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from services.gateway import sign_in, together
from services.gateway.api import Known, OwnSession, enter, give_cookie, leave, take_cookie
from services.gateway.doors import TITLES, Doors
from services.gateway.frame import is_local_path
from services.gateway.schemas import Credentials, NewToken
from shared.database import utc_now
from shared.errors import Refused
from shared.identity import Caller
from shared.pages import Pages, fragment
from shared.procedure import procedure
from shared.web import Session, Signed
from shared.words import long_date_with_day

pages = Pages(Path(__file__).with_name("templates"))
kept = pages.router
"""Pages whose request is one transaction of the gateway's own database."""
router = APIRouter(include_in_schema=False)
FEW, MANY, LONGEST_SEARCH = 6, 50, 100


def _show(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
    caller: Caller | None = getattr(request.state, "caller", None)
    frame = request.app.state.frame
    body = frame.environment.get_template(template).render(
        by=caller.person if caller else None, form_token=caller.form_token if caller else "", **values
    )
    return fragment(title, body, status=status)


def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


@router.get("/masuk")
def sign_in_form(request: Request, next: str = "/", sesi: str = "") -> Response:
    target = next if is_local_path(next) else "/"
    if getattr(request.state, "caller", None) is not None:
        return RedirectResponse(target, status_code=303)
    return _show(
        request, "sign_in.html", "Masuk", target=target, username="", refusal=None, has_ended=sesi == "berakhir"
    )


@router.post("/masuk")
def enter_page(
    request: Request,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    target = next if is_local_path(next) else "/"
    try:
        signed_in = enter(request, Credentials.model_construct(username=username[:200], password=password[:500]))
    except Refused as refusal:
        return _show(
            request,
            "sign_in.html",
            "Masuk",
            status=refusal.status,
            target=target,
            username=username[:200],
            refusal=refusal,
            has_ended=False,
        )
    response = RedirectResponse(target, status_code=303)
    give_cookie(request, response, signed_in.token)
    return response


@router.post("/keluar")
def leave_page(request: Request, caller: Known) -> Response:
    leave(request)
    response = RedirectResponse("/masuk", status_code=303)
    take_cookie(request, response)
    return response


@router.get("/")
async def home(request: Request, caller: Known) -> Response:
    doors = _doors(request)
    gathered = await together.waiting_on(doors, caller)
    cases = await together.cases(doors, caller, limit=FEW)
    return _show(
        request,
        "home.html",
        "Beranda",
        waiting=gathered.rows[:FEW],
        more=len(gathered.rows) > FEW,
        total=len(gathered.rows),
        silent=[TITLES.get(name, name) for name in gathered.silent],
        cases=cases,
        labels=_labels(),
        today=long_date_with_day(utc_now()),
        titles=TITLES,
    )


@router.get("/menunggu")
async def waiting(request: Request, caller: Known) -> Response:
    gathered = await together.waiting_on(_doors(request), caller)
    return _show(
        request,
        "waiting.html",
        "Menunggu saya",
        waiting=gathered.rows,
        silent=[TITLES.get(name, name) for name in gathered.silent],
        titles=TITLES,
    )


@router.get("/cari")
async def search(request: Request, caller: Known, q: str = "") -> Response:
    words = q.strip()[:LONGEST_SEARCH]
    cases = await together.cases(_doors(request), caller, limit=MANY, q=words) if words else []
    return _show(request, "search.html", "Cari", q=words, cases=cases, labels=_labels(), quoted=quote(words))


@kept.get("/saya")
def myself(request: Request, session: Session, signed: Signed) -> Response:
    return _myself(request, session, signed)


def _myself(request: Request, session: Session, signed: Caller, made: str = "", problem: str = "") -> Response:
    return _show(
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


@router.get("/api/docs")
async def operations(request: Request) -> Response:
    description = await together.description(_doors(request), await run_in_threadpool(request.app.openapi))
    return _show(
        request,
        "operations.html",
        "API",
        groups=together.operations(description),
        titles={"gateway": "Pintu masuk", **TITLES},
        silent=[TITLES.get(name, name) for name in description["x-silent"]],
    )


def _labels() -> dict[str, str]:
    return {status.key: status.label for status in procedure().statuses.values()}
