"""W1, W4, W6: every address asked as every role, for things of their own and of strangers; what came is looked at.

One sweep for the whole file: some three thousand real requests through the real gateway.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.proposal.model import ProgrammeRevision, RegisteredApplication
from shared.database import utc_now
from shared.identity import Role
from shared.keys import GATEWAY
from tests.attacks.campus import FOREIGN, OWN, Campus, proposal_fields, today
from tests.attacks.corpus import PLANTED, XSS, LiveInput

pytestmark = pytest.mark.timeout(400)
CENTRE = frozenset(
    {
        Role.HEAD, Role.APP_HEAD, Role.APP_STAFF, Role.SERVICE_HEAD, Role.SERVICE_STAFF, Role.INFRA_HEAD,
        Role.INFRA_STAFF, Role.SECURITY_HEAD, Role.SECURITY_STAFF,
    }
)  # fmt: skip
READERS = CENTRE | {Role.AUDITOR}
MONEY = frozenset({Role.PLANNING, Role.PPK, Role.TREASURER})
CONTRACT = frozenset({Role.HEAD, Role.APP_HEAD, Role.APP_STAFF, Role.AUDITOR}) | MONEY
HOSTS = frozenset({Role.INFRA_HEAD, Role.INFRA_STAFF, Role.SECURITY_HEAD, Role.SECURITY_STAFF})
DELIVERED = CONTRACT | HOSTS
SERVERS = HOSTS | {Role.HEAD, Role.AUDITOR, Role.ADMIN}
FINDINGS = HOSTS | {Role.HEAD, Role.APP_HEAD, Role.APP_STAFF, Role.AUDITOR}
WATCHERS = frozenset({Role.HEAD, Role.AUDITOR, Role.ADMIN})
KEEPERS = frozenset({Role.ADMIN})
UNIT, FIRM, REPORTER, NOBODY = "unit", "firm", "reporter", "nobody else"
MATES: dict[str, frozenset[str]] = {
    UNIT: frozenset({"pengusul.bpeg", "uji.kepala.bpeg"}),
    FIRM: frozenset({"penyedia.ckd"}),
    REPORTER: frozenset({"pengguna1"}),
    NOBODY: frozenset(),
}
"""Who stands in which relation to the own application; nobody of these to the foreign one."""
STAGE = (READERS | {Role.ADMIN}, (UNIT, FIRM), 404)
"""What belongs to the infrastructure division's installing."""
PROGRAMME = (READERS | {Role.PLANNING, Role.PROPOSER, Role.UNIT_HEAD}, (NOBODY,), 403)
"""The work programme of a year: whole for every unit, never for those who pay, vendors and users (domain §4)."""
WRITTEN = (READERS, (UNIT,), 404)
"""What the unit wrote and handed in."""
PROVING = (frozenset({Role.HEAD, Role.APP_HEAD, Role.AUDITOR}), (NOBODY,), 404)
"""A proof pack holds every paper of a case."""
PUBLISHED = {
    "/proker", "/proker/{year}/revisi/{revision}", "/api/work-programme", "/api/work-programme/{year}",
    "/api/work-programme/{year}/export", "/api/work-programme/{year}/paper", "/api/work-programme/{year}/template",
}  # fmt: skip
"""The work programme of a year is read by every unit that has a place in it, whole (domain §4)."""
TABLE: dict[str, tuple[frozenset[Role], tuple[str, ...], int]] = {
    "/api/proposals/{proposal_id}": WRITTEN,
    **{f"/api/proposals/{{proposal_id}}/{part}": WRITTEN for part in ("draft", "submissions", "attachments", "letter")},
    "/api/attachments/{attachment_id}": WRITTEN,
    "/usulan/{number}": WRITTEN,
    "/usulan/{number}/pengajuan": WRITTEN,
    "/api/proposals/{proposal_id}/comments": (READERS | MONEY, (UNIT,), 404),
    "/perkara/{number}/komentar": (READERS | MONEY, (UNIT,), 404),
    "/perkara/{number}/kak": (READERS | MONEY, (UNIT,), 404),
    "/api/proposals/{proposal_id}/terms-of-reference": (READERS | MONEY, (UNIT,), 404),
    **dict.fromkeys(
        [
            "/api/proposals/{proposal_id}/terms-of-reference/draft",
            "/api/proposals/{proposal_id}/terms-of-reference/draft/{section}",
        ],
        (frozenset({Role.APP_STAFF, Role.APP_HEAD}), (NOBODY,), 404),
    ),
    "/api/similar-applications": (READERS | {Role.PROPOSER, Role.UNIT_HEAD}, (NOBODY,), 403),
    "/api/cases/{number}/time": (READERS | MONEY, (UNIT,), 404),
    **dict.fromkeys(
        ["/api/case-time", "/waktu", "/waktu/{name}.csv"],
        (frozenset(Role) - {Role.VENDOR}, (NOBODY,), 403),
    ),
    "/api/cases/{case_id}/proof-packs": PROVING,
    "/perkara/{number}/bukti": PROVING,
    "/api/proof-packs/{pack_id}": PROVING,
    "/api/proof-packs/{pack_id}/file": PROVING,
    "/api/applications/{code}": (READERS | MONEY, (UNIT, FIRM), 404),
    "/aplikasi-terdaftar/{code}": (READERS | MONEY, (UNIT, FIRM), 404),
    **dict.fromkeys(
        ["/api/application-register/columns", "/api/application-register/export", "/aplikasi-kolom"],
        (READERS, (NOBODY,), 403),
    ),
    "/api/surveys/{survey_id}": (frozenset(Role), (NOBODY,), 404),
    "/survei/{survey_id}": (frozenset(Role), (NOBODY,), 404),
    # What was published is for all; drafts: tests/proposal/test_sop.py.
    **dict.fromkeys(
        [
            "/api/procedure-versions/{version}", "/api/procedure-versions/{version}/paper", "/sop/{version}",
            "/sop/{version}/identitas", "/sop/{version}/langkah/{step}",
        ],
        (frozenset(Role), (NOBODY,), 404),
    ),
    "/api/cases/{number}": (READERS | MONEY, (UNIT, FIRM), 404),
    "/perkara/{number}": (READERS | MONEY, (UNIT, FIRM), 404),
    "/api/papers/{digest}": (READERS, (UNIT,), 404),
    "/api/meetings": (READERS, (NOBODY,), 403),
    "/api/meetings/{meeting_id}": (READERS, (NOBODY,), 404),
    "/api/meetings/{meeting_id}/papers/{digest}": (READERS, (NOBODY,), 404),
    "/api/meeting-items/{item_id}": (READERS, (NOBODY,), 404),
    "/api/meeting-series": (READERS, (NOBODY,), 403),
    "/rapat/seri": (READERS, (NOBODY,), 403),
    "/rapat/{meeting_id}/rapat.ics": (READERS, (NOBODY,), 404),
    "/api/evaluations": (READERS | {Role.PLANNING}, (NOBODY,), 403),
    "/evaluasi": (READERS | {Role.PLANNING}, (NOBODY,), 403),
    "/api/evaluations/{evaluation_id}": (READERS | {Role.PLANNING}, (NOBODY,), 404),
    "/evaluasi/{evaluation_id}": (READERS | {Role.PLANNING}, (NOBODY,), 404),
    "/rapat": (READERS, (NOBODY,), 403),
    "/rapat/{meeting_id}": (READERS, (NOBODY,), 404),
    **dict.fromkeys(PUBLISHED, PROGRAMME),
    "/api/work-programme-sheets/{sheet_id}": (frozenset({Role.APP_HEAD}), (NOBODY,), 404),
    "/proker/impor/{sheet_id}": (frozenset({Role.APP_HEAD}), (NOBODY,), 404),
    "/api/budget-plans/{plan_id}": (READERS | MONEY, (UNIT,), 404),
    "/api/budget-plans/{plan_id}/ledger": (READERS | MONEY, (UNIT,), 404),
    "/rab/{plan_id}": (READERS | MONEY, (UNIT,), 404),
    "/api/conveyances/{conveyance_id}": (READERS | MONEY, (UNIT,), 404),
    "/api/budget-papers/{paper_id}/file": (CONTRACT, (FIRM,), 404),
    "/api/contracts/{contract_id}": (CONTRACT, (FIRM,), 404),
    "/kontrak/{contract_id}": (CONTRACT, (FIRM,), 404),
    "/api/claims/{claim_id}": (CONTRACT, (FIRM,), 404),
    "/tagihan/{claim_id}": (CONTRACT, (FIRM,), 404),
    "/api/contracts/{contract_id}/documents": (DELIVERED, (FIRM,), 404),
    "/kontrak/{contract_id}/dokumen": (DELIVERED, (FIRM,), 404),
    "/api/contract-documents/{document_id}/file": (DELIVERED, (FIRM,), 404),
    "/api/handovers/{handover_id}": (DELIVERED, (FIRM,), 404),
    **dict.fromkeys(
        ["/api/servers", "/server", "/api/servers/{server_id}", "/server/{id}", "/api/servers/probe/{probe_id}"],
        (SERVERS, (NOBODY,), 403),
    ),
    **{f"/api/{noun}s/{{{noun}_id}}": STAGE for noun in ("hosting", "build", "installation", "release")},
    **{f"/{noun}/{{id}}": STAGE for noun in ("hosting", "paket", "instalasi", "rilis")},
    "/api/security-tests/{test_id}": (FINDINGS, (FIRM,), 404),
    "/uji-keamanan/{test_id}": (FINDINGS, (FIRM,), 404),
    "/api/tickets/{ticket_id}": (READERS, (REPORTER,), 404),
    "/tiket/{ticket_id}": (READERS, (REPORTER,), 404),
    **dict.fromkeys(
        [
            "/api/appointments", "/api/audit", "/api/audit/verification", "/api/operations", "/api/operations/messages",
            "/wewenang", "/wewenang/penugasan", "/audit", "/audit/unduhan", "/operasi",
        ],
        (WATCHERS, (NOBODY,), 403),
    ),
    **dict.fromkeys(
        [
            "/api/second-factors", "/api/people", "/api/people/{person_id}", "/api/invitations",
            "/wewenang/langkah-kedua", "/orang", "/orang/undangan", "/orang/{id}",
        ],
        (KEEPERS, (NOBODY,), 403),
    ),
}  # fmt: skip
"""Who reads what (domain §4): roles, relations, and how everybody else is refused. Everything else is in `BOUNDED`."""
BOUNDED = frozenset(
    {
        "/", "/menunggu", "/usulan", "/perkara", "/aplikasi-terdaftar", "/kontrak", "/penyedia", "/tagihan", "/rab",
        "/akun-belanja", "/hosting", "/paket", "/instalasi", "/rilis", "/uji-keamanan", "/tiket", "/dasbor", "/cari",
        "/saya", "/saya/dua-langkah", "/saya/tampilan", "/saya/pemberitahuan", "/saya/akun-kampus", "/saya/kata-sandi",
        "/pemberitahuan", "/api/cases", "/api/applications", "/api/waiting", "/api/search", "/api/figures",
        "/api/budget-plans", "/api/accounts", "/api/vendors", "/api/contracts", "/api/claims", "/api/hostings",
        "/api/builds", "/api/installations", "/api/releases", "/api/security-tests", "/api/tickets", "/api/session",
        "/api/sessions", "/api/tokens", "/api/appearance", "/api/notices", "/api/notices/count",
        "/api/notice-settings", "/api/security-tests/{test_id}/record", "/gaya",
        "/api/working-calendar/{year}", "/hari-kerja", "/hari-kerja/{year}", "/hari-kerja/{year}/berkas",
        "/api/action-items", "/tindak-lanjut", "/sop", "/api/procedure-versions",
    }
)  # fmt: skip
"""For everybody signed in, and each sees their own: lists and pages of oneself. No foreign thing may stand there."""
KNOWN_BUT_CLOSED = {"/api/cases/{case_id}/proof-packs", "/perkara/{number}/bukti"}
"""Whoever reads the case is told that this is not for them (403); to all others there is no such case (404)."""
FEW = ("", "kepala", "pengusul.bpeg", "uji.kepala.bpeg", "penyedia.ckd", "pengguna1", "uji.admin", "staf.infra1")
FOR_NOBODY = frozenset(
    {"/api/openapi.json", "/api/docs", "/masuk", "/masuk/kode", "/masuk/kata-sandi", "/undangan", "/periksa"}
)
"""Open without an account."""
ELSEWHERE = {
    "/api/installations/{installation_id}/log": "a stream: asked below",
    "/api/scans/{scan_id}/log": "a stream: asked below",
    "/dasbor/{part}/{panel}/{table}.csv": "tests/gateway/test_dashboard.py",
    "/usulan/{number}/{section}": "only its writer's, everybody else is sent to /usulan/{number}: asked below",
    "/perkara/{number}/kak/{section}": "only its writers', like the form of a proposal (tests/proposal/test_terms.py)",
    **dict.fromkeys(
        [
            "/perkara/{number}/kak/perbedaan",
            "/perkara/{number}/kak/versi/{version}",
            "/api/proposals/{proposal_id}/terms-of-reference/differences",
            "/api/proposals/{proposal_id}/terms-of-reference/{version}",
        ],
        "needs versions: tests/proposal/test_terms.py",
    ),
    "/rapat/kalender.ics": "open: the key is the proof (tests/proposal/test_meeting_doors.py)",
    "/lanjutkan/{held_id}": "tests/gateway/test_held_forms.py",
    "/konfirmasi/{held_id}": "tests/gateway/test_step_up.py",
    "/masuk/akun-kampus/{name}": "tests/gateway/test_identity_provider.py",
    "/saya/akun-kampus/{name}": "tests/gateway/test_identity_provider.py",
    "/undangan/akun-kampus/{name}": "tests/gateway/test_identity_provider.py",
    "/masuk/akun-kampus/{name}/kembali": "tests/gateway/test_identity_provider.py",
    "/undangan/{token}": "tests/gateway/test_invitations.py",
    "/api/paper-checks/{code}": "tests/gateway/test_paper_check.py",
    "/periksa/{code}": "tests/gateway/test_paper_check.py",
    "/pendapat/{code}": "tests/gateway/test_public_survey.py",
    "/ikuti": "open: the follow code is the proof (tests/proposal/test_follow.py)",
    "/api/health": "open: says only that it stands",
}
IDS = {"/server": "server_id", "/hosting": "hosting_id", "/paket": "build_id", "/instalasi": "installation_id",
       "/rilis": "release_id", "/orang": "person_id"}  # fmt: skip
"""What `{id}` stands for on pages."""
STANDS_FOR = {
    **{f"/api/proposals/{{proposal_id}}/{part}": {"proposal_id": "submitted_id"} for part in ("attachments", "letter")},
    "/api/meetings/{meeting_id}/papers/{digest}": {"digest": "meeting_digest"},
    "/waktu/{name}.csv": {"name": "langkah"},
    **{place: {"version": "1"} for place in ("/api/procedure-versions/{version}", "/sop/{version}")},
    **{place: {"version": "1"} for place in ("/api/procedure-versions/{version}/paper", "/sop/{version}/identitas")},
    "/sop/{version}/langkah/{step}": {"version": "1", "step": "S01"},
    "/api/proposals/{proposal_id}/terms-of-reference/draft/{section}": {"section": "tenaga"},
}
"""What other names stand for at some addresses."""
QUERIES = {
    "/api/similar-applications": "?name=Antrean+Layanan",
    "/api/work-programme": "?fiscal_year=2026",
    "/api/search": "?q=siakad",
    "/cari": "?q=siakad",
}


@dataclass(frozen=True)
class Seen:
    """One answer to one person."""

    path: str
    whose: str
    username: str
    role: Role | None
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def planted(campus: Campus) -> Campus:
    """Return the campus after every text field that takes free text was given hostile text."""
    _plant(campus)
    return campus


