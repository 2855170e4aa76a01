"""The pages of installations and their plans."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS
from services.deploy.pages.frame import after, may, pages
from services.deploy.plan import Plan
from shared.errors import NotFound
from shared.identity import Person
from shared.pages import Nothing, Reason
from shared.web import Asker, Session, mark, place


def _id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound("Alamat ini tidak dikenal. Mohon mulai dari daftarnya.") from None


def _installations(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.installations(session, by, after=place(after(request)))
    ready = queries.ready_to_plan(session, by) if may(by, ACTS.plan_installation) else []
    candidates = [
        (hosting, build, pages.offers(request, [ACTS.plan_installation], hosting=hosting.id, build=build.id)[0])
        for hosting, build in ready
    ]
    return pages.render(
        request,
        "installations.html",
        "Instalasi",
        installations=found,
        after=mark(found, 50),
        candidates=candidates,
    )


def _installation(request: Request, session: OrmSession, by: Person, installation_id: UUID) -> Response:
    found = queries.installation(session, by, installation_id)
    offered = queries.offered(session, by, found)
    return pages.render(
        request,
        "installation.html",
        "Instalasi",
        installation=found,
        plan=Plan.model_validate(found.plan) if found.plan else None,
        lines=[line for _, line in queries.log_after(session, found.id).lines],
        release=queries.release_of(session, found),
        is_busy=found.status in ("planning", "approved"),
        offers=pages.offers(request, offered, id=found.id, plan=found.plan_digest),
    )


@pages.router.get("/instalasi")
def installations(request: Request, session: Session, by: Asker) -> Response:
    return _installations(request, session, by)


@pages.router.get("/instalasi/{id}")
def installation(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _installation(request, session, by, id)


def _plan(session: OrmSession, by: Person, _none: object, _body: Nothing, request: Request) -> str:
    made = actions.plan_installation(session, by, hosting_id=_id(request, "hosting"), build_id=_id(request, "build"))
    return f"/instalasi/{made.id}"


def _approve(session: OrmSession, by: Person, id: UUID, _body: Nothing, request: Request) -> str:
    # The plan that was read is named by the address of its form: another one is not approved by mistake.
    approved = actions.approve_installation(session, by, id, plan_digest=request.path_params["plan"])
    return f"/instalasi/{approved.id}"


pages.act(ACTS.plan_installation, "/instalasi/rencana/{hosting}/{build}", Nothing, _plan, back=_installations)
pages.act(ACTS.approve_installation, "/instalasi/{id}/persetujuan/{plan}", Nothing, _approve, back=_installation)
pages.act(
    ACTS.cancel_installation,
    "/instalasi/{id}/pembatalan",
    Reason,
    lambda s, by, id, b, _r: f"/instalasi/{actions.cancel_installation(s, by, id, reason=b.reason).id}",
    back=_installation,
)
