"""One request to one server over SSH: pinned host key, one connection, one channel, answers line by line.

What a server says is data: capped, decoded, made plain, and read into models; it is never evaluated.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import paramiko
from pydantic import BaseModel, ConfigDict, ValidationError

from services.deploy import host_helper
from services.deploy.plan import Facts, Request, Site
from shared.addresses import resolved
from shared.errors import Incomplete, Refused, Unavailable
from shared.sentence import Sentence

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr")
MACS = ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")
EXCHANGES = ("mlkem768x25519-sha256", "curve25519-sha256@libssh.org", "diffie-hellman-group16-sha512")
HOST_KEY = "ssh-ed25519"

# Every refusal here is told in words; paramiko would put whole tracebacks with foreign text into the log besides.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_PROGRESS_BYTES = 1 << 20
_PIECE = 1 << 15
_HOST_KEY_LINE = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{68}(?: [ -~]{0,100})?")


# --- What can go wrong -----------------------------------------------------------------------------------


class HostUnreachable(Unavailable):
    """The server does not answer, or not in a way that is safe enough."""

    code = "host_unreachable"
    title = "Server tidak dapat dihubungi"


class HostKeyChanged(Refused):
    """The server shows another key than the pinned one: an incident; nothing was sent to it."""

    status = 409
    code = "host_key_changed"
    title = "Kunci server berubah"


class KeyNotAccepted(Refused):
    """The server is the right one but does not let Alur's key in."""

    status = 409
    code = "key_not_accepted"
    title = "Server menolak kunci Alur"


class ConnectionCut(Unavailable):
    """The connection ended before the last line; what was done on the server has to be asked anew."""

    code = "connection_cut"
    title = "Sambungan ke server terputus"


class HostSpeaksOddly(Refused):
    """The server's answer is too long or not in the agreed form."""

    status = 502
    code = "host_speaks_oddly"
    title = "Jawaban server tidak dapat dipercaya"


class CannotEnrol(Refused):
    """The server lacks what an enrolment needs; nothing was changed on it."""

    code = "cannot_enrol"
    title = "Server belum dapat didaftarkan"


class MalformedRequest(Incomplete):
    """The request breaks the helper's own grammar; no server was asked."""

    code = "malformed_request"


# --- Whom to ask, and what comes back --------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server as it is registered."""

    address: str
    port: int
    user: str
    key: Path
    """Alur's private SSH key (Ed25519, OpenSSH form)."""
    host_key: str
    """The pinned host key, `ssh-ed25519 AAAA…`."""


@dataclass(frozen=True)
class Limits:
    """How long a server may take and how much it may say."""

    connect: float = 10.0
    """Seconds until connected and signed in, each."""
    silence: float = 90.0
    """Seconds without a word."""
    total: float = 1800.0
    """Seconds for the whole request."""
    line_bytes: int = 8 << 20
    all_bytes: int = 32 << 20


class Line(BaseModel):
    """One line of a server's answer; which fields are filled depends on `kind`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["step", "facts", "need", "sent", "done", "refused"]
    step: str = ""
    state: Literal["", "start", "done", "unchanged", "failed"] = ""
    text: str = ""
    """Indonesian, from the helper; still foreign text, to be escaped where it is shown."""
    code: str = ""
    """Why it was refused."""
    facts: Facts | None = None
    site: Site | None = None
    """What the application is on the server after the act."""
    live: tuple[str, ...] = ()
    """Applications that are open under a permit which was just revoked."""
    changed: bool = False
    sent: int = 0
    """Bytes of files sent so far."""
    total: int = 0
    """Bytes of files that the server lacks."""


class Blobs(Protocol):
    """Where files are found by their SHA-256 (`shared.store.Store`)."""

    def open(self, digest: str) -> BinaryIO:
        """Open a file for reading bytes."""
        ...


@dataclass(frozen=True)
class HostKey:
    """A host key as a server showed it, to be compared by a person before it is pinned."""

    line: str
    """`ssh-ed25519 AAAA…`."""
    fingerprint: str = field(init=False)
    """`SHA256:…`, as `ssh-keygen -l` prints it."""

    def __post_init__(self) -> None:
        if not _HOST_KEY_LINE.fullmatch(self.line):
            raise MalformedRequest("Kunci server harus berbentuk “ssh-ed25519 AAAA…”. Mohon salin ulang.")
        seen = hashlib.sha256(self.raw).digest()
        object.__setattr__(self, "fingerprint", f"SHA256:{base64.b64encode(seen).decode().rstrip('=')}")

    @property
    def raw(self) -> bytes:
        """Return the key's bytes."""
        return base64.b64decode(self.line.split()[1])


