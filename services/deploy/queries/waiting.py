"""What waits for whom in the infrastructure division."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from services.deploy.model import (
    Application,
    ApplicationStatus,
    Build,
    Hosting,
    HostingStatus,
    Installation,
    InstallationStatus,
    Release,
    ReleaseStatus,
    Server,
    ServerStatus,
)
from services.deploy.queries.reading import sees
from services.deploy.queries.thing import ready_to_plan
from shared.identity import Person, Role
from shared.sentence import Sentence

MOST = 100


@dataclass(frozen=True)
class Todo:
    """One thing to do, and where."""

    title: str
    about: str
    case_number: str
    step: str
    since: datetime
    path: str


def waiting_on(session: Session, by: Person) -> list[Todo]:
    """Return what waits for this person, oldest first."""
    found: list[Todo] = []
    if by.has(Role.INFRA_HEAD):
        found += _for_infra_head(session, by)
    if by.has(Role.INFRA_STAFF):
        found += _for_infra_staff(session, by)
    if by.has(Role.APP_STAFF, Role.APP_HEAD):
        found += _for_application_division(session)
    if by.has(Role.VENDOR, Role.APP_STAFF):
        found += _for_deliverers(session, by)
    if by.has(Role.HEAD):
        found += _for_head(session)
    return sorted(found, key=lambda todo: todo.since)


def _for_infra_head(session: Session, by: Person) -> Iterator[Todo]:
    asked = select(Hosting).where(Hosting.status == HostingStatus.REQUESTED).order_by(Hosting.created_at)
    for hosting in session.scalars(asked.limit(MOST)):
        title: str = Sentence("Putuskan permohonan hosting {subdomain}", subdomain=hosting.subdomain)
        yield _todo(title, hosting.application, "S07", hosting.created_at, f"/hosting/{hosting.id}")
    planned = (
        select(Installation)
        .where(Installation.status == InstallationStatus.PLANNED, Installation.made_by_id != by.id)
        .order_by(Installation.created_at)
    )
    for installation in session.scalars(planned.limit(MOST)):
        application = installation.hosting.application
        yield _todo(
            Sentence("Setujui rencana instalasi"),
            application,
            "S07",
            installation.created_at,
            f"/instalasi/{installation.id}",
        )
    suspended = select(Server).where(Server.status == ServerStatus.SUSPENDED).limit(MOST)
    for server in session.scalars(suspended):
        title = "Periksa server: kuncinya berubah"
        yield Todo(title, server.name, "", "S07", server.created_at, f"/server/{server.id}")


def _for_infra_staff(session: Session, by: Person) -> Iterator[Todo]:
    for hosting, build in ready_to_plan(session, by, limit=MOST):
        yield _todo(Sentence("Susun rencana instalasi"), hosting.application, "S07", build.created_at, "/instalasi")
    authorised = select(Release).where(Release.status == ReleaseStatus.CLEARED, Release.authorised_at.is_not(None))
    for release in session.scalars(authorised.order_by(Release.authorised_at).limit(MOST)):
        since = release.authorised_at or release.created_at
        yield _todo(
            Sentence("Buka rilis {number} untuk pengguna", number=release.number),
            release.application,
            "F04",
            since,
            f"/rilis/{release.id}",
        )


def _for_application_division(session: Session) -> Iterator[Todo]:
    without = (
        select(Application)
        .where(
            Application.status == ApplicationStatus.HANDED_OVER,
            ~exists().where(Hosting.case_id == Application.case_id, Hosting.status != HostingStatus.REFUSED),
        )
        .order_by(Application.created_at)
    )
    for application in session.scalars(without.limit(MOST)):
        yield _todo(Sentence("Ajukan hosting"), application, "S07", application.created_at, "/hosting")


def _for_deliverers(session: Session, by: Person) -> Iterator[Todo]:
    mended = exists().where(Build.case_id == Application.case_id, Build.created_at > Release.created_at)
    failed = (
        select(Release)
        .join(Release.application)
        .where(Release.status == ReleaseStatus.REMEDIATION, Release.number == Application.last_release, ~mended)
        .order_by(Release.created_at)
    )
    for release in session.scalars(failed.limit(MOST)):
        if by.has(Role.APP_STAFF) or sees(by, release.application):
            title = Sentence("Unggah paket perbaikan: rilis {number} tidak lulus uji", number=release.number)
            yield _todo(title, release.application, "S07", release.created_at, "/paket")


def _for_head(session: Session) -> Iterator[Todo]:
    cleared = select(Release).where(
        Release.status == ReleaseStatus.CLEARED,
        Release.authorised_at.is_(None),
        Release.postponed_reason == "",
    )
    for release in session.scalars(cleared.order_by(Release.created_at).limit(MOST)):
        title = Sentence("Putuskan pembukaan rilis {number}", number=release.number)
        yield _todo(title, release.application, "F04", release.created_at, f"/rilis/{release.id}")


def _todo(title: str, application: Application, step: str, since: datetime, path: str) -> Todo:
    return Todo(title, application.name, application.case_number, step, since, path)
