"""The walk of one application through the eleven steps, by the public API only, as its people would do it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import typer

from alur import demo, demo_site
from alur.caller import Caller, Unexpected, until
from alur.settings import MachineSettings
from shared.database import utc_now
from shared.manifest import Entry, Manifest
from shared.procedure import procedure, security_controls
from shared.words import local_date, rupiah

START_WITHIN = 180.0
DELIVERABLES = (
    "requirements", "architecture", "database_schema", "api", "install_guide", "admin_guide", "user_guide",
    "acceptance_test", "third_party_licences", "backup_procedure", "source_code",
)  # fmt: skip
"""What a vendor delivers beside the package (S05)."""


@dataclass
class Told:
    """One line of the walk."""

    step: str
    what: str
    person: str
    paper: str
    seconds: float


@dataclass
class Walk:
    """One application on its way; `lines` is what was told, `facts` what a test compares."""

    settings: MachineSettings
    silent: bool = False
    lines: list[Told] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Caller] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)

    def who(self, username: str) -> Caller:
        """Return a person's session, signed in on first use."""
        if username not in self.people:
            self.people[username] = Caller(self.settings.url, username, demo.accounts(self.settings)[username])
        return self.people[username]

    def tell(self, step: str, what: str, by: Caller, paper: str = "") -> None:
        """Note that something was done, and say it."""
        now = time.monotonic()
        line = Told(step, what, by.name, paper, round(now - self._last, 1))
        self._last = now
        self.lines.append(line)
        if not self.silent:
            seconds = f"{line.seconds:.1f}".replace(".", ",")
            typer.echo(f"{step}  {what:<58} {by.name:<38} {paper:<40} {seconds:>5} dtk")

    def run(self) -> None:
        """Walk all eleven steps; raise Unexpected at the first thing that is not as it should be."""
        self.proposal()
        self.programme_and_design()
        self.budget_plan_and_meetings()
        self.planning()
        self.contract()
        self.handover()
        first = self.install(mended=False)
        self.security_test(first, passes=False)
        second = self.install(mended=True)
        self.security_test(second, passes=True)
        self.go_live(second)
        self.look_from_outside(second)
        self.ticket()
        self.evaluation()
        self.look_at_the_trace()

    # --- S01 to S04 ----------------------------------------------------------------------------------------------

    @property
    def case_id(self) -> str:
        """Return the id of the case, which is the id of its proposal too."""
        return str(self.facts["case_id"])

    def status(self) -> str:
        """Return the status of the case."""
        found: str = self.case()["status"]
        return found

    def case(self) -> Any:
        """Return the case whole, as the auditor sees it."""
        return self.who("spi").get(f"/api/cases/{self.facts['number']}")

    def await_status(self, status: str) -> None:
        """Return when the facts of the other divisions have moved the case there."""
        until(self.status, lambda seen: seen == status, f"case {self.facts['number']} becoming {status}")

    def act(self, username: str, noun: str, body: dict[str, Any] | None = None) -> Any:
        """Do an act on the proposal."""
        return self.who(username).post(f"/api/proposals/{self.case_id}/{noun}", body)

    def proposal(self) -> None:
        """S01, F01: propose, accept, analyse."""
        ani, budi, bayu = self.who("pengusul.bpeg"), self.who("koor.aplikasi"), self.who("staf.aplikasi1")
        code = f"antrean-{uuid4().hex[:6]}"
        now = today()
        made = ani.post(
            "/api/proposals",
            {
                "name": "Antrean Layanan Akademik",
                "code": code,
                "kind": "new",
                "purpose": "Menampilkan nomor antrean dan jam layanan loket akademik.",
                "letter_number": f"B-{uuid4().int % 9000 + 1000}/Un.99/B.II/TI.01/{now:%m/%Y}",
                "letter_on": now.isoformat(),
                "background": "Mahasiswa menunggu di depan loket tanpa mengetahui antrean; petugas mencatat di kertas.",
                "benefit": "Waktu tunggu di depan loket berkurang dan beban petugas terlihat.",
                "users": "Mahasiswa, dosen, dan petugas loket.",
                "expected_users": 4000,
                "personal_data": "none",
                "criticality": "medium",
                "indicators": [
                    {"name": "Waktu tunggu", "target": "paling lama 15 menit", "measure": "catatan loket harian"}
                ],
            },
        )
        self.facts |= {"case_id": made["id"], "number": made["number"], "code": code}
        answer = self.act("pengusul.bpeg", "submission")
        self.tell("S01", "Usulan diajukan kepada Kepala melalui Koordinator", ani, answer["agenda_number"])
        ani.refused(f"/api/proposals/{self.case_id}/approval")
        self.act("koor.aplikasi", "acceptance")
        self.tell("S01", "Usulan diterima untuk dianalisis", budi, made["number"])
        self.act(
            "staf.aplikasi1",
            "analysis",
            {
                "summary": "Halaman antrean statis yang dibuat ulang dari berkas CSV petugas; tanpa data pribadi.",
                "recommendation": "proceed",
                "advice": "Mulai dari empat loket, lalu diperluas.",
            },
        )
        self.tell("F01", "Analisis kebutuhan disimpan", bayu)

    def programme_and_design(self) -> None:
        """S02, F02: recommend, decide, enter the work programme, write the terms of reference."""
        head, budi, bayu = self.who("kepala"), self.who("koor.aplikasi"), self.who("staf.aplikasi1")
        self.act("koor.aplikasi", "recommendation", {"words": "Layak dikerjakan."})
        late = today() > date(today().year, 9, 30)
        self.act(
            "kepala",
            "approval",
            {"words": "Dibutuhkan pada semester depan.", "override_cut_off": late},
        )
        self.tell("S02", "Usulan disetujui Kepala", head)
        self.act(
            "koor.aplikasi",
            "work-programme-entry",
            {"indicator": "1 aplikasi digunakan", "quarter": "I-II", "estimated_amount": 50_000_000},
        )
        year = today().year + 1
        rows = budi.get("/api/work-programme", fiscal_year=year)
        entry = next(row for row in rows if row["case_id"] == self.case_id)
        self.facts["fiscal_year"] = entry["fiscal_year"]
        self.tell("S02", f"Dicantumkan dalam program kerja {entry['fiscal_year']}", budi, entry["number"])
        self.act(
            "staf.aplikasi1",
            "terms-of-reference",
            {
                "background": "Antrean loket akademik masih dicatat di kertas sehingga waktu tunggu tidak terukur.",
                "purpose": "Menyediakan halaman antrean yang dapat dibuka dari telepon genggam.",
                "legal_basis": ["Peraturan Presiden Nomor 95 Tahun 2018"],
                "objectives": ["Waktu tunggu terukur setiap hari kerja"],
                "scope": ["Halaman antrean", "Alat pembuat halaman dari CSV"],
                "outputs": ["Aplikasi terpasang", "Kode sumber", "Dokumentasi"],
                "beneficiaries": "Mahasiswa dan petugas loket",
                "method": "Rancangan disetujui lebih dahulu; petugas loket mencoba halaman setiap minggu.",
                "schedule": [
                    {"stage": "Analisis dan perancangan", "period": "Bulan ke-1", "result": "Rancangan disetujui"},
                    {"stage": "Pembangunan dan uji coba", "period": "Bulan ke-2", "result": "Halaman dapat dicoba"},
                    {"stage": "Instalasi dan uji keamanan", "period": "Bulan ke-3", "result": "Aplikasi digunakan"},
                ],
                "duration": "3 (tiga) bulan",
                "personnel": ["Pemrogram 1 orang"],
                "performance_indicators": ["Halaman tampil dalam 2 detik"],
                "budget_source": "PNBP BLU",
            },
        )
        self.tell("F02", "Kerangka acuan kerja (KAK) disimpan", bayu)

    def budget_plan_and_meetings(self) -> None:
        """F03, S03: budget plan, weekly and annual meeting, conclusion."""
        budi, bayu, head = self.who("koor.aplikasi"), self.who("staf.aplikasi1"), self.who("kepala")
        plans = until(
            lambda: budi.get("/api/budget-plans", case_number=self.facts["number"]),
            bool,
            "the budget plan being opened",
        )
        plan_id = plans[0]["id"]
        self.facts["plan_id"] = plan_id
        bayu.put(
            f"/api/budget-plans/{plan_id}/lines",
            {
                "lines": [
                    {
                        "account_code": "525113",
                        "description": "Jasa pemrogram",
                        "volume": 3,
                        "unit": "orang-bulan",
                        "unit_price_amount": 8_500_000,
                        "taxable": True,
                    },
                    {
                        "account_code": "525113",
                        "description": "Penyusunan dokumentasi",
                        "volume": 1,
                        "unit": "paket",
                        "unit_price_amount": 4_500_000,
                        "taxable": True,
                    },
                ]
            },
        )
        locked = budi.post(f"/api/budget-plans/{plan_id}/lock")
        self.facts["plan_amount"] = locked["versions"][-1]["total_amount"]
        self.tell("F03", "RAB disepakati dan dikunci", budi, rupiah(self.facts["plan_amount"]))
        for kind, name in (("weekly", "Rapat rutin mingguan"), ("annual", "Rapat kerja tahunan")):
            number = self.meeting(
                kind,
                {
                    "case_number": self.facts["number"],
                    "discussion": "Rencana, KAK, dan RAB dibahas; kebutuhan jelas dan biaya wajar.",
                    "decision": "continue",
                    "follow_up": "Disampaikan kepada Bagian Perencanaan",
                    "pic": "Koordinator Divisi Aplikasi",
                },
            )
            self.tell("S03", f"{name}: dilanjutkan", head, number)
        until(lambda: self.case()["lacking"], lambda lacking: not lacking, "the locked budget plan reaching the case")
        self.act("koor.aplikasi", "conclusion")
        self.tell("S03", "Pembahasan rapat selesai", budi)

    def meeting(self, kind: str, item: dict[str, Any]) -> str:
        """Hold a meeting on one item and close its minutes; return their number."""
        budi, head = self.who("koor.aplikasi"), self.who("kepala")
        made = budi.post(
            "/api/meetings",
            {
                "kind": kind,
                "on": today().isoformat(),
                "place": "Ruang Rapat PUSTIPD",
                "chair": "Kepala PUSTIPD",
                "attendees": ["Kepala PUSTIPD", "Koordinator Divisi Aplikasi", "Kepala Divisi Layanan dan Sosialisasi"],
            },
        )
        budi.post(f"/api/meetings/{made['id']}/items", item)
        head.post(f"/api/meetings/{made['id']}/closing")
        number: str = made["number"]
        return number

    def planning(self) -> None:
        """S04: convey with two signatures and the Head's approval; the planning section sets the ceiling."""
        budi, dewi, head = self.who("koor.aplikasi"), self.who("koor.layanan"), self.who("kepala")
        gita = self.who("perencanaan")
        plan = f"/api/budget-plans/{self.facts['plan_id']}"
        until(
            lambda: budi.get(plan), lambda seen: bool(seen["meetings_concluded_at"]), "the meetings reaching the budget"
        )
        conveyance = budi.post("/api/conveyances", {"plan_id": self.facts["plan_id"]})
        place = f"/api/conveyances/{conveyance['id']}"
        budi.post(f"{place}/sign-off")
        dewi.post(f"{place}/sign-off")
        self.tell("S04", "Ditandatangani Koordinator dan Kepala Divisi Layanan", dewi)
        sent = head.post(f"{place}/approval")
        self.tell("S04", "Disampaikan ke Bagian Perencanaan", head, sent["letter_number"])
        self.await_status("sent_to_planning")
        gita.post(
            f"{place}/ceiling",
            {
                "amount": 40_000_000,
                "accounts": [{"account_code": "525113", "amount": 40_000_000}],
                "fund_source": "PNBP BLU",
                "document_number": f"DIPA-{self.facts['fiscal_year']}",
            },
        )
        self.await_status("budgeted")
        self.tell("S04", "Pagu ditetapkan Rp40.000.000", gita)

    # --- S05, S06 ------------------------------------------------------------------------------------------------

    def contract(self) -> None:
        """S05, S06: contract with a vendor, distribution, first term."""
        budi, hadi, joko = self.who("koor.aplikasi"), self.who("ppk"), self.who("penyedia.ckd")
        year = self.facts["fiscal_year"]
        made = budi.post(
            "/api/contracts",
            {
                "plan_id": self.facts["plan_id"],
                "vendor": "CKD",
                "tax_base_amount": 30_000_000,
                "start_on": f"{year}-01-05",
                "end_on": f"{year}-04-05",
                "scope": "Pembangunan aplikasi Antrean Layanan Akademik",
                "source_code_owner": demo.campus()["institution"]["name"],
                "terms": [
                    {"percent": 40, "condition": "Setelah rancangan disetujui"},
                    {"percent": 60, "condition": "Setelah serah terima"},
                ],
            },
        )
        self.facts["contract_id"] = made["id"]
        signed = hadi.post(f"/api/contracts/{made['id']}/signature")
        self.facts["contract_amount"] = signed["value_amount"]
        self.await_status("in_development")
        self.tell("S05", "Kontrak dengan penyedia ditandatangani", hadi, signed["number"])
        budi.post(
            f"/api/contracts/{made['id']}/distributions",
            {"amount": signed["value_amount"], "activity": "Pembangunan aplikasi oleh penyedia"},
        )
        self.tell("S06", "Anggaran didistribusikan ke kegiatan", budi)
        self.pay(1, joko)

    def pay(self, term: int, joko: Caller) -> None:
        """S06: claim, verify, pay one term."""
        budi, indah = self.who("koor.aplikasi"), self.who("bendahara")
        claim = joko.post(
            f"/api/contracts/{self.facts['contract_id']}/claims", {"term": term, "invoice_number": f"INV-{term:03d}"}
        )
        budi.post(f"/api/claims/{claim['id']}/verification")
        paid = indah.post(
            f"/api/claims/{claim['id']}/payment",
            {
                "spm_number": f"SPM-{term:04d}",
                "sp2d_number": f"SP2D-{term:04d}",
                "paid_on": today().isoformat(),
            },
        )
        self.facts.setdefault("payments", []).append(paid["amount"])
        self.tell("S06", f"Termin {term} dibayar {rupiah(paid['amount'])}", indah, f"SP2D-{term:04d}")

    def handover(self) -> None:
        """S05, S06: documentation, financial report, handover signed by three, last term."""
        budi, hadi, joko = self.who("koor.aplikasi"), self.who("ppk"), self.who("penyedia.ckd")
        place = f"/api/contracts/{self.facts['contract_id']}"
        for item in DELIVERABLES:
            joko.post(
                f"{place}/documents",
                {"item": item},
                files={"file": (f"{item}.pdf", _document(item), "application/pdf")},
            )
        budi.post(f"{place}/document-acceptance")
        self.tell("S05", "Laporan dokumentasi perangkat lunak diterima", budi)
        budi.post(f"{place}/financial-report", {"note": "Realisasi sesuai kontrak."})
        self.tell("S05", "Laporan keuangan disimpan", budi)
        made = budi.post("/api/handovers", {"contract_id": self.facts["contract_id"]})
        for who in (joko, budi, hadi):
            signed = who.post(f"/api/handovers/{made['id']}/signature")
        self.await_status("handed_over")
        self.tell("S05", "Serah terima (BAST) ditandatangani", hadi, signed["number"])
        self.pay(2, joko)

    # --- S07, S08, F04 -------------------------------------------------------------------------------------------

    def server(self) -> str:
        """Return the name of the practice server; the infrastructure division registers it when it is new."""
        edi = self.who("staf.infra1")
        ports = demo.practice_ports(self.settings)
        for row in edi.get("/api/servers"):
            if row["is_active"] and (row["address"], row["port"]) == ("127.0.0.1", ports["ssh"]):
                return str(row["name"])
        probe = edi.post("/api/servers/probe", {"address": "127.0.0.1", "port": ports["ssh"]})
        seen = until(
            lambda: edi.get(f"/api/servers/probe/{probe['id']}"), lambda seen: seen["state"] != "waiting", "the probe"
        )
        name = f"latihan-{ports['ssh']}"
        edi.post(
            "/api/servers",
            {
                "name": name,
                "kind": "practice",
                "address": "127.0.0.1",
                "port": ports["ssh"],
                "username": "alur",
                # Read from the server's own folder, as its owner would read it out.
                "fingerprint": demo.practice_fingerprint(self.settings),
                "base_domain": demo.campus()["institution"]["base_domain"],
                "connect_address": "127.0.0.1",
                "connect_port": ports["http"],
            },
        )
        self.tell("S07", "Server latihan didaftarkan dengan sidik jarinya", edi, seen["fingerprint"][:20] + "…")
        return name

    def hosting(self) -> str:
        """S07: domain and space, requested by the application division, granted by infrastructure."""
        if "hosting_id" in self.facts:
            return str(self.facts["hosting_id"])
        budi, eko = self.who("koor.aplikasi"), self.who("koor.infra")
        server = self.server()
        made = until_done(
            lambda: budi.post(
                "/api/hostings",
                {
                    "case_number": self.facts["number"],
                    "subdomain": self.facts["code"],
                    "purpose": "Halaman antrean layanan akademik",
                    "runtime": "static",
                    "disk_mb": 256,
                    "administrative_contact": "Kepala Bagian Akademik",
                    "administrative_whatsapp": "628110000001",
                    "technical_contact": "Staf Pengembangan Aplikasi 1",
                    "technical_whatsapp": "628110000002",
                },
            ),
            "the handover reaching the infrastructure division",
        )
        ready = eko.post(f"/api/hostings/{made['id']}/acceptance", {"server": server})
        self.facts |= {"hosting_id": made["id"], "public_host": ready["public_host"]}
        self.tell("S07", "Domain dan ruang hosting disediakan", eko, ready["public_host"])
        return str(made["id"])

    def install(self, *, mended: bool) -> dict[str, Any]:
        """S07: package, plan, approval by somebody else, installation at the closed address; return the release."""
        joko, edi, eko = self.who("penyedia.ckd"), self.who("staf.infra1"), self.who("koor.infra")
        hosting_id = self.hosting()
        build = joko.post(
            "/api/builds",
            {"case_number": self.facts["number"]},
            files={"file": ("antrean.tar.gz", demo_site.archive(mended=mended), "application/gzip")},
        )
        expected = digest_of(demo_site.files(mended=mended))
        if build["digest"] != expected:
            raise Unexpected(f"the digest {build['digest']} is not that of the package, {expected}")
        what = "Paket yang sudah diperbaiki diterima" if mended else "Paket aplikasi diterima"
        self.tell("S07", what, joko, build["digest"][:12])
        made = edi.post("/api/installations", {"hosting_id": hosting_id, "build_id": build["id"]})
        place = f"/api/installations/{made['id']}"
        planned = until(lambda: edi.get(place), lambda seen: seen["plan_digest"] != "", "the plan of the installation")
        edi.refused(f"{place}/approval", {"plan_digest": planned["plan_digest"]})
        eko.post(f"{place}/approval", {"plan_digest": planned["plan_digest"]})
        self.tell("S07", "Rencana instalasi disetujui", eko, planned["plan_digest"][:12])
        done = until(
            lambda: edi.get(place), lambda seen: seen["release_id"] or seen["status"] == "failed", "the installation"
        )
        if done["status"] == "failed":
            raise Unexpected(f"the installation failed: {done['reason']}")
        release: dict[str, Any] = edi.get(f"/api/releases/{done['release_id']}")
        self.await_status("installed")
        self.tell("S07", "Terpasang di alamat tertutup", edi, release["closed_host"])
        self.must_be_closed()
        return release

    def must_be_closed(self) -> None:
        """Look from outside: users must not reach what has no permit."""
        answer = self.fetch(self.facts["public_host"], "/")
        if answer.status_code == 200:
            raise Unexpected("the public address answers before there is a permit")

    def fetch(self, host: str, path: str) -> httpx.Response:
        """Ask the practice server for a page as a browser would that found it by DNS."""
        port = demo.practice_ports(self.settings)["http"]
        return httpx.get(f"http://127.0.0.1:{port}{path}", headers={"host": host}, trust_env=False, timeout=10)

    def security_test(self, release: dict[str, Any], *, passes: bool) -> None:
        """S08: scans, controls, verdict by the head of the division."""
        fajar, fitri, edi = self.who("staf.keamanan1"), self.who("koor.keamanan"), self.who("staf.infra1")
        rows = until(
            lambda: [
                row
                for row in fajar.get("/api/security-tests", case_number=self.facts["number"])
                if row["digest"] == release["digest"] and row["status"] != "superseded"
            ],
            bool,
            "the security test being opened",
        )
        place = f"/api/security-tests/{rows[0]['id']}"
        fajar.post(f"{place}/start")
        self.tell("S08", f"Uji keamanan putaran {rows[0]['round']} dimulai", fajar)
        scanned = until(lambda: fajar.get(place), lambda seen: seen["status"] == "reviewing", "the scans")
        incomplete = [scan["engine"] for scan in scanned["scans"] if not scan["is_complete"]]
        if incomplete:
            raise Unexpected(f"scans are not complete: {incomplete} {scanned['reasons']}")
        fajar.post(f"{place}/controls", {"answers": _answers(scanned["findings"])})
        fajar.post(f"{place}/submission")
        fajar.refused(f"{place}/verdict", {"verdict": "pass"})
        if not passes:
            problem = fitri.refused(f"{place}/verdict", {"verdict": "pass"})
            if problem["code"] != "pass_refused":
                raise Unexpected(f"an untrue pass was refused for another reason: {problem}")
            open_now = sum(finding["status"] == "open" for finding in scanned["findings"])
            told = fitri.post(f"{place}/verdict", {"verdict": "fail", "note": "Perbaiki temuan tingkat tinggi."})
            self.await_status("remediation")
            self.tell("S08", f"TIDAK LULUS: {open_now} temuan terbuka", fitri, told["number"])
            edi.refused(f"/api/releases/{release['id']}/go-live")
            return
        told = fitri.post(f"{place}/verdict", {"verdict": "pass", "note": "Temuan putaran sebelumnya diperbaiki."})
        self.facts["permit"] = json.loads(told["permits"][0]["signed"])
        self.await_status("cleared")
        self.tell("S08", "LULUS: izin diterbitkan untuk sidik paket ini", fitri, told["number"])

    def go_live(self, release: dict[str, Any]) -> None:
        """F04: the Head authorises, infrastructure opens, the host checks the permit itself."""
        head, edi = self.who("kepala"), self.who("staf.infra1")
        place = f"/api/releases/{release['id']}"
        until(lambda: edi.get(place), lambda seen: seen["permit_id"] is not None, "the permit reaching deploy")
        head.post(f"{place}/authorisation")
        self.tell("F04", "Pembukaan diizinkan Kepala", head)
        edi.post(f"{place}/go-live")
        seen = until(lambda: edi.get(place), lambda seen: seen["status"] == "live", "the release going live")
        self.await_status("live")
        self.facts["address"] = seen["address"]
        self.tell("F04", "Dibuka untuk pengguna", edi, seen["public_host"])

    def look_from_outside(self, release: dict[str, Any]) -> None:
        """Fetch every file of the opened site and compare its digest with the permit's."""
        permit = json.loads(self.facts["permit"]["permit"])
        served = {}
        for path in demo_site.files(mended=True):
            answer = self.fetch(self.facts["public_host"], f"/{path}")
            if answer.status_code != 200:
                raise Unexpected(f"/{path} answers {answer.status_code}")
            served[path] = answer.content
        digest = digest_of(served)
        if not digest == permit["digest"] == release["digest"]:
            raise Unexpected(f"what is served has digest {digest}, the permit names {permit['digest']}")
        self.facts["served_digest"] = digest
        self.tell("F04", f"Diperiksa dari luar: {len(served)} berkas sama dengan izin", self.who("spi"), digest[:12])

    # --- S09 to S11 ----------------------------------------------------------------------------------------------

    def ticket(self) -> None:
        """S09: a user's trouble, answered and closed."""
        lina, dina = self.who("pengguna1"), self.who("staf.layanan1")
        made = until_done(
            lambda: lina.post(
                "/api/tickets",
                {
                    "application": self.facts["code"],
                    "title": "Jam layanan loket 3 belum sesuai",
                    "body": "Di halaman tertulis sampai 15.00, tetapi loket tutup pukul 14.00.",
                    "category": "gangguan",
                    "priority": "medium",
                },
            ),
            "the helpdesk knowing the live application",
        )
        self.tell("S09", "Gangguan dilaporkan pengguna", lina, made["number"])
        dina.post(
            f"/api/tickets/{made['id']}/answer", {"body": "Terima kasih. Sedang kami pastikan kepada petugas loket."}
        )
        dina.post(f"/api/tickets/{made['id']}/resolution", {"body": "Jam layanan loket 3 sudah diluruskan."})
        lina.post(f"/api/tickets/{made['id']}/closing")
        self.facts["ticket"] = made["number"]
        self.tell("S09", "Tiket dijawab, selesai, dan ditutup pelapor", dina, made["number"])

    def evaluation(self) -> None:
        """S10, S11: figures, report, meeting, decision, new case."""
        budi, head = self.who("koor.aplikasi"), self.who("kepala")
        now = today()
        made = budi.post(
            "/api/evaluations",
            {
                "case_id": self.case_id,
                "from_on": (now - timedelta(days=30)).isoformat(),
                "until_on": now.isoformat(),
            },
        )
        place = f"/api/evaluations/{made['id']}"
        gathered = until(lambda: budi.get(place), lambda seen: not seen["missing"], "the figures of every division")
        self.facts["figures"] = sorted({figure["division"] for figure in gathered["figures"]})
        self.tell("S10", f"{len(gathered['figures'])} angka diterima dari {len(self.facts['figures'])} divisi", budi)
        budi.post(
            f"{place}/report",
            {
                "obstacles": ["Perubahan jam loket belum otomatis"],
                "advice": ["Menambah pengaturan jam layanan oleh petugas"],
                "advises": "further_development",
            },
        )
        number = self.meeting(
            "weekly",
            {
                "evaluation_id": made["id"],
                "discussion": "Laporan evaluasi dipaparkan; pengembangan lanjutan dipandang perlu.",
                "decision": "continue",
            },
        )
        self.tell("S10", "Laporan evaluasi dipaparkan pada rapat rutin", head, number)
        head.post(f"{place}/decision", {"decision": "further_development", "words": "Lanjutkan tahun depan."})
        self.tell("S10", "Kepala memutuskan pengembangan lanjutan", head)
        child = budi.post(f"{place}/follow-up")
        self.facts["child_number"] = child["number"]
        budi.refused(f"/api/proposals/{child['id']}/acceptance")
        head.post(f"/api/proposals/{child['id']}/acceptance")
        self.tell("S11", "Usulan pengembangan diajukan dan diterima Kepala", budi, child["number"])

    def look_at_the_trace(self) -> None:
        """Check that the trace names every step with its person and time, and that the new case points back."""
        case = self.case()
        steps = {entry["step"] for entry in case["trace"]}
        missing = sorted(set(procedure().steps) - steps)
        if missing:
            raise Unexpected(f"the trace lacks {missing}")
        nameless = [entry["says"] for entry in case["trace"] if not entry["person"] or not entry["at"]]
        if nameless:
            raise Unexpected(f"entries without person or time: {nameless}")
        child = self.who("spi").get(f"/api/cases/{self.facts['child_number']}")
        if not any(row["number"] == self.facts["number"] and row["is_parent"] for row in child["relatives"]):
            raise Unexpected("the new case does not name its parent")
        self.facts["trace_entries"] = len(case["trace"])


