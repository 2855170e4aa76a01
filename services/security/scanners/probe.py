"""A look at the installed application from outside, over HTTP, as a visitor, a burglar and a search engine.

It goes to the address that it is given and nowhere else: no redirect is followed, no name is looked up.
An answer counts by its content, since many applications answer 200 to everything.
"""

import contextlib
import hashlib
import http.client
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.security.scanners import Finding, ScanResult, Severity, fingerprint, printable
from services.security.verdict import Policy, standing_policy
from shared.addresses import resolved

ENGINE = "probe"
VERSION = "1"

VISITOR = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"}
SEARCH_ENGINE = {
    "User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Referer": "https://www.google.com/",
}
FROM_SEARCH = {**VISITOR, "Referer": "https://www.google.com/search?q=slot"}


@dataclass(frozen=True)
class SiteTarget:
    """One installed build at its closed address."""

    digest: str
    """The build that is said to be installed there."""
    host: str
    """The name in the Host header."""
    address: str
    """The IP address to connect to."""
    port: int
    index: str = "/"
    """The page that must answer 200."""
    tls: ssl.SSLContext | None = None
    """Given when the closed address speaks TLS; it decides what certificate is trusted."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Paths that are served unchanged, with the SHA-256 of their content from the manifest."""


@dataclass(frozen=True)
class Answer:
    """One answer, its body cut."""

    path: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    cut: bool

    def header(self, name: str) -> str:
        """Return the values of a header, joined; empty when it is absent."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def text(self) -> str:
        """The body as text, lenient."""
        return self.body.decode("utf-8", "replace")


class NoAnswer(Exception):  # noqa: N818 - a fact about the site, told in the result
    """The site did not answer, or not as HTTP."""


@dataclass(frozen=True)
class _Exposure:
    """A path that must not be there, and what its content looks like when it is."""

    rule: str
    paths: tuple[str, ...]
    sign: re.Pattern[bytes]
    severity: Severity
    control: str
    cwe: str
    title: str
    risk: str
    recommendation: str
    secret: bool = False
    """The content itself is not repeated as evidence."""
    never_page: bool = False
    """What begins like a page is none: an application may answer 200 to everything."""


_DUMP = rb"\A(PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|SQLite format 3)|CREATE TABLE|INSERT INTO|-- MySQL dump"
EXPOSURES = (
    _Exposure(
        rule="exposed-env",
        paths=("/.env", "/.env.bak", "/.env.old", "/.env.production"),
        sign=re.compile(rb"^[ \t]*(export )?[A-Z][A-Z0-9_]{2,} ?=", re.MULTILINE),
        severity=Severity.CRITICAL,
        control="K61",
        cwe="CWE-538",
        title="Berkas rahasia .env terbuka untuk umum",
        risk="Kata sandi basis data dan kunci aplikasi dapat dibaca siapa saja; seluruh data dapat diambil.",
        recommendation="Letakkan .env di luar folder publik, tolak berkas titik, ganti semua rahasia.",
        secret=True,
        never_page=True,
    ),
    _Exposure(
        rule="exposed-git",
        paths=("/.git/config", "/.git/HEAD"),
        sign=re.compile(rb"\[core\]|\Aref: refs/|\A[0-9a-f]{40}\s*\Z"),
        severity=Severity.HIGH,
        control="K61",
        cwe="CWE-527",
        title="Riwayat kode (.git) terbuka untuk umum",
        risk="Seluruh kode berikut kata sandi lama di dalamnya dapat diunduh orang luar.",
        recommendation="Keluarkan folder .git dari kemasan dan tolak berkas berawalan titik di server web.",
        secret=True,
    ),
    _Exposure(
        rule="exposed-backup",
        paths=(
            *("/backup.zip", "/backup.sql", "/backup.tar.gz", "/backup.sql.gz", "/db.sql", "/dump.sql"),
            *("/database.sql", "/database.sqlite", "/www.zip", "/public_html.zip", "/html.zip"),
        ),
        sign=re.compile(_DUMP),
        severity=Severity.HIGH,
        control="K61",
        cwe="CWE-530",
        title="Berkas cadangan terbuka untuk umum",
        risk="Salinan data atau kode dapat diunduh orang luar.",
        recommendation="Hapus berkas cadangan dari folder publik dan simpan di penyimpanan cadangan.",
        secret=True,
        never_page=True,
    ),
    _Exposure(
        rule="exposed-source",
        paths=(
            "/index.php~",
            "/index.php.bak",
            "/config.php.bak",
            "/wp-config.php.bak",
            "/config.inc.php.bak",
        ),
        sign=re.compile(rb"<\?php"),
        severity=Severity.HIGH,
        control="K61",
        cwe="CWE-540",
        title="Salinan kode sumber terbuka untuk umum",
        risk="Kode dan kata sandi di dalamnya dapat dibaca orang luar.",
        recommendation="Hapus berkas .bak dan ~ dari kemasan.",
        secret=True,
    ),
    _Exposure(
        rule="phpinfo",
        paths=("/phpinfo.php", "/info.php", "/test.php", "/i.php"),
        sign=re.compile(rb"<title>[^<]*phpinfo\(\)|PHP Version </"),
        severity=Severity.HIGH,
        control="K70",
        cwe="CWE-497",
        title="Halaman phpinfo terbuka",
        risk="Susunan server dan kadang kata sandi terlihat oleh orang luar.",
        recommendation="Hapus berkas phpinfo.",
        secret=True,
    ),
    _Exposure(
        rule="installer",
        paths=(
            *("/install", "/install/", "/install.php", "/installer/", "/setup/", "/wp-admin/install.php"),
            "/index.php/index/install",
        ),
        sign=re.compile(rb"(?i)<(title|h1)[^<>]{0,200}>[^<]{0,200}(install|instalasi|setup wizard)"),
        severity=Severity.HIGH,
        control="K70",
        cwe="CWE-1188",
        title="Halaman pemasangan masih terbuka",
        risk="Orang luar dapat memasang ulang aplikasi dan menguasainya.",
        recommendation="Hapus atau kunci halaman pemasangan setelah selesai.",
    ),
    _Exposure(
        rule="directory-listing",
        paths=(
            "/uploads/",
            "/upload/",
            "/files/",
            "/storage/",
            "/assets/",
            "/images/",
            "/public/",
            "/backup/",
        ),
        sign=re.compile(rb"(?i)<title>\s*(index of|directory listing)"),
        severity=Severity.MEDIUM,
        control="K61",
        cwe="CWE-548",
        title="Isi folder dapat dilihat siapa saja",
        risk="Dokumen yang tidak dimaksudkan untuk umum dapat ditemukan dan diunduh.",
        recommendation="Matikan daftar isi folder (autoindex) di server web.",
    ),
)

# Words that no campus page needs, and words that count only together with others.
GAMBLING_STRONG = tuple(
    re.compile(rf"\b{words}\b", re.IGNORECASE)
    for words in (
        *(r"gacor", r"max\s?win", r"slot\s?(88|777|online|deposit|dana|pulsa)", r"togel", r"sbobet"),
        *(r"scatter hitam", r"pragmatic\s?play", r"rtp (live|slot)", r"judi (slot|bola|online)"),
        *(r"situs slot", r"bandar (togel|judi|slot)", r"mahjong ways", r"gates of olympus"),
    )
)
GAMBLING_WEAK = tuple(
    re.compile(rf"\b{words}\b", re.IGNORECASE)
    for words in (
        r"slot",
        r"judi",
        r"casino",
        r"jackpot",
        r"taruhan",
        r"bonus new member",
        r"deposit",
        r"betting",
    )
)

_TROUBLE = re.compile(
    rb"Traceback \(most recent call last\)|Stack trace:|SQLSTATE\[|Fatal error:|on line <b>\d"
    rb"|Whoops, looks like|Werkzeug Debugger"
)
_HEADERS: tuple[tuple[str, str, Severity, str, str], ...] = (
    ("X-Content-Type-Options", "nosniff", Severity.MEDIUM, "CWE-693", "X-Content-Type-Options: nosniff"),
    (
        "Content-Security-Policy",
        "",
        Severity.MEDIUM,
        "CWE-693",
        "Content-Security-Policy yang membatasi skrip",
    ),
    ("Referrer-Policy", "", Severity.LOW, "CWE-200", "Referrer-Policy: strict-origin-when-cross-origin"),
)


class ProbeScanner:
    """The engine `probe`."""

    engine = ENGINE

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or standing_policy()

    def scan(self, target: SiteTarget) -> ScanResult:
        """Look at the site from outside (S08); a request without an answer makes the result incomplete."""
        visit = _Visit(target, self.policy.engines[ENGINE])
        visit.all()
        return ScanResult(
            engine=ENGINE,
            version=VERSION,
            policy_digest=self.policy.engine_digest(ENGINE),
            digest=target.digest,
            complete=not visit.problems,
            problems=tuple(visit.problems),
            findings=tuple({finding.fingerprint: finding for finding in visit.findings}.values()),
            scanned_files=tuple(visit.seen),
            isolation="",
        )


class _Visit:
    """One scan of one site."""

    def __init__(self, target: SiteTarget, rules: Mapping[str, Any]) -> None:
        self.target = target
        self.seconds_each = float(rules["seconds_each"])
        self.ends = time.monotonic() + float(rules["seconds_all"])
        self.most = int(rules["body_kb"]) << 10
        self.problems: list[str] = []
        self.findings: list[Finding] = []
        self.seen: list[str] = []
        if rules["version"] != VERSION:
            self.problems.append(f"Pemeriksa versi {VERSION}, sedangkan aturan meminta {rules['version']}.")

    def all(self) -> None:
        """Make every visit; the first one decides whether the rest is worth it."""
        try:
            index = self._ask(self.target.index)
        except NoAnswer as silence:
            self.problems.append(f"Alamat uji tidak menjawab: {silence}. Mohon periksa pemasangannya.")
            return
        self._served(index)
        self._headers(index)
        self._cookies(index)
        self._versions(index)
        self._gambling(index)
        self._exposures(index)
        self._methods()
        self._missing_page()
        self._files()

    def _ask(
        self,
        path: str,
        *,
        headers: Mapping[str, str] = VISITOR,
        method: str = "GET",
        most: int | None = None,
    ) -> Answer:
        """Make one request, within its own time and that of all; raises `NoAnswer`."""
        seconds = min(self.seconds_each, self.ends - time.monotonic())
        if seconds <= 0:
            raise NoAnswer("waktu pemeriksaan habis")
        most = self.most if most is None else most
        began = time.monotonic()
        with _connected(self.target, seconds) as connection:
            try:
                connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                connection.putheader("Host", self.target.host)
                connection.putheader("Connection", "close")
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                response = connection.getresponse()
                body = response.read(most + 1)
                expected = response.getheader("Content-Length", "")
                answer = Answer(path, response.status, response.getheaders(), body[:most], len(body) > most)
            except (OSError, http.client.HTTPException, ValueError) as trouble:
                raise NoAnswer(printable(str(trouble) or type(trouble).__name__, most=120)) from None
        # A line that we cut, or that the site cut, reads like the end of the page.
        if time.monotonic() - began >= seconds or (expected.isdigit() and len(body) < min(int(expected), most)):
            raise NoAnswer("jawaban terpotong atau terlalu lambat")
        self.seen.append(f"{method} {path}")
        return answer

    def _try(self, path: str, **options: Any) -> Answer | None:
        """Ask; silence is a problem of the scan, and None."""
        try:
            return self._ask(path, **options)
        except NoAnswer as silence:
            self.problems.append(f"{printable(path)} tidak menjawab: {silence}.")
            return None

    def _found(self, rule: str, where: str, evidence: str, **words: Any) -> None:
        self.findings.append(
            Finding(
                fingerprint=fingerprint(ENGINE, rule, where, ""),
                engine=ENGINE,
                rule=rule,
                where=where,
                evidence=printable(evidence),
                **words,
            )
        )

    def _served(self, index: Answer) -> None:
        if index.status == 200:
            return
        to = f" dan menunjuk ke {printable(index.header('Location'), most=100)}" if 300 <= index.status < 400 else ""
        self.problems.append(
            f"Halaman {printable(index.path)} menjawab {index.status}{to}, bukan 200. "
            "Mohon perbaiki pemasangan atau isi alamat halaman depannya."
        )

    def _headers(self, index: Answer) -> None:
        policy = index.header("Content-Security-Policy").lower()
        lacking = [
            (name, severity, cwe, advice)
            for name, wanted, severity, cwe, advice in _HEADERS
            if not index.header(name) or wanted not in index.header(name).lower()
        ]
        if "frame-ancestors" not in policy and not index.header("X-Frame-Options"):
            lacking.append(("X-Frame-Options", Severity.MEDIUM, "CWE-1021", "X-Frame-Options: SAMEORIGIN"))
        if self.target.tls is not None and not index.header("Strict-Transport-Security"):
            hsts = "Strict-Transport-Security: max-age=31536000"
            lacking.append(("Strict-Transport-Security", Severity.MEDIUM, "CWE-319", hsts))
        for name, severity, cwe, advice in lacking:
            self._found(
                f"header-{name.lower()}",
                index.path,
                f"{name}: {index.header(name) or '(tidak ada)'}",
                severity=severity,
                control="K72",
                cwe=cwe,
                title=f"Header keamanan {name} belum dipasang",
                risk="Peramban tidak diberi tahu cara melindungi pengunjung dari halaman yang disisipi.",
                recommendation=f"Pasang di server web atau aplikasi: {advice}.",
            )

    def _cookies(self, index: Answer) -> None:
        for name, value in index.headers:
            if name.lower() != "set-cookie":
                continue
            cookie, *rest = value.split(";")
            flags = {part.strip().partition("=")[0].lower() for part in rest}
            wanted = {"httponly": "HttpOnly", "samesite": "SameSite"}
            if self.target.tls is not None:
                wanted["secure"] = "Secure"
            if lacking := [word for flag, word in wanted.items() if flag not in flags]:
                label = printable(cookie.partition("=")[0], most=60)
                self._found(
                    f"cookie-{label}",
                    index.path,
                    f"{label}=•••; {'; '.join(part.strip() for part in rest)}",
                    severity=Severity.MEDIUM,
                    control="K12",
                    cwe="CWE-1004" if "HttpOnly" in lacking else "CWE-614",
                    title=f"Cookie {label} tanpa {', '.join(lacking)}",
                    risk="Sesi pengguna lebih mudah dicuri lewat halaman yang disisipi atau jaringan.",
                    recommendation="Beri cookie sesi atribut Secure, HttpOnly, dan SameSite=Lax.",
                )

    def _versions(self, index: Answer) -> None:
        for name in ("Server", "X-Powered-By", "X-AspNet-Version", "X-Generator"):
            value = index.header(name)
            if value and (name != "Server" or any(sign.isdigit() for sign in value)):
                self._found(
                    f"version-{name.lower()}",
                    index.path,
                    f"{name}: {value}",
                    severity=Severity.LOW,
                    control="K72",
                    cwe="CWE-200",
                    title="Versi perangkat lunak terlihat dari luar",
                    risk="Penyerang lebih mudah memilih celah yang cocok.",
                    recommendation=f"Sembunyikan header {name} atau nomor versinya di server web.",
                )

    def _gambling(self, index: Answer) -> None:
        """Read the page as each kind of visitor: injected pages show themselves to search engines only."""
        views = [("pengunjung biasa", index)]
        for who, headers in (
            ("mesin pencari", SEARCH_ENGINE),
            ("pengunjung dari mesin pencari", FROM_SEARCH),
        ):
            if answer := self._try(self.target.index, headers=headers):
                views.append((who, answer))
        if sitemap := self._try("/sitemap.xml"):
            views.append(("peta situs", sitemap))
        for who, answer in views:
            strong = _words(GAMBLING_STRONG, answer.text + answer.header("Location"))
            weak = _words(GAMBLING_WEAK, answer.text)
            if not strong and len(weak) < 4:
                continue
            self._found(
                "gambling",
                answer.path,
                f"Terlihat oleh {who}: {', '.join((strong + weak)[:12])}",
                severity=Severity.CRITICAL if len(strong) + len(weak) >= 2 else Severity.HIGH,
                control="K48",
                cwe="CWE-506",
                title="Kata-kata judi online pada halaman",
                risk="Situs kampus dipakai untuk promosi judi; nama baik dan peringkat pencarian rusak.",
                recommendation="Periksa kode dan folder unggahan, bersihkan sisipan, tutup celah masuknya.",
            )
            # One finding is enough; the first view that shows it is the plainest.
            return

    def _exposures(self, index: Answer) -> None:
        for exposure in EXPOSURES:
            for path in exposure.paths:
                answer = self._try(path, most=64 << 10)
                if answer is None or answer.status != 200 or answer.body == index.body:
                    continue
                if exposure.never_page and answer.body.lstrip().startswith(b"<"):
                    continue
                if not (match := exposure.sign.search(answer.body)):
                    continue
                seen = "" if exposure.secret else f": {match.group()[:80].decode('utf-8', 'replace')}"
                self._found(
                    exposure.rule,
                    path,
                    f"Menjawab 200, {len(answer.body)}{'+' if answer.cut else ''} bita{seen}",
                    severity=exposure.severity,
                    control=exposure.control,
                    cwe=exposure.cwe,
                    title=exposure.title,
                    risk=exposure.risk,
                    recommendation=exposure.recommendation,
                )

    def _methods(self) -> None:
        canary = secrets.token_hex(8)
        answer = self._try("/", method="TRACE", headers={**VISITOR, "X-Alur": canary})
        if answer and answer.status == 200 and canary.encode() in answer.body:
            self._found(
                "trace",
                "/",
                "TRACE dijawab 200 beserta isi permintaan",
                severity=Severity.MEDIUM,
                control="K65",
                cwe="CWE-693",
                title="Metode TRACE menyala",
                risk="Isi permintaan berikut cookie dapat terbaca lewat halaman yang disisipi.",
                recommendation="Matikan metode TRACE di server web.",
            )

    def _missing_page(self) -> None:
        """Ask for a page that cannot exist, to see what an error tells."""
        path = f"/alur-{secrets.token_hex(8)}.php"
        answer = self._try(path)
        if answer and (match := _TROUBLE.search(answer.body)):
            self._found(
                "error-detail",
                "/(halaman yang tidak ada)",
                match.group().decode("utf-8", "replace"),
                severity=Severity.MEDIUM,
                control="K30",
                cwe="CWE-209",
                title="Pesan kesalahan membuka isi dalam aplikasi",
                risk="Susunan kode dan basis data terlihat oleh orang luar.",
                recommendation="Matikan mode debug dan tampilkan pesan kesalahan umum.",
            )

    def _files(self) -> None:
        """Compare what is served with the build, byte for byte."""
        for path, digest in self.target.files.items():
            answer = self._try(path, most=64 << 20)
            if answer is None:
                continue
            seen = hashlib.sha256(answer.body).hexdigest()
            if answer.status != 200 or answer.cut or seen != digest:
                self._found(
                    "served-file-differs",
                    path,
                    f"Menjawab {answer.status}, SHA-256 {seen}, seharusnya {digest}",
                    severity=Severity.CRITICAL,
                    control="K50",
                    cwe="CWE-353",
                    title="Berkas yang disajikan bukan berkas dalam kemasan",
                    risk="Yang berjalan di server bukan yang diuji.",
                    recommendation="Pasang ulang kemasan ini dan selidiki siapa yang mengubah server.",
                )


def _words(patterns: Sequence[re.Pattern[str]], text: str) -> list[str]:
    found = []
    for pattern in patterns:
        if match := pattern.search(text):
            found.append(match.group().lower())
    return found


@contextlib.contextmanager
def _connected(target: SiteTarget, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """Connect to the given address; after `seconds` the line is cut, however slowly it still drips."""
    connection = http.client.HTTPConnection(target.host, timeout=seconds)
    try:
        line = socket.create_connection((resolved(target.address, target.port), target.port), timeout=seconds)
    except (OSError, UnicodeError) as trouble:
        raise NoAnswer(printable(getattr(trouble, "strerror", None) or str(trouble), most=120)) from None
    cut = threading.Timer(seconds, _cut, [line])
    cut.daemon = True
    cut.start()
    try:
        if target.tls is not None:
            try:
                line = target.tls.wrap_socket(line, server_hostname=target.host)
            except (OSError, ValueError) as trouble:
                raise NoAnswer(f"TLS: {printable(str(trouble), most=120)}") from None
        connection.sock = line
        yield connection
    finally:
        cut.cancel()
        connection.close()
        line.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