@pytest.fixture(scope="module")
def sweep(planted: Campus) -> list[Seen]:
    """Return what each role saw at each address, of the own and the foreign application."""
    campus, found = planted, []
    one_of = {role: username for username, role in reversed(campus.roles.items())}
    names = ["", *sorted({*one_of.values(), "pengusul.bpeg", "penyedia.ckd", "pengguna1", "uji.kepala.bpeg"})]
    for path, place, whose in _addresses(campus):
        # A list that is open to all is looked at by those from whom something is to be hidden, and by the Head.
        for name in names if path in TABLE else FEW:
            answer = campus.visitor(name).get(place)
            role = campus.roles.get(name)
            found.append(Seen(path, whose, name, role, answer.status_code, dict(answer.headers), answer.text))
    return found


def _addresses(campus: Campus) -> Iterator[tuple[str, str, str]]:
    paths = {route.path for _, route in campus.routes() if "GET" in route.methods}
    asked: set[str] = set()
    for path in sorted(paths & (set(TABLE) | BOUNDED | FOR_NOBODY)):
        for whose in (OWN, FOREIGN) if "{" in path else (OWN,):
            things = {**campus.things[whose], "year": "2026", "revision": "1", "code": whose}
            things |= {name: things.get(key, key) for name, key in STANDS_FOR.get(path, {}).items()}
            things["id"] = things.get(IDS.get("/" + path.split("/")[1], ""), "")
            place = re.sub(r"{(\w+)[^}]*}", lambda m: things[m[1]], path) + QUERIES.get(path, "")  # noqa: B023
            if place not in asked:
                # What belongs to no application is asked once.
                asked.add(place)
                yield path, place, whose


