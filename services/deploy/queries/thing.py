"""Hostings, builds, installations and releases as people read them, and what each lets them do now."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, joinedload

from services.deploy.authority import ACTS
from services.deploy.model import (
    Application,
    ApplicationStatus,
    Build,
    Hosting,
    HostingStatus,
    Installation,
    InstallationStatus,
    Operation,
    OperationStatus,
    Release,
    ReleaseStatus,
    Server,
)
from services.deploy.model.application import READY
from services.deploy.queries.reading import Place, page, seen_by, sees
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person


def hostings(session: Session, by: Person, *, limit: int = 50, after: Place | None = None) -> Sequence[Hosting]:
    """Return the hostings and requests that this person may see, newest first."""
    statement = select(Hosting).join(Hosting.application).where(seen_by(by))
    return session.scalars(page(statement, Hosting, limit=limit, after=after)).all()


def hosting(session: Session, by: Person, hosting_id: UUID) -> Hosting:
    """Return a hosting that this person may see; raise NotFound otherwise."""
    found = session.get(Hosting, hosting_id)
    if found is None or not sees(by, found.application):
        raise NotFound("Hosting tidak ditemukan. Periksa daftar hosting.")
    return found


def builds(session: Session, by: Person, *, limit: int = 50, after: Place | None = None) -> Sequence[Build]:
    """Return the builds that this person may see, newest first."""
    statement = select(Build).join(Build.application).where(seen_by(by))
    return session.scalars(page(statement, Build, limit=limit, after=after)).all()


def build(session: Session, by: Person, build_id: UUID) -> Build:
    """Return a build that this person may see; raise NotFound otherwise."""
    found = session.get(Build, build_id)
    if found is None or not sees(by, found.application):
        raise NotFound("Paket tidak ditemukan. Periksa daftar paket.")
    return found


def installations(
    session: Session, by: Person, *, limit: int = 50, after: Place | None = None
) -> Sequence[Installation]:
    """Return the installations that this person may see, newest first."""
    statement = select(Installation).join(Installation.hosting).join(Hosting.application).where(seen_by(by))
    return session.scalars(page(statement, Installation, limit=limit, after=after)).all()


def installation(session: Session, by: Person, installation_id: UUID) -> Installation:
    """Return an installation that this person may see; raise NotFound otherwise."""
    found = session.get(Installation, installation_id)
    if found is None or not sees(by, found.hosting.application):
        raise NotFound("Instalasi tidak ditemukan. Periksa daftar instalasi.")
    return found


def releases(session: Session, by: Person, *, limit: int = 50, after: Place | None = None) -> Sequence[Release]:
    """Return the releases that this person may see, newest first."""
    statement = select(Release).join(Release.application).where(seen_by(by))
    return session.scalars(page(statement, Release, limit=limit, after=after)).all()


def release(session: Session, by: Person, release_id: UUID) -> Release:
    """Return a release that this person may see; raise NotFound otherwise."""
    found = session.get(Release, release_id, options=[joinedload(Release.permits)])
    if found is None or not sees(by, found.application):
        raise NotFound("Rilis tidak ditemukan. Periksa daftar rilis.")
    return found


def operation_of(session: Session, thing: Installation | Release) -> Operation | None:
    """Return the newest operation on the host about an installation or a release."""
    return session.scalar(
        select(Operation).where(Operation.thing_id == thing.id).order_by(Operation.created_at.desc()).limit(1)
    )


def release_of(session: Session, installation: Installation) -> Release | None:
    """Return the release that an installation became."""
    return session.scalar(select(Release).where(Release.installation_id == installation.id))


def ready_to_plan(session: Session, by: Person, *, limit: int = 50) -> list[tuple[Hosting, Build]]:
    """Return each ready hosting with the newest sound build that is not yet on its way there (S07)."""
    unfinished = [InstallationStatus.PLANNING, InstallationStatus.PLANNED, InstallationStatus.APPROVED]
    under_way = select(Installation.hosting_id).where(Installation.status.in_(unfinished))
    installed = select(Release.build_id).where(Release.hosting_id == Hosting.id)
    newer = aliased(Build)
    is_outdated = exists().where(
        newer.case_id == Build.case_id, newer.defect_at.is_(None), newer.created_at > Build.created_at
    )
    rows = session.execute(
        select(Hosting, Build)
        .join(Application, Application.case_id == Hosting.case_id)
        .join(Server, Server.id == Hosting.server_id)
        .join(Build, Build.case_id == Hosting.case_id)
        .where(
            seen_by(by),
            Hosting.status == HostingStatus.READY,
            Application.status.in_(READY),
            Build.defect_at.is_(None),
            ~is_outdated,
            Hosting.id.not_in(under_way),
            Build.id.not_in(installed),
        )
        .order_by(Build.created_at)
        .limit(limit)
    ).all()
    return [(hosting, build) for hosting, build in rows]


def offered(session: Session, by: Person, thing: Server | Hosting | Build | Installation | Release) -> list[Act]:
    """Return what this person may do with a thing now."""
    match thing:
        case Build():
            in_turn = _build_acts(session, thing)
        case Release():
            in_turn = _release_acts(session, thing)
        case _:
            in_turn = [name for name in thing.moves if name in ACTS.rows and thing.allows(name)]
    return [ACTS.rows[name] for name in in_turn if ACTS.rows[name].allows(by, thing)]


def _build_acts(session: Session, build: Build) -> list[str]:
    fixed = select(Installation.id).where(
        Installation.build_id == build.id, Installation.status.in_(["approved", "installed"])
    )
    is_open = build.defect_at is None and build.application.allows("report_defect")
    return ["report_defect"] if is_open and not session.scalar(fixed.limit(1)) else []


def _release_acts(session: Session, release: Release) -> list[str]:
    busy: Any = select(Operation.id).where(
        Operation.hosting_id == release.hosting_id,
        Operation.status.in_([OperationStatus.WAITING, OperationStatus.RUNNING]),
    )
    if session.scalar(busy.limit(1)):
        return []
    if release.status == ReleaseStatus.CLEARED:
        if release.authorised_by_id:
            return ["go_live", "postpone"]
        return ["authorise_go_live", "postpone"]
    is_live = release.application.status == ApplicationStatus.LIVE
    return ["roll_back"] if release.status == ReleaseStatus.SUPERSEDED and is_live else []
