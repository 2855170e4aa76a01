"""What the infrastructure division does and refuses, asked of its actions on a real database."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.deploy import actions, host_helper, queries
from services.deploy.intake import ArchiveRefused
from services.deploy.model import (
    Application,
    ApplicationStatus,
    Build,
    Hosting,
    Installation,
    Operation,
    OperationStatus,
    Release,
    ReleaseStatus,
    Server,
)
from services.deploy.plan import Facts, make_plan
from shared import jobs, mailbox
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale
from shared.identity import Person, Role
from shared.messages import (
    ApplicationFacts,
    ApplicationRetired,
    CaseSuspended,
    ContractSigned,
    ContractTerminated,
    HandedOver,
    PermitRevoked,
    TestFailed,
    TestPassed,
)
from shared.migrate import differences, model_metadata
from shared.permit import Permit, PermitRefused, SignedPermit, sign
from shared.store import Store
from tests.papers import known
from tests.people import ANI, BAYU, BUDI, CITRA, EDI, EKO, FITRI, JOKO, KIKI, LINA, SARI, ZULKIFLI

SECURITY_KEY = Ed25519PrivateKey.generate()
FORGER_KEY = Ed25519PrivateKey.generate()
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvb2sgYSB0YWJsZSBmb3IgdHdvLCBwbGVhc2UhISEh"
FINGERPRINT = "SHA256:" + "a" * 43
FREE = Facts.model_validate(
    {
        "helper": {"version": "1", "sha256": host_helper.own_digest()},
        "profile": "unprivileged",
        "now": "2026-11-22T00:00:00Z",
        "free_bytes": 10**12,
        "sites": {},
    }
)
"""A server on which nothing stands yet."""


# --- how a test gets where it begins: by the same actions as everybody ----------------------------------------


def archive(**files: bytes) -> io.BytesIO:
    """Return a zip of these files; `index.html` is there unless given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in {"index.html": b"<h1>Presensi</h1>", **files}.items():
            file.writestr(name, content)
    packed.seek(0)
    return packed


def both(one: Person, *more: Role) -> Person:
    """Return a person who holds more posts than one, as happens in a small centre."""
    return one.model_copy(update={"roles": one.roles | set(more)})


@dataclass
class Campus:
    """One campus on its way through S07, step by step."""

    session: Session
    store: Store
    case_id: UUID
    case_number: str = "ALUR-2026-0001"

    @property
    def office(self) -> actions.Office:
        return actions.Office(self.store, "http://alur.example")

    @property
    def public_key(self) -> Ed25519PublicKey:
        return SECURITY_KEY.public_key()

    @property
    def application(self) -> Application:
        return self.session.get_one(Application, self.case_id)

    def facts(self) -> dict[str, Any]:
        return {
            "case_id": self.case_id,
            "case_number": self.case_number,
            "application": ApplicationFacts(code="presensi", name="E-Presensi", unit="BPEG"),
        }

    def contracted(self) -> "Campus":
        actions.know_contract(
            self.session,
            ContractSigned(**self.facts(), contract_number="SPK-1", vendor="CKD", vendor_name="CV Contoh", amount=100),
        )
        return self

    def handed_over(self) -> "Campus":
        self.contracted()
        actions.know_handover(self.session, HandedOver(**self.facts(), vendor="CKD", handover_number="BAST-1"))
        return self

    def server(self, name: str = "web-1", *, port: int = 22, connect_port: int = 80) -> Server:
        probe = actions.probe_server(self.session, EDI, address="web.kampus.example", port=port)
        actions.note_probe(self.session, probe.id, host_key=HOST_KEY, fingerprint=FINGERPRINT)
        return actions.register_server(self.session, EDI, **server_fields(name, port=port, connect_port=connect_port))

    def request(self, subdomain: str = "presensi") -> Hosting:
        return actions.request_hosting(self.session, BAYU, **hosting_fields(self.case_number, subdomain))

    def hosting(self) -> Hosting:
        self.server()
        return actions.accept_hosting(self.session, EKO, self.request().id, server="web-1", office=self.office)

    def build(self, files: dict[str, bytes] | None = None, *, by: Person = JOKO) -> Build:
        return actions.receive_build(
            self.session,
            by,
            case_number=self.case_number,
            file_name="presensi.zip",
            archive=archive(**files or {}),
            store=self.store,
        )

    def planned(self, hosting: Hosting, build: Build, facts: Facts = FREE) -> Installation:
        installation = actions.plan_installation(self.session, EDI, hosting_id=hosting.id, build_id=build.id)
        actions.keep_plan(self.session, installation.id, make_plan(facts, actions.wanted_of(installation)))
        return installation

    def installed(self, hosting: Hosting, **files: bytes) -> Release:
        installation = self.planned(hosting, self.build(files))
        actions.approve_installation(self.session, EKO, installation.id)
        return actions.finish_installation(self.session, self.begun(installation.id), office=self.office, is_open=False)

    def begun(self, thing_id: UUID) -> Operation:
        found = self.session.scalars(
            select(Operation).where(Operation.thing_id == thing_id).order_by(Operation.created_at.desc())
        ).first()
        assert found is not None
        begun = actions.begin(self.session, found.id)
        assert begun is not None
        return begun

    def passed(self, release: Release, **changes: Any) -> Release:
        actions.pass_test(self.session, verdict(release, **changes), public_key=self.public_key)
        return release

    def live(self, release: Release) -> Release:
        self.passed(release)
        actions.authorise_go_live(self.session, CITRA, release.id, public_key=self.public_key)
        actions.go_live(self.session, EDI, release.id, public_key=self.public_key)
        actions.finish_opening(self.session, self.begun(release.id), office=self.office)
        return release

    def told(self, kind: str, dest: str = "proposal") -> list[str]:
        rows = self.session.execute(
            select(mailbox.outbox.c.body).where(mailbox.outbox.c.kind == kind, mailbox.outbox.c.dest == dest)
        )
        return list(rows.scalars())