# --- W1 -----------------------------------------------------------------------------------------------------------


def test_w1_every_address_stands_in_a_table(campus: Campus) -> None:
    paths = {route.path for _, route in campus.routes() if "GET" in route.methods}

    assert paths - set(TABLE) - BOUNDED - FOR_NOBODY - set(ELSEWHERE) == set(), "say who may read these"
    assert (set(TABLE) | BOUNDED | FOR_NOBODY | set(ELSEWHERE)) - paths == set(), "these are gone"


def test_w1_each_role_reads_what_the_table_says_and_nothing_else(sweep: list[Seen]) -> None:
    wrong, cells = [], 0
    for seen in sweep:
        if seen.path not in TABLE or seen.role is None:
            continue
        roles, relations, refused = TABLE[seen.path]
        is_mate = any(seen.username in MATES[relation] for relation in relations)
        may = seen.role in roles or (is_mate and (seen.whose == OWN or "{" not in seen.path))
        if seen.path in KNOWN_BUT_CLOSED and (seen.role in READERS | MONEY or _is_of_case(seen)):
            refused = 403
        cells += 1
        if seen.status != (200 if may else refused):
            wrong.append((seen.path, seen.whose, seen.username, seen.status))

    assert wrong == []
    assert cells > 1500


def _is_of_case(seen: Seen) -> bool:
    return seen.whose == OWN and seen.username in MATES[UNIT] | MATES[FIRM]


