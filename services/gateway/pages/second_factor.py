"""Pages of two-step sign-in: the code after the password, setting it up, and taking a lost one away."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from services.gateway.actions import second_factor
from services.gateway.actions.sign_in import has_second_factor
from services.gateway.asker import OwnSession, enter_by_code, give_cookie, take_pending
from services.gateway.authority import ACTS
from services.gateway.door.frame import is_local_path, sign_in_path
from services.gateway.pages.show import pages as own_pages
from services.gateway.pages.show import show
from shared.database import utc_now
from shared.errors import Incomplete, Refused
from shared.identity import Caller, Person
from shared.pages import Pages, Reason
from shared.web import Asker, Session

PLACE = "/saya/dua-langkah"
LOST = "/wewenang/langkah-kedua"

open_router = APIRouter(include_in_schema=False)
kept = own_pages.router
pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router


@open_router.get("/masuk/kode")
def code_form(request: Request, next: str = "/") -> Response:
    target = next if is_local_path(next) else "/"
    if getattr(request.state, "caller", None) is not None:
        return RedirectResponse(target, status_code=303)
    if not request.state.pending:
        return RedirectResponse(sign_in_path(target), status_code=303)
    return show(request, "code.html", "Kode langkah kedua", target=target, refusal=None)


@open_router.post("/masuk/kode")
def enter_code(request: Request, code: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:
    target = next if is_local_path(next) else "/"
    try:
        signed_in = enter_by_code(request, request.state.pending, code[:40])
    except Refused as refusal:
        return show(request, "code.html", "Kode langkah kedua", status=refusal.status, target=target, refusal=refusal)
    response = RedirectResponse(target, status_code=303)
    give_cookie(request, response, signed_in.token)
    take_pending(request, response)
    return response


@kept.get(PLACE)
def factor(request: Request, session: Session, caller: OwnSession) -> Response:
    return _factor(request, session, caller)


def _factor(
    request: Request,
    session: Session,
    caller: Caller,
    *,
    codes: list[str] | None = None,
    refusal: Refused | None = None,
) -> Response:
    by, state = caller.person, request.app.state
    secret = second_factor.secret_to_confirm(session, by, state.factor_seal)
    drawn = ""
    if secret:
        import segno  # here: a start does not wait for what is drawn so seldom

        address = second_factor.address_of(secret, by, issuer=state.settings.site_name)
        drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")
    is_on = has_second_factor(session, by.id)
    must = by.has(*state.settings.second_factor_for)
    return show(
        request,
        "second_factor.html",
        "Verifikasi dua langkah",
        status=refusal.status if refusal else 200,
        is_on=is_on,
        must=must,
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)) if secret else "",
        qr=Markup(drawn),  # noqa: S704 - drawn by the library from our own address
        codes=codes or [],
        codes_left=second_factor.codes_left(session, by) if is_on else 0,
        refusal=refusal,
    )


@kept.post(f"{PLACE}/mulai")
def begin_factor(request: Request, session: Session, caller: OwnSession) -> Response:
    second_factor.begin(session, caller.person, request.app.state.factor_seal, now=utc_now())
    return RedirectResponse(PLACE, status_code=303)


@kept.post(f"{PLACE}/konfirmasi")
def confirm_factor(
    request: Request, session: Session, caller: OwnSession, code: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    try:
        codes = second_factor.confirm(session, caller.person, request.app.state.factor_seal, code=code, now=utc_now())
    except Incomplete as refusal:
        return _factor(request, session, caller, refusal=refusal)
    request.app.state.memory.forget()
    session.flush()
    return _factor(request, session, caller, codes=codes)


@kept.post(f"{PLACE}/kode-pemulihan")
def renew_recovery_codes(request: Request, session: Session, caller: OwnSession) -> Response:
    codes = second_factor.renew_codes(session, caller.person, now=utc_now())
    session.flush()
    return _factor(request, session, caller, codes=codes)


@kept.post(f"{PLACE}/mati")
def switch_off_factor(request: Request, session: Session, caller: OwnSession) -> Response:
    second_factor.switch_off(session, caller.person)
    request.app.state.memory.forget()
    return RedirectResponse(PLACE, status_code=303)


@router.get(LOST)
def holders(request: Request, session: Session, by: Asker) -> Response:
    return _holders(request, session, by)


def _holders(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    return pages.render(
        request,
        "second_factor_holders.html",
        "Langkah kedua",
        rows=[
            (person, since, pages.offers(request, [ACTS.remove_second_factor], id=person.id))
            for person, since in second_factor.holders(session, by)
        ],
    )


def _remove(session: Session, by: Person, person_id: UUID, body: Reason, request: Request) -> str:
    second_factor.remove_second_factor(session, by, person_id, reason=body.reason)
    request.app.state.memory.forget()
    return LOST


pages.act(ACTS.remove_second_factor, f"{LOST}/{{id}}/pencabutan", Reason, _remove, back=_holders)