def server_fields(name: str, *, port: int = 22, connect_port: int = 80) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "managed",
        "address": "web.kampus.example",
        "port": port,
        "username": "alur",
        "fingerprint": FINGERPRINT,
        "base_domain": "kampus.example",
        "connect_address": "127.0.0.1",
        "connect_port": connect_port,
    }


def hosting_fields(case_number: str, subdomain: str) -> dict[str, Any]:
    return {
        "case_number": case_number,
        "subdomain": subdomain,
        "purpose": "Presensi pegawai",
        "kind": "custom",
        "runtime": "static",
        "disk_mb": 100,
        "until_on": None,
        "administrative_contact": "Ani, Biro Kepegawaian",
        "administrative_whatsapp": "628111111111",
        "technical_contact": "Joko, CV Contoh",
        "technical_whatsapp": "628222222222",
    }


def permit_for(release: Release, **changes: Any) -> Permit:
    now = utc_now()
    return Permit.model_validate(
        {
            "id": uuid4(),
            "case": release.application.case_number,
            "application": release.application.code,
            "digest": release.digest,
            "hosting": release.hosting.key,
            "policy": "f" * 64,
            "scans": ["scan-1"],
            "round": 1,
            "issued_at": now - timedelta(minutes=1),
            "install_until": now + timedelta(days=14),
            "valid_until": now + timedelta(days=365),
            **changes,
        }
    )


def verdict(release: Release, *, key: Ed25519PrivateKey = SECURITY_KEY, **changes: Any) -> TestPassed:
    permit = permit_for(release, **changes)
    return TestPassed(
        case_id=release.case_id,
        case_number=release.application.case_number,
        digest=release.digest,
        round=1,
        permit_id=permit.id,
        permit=sign(permit, key).model_dump_json(),
        valid_until=permit.valid_until,
    )


def failure(release: Release) -> TestFailed:
    case = {"case_id": release.case_id, "case_number": release.application.case_number}
    return TestFailed(**case, digest=release.digest, note="SQL injection", round=1, findings={"high": 1})


@pytest.fixture
def campus(sessions: Callable[[str], Session], tmp_path: Path) -> Iterator[Campus]:
    """Return a campus of which the infrastructure division knows nothing yet."""
    yield Campus(sessions("deploy"), Store(tmp_path / "files"), uuid4())


# --- the register --------------------------------------------------------------------------------------------