def digest_of(files: dict[str, bytes]) -> str:
    """Return the digest of a tree of files by the canonical manifest, as anybody can compute it."""
    return Manifest(
        Entry(path=path, mode="644", size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in files.items()
    ).digest


def today() -> date:
    """Return the present day in western Indonesia."""
    return local_date(utc_now())


def until_done(do: Any, what: str) -> Any:
    """Do an act as soon as the fact that it rests on has arrived: 404, 409 and 422 mean "not yet" for a while."""

    def attempt() -> Any:
        try:
            return do()
        except Unexpected as reason:
            if any(f": {status} " in str(reason) for status in (404, 409, 422)):
                return reason
            raise

    return until(attempt, lambda seen: not isinstance(seen, Unexpected), what, within=60)


def _answers(findings: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Answer the 72 controls as a tester would: faults where findings are open, no TLS on the practice server."""
    wrong = {finding["control"] for finding in findings if finding["status"] == "open"}
    answers = []
    for control in security_controls():
        number = control["number"]
        if number in wrong:
            answers.append({"control": number, "answer": "fail", "note": "Lihat temuan."})
        elif control["how"] == "tls":
            note = "Server latihan di loopback tidak memakai TLS."
            answers.append({"control": number, "answer": "not_applicable", "note": note})
        else:
            answers.append({"control": number, "answer": "pass", "note": ""})
    return answers


def _document(item: str) -> bytes:
    return f"%PDF-1.4\n% {item}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".encode()


@contextmanager
def running(settings: MachineSettings, *, quiet: bool) -> Iterator[None]:
    """Give a running installation: the one that answers, else one that is started for the walk and stopped after it."""
    if _is_ready(settings):
        yield
        return
    if not quiet:
        typer.echo("Alur belum berjalan di alamat ini; dinyalakan untuk demo ini.")
    process = subprocess.Popen(
        [sys.executable, "-m", "alur", "up"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ.copy(),
    )
    try:
        deadline = time.monotonic() + START_WITHIN
        while not _is_ready(settings):
            if process.poll() is not None:
                raise Unexpected("Alur tidak dapat dinyalakan; sebabnya tertulis di atas.")
            if time.monotonic() > deadline:
                raise Unexpected("Alur belum siap; jalankan `alur doctor`.")
            time.sleep(0.2)
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_ready(settings: MachineSettings) -> bool:
    try:
        return httpx.get(f"{settings.url}/api/health", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def run(settings: MachineSettings, *, as_json: bool) -> int:
    """Walk the demo; return 0 when every step was as it should be, 1 otherwise."""
    walk = Walk(settings, silent=as_json)
    try:
        with running(settings, quiet=as_json):
            walk.began = walk._last = time.monotonic()
            walk.run()
    except Unexpected as reason:
        typer.echo(f"demo: berhenti pada langkah {walk.lines[-1].step if walk.lines else 'S01'}: {reason}", err=True)
        return 1
    finally:
        for caller in walk.people.values():
            caller.close()
    steps = {line.step for line in walk.lines if line.step.startswith("S")}
    seconds = time.monotonic() - walk.began
    if as_json:
        lines = [asdict(line) for line in walk.lines]
        typer.echo(json.dumps({"lines": lines, "facts": walk.facts, "steps": len(steps), "seconds": seconds}))
    else:
        typer.echo(f"Perkara {walk.facts['number']}: {settings.url}/perkara/{walk.facts['number']}")
        typer.echo(f"demo: {len(steps)} steps, {seconds:.0f} seconds")
    return 0 if len(steps) == 11 else 1
