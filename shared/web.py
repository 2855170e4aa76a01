"""What every web door has: the session of a request, who asks, refusals in words, health.

A route of the house (`Door`) opens one transaction for each request. It commits after the answer is made and
before it leaves, so a commit that fails is never shown as success; an answer of 400 or above rolls back.
"""

import asyncio
import base64
import hashlib
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Annotated, Any, Protocol
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

import sqlalchemy.exc
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import orm, text
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path, get_name
from starlette.types import Receive, Scope, Send

from shared import idempotency, identity, issued, jobs, search
from shared.authority import Act, ActView
from shared.database import Database
from shared.edition import is_unchanged
from shared.errors import FieldError, Incomplete, NotFound, NotSignedIn, Refused, Unavailable
from shared.identity import Caller, Person
from shared.keys import GATEWAY, Keys
from shared.language import SPOKEN, Told
from shared.log import logger
from shared.sentence import Sentence
from shared.settings import ServiceSettings
from shared.signpost import Signpost, first_part

PROBLEM = "application/problem+json"
SAFE = {"GET", "HEAD", "OPTIONS"}
AT_ONCE = 4
"""Most requests of one division that work at once: one interpreter serves them, and with ten threads that want it, more
time is spent on passing it on than on the requests."""
TURN_WITHIN = 10.0
"""Seconds after which a request that found no room is told to come back."""
BUSY = "Layanan sedang sangat sibuk. Isian Anda belum tersimpan; mohon ulangi beberapa saat lagi."
FORM_LIMIT = 5_000
"""Most fields of one form."""
FIELD_BYTES = 4 * 1024 * 1024
"""Most bytes of one field that is no file."""
FOLLOW_EVERY = 0.3
"""Seconds between two looks at a job that is being followed."""
Handle = Callable[[Request], Coroutine[Any, Any, Response]]
_NUL_IN_FORM = re.compile(rb"\x00|%00")
_NUL_IN_JSON = re.compile(rb"\x00|(?<!\\)(?:\\\\)*\\u0000")
"""The escape itself, not the six signs of a text that talks about it."""


_WORKING_OUT = threading.RLock()


class Door(APIRoute):
    """A route whose request is one transaction, and whose repeated POST is answered as the first time.

    What a request asks of the database runs in one thread from the first statement to the last: each change of
    threads costs more than a small query.

    FastAPI works out what a route takes and gives when it is declared: with some hundred routes a good part of every
    start and of the memory, mostly for routes that nobody asks for today. Here that happens at the first request.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        if not (iscoroutinefunction(endpoint) or isgeneratorfunction(endpoint) or isasyncgenfunction(endpoint)):
            endpoint = self._in_one_thread(endpoint)
        self._declared: tuple[str, Callable[..., Any], dict[str, Any]] | None = (path, endpoint, more)
        self.path, self.endpoint = path, endpoint
        self.name = more.get("name") or get_name(endpoint)
        self.methods = {method.upper() for method in more.get("methods") or ["GET"]}
        self.include_in_schema = more.get("include_in_schema", True)

    def __getattr__(self, name: str) -> Any:
        """Return what is not there yet: the pattern of the path, or whatever FastAPI works out."""
        if name in ("path_regex", "path_format", "param_convertors"):
            self.path_regex, self.path_format, self.param_convertors = compile_path(self.path)
            return self.__dict__[name]
        with _WORKING_OUT:
            declared, self._declared = self.__dict__.get("_declared"), None
            if declared is not None:
                path, endpoint, more = declared
                super().__init__(path, endpoint, **more)
        if name not in self.__dict__:
            raise AttributeError(name)
        return self.__dict__[name]

    def _in_one_thread(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        def work(values: dict[str, Any]) -> Any:
            result = endpoint(**values)
            if self.response_field and not isinstance(result, Response):
                # What the answer needs of an entity is loaded here, and not where other requests would wait for it.
                shaped, errors = self.response_field.validate(result, {}, loc=("response",))
                result = result if errors else shaped
            for value in values.values():
                if isinstance(value, orm.Session):
                    _end(value, result)
            return result

        @wraps(endpoint)
        async def worked(**values: Any) -> Any:
            return await run_in_threadpool(work, values)

        return worked

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the transaction around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            turns: Turns = request.app.state.turns
            try:
                # Before its turn comes: a slow sender must not keep a connection from others.
                await _take_in(request)
                async with turns.one():
                    return await _with_session(request, inner)
            except ClientDisconnect:
                return _Nothing()
            finally:
                await request.close()

        return handle


class _Nothing(Response):
    """The answer to somebody who has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


class Turns:
    """Lets no more requests in at once than there are connections to the database.

    Without it the requests that wait for a connection fill every thread, and those that hold one find no thread
    to commit in.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it during the block; raise Unavailable when it does not come in time."""
        room = self._rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._most))
        try:
            async with asyncio.timeout(TURN_WITHIN):
                await room.acquire()
        except TimeoutError:
            raise Unavailable(BUSY) from None
        try:
            yield
        finally:
            room.release()


async def _with_session(request: Request, inner: Handle) -> Response:
    database: Database = request.app.state.database
    reads = request.method in SAFE
    session = database.reading() if reads else database.session()
    session.info["only_reads"] = reads
    # Whatever the request tells others or starts can be found together.
    session.info["trace"] = uuid4().hex
    # A request that is to be remembered ends when its whole answer is known.
    session.info["ends_with_work"] = "idempotency-key" not in request.headers
    request.state.session = session
    try:
        return await _answer(request, session, inner)
    except sqlalchemy.exc.SQLAlchemyError as reason:
        refusal = _refusal_by_database(reason)
        if refusal is None:
            raise
        logger().warning("database_refused", path=request.url.path, code=refusal.code, reason=str(reason))
        raise refusal from reason
    finally:
        if session.in_transaction():
            await run_in_threadpool(session.close)


def _end(session: orm.Session, result: Any) -> None:
    """Commit what an endpoint did, unless it refused, and give the connection back."""
    if session.info["ends_with_work"]:
        is_refused = isinstance(result, Response) and result.status_code >= 400
        # What only read has nothing to commit, and a commit of nothing is no small part of a short answer.
        if not (is_refused or session.info["only_reads"]):
            session.commit()
        session.close()


def _refusal_by_database(reason: sqlalchemy.exc.SQLAlchemyError) -> Refused | None:
    """Return what the database's no means for the person; None when it is a bug of ours."""
    state = str(getattr(getattr(reason, "orig", None), "sqlstate", None) or "")
    if isinstance(reason, sqlalchemy.exc.TimeoutError):
        return Unavailable(BUSY)
    if state in ("55P03", "40P01", "40001"):
        return Unavailable(
            "Data ini sedang diubah orang lain pada saat yang sama. Isian Anda belum tersimpan; mohon ulangi.",
            code="busy",
        )
    if isinstance(reason, sqlalchemy.exc.DBAPIError) and (
        isinstance(reason, sqlalchemy.exc.OperationalError) or reason.connection_invalidated
    ):
        return Unavailable("Basis data bagian ini sedang tidak menjawab. Mohon ulangi beberapa saat lagi.")
    if state == "22P02":
        # Fields are checked before they come here; only the id in an address is not.
        return NotFound(HTTP_WORDS[404])
    if isinstance(reason, sqlalchemy.exc.DataError):
        return Incomplete("Salah satu isian memuat nilai yang terlalu besar atau tidak dapat disimpan. Mohon periksa.")
    if isinstance(reason, sqlalchemy.exc.IntegrityError) and state not in ("23502", "23503"):
        return Refused(
            "Isian ini berbenturan dengan data yang baru saja atau sudah tercatat. Muat ulang halaman, periksa, lalu "
            "ulangi bila masih perlu.",
            code="conflict",
        )
    return None


async def _take_in(request: Request) -> None:
    """Receive the whole request, an upload into a file; raise Incomplete for a NUL character."""
    if b"%00" in request.scope.get("query_string", b"") or "\x00" in request.scope["path"]:
        raise Incomplete("Alamat ini memuat huruf nol (NUL) yang tidak diterima.", code="nul")
    if request.method in SAFE:
        return
    kind = _kind(request)
    if kind == "multipart/form-data":
        await request.form(max_fields=FORM_LIMIT, max_part_size=FIELD_BYTES)
        return
    sign = _NUL_IN_FORM if kind == "application/x-www-form-urlencoded" else _NUL_IN_JSON
    if sign.search(await request.body()):
        raise Incomplete("Isian memuat huruf nol (NUL) yang tidak diterima. Hapus lalu kirim ulang.", code="nul")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _answer(request: Request, session: orm.Session, inner: Handle) -> Response:
    if request.method in SAFE:
        return _unchanged(request, await inner(request))
    key = request.headers.get("idempotency-key")
    if not key:
        return await _committed(session, await inner(request))
    actor, digest = str(_read_caller(request).person.id), await _request_digest(request)
    kept = await run_in_threadpool(idempotency.remembered, session, actor=actor, key=key, request_digest=digest)
    if kept:
        return Response(content=kept.body, status_code=kept.status, headers=kept.headers)
    response = await inner(request)
    if response.status_code < 400:
        await run_in_threadpool(
            idempotency.remember,
            session,
            actor=actor,
            key=key,
            request_digest=digest,
            status=response.status_code,
            headers={name: value for name, value in response.headers.items() if name != "content-length"},
            body=bytes(response.body),
        )
    return await _committed(session, response)


def _unchanged(request: Request, response: Response) -> Response:
    """Return 304 without a body for a reader who has this edition already, else the answer itself."""
    etag = response.headers.get("etag")
    if response.status_code == 200 and is_unchanged(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"etag": etag or ""})
    return response


async def _committed(session: orm.Session, response: Response) -> Response:
    if response.status_code < 400 and session.in_transaction():
        await run_in_threadpool(session.commit)
    return response


