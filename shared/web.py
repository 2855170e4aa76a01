"""What every web door has: the session of a request, who asks, refusals in words, health.

A route of the house (`Door`) opens one transaction for each request. It commits after the answer is made and
before it leaves, so a commit that fails is never shown as success; an answer of 400 or above rolls back.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol
from urllib.parse import quote, urlencode
from uuid import UUID

import sqlalchemy.exc
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel
from sqlalchemy import orm, text
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shared import idempotency, identity, jobs
from shared.database import Database
from shared.errors import FieldError, Incomplete, Refused, Unavailable
from shared.identity import Caller, Person
from shared.keys import GATEWAY, Keys
from shared.log import logger
from shared.settings import ServiceSettings

PROBLEM = "application/problem+json"
SAFE = {"GET", "HEAD", "OPTIONS"}
FOLLOW_EVERY = 0.3
"""Seconds between two looks at a job that is being followed."""
NUL = (b"\\u0000", b"\x00", b"%00")


class Door(APIRoute):
    """A route whose request is one transaction, and whose repeated POST is answered as the first time."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the transaction around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            database: Database = request.app.state.database
            session = database.session()
            request.state.session = session
            try:
                return await _answer(request, session, inner)
            except sqlalchemy.exc.OperationalError as reason:
                raise Unavailable(
                    "Basis data sedang tidak menjawab. Isian Anda belum tersimpan; mohon ulangi beberapa saat lagi."
                ) from reason
            except sqlalchemy.exc.TimeoutError as reason:
                raise Unavailable("Layanan sedang sangat sibuk. Mohon ulangi beberapa saat lagi.") from reason
            finally:
                await run_in_threadpool(session.close)

        return handle


async def _answer(
    request: Request, session: orm.Session, inner: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    if b"%00" in request.scope.get("query_string", b"") or "\x00" in request.url.path:
        raise Incomplete("Alamat ini memuat huruf nol yang tidak diterima.", code="nul")
    if request.method in SAFE:
        return await inner(request)
    if not request.headers.get("content-type", "").startswith("multipart/"):
        body = await request.body()
        if any(sign in body for sign in NUL):
            raise Incomplete("Isian memuat huruf nol (NUL) yang tidak diterima. Hapus lalu kirim ulang.", code="nul")
    key = request.headers.get("idempotency-key")
    if key:
        digest = await _request_digest(request)
        caller = _read_caller(request)
        kept = await run_in_threadpool(
            idempotency.remembered, session, actor=str(caller.person.id), key=key, request_digest=digest
        )
        if kept:
            return Response(content=kept.body, status_code=kept.status, headers=kept.headers)
    response = await inner(request)
    if response.status_code >= 400:
        return response
    if key:
        await run_in_threadpool(
            idempotency.remember,
            session,
            actor=str(caller.person.id),
            key=key,
            request_digest=digest,
            status=response.status_code,
            headers={k: v for k, v in response.headers.items() if k not in ("content-length",)},
            body=bytes(response.body) if hasattr(response, "body") else b"",
        )
    await run_in_threadpool(session.commit)
    return response


async def _request_digest(request: Request) -> str:
    """Digest what was asked; of an upload only its length, for it is streamed."""
    hasher = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        hasher.update(request.headers.get("content-length", "").encode())
    else:
        hasher.update(await request.body())
    return hasher.hexdigest()


def _session(request: Request) -> orm.Session:
    found: orm.Session = request.state.session
    return found


def _read_caller(request: Request) -> Caller:
    if not hasattr(request.state, "caller"):
        state = request.app.state
        request.state.caller = identity.read(
            request.headers.get(identity.HEADER), key=state.person_key, audience=state.service
        )
    caller: Caller = request.state.caller
    return caller


async def _caller(request: Request) -> Caller:
    return _read_caller(request)


async def _asker(request: Request) -> Person:
    return _read_caller(request).person


async def _open_session(request: Request) -> orm.Session:
    return _session(request)


Session = Annotated[orm.Session, Depends(_open_session)]
"""The session whose transaction is the request."""
Asker = Annotated[Person, Depends(_asker)]
"""The person whom the gateway vouches for."""
Signed = Annotated[Caller, Depends(_caller)]
"""The person together with the form token of their session."""


class Waiting(BaseModel):
    """One thing that waits for a person."""

    title: str
    """What to do, in Indonesian."""
    about: str
    """Application or subject."""
    case_number: str = ""
    step: str = ""
    since: str
    """When it began to wait, RFC 3339."""
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
    headers = {"retry-after": "5"} if refusal.status in (429, 503) else None
    return JSONResponse(body, status_code=refusal.status, media_type=PROBLEM, headers=headers)


WORDS = {
    "missing": "Wajib diisi.",
    "string_too_short": "Terlalu pendek, paling sedikit {min_length} huruf.",
    "string_too_long": "Terlalu panjang, paling banyak {max_length} huruf.",
    "string_pattern_mismatch": "Bentuknya tidak sesuai. Periksa petunjuk di bawah isian.",
    "int_parsing": "Harus berupa bilangan bulat, tanpa huruf.",
    "int_from_float": "Harus berupa bilangan bulat; pecahan rupiah tidak diterima.",
    "int_type": "Harus berupa bilangan bulat.",
    "greater_than": "Harus lebih dari {gt}.",
    "greater_than_equal": "Paling kecil {ge}.",
    "less_than": "Harus kurang dari {lt}.",
    "less_than_equal": "Paling besar {le}.",
    "date_from_datetime_parsing": "Tanggal tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22.",
    "date_parsing": "Tanggal tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22.",
    "uuid_parsing": "Pengenal tidak dikenali.",
    "bool_parsing": "Pilih ya atau tidak.",
    "json_invalid": "Isi permintaan bukan JSON yang sah. Periksa tanda kutip dan koma.",
    "too_short": "Paling sedikit {min_length} butir.",
    "too_long": "Paling banyak {max_length} butir.",
    "extra_forbidden": "Isian ini tidak dikenal.",
    "model_attributes_type": "Isi permintaan harus berupa objek JSON.",
    "model_type": "Isi permintaan harus berupa objek JSON.",
}


def put_right(errors: Sequence[Any]) -> Incomplete:
    """Turn pydantic's findings into one refusal with a sentence for each field."""
    rows = []
    for found in errors:
        place = [str(part) for part in found["loc"] if part not in ("body",)]
        if found["type"] == "value_error":
            words = str(found.get("ctx", {}).get("error", found["msg"]))
        elif found["type"] in ("enum", "literal_error"):
            words = f"Pilihan yang ada: {found.get('ctx', {}).get('expected', '')}."
        else:
            words = WORDS.get(found["type"], "Isian ini belum benar. Mohon diperiksa.")
            words = words.format(**found.get("ctx", {}))
        if found["type"] == "json_invalid":
            place = []
        rows.append(FieldError("/" + "/".join(place), words))
    return Incomplete(
        "Beberapa isian perlu diperbaiki. Yang sudah Anda tulis tetap tersimpan di formulir.", errors=rows
    )


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api") and "text/html" in request.headers.get("accept", "text/html")


def make_app(
    *,
    service: str,
    title: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    navigation: Sequence[NavigationEntry] = (),
    database: Database | None = None,
) -> FastAPI:
    """Join a division's doors to its database; return its web application."""
    app = FastAPI(title=title, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.settings = settings
    app.state.keys = Keys(settings.keys_folder)
    app.state.database = database or Database(
        settings.database_url, pool_size=settings.pool_size, application_name=f"alur-{service}-web"
    )
    app.state.person_key = app.state.keys.pair(GATEWAY, service, use="person") if service != GATEWAY else b""
    add_refusals(app)
    for router in routers:
        app.include_router(router)

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

    return app


def prefixes(app: FastAPI) -> list[str]:
    """Return the first parts of the paths that an application answers, e.g. `/api/cases` and `/perkara`."""
    found = set()
    for path in all_paths(app.router):
        parts = path.split("/")[1:]
        if parts[0] in ("inner", "") or path in ("/api/health", "/api/openapi.json", "/api/waiting"):
            continue
        found.add("/" + "/".join(parts[:2] if parts[0] == "api" else parts[:1]))
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
            return refusal_fragment(refusal)
        return problem(refusal, instance=request.url.path)

    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refused)
        return show(request, refusal)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, reason: Exception) -> Response:
        assert isinstance(reason, RequestValidationError)
        return show(request, put_right(reason.errors()))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, reason: Exception) -> Response:
        assert isinstance(reason, HTTPException)
        refusal = Refused(HTTP_WORDS.get(reason.status_code, str(reason.detail)))
        refusal.status = reason.status_code
        refusal.code = f"http_{reason.status_code}"
        refusal.title = HTTP_TITLES.get(reason.status_code, Refused.title)
        return show(request, refusal)

    @app.exception_handler(Exception)
    async def bug(request: Request, reason: Exception) -> Response:
        number = hashlib.sha256(f"{id(reason)}{request.url.path}".encode()).hexdigest()[:8].upper()
        logger().error("request_failed", number=number, path=request.url.path, exc_info=reason)
        refusal = Refused(
            f"Terjadi kesalahan di pihak kami dan sudah dicatat dengan nomor {number}. "
            "Isian Anda belum tersimpan; mohon ulangi, atau sebutkan nomor itu kepada admin sistem.",
            code="internal",
        )
        refusal.status = 500
        refusal.title = "Kesalahan sistem"
        return show(request, refusal)


