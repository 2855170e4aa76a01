"""Deliveries by mail, WhatsApp and Telegram against real servers on loopback: taken, refused, away, killed halfway."""

import contextlib
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select, text
from structlog.testing import capture_logs

from alur.settings import free_port
from services.gateway.actions import notice as notices
from services.gateway.actions.delivery import HELD_FOR, PAUSES, deliver_due, masked
from services.gateway.channels import senders
from services.gateway.model import Channel, Delivery, DeliveryAttempt, Person
from services.gateway.model.notice import MAIL, TELEGRAM, WAITING, WHATSAPP
from services.gateway.settings import Settings
from services.gateway.tasks import make_worker
from shared.database import Database
from shared.keys import Keys
from shared.words import WIB

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=WIB)
ADDRESS = "budi.contoh@kampus.test"
TOKEN = "123:rahasia-bot"


@dataclass
class Postbox:
    """An SMTP server's memory, and what it answers."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """To the next recipients; then 250."""
    over_tls: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.over_tls.append(session.ssl is not None)
        return "250 OK"


@pytest.fixture
def open_postbox() -> Iterator[Callable[..., Postbox]]:
    """Return what starts an SMTP server on a free port."""
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> Postbox:
            box = Postbox(port=free_port())
            controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
            controller.start()
            stack.callback(controller.stop)
            return box

        yield start


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a throw-away certificate for 127.0.0.1 with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@dataclass
class Office:
    """A gateway's database, its ways out, and a clock that only moves by hand."""

    database: Database
    keys: Keys
    settings: Settings
    now: datetime = MONDAY
    person_id: UUID | None = None

    def deliver(self) -> int:
        return deliver_due(self.database, self.keys, senders(self.settings), clock=lambda: self.now)

    def tell(self, key: str = "satu", title: str = "Uji keamanan menunggu", number: str = "AP-2026-0007") -> None:
        with self.database.transaction() as session:
            assert self.person_id
            notices.tell(
                session, self.person_id, kind=WAITING, title=title, about="Presensi Dosen" if number else "",
                case_number=number, path="/uji-keamanan/1", key=key, now=self.now,
            )  # fmt: skip

    @property
    def state(self) -> str:
        with self.database.session() as session:
            return session.scalars(select(Delivery.state)).one()

    @property
    def attempts(self) -> list[tuple[int, str]]:
        with self.database.session() as session:
            rows = session.execute(select(DeliveryAttempt).order_by(DeliveryAttempt.number)).scalars()
            return [(one.number, one.code) for one in rows]

    @property
    def trouble(self) -> str:
        with self.database.session() as session:
            return session.scalars(select(Channel.trouble)).one()


@pytest.fixture
def office(database_of: Callable[[str], Database], keys: Keys, state: Path) -> Callable[..., Office]:
    """Return what makes an office whose one person is reached in one way."""

    def make(kind: str = MAIL, address: str = ADDRESS, **settings: Any) -> Office:
        database = database_of("gateway")
        folders = {"keys_folder": state / "keys", "files_folder": state / "files"}
        given = {"smtp_from": "Alur <alur@kampus.test>", "smtp_security": "none", "smtp_host": "127.0.0.1"}
        chosen = Settings(
            **{"database_url": database.url, "public_url": "https://alur.test", **folders, **given, **settings}
        )
        made = Office(database, keys, chosen)
        with database.transaction() as session:
            person = Person(username="budi", display_name="Budi Contoh", password_hash="-")
            session.add(person)
            session.flush()
            session.add(Channel(person_id=person.id, kind=kind, address=address, verified_at=MONDAY))
            made.person_id = person.id
        return made

    return make


# --- mail ----------------------------------------------------------------------------------------------------------


