"""The directory of people, invitations and reset links; and the page on which a link is used."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.actions import identity_provider, invitation
from services.gateway.actions import person as actions
from services.gateway.actions.sign_in import SignedIn
from services.gateway.asker import give_cookie
from services.gateway.authority import ACTS
from services.gateway.entrance import link_of, must_keep, send
from services.gateway.model import Person
from services.gateway.model.invitation import INVITE, RESET
from services.gateway.pages.identity_provider import forget_visit
from services.gateway.pages.password import must_agree
from services.gateway.pages.show import show
from services.gateway.schemas.invitation import InvitationView, NewInvitation, NewReset, PersonRow
from services.gateway.settings import Settings
from shared import identity
from shared.database import utc_now
from shared.errors import Refused
from shared.identity import Role
from shared.pages import Nothing, Pages, Reason
from shared.procedure import procedure
from shared.web import Asker, Session, mark, place

pages = Pages(Path(__file__).parents[1] / "templates")
kept = pages.router
router = APIRouter(include_in_schema=False)
"""Using a link hashes a password, which holds no transaction."""
PEOPLE, INVITATIONS, ACCEPT = "/orang", "/orang/undangan", "/undangan"
LONGEST_SEARCH = 100
STATES = {"open": ("Terbuka", "wait"), "used": ("Dipakai", "good"), "withdrawn": ("Ditarik", "quiet")}
STATES["over"] = ("Lewat waktu", "quiet")


# --- for the administrator ------------------------------------------------------------------------------------------


@kept.get(PEOPLE)
def people(
    request: Request,
    session: Session,
    by: Asker,
    q: str = "",
    keadaan: str = "",
    peran: str = "",
    unit: str = "",
    sesudah: str = "",
) -> Response:
    must_keep(by)
    asked = {"q": q.strip()[:LONGEST_SEARCH], "keadaan": keadaan, "peran": peran, "unit": unit.strip()[:20]}
    rows = actions.people(
        session,
        q=asked["q"],
        is_active={"aktif": True, "tutup": False}.get(keadaan),
        role=Role(peran) if peran in {*Role} else None,
        unit=asked["unit"],
        after=sesudah[:40],
    )
    return pages.render(
        request,
        "people.html",
        "Orang",
        rows=[PersonRow.of(row) for row in rows],
        asked=asked,
        after=rows[-1].username if len(rows) == actions.PAGE else "",
        titles=procedure().titles,
    )


@kept.get(INVITATIONS)
def invitations(request: Request, session: Session, by: Asker) -> Response:
    return _invitations(request, session, by)


def _invitations(request: Request, session: Session, by: identity.Person, _id: object = None) -> Response:
    must_keep(by)
    now = utc_now()
    rows = invitation.invitations(session, after=place(request.query_params.get("sesudah")))
    views = [InvitationView.of(one, now) for one in rows]
    return pages.render(
        request,
        "invitations.html",
        "Undangan",
        rows=[
            (row, pages.offers(request, [ACTS.withdraw_invitation], id=row.id) if row.state == "open" else [])
            for row in views
        ],
        offers=pages.offers(request, [ACTS.invite]),
        after=mark(rows, invitation.PAGE),
        states=STATES,
        titles=procedure().titles,
    )


@kept.get(PEOPLE + "/{id}")
def person(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _person(request, session, by, id)


def _person(request: Request, session: Session, by: identity.Person, person_id: UUID) -> Response:
    must_keep(by)
    found: Person = actions.find_person(session, person_id)
    acts = [ACTS.reset_password, ACTS.close_account] if found.is_active else []
    return pages.render(
        request,
        "person.html",
        found.display_name,
        row=PersonRow.of(found),
        titles=procedure().titles,
        offers=pages.offers(request, [act for act in acts if act.allows(by, found)], id=person_id),
    )


def _shown(request: Request, session: Session, made: invitation.Made, back: str) -> Response:
    return pages.render(
        request,
        "invited.html",
        "Tautan sudah dibuat",
        made=InvitationView.of(made.invitation, made.invitation.created_at),
        link=link_of(request, made),
        is_sent=send(request, session, made),
        back=back,
    )


def _invite(session: Session, by: identity.Person, _id: None, body: NewInvitation, request: Request) -> Response:
    return _shown(request, session, invitation.invite(session, by, body, now=utc_now()), INVITATIONS)


def _withdraw(session: Session, by: identity.Person, invitation_id: UUID, _body: Nothing, _request: Request) -> str:
    invitation.withdraw_invitation(session, by, invitation_id, now=utc_now())
    return INVITATIONS


def _reset(session: Session, by: identity.Person, person_id: UUID, body: NewReset, request: Request) -> Response:
    made = invitation.reset_password(session, by, person_id, body, now=utc_now())
    return _shown(request, session, made, f"{PEOPLE}/{person_id}")


def _close(session: Session, by: identity.Person, person_id: UUID, body: Reason, request: Request) -> str:
    actions.close_account(session, by, person_id, reason=body.reason, now=utc_now())
    request.app.state.memory.forget()
    return f"{PEOPLE}/{person_id}"


pages.act(ACTS.invite, INVITATIONS, NewInvitation, _invite, back=_invitations)
pages.act(ACTS.withdraw_invitation, INVITATIONS + "/{id}/penarikan", Nothing, _withdraw, back=_invitations)
pages.act(ACTS.reset_password, PEOPLE + "/{id}/kata-sandi", NewReset, _reset, back=_person)
pages.act(ACTS.close_account, PEOPLE + "/{id}/penutupan", Reason, _close, back=_person)


# --- for whoever has a link -----------------------------------------------------------------------------------------


@router.get(ACCEPT + "/{token}")
def open_link(request: Request, token: str) -> Response:
    """Take a link's token out of the address bar into a cookie; nothing is looked up, so nothing is told or logged."""
    settings: Settings = request.app.state.settings
    response = RedirectResponse(ACCEPT, status_code=303)
    response.set_cookie(
        settings.invitation_cookie_name,
        token[:200],
        path="/",
        max_age=3600,
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(ACCEPT)
def invitation_form(request: Request) -> Response:
    return _form(request)


def _form(request: Request, refusal: Refused | None = None) -> Response:
    database, now = request.app.state.database, utc_now()
    with database.transaction() as session:
        found = invitation.look(session, request.state.invitation, now=now)
        waiting = identity_provider.proven_for_acceptance(session, request.state.visit, invitation_id=found.id, now=now)
    return show(
        request,
        "invitation.html",
        "Undangan" if found.purpose == INVITE else "Kata sandi baru",
        status=refusal.status if refusal else 200,
        one=found,
        is_reset=found.purpose == RESET,
        posts=[found.title or procedure().titles[Role(role)] for role in found.roles],
        waiting=waiting.shown_as if waiting else "",
        refusal=refusal,
        errors={error.pointer.strip("/"): error.detail for error in refusal.errors} if refusal else {},
        rules=request.app.state.settings.password_rules,
    )


@router.post(ACCEPT)
def accept_invitation(
    request: Request, password: Annotated[str, Form()] = "", again: Annotated[str, Form()] = ""
) -> Response:
    try:
        must_agree(password, again)
        signed_in = invitation.accept_invitation(
            request.app.state.database,
            token=request.state.invitation,
            password=password[:500],
            address=request.state.address,
            now=utc_now(),
            profile=request.app.state.settings.password_rules,
            replaces=request.state.cookie or None,
            agent=request.headers.get("user-agent", ""),
        )
    except invitation.LinkOver:
        raise
    except Refused as refusal:
        return _form(request, refusal)
    if signed_in is None:
        request.app.state.memory.forget()
        response = show(request, "password_changed.html", "Kata sandi diganti", is_inside=False)
        _forget_link(request, response)
        return response
    return _entered(request, signed_in)


@router.post(ACCEPT + "/akun-kampus")
def accept_by_identity(request: Request) -> Response:
    try:
        signed_in = invitation.accept_by_identity(
            request.app.state.database,
            token=request.state.invitation,
            secret=request.state.visit,
            address=request.state.address,
            now=utc_now(),
            replaces=request.state.cookie or None,
            agent=request.headers.get("user-agent", ""),
        )
    except invitation.LinkOver:
        raise
    except Refused as refusal:
        return _form(request, refusal)
    return _entered(request, signed_in)


def _entered(request: Request, signed_in: SignedIn) -> Response:
    request.app.state.memory.forget()
    response = RedirectResponse("/", status_code=303)
    give_cookie(request, response, signed_in.token)
    _forget_link(request, response)
    forget_visit(request, response)
    return response


def _forget_link(request: Request, response: Response) -> None:
    settings: Settings = request.app.state.settings
    response.delete_cookie(
        settings.invitation_cookie_name, path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )
