"""The gateway's way of a request: who is it, may it be sent on, to which door, and the page around the answer."""

import hmac
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy.exc
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.actions import held_form, sign_in
from services.gateway.door.doors import Doors, Part, prefix_of
from services.gateway.door.frame import KEPT_FOR_A_YEAR, Frame, Static, sign_in_path
from services.gateway.door.inlet import Inlet, too_large
from services.gateway.door.knock import Knock, Known
from services.gateway.door.lookout import Lookout
from services.gateway.door.remote import CallerGone, Silent
from services.gateway.door.reply import Reply
from services.gateway.rate_limit import Kind, RateLimit, TooFast, place_of
from services.gateway.sealed import HELD, Seal
from services.gateway.settings import Settings
from shared import identity
from shared.database import Database, utc_now
from shared.errors import NotAllowed, NotFound, NotSignedIn, Refused, StepUpNeeded, Unavailable
from shared.keys import Keys
from shared.language import SPOKEN
from shared.log import logger
from shared.pages import refusal_fragment
from shared.sentence import Sentence
from shared.web import Turns, problem

REMEMBERED_FOR = 2.0
"""Seconds for which a session is believed without asking the database again."""
OPEN_PATHS = frozenset(
    {
        "/masuk/kode",
        "/api/health",
        "/api/openapi.json",
        "/api/docs",
        "/api/invitations/acceptance",
        "/rapat/kalender.ics",
    }
)
OPEN_PREFIXES = frozenset({"/masuk", "/undangan", "/periksa", "/ikuti", "/pendapat", "/api/paper-checks"})
"""Pages for everybody: whether a paper is genuine may be checked without an account."""
OF_A_POST = frozenset({"/", "/menunggu", "/cari", "/api/waiting"})
"""Our own pages that tell of the divisions; like theirs, they are for people who hold a post."""
SIGN_IN_PATHS = frozenset({"/masuk", "/masuk/kode", "/api/session"})
SECRET_PATHS = SIGN_IN_PATHS | {
    "/saya/token",
    "/api/tokens",
    "/api/session/proof",
    "/saya/dua-langkah/mulai",
    "/saya/dua-langkah/konfirmasi",
    "/saya/dua-langkah/kode-pemulihan",
    "/api/second-factor",
    "/api/second-factor/confirmation",
    "/api/second-factor/recovery-codes",
    "/rapat/kalender",
    "/api/meeting-calendar",
}
SECRET_PREFIXES = frozenset({"/undangan", "/orang", "/api/invitations", "/api/people", "/api/password"})
"""Their answers hold secrets: they are never kept for a repeat."""
UNCOUNTED = frozenset({"/api/health"})
"""Asked by watchers, not by people; what stands under /static is not counted either."""
NEVER_HELD = "/saya/kata-sandi"
"""A form of passwords is typed anew rather than kept."""
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Every other one is only for the gateway itself (`shared.pages.DRAW`)."""
ENROL = "/saya/dua-langkah"
WHILE_ENROLLING = (ENROL, "/konfirmasi/", "/keluar", "/api/session", "/api/second-factor")
"""What is open to somebody who must first set up a second factor."""
NOT_PASSED_ON = frozenset(
    {
        identity.HEADER.encode(),
        b"authorization",
        b"cookie",
        b"x-form-token",
        b"x-alur-number",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"accept-encoding",
        b"origin",
        b"referer",
    }
)


class ToContinue(Exception):  # noqa: N818 - it says where to go on
    """A form is kept; the person goes on at a page that leads back to it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Memory:
    """Sessions and tokens that were looked up a moment ago."""

    def __init__(self, seconds: float = REMEMBERED_FOR) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[Known, float]] = {}

    def recall(self, secret: str) -> Known | None:
        """Return who the secret stood for a moment ago, or None."""
        found = self._kept.get(sign_in.digest(secret))
        return found[0] if found and time.monotonic() - found[1] < self._seconds else None

    def keep(self, secret: str, known: Known) -> None:
        """Remember who the secret stands for."""
        if len(self._kept) > 5_000:
            self._kept.clear()
        self._kept[sign_in.digest(secret)] = (known, time.monotonic())

    def forget(self) -> None:
        """Look everything up again: somebody signed out or took a token back."""
        self._kept.clear()