async def _request_digest(request: Request) -> str:
    """Digest what was asked; of an upload only its length, for it is streamed."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    is_upload = _kind(request) == "multipart/form-data"
    body = request.headers.get("content-length", "").encode() if is_upload else await request.body()
    return hashlib.sha256(asked + body).hexdigest()


def _read_caller(request: Request) -> Caller:
    if not hasattr(request.state, "caller"):
        state = request.app.state
        if not state.person_key:
            # The gateway signs for others; nobody signs for it, and an empty key would let anybody in.
            raise NotSignedIn("Halaman ini memerlukan akun. Silakan masuk dahulu.")
        request.state.caller = identity.read(
            request.headers.get(identity.HEADER), key=state.person_key, audience=state.service
        )
    caller: Caller = request.state.caller
    SPOKEN.set(caller.language)
    return caller


async def _caller(request: Request) -> Caller:
    return _read_caller(request)


async def _asker(request: Request) -> Person:
    return _read_caller(request).person


async def _open_session(request: Request) -> orm.Session:
    found: orm.Session = request.state.session
    return found


Session = Annotated[orm.Session, Depends(_open_session)]
"""The session whose transaction is the request."""
Question = Annotated[str, Query(max_length=search.LONGEST)]
"""What somebody searches for."""
Limit = Annotated[int, Query(ge=1, le=200)]
"""Most rows of one list."""
Seen = Annotated[str | None, Header(alias="if-match")]
"""The tag of what a writer saw (`shared/edition.py`); None when they do not say."""
Asker = Annotated[Person, Depends(_asker)]
"""The person whom the gateway vouches for."""
Signed = Annotated[Caller, Depends(_caller)]
"""The person together with the form token of their session."""


class Waiting(BaseModel):
    """One thing that waits for a person."""

    title: Told
    """What to do."""
    about: str
    """Application or subject."""
    case_number: str = ""
    step: str = ""
    since: str
    """When it began to wait, RFC 3339."""
    due_at: str = ""
    """Until when it is to be done, RFC 3339; empty: the standard time of its step says so."""
    path: str
    """Page on which to do it."""


class NavigationEntry(BaseModel):
    """One entry of the rail that the gateway draws."""

    label: str
    path: str
    icon: str
    order: int = 50
    roles: list[str] = []
    """Who sees it; empty: everybody."""


def problem(refusal: Refused, *, instance: str = "") -> JSONResponse:
    """Render a refusal as RFC 9457 problem details."""
    body: dict[str, Any] = {
        "type": f"/galat/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    if instance:
        body["instance"] = instance
    if refusal.errors:
        body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in refusal.errors]
    headers = {"retry-after": str(refusal.seconds)} if refusal.status in (429, 503) else None
    return JSONResponse(body, status_code=refusal.status, media_type=PROBLEM, headers=headers)


_DATE = "Tanggal tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22."
_MOMENT = "Waktu tidak dikenali. Tulis misalnya 2026-11-22T09:00:00+07:00."
_INTEGER = "Harus berupa bilangan bulat, bukan pecahan atau teks."
WORDS = {
    "missing": "Wajib diisi.",
    "string_type": "Harus berupa teks.",
    "string_unicode": "Memuat huruf yang tidak dapat disimpan. Hapus lalu tulis ulang.",
    "string_too_short": "Terlalu pendek, paling sedikit {min_length} huruf.",
    "string_too_long": "Terlalu panjang, paling banyak {max_length} huruf.",
    "string_pattern_mismatch": "Bentuknya tidak sesuai. Periksa petunjuk di bawah isian.",
    "int_parsing": "Harus berupa bilangan bulat, tanpa huruf.",
    "int_parsing_size": "Bilangan ini terlalu besar.",
    "int_from_float": "Harus berupa bilangan bulat; pecahan rupiah tidak diterima.",
    "int_type": _INTEGER,
    "float_parsing": "Harus berupa bilangan.",
    "float_type": "Harus berupa bilangan.",
    "greater_than": "Harus lebih dari {gt}.",
    "greater_than_equal": "Paling kecil {ge}.",
    "less_than": "Harus kurang dari {lt}.",
    "less_than_equal": "Paling besar {le}.",
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "timezone_aware": _MOMENT,
    "uuid_parsing": "Pengenal tidak dikenali.",
    "uuid_type": "Pengenal tidak dikenali.",
    "bool_parsing": "Pilih ya atau tidak.",
    "bool_type": "Pilih ya atau tidak.",
    "json_invalid": "Isi permintaan bukan JSON yang sah. Periksa tanda kutip dan koma.",
    "list_type": "Harus berupa daftar.",
    "too_short": "Paling sedikit {min_length} butir.",
    "too_long": "Paling banyak {max_length} butir.",
    "extra_forbidden": "Isian ini tidak dikenal.",
    "model_attributes_type": "Isi permintaan harus berupa objek JSON.",
    "model_type": "Isi permintaan harus berupa objek JSON.",
}
_UNKNOWN = "Isian ini belum benar. Mohon diperiksa."


def put_right(errors: Sequence[Any], *, has_source: bool = False) -> Incomplete:
    """Turn pydantic's findings into one refusal with a sentence for each field.

    With `has_source` the first part of each place says where the value came from (body, query); it is left out.
    """
    rows = []
    for found in errors:
        place = () if found["type"] == "json_invalid" else found["loc"][1:] if has_source else found["loc"]
        rows.append(FieldError("".join(f"/{_escaped(part)}" for part in place), _words(found)))
    return Incomplete(
        "Beberapa isian perlu diperbaiki. Yang sudah Anda tulis tetap tersimpan di formulir.", errors=rows
    )


def _escaped(part: object) -> str:
    """Return one part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _words(found: Any) -> str:
    about = found.get("ctx", {})
    if found["type"] == "value_error":
        # What a validator raised, with its places.
        return about["error"].args[0] if about.get("error") else str(found["msg"])
    if found["type"] in ("enum", "literal_error"):
        return Sentence("Pilihan yang ada: {expected}.", expected=str(about.get("expected", "")).replace(" or ", ", "))
    try:
        return Sentence(WORDS.get(found["type"], _UNKNOWN), **about)
    except KeyError:
        return _UNKNOWN


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api") and "text/html" in request.headers.get("accept", "text/html")


