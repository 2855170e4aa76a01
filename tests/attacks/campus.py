"""A whole campus behind its real gateway: five divisions in one process, the demo's people and cases, a port."""

import importlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import select

from alur import demo
from alur.embedded import Postgres
from alur.settings import MachineSettings
from services.budget.model import BudgetPlan, Claim, Contract, Conveyance, Document, Handover, IssuedPaper, Term, Vendor
from services.deploy import actions as deploying
from services.deploy.model import Operation
from services.deploy.plan import make_plan
from services.gateway.actions import person as people
from services.gateway.actions import sign_in
from services.gateway.app import make as make_gateway
from services.gateway.model import Notice
from services.gateway.model import Person as PersonRow
from services.gateway.settings import Settings as GatewaySettings
from services.helpdesk import actions as helping
from services.security import actions as testing
from shared.database import Database, utc_now
from shared.identity import Person, Role
from shared.keys import DIVISIONS, GATEWAY
from shared.messages import ApplicationFacts, ContractSigned, HandedOver
from shared.store import Store
from shared.words import local_date
from tests.deploy.test_actions import FINGERPRINT, FREE, HOST_KEY, archive, hosting_fields, server_fields
from tests.gateway.conftest import serving
from tests.helpdesk.conftest import went_live
from tests.security.conftest import handed_over, installed

MORE_PEOPLE = {
    "uji.admin": (Role.ADMIN, "PUSTIPD", None),
    "uji.kepala.bpeg": (Role.UNIT_HEAD, "BPEG", None),
    "uji.penyedia.msk": (Role.VENDOR, None, "MSK"),
}
"""Whom the demo campus lacks."""
OWN, FOREIGN = "e-presensi", "siakad-yudisium"
"""Two applications that are strangers: of BPEG by the vendor CKD, and of BAAK by the vendor MSK."""
UNLIMITED = 10**6


@dataclass
class Visitor:
    """Somebody signed in by a cookie, as a browser is, or nobody."""

    username: str
    client: httpx.Client
    form_token: str = ""
    person: Person | None = None

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request as a script of our own page would, and return the answer."""
        headers = {"accept": "application/json" if path.startswith("/api") else "text/html"}
        headers |= {"x-form-token": self.form_token} if method not in ("GET", "HEAD") else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Do."""
        return self.ask("POST", path, **({"json": body} if body is not None else {}), **more)


@dataclass
class Campus:
    """The running campus."""

    url: str
    home: Path
    store: Store
    databases: dict[str, Database]
    apps: dict[str, FastAPI]
    gateway: Any
    roles: dict[str, Role]
    cases: dict[str, tuple[UUID, str]] = field(default_factory=dict)
    """Id and number of each application's case, by its code."""
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    """What stands behind the names in the addresses, of the own application and of the foreign one."""
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    def visitor(self, username: str) -> Visitor:
        """Return somebody's browser, signed in on first use; an empty name is nobody."""
        if username not in self._visitors:
            self._visitors[username] = self.entered(username)
        return self._visitors[username]

    def entered(self, username: str) -> Visitor:
        """Return a fresh browser of somebody."""
        client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        if not username:
            return Visitor("", client)
        with self.databases[GATEWAY].transaction() as session:
            row = session.scalars(select(PersonRow).where(PersonRow.username == username)).one()
            signed = sign_in.open_session(session, row, "127.0.0.1", utc_now())
        client.cookies.set("alur", signed.token)
        return Visitor(username, client, signed.caller.form_token, signed.caller.person)

    def person(self, username: str) -> Person:
        """Return somebody as the gateway vouches for them, with a fresh proof."""
        found = self.visitor(username).person
        assert found is not None
        return found

    def routes(self) -> Iterator[tuple[str, APIRoute]]:
        """Yield every route that people can reach, with its service."""
        for name, app in self.apps.items():
            for route in app.router.routes:
                several = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
                for one in several:
                    if getattr(one, "methods", None) and not one.path.startswith("/inner/"):
                        yield name, one

    def close(self) -> None:
        """Give the connections back."""
        for visitor in self._visitors.values():
            visitor.client.close()


