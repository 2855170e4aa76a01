"""The pages of releases: going live and back (F04)."""

from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS
from services.deploy.model import OperationStatus
from services.deploy.pages.frame import after, pages
from shared import permit
from shared.identity import Person
from shared.pages import Nothing, Reason
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place

BUSY = (OperationStatus.WAITING, OperationStatus.RUNNING)


def _key(request: Request) -> Ed25519PublicKey:
    return permit.public_key(request.app.state.settings.keys_folder)


def _releases(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.releases(session, by, after=place(after(request)))
    return pages.render(request, "releases.html", "Rilis", releases=found, after=mark(found, 50))


def _release(request: Request, session: OrmSession, by: Person, release_id: UUID) -> Response:
    found = queries.release(session, by, release_id)
    operation = queries.operation_of(session, found)
    return pages.render(
        request,
        "release.html",
        Sentence("Rilis {number} {name}", number=found.number, name=found.application.name),
        release=found,
        operation=operation,
        is_busy=operation is not None and operation.status in BUSY,
        lines=[line for _, line in queries.log_after(session, found.id).lines],
        availability=queries.last_month(session, found.case_id),
        offers=pages.offers(request, queries.offered(session, by, found), id=found.id),
    )


@pages.router.get("/rilis")
def releases(request: Request, session: Session, by: Asker) -> Response:
    return _releases(request, session, by)


@pages.router.get("/rilis/{id}")
def release(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _release(request, session, by, id)


pages.act(
    ACTS.authorise_go_live,
    "/rilis/{id}/izin-buka",
    Nothing,
    lambda s, by, id, _b, r: f"/rilis/{actions.authorise_go_live(s, by, id, public_key=_key(r)).id}",
    back=_release,
)
pages.act(
    ACTS.postpone,
    "/rilis/{id}/penundaan",
    Reason,
    lambda s, by, id, b, _r: f"/rilis/{actions.postpone(s, by, id, reason=b.reason).id}",
    back=_release,
)
pages.act(
    ACTS.go_live,
    "/rilis/{id}/pembukaan",
    Nothing,
    lambda s, by, id, _b, r: f"/rilis/{actions.go_live(s, by, id, public_key=_key(r)).id}",
    back=_release,
)
pages.act(
    ACTS.roll_back,
    "/rilis/{id}/pengembalian",
    Nothing,
    lambda s, by, id, _b, r: f"/rilis/{actions.roll_back(s, by, id, public_key=_key(r)).id}",
    back=_release,
)