# --- The request -----------------------------------------------------------------------------------------


def run(
    server: Server, request: Request, blobs: Blobs | None = None, *, limits: Limits | None = None
) -> Iterator[Line]:
    """Ask the server's helper one thing and yield its answer as it comes; the last line is done or refused.

    Files that the server says it lacks are streamed from `blobs` in between. Close the iterator to hang up;
    the helper ends its verb all the same. Refuses `MalformedRequest` (nobody was asked), `HostUnreachable`,
    `HostKeyChanged`, `KeyNotAccepted`, `ConnectionCut`, `HostSpeaksOddly`.
    """
    _check(request)
    yield from _converse(server, _ASK, request.line(), blobs, limits or Limits())


_ASK = "alur"
"""What is asked to be executed: a name only. The gate on the server runs the helper whatever is asked."""


def ask(server: Server, request: Request, *, limits: Limits | None = None) -> Line:
    """Ask a short thing and return its answer: the facts of `inspect`, else the last line."""
    lines = list(run(server, request, limits=limits))
    return next((line for line in lines if line.kind == "facts"), lines[-1])


def probe_host_key(address: str, port: int) -> HostKey:
    """Return the host key that a server shows, without signing in; refuses `HostUnreachable`."""
    with _transport(address, port, Limits().connect) as transport:
        key = transport.get_remote_server_key()
    return HostKey(f"{HOST_KEY} {key.get_base64()}")


def _check(request: Request) -> None:
    try:
        host_helper.checked({**request.params, "verb": request.verb})
    except host_helper.Refusal as refusal:
        raise MalformedRequest(
            Sentence("{text} Server tidak dihubungi; mohon perbaiki isiannya.", text=refusal.text)
        ) from None


def _converse(server: Server, command: str, opening: bytes, blobs: Blobs | None, limits: Limits) -> Iterator[Line]:
    with _signed_in(server, limits) as transport:
        try:
            channel = transport.open_session(timeout=limits.connect)
            channel.settimeout(limits.silence)
            channel.exec_command(command)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise ConnectionCut("Sambungan terputus sebelum permintaan sampai. Mohon ulangi.") from error
        # A helper that hangs up before it has read everything has said why.
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            _send(channel, opening)
        for line in _lines(channel, limits):
            parsed, needed = _parsed(line)
            yield parsed
            if parsed.kind in ("done", "refused"):
                return
            if parsed.kind == "need":
                yield from _stream(channel, needed, blobs, parsed.total)
    raise ConnectionCut(
        "Sambungan terputus sebelum server selesai menjawab. Mohon periksa keadaan server, lalu ulangi."
    )


@contextlib.contextmanager
def _signed_in(server: Server, limits: Limits) -> Iterator[paramiko.Transport]:
    pinned = HostKey(server.host_key)
    with _transport(server.address, server.port, limits.connect) as transport:
        shown = transport.get_remote_server_key()
        if shown.get_name() != HOST_KEY or not hmac.compare_digest(shown.asbytes(), pinned.raw):
            raise HostKeyChanged(
                Sentence(
                    "Kunci server {address} bukan yang terdaftar ({fingerprint}). Tidak ada yang dikirim. Mohon "
                    "hubungi Divisi Infrastruktur sebelum server ini dipakai lagi.",
                    address=server.address,
                    fingerprint=pinned.fingerprint,
                )
            )
        try:
            transport.auth_publickey(server.user, paramiko.Ed25519Key.from_private_key_file(str(server.key)))
        except paramiko.AuthenticationException:
            raise KeyNotAccepted(
                "Server tidak menerima kunci Alur. Mohon daftarkan ulang server ini atau periksa akunnya."
            ) from None
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostUnreachable("Server terputus ketika Alur masuk. Mohon ulangi.") from error
        yield transport


