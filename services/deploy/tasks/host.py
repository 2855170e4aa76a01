"""Jobs that ask a host something: claimed in one transaction, run in none, recorded in another."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from services.deploy import actions, host_helper, model, ssh
from services.deploy.model import Hosting, Installation, Operation, OperationKind, Probe, Release
from services.deploy.plan import (
    Facts,
    Plan,
    Request,
    Site,
    Wanted,
    close_request,
    inspect_request,
    install_request,
    make_plan,
    open_request,
    revoke_request,
    rollback_request,
    same_ground,
)
from shared import jobs, permit
from shared.database import Database
from shared.errors import Refused
from shared.store import Store
from shared.worker import Worker

LOOK = "Memeriksa keadaan server"
INSTALL = "Memasang di alamat tertutup"
STEPS = {
    OperationKind.OPEN: "Membuka untuk pengguna",
    OperationKind.ROLL_BACK: "Mengembalikan ke rilis sebelumnya",
    OperationKind.CLOSE: "Menutup alamat umum",
    OperationKind.REVOKE: "Mencabut izin di server",
}


class HostRefused(Refused):
    """The host's helper said no; `code` is its own."""

    code = "host_refused"
    title = "Server menolak"


@dataclass(frozen=True)
class Host:
    """With what the hosts are asked."""

    key: Path
    """Alur's SSH key."""
    keys_folder: Path
    store: Store
    public_url: str
    """Where people check what papers say."""

    @property
    def office(self) -> actions.Office:
        """Return the office that prints the papers."""
        return actions.Office(self.store, self.public_url)

    def reached(self, server: model.Server) -> ssh.Server:
        """Return how a registered server is reached."""
        return ssh.Server(
            address=server.address,
            port=server.port,
            user=server.username,
            key=self.key,
            host_key=server.host_key,
        )

    def manifest(self, digest: str) -> str:
        """Return the canonical list of a build's files, read back whole and compared."""
        with self.store.open(digest, verify=True) as file:
            return file.read().decode()


def runs_on_hosts(worker: Worker, host: Host) -> None:
    """Register what runs each kind of job that asks a host."""

    @worker.runs("probe", on_failure=_probe_failed)
    def probe(database: Database, lease: jobs.Lease) -> None:
        with database.transaction() as session:
            asked = session.get_one(Probe, UUID(lease.job.thing_id))
        shown = ssh.probe_host_key(asked.address, asked.port)
        with lease.recording() as session:
            actions.note_probe(session, asked.id, host_key=shown.line, fingerprint=shown.fingerprint)
            lease.finish(session)

    @worker.runs("plan", on_failure=_plan_failed)
    def plan(database: Database, lease: jobs.Lease) -> None:
        with database.transaction() as session:
            installation = session.get_one(Installation, UUID(lease.job.thing_id))
            server, wanted = installation.hosting.place, _wanted(installation)
        with _pinned(lease, server), lease.step(LOOK) as journal:
            made = make_plan(_facts(host.reached(server)), wanted)
            journal.note = f"Rencana disusun: {len(made.steps)} langkah."
        with lease.recording() as session:
            actions.keep_plan(session, installation.id, made)
            lease.finish(session)

    @worker.runs(OperationKind.INSTALL.value, on_failure=_operation_failed)
    def install(database: Database, lease: jobs.Lease) -> None:
        with lease.recording() as session:
            operation = actions.begin(session, _operation_id(lease.job))
            if operation is None:
                return
            installation = session.get_one(Installation, operation.thing_id)
            server, wanted = operation.hosting.place, _wanted(installation)
            # What an earlier, cut-off attempt left half-done is no foreign change; the host resumes by itself.
            was_begun = any(step.name == INSTALL for step in jobs.steps(session, lease.job.id))
        if not was_begun and (other := _other_plan(host, lease, server, installation, wanted)):
            with lease.recording() as session:
                actions.plan_again(session, _operation(session, lease.job), other)
                lease.finish(session)
            return
        request = install_request(wanted, manifest=host.manifest(installation.digest), fence=operation.fence)
        site = _asked(host, lease, server, request, step=INSTALL).site
        if site is None or site.testing != installation.digest or _serves(site, installation.digest):
            raise HostRefused("Server selesai, tetapi keadaannya bukan yang direncanakan. Mohon diperiksa.")
        with lease.recording() as session:
            actions.finish_installation(
                session, _operation(session, lease.job), office=host.office, is_open=site.front == "open"
            )
            lease.finish(session)

    def change(database: Database, lease: jobs.Lease) -> None:
        with lease.recording() as session:
            operation = actions.begin(session, _operation_id(lease.job))
            if operation is None:
                return
            server, kind = operation.hosting.place, OperationKind(operation.kind)
            request = _request(session, operation, keys_folder=host.keys_folder)
        done = _asked(host, lease, server, request, step=STEPS[kind])
        _must_be_so(kind, done.site, request)
        with lease.recording() as session:
            operation = _operation(session, lease.job)
            if kind in (OperationKind.OPEN, OperationKind.ROLL_BACK):
                actions.finish_opening(session, operation, office=host.office)
            else:
                actions.end(session, operation)
            lease.finish(session)

    for kind in STEPS:
        worker.runs(kind.value, on_failure=_operation_failed)(change)


