"""A request finds its route by the first part of its address, and what fits none is told as before."""

import anyio
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared.signpost import Signpost, first_part


@pytest.fixture
def app() -> FastAPI:
    """Return an application with two doors."""
    router = APIRouter()
    router.add_api_route("/api/things/{thing}", lambda thing: f"json {thing}", methods=["GET"])
    router.add_api_route("/hal/baru", lambda: "new", methods=["GET"])
    router.add_api_route("/hal/{hal}", lambda hal: f"page {hal}", methods=["GET"])
    router.add_api_route("/hal/{hal}", lambda hal: f"done {hal}", methods=["POST"])
    router.add_api_route("/{anything}/akhir", lambda anything: f"late {anything}", methods=["GET"])
    app = FastAPI()
    app.router.routes.extend(router.routes)
    app.router.routes.insert(0, Signpost(app.router.routes))
    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/api/things/1", 200, "json 1"),
        ("GET", "/hal/baru", 200, "new"),
        ("GET", "/hal/2", 200, "page 2"),
        ("POST", "/hal/2", 200, "done 2"),
        ("PUT", "/hal/2", 405, "Method Not Allowed"),
        ("GET", "/hal", 404, "Not Found"),
        ("GET", "/lain/akhir", 200, "late lain"),
        ("GET", "/", 404, "Not Found"),
    ],
)
def test_a_request_finds_its_route(app: FastAPI, method: str, path: str, status: int, said: str) -> None:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
            return await client.request(method, path)

    answer = anyio.run(ask)

    assert (answer.status_code, said in answer.text) == (status, True)


def test_the_first_part_is_what_a_division_owns() -> None:
    assert [first_part(path) for path in ("/perkara/A-1", "/api/cases/A-1/x", "/api", "/")] == [
        "/perkara",
        "/api/cases",
        "/api",
        "/",
    ]