def test_a_server_nobody_looked_at_cannot_be_registered(campus: Campus) -> None:
    with pytest.raises(OutOfTurn, match="belum pernah diperiksa"):
        actions.register_server(campus.session, EDI, **server_fields("web-1"))


def test_a_fingerprint_other_than_the_shown_one_is_refused(campus: Campus) -> None:
    probe = actions.probe_server(campus.session, EDI, address="web.kampus.example", port=22)
    actions.note_probe(campus.session, probe.id, host_key=HOST_KEY, fingerprint=FINGERPRINT)

    with pytest.raises(Incomplete) as refused:
        actions.register_server(campus.session, EDI, **{**server_fields("web-1"), "fingerprint": "SHA256:" + "b" * 43})

    assert [error.pointer for error in refused.value.errors] == ["/fingerprint"]


def test_a_registered_server_has_the_key_that_it_showed(campus: Campus) -> None:
    server = campus.server()

    assert server.is_active
    assert (server.host_key, server.fingerprint) == (HOST_KEY, FINGERPRINT)


def test_a_server_with_hostings_cannot_be_retired(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()

    with pytest.raises(OutOfTurn, match="Masih ada hosting"):
        actions.retire_server(campus.session, EDI, hosting.place.id, reason="diganti")


def test_a_changed_host_key_takes_the_server_out_of_use_and_fails_the_installation(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    installation = campus.planned(hosting, campus.build())

    actions.suspend_server(campus.session, hosting.place.id, shown="SHA256:lain")
    actions.fail_installation(campus.session, installation.id, reason="Kunci server berubah.")

    assert hosting.place.status == "suspended"
    assert "SHA256:lain" in hosting.place.reason
    assert (installation.status, installation.reason) == ("failed", "Kunci server berubah.")
    assert len(campus.told("InstallationFailed")) == 1
    with pytest.raises(OutOfTurn, match="sedang tidak dipakai"):
        actions.plan_installation(campus.session, EDI, hosting_id=hosting.id, build_id=installation.build_id)


def test_a_suspended_server_returns_only_with_a_new_look_at_its_key(campus: Campus) -> None:
    server = campus.server()
    actions.suspend_server(campus.session, server.id, shown="")
    new = "SHA256:" + "c" * 43
    with pytest.raises(Incomplete):
        actions.repin_server(campus.session, EKO, server.id, fingerprint=new)

    probe = actions.probe_server(campus.session, EDI, address=server.address, port=server.port)
    actions.note_probe(campus.session, probe.id, host_key=HOST_KEY[:-4] + "AAAA", fingerprint=new)
    actions.repin_server(campus.session, EKO, server.id, fingerprint=new)

    assert server.is_active
    assert server.host_key == HOST_KEY[:-4] + "AAAA"


# --- hosting -------------------------------------------------------------------------------------------------


def test_an_accepted_hosting_names_its_place_and_tells_the_case(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()

    assert (hosting.public_host, hosting.closed_host) == ("presensi.kampus.example", "presensi-uji.kampus.example")
    assert len(campus.told("HostingReady")) == 1


def test_a_refused_hosting_frees_its_name_and_tells_the_reason(campus: Campus) -> None:
    campus.handed_over()
    refused = campus.request()

    actions.refuse_hosting(campus.session, EKO, refused.id, reason="Ruang habis.")

    assert refused.status == "refused"
    assert "Ruang habis." in campus.told("HostingRefused")[0]
    assert campus.request().status == "requested"


@pytest.mark.parametrize("name", ["www", "mail", "ns", "admin", "api", "sso", "presensi-uji"])
def test_a_reserved_name_is_refused(campus: Campus, name: str) -> None:
    campus.handed_over()

    with pytest.raises(Incomplete) as refused:
        campus.request(name)

    assert [error.pointer for error in refused.value.errors] == ["/subdomain"]


def test_a_name_is_given_out_once(campus: Campus) -> None:
    campus.handed_over().request()
    other = Campus(campus.session, campus.store, uuid4(), "ALUR-2026-0002")
    facts = other.facts() | {"application": ApplicationFacts(code="lain", name="Lain", unit="LPPM")}
    actions.know_handover(other.session, HandedOver(**facts, handover_number="BAST-2"))

    with pytest.raises(Incomplete, match="sudah dipakai"):
        other.request("presensi")


def test_the_one_who_asked_for_a_hosting_does_not_decide_on_it(campus: Campus) -> None:
    campus.handed_over().server()
    asker = both(BAYU, Role.INFRA_HEAD)
    asked = actions.request_hosting(campus.session, asker, **hosting_fields(campus.case_number, "presensi"))

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.accept_hosting(campus.session, asker, asked.id, server="web-1", office=campus.office)


def test_a_hosting_is_not_placed_on_a_server_out_of_use(campus: Campus) -> None:
    campus.handed_over()
    server = campus.server()
    actions.suspend_server(campus.session, server.id, shown="")

    with pytest.raises(Incomplete, match="sedang tidak dipakai"):
        actions.accept_hosting(campus.session, EKO, campus.request().id, server="web-1", office=campus.office)


# --- builds --------------------------------------------------------------------------------------------------


def test_the_same_files_twice_are_the_same_build(campus: Campus) -> None:
    campus.contracted()

    first, second = campus.build(), campus.build(by=BAYU)

    assert first is second
    assert len(campus.told("BuildReceived", "security")) == 1
    assert campus.store.has(first.digest), "the manifest lies in the store under the build's own digest"


def test_another_firm_may_not_deliver(campus: Campus) -> None:
    campus.contracted()

    with pytest.raises(NotAllowed, match="hanya untuk pemiliknya"):
        campus.build(by=KIKI)


@pytest.mark.parametrize("by", [ANI, EDI, CITRA, FITRI, LINA])
def test_whoever_delivers_nothing_is_refused_before_the_archive_is_read(campus: Campus, by: Person) -> None:
    campus.contracted()

    with pytest.raises(NotAllowed):
        actions.receive_build(
            campus.session,
            by,
            case_number=campus.case_number,
            file_name="x.zip",
            archive=io.BytesIO(b"not an archive"),
            store=campus.store,
        )


def test_an_archive_that_climbs_out_is_refused_with_its_entry(campus: Campus) -> None:
    campus.contracted()

    with pytest.raises(ArchiveRefused, match=r"\.\./etc/passwd"):
        campus.build({"../etc/passwd": b"x"})

    assert queries.builds(campus.session, BAYU) == []


def test_nothing_is_delivered_after_the_contract_has_ended(campus: Campus) -> None:
    campus.contracted()
    case = {"case_id": campus.case_id, "case_number": campus.case_number}
    actions.end_contract(campus.session, ContractTerminated(**case, contract_number="SPK-1"))

    with pytest.raises(OutOfTurn, match="dihentikan"):
        campus.build(by=BAYU)


def test_a_defective_build_sends_the_case_back_to_its_vendor(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    build = campus.build()

    actions.report_defect(campus.session, EDI, build.id, reason="Berkas gambar tidak ada.")

    assert campus.application.status == ApplicationStatus.IN_DEVELOPMENT
    assert len(campus.told("DefectReported")) == len(campus.told("DefectReported", "budget")) == 1
    with pytest.raises(OutOfTurn, match="cacat"):
        actions.plan_installation(campus.session, EDI, hosting_id=hosting.id, build_id=build.id)


def test_an_installed_build_is_not_reported_as_defective_any_more(campus: Campus) -> None:
    release = campus.installed(campus.handed_over().hosting())

    with pytest.raises(OutOfTurn):
        actions.report_defect(campus.session, EDI, release.build_id, reason="Berkas gambar tidak ada.")


def test_people_see_what_is_theirs_only(campus: Campus) -> None:
    build = campus.contracted().build()

    assert [len(queries.builds(campus.session, by)) for by in (JOKO, ANI, EDI, SARI)] == [1, 1, 1, 1]
    assert [len(queries.builds(campus.session, by)) for by in (KIKI, ZULKIFLI, LINA)] == [0, 0, 0]
    with pytest.raises(NotFound):
        queries.build(campus.session, KIKI, build.id)
    with pytest.raises(NotAllowed):
        queries.servers(campus.session, JOKO)


# --- installing ----------------------------------------------------------------------------------------------


def test_nothing_is_installed_before_the_handover(campus: Campus) -> None:
    hosting = campus.contracted().hosting()

    with pytest.raises(OutOfTurn, match="serah terima"):
        actions.plan_installation(campus.session, EDI, hosting_id=hosting.id, build_id=campus.build().id)


def test_planning_asks_the_server_in_a_job(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()

    made = actions.plan_installation(campus.session, EDI, hosting_id=hosting.id, build_id=campus.build().id)

    assert made.plan is None
    assert [job.kind for job in jobs.of_thing(campus.session, made.id)] == ["plan"]


def test_the_maker_of_a_plan_does_not_approve_it(campus: Campus) -> None:
    hosting, maker = campus.handed_over().hosting(), both(EDI, Role.INFRA_HEAD)
    installation = campus.planned(hosting, campus.build())

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.approve_installation(campus.session, maker, installation.id)

    assert "approve_installation" not in {a.name for a in queries.offered(campus.session, maker, installation)}
    assert "approve_installation" in {a.name for a in queries.offered(campus.session, EKO, installation)}


def test_only_the_plan_that_was_read_is_approved(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    installation = campus.planned(hosting, campus.build())

    with pytest.raises(Stale):
        actions.approve_installation(campus.session, EKO, installation.id, plan_digest="0" * 64)


def test_a_plan_with_obstacles_ends_there(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    full = FREE.model_copy(update={"free_bytes": 1})

    installation = campus.planned(hosting, campus.build(), full)

    assert installation.status == "failed"
    assert "Ruang kosong" in installation.reason


def test_a_hosting_has_one_unfinished_installation(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    campus.planned(hosting, campus.build())

    with pytest.raises(OutOfTurn, match="belum selesai"):
        campus.planned(hosting, campus.build({"extra": b"1"}))


def test_an_approved_plan_returns_to_approval_when_the_server_has_changed(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    installation = campus.planned(hosting, campus.build())
    actions.approve_installation(campus.session, EKO, installation.id)
    privileged = FREE.model_copy(update={"profile": "privileged"})

    other = make_plan(privileged, actions.wanted_of(installation))
    actions.plan_again(campus.session, campus.begun(installation.id), other)

    assert (installation.status, installation.approved_by_id) == ("planned", None)
    assert installation.plan_digest == other.digest
    actions.approve_installation(campus.session, EKO, installation.id, plan_digest=other.digest)
    assert installation.status == "approved"


def test_a_finished_installation_is_a_release_that_security_is_told_of(campus: Campus) -> None:
    release = campus.installed(campus.handed_over().hosting())

    assert (release.number, release.status) == (1, "installed")
    assert campus.application.status == ApplicationStatus.INSTALLED
    told = campus.told("InstalledForTesting", "security")[0]
    assert f'"digest":"{release.digest}"' in told
    assert f'"hosting":"{release.hosting_id}"' in told
    assert f'"installed_by":"{EDI.id}"' in told


def test_one_operation_at_a_time_runs_on_a_hosting(campus: Campus) -> None:
    release = campus.live(campus.installed(campus.handed_over().hosting()))
    for number in range(2):
        case = {"case_id": campus.case_id, "case_number": campus.case_number}
        actions.suspend(campus.session, CaseSuspended(**case, note=f"temuan {number}"))
    first, second = campus.session.scalars(
        select(Operation).where(Operation.kind == "close").order_by(Operation.created_at)
    )
    actions.begin(campus.session, first.id)

    with pytest.raises(actions.operation.Busy):
        actions.begin(campus.session, second.id)

    second.status = OperationStatus.RUNNING  # whatever the code does, the database refuses
    with pytest.raises(IntegrityError):
        campus.session.flush()
    assert release.is_closed


def test_each_run_on_a_hosting_has_a_higher_fence(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    installation = campus.planned(hosting, campus.build())
    actions.approve_installation(campus.session, EKO, installation.id)

    fences = [campus.begun(installation.id).fence for _ in range(3)]

    assert fences == [1, 2, 3]


# --- verdicts and permits ------------------------------------------------------------------------------------


def test_the_papers_of_each_step_lie_in_the_store(campus: Campus) -> None:
    release = campus.live(campus.installed(campus.handed_over().hosting()))
    installation = campus.session.get_one(Installation, release.installation_id)

    for kind, message, digest in (
        ("catatan_penyediaan", "HostingReady", release.hosting.paper_digest),
        ("berita_acara_instalasi", "InstalledForTesting", installation.paper_digest),
        ("catatan_rilis", "WentLive", release.paper_digest),
    ):
        assert digest is not None
        with campus.store.open(digest, verify=True) as printed:
            assert printed.read(5) == b"%PDF-"
        assert f'"kind":"{kind}"' in campus.told(message)[0]
        assert f'"digest":"{digest}"' in campus.told(message)[0]
    assert installation.paper_number


def test_a_later_case_of_the_same_application_is_known_beside_the_first(campus: Campus) -> None:
    campus.handed_over()
    later = Campus(campus.session, campus.store, uuid4(), "ALUR-2027-0001").contracted()

    assert (campus.application.code, later.application.code) == ("presensi", "presensi")


def test_a_failed_test_asks_for_another_build(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    release = campus.installed(hosting)

    actions.fail_test(campus.session, failure(release))

    assert (release.status, campus.application.status) == ("remediation", "remediation")
    with pytest.raises(OutOfTurn, match="tidak lulus uji"):
        campus.planned(hosting, campus.build())
    assert campus.installed(hosting, mended=b"1").number == 2


def test_what_is_live_already_is_not_installed_again(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    campus.live(campus.installed(hosting))

    with pytest.raises(OutOfTurn, match="sedang digunakan"):
        campus.planned(hosting, campus.build())


def test_a_passed_release_keeps_its_permit(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))

    assert (release.status, campus.application.status) == ("cleared", "cleared")
    assert release.permit is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": FORGER_KEY}, "key_unknown"),
        ({"digest": "0" * 64}, "other_digest"),
        ({"hosting": str(uuid4())}, "other_hosting"),
        ({"application": "lain"}, "other_application"),
        (
            {"issued_at": utc_now() - timedelta(days=2), "install_until": utc_now() - timedelta(days=1)},
            "install_expired",
        ),
        ({"issued_at": utc_now() + timedelta(days=1)}, "not_yet_valid"),
    ],
)
def test_a_permit_that_does_not_hold_is_not_taken(campus: Campus, changes: dict[str, Any], code: str) -> None:
    release = campus.installed(campus.handed_over().hosting())

    with pytest.raises(PermitRefused) as refused:
        campus.passed(release, **changes)

    assert refused.value.code == code
    assert (release.status, release.permit) == ("installed", None)


def test_an_altered_permit_is_not_taken(campus: Campus) -> None:
    release = campus.installed(campus.handed_over().hosting())
    message = verdict(release, digest="0" * 64)
    signed = SignedPermit.model_validate_json(message.permit)
    altered = signed.model_copy(update={"permit": signed.permit.replace("0" * 64, release.digest)})

    with pytest.raises(PermitRefused) as refused:
        actions.pass_test(
            campus.session,
            message.model_copy(update={"permit": altered.model_dump_json()}),
            public_key=campus.public_key,
        )

    assert refused.value.code == "forged"


def test_a_permit_that_comes_after_its_revocation_is_not_taken(campus: Campus) -> None:
    release = campus.installed(campus.handed_over().hosting())
    message = verdict(release)
    case = {"case_id": campus.case_id, "case_number": campus.case_number}
    actions.revoke_permit(campus.session, PermitRevoked(**case, permit_id=message.permit_id, note="temuan"))

    with pytest.raises(PermitRefused) as refused:
        actions.pass_test(campus.session, message, public_key=campus.public_key)

    assert refused.value.code == "revoked"


# --- going live ----------------------------------------------------------------------------------------------


def test_without_a_permit_the_head_cannot_authorise(campus: Campus) -> None:
    release = campus.installed(campus.handed_over().hosting())

    with pytest.raises(OutOfTurn):
        actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)


def test_nothing_opens_before_the_head_authorised_it(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))

    with pytest.raises(OutOfTurn, match="Kepala PUSTIPD"):
        actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)


def test_even_the_head_does_not_open(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)

    for by in (CITRA, both(CITRA, Role.INFRA_STAFF), EKO, FITRI):
        with pytest.raises(NotAllowed):
            actions.go_live(campus.session, by, release.id, public_key=campus.public_key)


def test_a_postponed_release_needs_a_new_authorisation(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)

    actions.postpone(campus.session, CITRA, release.id, reason="Menunggu pelatihan.")

    assert "Menunggu pelatihan." in campus.told("GoLivePostponed")[0]
    with pytest.raises(OutOfTurn):
        actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)


@pytest.mark.parametrize(("days", "code"), [(15, "install_expired"), (366, "expired")])
def test_a_permit_that_has_lapsed_opens_nothing(campus: Campus, days: int, code: str) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)
    later = utc_now() + timedelta(days=days)

    with pytest.raises(PermitRefused) as refused:
        actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key, now=later)
    assert refused.value.code == code

    actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)
    with pytest.raises(PermitRefused):
        actions.check_opening(campus.session, campus.begun(release.id), public_key=campus.public_key, now=later)


def test_a_revoked_permit_opens_nothing_though_it_was_authorised(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)
    actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)
    assert release.permit is not None
    case = {"case_id": campus.case_id, "case_number": campus.case_number}
    actions.revoke_permit(campus.session, PermitRevoked(**case, permit_id=release.permit.id, note="temuan"))

    with pytest.raises(OutOfTurn):  # the authorisation fell with the permit
        actions.check_opening(campus.session, campus.begun(release.id), public_key=campus.public_key)
    with pytest.raises(PermitRefused) as refused:
        actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)

    assert refused.value.code == "revoked"
    assert [job.kind for job in jobs.of_thing(campus.session, release.permit.id)] == ["revoke"]