def _request(session: Session, operation: Operation, *, keys_folder: Path) -> Request:
    hosting: Hosting = operation.hosting
    app, name, fence = hosting.application.code, hosting.key, operation.fence
    if operation.kind == OperationKind.REVOKE:
        return revoke_request(str(operation.thing_id))
    if operation.kind == OperationKind.CLOSE:
        return close_request(app=app, hosting=name, fence=fence)
    kept = actions.check_opening(session, operation, public_key=permit.public_key(keys_folder))
    digest = session.get_one(Release, operation.thing_id).digest
    if operation.kind == OperationKind.ROLL_BACK:
        return rollback_request(app=app, hosting=name, digest=digest, fence=fence)
    signed = kept.envelope
    return open_request(
        app=app,
        hosting=name,
        digest=digest,
        permit=signed.permit,
        signature=signed.signature,
        key=signed.key,
        fence=fence,
    )


def _wanted(installation: Installation) -> Wanted:
    known = actions.wanted_of(installation)
    return known.model_copy(update={"helper": host_helper.own_digest()})


def _facts(server: ssh.Server) -> Facts:
    line = ssh.ask(server, inspect_request())
    if line.facts is None:
        raise HostRefused(f"Server tidak dapat diperiksa: {line.text}", code=line.code or None)
    return line.facts


def _other_plan(
    host: Host, lease: jobs.Lease, server: model.Server, installation: Installation, wanted: Wanted
) -> Plan | None:
    """Return a new plan when the server is not what it was when this one was approved; None when it is."""
    approved = Plan.model_validate(installation.plan)
    with _pinned(lease, server), lease.step(LOOK) as journal:
        facts = _facts(host.reached(server))
        if same_ground(approved, facts) and approved.digest == installation.approved_digest:
            journal.note = "Keadaan server sama seperti ketika rencana disetujui."
            return None
        journal.note = "Keadaan server berubah sejak rencana disetujui; rencana disusun ulang."
        return make_plan(facts, wanted)


def _asked(host: Host, lease: jobs.Lease, server: model.Server, request: Request, *, step: str) -> ssh.Line:
    """Ask a host for one change, line by line into the log; return its last line, raise HostRefused when it said no."""
    with _pinned(lease, server), lease.step(step):
        for line in ssh.run(host.reached(server), request, host.store):
            if line.kind == "step":
                lease.write_line(line.text, step=line.step, state=line.state)
            elif line.kind == "need" and line.total:
                lease.write_line(f"Mengirim {line.total} bita yang belum ada di server.", step="files")
            elif line.kind == "refused":
                raise HostRefused(f"Server menolak: {line.text}", code=line.code or None)
            elif line.live:
                lease.write_line(f"Masih terbuka dengan izin ini: {', '.join(line.live)}.")
    return line


def _must_be_so(kind: OperationKind, site: Site | None, request: Request) -> None:
    """Compare what the host says it is now with what was asked; raise HostRefused when it is not so."""
    match kind:
        case OperationKind.REVOKE:
            return
        case OperationKind.CLOSE:
            is_so = site is not None and site.front == "closed"
        case _:
            is_so = site is not None and _serves(site, str(request.params["digest"]))
    if not is_so:
        raise HostRefused("Server selesai, tetapi keadaannya bukan yang diminta. Mohon diperiksa.")


def _serves(site: Site, digest: str) -> bool:
    """Tell whether users reach this build at the public address."""
    return site.front == "open" and site.current == digest


@contextmanager
def _pinned(lease: jobs.Lease, server: model.Server) -> Iterator[None]:
    """Take another host key than the pinned one for an incident: the server is not used any more."""
    try:
        yield
    except ssh.HostKeyChanged:
        shown = ""
        with suppress(Refused):
            shown = ssh.probe_host_key(server.address, server.port).fingerprint
        with lease.recording() as session:
            actions.suspend_server(session, server.id, shown=shown)
        raise


def _operation_id(job: jobs.Job) -> UUID:
    return UUID(job.params["operation"])


def _operation(session: Session, job: jobs.Job) -> Operation:
    return session.get_one(Operation, _operation_id(job), with_for_update={"of": Operation})


def _probe_failed(session: Session, job: jobs.Job) -> None:
    actions.note_probe_failure(session, UUID(job.thing_id), reason=job.reason or "")


def _plan_failed(session: Session, job: jobs.Job) -> None:
    actions.fail_installation(session, UUID(job.thing_id), reason=job.reason or "")


def _operation_failed(session: Session, job: jobs.Job) -> None:
    operation = _operation(session, job)
    actions.end(session, operation, reason=job.reason or "Pekerjaan berhenti tanpa keterangan.")
    if operation.kind == OperationKind.INSTALL:
        actions.fail_installation(session, operation.thing_id, reason=job.reason or "")
