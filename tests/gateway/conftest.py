"""A gateway on a real port before a toy division, once with the division in process and once over HTTP."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel
from sqlalchemy import text, update
from starlette.types import ASGIApp

from alur.embedded import Postgres
from services.gateway.actions import person as actions
from services.gateway.app import make
from services.gateway.door.remote import RemoteDoor
from services.gateway.model import Appointment
from services.gateway.model.person import POSTS
from services.gateway.settings import Settings
from shared.authority import Act
from shared.database import Database, utc_now
from shared.errors import Refused
from shared.identity import HEADER, Role
from shared.keys import Keys
from shared.pages import fragment
from shared.settings import ServiceSettings
from shared.web import Asker, NavigationEntry, Signed, Waiting, make_app

PASSWORD = "sebuah kalimat yang panjang"
SHAPES = ("in_process", "remote")


class _Told(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            proxy_headers=False,
            # As every door of ours is started: a name of a server invites whoever knows its holes.
            server_header=False,
            timeout_graceful_shutdown=1,
            # A browser of a test on a busy machine may be slower than the five seconds of the usual.
            timeout_keep_alive=60,
        )
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @property
    def url(self) -> str:
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port until the block ends; yields its address."""
    server = _Told(app)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.listens.wait(20), "the server did not start"
    yield server.url
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive(), "the server did not stop"


class Toy(BaseModel):
    """What the toy division takes."""

    name: str


@dataclass
class ToyDivision:
    """A division of toys that remembers what reached it."""

    app: FastAPI
    heard: list[dict[str, str]] = field(default_factory=list)
    first_piece: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


def toy_division(settings: ServiceSettings) -> ToyDivision:
    """Return a division with a page, a form, an upload, a stream, a bug and something that waits."""
    router = APIRouter()
    division = ToyDivision(app=FastAPI())

    @router.get("/api/toys", response_model=list[Toy])
    def toys(by: Asker) -> list[Toy]:
        return [Toy(name=by.username)]

    @router.post("/api/toys", status_code=201)
    def make_toy(request: Request, signed: Signed, body: Toy) -> dict[str, str]:
        division.heard.append(dict(request.headers))
        return {"name": body.name, "by": signed.person.username}

    @router.get("/mainan", include_in_schema=False)
    def page(signed: Signed) -> HTMLResponse:
        return fragment("Mainan & <lain>", f"<h1>Halo {signed.person.username}</h1>")

    @router.post("/mainan", include_in_schema=False)
    async def form(request: Request, by: Asker) -> RedirectResponse:
        async with request.form() as form:
            division.heard.append({**request.headers, **{k: str(v) for k, v in form.items()}})
        return RedirectResponse("/mainan", status_code=303)

    @router.get("/mainan/kiriman", include_in_schema=False)
    def uploaded() -> HTMLResponse:
        return HTMLResponse("<script>alert(1)</script>")

    @router.post("/api/toys/upload")
    async def upload(request: Request) -> dict[str, int]:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            division.first_piece.set()
        return {"size": size}

    @router.get("/api/toys/log")
    async def log() -> Response:
        async def lines() -> AsyncIterator[str]:
            from starlette.concurrency import run_in_threadpool

            try:
                yield "id: 1\ndata: satu\n\n"
                # The second line comes only after the first one has been read at the other end.
                assert await run_in_threadpool(division.released.wait, 20)
                yield "id: 2\ndata: dua\n\n"
            finally:
                division.left.set()

        return StreamingResponse(lines(), media_type="text/event-stream")

    @router.get("/api/toys/bug")
    def bug() -> None:
        raise RuntimeError("a secret detail")

    @router.get("/mainan/tolak/{status}", include_in_schema=False)
    def refuse(status: int) -> None:
        refusal = Refused("Mainan ini belum dapat dimainkan.", code="toy")
        refusal.status = status
        raise refusal

    @router.get("/mainan/rusak/{bug}", include_in_schema=False)
    @router.get("/api/toys/broken/{bug}", include_in_schema=False)
    def broken(request: Request, bug: str) -> None:
        if bug == "query":
            with request.app.state.database.session() as session:
                session.execute(text("SELECT secret FROM no_such_table"))
        if bug == "file":
            Path("/srv/rahasia/toys.py").read_text()
        raise RuntimeError("a secret detail")

    @router.get("/api/waiting", response_model=list[Waiting])
    def waiting(by: Asker) -> list[Waiting]:
        late = Waiting(title="Nanti", about="b", since="2026-11-20T03:00:00+00:00", path="/mainan/2")
        soon = Waiting(title="Dulu", about="a", since="2026-11-19T09:00:00+07:00", path="/mainan/1")
        return [late, soon]

    division.app = make_app(
        service="budget",
        title="Mainan",
        settings=settings,
        routers=[router],
        navigation=[
            NavigationEntry(label="Mainan", path="/mainan", icon="box", order=20),
            NavigationEntry(label="Rahasia", path="/mainan/rahasia", icon="key", roles=["head"]),
        ],
        acts=[
            Act("play", "Main dengan mainan", frozenset({Role.PROPOSER}), own="proposer_id", not_by=("locked_by_id",))
        ],
    )
    return division


