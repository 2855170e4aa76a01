"""The infrastructure division's pages."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Request, Response
from sqlalchemy.orm import Session as OrmSession

from services.deploy import actions, queries
from services.deploy.authority import ACTS, SERVER_READERS
from services.deploy.model import OperationStatus, Server
from services.deploy.plan import Plan
from services.deploy.schemas import Acceptance, Fingerprint, NewBuild, NewHosting, NewServer, ProbeOrder
from shared import permit
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person
from shared.pages import Nothing, Offer, Pages, Reason
from shared.store import Store
from shared.web import Asker, NavigationEntry, Session, mark, place

pages = Pages(Path(__file__).with_name("templates"))
router = pages.router
NAVIGATION = [
    NavigationEntry(label="Server", path="/server", icon="server", order=50, roles=sorted(map(str, SERVER_READERS))),
    NavigationEntry(label="Hosting", path="/hosting", icon="world", order=51),
    NavigationEntry(label="Paket", path="/paket", icon="package", order=52),
    NavigationEntry(label="Instalasi", path="/instalasi", icon="download", order=53),
    NavigationEntry(label="Rilis", path="/rilis", icon="rocket", order=54),
]
BUSY = (OperationStatus.WAITING, OperationStatus.RUNNING)


def _may(by: Person, *acts: Act) -> list[Act]:
    """Return the acts that make something new and that this person's roles allow."""
    return [act for act in acts if act.roles & by.roles]


def _after(request: Request) -> str | None:
    return request.query_params.get("after")


def _key(request: Request) -> Ed25519PublicKey:
    return permit.public_key(request.app.state.settings.keys_folder)


def _office(request: Request) -> actions.Office:
    settings = request.app.state.settings
    return actions.Office(Store(settings.files_folder), settings.public_url)


def _id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound("Alamat ini tidak dikenal. Mohon mulai dari daftarnya.") from None


# --- what is shown ---------------------------------------------------------------------------------------


