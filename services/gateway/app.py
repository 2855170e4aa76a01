"""Joins the gateway's own pages and the divisions' doors behind one web application."""

from collections.abc import Mapping

from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from services.gateway import api, pages, paper_check
from services.gateway.door.doors import Doors
from services.gateway.door.frame import Frame, Static
from services.gateway.door.lookout import Lookout
from services.gateway.door.proxy import Gateway, Memory
from services.gateway.door.remote import RemoteDoor
from services.gateway.provider import Providers
from services.gateway.sealed import FACTOR, HELD, Seal
from services.gateway.settings import Settings
from shared.web import make_app, prefixes

ALWAYS_OWN = frozenset(
    {"/api/health", "/api/openapi.json", "/api/docs", "/api/waiting", "/api/search", "/api/figures", "/static"}
)


def make(settings: Settings | None = None, doors: Mapping[str, ASGIApp] | None = None) -> Gateway:
    """Return the whole web application.

    `doors` are the divisions' web applications in this process by name; without them `division_urls` says where
    each division answers.
    """
    settings = settings or Settings()
    if doors is None:
        doors = {name: RemoteDoor(url) for name, url in settings.division_urls.items()}
    own = make_app(
        service="gateway",
        title="Alur",
        settings=settings,
        routers=[*api.routers, *pages.routers, paper_check.api, paper_check.pages],
    )
    # The description that FastAPI answers by itself tells of the gateway alone; ours tells of every division.
    own.router.routes[:] = [
        route
        for route in own.router.routes
        if isinstance(route, APIRoute) or getattr(route, "path", "") != own.openapi_url
    ]
    own_paths = frozenset(prefixes(own)) | ALWAYS_OWN
    table = Doors(doors, own.state.keys, taken=own_paths)
    static = Static(brand=settings.brand_colour, logo=settings.logo)
    frame = Frame(settings, table, static)
    memory = Memory()
    own.state.providers = Providers(settings.identity_providers, public_url=settings.public_url)
    frame.environment.globals["providers"] = own.state.providers
    own.state.factor_seal, own.state.held_seal = Seal(own.state.keys, FACTOR), Seal(own.state.keys, HELD)
    own.state.doors, own.state.frame, own.state.memory = table, frame, memory
    own.state.paper_checks = paper_check.Throttle()
    own.state.survey_answers = pages.survey.Throttles()
    return Gateway(
        settings,
        own=own,
        own_paths=own_paths,
        doors=table,
        database=own.state.database,
        frame=frame,
        static=static,
        memory=memory,
        lookout=Lookout(settings, table, own.state.database),
        turns=own.state.turns,
    )