@contextlib.contextmanager
def _transport(address: str, port: int, timeout: float) -> Iterator[paramiko.Transport]:
    try:
        link = socket.create_connection((resolved(address, port), port), timeout=timeout)
    except (OSError, UnicodeError) as error:
        raise HostUnreachable(
            Sentence(
                "Server {address} pada port {port} tidak menjawab. Mohon periksa jaringan dan servernya.",
                address=address,
                port=port,
            )
        ) from error
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(link)
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = timeout
        choice = transport.get_security_options()
        choice.ciphers, choice.digests, choice.kex = CIPHERS, MACS, EXCHANGES
        choice.key_types = (HOST_KEY,)
        try:
            transport.start_client(timeout=timeout)
            # A time-out passes by in silence here; without a key there was no agreement.
            transport.get_remote_server_key()
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise HostUnreachable(
                Sentence(
                    "Server {address} tidak menjawab sebagai server SSH yang aman. Mohon periksa servernya.",
                    address=address,
                )
            ) from error
        yield transport
    finally:
        transport.close()
        link.close()


def _send(channel: paramiko.Channel, data: bytes | bytearray) -> None:
    channel.sendall(bytes(data))


def _lines(channel: paramiko.Channel, limits: Limits) -> Iterator[bytes]:
    """Yield the lines of the answer without their ends; a last line without an end is not one."""
    until = time.monotonic() + limits.total
    waiting = bytearray()
    heard = 0
    while True:
        try:
            piece = channel.recv(1 << 16)
        except TimeoutError:
            raise ConnectionCut("Server terlalu lama diam. Mohon periksa keadaan server, lalu ulangi.") from None
        except (OSError, EOFError, paramiko.SSHException):
            return
        if not piece:
            return
        heard += len(piece)
        waiting += piece
        if heard > limits.all_bytes or (len(waiting) > limits.line_bytes and b"\n" not in piece):
            raise HostSpeaksOddly("Jawaban server terlalu panjang dan tidak dibaca lagi. Mohon periksa servernya.")
        if time.monotonic() > until:
            raise ConnectionCut("Server terlalu lama bekerja. Mohon periksa keadaan server, lalu ulangi.")
        *whole, rest = waiting.split(b"\n")
        for line in whole:
            if len(line) > limits.line_bytes:
                raise HostSpeaksOddly("Jawaban server terlalu panjang. Mohon periksa servernya.")
            yield bytes(line)
        waiting = bytearray(rest)


def _parsed(raw: bytes) -> tuple[Line, list[str]]:
    try:
        said = json.loads(raw.decode("utf-8", "replace"))
        if isinstance(said, dict):
            return _read(said)
    except (ValueError, RecursionError, KeyError, TypeError, ValidationError):
        pass
    raise HostSpeaksOddly("Jawaban server tidak dalam bentuk yang disepakati. Mohon periksa servernya.")


def _read(said: dict[str, object]) -> tuple[Line, list[str]]:
    text = _plain(said.get("text", ""))
    if "step" in said:
        return Line.model_validate(
            {"kind": "step", "step": _plain(said["step"], 40), "state": said["state"], "text": text}
        ), []
    if "refused" in said:
        return Line(kind="refused", code=_plain(said["refused"], 60), text=text), []
    if "need" in said:
        needed = said["need"]
        if not isinstance(needed, list) or any(
            not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest) for digest in needed
        ):
            raise TypeError("a list of digests was agreed")
        return Line.model_validate({"kind": "need", "total": said["bytes"]}), needed
    if "facts" in said:
        return Line.model_validate({"kind": "facts", "facts": said["facts"]}), []
    done = said["done"]
    if not isinstance(done, dict):
        raise TypeError("an object was agreed")
    known = {name: done[name] for name in ("site", "live", "changed") if name in done}
    return Line.model_validate({"kind": "done", **known}), []


