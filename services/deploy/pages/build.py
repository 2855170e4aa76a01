"""The pages of builds."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS
from services.deploy.pages.frame import after, may, pages
from services.deploy.schemas import NewBuild
from shared.identity import Person
from shared.pages import Reason
from shared.sentence import Sentence
from shared.store import Store
from shared.web import Asker, Session, mark, place


def _builds(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.builds(session, by, after=place(after(request)))
    offers = pages.offers(request, may(by, ACTS.receive_build))
    return pages.render(request, "builds.html", "Paket", builds=found, after=mark(found, 50), offers=offers)


def _build(request: Request, session: OrmSession, by: Person, build_id: UUID) -> Response:
    found = queries.build(session, by, build_id)
    offers = pages.offers(request, queries.offered(session, by, found), id=found.id)
    return pages.render(
        request, "build.html", Sentence("Paket {file_name}", file_name=found.file_name), build=found, offers=offers
    )


@pages.router.get("/paket")
def builds(request: Request, session: Session, by: Asker) -> Response:
    return _builds(request, session, by)


@pages.router.get("/paket/{id}")
def build(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _build(request, session, by, id)


def _take(session: OrmSession, by: Person, _id: object, body: NewBuild, request: Request) -> str:
    taken = actions.receive_build(
        session,
        by,
        case_number=body.case_number,
        file_name=body.file.filename or "",
        archive=body.file.file,
        store=Store(request.app.state.settings.files_folder),
    )
    return f"/paket/{taken.id}"


pages.act(ACTS.receive_build, "/paket", NewBuild, _take, back=_builds)
pages.act(
    ACTS.report_defect,
    "/paket/{id}/cacat",
    Reason,
    lambda s, by, id, b, _r: f"/paket/{actions.report_defect(s, by, id, reason=b.reason).id}",
    back=_build,
)