def test_w1_nobody_reads_anything_without_signing_in(sweep: list[Seen]) -> None:
    wrong = []
    for seen in sweep:
        if not seen.username and seen.path not in FOR_NOBODY:
            is_page = not seen.path.startswith("/api")
            if seen.status != (303 if is_page else 401) or (is_page and "/masuk" not in seen.headers["location"]):
                wrong.append((seen.path, seen.status))

    assert wrong == []


def test_w1_no_list_and_no_page_tells_of_a_strangers_thing(sweep: list[Seen], campus: Campus) -> None:
    own = set(campus.things[OWN].values())
    foreign = {value for value in campus.things[FOREIGN].values() if len(value) > 8 and value not in own}
    bounded = {"pengusul.bpeg", "uji.kepala.bpeg", "penyedia.ckd", "pengguna1"}
    told = [
        (seen.path, seen.username, value)
        for seen in sweep
        if seen.username in bounded and seen.status == 200 and seen.path not in PUBLISHED
        for value in foreign
        if value in seen.body
    ]

    assert told == []


def test_w1_a_stream_of_a_strangers_thing_does_not_begin(campus: Campus) -> None:
    for path, name in (("/api/installations/{}/log", "installation_id"), ("/api/scans/{}/log", "scan_id")):
        for username in ("pengguna1", "perencanaan", "penyedia.ckd"):
            answer = campus.visitor(username).get(path.format(campus.things[FOREIGN][name]))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (path, username)
        assert campus.visitor("").get(path.format(campus.things[FOREIGN][name])).status_code == 401


def test_w1_things_of_other_people_are_out_of_reach(campus: Campus) -> None:
    """A session, a token, a notice: found by their id by nobody but their owner, also not by the administrator."""
    things = campus.things[FOREIGN]
    for username in ("pengusul.bpeg", "kepala", "uji.admin", "spi"):
        by = campus.visitor(username)
        assert by.ask("DELETE", f"/api/tokens/{things['token_id']}").status_code == 404, username
        assert by.ask("DELETE", f"/api/sessions/{things['session_id']}").status_code == 404, username
        assert by.post(f"/api/notices/{things['notice_id']}/readings").status_code == 404, username

    owner = campus.visitor("pengusul.baak")
    assert [token["id"] for token in owner.get("/api/tokens").json()] == [things["token_id"]]
    assert owner.get("/api/session").status_code == 200
    assert owner.get("/api/notices/count").json()["unread"] >= 1


def test_w1_a_draft_of_another_unit_is_nobodys_business(campus: Campus) -> None:
    number = campus.things[FOREIGN]["draft_number"]
    for draft in (f"/api/cases/{number}", f"/usulan/{number}", f"/usulan/{number}/identitas"):
        names = ("pengusul.bpeg", "kepala", "perencanaan", "penyedia.ckd", "uji.admin")
        seen = {name: campus.visitor(name).get(draft).status_code for name in names}

        assert set(seen.values()) == {404}, draft
        assert campus.visitor("pengusul.baak").get(draft).status_code == 200


def test_w1_the_form_of_a_proposal_is_its_writers_only(campus: Campus) -> None:
    page = f"/usulan/{campus.things[FOREIGN]['draft_number']}/identitas"
    whole = campus.visitor("spi").get(page)

    assert (whole.status_code, whole.headers["location"]) == (303, page.removesuffix("/identitas"))


@pytest.mark.parametrize("role", ["rektor_bayangan", "HEAD", "head "])
def test_w1_an_unknown_role_opens_nothing(campus: Campus, role: str) -> None:
    """What a newer version or a hand in the database wrote there is no post of this one."""
    username = "uji.kepala.bpeg"
    by = campus.visitor(username)
    with campus.databases[GATEWAY].transaction() as session:
        who = {"username": username}
        of = "person_id = (SELECT id FROM person WHERE username = :username)"
        before = session.execute(text(f"SELECT role FROM appointment WHERE {of}"), who).scalar_one()
        session.execute(text(f"UPDATE appointment SET role = :role WHERE {of}"), {**who, "role": role})
    campus.gateway.memory.forget()
    try:
        asked = ["/api/cases", "/api/budget-plans", "/api/audit", "/api/people", "/api/servers", "/perkara", "/"]
        statuses = {path: by.get(path).status_code for path in asked}
    finally:
        with campus.databases[GATEWAY].transaction() as session:
            session.execute(text(f"UPDATE appointment SET role = :role WHERE {of}"), {**who, "role": before})
        campus.gateway.memory.forget()

    assert set(statuses.values()) <= {401, 403}, statuses


