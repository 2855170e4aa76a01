"""The road of S07 and F04 over real SSH to a practice server with a real web server, job by job."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncssh
import pytest
from sqlalchemy import func, select

from services.deploy import actions, queries
from services.deploy.model import Hosting, Installation, Measurement, Operation, Probe, Release, Server
from services.deploy.settings import Settings
from services.deploy.tasks import make_worker
from services.deploy.tasks.watch import measure
from shared import jobs, permit
from shared.database import Database
from shared.keys import Keys
from shared.manifest import Entry, Manifest
from shared.messages import CaseSuspended, PermitRevoked
from shared.store import Store
from shared.worker import Worker
from tests.deploy.hosting import Host, install_request, refused, running_host, site_request
from tests.deploy.hosting import build as made_build
from tests.deploy.test_actions import Campus, hosting_fields, server_fields, verdict
from tests.people import BAYU, CITRA, EDI, EKO

pytestmark = pytest.mark.live
PAGES = {"index.html": b"<h1>satu</h1>", "gaya/utama.css": b"body{color:#123}", "kosong.txt": b""}


@dataclass
class Centre:
    """A division with a worker, and the practice server that it deploys to."""

    host: Host
    database: Database
    worker: Worker
    settings: Settings
    case_id: UUID

    def __post_init__(self) -> None:
        self.public_key = permit.public_key(self.settings.keys_folder)

    def campus(self, session: object) -> Campus:
        return Campus(session, Store(self.settings.files_folder), self.case_id)  # type: ignore[arg-type]

    def run(self, thing_id: UUID) -> str | None:
        """Let the worker do the newest job about a thing."""
        with self.database.transaction() as session:
            job = jobs.of_thing(session, thing_id)[0]
        return self.worker.run(job.id)

    def register(self, name: str = "latihan") -> Server:
        address = {"address": "127.0.0.1", "port": self.host.server.place.ssh_port}
        with self.database.transaction() as session:
            probe = actions.probe_server(session, EDI, **address)  # type: ignore[arg-type]
        assert self.run(probe.id) == "done"
        with self.database.transaction() as session:
            shown = session.get_one(Probe, probe.id)
            fields = server_fields(name, connect_port=self.host.server.place.http_port)
            fields |= {"kind": "practice", "fingerprint": shown.fingerprint, **address}
            return actions.register_server(session, EDI, **fields)

    def hosting(self) -> Hosting:
        server = self.register()
        with self.database.transaction() as session:
            campus = self.campus(session).handed_over()
            asked = actions.request_hosting(session, BAYU, **hosting_fields(campus.case_number, "presensi"))
            return actions.accept_hosting(session, EKO, asked.id, server=server.name, office=campus.office)

    def planned(self, hosting: Hosting, files: dict[str, bytes]) -> Installation:
        with self.database.transaction() as session:
            build = self.campus(session).build(files)
            made = actions.plan_installation(session, EDI, hosting_id=hosting.id, build_id=build.id)
        self.run(made.id)
        return self.installation(made.id)

    def installation(self, installation_id: UUID) -> Installation:
        with self.database.transaction() as session:
            return session.get_one(Installation, installation_id)

    def approve(self, installation: Installation) -> None:
        with self.database.transaction() as session:
            actions.approve_installation(session, EKO, installation.id, plan_digest=installation.plan_digest)

    def installed(self, hosting: Hosting, files: dict[str, bytes]) -> Release:
        installation = self.planned(hosting, files)
        self.approve(installation)
        assert self.run(installation.id) == "done", self.installation(installation.id).reason
        with self.database.transaction() as session:
            found = queries.release_of(session, installation)
            assert found is not None
            return found

    def cleared(self, release: Release) -> None:
        with self.database.transaction() as session:
            message = verdict(session.get_one(Release, release.id), key=self.host.signer.key)
            actions.pass_test(session, message, public_key=self.public_key)
        with self.database.transaction() as session:
            actions.authorise_go_live(session, CITRA, release.id, public_key=self.public_key)

    def opened(self, release: Release) -> Release:
        self.cleared(release)
        with self.database.transaction() as session:
            actions.go_live(session, EDI, release.id, public_key=self.public_key)
        assert self.run(release.id) == "done"
        return self.release(release.id)

    def release(self, release_id: UUID) -> Release:
        with self.database.transaction() as session:
            return session.get_one(Release, release_id)

    def served(self, name: str, paths: list[str]) -> str:
        """Return the digest of what a visitor gets from an address, file by file."""
        entries = []
        for path in paths:
            status, body, _ = self.host.get(name, f"/{path}")
            assert status == 200, (name, path, status)
            entries.append(Entry(path, "644", len(body), hashlib.sha256(body).hexdigest()))
        return Manifest(entries).digest


@pytest.fixture(scope="module")
def started() -> Iterator[Host]:
    with running_host() as host:
        yield host


@pytest.fixture
def centre(started: Host, database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Centre]:
    """Return a division that knows nothing yet, and a practice server on which nothing stands."""
    started.reset()
    folder = tmp_path / "keys"
    folder.mkdir()
    for key in keys.folder.glob("*.key"):
        (folder / key.name).symlink_to(key)
    (folder / permit.PUBLIC_KEY).write_bytes(started.signer.pem())
    (folder / "ssh.key").write_bytes(started.client.export_private_key())
    settings = Settings(database_url=database_of("deploy").url, keys_folder=folder, files_folder=tmp_path / "files")
    worker = make_worker(settings)
    yield Centre(started, worker.database, worker, settings, uuid4())
    worker.database.close()


def test_a_build_goes_from_the_request_to_its_users_and_back(centre: Centre) -> None:
    hosting = centre.hosting()
    paths = list(PAGES)

    first = centre.installed(hosting, PAGES)
    assert centre.served(hosting.closed_host, paths) == first.digest
    assert centre.host.get(hosting.public_host)[0] == 503, "closed first"

    first = centre.opened(first)
    assert (first.status, first.number) == ("live", 1)
    assert centre.served(hosting.public_host, paths) == first.digest

    second = centre.installed(hosting, {**PAGES, "index.html": b"<h1>dua</h1>"})
    assert centre.served(hosting.closed_host, paths) == second.digest
    assert centre.served(hosting.public_host, paths) == first.digest, "the old one serves until the switch"
    centre.opened(second)
    assert centre.served(hosting.public_host, paths) == second.digest

    with centre.database.transaction() as session:
        actions.roll_back(session, EDI, first.id, public_key=centre.public_key)
    assert centre.run(first.id) == "done"
    assert centre.served(hosting.public_host, paths) == first.digest
    assert (centre.release(first.id).status, centre.release(second.id).status) == ("live", "superseded")


def test_the_log_tells_what_was_planned_and_what_the_host_did(centre: Centre) -> None:
    hosting = centre.hosting()
    release = centre.installed(hosting, PAGES)

    with centre.database.transaction() as session:
        first = queries.log_after(session, release.installation_id)
        rest = queries.log_after(session, release.installation_id, first.lines[0][0])
        end = queries.log_after(session, release.installation_id, first.lines[-1][0])

    words = [line.text for _, line in first.lines]
    assert "Memeriksa keadaan server" in words
    assert "Alamat tertutup menunjuk rilis ini." in words
    assert rest.lines == first.lines[1:]
    assert (end.lines, end.is_over) == ([], True)


def test_a_server_that_shows_another_key_is_an_incident(centre: Centre) -> None:
    hosting = centre.hosting()
    installation = centre.planned(hosting, PAGES)
    centre.approve(installation)
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with centre.database.transaction() as session:
        session.get_one(Server, hosting.place.id).host_key = " ".join(other.split()[:2])

    assert centre.run(installation.id) == "failed"

    with centre.database.transaction() as session:
        server = session.get_one(Server, hosting.place.id)
        assert server.status == "suspended"
        assert server.fingerprint in server.reason, "it says which key the server showed"
        told = centre.campus(session).told("InstallationFailed")
    failed = centre.installation(installation.id)
    assert failed.status == "failed"
    assert "Kunci server 127.0.0.1 bukan yang terdaftar" in failed.reason
    assert len(told) == 1
    assert centre.host.facts()["sites"] == {}, "nothing was sent"


def test_a_server_that_has_changed_is_not_touched_before_a_new_approval(centre: Centre) -> None:
    hosting = centre.hosting()
    installation = centre.planned(hosting, PAGES)
    centre.approve(installation)
    foreign = made_build("asing")
    names = {"public": hosting.public_host, "closed": hosting.closed_host, "hosting": hosting.key}
    centre.host.ask(install_request(foreign, app="presensi") | names, foreign)

    assert centre.run(installation.id) == "done"

    again = centre.installation(installation.id)
    assert (again.status, again.approved_by_id) == ("planned", None)
    assert again.plan_digest != installation.plan_digest
    assert list(centre.host.facts()["sites"]["presensi"]["releases"]) == [foreign.digest]
    centre.approve(again)
    assert centre.run(installation.id) == "done"
    assert centre.installation(installation.id).status == "installed"


def test_a_silent_server_is_asked_again_later(centre: Centre) -> None:
    hosting = centre.hosting()
    with centre.database.transaction() as session:
        session.get_one(Server, hosting.place.id).port = 1
        build = centre.campus(session).build(PAGES)
        made = actions.plan_installation(session, EDI, hosting_id=hosting.id, build_id=build.id)

    assert centre.run(made.id) == "waiting"
    assert centre.installation(made.id).status == "planning"


def test_a_probe_of_nothing_says_so(centre: Centre) -> None:
    with centre.database.transaction() as session:
        probe = actions.probe_server(session, EDI, address="127.0.0.1", port=1)

    assert centre.run(probe.id) == "waiting"

    with centre.database.transaction() as session:
        actions.note_probe_failure(session, probe.id, reason="Server tidak menjawab.")
        assert session.get_one(Probe, probe.id).state == "failed"


def test_the_host_refuses_a_revoked_permit_by_itself(centre: Centre) -> None:
    release = centre.installed(centre.hosting(), PAGES)
    centre.cleared(release)
    kept = centre.release(release.id).permit
    assert kept is not None
    with centre.database.transaction() as session:
        case = {"case_id": centre.case_id, "case_number": "ALUR-2026-0001"}
        actions.revoke_permit(session, PermitRevoked(**case, permit_id=kept.id, note="temuan baru"))
    assert centre.run(kept.id) == "done"

    signed = kept.envelope
    request = {"permit": signed.permit, "signature": signed.signature, "key": signed.key, "digest": release.digest}
    asked = site_request("open", app="presensi", fence=99) | request | {"hosting": release.hosting.key}

    assert refused(centre.host.ask(asked)) == "revoked"


def test_a_permit_that_falls_between_button_and_host_opens_nothing(centre: Centre) -> None:
    release = centre.installed(centre.hosting(), PAGES)
    centre.cleared(release)
    with centre.database.transaction() as session:
        actions.go_live(session, EDI, release.id, public_key=centre.public_key)
    kept = centre.release(release.id).permit
    assert kept is not None
    with centre.database.transaction() as session:
        case = {"case_id": centre.case_id, "case_number": "ALUR-2026-0001"}
        actions.revoke_permit(session, PermitRevoked(**case, permit_id=kept.id, note="temuan baru"))

    assert centre.run(release.id) == "failed"

    assert centre.release(release.id).status == "cleared"
    assert centre.host.get(release.hosting.public_host)[0] == 503
    with centre.database.transaction() as session:
        opening = session.scalars(select(Operation).where(Operation.kind == "open")).one()
        assert (opening.status, bool(opening.reason)) == ("failed", True)


def test_a_suspended_application_answers_503(centre: Centre) -> None:
    release = centre.opened(centre.installed(centre.hosting(), PAGES))
    assert centre.host.get(release.hosting.public_host)[0] == 200
    with centre.database.transaction() as session:
        case = {"case_id": centre.case_id, "case_number": "ALUR-2026-0001"}
        actions.suspend(session, CaseSuspended(**case, note="judi daring"))

    assert centre.run(release.id) == "done"

    assert centre.host.get(release.hosting.public_host)[0] == 503


def test_a_live_address_is_measured(centre: Centre) -> None:
    centre.opened(centre.installed(centre.hosting(), PAGES))

    measure(centre.database)

    with centre.database.transaction() as session:
        assert session.scalar(select(func.count()).where(Measurement.is_up, Measurement.status == 200)) == 1