@contextmanager
def opened_campus(
    postgres: Postgres, migrated: Callable[[str], str], *, keys_folder: Path, home: Path
) -> Iterator[Campus]:
    """Give a running campus with databases of its own; they are dropped at the end."""
    with ExitStack() as stack:
        urls = {}
        for service in (*DIVISIONS, GATEWAY):
            name = f"attacked_{service}_{uuid4().hex[:6]}"
            postgres.make_database(name, user=service, template=migrated(service))
            stack.callback(postgres.drop_database, name)
            urls[service] = postgres.url(name, service)
        machine = MachineSettings(home=home, demo=False)
        demo.load_campus(machine, urls, say=lambda _: None)
        given: dict[str, Any] = {"keys_folder": keys_folder, "files_folder": home / "files", "pool_size": 4}
        apps = {}
        for service in DIVISIONS:
            chosen = importlib.import_module(f"services.{service}.settings").Settings(
                database_url=urls[service], **given
            )
            apps[service] = importlib.import_module(f"services.{service}.app").make(chosen)
            stack.callback(apps[service].state.database.close)
        settings = GatewaySettings(database_url=urls[GATEWAY], lookout_seconds=0, **given, **_unlimited())
        gateway = make_gateway(settings, apps)
        stack.callback(gateway.database.close)
        databases = {name: app.state.database for name, app in apps.items()} | {GATEWAY: gateway.database}
        roles = {user["username"]: Role(user["role"]) for user in demo.campus()["users"]}
        roles |= {name: role for name, (role, _, _) in MORE_PEOPLE.items()}
        with gateway.database.transaction() as session:
            for name, (role, unit, vendor) in MORE_PEOPLE.items():
                people.add_person(
                    session,
                    username=name,
                    display_name=name,
                    roles=[role],
                    password=uuid4().hex,
                    unit=unit,
                    vendor=vendor,
                )
        own: Any = gateway.own
        whole = apps | {GATEWAY: own}
        url = stack.enter_context(serving(gateway))
        campus = Campus(url, home, Store(home / "files"), databases, whole, gateway, roles)
        stack.callback(campus.close)
        _furnish(campus)
        yield campus


def _unlimited() -> dict[str, Any]:
    """Return the settings that let a sweep of thousands of requests through."""
    names = [name for name in GatewaySettings.model_fields if name.startswith("rate_")]
    return dict.fromkeys(names, UNLIMITED)


def _furnish(campus: Campus) -> None:
    """Put things of the own and of the foreign application into every division."""
    auditor = campus.visitor("spi")
    for row in auditor.get("/api/cases?limit=200").json():
        campus.cases[row["code"]] = (UUID(row["id"]), row["number"])
    campus.things = {code: {} for code in (OWN, FOREIGN)}
    for code, unit, vendor, firm in (
        (OWN, "BPEG", "CKD", "penyedia.ckd"),
        (FOREIGN, "BAAK", "MSK", "uji.penyedia.msk"),
    ):
        case_id, number = campus.cases[code]
        things = campus.things[code]
        things |= {"proposal_id": str(case_id), "number": number, "vendor": vendor}
        facts = {"case_id": case_id, "case_number": number}
        application = ApplicationFacts(code=code, name=code, unit=unit)
        digest = _furnish_deploy(campus, code, facts, application, vendor, firm)
        with campus.databases["security"].transaction() as session:
            testing.note_case(session, handed_over(vendor, case_id, number))
            test = testing.open_test(
                session, installed(digest, case_id=case_id, case_number=number, application=application, hosting=code)
            )
            testing.start(session, campus.person("staf.keamanan1"), test.id)
            things |= {"test_id": str(test.id), "scan_id": str(test.scans[0].id)}
        reporter = "pengguna1" if code == OWN else "pengguna2"
        with campus.databases["helpdesk"].transaction() as session:
            helping.note_live(session, went_live(case_id=case_id, case_number=number, code=code, name=code, unit=unit))
            ticket = helping.open_ticket(
                session,
                campus.person(reporter),
                application=code,
                title="Tidak dapat masuk",
                body="Setelah menekan tombol masuk, halaman kosong.",
                category="gangguan",
                priority="high",
            )
            things["ticket_id"] = str(ticket.id)
        _furnish_budget(campus, code, vendor, firm)
        _furnish_proposal(campus, code, unit)
    _furnish_gateway(campus)