def make_app(
    *,
    service: str,
    title: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    navigation: Sequence[NavigationEntry] = (),
    acts: Iterable[Act] = (),
    database: Database | None = None,
) -> FastAPI:
    """Join a division's doors to its database; return its web application.

    `acts` is the division's table of who may do what, told to the gateway alone.
    """
    table = [ActView.of(act) for act in acts]
    app = FastAPI(title=title, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.settings = settings
    app.state.keys = Keys(settings.keys_folder)
    app.state.database = database or Database(
        settings.database_url, pool_size=settings.pool_size, application_name=f"alur-{service}-web"
    )
    app.state.person_key = app.state.keys.pair(GATEWAY, service, use="person") if service != GATEWAY else b""
    pool: Any = app.state.database.engine.pool
    app.state.turns = Turns(min(pool.size(), AT_ONCE))
    add_refusals(app)
    for router in routers:
        # As they stand: FastAPI would build every route a second time when the first request comes.
        app.router.routes.extend(router.routes)
    if service != GATEWAY:
        from shared import inner  # here, because its doors stand on this module

        app.router.routes.extend(inner.router.routes)

    @app.get("/api/health", include_in_schema=False)
    def health(request: Request) -> JSONResponse:
        try:
            with request.app.state.database.session() as session:
                session.execute(text("SELECT 1"))
        except sqlalchemy.exc.SQLAlchemyError:
            return JSONResponse({"status": "down", "service": service}, status_code=503)
        return JSONResponse({"status": "ok", "service": service})

    @app.get("/inner/doors", include_in_schema=False)
    def doors() -> dict[str, Any]:
        return {"prefixes": prefixes(app), "navigation": [entry.model_dump() for entry in navigation]}

    @app.get("/inner/authority", include_in_schema=False)
    def authority() -> list[ActView]:
        return table

    @app.get("/inner/papers/{code}", include_in_schema=False)
    def genuine_paper(request: Request, code: str) -> JSONResponse:
        with request.app.state.database.session() as session:
            found = issued.find(session, code)
        if found is None:
            return problem(NotFound("Kode dokumen ini tidak ada."))
        return JSONResponse(found.model_dump(mode="json"))

    app.router.routes.insert(0, Signpost(app.router.routes))
    return app


ASKED_OF_ALL = frozenset({"/api/health", "/api/openapi.json", "/api/waiting", "/api/search", "/api/figures"})
"""Paths that every service answers, so that they are nobody's own."""


def prefixes(app: FastAPI) -> list[str]:
    """Return the first parts of the paths that an application answers, e.g. `/api/cases` and `/perkara`."""
    found = set()
    for path in all_paths(app.router):
        if first_part(path) not in ("/inner", "/") and path not in ASKED_OF_ALL:
            found.add(first_part(path))
    return sorted(found)


def all_paths(router: Any) -> list[str]:
    """Return the path of every route below a router, those of included routers too."""
    found: list[str] = []
    for route in router.routes:
        if hasattr(route, "path") and hasattr(route, "methods"):
            found.append(route.path)
        elif hasattr(route, "effective_route_contexts"):
            found += [context.path for context in route.effective_route_contexts()]
    return found


def add_refusals(app: FastAPI) -> None:
    """Answer refusals in words: problem details for programs, a fragment for people."""
    from shared.pages import refusal_fragment  # here, because pages stand on this module

    def show(request: Request, refusal: Refused) -> Response:
        if _wants_page(request):
            # Refused before anybody asked who it is: the page still speaks their language.
            with suppress(NotSignedIn):
                _read_caller(request)
            return refusal_fragment(refusal)
        return problem(refusal, instance=request.url.path)

    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refused)
        return show(request, refusal)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, reason: Exception) -> Response:
        assert isinstance(reason, RequestValidationError)
        if any(found["loc"][0] == "path" for found in reason.errors()):
            return show(request, NotFound(HTTP_WORDS[404]))
        return show(request, put_right(reason.errors(), has_source=True))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, reason: Exception) -> Response:
        assert isinstance(reason, HTTPException)
        words = HTTP_WORDS.get(reason.status_code, "Permintaan ini tidak dapat dijalankan. Mohon mulai dari beranda.")
        refusal = Refused(words, code=f"http_{reason.status_code}")
        refusal.status = reason.status_code
        refusal.title = HTTP_TITLES.get(reason.status_code, Refused.title)
        response = show(request, refusal)
        response.headers.update(reason.headers or {})
        return response

    @app.exception_handler(Exception)
    async def bug(request: Request, reason: Exception) -> Response:
        # The gateway's own number, so that page, log and the person on the telephone say the same.
        number = request.headers.get("x-alur-number", "")[:12] or uuid4().hex[:8].upper()
        logger().error("request_failed", number=number, path=request.url.path, exc_info=reason)
        refusal = Refused(
            Sentence(
                "Terjadi kesalahan di pihak kami dan sudah dicatat dengan nomor {number}. Isian Anda belum "
                "tersimpan; mohon ulangi, atau sebutkan nomor itu kepada admin sistem.",
                number=number,
            ),
            code="internal",
        )
        refusal.status = 500
        refusal.title = "Kesalahan sistem"
        return show(request, refusal)