def _plain(value: object, limit: int = 600) -> str:
    if not isinstance(value, str):
        raise TypeError("text was agreed")
    return host_helper.plain(value, limit)


def _stream(channel: paramiko.Channel, needed: list[str], blobs: Blobs | None, total: int) -> Iterator[Line]:
    """Send the files that the server lacks, each with its name and size before it; then `end`.

    When the server hangs up in between it has said why: that is read by the caller.
    """
    if blobs is None:
        raise HostSpeaksOddly("Server meminta berkas yang tidak ditawarkan. Mohon periksa servernya.")
    waiting = bytearray()
    sent = shown = 0
    try:
        for digest in needed:
            with blobs.open(digest) as file:
                size = file.seek(0, 2)
                file.seek(0)
                waiting += f"{digest} {size}\n".encode()
                while piece := file.read(_PIECE):
                    waiting += piece
                    sent += len(piece)
                    # Small files travel together: a packet each would cost more than they weigh.
                    if len(waiting) >= _PIECE:
                        _send(channel, waiting)
                        waiting.clear()
                    if sent - shown >= _PROGRESS_BYTES:
                        shown = sent
                        yield Line(kind="sent", sent=sent, total=total)
        _send(channel, waiting + b"end\n")
    except (TimeoutError, EOFError, paramiko.SSHException):
        return
    except OSError as error:
        # A closed channel says so in this way; a store that cannot be read is another matter.
        if channel.closed or "closed" in str(error).lower():
            return
        raise
    yield Line(kind="sent", sent=sent, total=total)


# --- Enrolment: with an administrator's login, once --------------------------------------------------------


@dataclass(frozen=True)
class Enrolment:
    """What a fresh server is given so that Alur can ask it, and only that."""

    client_key: str
    """Alur's public SSH key, `ssh-ed25519 AAAA…`."""
    permit_key: str
    """The security division's public permit key (PEM); several in one allow a change of keys."""
    allow_from: tuple[str, ...] = ()
    """Addresses from which Alur signs in; empty allows any."""
    closed_allow: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses that may see the closed addresses: this server's own and Alur's."""
    domains: tuple[str, ...] = ()
    """Base domains that the server serves; empty allows any."""
    listen: tuple[str, ...] = ("80", "[::]:80")
    front: str = "127.0.0.1:80"


# The program text and its input travel on standard input, so the command is a constant: nothing is pasted in.
_ENROL = (
    "/usr/bin/python3 -I -c 'import sys;i=sys.stdin.buffer;s=i.read(int(i.readline()));"
    'g={"__name__":"alur_enrolment"};exec(compile(s,"host_helper.py","exec"),g);sys.exit(g["enrol"](s))\''
)


def enrol(admin: Server, enrolment: Enrolment) -> Iterator[Line]:
    """Prepare a fresh server with an administrator's login: account, helper, permit key, gate; yields the steps.

    `admin` is root or an account with `sudo` without a password. Done again it changes only what differs.
    Refuses `CannotEnrol`, else as `run` does.
    """
    source = Path(host_helper.__file__).read_bytes()
    request = {
        "client_key": " ".join(enrolment.client_key.split()[:2]),
        "permit_key": enrolment.permit_key,
        "allow_from": list(enrolment.allow_from),
        "config": {
            "closed_allow": list(enrolment.closed_allow),
            "domains": list(enrolment.domains),
            "listen": list(enrolment.listen),
            "front": enrolment.front,
        },
    }
    opening = f"{len(source)}\n".encode() + source + json.dumps(request).encode() + b"\n"
    command = _ENROL if admin.user == "root" else f"sudo -n {_ENROL}"
    heard = False
    try:
        for line in _converse(admin, command, opening, None, Limits()):
            heard = True
            yield line
    except ConnectionCut:
        if heard:
            raise
        raise CannotEnrol(
            "Server tidak menjalankan program pendaftaran. Mohon pastikan Python 3.9 atau yang lebih baru (paket "
            "python3) terpasang dan akun pengelola boleh memakai sudo tanpa kata sandi."
        ) from None
