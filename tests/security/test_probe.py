"""The look from outside, at real HTTP servers on loopback."""

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from services.security.scanners import ScanResult, Severity
from services.security.scanners.probe import ProbeScanner, SiteTarget
from services.security.verdict import Policy, standing_policy

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
Page = tuple[int, dict[str, str], bytes]
Pages = Callable[[BaseHTTPRequestHandler], Page]


@contextlib.contextmanager
def site(answer: Pages) -> Iterator[SiteTarget]:
    """Serve what `answer` says on a free port."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "web"
        sys_version = ""

        def reply(self) -> None:
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_TRACE = reply

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield SiteTarget("d" * 64, "sipus.uji.kampus.test", "127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def pages(served: dict[str, Page | bytes], home: Page | None = None) -> Pages:
    def answer(request: BaseHTTPRequestHandler) -> Page:
        if request.command != "GET":
            return 405, {}, b""
        page = served.get(request.path)
        if request.path == "/" and page is None:
            return home or (200, SAFE, b"<h1>Perpustakaan</h1>")
        if page is None:
            return 404, {}, b"tidak ada"
        return (200, SAFE, page) if isinstance(page, bytes) else page

    return answer


def scan(answer: Pages, **rules: Any) -> ScanResult:
    with site(answer) as target:
        return ProbeScanner(policy(**rules)).scan(target)


def policy(**rules: Any) -> Policy:
    standing = standing_policy()
    return standing.model_copy(update={"engines": {"probe": {**standing.engines["probe"], **rules}}})


def rules_found(result: ScanResult) -> dict[str, Severity]:
    return {finding.rule: finding.severity for finding in result.findings}


def test_a_careful_site_gives_a_complete_scan_without_findings() -> None:
    result = scan(pages({}))

    assert result.problems == ()
    assert result.complete
    assert result.findings == ()
    assert "GET /.env" in result.scanned_files
    assert result.policy_digest == standing_policy().engine_digest("probe")


def test_the_host_name_is_asked_at_the_given_address() -> None:
    hosts: set[str | None] = set()

    def answer(request: BaseHTTPRequestHandler) -> Page:
        hosts.add(request.headers["Host"])
        return 200, SAFE, b"ok"

    scan(answer)

    assert hosts == {"sipus.uji.kampus.test"}


EXPOSED: dict[str, tuple[str, bytes, Severity]] = {
    "/.env": ("exposed-env", b"APP_NAME=Sipus\nDB_PASSWORD=Rahasia123\n", Severity.CRITICAL),
    "/.git/config": ("exposed-git", b"[core]\n\trepositoryformatversion = 0\n", Severity.HIGH),
    "/.git/HEAD": ("exposed-git", b"ref: refs/heads/main\n", Severity.HIGH),
    "/backup.zip": ("exposed-backup", b"PK\x03\x04....", Severity.HIGH),
    "/db.sql": ("exposed-backup", b"-- x\nCREATE TABLE users (id int);", Severity.HIGH),
    "/index.php.bak": ("exposed-source", b"<?php $password = 'Rahasia123';", Severity.HIGH),
    "/phpinfo.php": ("phpinfo", b"<title>PHP 8.2 - phpinfo()</title>", Severity.HIGH),
    "/install/": ("installer", b"<title>Instalasi OJS</title><form>", Severity.HIGH),
    "/uploads/": ("directory-listing", b"<title>Index of /uploads/</title>", Severity.MEDIUM),
}


@pytest.mark.parametrize("path", EXPOSED)
def test_an_exposed_file_is_found(path: str) -> None:
    rule, content, severity = EXPOSED[path]

    result = scan(pages({path: content}))

    assert result.complete
    assert rules_found(result) == {rule: severity}
    (finding,) = result.findings
    assert finding.where == path
    assert finding.control.startswith("K")
    assert finding.risk
    assert finding.recommendation
    assert "Rahasia123" not in result.model_dump_json()


def test_a_page_that_answers_200_to_everything_is_not_an_exposure() -> None:
    def answer(request: BaseHTTPRequestHandler) -> Page:
        if request.command != "GET":
            return 405, {}, b""
        return 200, SAFE, f"<html><script>\nAPI_URL = 1\n</script>{request.path}</html>".encode()

    assert scan(answer).findings == ()


def test_missing_headers_loose_cookies_and_versions_are_found() -> None:
    home = {
        "Server": "nginx/1.18.0",
        "X-Powered-By": "PHP/7.4.3",
        "Set-Cookie": "PHPSESSID=rahasia; path=/",
    }

    result = scan(pages({}, home=(200, home, b"halo")))

    assert rules_found(result) == {
        "header-x-content-type-options": Severity.MEDIUM,
        "header-content-security-policy": Severity.MEDIUM,
        "header-referrer-policy": Severity.LOW,
        "header-x-frame-options": Severity.MEDIUM,
        "cookie-PHPSESSID": Severity.MEDIUM,
        "version-server": Severity.LOW,
        "version-x-powered-by": Severity.LOW,
    }
    assert "rahasia" not in result.model_dump_json()


def test_a_good_cookie_is_not_a_finding() -> None:
    home = {**SAFE, "Set-Cookie": "sesi=x; Path=/; HttpOnly; SameSite=Lax"}

    assert scan(pages({}, home=(200, home, b"halo"))).findings == ()


def test_gambling_words_on_the_page_are_critical() -> None:
    result = scan(pages({}, home=(200, SAFE, b"<a style='display:none'>Slot Gacor Maxwin hari ini</a>")))

    assert rules_found(result) == {"gambling": Severity.CRITICAL}
    assert "pengunjung biasa" in result.findings[0].evidence


@pytest.mark.parametrize(
    ("header", "value", "who"),
    [("User-Agent", "Googlebot", "mesin pencari"), ("Referer", "search?q=", "pengunjung dari mesin pencari")],
)
def test_gambling_words_shown_only_to_search_engines_are_critical(header: str, value: str, who: str) -> None:
    def answer(request: BaseHTTPRequestHandler) -> Page:
        if request.path == "/" and value in request.headers.get(header, ""):
            return 200, SAFE, b"Situs Slot88 gacor, RTP live tertinggi"
        return pages({})(request)

    result = scan(answer)

    assert rules_found(result) == {"gambling": Severity.CRITICAL}
    assert f"oleh {who}:" in result.findings[0].evidence


def test_gambling_in_the_sitemap_or_behind_a_redirect_is_found() -> None:
    assert rules_found(scan(pages({"/sitemap.xml": b"<loc>/slot-online-maxwin</loc>"}))) == {
        "gambling": Severity.CRITICAL
    }

    def answer(request: BaseHTTPRequestHandler) -> Page:
        if "Googlebot" in request.headers.get("User-Agent", ""):
            return 302, {"Location": "https://judi.example/slot-gacor-maxwin"}, b""
        return pages({})(request)

    assert rules_found(scan(answer))["gambling"] is Severity.CRITICAL


def test_ordinary_campus_words_are_not_gambling() -> None:
    text = b"Seminar bahaya judi bagi mahasiswa. Slot waktu pendaftaran dibuka. Template: <slot></slot>"

    assert scan(pages({}, home=(200, SAFE, text))).findings == ()


def test_an_error_that_tells_too_much_is_found() -> None:
    def answer(request: BaseHTTPRequestHandler) -> Page:
        if request.path.startswith("/alur-"):
            return 500, SAFE, b"Traceback (most recent call last): ..."
        return pages({})(request)

    assert rules_found(scan(answer)) == {"error-detail": Severity.MEDIUM}


def test_trace_that_echoes_is_found() -> None:
    def answer(request: BaseHTTPRequestHandler) -> Page:
        if request.command == "TRACE":
            return 200, {}, str(request.headers).encode()
        return pages({})(request)

    assert rules_found(scan(answer)) == {"trace": Severity.MEDIUM}


def test_g5_a_served_file_that_is_not_the_builds_is_critical() -> None:
    digest = hashlib.sha256(b"asli").hexdigest()
    with site(pages({"/app.js": b"asli", "/lain.js": b"diganti"})) as target:
        files = {"/app.js": digest, "/lain.js": digest, "/hilang.js": digest}
        asked = SiteTarget(target.digest, target.host, target.address, target.port, files=files)
        result = ProbeScanner().scan(asked)

    assert {finding.where for finding in result.findings} == {"/lain.js", "/hilang.js"}
    assert rules_found(result) == {"served-file-differs": Severity.CRITICAL}


# --- what makes the look incomplete ---


@pytest.mark.parametrize("status", [302, 403, 500, 503])
def test_g6_an_index_that_is_not_200_makes_the_scan_incomplete(status: int) -> None:
    home = (status, {**SAFE, "Location": "http://169.254.169.254/"}, b"")

    result = scan(pages({}, home=home))

    assert not result.complete
    assert str(status) in result.problems[0]


def test_w10_no_redirect_is_followed() -> None:
    visited: list[str] = []

    def elsewhere(request: BaseHTTPRequestHandler) -> Page:
        visited.append(request.path)
        return 200, {}, b""

    with site(elsewhere) as other:
        to = {"Location": f"http://127.0.0.1:{other.port}/dalam"}
        result = scan(lambda request: (301, {**SAFE, **to}, b""))

    assert visited == []
    assert not result.complete


def test_g6_a_silent_address_makes_the_scan_incomplete() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    result = ProbeScanner().scan(SiteTarget("d" * 64, "x.test", "127.0.0.1", port))

    assert not result.complete
    assert "tidak menjawab" in result.problems[0]


@contextlib.contextmanager
def raw_site(speak: Callable[[socket.socket], None]) -> Iterator[SiteTarget]:
    """Serve raw bytes, one connection at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    with line, contextlib.suppress(OSError):
                        line.recv(65536)
                        speak(line)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield SiteTarget("d" * 64, "x.test", "127.0.0.1", listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        line.sendall(b".")
        threading.Event().wait(0.05)


def header_drip(line: socket.socket) -> None:
    while True:
        line.sendall(b"H")
        threading.Event().wait(0.05)


def endless(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b"x" * 65536)


def short(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nslot")


def nonsense(line: socket.socket) -> None:
    line.sendall(b"\x16\x03\x01\x00 halo\r\n\r\n")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("speak", [drip, header_drip, short, nonsense])
def test_g6_a_slow_cut_or_senseless_answer_makes_the_scan_incomplete(
    speak: Callable[[socket.socket], None],
) -> None:
    with raw_site(speak) as target:
        result = ProbeScanner(policy(seconds_each=0.4, seconds_all=2)).scan(target)

    assert not result.complete


def test_an_endless_answer_is_cut_at_the_cap() -> None:
    with raw_site(endless) as target:
        result = ProbeScanner(policy(body_kb=64)).scan(target)

    assert "GET /" in result.scanned_files
    assert len(result.model_dump_json()) < 100_000


def test_a7_hostile_words_from_the_site_are_inert_in_findings() -> None:
    home = {**SAFE, "X-Powered-By": "\x1b[2J<script>alert(1)</script>" + "A" * 5000}

    result = scan(pages({}, home=(200, home, b"halo")))

    (finding,) = result.findings
    assert finding.evidence.isprintable()
    assert len(finding.evidence) <= 600


def test_a_tls_handshake_that_fails_makes_the_scan_incomplete() -> None:
    with site(pages({})) as target:
        tls = SiteTarget(target.digest, target.host, target.address, target.port, tls=ssl.create_default_context())
        result = ProbeScanner().scan(tls)

    assert not result.complete
    assert "TLS" in result.problems[0]
