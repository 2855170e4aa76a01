"""Signing in and out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import sign_in
from services.gateway.asker import Known, enter, give_cookie, give_pending, leave, take_cookie
from services.gateway.door.frame import is_local_path, sign_in_path
from services.gateway.pages.show import show
from services.gateway.schemas.session import Credentials
from shared.errors import Refused

router = APIRouter(include_in_schema=False)


@router.get("/masuk")
def sign_in_form(request: Request, next: str = "/", sesi: str = "") -> Response:
    target = next if is_local_path(next) else "/"
    if getattr(request.state, "caller", None) is not None:
        return RedirectResponse(target, status_code=303)
    return show(
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
    except sign_in.SecondFactorNeeded as needed:
        response = RedirectResponse(f"/masuk/kode?{urlencode({'next': target}, safe='/')}", status_code=303)
        give_pending(request, response, needed.pending)
        return response
    except Refused as refusal:
        return show(
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
def leave_page(request: Request, caller: Known, next: Annotated[str, Form()] = "/") -> Response:
    leave(request)
    response = RedirectResponse(sign_in_path(next if is_local_path(next) else "/"), status_code=303)
    take_cookie(request, response)
    return response