class Gateway:
    """The one web application that people and programs reach; everything else stands behind it."""

    def __init__(
        self,
        settings: Settings,
        *,
        own: ASGIApp,
        own_paths: frozenset[str],
        doors: Doors,
        database: Database,
        frame: Frame,
        static: Static,
        memory: Memory,
        lookout: Lookout,
        turns: Turns,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.own = own
        self.own_paths = own_paths
        self.doors = doors
        self.database = database
        self.frame = frame
        self.static = static
        self.memory = memory
        self.lookout = lookout
        self.turns = turns
        self.seal = Seal(Keys(settings.keys_folder), HELD)
        self.clock = clock
        self.rates = RateLimit(settings.rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (or start and stop with the server)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(Knock(scope), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if not self.doors.open_late():
            await self.doors.learn()
        self.lookout.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.lookout.stop()
        await self.doors.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, knock: Knock, receive: Receive, send: Send) -> None:
        known: Known | None = None
        reply = Reply(self.settings, self.frame, knock, send)
        try:
            _refuse_odd_path(knock.path)
            if knock.method not in METHODS:
                raise NotFound("Alamat ini tidak menerima cara pemanggilan itu.")
            if knock.path.startswith("/static/"):
                await self._static(knock)(knock.scope, receive, reply)
                return
            known = await self._counted(knock, reply)
            if known:
                # The rail around every page of theirs is drawn from what the divisions tell.
                await self.doors.opened()
            if known and known.caller.language != "id" and knock.path.startswith("/api/"):
                # The JSON door is in Indonesian for everybody, in the divisions too.
                known = replace(known, caller=known.caller.model_copy(update={"language": "id"}))
            SPOKEN.set(known.caller.language if known else "id")
            part = await self.doors.owner_of(knock.path)
            inlet = Inlet(knock, receive)
            if known is None and not self._is_open(knock):
                await self._keep_for_later(knock, inlet)
                raise NotSignedIn("Halaman ini memerlukan akun. Silakan masuk dahulu.")
            if known and not known.caller.person.roles and (part or knock.path in OF_A_POST):
                raise _without_post()
            if known and not knock.is_safe and "write" not in known.scopes:
                raise NotAllowed("Token ini hanya untuk membaca. Buat token dengan lingkup tulis bila diperlukan.")
            if known and known.must_enrol and not knock.path.startswith(WHILE_ENROLLING):
                await self._lead_to_enrolment(knock, receive, reply)
                return
            lifted = await self._guard(knock, known, inlet)
            await self._pass_on(knock, known, part, lifted, inlet, reply)
            if not knock.is_safe:
                self.lookout.stir()
            if reply.step_up is not None and known:
                await self._ask_for_proof(knock, known, inlet, receive, reply)
        except ToContinue as way:
            await RedirectResponse(way.path, status_code=303)(knock.scope, receive, reply)
        except (CallerGone, Silent):
            # Nobody listens any more, or half an answer was sent: the server cuts the connection.
            return
        except Refused as refusal:
            if not reply.has_begun:
                await self._refuse(refusal, knock, known, receive, reply)
        except Exception as reason:  # the edge: the person gets a sentence, the log gets the rest
            logger().error("gateway_failed", number=knock.number, path=knock.logged_path, exc_info=reason)
            if not reply.has_begun:
                await self._refuse(_broken(), knock, known, receive, reply)

    async def _counted(self, knock: Knock, reply: Reply) -> Known | None:
        try:
            known = await self._known(knock)
        except NotSignedIn:
            # Whoever tries tokens is counted by address, as one without any.
            self._count(knock, None, reply)
            raise
        reply.known = known
        self._count(knock, known, reply)
        return known

    def _count(self, knock: Knock, known: Known | None, reply: Reply) -> None:
        """Take the request out of its sender's bucket; raise TooFast when that is empty."""
        if knock.path in UNCOUNTED:
            return
        kind: Kind = "anonymous"
        if known is not None:
            is_upload = knock.header("content-type").lower().startswith("multipart/")
            kind = "read" if knock.is_safe else "upload" if is_upload else "write"
        whose = known.key if known else place_of(self._address(knock))
        try:
            reply.allowance = self.rates.claim(kind, whose)
        except TooFast as refusal:
            reply.allowance = refusal.allowance
            raise

    # Who is it ------------------------------------------------------------------------------------------

    async def _known(self, knock: Knock) -> Known | None:
        authorization = knock.header("authorization")
        if authorization:
            scheme, _, text = authorization.partition(" ")
            found = await self._look_up(text.strip(), is_cookie=False) if scheme.lower() == "bearer" else None
            if found is None:
                raise NotSignedIn("Token tidak dikenal, sudah dicabut, atau sudah berakhir. Buat token baru.")
            return found
        token = knock.cookie(self.settings.cookie_name)
        return await self._look_up(token, is_cookie=True) if token else None

    async def _look_up(self, secret: str, *, is_cookie: bool) -> Known | None:
        found = self.memory.recall(secret)
        if found is None:
            async with self.turns.one():
                found = await run_in_threadpool(self._read_known, secret, is_cookie=is_cookie)
            if found:
                self.memory.keep(secret, found)
        # A cookie's secret is no bearer token, nor the other way round.
        return found if found and found.by_cookie is is_cookie else None

    def _read_known(self, secret: str, *, is_cookie: bool) -> Known | None:
        try:
            with self.database.transaction() as session:
                if is_cookie:
                    proof = timedelta(minutes=self.settings.proof_minutes)
                    caller = sign_in.session_caller(session, secret, now=self.clock(), proof=proof)
                    if caller is None:
                        return None
                    # Asked of nobody whose posts do not require it: it is one more question to the database.
                    must = caller.person.has(*self.settings.second_factor_for)
                    must = must and not sign_in.has_second_factor(session, caller.person.id)
                    return Known(caller, must_enrol=must, key=sign_in.digest(secret))
                found = sign_in.token_caller(session, secret, now=self.clock())
                return Known(found[0], found[1], by_cookie=False, key=sign_in.digest(secret)) if found else None
        except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError) as reason:
            raise Unavailable("Alur sedang sangat sibuk. Mohon ulangi beberapa saat lagi.") from reason

    def _is_open(self, knock: Knock) -> bool:
        if knock.path in OPEN_PATHS or prefix_of(knock.path) in OPEN_PREFIXES:
            return True
        return knock.path == "/api/session" and knock.method == "POST"

    # Forms that are not lost ----------------------------------------------------------------------------

    async def _keep_for_later(self, knock: Knock, inlet: Inlet) -> None:
        """Keep a form whose session has ended, and lead to signing in (ToContinue); else do nothing."""
        token = knock.cookie(self.settings.cookie_name)
        if not (token and knock.method == "POST" and knock.wants_page):
            return
        self._refuse_foreign(knock)
        await inlet.look()
        await inlet.read_on()

        def owner(session: Session) -> UUID | None:
            return held_form.owner_of_ended(session, token, inlet.fields.get("form_token", ""))

        held = await self._hold(owner, inlet, path=knock.target, purpose="restore")
        if held:
            raise ToContinue(sign_in_path(f"/lanjutkan/{held}", has_ended=True))

    async def _keep_from_earlier(self, knock: Knock, known: Known, inlet: Inlet, given: str) -> None:
        """Keep a form of the person's own earlier session, and lead back into it (ToContinue); else do nothing."""
        if not knock.wants_page or knock.method != "POST":
            return
        await inlet.read_on()
        person_id = known.caller.person.id

        def owner(session: Session) -> UUID | None:
            return person_id if held_form.is_from_earlier_session(session, person_id, given) else None

        held = await self._hold(owner, inlet, path=knock.target, purpose="restore")
        if held:
            raise ToContinue(f"/lanjutkan/{held}")

    async def _ask_for_proof(self, knock: Knock, known: Known, inlet: Inlet, receive: Receive, reply: Reply) -> None:
        """Keep the form that needs a fresh proof, and lead to the page that asks for it."""
        label, _, consequence = (reply.step_up or "").partition("\n")
        reply.step_up = None
        held = await self._hold(
            lambda _: known.caller.person.id,
            inlet,
            path=knock.target,
            purpose="step_up",
            label=label,
            consequence=consequence,
        )
        if held is None:
            raise StepUpNeeded(label, consequence)
        await RedirectResponse(f"/konfirmasi/{held}", status_code=303)(knock.scope, receive, reply)

    async def _hold(
        self,
        owner: Callable[[Session], UUID | None],
        inlet: Inlet,
        *,
        path: str,
        purpose: held_form.Purpose,
        label: str = "",
        consequence: str = "",
    ) -> UUID | None:
        typed = None if path.startswith(NEVER_HELD) else inlet.typed()
        if typed is None:
            return None

        def keep() -> UUID | None:
            with self.database.transaction() as session:
                person_id = owner(session)
                if person_id is None:
                    return None
                return held_form.hold(
                    session,
                    self.seal,
                    person_id=person_id,
                    purpose=purpose,
                    path=path,
                    typed=typed,
                    now=self.clock(),
                    label=label,
                    consequence=consequence,
                )

        async with self.turns.one():
            return await run_in_threadpool(keep)

    async def _lead_to_enrolment(self, knock: Knock, receive: Receive, reply: Reply) -> None:
        if not knock.wants_page or knock.is_part_of_page:
            raise NotAllowed(
                Sentence(
                    "Jabatan Anda mewajibkan verifikasi dua langkah. Aktifkan dahulu di {enrol}.",
                    enrol=ENROL,
                ),
                code="second_factor_required",
            )
        await RedirectResponse(ENROL, status_code=303)(knock.scope, receive, reply)

    # May it be sent on ----------------------------------------------------------------------------------

    async def _guard(self, knock: Knock, known: Known | None, inlet: Inlet) -> dict[bytes, bytes]:
        """Refuse what another site may have sent; return the headers that the body's first fields stand for."""
        await inlet.look()
        if knock.is_safe:
            return {}
        if known is None or known.by_cookie:
            self._refuse_foreign(knock)
        given = inlet.fields.get("form_token", "") or knock.header("x-form-token")
        is_signing_in = knock.path in SIGN_IN_PATHS and knock.method == "POST"
        if known and known.by_cookie and not is_signing_in:
            if not given:
                raise NotAllowed(
                    "Permintaan ini tidak membawa tanda formulir. Muat ulang halaman, lalu kirim sekali lagi.",
                    code="form_token_missing",
                )
            if not hmac.compare_digest(given.encode(), known.caller.form_token.encode()):
                await self._keep_from_earlier(knock, known, inlet, given)
                raise NotAllowed(
                    "Formulir ini berasal dari sesi yang lain atau sudah berakhir. Muat ulang halaman, lalu kirim "
                    "sekali lagi.",
                    code="form_token_wrong",
                )
        key = inlet.fields.get("idempotency_key", "")
        return {b"idempotency-key": key.encode()} if key and b"idempotency-key" not in knock.headers else {}

    def _refuse_foreign(self, knock: Knock) -> None:
        origin = knock.header("origin")
        if not origin and knock.header("referer"):
            parts = urlsplit(knock.header("referer"))
            origin = f"{parts.scheme}://{parts.netloc}"
        came_from_elsewhere = knock.header("sec-fetch-site") in ("cross-site", "same-site")
        if (origin and origin not in self.settings.own_origins) or (not origin and came_from_elsewhere):
            raise NotAllowed(
                Sentence(
                    "Formulir ini tidak dikirim dari halaman {site_name} yang resmi. Buka {public_url}, lalu ulangi "
                    "dari sana.",
                    site_name=self.settings.site_name,
                    public_url=self.settings.public_url,
                ),
                code="foreign_origin",
            )

    # To which door --------------------------------------------------------------------------------------

    async def _pass_on(
        self,
        knock: Knock,
        known: Known | None,
        part: Part | None,
        lifted: dict[bytes, bytes],
        inlet: Inlet,
        reply: Reply,
    ) -> None:
        headers = [(k, v) for k, v in knock.scope["headers"] if k.lower() not in NOT_PASSED_ON]
        # Pages are put together from plain bytes; what is on the wire is the outer server's matter.
        headers += [(b"accept-encoding", b"identity"), (b"x-alur-number", knock.number.encode()), *lifted.items()]
        scope = {key: knock.scope[key] for key in PASSED_SCOPE if key in knock.scope}
        scope |= {"headers": headers, "root_path": "", "state": {}}
        if part is None:
            if knock.path in SECRET_PATHS or prefix_of(knock.path) in SECRET_PREFIXES:
                scope["headers"] = [(k, v) for k, v in headers if k != b"idempotency-key"]
            scope["state"] = {
                "address": self._address(knock),
                "cookie": knock.cookie(self.settings.cookie_name),
                "pending": knock.cookie(self.settings.pending_cookie_name),
                "visit": knock.cookie(self.settings.visit_cookie_name),
                "invitation": knock.cookie(self.settings.invitation_cookie_name),
                "visitor": knock.cookie(self.settings.visitor_cookie_name),
            }
            if known:
                scope["state"] |= {"caller": known.caller, "by_cookie": known.by_cookie}
            await self._call(self.own, scope, inlet, reply)
            return
        if known:
            headers.append((identity.HEADER.encode(), part.signed(known.caller)))
        try:
            await self._call(part.app, scope, inlet, reply)
            self.doors.note(part, is_silent=False)
        except Silent as reason:
            self.doors.note(part, is_silent=True)
            logger().warning("part_did_not_answer", part=part.name, path=knock.path, reason=str(reason))
            if reply.has_begun:
                # Cut off, so that half an answer does not look whole.
                raise
            raise Unavailable(
                Sentence(
                    "Bagian {title} tidak menjawab{since}. Bagian lain tetap dapat dipakai; yang Anda kirim ke "
                    "bagian ini belum tersimpan. Mohon ulangi beberapa saat lagi.",
                    title=part.title,
                    since=_since(part),
                ),
                code="part_silent",
            ) from reason

    async def _call(self, app: ASGIApp, scope: Scope, inlet: Inlet, reply: Reply) -> None:
        async def heard(message: Message) -> None:
            # Of a body cut off here the division can only say that it broke: the gateway knows better.
            if not inlet.is_too_large or reply.has_begun:
                await reply(message)

        try:
            await app(scope, inlet, heard)
        except Silent:
            raise
        except Exception as reason:
            if inlet.is_too_large and not reply.has_begun:
                raise too_large(inlet.limit) from None
            if isinstance(reason, CallerGone | Refused):
                raise
            # The division has logged it and, as a rule, answered 500 already.
            if not reply.is_settled:
                raise _broken() from None
        if inlet.is_too_large and not reply.has_begun:
            raise too_large(inlet.limit)
        await reply.finish()

    def _address(self, knock: Knock) -> str:
        client = knock.scope.get("client")
        address = client[0] if client else "local"
        if self.settings.trusted_proxy and address == self.settings.trusted_proxy:
            address = knock.header("x-forwarded-for").rpartition(",")[2].strip() or address
        return str(address)[:60]

    def _static(self, knock: Knock) -> Response:
        file = self.static.by_path.get(knock.path)
        if file is None or knock.method not in ("GET", "HEAD"):
            raise NotFound("Berkas ini tidak ada. Muat ulang halaman.")
        body = file.content if knock.method == "GET" else b""
        return Response(body, media_type=file.kind, headers={"cache-control": KEPT_FOR_A_YEAR})

    # The answer -----------------------------------------------------------------------------------------

    async def _refuse(
        self, refusal: Refused, knock: Knock, known: Known | None, receive: Receive, reply: Reply
    ) -> None:
        response: Response
        logger().info("refused", number=knock.number, path=knock.logged_path, status=refusal.status, code=refusal.code)
        if isinstance(refusal, NotSignedIn) and known is None and knock.wants_page and not knock.is_part_of_page:
            has_ended = bool(knock.cookie(self.settings.cookie_name))
            response = RedirectResponse(sign_in_path(self._way_back(knock), has_ended=has_ended), status_code=303)
        elif knock.wants_page:
            response = refusal_fragment(refusal)
            if isinstance(refusal, NotSignedIn):
                response.headers["hx-redirect"] = "/masuk"
        else:
            response = problem(refusal, instance=knock.path)
            if isinstance(refusal, NotSignedIn):
                response.headers["www-authenticate"] = "Bearer"
        await response(knock.scope, receive, reply)
        await reply.finish()

    def _way_back(self, knock: Knock) -> str:
        """Return the page to show after signing in: the one asked for, or the one whose form was sent."""
        if knock.method in ("GET", "HEAD"):
            return knock.target
        parts = urlsplit(knock.header("referer"))
        return parts.path if f"{parts.scheme}://{parts.netloc}" in self.settings.own_origins else "/"


PASSED_SCOPE = (
    "type",
    "asgi",
    "http_version",
    "method",
    "scheme",
    "path",
    "raw_path",
    "query_string",
    "client",
    "server",
)


def _since(part: Part) -> str:
    return Sentence(" sejak {silent_since}", silent_since=part.silent_since) if part.silent_since else ""


def _broken() -> Refused:
    refusal = Refused(
        "Terjadi kesalahan di pihak kami dan sudah dicatat. Isian Anda belum tersimpan; mohon ulangi.", code="internal"
    )
    refusal.status, refusal.title = 500, "Kesalahan sistem"
    return refusal


def _without_post() -> Refused:
    refusal = NotAllowed(
        "Akun Anda dikenal, tetapi hari ini tidak memegang jabatan: penugasannya belum mulai atau sudah berakhir. "
        "Bila seharusnya ada, mohon hubungi admin Alur dengan menyebutkan nomor surat penetapannya.",
        code="no_post",
    )
    refusal.title = "Belum ada jabatan yang berlaku"
    return refusal


ODD_SIGNS = re.compile(r"[\x00-\x1f\x7f\\]")


def _refuse_odd_path(path: str) -> None:
    """Refuse paths that two readers could read differently, and what divisions tell only the gateway."""
    segments = path.split("/")
    # CONNECT and its like name a host instead of a path.
    odd = not path.startswith("/") or any(segment in (".", "..") for segment in segments) or "" in segments[1:-1]
    if odd or segments[1] == "inner" or ODD_SIGNS.search(path):
        raise NotFound("Alamat ini tidak ada. Periksa kembali tautannya, atau mulai dari beranda.")