def test_a_mail_says_what_waits_and_nothing_else(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    here.tell()

    assert here.deliver() == 1
    assert here.deliver() == 0

    mail = box.mails[0]
    words = mail.get_body(("plain",))
    assert words is not None
    assert words.get_content().replace("\r\n", "\n") == (
        "Uji keamanan menunggu\n"
        "Presensi Dosen · AP-2026-0007\n"
        "Sejak 23 November 2026 pukul 10.00 WIB\n"
        "https://alur.test/uji-keamanan/1\n"
        "\n"
        "-- \n"
        "Alur, PUSTIPD. Pesan ini dikirim otomatis; mohon tidak dibalas.\n"
        "Atur atau hentikan pemberitahuan: https://alur.test/saya/pemberitahuan\n"
    )
    assert mail["subject"] == "Alur: Uji keamanan menunggu"
    assert mail["auto-submitted"] == "auto-generated" and mail["to"] == ADDRESS
    assert mail.get_content_type() == "multipart/alternative"
    assert (here.state, here.attempts, here.trouble) == ("sent", [(1, "smtp_250")], "")


def test_a_title_stays_words_in_the_page_and_one_line_in_the_subject(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    here.tell(title="<b>Tebal</b>\r\nBcc: lain@kampus.test")

    here.deliver()

    page = box.mails[0].get_body(("html",))
    assert page is not None and "<b>" not in page.get_content() and "&lt;b&gt;Tebal" in page.get_content()
    assert box.mails[0]["bcc"] is None and "\n" not in box.mails[0]["subject"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_way_is_guarded_and_signed_in(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox], certificate: Path, security: str
) -> None:
    given: list[bytes] = []

    def allow(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        given.append(data.password)
        return AuthResult(success=data.password == b"kata-sandi-surel")

    guard = {"tls_context": tls(certificate), "require_starttls": True} if security == "starttls" else {
        "ssl_context": tls(certificate), "auth_require_tls": False,
    }  # fmt: skip
    box = open_postbox(authenticator=allow, **guard)
    login = {"smtp_username": "alur", "smtp_password": "kata-sandi-surel"}
    here = office(smtp_port=box.port, smtp_security=security, smtp_ca_file=str(certificate), **login)
    here.tell()

    here.deliver()

    assert here.attempts == [(1, "smtp_250")]
    assert given == [b"kata-sandi-surel"] and len(box.mails) == 1
    # A server that speaks TLS from the start takes nothing else; its protocol does not know of it.
    assert box.over_tls == [security == "starttls"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_an_unknown_certificate_gets_neither_login_nor_mail(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox], certificate: Path, security: str
) -> None:
    guard = {"tls_context": tls(certificate)} if security == "starttls" else {"ssl_context": tls(certificate)}
    box = open_postbox(**guard)
    here = office(smtp_port=box.port, smtp_security=security)
    here.tell()

    here.deliver()

    assert here.attempts == [(1, "smtp_tls")] and here.state == "due" and box.mails == []


def test_a_server_without_starttls_gets_nothing_in_the_open(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port, smtp_security="starttls")
    here.tell()

    here.deliver()

    assert here.attempts == [(1, "smtp_not_supported")] and box.mails == []


def test_not_now_is_tried_again_and_arrives_once(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    box.answers = ["451 greylisted"]
    here = office(smtp_port=box.port)
    here.tell()

    assert here.deliver() == 1
    assert here.deliver() == 0
    here.now += PAUSES[0]
    assert here.deliver() == 1

    assert here.attempts == [(1, "smtp_451"), (2, "smtp_250")]
    assert len(box.mails) == 1 and here.state == "sent"


def test_never_is_not_tried_again_and_shown_to_the_person(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    box.answers = ["550 no such user"]
    here = office(smtp_port=box.port)
    here.tell()

    here.deliver()
    here.now += timedelta(days=3)

    assert here.deliver() == 0
    assert (here.state, here.attempts, here.trouble) == ("failed", [(1, "smtp_550")], "smtp_550")


def test_a_server_that_is_away_is_tried_five_times_within_a_day(office: Callable[..., Office]) -> None:
    here = office(smtp_port=free_port())
    here.tell()
    began = here.now

    for pause in (*PAUSES, timedelta(days=9)):
        assert here.deliver() == 1
        last = here.now
        here.now += pause

    assert here.deliver() == 0
    assert here.attempts == [(number, "smtp_ConnectionRefusedError") for number in range(1, 6)]
    assert last - began < timedelta(days=1)
    assert (here.state, here.trouble) == ("failed", "smtp_ConnectionRefusedError")


KILLED = """
import os, signal, sys
from datetime import datetime
from services.gateway.actions.delivery import deliver_due
from services.gateway.channels import senders
from services.gateway.settings import Settings
from shared.database import Database
from shared.keys import Keys

settings = Settings()
ways = senders(settings)

class Dies:
    def send(self, message):
        ways["mail"].send(message)
        os.kill(os.getpid(), signal.SIGKILL)

deliver_due(
    Database(settings.database_url), Keys(settings.keys_folder), {"mail": Dies()},
    clock=lambda: datetime.fromisoformat(sys.argv[1]),
)
"""


def test_whoever_dies_between_sending_and_recording_sends_the_same_mail_once_more(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    here.tell()
    names = ("database_url", "keys_folder", "files_folder", "smtp_host", "smtp_port", "smtp_from", "smtp_security")
    environment = {f"ALUR_GATEWAY_{name.upper()}": str(getattr(here.settings, name)) for name in names}

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, here.now.isoformat()],
        env={**environment, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr
    # Somebody might still be sending: nobody else does.
    assert here.deliver() == 0
    here.now += HELD_FOR
    assert here.deliver() == 1
    here.now += timedelta(days=3)
    assert here.deliver() == 0

    assert len(box.mails) == 2 and len({mail["message-id"] for mail in box.mails}) == 1
    assert here.state == "sent" and here.attempts == [(2, "smtp_250")]


def test_two_workers_at_once_send_each_mail_once(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    for number in range(6):
        here.now += timedelta(seconds=1)
        here.tell(f"{number}")

    workers = [threading.Thread(target=here.deliver) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)

    assert len(box.mails) == len({mail["message-id"] for mail in box.mails}) == 6


def test_an_invitation_is_sealed_until_it_left_and_gone_afterwards(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    link = "https://alur.test/undangan/rahasia-sekali"
    with here.database.transaction() as session:
        notices.mail_to(
            session, here.keys, "tamu@luar.test", subject="undangan", lines=["Buka tautan ini.", link], now=here.now
        )
    before = whole(here.database)

    with capture_logs() as log:
        here.deliver()

    words = box.mails[0].get_body(("plain",))
    assert words is not None and link in words.get_content()
    for text_ in (before, whole(here.database), repr(log)):
        assert "rahasia-sekali" not in text_ and "tamu@luar.test" not in text_
    with here.database.session() as session:
        assert session.scalars(select(Delivery.sealed)).one() is None


def whole(database: Database) -> str:
    """Return all that the database keeps of deliveries, as text, what is sealed byte by byte."""
    with database.session() as session:
        rows = [*session.execute(text("SELECT d::text, encode(coalesce(sealed, ''), 'escape') FROM delivery d"))]
        rows += session.execute(text("SELECT a::text FROM delivery_attempt a"))
    return repr(rows)


def test_without_a_server_an_invitation_fails_at_once_and_keeps_nothing(office: Callable[..., Office]) -> None:
    here = office(smtp_host="")
    with here.database.transaction() as session:
        notices.mail_to(session, here.keys, "tamu@luar.test", subject="undangan", lines=["x"], now=here.now)

    here.deliver()

    assert (here.state, here.attempts) == ("failed", [(1, "not_configured")])


def test_the_log_names_neither_address_nor_words(
    office: Callable[..., Office], open_postbox: Callable[..., Postbox]
) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    here.tell()

    with capture_logs() as lines:
        here.deliver()

    log = repr(lines)
    assert "delivery_tried" in log and "smtp_250" in log
    assert ADDRESS not in log and "Uji keamanan" not in log
    with here.database.session() as session:
        assert session.scalars(select(DeliveryAttempt.place)).one() == "b…@k….test"


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [(MAIL, "a@b.c.id", "a…@b….id"), (WHATSAPP, "+6281234567890", "+…890"), (TELEGRAM, "12345", "…")],
)
def test_an_address_is_shown_masked(kind: str, address: str, shown: str) -> None:
    assert masked(kind, address) == shown


# --- WhatsApp and Telegram -----------------------------------------------------------------------------------------


@dataclass
class Post:
    """An HTTP server's memory, and what it answers."""

    heard: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def post() -> Iterator[Post]:
    """Return an HTTP server on a free port."""
    memory = Post()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            memory.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            status, headers, content = memory.answers.pop(0) if memory.answers else (200, {}, b'{"ok": true}')
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)

        def do_GET(self) -> None:
            memory.heard.append((self.path, {}, {}))
            self.send_error(500)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    memory.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield memory
    server.shutdown()
    thread.join(10)
    server.server_close()


def whatsapp(post: Post) -> dict[str, Any]:
    fields = {"target": "{address}", "message": "{text}", "countryCode": "62"}
    given = {"whatsapp_url": f"{post.url}/send", "whatsapp_token": "kunci", "whatsapp_fields": fields}
    return {"kind": WHATSAPP, "address": "+6281234567890", **given}


def telegram(post: Post) -> dict[str, Any]:
    return {"kind": TELEGRAM, "address": "123456789", "telegram_url": post.url, "telegram_token": TOKEN}


def test_whatsapp_gets_the_fields_of_its_gateway(office: Callable[..., Office], post: Post) -> None:
    here = office(**whatsapp(post))
    here.tell(title="Kurung {text} {address}")

    here.deliver()

    path, headers, body = post.heard[0]
    assert path == "/send" and headers["authorization"] == "kunci"
    assert (body["target"], body["countryCode"]) == ("6281234567890", "62")
    assert body["message"].startswith("Alur: Kurung {text} {address}\n") and "https://alur.test/uji" in body["message"]
    assert here.attempts == [(1, "http_200")] and here.state == "sent"


def test_telegram_gets_a_message_and_fetches_nothing_behind_it(office: Callable[..., Office], post: Post) -> None:
    here = office(**telegram(post))
    here.tell()

    here.deliver()

    path, _, body = post.heard[0]
    assert path == f"/bot{TOKEN}/sendMessage"
    assert body["chat_id"] == "123456789" and body["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize("way", [whatsapp, telegram])
def test_each_try_carries_the_same_key(
    office: Callable[..., Office], post: Post, way: Callable[[Post], dict[str, Any]]
) -> None:
    post.answers = [(503, {}, b"")]
    here = office(**way(post))
    here.tell()

    here.deliver()
    here.now += PAUSES[0]
    here.deliver()

    assert len(post.heard) == 2 and len({headers["idempotency-key"] for _, headers, _ in post.heard}) == 1
    assert here.attempts == [(1, "http_503"), (2, "http_200")]


@pytest.mark.parametrize(
    ("status", "becomes"), [(400, "failed"), (403, "failed"), (404, "failed"), (401, "due"), (429, "due"), (500, "due")]
)
def test_what_the_gateway_says_decides_whether_it_is_tried_again(
    office: Callable[..., Office], post: Post, status: int, becomes: str
) -> None:
    post.answers = [(status, {}, b"{}")]
    here = office(**telegram(post))
    here.tell()

    here.deliver()

    assert here.attempts == [(1, f"http_{status}")] and here.state == becomes
    assert here.trouble == (f"http_{status}" if becomes == "failed" else "")


def test_no_redirect_is_followed(office: Callable[..., Office], post: Post) -> None:
    post.answers = [(307, {"location": f"{post.url}/elsewhere"}, b"")]
    here = office(**whatsapp(post))
    here.tell()

    here.deliver()

    assert [path for path, _, _ in post.heard] == ["/send"] and here.state == "failed"


def test_a_gateway_that_says_no_with_200_is_believed(office: Callable[..., Office], post: Post) -> None:
    post.answers = [(200, {}, b'{"status": false, "reason": "token"}')]
    here = office(**whatsapp(post))
    here.tell()

    here.deliver()

    assert here.attempts == [(1, "gateway_said_no")] and here.state == "due"


def test_an_endless_answer_is_not_read_to_its_end(office: Callable[..., Office], post: Post) -> None:
    post.answers = [(200, {}, b"x" * 50_000_000)]
    here = office(**whatsapp(post))
    here.tell()

    here.deliver()

    assert here.attempts == [(1, "http_200")]


def test_a_silent_gateway_leaves_no_token_in_the_log(
    office: Callable[..., Office], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    away = Post(url=f"http://127.0.0.1:{free_port()}")
    here = office(**telegram(away))
    here.tell()

    with capture_logs() as lines:
        here.deliver()

    assert here.attempts == [(1, "http_ConnectError")] and here.state == "due"
    assert lines and TOKEN not in repr(lines) + caplog.text


def test_a_token_is_in_no_log_line_of_a_message_that_arrives(
    office: Callable[..., Office], post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    here = office(**telegram(post))
    here.tell()

    here.deliver()

    assert here.state == "sent" and TOKEN not in caplog.text


def test_a_long_digest_stays_within_what_a_messenger_takes(office: Callable[..., Office], post: Post) -> None:
    here = office(**telegram(post))
    for number in range(70):
        here.tell(f"{number}", title=f"Pekerjaan yang sangat panjang namanya nomor {number}")

    here.deliver()

    words = post.heard[0][2]["text"]
    assert len(words) <= 4096 and words.startswith("Alur: 70 pemberitahuan") and words.endswith("/pemberitahuan\n")


def test_the_worker_delivers_by_itself(office: Callable[..., Office], open_postbox: Callable[..., Postbox]) -> None:
    box = open_postbox()
    here = office(smtp_port=box.port)
    here.now = datetime.now(UTC) - timedelta(days=7)
    with here.database.transaction() as session:
        notices.mail_to(session, here.keys, ADDRESS, subject="undangan", lines=["Halo"], now=here.now)
    worker = make_worker(here.settings)

    assert worker.tick("deliver") is True
    worker.database.close()

    assert len(box.mails) == 1
