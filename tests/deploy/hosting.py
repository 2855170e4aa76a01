"""Builds, permits and a practice host for the tests of everything between Alur and a server."""

import hashlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast
from uuid import UUID, uuid4

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from alur import practice
from alur.settings import free_port
from services.deploy import host_helper
from shared import permit as permits
from shared.manifest import Entry, Manifest

HOSTING = "perpus-utama"
Line = dict[str, Any]


@dataclass
class Build:
    """A static build: its files by path, its list, its bytes by digest."""

    files: Mapping[str, bytes]
    executable: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.blobs = {hashlib.sha256(content).hexdigest(): content for content in self.files.values()}
        self.manifest = Manifest(
            Entry(
                path,
                "755" if path in self.executable else "644",
                len(content),
                hashlib.sha256(content).hexdigest(),
            )
            for path, content in self.files.items()
        )

    @property
    def digest(self) -> str:
        return self.manifest.digest

    @property
    def text(self) -> str:
        return self.manifest.bytes.decode()


def build(word: str, **more: bytes) -> Build:
    """Return a small build that says `word`."""
    files = {
        "index.html": f"<!doctype html><title>{word}</title>".encode(),
        "gaya/utama.css": b"body{color:#123}",
        "gambar/kosong.svg": b"",
        ".rahasia": b"jangan terbaca",
        "naskah/jalan.js": b"void 0",
    }
    return Build({**files, **more}, executable=frozenset({"naskah/jalan.js"}))


@dataclass
class Signer:
    """The security division's key, as far as a host can tell."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def pem(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def permit(
        self,
        digest: str,
        *,
        app: str = "perpus",
        hosting: str = HOSTING,
        issued: timedelta = timedelta(minutes=-5),
        install: timedelta = timedelta(days=14),
        valid: timedelta = timedelta(days=365),
        permit_id: UUID | None = None,
    ) -> permits.SignedPermit:
        """Return a signed permit; the times are counted from now."""
        now = datetime.now(UTC)
        return permits.sign(
            permits.Permit(
                id=permit_id or uuid4(),
                case="PRK/2026/0001",
                application=app,
                digest=digest,
                hosting=hosting,
                policy="a" * 64,
                scans=("S-1",),
                round=1,
                issued_at=now + issued,
                install_until=now + install,
                valid_until=now + valid,
            ),
            self.key,
        )


def install_request(made: Build, *, fence: int = 1, app: str = "perpus", **more: Any) -> dict[str, Any]:
    """Return the request that installs a build closed."""
    return {
        "verb": "install",
        "fence": fence,
        "app": app,
        "hosting": HOSTING,
        "runtime": "static",
        "public": f"{app}.kampus.test",
        "closed": f"{app}-uji.kampus.test",
        "digest": made.digest,
        "manifest": made.text,
        **more,
    }


def open_request(
    signed: permits.SignedPermit, digest: str, *, fence: int = 1, app: str = "perpus", **more: Any
) -> dict[str, Any]:
    """Return the request that opens a release under a permit."""
    return {
        "verb": "open",
        "fence": fence,
        "app": app,
        "hosting": HOSTING,
        "digest": digest,
        "permit": signed.permit,
        "signature": signed.signature,
        "key": signed.key,
        **more,
    }


def site_request(verb: str, *, fence: int = 1, app: str = "perpus", **more: Any) -> dict[str, Any]:
    """Return a request about an application that is there."""
    return {"verb": verb, "fence": fence, "app": app, "hosting": HOSTING, **more}


@dataclass
class Host:
    """A practice host, asked directly (the helper's own standard input) as a stolen Alur would."""

    server: practice.Practice
    signer: Signer
    client: asyncssh.SSHKey

    @property
    def home(self) -> Path:
        return self.server.place.home

    @property
    def site(self) -> Path:
        return self.home / "srv/perpus"

    def helper(self) -> "subprocess.Popen[bytes]":
        """Start the very program that the SSH server starts."""
        return subprocess.Popen(
            [sys.executable, "-I", host_helper.__file__, "--config", str(self.server.place.config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
        )

    def ask_raw(
        self,
        raw: bytes,
        blobs: Mapping[str, bytes] | None = None,
    ) -> list[Line]:
        """Send one line of bytes, answer NEED from `blobs`, return all lines."""
        lines: list[Line] = []
        with self.helper() as helper:
            stdin, stdout = cast(IO[bytes], helper.stdin), cast(IO[bytes], helper.stdout)
            try:
                stdin.write(raw)
                stdin.flush()
                for text in stdout:
                    line = json.loads(text)
                    lines.append(line)
                    if "need" in line:
                        for digest in line["need"]:
                            content = (blobs or {})[digest]
                            stdin.write(f"{digest} {len(content)}\n".encode() + content)
                        stdin.write(b"end\n")
                        stdin.flush()
                stdin.close()
            except BrokenPipeError:
                lines += [json.loads(text) for text in stdout]
            errors = cast(IO[bytes], helper.stderr).read()
        assert not errors, errors.decode()
        return lines

    def ask(
        self,
        request: dict[str, Any],
        made: Build | None = None,
    ) -> list[Line]:
        """Send a request and return every line of the answer."""
        return self.ask_raw(json.dumps(request).encode() + b"\n", made.blobs if made else None)

    def facts(self, **more: Any) -> dict[str, Any]:
        """Return what the host says it is."""
        return cast("dict[str, Any]", self.ask({"verb": "inspect", **more})[0]["facts"])

    def get(self, name: str, path: str = "/") -> tuple[int, bytes, dict[str, str]]:
        """Ask the web server for a page as a visitor would: status, body, headers."""
        link = http.client.HTTPConnection("127.0.0.1", self.server.place.http_port, timeout=10)
        try:
            link.request("GET", path, headers={"Host": name})
            answer = link.getresponse()
            body = answer.read()
            return answer.status, body, {key.lower(): value for key, value in answer.getheaders()}
        finally:
            link.close()

    def reset(self) -> None:
        """Forget every application, for the next test."""
        for folder in ("srv", "state"):
            shutil.rmtree(self.home / folder, ignore_errors=True)
            (self.home / folder).mkdir()
        for vhost in (self.home / "nginx/vhosts").iterdir():
            vhost.unlink()


def refused(lines: list[Line]) -> str:
    """Return the code of a refusal; fails when it was done after all."""
    assert "refused" in lines[-1], lines
    assert lines[-1]["text"].endswith((".", ")")), lines[-1]
    return str(lines[-1]["refused"])


def done(lines: list[Line]) -> Line:
    """Return the last line of something that was done; fails when it was refused."""
    assert "done" in lines[-1], lines
    return cast(Line, lines[-1]["done"])


def states(lines: list[Line]) -> dict[str, str]:
    """Return step -> last state."""
    return {line["step"]: line["state"] for line in lines if "step" in line}


@contextmanager
def running_host() -> Iterator[Host]:
    """Start a practice server in a short temporary folder and stop it again."""
    home = Path(tempfile.mkdtemp(prefix="alur-p-"))
    signer, client = Signer(), asyncssh.generate_private_key("ssh-ed25519")
    (home / "permit.pub").write_bytes(signer.pem())
    (home / "client.pub").write_bytes(client.export_public_key())
    try:
        with practice.start(
            home,
            ssh_port=free_port(),
            http_port=free_port(),
            client_key=home / "client.pub",
            permit_key=home / "permit.pub",
        ) as server:
            yield Host(server, signer, client)
    finally:
        shutil.rmtree(home)