def _servers(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.servers(session, by, after=place(_after(request)))
    return pages.render(
        request,
        "servers.html",
        "Server",
        servers=found,
        after=mark(found, 50),
        probes=queries.probes(session, by),
        offers=pages.offers(request, _may(by, ACTS.probe_server, ACTS.register_server)),
    )


def _server(request: Request, session: OrmSession, by: Person, server_id: UUID) -> Response:
    found = queries.server(session, by, server_id)
    offers = pages.offers(request, queries.offered(session, by, found), id=found.id)
    return pages.render(request, "server.html", f"Server {found.name}", server=found, offers=offers)


def _hostings(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.hostings(session, by, after=place(_after(request)))
    offers = pages.offers(request, _may(by, ACTS.request_hosting))
    return pages.render(request, "hostings.html", "Hosting", hostings=found, after=mark(found, 50), offers=offers)


def _hosting(request: Request, session: OrmSession, by: Person, hosting_id: UUID) -> Response:
    found = queries.hosting(session, by, hosting_id)
    offered = queries.offered(session, by, found)
    return pages.render(
        request,
        "hosting.html",
        f"Hosting {found.subdomain}",
        hosting=found,
        offers=[
            _choosing(offer, queries.usable_servers(session)) if offer.act is ACTS.accept_hosting else offer
            for offer in pages.offers(request, offered, id=found.id)
        ],
    )


def _choosing(offer: Offer, servers: Iterable[Server]) -> Offer:
    """Return the form with the servers that are ready to choose from instead of a name to type."""
    choices = (("", "Pilih server …"), *((s.name, f"{s.name} ({s.base_domain})") for s in servers))
    return replace(
        offer,
        inputs=[
            replace(one, kind="choice", choices=choices, help="") if one.name == "server" else one
            for one in offer.inputs
        ],
    )


def _builds(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.builds(session, by, after=place(_after(request)))
    offers = pages.offers(request, _may(by, ACTS.receive_build))
    return pages.render(request, "builds.html", "Paket", builds=found, after=mark(found, 50), offers=offers)


def _build(request: Request, session: OrmSession, by: Person, build_id: UUID) -> Response:
    found = queries.build(session, by, build_id)
    offers = pages.offers(request, queries.offered(session, by, found), id=found.id)
    return pages.render(request, "build.html", f"Paket {found.file_name}", build=found, offers=offers)


def _installations(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.installations(session, by, after=place(_after(request)))
    ready = queries.ready_to_plan(session, by) if _may(by, ACTS.plan_installation) else []
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


def _releases(request: Request, session: OrmSession, by: Person, _id: object = None) -> Response:
    found = queries.releases(session, by, after=place(_after(request)))
    return pages.render(request, "releases.html", "Rilis", releases=found, after=mark(found, 50))


def _release(request: Request, session: OrmSession, by: Person, release_id: UUID) -> Response:
    found = queries.release(session, by, release_id)
    operation = queries.operation_of(session, found)
    return pages.render(
        request,
        "release.html",
        f"Rilis {found.number} {found.application.name}",
        release=found,
        operation=operation,
        is_busy=operation is not None and operation.status in BUSY,
        lines=[line for _, line in queries.log_after(session, found.id).lines],
        availability=queries.last_month(session, found.case_id),
        offers=pages.offers(request, queries.offered(session, by, found), id=found.id),
    )


@router.get("/server")
def servers(request: Request, session: Session, by: Asker) -> Response:
    return _servers(request, session, by)


@router.get("/server/{id}")
def server(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _server(request, session, by, id)


@router.get("/hosting")
def hostings(request: Request, session: Session, by: Asker) -> Response:
    return _hostings(request, session, by)


@router.get("/hosting/{id}")
def hosting(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _hosting(request, session, by, id)


@router.get("/paket")
def builds(request: Request, session: Session, by: Asker) -> Response:
    return _builds(request, session, by)


@router.get("/paket/{id}")
def build(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _build(request, session, by, id)


@router.get("/instalasi")
def installations(request: Request, session: Session, by: Asker) -> Response:
    return _installations(request, session, by)


@router.get("/instalasi/{id}")
def installation(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _installation(request, session, by, id)


@router.get("/rilis")
def releases(request: Request, session: Session, by: Asker) -> Response:
    return _releases(request, session, by)


@router.get("/rilis/{id}")
def release(request: Request, session: Session, by: Asker, id: UUID) -> Response:
    return _release(request, session, by, id)


# --- what is done ----------------------------------------------------------------------------------------


def _probe(session: OrmSession, by: Person, _id: object, body: ProbeOrder, _request: Request) -> str:
    actions.probe_server(session, by, address=body.address, port=body.port)
    return "/server"


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


def _plan(session: OrmSession, by: Person, _none: object, _body: Nothing, request: Request) -> str:
    made = actions.plan_installation(session, by, hosting_id=_id(request, "hosting"), build_id=_id(request, "build"))
    return f"/instalasi/{made.id}"


def _approve(session: OrmSession, by: Person, id: UUID, _body: Nothing, request: Request) -> str:
    # The plan that was read is named by the address of its form: another one is not approved by mistake.
    approved = actions.approve_installation(session, by, id, plan_digest=request.path_params["plan"])
    return f"/instalasi/{approved.id}"


pages.act(ACTS.probe_server, "/server/pemeriksaan", ProbeOrder, _probe, back=_servers)
pages.act(
    ACTS.register_server,
    "/server",
    NewServer,
    lambda s, by, _i, body, _r: f"/server/{actions.register_server(s, by, **body.model_dump()).id}",
    back=_servers,
)
pages.act(
    ACTS.repin_server,
    "/server/{id}/kunci",
    Fingerprint,
    lambda s, by, id, b, _r: f"/server/{actions.repin_server(s, by, id, fingerprint=b.fingerprint).id}",
    back=_server,
)
pages.act(
    ACTS.retire_server,
    "/server/{id}/penghentian",
    Reason,
    lambda s, by, id, b, _r: f"/server/{actions.retire_server(s, by, id, reason=b.reason).id}",
    back=_server,
)
pages.act(
    ACTS.request_hosting,
    "/hosting",
    NewHosting,
    lambda s, by, _i, b, _r: f"/hosting/{actions.request_hosting(s, by, **b.model_dump(exclude={'permanence'})).id}",
    back=_hostings,
)
pages.act(
    ACTS.accept_hosting,
    "/hosting/{id}/penerimaan",
    Acceptance,
    lambda s, by, id, b, r: f"/hosting/{actions.accept_hosting(s, by, id, server=b.server, office=_office(r)).id}",
    back=_hosting,
)
pages.act(
    ACTS.refuse_hosting,
    "/hosting/{id}/penolakan",
    Reason,
    lambda s, by, id, b, _r: f"/hosting/{actions.refuse_hosting(s, by, id, reason=b.reason).id}",
    back=_hosting,
)
pages.act(ACTS.receive_build, "/paket", NewBuild, _take, back=_builds)
pages.act(
    ACTS.report_defect,
    "/paket/{id}/cacat",
    Reason,
    lambda s, by, id, b, _r: f"/paket/{actions.report_defect(s, by, id, reason=b.reason).id}",
    back=_build,
)
pages.act(ACTS.plan_installation, "/instalasi/rencana/{hosting}/{build}", Nothing, _plan, back=_installations)
pages.act(ACTS.approve_installation, "/instalasi/{id}/persetujuan/{plan}", Nothing, _approve, back=_installation)
pages.act(
    ACTS.cancel_installation,
    "/instalasi/{id}/pembatalan",
    Reason,
    lambda s, by, id, b, _r: f"/instalasi/{actions.cancel_installation(s, by, id, reason=b.reason).id}",
    back=_installation,
)
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
