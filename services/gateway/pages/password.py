"""Changing one's own password: from one's own page, or at the door when it is overdue."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.asker import OwnSession, give_cookie
from services.gateway.entrance import changed
from services.gateway.pages.show import show
from shared.errors import FieldError, Incomplete, Refused

router = APIRouter(include_in_schema=False)
"""Hashing holds no transaction, so the action opens its own."""
UNLIKE = "Kedua kata sandi baru tidak sama. Ketik sekali lagi."


def must_agree(password: str, again: str) -> None:
    """Raise Incomplete when a new password was typed two ways."""
    if password != again:
        raise Incomplete(UNLIKE, errors=[FieldError("/again", UNLIKE)])


@router.get("/saya/kata-sandi")
def password_form(request: Request, caller: OwnSession) -> Response:
    return _form(request, "/saya/kata-sandi", caller.person.username)


@router.post("/saya/kata-sandi")
def change_password(
    request: Request,
    caller: OwnSession,
    old_password: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    username = caller.person.username
    try:
        must_agree(password, again)
        signed_in = changed(request, username, old_password, password, token=request.state.cookie)
    except Refused as refusal:
        return _form(request, "/saya/kata-sandi", username, refusal)
    response = show(request, "password_changed.html", "Kata sandi diganti", is_inside=True)
    if signed_in:
        give_cookie(request, response, signed_in.token)
    return response


@router.get("/masuk/kata-sandi")
def overdue_form(request: Request) -> Response:
    if getattr(request.state, "caller", None) is not None:
        return RedirectResponse("/saya/kata-sandi", status_code=303)
    return _form(request, "/masuk/kata-sandi", "")


@router.post("/masuk/kata-sandi")
def renew_password(
    request: Request,
    username: Annotated[str, Form()] = "",
    old_password: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    try:
        must_agree(password, again)
        changed(request, username[:200], old_password, password, token="")
    except Refused as refusal:
        return _form(request, "/masuk/kata-sandi", username[:200], refusal)
    return show(request, "password_changed.html", "Kata sandi diganti", is_inside=False)


def _form(request: Request, action: str, username: str, refusal: Refused | None = None) -> Response:
    return show(
        request,
        "password.html",
        "Ganti kata sandi",
        status=refusal.status if refusal else 200,
        action=action,
        username=username,
        refusal=refusal,
        errors={error.pointer.strip("/"): error.detail for error in refusal.errors} if refusal else {},
        rules=request.app.state.settings.password_rules,
    )