def test_a_release_is_not_opened_twice_at_once(campus: Campus) -> None:
    release = campus.passed(campus.installed(campus.handed_over().hosting()))
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)
    actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)

    with pytest.raises(OutOfTurn, match="Masih ada pekerjaan lain"):
        actions.go_live(campus.session, EDI, release.id, public_key=campus.public_key)


def test_a_live_release_is_told_to_everybody_concerned(campus: Campus) -> None:
    release = campus.live(campus.installed(campus.handed_over().hosting()))

    assert (release.status, campus.application.status) == ("live", "live")
    for dest in ("proposal", "security", "helpdesk", "budget"):
        assert '"address":"http://presensi.kampus.example/"' in campus.told("WentLive", dest)[0]


def test_an_update_takes_the_place_of_the_release_before_it(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    first = campus.live(campus.installed(hosting))

    second = campus.live(campus.installed(hosting, news=b"1"))

    assert (first.status, second.status, second.number) == ("superseded", "live", 2)
    first.status = ReleaseStatus.LIVE  # two live releases are impossible, whatever the code does
    with pytest.raises(IntegrityError):
        campus.session.flush()


def test_an_earlier_release_serves_again_while_its_permit_stands(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    first = campus.live(campus.installed(hosting))
    second = campus.live(campus.installed(hosting, news=b"1"))

    actions.roll_back(campus.session, EDI, first.id, public_key=campus.public_key)
    actions.finish_opening(campus.session, campus.begun(first.id), office=campus.office)

    assert (first.status, second.status) == ("live", "superseded")
    assert '"release_number":1' in campus.told("RolledBack", "helpdesk")[0]


def test_no_release_returns_whose_permit_was_revoked(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    first = campus.live(campus.installed(hosting))
    campus.live(campus.installed(hosting, news=b"1"))
    assert first.permit is not None
    case = {"case_id": campus.case_id, "case_number": campus.case_number}
    actions.revoke_permit(campus.session, PermitRevoked(**case, permit_id=first.permit.id, note="temuan"))

    with pytest.raises(PermitRefused):
        actions.roll_back(campus.session, EDI, first.id, public_key=campus.public_key)


def test_a_suspended_application_is_shut_and_nothing_returns_there(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    first = campus.live(campus.installed(hosting))
    second = campus.live(campus.installed(hosting, news=b"1"))
    case = {"case_id": campus.case_id, "case_number": campus.case_number}

    actions.suspend(campus.session, CaseSuspended(**case, note="judi daring"))

    assert (second.is_closed, campus.application.status) == (True, "suspended")
    assert jobs.of_thing(campus.session, second.id)[0].kind == "close"
    with pytest.raises(OutOfTurn):
        actions.roll_back(campus.session, EDI, first.id, public_key=campus.public_key)
    assert actions.watched(campus.session) == []


def test_a_retired_application_is_closed_for_users_and_not_opened_again(campus: Campus) -> None:
    hosting = campus.handed_over().hosting()
    release = campus.live(campus.installed(hosting))
    case = {"case_id": campus.case_id, "case_number": campus.case_number}

    actions.retire(campus.session, ApplicationRetired(**case, note="Diganti sistem lain."))

    assert (release.is_closed, campus.application.status, hosting.status) == (True, "retired", "ready")
    [job] = [one for one in jobs.of_thing(campus.session, release.id) if one.kind == "close"]
    assert job
    assert not campus.application.is_ready
    with pytest.raises(OutOfTurn):
        campus.application.move("go_live")
    assert actions.watched(campus.session) == []


def test_a_retired_application_that_never_had_a_place_has_nothing_to_close(campus: Campus) -> None:
    actions.retire(campus.session, ApplicationRetired(case_id=uuid4(), case_number="APL-2020-0001"))

    assert campus.session.scalars(select(Operation)).all() == []


def test_a_suspension_that_comes_before_the_opening_waits(campus: Campus) -> None:
    campus.installed(campus.handed_over().hosting())
    case = {"case_id": campus.case_id, "case_number": campus.case_number}

    with pytest.raises(OutOfTurn):
        actions.suspend(campus.session, CaseSuspended(**case))


# --- who waits, figures, tables ------------------------------------------------------------------------------


def test_each_waits_for_what_is_theirs(campus: Campus) -> None:
    def waits(by: Person) -> list[str]:
        return [todo.title for todo in queries.waiting_on(campus.session, by)]

    campus.handed_over()
    assert waits(BUDI) == ["Ajukan hosting"]
    hosting = campus.hosting()
    build = campus.build()
    assert waits(EDI) == ["Susun rencana instalasi"]
    installation = campus.planned(hosting, build)
    assert (waits(EDI), waits(EKO)) == ([], ["Setujui rencana instalasi"])
    actions.approve_installation(campus.session, EKO, installation.id)
    release = actions.finish_installation(
        campus.session, campus.begun(installation.id), office=campus.office, is_open=False
    )
    campus.passed(release)
    assert waits(CITRA) == ["Putuskan pembukaan rilis 1"]
    actions.authorise_go_live(campus.session, CITRA, release.id, public_key=campus.public_key)
    assert (waits(CITRA), waits(EDI)) == ([], ["Buka rilis 1 untuk pengguna"])


def test_availability_is_the_share_of_answers_with_its_method(campus: Campus) -> None:
    campus.live(campus.installed(campus.handed_over().hosting()))
    one = actions.watched(campus.session)[0]
    answers = [actions.measurement.Answer(one, status, 10) for status in (200, 304, 503, 0)]

    actions.note_answers(campus.session, answers)
    today = date.today()
    figures = queries.figures(
        campus.session, campus.case_id, from_on=today - timedelta(days=1), until_on=today + timedelta(days=1)
    )

    assert {figure.key: figure.value for figure in figures} == {
        "uptime_percent": 50.0,
        "measurements": 4,
        "median_milliseconds": 10,
    }
    assert "tiap menit" in figures[0].source


def test_what_was_never_measured_is_not_told_as_down(campus: Campus) -> None:
    campus.live(campus.installed(campus.handed_over().hosting()))
    today = date.today()

    figures = queries.figures(campus.session, campus.case_id, from_on=today, until_on=today)

    assert {figure.key: figure.value for figure in figures} == {"measurements": 0}


def test_the_tables_are_those_of_the_model(database_of: Callable[[str], Any]) -> None:
    assert differences(database_of("deploy").url, model_metadata("deploy")) == []


def test_every_paper_printed_on_the_way_can_be_checked_by_its_code(campus: Campus) -> None:
    campus.live(campus.installed(campus.handed_over().hosting()))

    papers = known(campus.session, campus.store)

    assert {digest for digest, paper in papers.items() if paper is None or paper.digest != digest} == set()
    kinds = {paper.kind for paper in papers.values() if paper}
    assert kinds == {"catatan_penyediaan", "berita_acara_instalasi", "catatan_rilis"}