HTTP_TITLES = {404: "Tidak ditemukan", 405: "Cara memanggil tidak dikenal"}
HTTP_WORDS = {
    404: "Alamat ini tidak ada. Periksa kembali tautannya, atau mulai dari beranda.",
    405: "Alamat ini ada, tetapi tidak menerima cara pemanggilan itu.",
    400: "Isi permintaan bukan JSON atau formulir yang sah. Periksa kembali lalu kirim ulang.",
}


class Placed(Protocol):
    """A row with a place in the usual order of lists."""

    created_at: Any
    id: Any


def mark(rows: Sequence[Placed], limit: int) -> str | None:
    """Return the opaque place after the last row, for `?after=`; None when the list ended here."""
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


def answer_list(request: Request, rows: list[Any], *, after: str | None) -> JSONResponse:
    """Return a list with `Link: rel="next"` when there is more."""
    headers = {}
    if after:
        asked = {k: v for k, v in request.query_params.items() if k != "after"}
        headers["link"] = f'<{request.url.path}?{urlencode({**asked, "after": after})}>; rel="next"'
    return JSONResponse([r.model_dump(mode="json") if isinstance(r, BaseModel) else r for r in rows], headers=headers)


async def job_events(request: Request, job_id: UUID, *, after: int = 0) -> AsyncIterator[ServerSentEvent]:
    """Yield a job's lines as they are written, from line `after` on, and at its end an event `end` with its state.

    A reader that was cut off resumes by `Last-Event-ID`, which is the number of the last line.
    """
    database: Database = request.app.state.database

    def read(seen: int) -> tuple[list[jobs.Line], str]:
        with database.session() as session:
            state = jobs.find(session, job_id).state
            return jobs.lines(session, job_id, seen), state

    while True:
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