# --- W4 -----------------------------------------------------------------------------------------------------------

SECRET_COLUMNS = {
    GATEWAY: [
        ("person", "password_hash"), ("session", "id"), ("session", "form_token"), ("token", "digest"),
        ("second_factor", "secret"), ("recovery_code", "digest"), ("invitation", "digest"),
        ("pending_sign_in", "id"),
    ]
}  # fmt: skip
HANDLES = {"/api/sessions", "/saya"}
"""There the owner ends a session by its handle: a digest of 256 random bits, from which no cookie can be made."""
FORBIDDEN_KEYS = re.compile(r"passw|secret|kata_sandi|private|form_token|otp|_hash$", re.IGNORECASE)
ALLOWED_KEYS = {"audit_hash", "password_set_at", "form_token"}
"""The audit line's own digest is there to be compared; a session is told its own form token, asked below."""


def test_w4_no_secret_of_the_database_stands_in_any_answer(sweep: list[Seen], campus: Campus) -> None:
    secrets = _secrets(campus)
    handles = {row["id"] for name in campus.roles for row in campus.visitor(name).get("/api/sessions").json()}
    keys = [p.read_bytes().hex() for p in (campus.home / "keys").glob("*.key")]
    own_tokens = {campus.visitor(seen.username).form_token for seen in sweep if seen.username}
    told = []
    for seen in sweep:
        own = campus.visitor(seen.username).form_token if seen.username else ""
        mine = secrets - {own} - (handles if seen.path in HANDLES else set())
        found = [s for s in mine if s in seen.body] + [k for k in keys if k in seen.body]
        told += [(seen.path, seen.username, value[:12]) for value in found]

    assert len(secrets) > 50 and len(own_tokens) > 15
    assert told == []


def _secrets(campus: Campus) -> set[str]:
    found: set[str] = set()
    for service, columns in SECRET_COLUMNS.items():
        with campus.databases[service].session() as session:
            for table, column in columns:
                names = set(
                    session.scalars(
                        text("SELECT column_name FROM information_schema.columns WHERE table_name = :table"),
                        {"table": table},
                    )
                )
                if column in names:
                    values = session.execute(text(f'SELECT "{column}"::text FROM "{table}"')).scalars()
                    found |= {value for value in values if value}
    return found


def test_w4_no_answer_has_a_field_that_is_named_like_a_secret(sweep: list[Seen]) -> None:
    named = set()
    for seen in sweep:
        if "json" in seen.headers.get("content-type", "") and seen.status == 200 and seen.path != "/api/openapi.json":
            for key in _keys(json.loads(seen.body)):
                if FORBIDDEN_KEYS.search(key) and key not in ALLOWED_KEYS:
                    named.add((seen.path, key))
                if key == "form_token" and seen.path != "/api/session":
                    named.add((seen.path, key))

    assert named == set()


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)
PHONE = re.compile(r"(?<![\w.-])\+?62[89]\d{8,11}(?!\d)")
CONTACTS = {"/api/hostings", "/hosting", "/api/hostings/{hosting_id}", "/hosting/{id}"}
"""A request for hosting names whom to call (domain §6): for those who may read it, and only there."""
MAILS = {"/api/invitations", "/orang/undangan", "/orang/{id}", "/orang"}
"""The keeper of the accounts sees to which address an invitation went."""


def test_w4_mail_addresses_and_telephones_stand_only_where_they_are_needed(sweep: list[Seen], campus: Campus) -> None:
    told = set()
    for seen in sweep:
        if seen.status != 200 or seen.path in ("/api/openapi.json", "/api/docs"):
            continue
        # Neither the account by which Alur signs in at a server nor a meeting's name in calendars is a mail address.
        body = re.sub(r"\balur@web\.kampus\.example|\brapat-[0-9a-f-]{36}@", "", seen.body)
        if PHONE.search(body) and seen.path not in CONTACTS:
            told.add((seen.path, seen.username, "telephone"))
        if ADDRESS.search(body) and seen.path not in MAILS:
            told.add((seen.path, seen.username, ADDRESS.search(body)[0]))  # type: ignore[index]

    assert told == set()


# --- W6 -----------------------------------------------------------------------------------------------------------


