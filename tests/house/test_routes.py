"""What is worked out at a route's first request can be worked out for every route of every division."""

import importlib
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from services.gateway.app import make as make_gateway
from shared.keys import DIVISIONS, GATEWAY, make_keys
from shared.permit import new_key_pair


@pytest.mark.parametrize("service", [GATEWAY, *DIVISIONS])
def test_every_route_can_be_worked_out(service: str, tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    new_key_pair(tmp_path / "keys")
    settings = importlib.import_module(f"services.{service}.settings").Settings(
        database_url="postgresql+psycopg:///nowhere", keys_folder=tmp_path / "keys", files_folder=tmp_path / "files"
    )
    made = (
        make_gateway(settings, {}).own
        if service == GATEWAY
        else importlib.import_module(f"services.{service}.app").make(settings)
    )

    routes = [route for route in made.router.routes if isinstance(route, APIRoute)]

    assert len(routes) > 20
    for route in routes:
        # The first of them makes FastAPI work out the rest; a route that it cannot read raises here.
        assert route.dependant.path == route.path
        assert route.path_regex.pattern.startswith("^/")
        assert callable(route.app)