def _furnish_budget(campus: Campus, code: str, vendor: str, firm: str) -> None:
    """Note the application's plan, conveyance, contract, claim and handover; deliver a document, issue a paper."""
    things, by = campus.things[code], campus.person(firm)
    with campus.databases["budget"].transaction() as session:
        plan = session.scalars(select(BudgetPlan).where(BudgetPlan.application_code == code)).one()
        contract = session.scalars(select(Contract).join(Vendor).where(Vendor.code == vendor)).one()
        digest = campus.store.put(io.BytesIO(f"%PDF-1.4 {code}".encode()))
        document = Document(
            contract_id=contract.id,
            item="architecture",
            file_name="rancangan.pdf",
            digest=digest,
            size=campus.store.path(digest).stat().st_size,
            uploaded_by_id=by.id,
            uploaded_by_name=by.name,
        )
        paper = IssuedPaper(
            plan_id=plan.id,
            contract_id=contract.id,
            kind="kontrak_spk",
            title="Kontrak",
            number="1",
            code=uuid4().hex[:12].upper(),
            digest=digest,
        )
        session.add_all([document, paper])
        session.flush()
        found = {
            "plan_id": plan.id,
            "contract_id": contract.id,
            "conveyance_id": session.scalars(select(Conveyance.id).where(Conveyance.plan_id == plan.id)).first(),
            "claim_id": session.scalars(select(Claim.id).join(Term).where(Term.contract_id == contract.id)).first(),
            "handover_id": session.scalars(select(Handover.id).where(Handover.contract_id == contract.id)).first(),
            "document_id": document.id,
            "paper_id": paper.id,
        }
        things |= {name: str(value) for name, value in found.items()}


def _furnish_proposal(campus: Campus, code: str, unit: str) -> None:
    """Let the unit submit a proposal with its letter, whose paper stands in the register; hold a meeting."""
    things, by = campus.things[code], campus.visitor(f"pengusul.{unit.lower()}")
    made = by.post("/api/proposals", proposal_fields(code=f"{code[:20]}-baru"))
    assert made.status_code == 201, made.text
    place = f"/api/proposals/{made.json()['id']}"
    letter = by.ask("POST", f"{place}/letter", files={"letter": ("surat.pdf", PDF, "application/pdf")})
    assert letter.status_code == 200, letter.text
    file = {"file": ("lampiran.pdf", PDF, "application/pdf")}
    attachment = by.ask("POST", f"{place}/attachments", files=file, data={"kind": "other"})
    assert attachment.status_code == 201, attachment.text
    things["attachment_id"] = attachment.json()["id"]
    submitted = by.post(f"{place}/submission", {})
    assert submitted.status_code == 200, submitted.text
    draft = by.post("/api/proposals", proposal_fields(code=f"{code[:20]}-draf"))
    case = by.get(f"/api/cases/{made.json()['number']}").json()
    things |= {"digest": case["papers"][0]["digest"], "draft_id": draft.json()["id"]}
    things |= {"draft_number": draft.json()["number"], "submitted_id": made.json()["id"]}
    head = campus.visitor("koor.aplikasi")
    meeting = head.post(
        "/api/meetings",
        {"kind": "weekly", "on": today(), "place": "Ruang Rapat", "chair": "Kepala", "attendees": ["Kepala"]},
    )
    assert meeting.status_code == 201, meeting.text
    things["meeting_id"] = meeting.json()["id"]