def test_w6_hostile_text_is_shown_as_text_to_everybody(sweep: list[Seen]) -> None:
    alive: list[tuple[str, str, str]] = []
    shown = 0
    for seen in sweep:
        if not seen.headers.get("content-type", "").startswith("text/html"):
            continue
        parser = LiveInput()
        parser.feed(seen.body)
        alive += [(seen.path, seen.username, fault) for fault in parser.faults]
        shown += PLANTED in seen.body

    assert alive == []
    # The corpus really reached the pages: an empty page proves nothing.
    assert shown > 60


def test_w6_every_page_forbids_scripts_of_others(sweep: list[Seen]) -> None:
    weak = set()
    for seen in sweep:
        policy = seen.headers.get("content-security-policy", "")
        if "unsafe" in policy or "frame-ancestors 'none'" not in policy or "object-src 'none'" not in policy:
            weak.add((seen.path, policy))
        if seen.headers.get("x-content-type-options") != "nosniff":
            weak.add((seen.path, "nosniff"))

    assert weak == set()


def test_w6_a_refused_form_gives_hostile_text_back_as_text(planted: Campus) -> None:
    """Every form of every division, sent with hostile text in each field: whatever comes back is inert."""
    names = _field_names(planted)
    alive, echoed = [], 0
    by = {"proposal": "koor.aplikasi", "budget": "koor.aplikasi", "deploy": "koor.infra", "security": "staf.keamanan1",
          "helpdesk": "staf.layanan1", GATEWAY: "uji.admin"}  # fmt: skip
    for service, route in planted.routes():
        if "POST" not in route.methods or route.path.startswith(("/api", "/masuk", "/keluar", "/undangan", "/saya")):
            continue
        things = planted.things[OWN]
        ids = {"/rapat": "meeting_id", "/evaluasi": "evaluation_id", "/perkara": "proposal_id", "/tiket": "ticket_id",
               "/uji-keamanan": "test_id", "/kontrak": "contract_id", "/rab": "plan_id", "/tagihan": "claim_id",
               "/penyampaian": "conveyance_id", "/serah-terima": "handover_id", **IDS}  # fmt: skip
        known = {**things, "id": things.get(ids.get("/" + route.path.split("/")[1], ""), things["proposal_id"])}
        place = re.sub(r"{(\w+)[^}]*}", lambda m: known.get(m[1], "x"), route.path)  # noqa: B023
        visitor = planted.visitor(by[service])
        form = {name: XSS[n % len(XSS)] for n, name in enumerate(names)} | {"form_token": visitor.form_token}
        answer = visitor.ask(
            "POST",
            place,
            content=urlencode(form),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        parser = LiveInput()
        parser.feed(answer.text)
        alive += [(route.path, fault) for fault in parser.faults]
        echoed += PLANTED in answer.text
        assert answer.status_code < 500, (route.path, answer.text[:300])

    assert alive == []
    assert echoed > 15


def _field_names(campus: Campus) -> list[str]:
    described = campus.visitor("").get("/api/openapi.json").json()
    shapes = described["components"]["schemas"].values()
    return sorted({name for shape in shapes for name in shape.get("properties", {})})[:400]


def _plant(campus: Campus) -> None:
    """Do each act that keeps free text, with hostile text in it, on the own application's things."""
    things, hostile = campus.things[OWN], iter(XSS * 40)

    def bad(longest: int = 4000) -> str:
        return next(one for one in hostile if len(one) <= longest)

    def sent(username: str, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        answer = campus.visitor(username).ask(method, path, json=body)
        assert answer.status_code < 300, (path, answer.status_code, answer.text[:600])
        return answer.json() if answer.content else None

    made = sent(
        "pengusul.bpeg",
        "/api/proposals",
        proposal_fields(
            name=bad(150),
            purpose=bad() + " agar tampil",
            letter_number=bad(80),
            background=bad() * 2,
            benefit=bad() * 2,
            users=bad(),
            indicators=[{"name": bad(100), "target": bad(100), "measure": bad(100)}],
        ),
    )
    assert made["number"]
    accepted = f"/api/proposals/{things['submitted_id']}"
    sent("koor.aplikasi", f"{accepted}/acceptance", {"words": bad()})
    sent(
        "staf.aplikasi1",
        f"{accepted}/analysis",
        {"summary": bad() * 3, "recommendation": "proceed", "advice": bad()},
    )
    sent("koor.aplikasi", f"{accepted}/recommendation", {"words": bad()})
    held = sent(
        "koor.aplikasi",
        f"/api/meetings/{things['meeting_id']}/items",
        {
            "case_number": things["number"],
            "discussion": bad(),
            "decision": "continue",
            "follow_up": bad(200),
            "pic": bad(100),
        },
    )
    printed = sent("koor.aplikasi", f"/api/meetings/{things['meeting_id']}/attendance-sheet", {})
    evaluation = sent(
        "koor.aplikasi",
        "/api/evaluations",
        {"case_id": things["proposal_id"], "from_on": "2026-10-01", "until_on": "2026-11-01"},
    )
    # What is not of one application: whoever may see it sees it of both.
    shared = {"evaluation_id": evaluation["id"], "item_id": held["items"][-1]["id"], "meeting_id": things["meeting_id"]}
    shared |= {"meeting_digest": printed["attendance_digest"], "sheet_id": _sheet(campus)}
    for whose in (OWN, FOREIGN):
        theirs = campus.things[whose]
        theirs |= {**shared, "case_id": theirs["proposal_id"]}
        theirs["pack_id"] = sent("kepala", f"/api/cases/{theirs['proposal_id']}/proof-packs", {})["id"]
    with campus.databases["proposal"].transaction() as session:
        file = {"digest": things["digest"], "size": campus.store.path(things["digest"]).stat().st_size}
        session.execute(text("UPDATE proof_pack SET digest = :digest, size = :size"), file)
        survey = session.execute(text("SELECT id FROM survey WHERE evaluation_id = :id"), {"id": evaluation["id"]})
        things["survey_id"] = campus.things[FOREIGN]["survey_id"] = str(survey.scalar_one())
        session.add(_revision(things["digest"], bad(150)))
        # The foreign application is not in use yet; a stranger may not read it when it is.
        _put_in_use(session, campus.things[FOREIGN], bad(150))
    ticket = f"/api/tickets/{things['ticket_id']}"
    sent("staf.layanan1", f"{ticket}/answer", {"body": bad()})
    sent("pengguna1", f"{ticket}/addition", {"body": bad()})
    sent(
        "pengguna1",
        "/api/tickets",
        {"application": OWN, "title": bad(200), "body": bad(), "category": "gangguan", "priority": "low"},
    )
    with campus.databases["security"].transaction() as session:
        # The engines are elsewhere; a round under review is what takes findings by hand.
        session.execute(text("UPDATE security_test SET status = 'reviewing' WHERE id = :id"), {"id": things["test_id"]})
    sent(
        "staf.keamanan1",
        f"/api/security-tests/{things['test_id']}/findings",
        {
            "title": bad(300),
            "severity": "low",
            "control": "K01",
            "where": bad(500),
            "risk": bad(500),
            "evidence": bad(600),
            "recommendation": bad(),
        },
    )
    sent("penyedia.ckd", "/api/tokens", {"name": bad(100), "days": 3, "scopes": ["read"]})
    sent(
        "kepala",
        "/api/appointments",
        {
            "username": "pengguna2",
            "role": "unit_head",
            "kind": "definitive",
            "title": bad(200),
            "from_on": today(),
            "letter_number": bad(100),
        },
    )
    with campus.databases[GATEWAY].transaction() as session:
        # Names come from directories elsewhere: they are no more to be trusted than what is typed.
        session.execute(text("UPDATE person SET display_name = :name WHERE username = 'pengguna2'"), {"name": bad(150)})
        session.execute(text("UPDATE notice SET title = :title"), {"title": bad(200)})
    with campus.databases["deploy"].transaction() as session:
        session.execute(text("UPDATE hosting SET purpose = :words"), {"words": bad()})
        session.execute(text("UPDATE hosting SET administrative_contact = :words"), {"words": bad(200)})
    with campus.databases["budget"].transaction() as session:
        session.execute(text("UPDATE vendor SET name = :name WHERE code = 'CKD'"), {"name": bad(150)})
        session.execute(text("UPDATE contract SET scope = :words"), {"words": bad()})


def _sheet(campus: Campus) -> str:
    """Return the id of an uploaded sheet of the work programme that waits to be taken over."""
    by = campus.visitor("koor.aplikasi")
    whole = by.get("/api/work-programme/2026/export").content
    answer = by.ask("POST", "/api/work-programme/2026/sheets", files={"file": ("proker.xlsx", whole)})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def _put_in_use(session: Session, theirs: dict[str, str], words: str) -> None:
    case_id = UUID(theirs["case_id"])
    entry = session.scalars(select(RegisteredApplication).where(RegisteredApplication.case_id == case_id)).one()
    entry.name, entry.state, entry.live_since = words, "live", utc_now()
    entry.address, entry.digest = f"https://{FOREIGN}.kampus.example", theirs["digest"]


def _revision(digest: str, words: str) -> ProgrammeRevision:
    """Return a frozen work programme: to freeze it in earnest would close it to the other tests."""
    return ProgrammeRevision(
        fiscal_year=2026,
        revision=1,
        reason=words,
        rows=[],
        total_amount=0,
        number="1",
        paper_digest=digest,
        by_id=uuid4(),
        by_name=words,
    )