HTTP_TITLES = {
    404: "Tidak ditemukan",
    405: "Cara memanggil tidak dikenal",
    413: "Berkas terlalu besar",
    415: "Jenis isi tidak dikenal",
}
HTTP_WORDS = {
    404: "Alamat ini tidak ada. Periksa kembali tautannya, atau mulai dari beranda.",
    405: "Alamat ini ada, tetapi tidak menerima cara pemanggilan itu.",
    413: "Yang dikirim melebihi batas. Perkecil berkas atau bagi menjadi beberapa bagian.",
    415: "Jenis berkas atau isi ini tidak dapat dibaca di sini. Kirim formulir halaman ini, atau JSON.",
    400: "Isi permintaan bukan JSON atau formulir yang sah. Periksa kembali lalu kirim ulang.",
}


class Placed(Protocol):
    """A row with a place in the usual order of lists."""

    created_at: Any
    id: Any


def mark(rows: Sequence[Placed], limit: int) -> str | None:
    """Return the opaque place after the last row, for `?after=`; None when the list surely ended here."""
    if len(rows) < limit:
        return None
    last = rows[-1]
    return base64.urlsafe_b64encode(f"{last.created_at.isoformat()}|{last.id}".encode()).decode().rstrip("=")


def place(after: str | None) -> tuple[datetime, UUID] | None:
    """Read the place back that `mark` gave; raise Incomplete for anything else."""
    if not after:
        return None
    try:
        text_ = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode()
        moment, _, row_id = text_.partition("|")
        return datetime.fromisoformat(moment), UUID(row_id)
    except ValueError as reason:
        raise Incomplete("Tanda lanjut daftar tidak dikenal. Buka daftar dari awal.") from reason


_ROWS = TypeAdapter(list[Any])


class _Written(JSONResponse):
    """JSON that is bytes already."""

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        written: bytes = content
        return written


def answer_list(request: Request, rows: list[Any], *, after: str | None) -> JSONResponse:
    """Return a list with `Link: rel="next"` when there is more."""
    headers = {}
    if after:
        asked = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        headers["link"] = f'<{request.url.path}?{urlencode([*asked, ("after", after)])}>; rel="next"'
    return _Written(_ROWS.dump_json(rows), headers=headers)


async def job_events(request: Request, job_id: UUID, *, after: int = 0) -> AsyncIterator[ServerSentEvent]:
    """Yield a job's lines as they are written, from line `after` on, and at its end an event `end` with its state.

    A reader that was cut off resumes by `Last-Event-ID`, which is the number of the last line.
    """
    database: Database = request.app.state.database

    def read(seen: int) -> tuple[list[jobs.Line], str]:
        with database.session() as session:
            state = jobs.find(session, job_id).state
            return jobs.lines(session, job_id, seen), state

    turns: Turns = request.app.state.turns
    while True:
        async with turns.one():
            told, state = await run_in_threadpool(read, after)
        for line in told:
            after = line.seq
            shown = {"at": line.at.isoformat(), "text": line.text, "step": line.step, "state": line.state}
            yield ServerSentEvent(data=shown, id=str(line.seq), event="line")
        if not told and state in (jobs.DONE, jobs.FAILED):
            yield ServerSentEvent(data={"state": state}, event="end")
            return
        if not told:
            await asyncio.sleep(FOLLOW_EVERY)


def header_text(words: str) -> str:
    """Return text that may stand in a header."""
    return quote(words, safe=" ")
