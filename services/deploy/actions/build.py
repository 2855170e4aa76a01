"""Builds (S07): taken in from a vendor's archive, kept under one digest, or sent back as defective."""

from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.actions.hosting import by_number
from services.deploy.authority import ACTS
from services.deploy.intake import take_in
from services.deploy.model import Application, ApplicationStatus, Build, Installation
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import NotAllowed, NotFound, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import BuildReceived, DefectReported
from shared.store import Store


def receive_build(
    session: Session, by: Person, *, case_number: str, file_name: str, archive: BinaryIO, store: Store
) -> Build:
    """Take in an archive and return its build; the same files twice are the same build (S07).

    Refuses NotAllowed, ArchiveRefused (with the entry that is at fault), Incomplete for an unknown case, OutOfTurn
    when the application's contract has ended. What is then not received stays in the store without a name.
    """
    if not ACTS.receive_build.roles & by.roles:
        raise NotAllowed(ACTS.receive_build.refusal(by, None) or "")
    # Before the first question to the database: reading an archive may take longer than a transaction should.
    manifest = take_in(archive, store, strip_top=True)
    store.put(manifest.bytes)
    application = by_number(session, case_number)
    by = authorize(session, by, ACTS.receive_build, application, digest=manifest.digest, files=len(manifest))
    _may_deliver(application)
    same = select(Build).where(Build.case_id == application.case_id, Build.digest == manifest.digest)
    if found := session.scalar(same):
        return found
    build = Build(
        application=application,
        digest=manifest.digest,
        files=len(manifest),
        total_size=manifest.total_size,
        file_name=file_name[:255] or "paket",
        received_by_id=by.id,
        received_by_name=by.name,
    )
    session.add(build)
    session.flush()
    post(
        session,
        BuildReceived(
            case_id=application.case_id,
            case_number=application.case_number,
            digest=build.digest,
            build_id=build.id,
            file_name=build.file_name,
            files=build.files,
            total_size=build.total_size,
            path=f"/paket/{build.id}",
        ),
        by=by,
    )
    return build


def report_defect(session: Session, by: Person, build_id: UUID, *, reason: str) -> Build:
    """Send a build back to its vendor with the reason; the case returns to development (S07).

    Raises OutOfTurn once the application was installed: then the security test decides.
    """
    build = find_build(session, build_id)
    by = authorize(session, by, ACTS.report_defect, build, digest=build.digest)
    build.must_be_sound()
    if session.scalar(
        select(Installation.id).where(
            Installation.build_id == build.id, Installation.status.in_(["approved", "installed"])
        )
    ):
        raise OutOfTurn("Paket ini sudah atau sedang dipasang. Tunggu sampai instalasinya selesai atau gagal.")
    application = session.get_one(Application, build.case_id, with_for_update=True)
    application.move("report_defect")
    build.defect_reason, build.defect_by_name, build.defect_at = reason, by.name, utc_now()
    post(
        session,
        DefectReported(
            case_id=build.case_id,
            case_number=application.case_number,
            note=reason,
            digest=build.digest,
            path=f"/paket/{build.id}",
        ),
        by=by,
    )
    return build


def find_build(session: Session, build_id: UUID) -> Build:
    """Return a build, locked; raise NotFound."""
    build = session.get(Build, build_id, with_for_update={"of": Build})
    if build is None:
        raise NotFound("Paket tidak ditemukan. Periksa daftar paket.")
    return build


def _may_deliver(application: Application) -> None:
    if application.status == ApplicationStatus.BUDGETED:
        raise OutOfTurn("Kontrak aplikasi ini sudah dihentikan, sehingga paketnya tidak diterima lagi.")
