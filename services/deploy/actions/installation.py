"""Installations (S07): planned from what the server is, approved by somebody else, carried out, recorded."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.actions.build import find_build
from services.deploy.actions.hosting import find_hosting
from services.deploy.actions.operation import ATTEMPTS, end, enqueue, must_be_idle, must_be_usable
from services.deploy.actions.paper import installation_record
from services.deploy.authority import ACTS
from services.deploy.model import (
    Application,
    ApplicationStatus,
    HostingStatus,
    Installation,
    InstallationStatus,
    Operation,
    OperationKind,
    Release,
    ReleaseStatus,
)
from services.deploy.plan import Plan, Wanted
from shared import jobs
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import Incomplete, NotFound, OutOfTurn, Stale
from shared.identity import Person
from shared.mailbox import post
from shared.messages import InstallationApproved, InstallationFailed, InstalledForTesting
from shared.printing import Office
from shared.sentence import Sentence

UNFINISHED = (InstallationStatus.PLANNING, InstallationStatus.PLANNED, InstallationStatus.APPROVED)


def plan_installation(session: Session, by: Person, *, hosting_id: UUID, build_id: UUID) -> Installation:
    """Begin a plan: the server is asked what it is; return the installation, its plan still empty (S07).

    Raises OutOfTurn before the handover, while the test runs, or while another installation is under way.
    """
    hosting, build = find_hosting(session, hosting_id), find_build(session, build_id)
    by = authorize(session, by, ACTS.plan_installation, hosting, digest=build.digest)
    if build.case_id != hosting.case_id:
        raise Incomplete("Paket itu milik aplikasi lain. Pilih paket dan hosting dari aplikasi yang sama.")
    if hosting.status != HostingStatus.READY:
        raise OutOfTurn("Hosting ini belum disediakan. Tunggu keputusan Kepala Divisi Infrastruktur.")
    build.must_be_sound()
    _must_be_in_turn(hosting.application)
    _build_must_be_new(session, hosting_id=hosting.id, digest=build.digest)
    must_be_usable(hosting.place)
    unfinished = select(Installation.id).where(
        Installation.hosting_id == hosting.id, Installation.status.in_(UNFINISHED)
    )
    if session.scalar(unfinished):
        raise OutOfTurn("Masih ada instalasi lain yang belum selesai di hosting ini. Selesaikan atau batalkan dahulu.")
    installation = Installation(
        hosting=hosting,
        build=build,
        maker=by.model_dump(mode="json"),
        made_by_id=by.id,
        made_by_name=by.name,
    )
    session.add(installation)
    session.flush()
    installation.plan_job_id = jobs.start(session, "plan", installation.id, most_attempts=ATTEMPTS).id
    return installation


def keep_plan(session: Session, installation_id: UUID, plan: Plan) -> None:
    """Keep the plan that was made; it waits for its approval, or ends at its obstacles (S07)."""
    installation = find_installation(session, installation_id)
    if installation.status != InstallationStatus.PLANNING:
        return
    _set_plan(installation, plan)
    if plan.obstacles:
        fail_installation(session, installation_id, reason=" ".join(plan.obstacles))


def approve_installation(
    session: Session, by: Person, installation_id: UUID, *, plan_digest: str | None = None
) -> Installation:
    """Approve the plan as shown and begin the installation (S07).

    Refused for the plan's maker; raises Stale when the plan is not the one with this digest any more.
    """
    installation = find_installation(session, installation_id)
    by = authorize(session, by, ACTS.approve_installation, installation, plan=installation.plan_digest)
    if plan_digest is not None and plan_digest != installation.plan_digest:
        raise Stale("Rencana ini sudah disusun ulang sejak Anda membacanya. Mohon baca rencana yang baru.")
    installation.move("approve_installation")
    hosting, build = installation.hosting, installation.build
    build.must_be_sound()
    _must_be_in_turn(hosting.application)
    must_be_usable(hosting.place)
    must_be_idle(session, hosting)
    installation.approved_digest = installation.plan_digest
    installation.approved_by_id, installation.approved_by_name = by.id, by.name
    installation.approved_at = utc_now()
    installation.reason = ""
    maker = Person.model_validate(installation.maker)
    installation.job_id = enqueue(session, hosting, OperationKind.INSTALL, installation.id, by=maker).job_id
    post(
        session,
        InstallationApproved(
            case_id=hosting.case_id,
            case_number=hosting.application.case_number,
            digest=build.digest,
            plan_digest=installation.plan_digest,
            path=f"/instalasi/{installation.id}",
        ),
        by=by,
    )
    return installation


def cancel_installation(session: Session, by: Person, installation_id: UUID, *, reason: str) -> Installation:
    """Drop a plan that was not approved; nothing was changed on the server (S07)."""
    installation = find_installation(session, installation_id)
    by = authorize(session, by, ACTS.cancel_installation, installation)
    installation.move("cancel_installation")
    installation.reason = f"Dibatalkan oleh {by.name}: {reason}"
    installation.ended_at = utc_now()
    return installation


def plan_again(session: Session, operation: Operation, plan: Plan) -> None:
    """Take an approved installation back to approval: the server has changed since its plan was made (S07)."""
    installation = find_installation(session, operation.thing_id)
    _set_plan(installation, plan)
    installation.approved_digest = ""
    installation.approved_by_id, installation.approved_by_name, installation.approved_at = None, "", None
    installation.reason = (
        "Keadaan server berubah sejak rencana disetujui, sehingga rencana disusun ulang dan perlu disetujui kembali. "
        "Tidak ada yang diubah di server."
    )
    end(session, operation, reason=installation.reason)
    if plan.obstacles:
        fail_installation(session, installation.id, reason=" ".join(plan.obstacles))


def wanted_of(installation: Installation) -> Wanted:
    """Return what the server should be once this installation is done: the build at its closed address (S07)."""
    hosting, build = installation.hosting, installation.build
    return Wanted(
        app=hosting.application.code,
        hosting=hosting.key,
        runtime=hosting.runtime,
        public=hosting.public_host,
        closed=hosting.closed_host,
        quota_mb=hosting.disk_mb,
        testing=build.digest,
        files=build.files,
        size=build.total_size,
    )


def fail_installation(session: Session, installation_id: UUID, *, reason: str) -> None:
    """Record that an installation ended without effect, with the reason in words (S07)."""
    installation = find_installation(session, installation_id)
    if installation.status not in UNFINISHED:
        return
    installation.move("fail")
    installation.reason = reason
    installation.ended_at = utc_now()
    hosting = installation.hosting
    post(
        session,
        InstallationFailed(
            case_id=hosting.case_id,
            case_number=hosting.application.case_number,
            note=reason,
            digest=installation.build.digest,
            path=f"/instalasi/{installation.id}",
        ),
        by=Person.model_validate(installation.maker),
    )


def finish_installation(session: Session, operation: Operation, *, office: Office, is_open: bool) -> Release:
    """Record that a build stands at its closed address, as a release with the next number (S07).

    `is_open` is what the host said of the public address: whether an earlier release serves there meanwhile.
    """
    installation = find_installation(session, operation.thing_id)
    maker = Person.model_validate(installation.maker)
    installation.move("finish")
    installation.ended_at = utc_now()
    hosting, build = installation.hosting, installation.build
    application = session.get_one(Application, hosting.case_id, with_for_update=True)
    application.last_release += 1
    if application.status != ApplicationStatus.LIVE:
        application.move("install")
    release = Release(
        application=application,
        number=application.last_release,
        digest=build.digest,
        build=build,
        hosting=hosting,
        installation_id=installation.id,
        installed_by_id=maker.id,
        installed_by_name=maker.name,
    )
    session.add(release)
    session.flush()
    paper = installation_record(session, office, installation, release, is_open=is_open)
    # Last before the letter: its line in the audit chain is the one that the letter points to.
    end(session, operation)
    server = hosting.place
    post(
        session,
        InstalledForTesting(
            case_id=application.case_id,
            case_number=application.case_number,
            digest=build.digest,
            path=f"/rilis/{release.id}",
            application=application.facts,
            release_id=release.id,
            release_number=release.number,
            hosting=hosting.key,
            closed_host=hosting.closed_host,
            connect_address=server.connect_address,
            connect_port=server.connect_port,
            server=server.name,
            installed_by=maker.id,
            papers=(paper,),
        ),
        by=maker,
    )
    return release


def find_installation(session: Session, installation_id: UUID) -> Installation:
    """Return an installation, locked; raise NotFound."""
    installation = session.get(Installation, installation_id, with_for_update={"of": Installation})
    if installation is None:
        raise NotFound("Instalasi tidak ditemukan. Periksa daftar instalasi.")
    return installation


def _set_plan(installation: Installation, plan: Plan) -> None:
    installation.move("keep_plan")
    installation.plan = plan.model_dump(mode="json")
    installation.plan_digest = plan.digest


def _must_be_in_turn(application: Application) -> None:
    if not application.is_ready:
        raise OutOfTurn(
            Sentence(
                "Aplikasi ini berstatus “{label}”. Pemasangan dilakukan setelah serah terima (BAST), atau "
                "setelah uji keamanan meminta perbaikan.",
                label=application.label,
            )
        )


def _build_must_be_new(session: Session, *, hosting_id: UUID, digest: str) -> None:
    same = select(Release).where(Release.hosting_id == hosting_id, Release.digest == digest)
    for release in session.scalars(same.order_by(Release.number.desc()).limit(20)):
        if release.status == ReleaseStatus.REMEDIATION:
            words = Sentence(
                "Paket ini sama dengan rilis {number} yang tidak lulus uji keamanan. Mohon pilih paket yang sudah "
                "diperbaiki.",
                number=release.number,
            )
        elif release.status == ReleaseStatus.LIVE and not release.is_closed:
            words = Sentence(
                "Paket ini sama dengan rilis {number} yang sedang digunakan. Mohon pilih paket yang baru.",
                number=release.number,
            )
        else:
            continue
        raise OutOfTurn(words)
