"""W2, W5, W8, W9, W10, W18, W20: what is sent in the hope that more happens than should, through the real gateway."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import httpx
import pytest
from sqlalchemy import text

from shared import identity
from shared.keys import DIVISIONS, GATEWAY
from tests.attacks.campus import FOREIGN, OWN, PDF, Campus, proposal_fields

pytestmark = pytest.mark.timeout(400)
EVIL = "jahat.example"
LEAKS = re.compile(
    r"Traceback|File \"|site-packages|sqlalchemy|psycopg|SELECT |INSERT |UPDATE |uvicorn|starlette|fastapi|pydantic|"
    r"/tmp/|/work|root:|PRIVATE KEY|services[./]|0x[0-9a-f]{8}",
    re.IGNORECASE,
)
"""What would tell somebody outside how the inside is made."""


@pytest.fixture(scope="module")
def described(campus: Campus) -> dict[str, Any]:
    """Return the description of the whole API."""
    found: dict[str, Any] = campus.visitor("").get("/api/openapi.json").json()
    assert found["x-silent"] == []
    return found


def fingerprints(campus: Campus, *services: str) -> dict[tuple[str, str], str]:
    """Return a digest of every table of these divisions: what a refused request must not change."""
    found = {}
    for service in services or DIVISIONS:
        with campus.databases[service].session() as session:
            names = session.execute(
                text(
                    "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN "
                    "('pg_catalog', 'information_schema') ORDER BY 1, 2"
                )
            ).all()
            for schema, table in names:
                rows = "coalesce(string_agg(one::text, ',' ORDER BY one::text), '')"
                whole = f'SELECT md5({rows}) FROM "{schema}"."{table}" AS one'
                found[service, f"{schema}.{table}"] = str(session.execute(text(whole)).scalar())
    return found


# --- W2: fields that nobody asked for ------------------------------------------------------------------------------


def test_w2_every_json_body_forbids_fields_that_nobody_asked_for(described: dict[str, Any]) -> None:
    shapes, lax, bodies = described["components"]["schemas"], set(), 0

    def look(value: Any, seen: set[str]) -> None:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                shape = shapes[name]
                if shape.get("type") == "object" and shape.get("additionalProperties") is not False:
                    lax.add(name)
                look(shape, seen)
            for inner in value.values():
                look(inner, seen)
        elif isinstance(value, list):
            for inner in value:
                look(inner, seen)

    for operations in described["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                bodies += 1
                look(body["schema"], set())

    assert lax == set()
    assert bodies > 60


SMUGGLED: dict[str, Any] = {
    "id": str(uuid4()),
    "status": "approved",
    "approved_by": str(uuid4()),
    "approved_by_id": str(uuid4()),
    "proposer_id": str(uuid4()),
    "roles": ["head"],
    "unit": "BAAK",
    "vendor": "MSK",
    "amount": 1,
    "edition": 99,
    "created_at": "2000-01-01T00:00:00Z",
}


@pytest.mark.parametrize("field", SMUGGLED)
def test_w2_a_proposal_takes_no_field_that_is_not_its_writers_to_set(campus: Campus, field: str) -> None:
    by = campus.visitor("pengusul.bpeg")
    before = fingerprints(campus, "proposal")

    answer = by.post("/api/proposals", proposal_fields(**{field: SMUGGLED[field]}))

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert fingerprints(campus, "proposal") == before


def test_w2_an_upload_takes_no_field_beside_its_file(campus: Campus) -> None:
    """A form with a file is read field by field: what is not named reaches nothing."""
    by = campus.visitor("pengusul.bpeg")
    made = by.post("/api/proposals", proposal_fields()).json()
    file = {"letter": ("surat.pdf", PDF, "application/pdf")}

    answer = by.ask(
        "POST", f"/api/proposals/{made['id']}/letter", files=file, data={"status": "approved", "unit": "FST"}
    )

    after = by.get(f"/api/proposals/{made['id']}").json()
    assert answer.status_code == 200
    assert (after["status"], after["unit"]) == (made["status"], made["unit"]) == ("draft", "BPEG")


def test_w2_a_page_form_takes_no_field_that_it_does_not_show(campus: Campus) -> None:
    by = campus.visitor("penyedia.ckd")
    before = fingerprints(campus, "helpdesk")
    form = {"body": "Sudah dicoba lagi.", "status": "closed", "reporter_id": str(campus.person("pengguna2").id)}

    answer = campus.visitor("staf.layanan1").ask(
        "POST",
        f"/tiket/{campus.things[OWN]['ticket_id']}/jawaban",
        data={**form, "form_token": campus.visitor("staf.layanan1").form_token},
    )

    assert answer.status_code == 422
    assert fingerprints(campus, "helpdesk") == before
    assert by.get("/api/session").status_code == 200


# --- W5: headers that claim ----------------------------------------------------------------------------------------

CLAIMS = [
    {"host": EVIL},
    {"host": f"{EVIL}:80@127.0.0.1"},
    {"x-forwarded-host": EVIL},
    {"x-forwarded-proto": "gopher"},
    {"x-forwarded-for": "203.0.113.9, 203.0.113.10"},
    {"forwarded": f"for=203.0.113.9;host={EVIL};proto=https"},
    {"x-real-ip": "203.0.113.9"},
    {"x-original-url": "/inner/authority"},
    {"x-rewrite-url": "/inner/authority"},
    {"x-http-method-override": "DELETE"},
    {"x-alur-number": "RAHASIA1"},
    {"x-alur-title": EVIL},
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: next(iter(claim)))
@pytest.mark.parametrize("path", ["/masuk", "/", "/perkara", "/api/cases", "/api/tidak-ada", "/tidak-ada"])
def test_w5_no_answer_follows_what_a_header_claims(campus: Campus, path: str, claim: dict[str, str]) -> None:
    for username in ("", "pengusul.bpeg"):
        by = campus.visitor(username)
        plain, claimed = by.get(path), by.get(path, headers=claim)

        assert claimed.status_code == plain.status_code
        assert claimed.headers.get("location", "") == plain.headers.get("location", "")
        told = str(dict(claimed.headers)) + claimed.text
        assert EVIL not in told and "RAHASIA1" not in told and "203.0.113" not in told
        assert "domain=" not in claimed.headers.get("set-cookie", "").lower()


def test_w5_nobody_becomes_somebody_by_the_gateways_own_header(campus: Campus) -> None:
    head = identity.Caller(person=campus.person("kepala"))
    for service in DIVISIONS:
        forged = identity.sign(head, key=b"x" * 32, audience=service)
        true = identity.sign(head, key=campus.apps[service].state.person_key, audience=service)
        # Even a true one, had it leaked, counts only behind the gateway.
        for header in (forged, true, "null", ""):
            answer = campus.visitor("").get("/api/waiting", headers={identity.HEADER: header})
            assert answer.status_code == 401
            for path in ("/api/cases", "/api/contracts", "/api/servers", "/api/security-tests", "/api/tickets"):
                assert campus.visitor("").get(path, headers={identity.HEADER: header}).status_code == 401
        told = campus.visitor("pengguna1").get("/api/servers", headers={identity.HEADER: true})
        assert told.status_code == 403


def test_w5_a_division_takes_no_header_of_another_division(campus: Campus) -> None:
    """A key stolen from one division opens none of the others."""
    caller = identity.Caller(person=campus.person("kepala"))
    for thief in DIVISIONS:
        for service in DIVISIONS:
            header = identity.sign(caller, key=campus.apps[thief].state.person_key, audience=service)
            answered = _inside(campus, service, header)
            assert answered == (200 if thief == service else 401), (thief, service)


def _inside(campus: Campus, service: str, header: str) -> int:
    async def send() -> int:
        transport = httpx.ASGITransport(campus.apps[service], raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://inner") as client:
            return (await client.get("/api/waiting", headers={identity.HEADER: header})).status_code

    return anyio.run(send)


def test_w5_a_header_that_stands_twice_does_not_count_twice(campus: Campus) -> None:
    by = campus.visitor("pengguna1")
    cookie = by.client.cookies["alur"]
    other = campus.visitor("kepala").client.cookies["alur"]
    host, port = urlsplit(campus.url).hostname or "", urlsplit(campus.url).port or 0

    both = raw(host, port, f"GET /api/session HTTP/1.1\r\nHost: x\r\nCookie: alur={cookie}; alur={other}\r\n")
    twice = raw(
        host, port, f"GET /api/session HTTP/1.1\r\nHost: x\r\nCookie: alur={cookie}\r\nCookie: alur={other}\r\n"
    )

    assert both.startswith("HTTP/1.1 401")
    assert "kepala" not in twice


# --- W8: handles of strangers' uploads -----------------------------------------------------------------------------


def test_w8_a_strangers_file_cannot_be_used_by_its_handle(campus: Campus) -> None:
    own, foreign = campus.things[OWN], campus.things[FOREIGN]
    before = fingerprints(campus)
    zipped = {"file": ("a.zip", b"PK\x05\x06" + b"\0" * 18, "application/zip")}
    letter = {"letter": ("surat.pdf", PDF, "application/pdf")}
    item = {"item": "architecture"}
    mixed = [
        {"hosting_id": own["hosting_id"], "build_id": foreign["build_id"]},
        {"hosting_id": foreign["hosting_id"], "build_id": own["build_id"]},
    ]
    claim = {"term": 1, "invoice_number": "1"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        *(("staf.infra1", "/api/installations", {"json": body}) for body in mixed),
        ("penyedia.ckd", "/api/builds", {"files": zipped, "data": {"case_number": foreign["number"]}}),
        ("penyedia.ckd", f"/api/contracts/{foreign['contract_id']}/documents", {"files": zipped, "data": item}),
        ("penyedia.ckd", f"/api/contracts/{foreign['contract_id']}/claims", {"json": claim}),
        ("pengusul.bpeg", f"/api/proposals/{foreign['draft_id']}/letter", {"files": letter}),
        ("pengusul.bpeg", f"/api/proposals/{foreign['draft_id']}/submission", {"json": None}),
        ("pengguna1", f"/api/tickets/{foreign['ticket_id']}/addition", {"json": {"body": "Saya ikut."}}),
    ]  # fmt: skip

    refused = [(path, campus.visitor(name).ask("POST", path, **more).status_code) for name, path, more in asked]

    assert {status for _, status in refused} <= {403, 404, 409, 422}, refused
    assert {status for path, status in refused if foreign["contract_id"] in path} == {404}, refused
    assert fingerprints(campus) == before


def test_w8_a_digest_opens_no_file_of_the_store_that_is_no_paper(campus: Campus) -> None:
    """The store is shared: what lies there under a digest (a build, a delivered document) is not a paper of a case."""
    stored = {path.name for path in campus.store.folder.rglob("*") if re.fullmatch("[0-9a-f]{64}", path.name)}
    papers = {campus.things[OWN]["digest"], campus.things[FOREIGN]["digest"]}
    by = campus.visitor("kepala")

    opened = {digest for digest in stored if by.get(f"/api/papers/{digest}").status_code == 200}

    assert papers <= opened
    with campus.databases["proposal"].session() as session:
        known = set(session.execute(text("SELECT digest FROM paper")).scalars())
    assert opened <= known


# --- W9: paths and names -------------------------------------------------------------------------------------------

PATHS = [
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2f..%2f..%2fetc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e/%252e%252e/etc/passwd",
    "/static/..%5c..%5cetc%5cpasswd",
    "/static/..\\..\\etc\\passwd",
    "/static//etc/passwd",
    "/static/%00",
    "/static/" + "a" * 9000,
    "/api/papers/..%2f..%2fkeys%2fpermit.key",
    "/api/papers/%2e%2e%2f%2e%2e%2fkeys",
    "/api/cases/..%2f..%2finner%2fauthority",
    "/api/cases/%2e%2e/servers",
    "/api/../inner/authority",
    "/inner/authority",
    "/inner/doors",
    "/inner/audit",
    "/Inner/authority",
    "//inner/authority",
    "/./inner/authority",
    "/%69nner/authority",
    "/%2finner/authority",
    "/inner%2fauthority",
    "/;/inner/authority",
    "/api/..;/inner/authority",
    "/inner\\authority",
    "/inner/papers/AAAA",
    "http://127.0.0.1/inner/authority",
    "/api/cases/\uff0e\uff0e/x",
    "/api/cases/%ff%fe",
    "/api/cases/%c0%ae%c0%ae/x",
    "/api/cases/A%0d%0aSet-Cookie:%20x=1",
    "/api/cases/A%00.pdf",
    "/api/tickets/%27%20OR%20%271%27=%271",
]  # fmt: skip


def raw(host: str, port: int, head: str) -> str:
    """Send a request as it stands, to the byte, and return the whole answer."""
    with socket.create_connection((host, port), timeout=20) as line:
        line.sendall(f"{head}Connection: close\r\n\r\n".encode())
        heard = b""
        while piece := line.recv(65536):
            heard += piece
    return heard.decode("utf-8", "replace")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_w9_no_path_leads_out_of_its_place(campus: Campus, path: str) -> None:
    host, port = urlsplit(campus.url).hostname or "", urlsplit(campus.url).port or 0
    cookie = campus.visitor("uji.admin").client.cookies["alur"]

    answer = raw(host, port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nCookie: alur={cookie}\r\n")

    status = int(answer.split(" ", 2)[1])
    head, _, body = answer.partition("\r\n\r\n")
    assert status in (400, 404, 414, 422, 431), answer[:300]
    assert "\nset-cookie: x=1" not in head.lower()
    assert not LEAKS.search(body), body[:400]
    assert "prefixes" not in body and '"own_roles"' not in body


NAMES = [
    "../../../../etc/cron.d/alur",
    "..\\..\\windows\\system32\\a.pdf",
    "/etc/passwd",
    "a" * 3000 + ".pdf",
    "surat\r\nContent-Type: text/html\r\n\r\n<script>alurxss()</script>.pdf",
    "surat\u202efdp.exe",
    '";filename="jahat.html',
    "CON.pdf",
    ".htaccess",
    "~/.ssh/authorized_keys",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_w9_a_file_name_is_only_a_word(campus: Campus, name: str) -> None:
    before = {path for path in campus.home.rglob("*") if not path.is_dir()}
    by = campus.visitor("pengusul.bpeg")
    place = f"/api/proposals/{by.post('/api/proposals', proposal_fields()).json()['id']}"

    answer = by.ask("POST", f"{place}/letter", files={"letter": (name, PDF, "application/pdf")})

    assert answer.status_code in (200, 400, 422), answer.text
    new = {path for path in campus.home.rglob("*") if not path.is_dir()} - before
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in new), new
    case = by.get(f"/api/cases/{by.get(place).json()['number']}").json()
    for paper in case["papers"]:
        file = by.get(f"/api/papers/{paper['digest']}")
        told = file.headers["content-disposition"]
        assert told.startswith("attachment") and file.headers["x-content-type-options"] == "nosniff"
        assert ".." not in told and "/" not in told.replace("*=UTF-8''", "") and "<" not in told and "\\" not in told


# --- W10: addresses to which Alur would go -------------------------------------------------------------------------

FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "::ffff:169.254.169.254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "127.1",
    "10.1",
    "1.2.3.4.5",
    "http://169.254.169.254/latest/meta-data",
    "169.254.169.254/latest",
    "user@127.0.0.1",
    "127.0.0.1:6379",
    "[::1]",
    "localhost\r\nHELO",
    "a..b",
    "-oProxyCommand=id",
    "metadata.google.internal\u0000",
    "１２７.0.0.1",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_w10_no_odd_form_and_no_place_that_is_nobodys_server_is_taken(campus: Campus, address: str) -> None:
    by = campus.visitor("staf.infra1")
    before = fingerprints(campus, "deploy")

    looked = by.post("/api/servers/probe", {"address": address, "port": 22})
    page = by.ask("POST", "/server/pemeriksaan", data={"address": address, "port": "22", "form_token": by.form_token})

    assert (looked.status_code, page.status_code) == (422, 422), looked.text
    assert fingerprints(campus, "deploy") == before


def test_w10_only_the_register_of_servers_takes_an_address(described: dict[str, Any]) -> None:
    """By design: identity provider, mail, WhatsApp, Telegram and the broker are settings; no request names them."""
    names = re.compile(r"url|uri|host$|address|issuer|endpoint|webhook|callback|server$|proxy|domain", re.IGNORECASE)
    asked = set()
    shapes = described["components"]["schemas"]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name in _fields(content["schema"], shapes, set()):
                    if names.search(name):
                        asked.add((path, name))

    assert asked == {
        ("/api/servers/probe", "address"),
        ("/api/servers", "address"),
        ("/api/servers", "connect_address"),
        ("/api/servers", "base_domain"),
        ("/api/hostings", "subdomain"),
        ("/api/hostings/{hosting_id}/acceptance", "server"),
        # Where a person's own notices and the invitation go: mail addresses and telephones, no machines.
        ("/api/notice-settings/{kind}/codes", "address"),
        ("/api/invitations", "address"),
        ("/api/people/{person_id}/reset", "address"),
    }


def _fields(schema: Any, shapes: dict[str, Any], seen: set[str]) -> Iterator[str]:
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            yield from _fields(shapes[name], shapes, seen | {name})
        for key, inner in schema.get("properties", {}).items():
            yield key
            yield from _fields(inner, shapes, seen)
        for key in ("items", "anyOf", "allOf", "oneOf"):
            yield from _fields(schema.get(key), shapes, seen)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _fields(inner, shapes, seen)


# --- W18: a step of the SOP left out -------------------------------------------------------------------------------

STEPS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("koor.aplikasi", "/api/proposals/{draft_id}/acceptance", None),
    ("koor.aplikasi", "/api/proposals/{draft_id}/return", {"reason": "Lengkapi dahulu."}),
    ("staf.aplikasi1", "/api/proposals/{draft_id}/analysis",
     {"summary": "Kebutuhan jelas dan terukur sekali.", "recommendation": "proceed"}),
    ("koor.aplikasi", "/api/proposals/{submitted_id}/recommendation", {"words": "Layak."}),
    ("kepala", "/api/proposals/{submitted_id}/approval", {"words": "Setuju."}),
    ("kepala", "/api/proposals/{submitted_id}/rejection", {"reason": "Tidak perlu lagi."}),
    ("koor.aplikasi", "/api/proposals/{submitted_id}/work-programme-entry", {"indicator": "1", "estimated_amount": 5}),
    ("koor.aplikasi", "/api/proposals/{submitted_id}/conclusion", None),
    ("koor.aplikasi", "/api/budget-plans/{plan_id}/lock", None),
    ("koor.aplikasi", "/api/conveyances", {"plan_id": "{plan_id}"}),
    ("koor.aplikasi", "/api/conveyances/{conveyance_id}/sign-off", None),
    ("kepala", "/api/conveyances/{conveyance_id}/approval", None),
    ("perencanaan", "/api/conveyances/{conveyance_id}/ceiling",
     {"amount": 40, "accounts": [{"account_code": "525113", "amount": 40}], "fund_source": "PNBP BLU",
      "document_number": "DIPA-1"}),
    ("ppk", "/api/contracts/{contract_id}/signature", None),
    ("koor.aplikasi", "/api/contracts/{contract_id}/document-acceptance", None),
    ("bendahara", "/api/claims/{claim_id}/payment",
     {"spm_number": "SPM-1", "sp2d_number": "SP2D-1", "paid_on": "2026-11-01"}),
    ("koor.aplikasi", "/api/claims/{claim_id}/verification", None),
    ("ppk", "/api/handovers/{handover_id}/signature", None),
    ("koor.infra", "/api/hostings/{hosting_id}/acceptance", {"server": "web-ckd"}),
    ("koor.infra", "/api/installations/{installation_id}/approval", None),
    ("kepala", "/api/releases/{release_id}/authorisation", None),
    ("staf.infra1", "/api/releases/{release_id}/go-live", None),
    ("staf.infra1", "/api/releases/{release_id}/roll-back", {"reason": "Kembali ke yang lama."}),
    ("staf.keamanan1", "/api/security-tests/{test_id}/start", None),
    ("staf.keamanan1", "/api/security-tests/{test_id}/submission", None),
    ("koor.keamanan", "/api/security-tests/{test_id}/verdict", {"verdict": "pass", "note": "Lulus saja."}),
    ("koor.keamanan", "/api/security-tests/{test_id}/return", {"reason": "Ulangi dahulu."}),
    ("pengguna1", "/api/tickets/{ticket_id}/closing", None),
]  # fmt: skip
"""Each by a person who may do it, at a moment when it is not its turn."""


@pytest.mark.parametrize(
    ("username", "path", "body"),
    STEPS,
    ids=[path.rpartition("}")[0][5:] + path.rpartition("/")[2] for _, path, _ in STEPS],
)
def test_w18_no_step_is_done_before_its_turn(
    campus: Campus, username: str, path: str, body: dict[str, Any] | None
) -> None:
    things = campus.things[OWN]
    service = next(iter(_owners(campus, path)))
    before = fingerprints(campus, service)
    filled = json.loads(json.dumps(body).replace("{plan_id}", things["plan_id"])) if body else body

    answer = campus.visitor(username).post(path.format(**things), filled)

    assert answer.status_code == 409, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert fingerprints(campus, service) == before


def _owners(campus: Campus, path: str) -> set[str]:
    return {name for name, route in campus.routes() if route.path.split("/")[:3] == path.split("/")[:3]} - {GATEWAY}


# --- W20: what goes wrong tells nothing ----------------------------------------------------------------------------

BROKEN = {
    "proposal": ("application_case", "/api/cases", "/perkara", "kepala"),
    "budget": ("contract", "/api/contracts", "/kontrak", "kepala"),
    "deploy": ("server", "/api/servers", "/server", "staf.infra1"),
    "security": ("security_test", "/api/security-tests", "/uji-keamanan", "kepala"),
    "helpdesk": ("ticket", "/api/tickets", "/tiket", "kepala"),
    GATEWAY: ("token", "/api/tokens", "/saya", "kepala"),
}


@pytest.mark.parametrize("service", BROKEN)
def test_w20_a_bug_in_any_division_tells_a_number_and_nothing_else(campus: Campus, service: str) -> None:
    table, api, page, username = BROKEN[service]
    by = campus.visitor(username)
    with campus.databases[service].transaction() as session:
        session.execute(text(f'ALTER TABLE "{table}" RENAME TO gone'))
    try:
        told, drawn = by.get(api), by.get(page)
    finally:
        with campus.databases[service].transaction() as session:
            session.execute(text(f'ALTER TABLE gone RENAME TO "{table}"'))

    assert (told.status_code, drawn.status_code) == (500, 500)
    assert told.headers["content-type"] == "application/problem+json" and told.json()["code"] == "internal"
    assert re.search(r"nomor [0-9A-F]{8}", told.json()["detail"])
    for answer in (told, drawn):
        assert not LEAKS.search(answer.text.replace("/static/", "")), LEAKS.search(answer.text)
        assert "server" not in answer.headers


MALFORMED: list[tuple[str, bytes]] = [
    ("application/json", b"{nope"),
    ("application/json", b"\xff\xfe{\x00}\x00"),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"a":' * 20_000),
    ("application/json", b'{"term": 1e999999, "amount": ' + b"9" * 20_000 + b"}"),
    ("application/json", b"NaN"),
    ("application/json", b'"teks saja"'),
    ("application/json", b"null"),
    ("application/json; charset=utf-16", '{"name": "x"}'.encode("utf-16")),
    ("application/json", b'{"name": "\\ud800"}'),
    ("application/json", b'{"name": "\\u0000"}'),
    ("text/xml", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>"),
    ("application/x-www-form-urlencoded", b"a" * 1000 + b"=%zz&&&=&"),
    ("multipart/form-data", b"tanpa batas"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"; filename="\r\n'),
    ("application/octet-stream", b"\x80" * 100),
    ("", b"{}"),
]
DOORS = [
    ("pengusul.bpeg", "/api/proposals"),
    ("koor.aplikasi", "/api/contracts"),
    ("staf.aplikasi1", "/api/hostings"),
    ("staf.keamanan1", "/api/security-tests/{test_id}/findings"),
    ("pengguna1", "/api/tickets"),
    ("kepala", "/api/tokens"),
    ("", "/api/session"),
]


@pytest.mark.parametrize(("username", "path"), DOORS, ids=[path for _, path in DOORS])
def test_w20_what_cannot_be_read_is_refused_in_words(campus: Campus, username: str, path: str) -> None:
    by = campus.visitor(username)
    wrong = []
    for kind, body in MALFORMED:
        answer = by.ask("POST", path.format(**campus.things[OWN]), content=body, headers={"content-type": kind})
        is_told = answer.headers.get("content-type") == "application/problem+json" and bool(answer.json()["detail"])
        if not 400 <= answer.status_code < 500 or not is_told or LEAKS.search(answer.text):
            wrong.append((kind, body[:30], answer.status_code, answer.text[:300]))

    assert wrong == []


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/cases HTTP/1.1\r\nHost: x\r\nX-Besar: " + "a" * 100_000 + "\r\n",
        "GET /api/cases HTTP/1.1\r\nHost: x\r\n" + "X-Banyak: a\r\n" * 5000,
        "GET /api/cases HTTP/1.1\r\nHost: x\r\nCookie: " + "alur=x; " * 3000 + "\r\n",
        "GET /api/cases HTTP/9.9\r\nHost: x\r\n",
        "OMONG KOSONG\r\n",
        "GET /api/cases HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n",
        "POST /api/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "TRACE / HTTP/1.1\r\nHost: x\r\n",
        "CONNECT mail.example:25 HTTP/1.1\r\nHost: x\r\n",
    ],
    ids=["huge", "many", "cookies", "version", "nonsense", "length", "smuggling", "trace", "connect"],
)
def test_w20_heads_that_are_none_are_refused_without_a_word_of_the_inside(campus: Campus, head: str) -> None:
    host, port = urlsplit(campus.url).hostname or "", urlsplit(campus.url).port or 0
    try:
        answer = raw(host, port, head)
    except ConnectionError:
        answer = ""

    assert not LEAKS.search(answer), answer[:400]
    assert not answer or 400 <= int(answer.split(" ", 2)[1]) < 500, answer[:200]
    assert campus.visitor("").get("/api/health").status_code == 200
