"""Campus accounts: the way to a provider and back, and one's own links."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import identity_provider, invitation
from services.gateway.actions.sign_in import SecondFactorNeeded
from services.gateway.asker import OwnSession, give_cookie, give_pending
from services.gateway.door.frame import is_local_path
from services.gateway.model import Person
from services.gateway.pages.held_form import PROOF_PLACE
from services.gateway.pages.show import show
from services.gateway.provider import NotVouched, Provider, Providers
from services.gateway.settings import Settings
from shared.database import utc_now
from shared.errors import NotSignedIn, Refused, StepUpNeeded
from shared.identity import Caller
from shared.log import logger
from shared.pages import Pages, refusal_fragment
from shared.web import Session

router = APIRouter(include_in_schema=False)
"""These talk to a provider, so they hold no transaction."""
pages = Pages(Path(__file__).parents[1] / "templates")
kept = pages.router
LINKS = "/saya/akun-kampus"
ACCEPT = "/undangan"


def provider_of(request: Request, name: str) -> Provider:
    """Return a provider of this site by its name; raise NotFound."""
    providers: Providers = request.app.state.providers
    return providers.named(name)


def send_away(request: Request, departure: identity_provider.Departure) -> Response:
    """Return the answer that leads the browser to the provider, with the cookie of its visit."""
    settings: Settings = request.app.state.settings
    response = RedirectResponse(departure.address, status_code=303)
    response.set_cookie(
        settings.visit_cookie_name,
        departure.secret,
        path="/",
        max_age=int(identity_provider.LASTS.total_seconds()),
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


def forget_visit(request: Request, response: Response) -> None:
    """Take the cookie of a visit back."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(
        settings.visit_cookie_name, path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )


@router.get("/masuk/akun-kampus/{name}")
def depart_to_sign_in(request: Request, name: str, next: str = "/") -> Response:
    provider, target = provider_of(request, name), next if is_local_path(next) else "/"
    try:
        departure = identity_provider.depart(
            request.app.state.database,
            provider,
            purpose="sign_in",
            now=utc_now(),
            target=target,
            # Whoever comes in to go on with an act that needs a fresh proof gives it there.
            within=timedelta(0) if target.startswith(f"{PROOF_PLACE}/") else None,
        )
    except Refused as refusal:
        return _at_the_door(request, refusal, target)
    return send_away(request, departure)


@router.get(LINKS + "/{name}")
def depart_to_link(request: Request, caller: OwnSession, name: str) -> Response:
    departure = identity_provider.depart(
        request.app.state.database,
        provider_of(request, name),
        purpose="link",
        now=utc_now(),
        target=LINKS,
        person_id=caller.person.id,
    )
    return send_away(request, departure)


@router.get(ACCEPT + "/akun-kampus/{name}")
def depart_to_accept(request: Request, name: str) -> Response:
    database, now = request.app.state.database, utc_now()
    with database.transaction() as session:
        found = invitation.look(session, request.state.invitation, now=now).id
    departure = identity_provider.depart(
        database, provider_of(request, name), purpose="accept", now=now, target=ACCEPT, invitation_id=found
    )
    return send_away(request, departure)


@router.get("/masuk/akun-kampus/{name}/kembali")
def come_back(request: Request, name: str, state: str = "", code: str = "", iss: str = "", error: str = "") -> Response:
    """Take the browser back from a provider; whatever comes of it, code and state go out of the address bar."""
    database, provider, now = request.app.state.database, provider_of(request, name), utc_now()
    try:
        back = identity_provider.come_back(
            database,
            provider,
            secret=request.state.visit,
            state=state[:200],
            code="" if error else code[:2000],
            issuer=iss[:500],
            now=now,
        )
        if back.purpose != "sign_in":
            return RedirectResponse(back.target, status_code=303)
        signed_in = identity_provider.sign_in_by_identity(
            database,
            back.proven,
            address=request.state.address,
            now=now,
            replaces=request.state.cookie or None,
            agent=request.headers.get("user-agent", ""),
        )
    except SecondFactorNeeded as needed:
        response: Response = RedirectResponse("/masuk/kode", status_code=303)
        give_pending(request, response, needed.pending)
        return response
    except Refused as refusal:
        reason = refusal.reason if isinstance(refusal, NotVouched) else error[:40] or refusal.code
        logger().warning("identity_refused", provider=name, code=refusal.code, reason=reason)
        return _at_the_door(request, NotSignedIn(DENIED, code="provider_denied") if error else refusal, "/")
    request.app.state.memory.forget()
    response = RedirectResponse(back.target, status_code=303)
    give_cookie(request, response, signed_in.token)
    forget_visit(request, response)
    return response


DENIED = (
    "Penyedia akun kampus tidak mengizinkan, atau Anda membatalkannya. Mohon ulangi, atau masuklah dengan kata sandi."
)


def _at_the_door(request: Request, refusal: Refused, target: str) -> Response:
    if getattr(request.state, "caller", None) is not None:
        return refusal_fragment(refusal)
    response = show(
        request,
        "sign_in.html",
        "Masuk",
        status=refusal.status,
        target=target,
        username="",
        refusal=refusal,
        has_ended=False,
    )
    forget_visit(request, response)
    return response


# --- one's own links ------------------------------------------------------------------------------------------------


@kept.get(LINKS)
def identities(request: Request, session: Session, caller: OwnSession) -> Response:
    return _identities(request, session, caller)


def _identities(request: Request, session: Session, caller: Caller, refusal: Refused | None = None) -> Response:
    linked = identity_provider.identities_of(session, caller.person)
    providers: Providers = request.app.state.providers
    by_issuer = {one.settings.issuer: one for one in providers}
    waiting = identity_provider.proven_for_link(session, caller.person, now=utc_now())
    request.state.refusal = refusal
    return pages.render(
        request,
        "identities.html",
        "Akun kampus",
        linked=[(one, by_issuer[one.issuer].label if one.issuer in by_issuer else one.issuer) for one in linked],
        free=[one for one in providers if one.settings.issuer not in {row.issuer for row in linked}],
        waiting=waiting,
        has_password=bool(session.get_one(Person, caller.person.id).password_hash),
    )


@kept.post(LINKS)
def link_identity(request: Request, session: Session, caller: OwnSession) -> Response:
    try:
        identity_provider.link_identity(session, caller.person, now=utc_now())
    except Refused as refusal:
        return _refused(request, session, caller, refusal)
    response = RedirectResponse(LINKS, status_code=303)
    forget_visit(request, response)
    return response


@kept.post(LINKS + "/pemutusan")
def unlink_identity(
    request: Request, session: Session, caller: OwnSession, issuer: Annotated[str, Form(max_length=300)] = ""
) -> Response:
    try:
        identity_provider.unlink_identity(session, caller.person, issuer=issuer)
    except Refused as refusal:
        return _refused(request, session, caller, refusal)
    return RedirectResponse(LINKS, status_code=303)


def _refused(request: Request, session: Session, caller: Caller, refusal: Refused) -> Response:
    if isinstance(refusal, StepUpNeeded):
        raise refusal
    session.rollback()
    return _identities(request, session, caller, refusal)