@dataclass
class House:
    """A running gateway and what stands behind it."""

    url: str
    database: Database
    toys: ToyDivision
    keys: Keys

    def client(self) -> httpx.Client:
        """Return a browser that has not signed in and follows no redirect."""
        return httpx.Client(base_url=self.url, timeout=20, headers={"accept": "text/html,*/*"})


@dataclass
class Visitor:
    """A signed-in browser and its form token."""

    username: str
    client: httpx.Client
    form_token: str

    @property
    def token_header(self) -> dict[str, str]:
        """Return the header that a script of our own page sends along."""
        return {"x-form-token": self.form_token}


@pytest.fixture(scope="session")
def people(postgres: Postgres, migrated: Callable[[str], str]) -> Iterator[Database]:
    """Return the gateway's database for all tests of this folder; each takes in its own people."""
    postgres.make_database("gateway_doors", user="gateway", template=migrated("gateway"))
    database = Database(postgres.url("gateway_doors", "gateway"))
    yield database
    database.close()


@pytest.fixture(scope="session")
def settings_for(people: Database, state: Path) -> Callable[..., Settings]:
    """Return what makes the settings of a gateway on that database."""

    def settings(**changed: Any) -> Settings:
        folders = {"keys_folder": state / "keys", "files_folder": state / "files"}
        given = {"database_url": people.url, **folders, "lookout_seconds": 0}
        return Settings(**{**given, **changed})

    return settings


@pytest.fixture(scope="session", params=SHAPES)
def house(
    request: pytest.FixtureRequest, people: Database, keys: Keys, settings_for: Callable[..., Settings]
) -> Iterator[House]:
    """Return a running gateway before the toy division, in both shapes."""
    with ExitStack() as stack:
        # Closed last: nothing holds a connection when the databases are removed.
        toys = toy_division(settings_for())
        stack.callback(toys.app.state.database.close)
        door: ASGIApp = toys.app
        if request.param == "remote":
            door = RemoteDoor(stack.enter_context(serving(toys.app)))
        gateway = make(settings_for(), {"budget": door})
        stack.callback(gateway.database.close)
        yield House(stack.enter_context(serving(gateway)), people, toys, keys)


@pytest.fixture
def somebody(people: Database) -> Callable[..., str]:
    """Return what takes a new person in and gives their username; everybody has the same password."""

    def take_in(*roles: Role, **more: Any) -> str:
        username = f"orang.{uuid4().hex[:8]}"
        with people.transaction() as session:
            # Whoever held a post that one person holds leaves it to the newcomer.
            held = update(Appointment).where(
                Appointment.role.in_(set(roles) & set(POSTS)), Appointment.ended_at.is_(None)
            )
            session.execute(held.values(ended_at=utc_now()))
            actions.add_person(
                session,
                username=username,
                display_name="Orang Contoh",
                roles=roles or (Role.PROPOSER,),
                password=PASSWORD,
                **more,
            )
        return username

    return take_in


@pytest.fixture
def visitor(house: House, somebody: Callable[..., str]) -> Iterator[Callable[..., Visitor]]:
    """Return what signs a new person in at the house."""
    with ExitStack() as stack:

        def enter(*roles: Role) -> Visitor:
            username = somebody(*roles)
            client = stack.enter_context(house.client())
            answer = client.post("/api/session", json={"username": username, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            return Visitor(username, client, answer.json()["form_token"])

        yield enter


__all__ = ["HEADER", "PASSWORD", "House", "Toy", "ToyDivision", "Visitor", "serving", "toy_division"]