def _furnish_gateway(campus: Campus) -> None:
    """Give two people a session, a token and a notice each; note an invitation and an appointment."""
    for code, username in ((OWN, "pengusul.bpeg"), (FOREIGN, "pengusul.baak")):
        things, by = campus.things[code], campus.visitor(username)
        token = by.post("/api/tokens", {"name": "mesin", "days": 3, "scopes": ["read"]})
        assert token.status_code == 201, token.text
        things |= {"token_id": token.json()["id"], "person_id": str(campus.person(username).id)}
        things["session_id"] = by.get("/api/sessions").json()[0]["id"]
        with campus.databases[GATEWAY].transaction() as session:
            notice = Notice(
                person_id=campus.person(username).id, key="k", kind="news", title="Kabar", path="/", since=utc_now()
            )
            session.add(notice)
            session.flush()
            things["notice_id"] = str(notice.id)


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def proposal_fields(**changed: Any) -> dict[str, Any]:
    """Return the fields of a proposal that may be submitted."""
    return {
        "name": "Antrean Layanan",
        "code": f"antrean-{uuid4().hex[:6]}",
        "kind": "new",
        "purpose": "Menampilkan nomor antrean dan jam layanan loket akademik.",
        "letter_number": f"B-{uuid4().int % 9000 + 1000}/Un.99/TI.01/11/2026",
        "letter_on": today(),
        "background": "Mahasiswa menunggu di depan loket tanpa mengetahui antrean.",
        "benefit": "Waktu tunggu di depan loket berkurang.",
        "users": "Mahasiswa, dosen, dan petugas loket.",
        "expected_users": 4000,
        "personal_data": "none",
        "criticality": "medium",
        "indicators": [{"name": "Waktu tunggu", "target": "paling lama 15 menit", "measure": "catatan loket"}],
        **changed,
    }


def _furnish_deploy(
    campus: Campus, code: str, facts: dict[str, Any], application: ApplicationFacts, vendor: str, firm: str
) -> str:
    """Let a hosting, a build and an installation of the application stand in deploy; return the build's digest."""
    edi, eko, bayu = (campus.person(name) for name in ("staf.infra1", "koor.infra", "staf.aplikasi1"))
    things = campus.things[code]
    with campus.databases["deploy"].transaction() as session:
        told = {**facts, "application": application}
        signed = ContractSigned(**told, contract_number="SPK-1", vendor=vendor, vendor_name=vendor, amount=100)
        deploying.know_contract(session, signed)
        deploying.know_handover(session, HandedOver(**told, vendor=vendor, handover_number="BAST-1"))
        name, port = f"web-{vendor.lower()}", 22 if code == OWN else 2222
        probe = deploying.probe_server(session, edi, address="web.kampus.example", port=port)
        deploying.note_probe(session, probe.id, host_key=HOST_KEY, fingerprint=FINGERPRINT)
        server = deploying.register_server(session, edi, **server_fields(name, port=port))
        office = deploying.Office(campus.store, campus.url)
        asked = deploying.request_hosting(session, bayu, **hosting_fields(facts["case_number"], f"{code}-web"))
        hosting = deploying.accept_hosting(session, eko, asked.id, server=name, office=office)
        build = deploying.receive_build(
            session,
            campus.person(firm),
            case_number=facts["case_number"],
            file_name=f"{code}.zip",
            archive=archive(**{"nama.txt": code.encode()}),
            store=campus.store,
        )
        planned = deploying.plan_installation(session, edi, hosting_id=hosting.id, build_id=build.id)
        deploying.keep_plan(session, planned.id, make_plan(FREE, deploying.wanted_of(planned)))
        deploying.approve_installation(session, eko, planned.id)
        asked_for = session.scalars(select(Operation).where(Operation.thing_id == planned.id)).all()[-1]
        begun = deploying.begin(session, asked_for.id)
        assert begun is not None
        release = deploying.finish_installation(session, begun, office=office, is_open=False)
        things["release_id"] = str(release.id)
        things |= {"probe_id": str(probe.id), "server_id": str(server.id), "hosting_id": str(hosting.id)}
        things |= {"build_id": str(build.id), "installation_id": str(planned.id)}
        return str(build.digest)


def today() -> str:
    """Return the present day in western Indonesia."""
    return local_date(utc_now()).isoformat()
