"""Hosting requests (S07): asked for by the application division, decided upon by the infrastructure division."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.actions.paper import provisioning_note
from services.deploy.authority import ACTS
from services.deploy.model import (
    CLOSED_SUFFIX,
    RESERVED,
    Application,
    ApplicationStatus,
    Hosting,
    HostingStatus,
    Server,
)
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import HostingReady, HostingRefused
from shared.printing import Office
from shared.sentence import Sentence


def request_hosting(
    session: Session,
    by: Person,
    *,
    case_number: str,
    subdomain: str,
    purpose: str,
    kind: str,
    runtime: str,
    disk_mb: int,
    until_on: date | None,
    administrative_contact: str,
    administrative_whatsapp: str,
    technical_contact: str,
    technical_whatsapp: str,
) -> Hosting:
    """Ask for domain and space for one application and return the request (S07).

    Raises Incomplete for an unknown case or a name that is reserved or taken, OutOfTurn without a contract.
    """
    application = by_number(session, case_number)
    by = authorize(session, by, ACTS.request_hosting, application, subdomain=subdomain)
    if application.status == ApplicationStatus.BUDGETED:
        raise OutOfTurn("Kontrak aplikasi ini dihentikan. Hosting dapat diajukan setelah ada kontrak baru.")
    _name_must_be_free(session, subdomain)
    asked = select(Hosting).where(Hosting.case_id == application.case_id, Hosting.status != HostingStatus.REFUSED)
    if session.scalar(asked):
        raise OutOfTurn("Aplikasi ini sudah mempunyai hosting atau permohonan yang menunggu keputusan.")
    hosting = Hosting(
        application=application,
        subdomain=subdomain,
        purpose=purpose,
        kind=kind,
        runtime=runtime,
        disk_mb=disk_mb,
        until_on=until_on,
        administrative_contact=administrative_contact,
        administrative_whatsapp=administrative_whatsapp,
        technical_contact=technical_contact,
        technical_whatsapp=technical_whatsapp,
        requested_by_id=by.id,
        requested_by_name=by.name,
    )
    session.add(hosting)
    session.flush()
    return hosting


def accept_hosting(session: Session, by: Person, hosting_id: UUID, *, server: str, office: Office) -> Hosting:
    """Set a place on a server aside for an application (S07); raise Incomplete for a server not in use."""
    hosting = find_hosting(session, hosting_id)
    by = authorize(session, by, ACTS.accept_hosting, hosting, server=server)
    place = session.scalar(select(Server).where(Server.name == server))
    if place is None or not place.is_active:
        words = Sentence(
            "Server “{server}” tidak ada di daftar atau sedang tidak dipakai. Pilih server yang siap dipakai.",
            server=server,
        )
        raise Incomplete(words, errors=[FieldError("/server", words)])
    hosting.move("accept_hosting")
    hosting.server = place
    hosting.decided_by_id, hosting.decided_by_name = by.id, by.name
    session.flush()
    application = hosting.application
    paper = provisioning_note(session, office, hosting, by)
    post(
        session,
        HostingReady(
            case_id=application.case_id,
            case_number=application.case_number,
            subdomain=hosting.public_host,
            server=place.name,
            papers=(paper,),
            path=f"/hosting/{hosting.id}",
        ),
        by=by,
    )
    return hosting


def refuse_hosting(session: Session, by: Person, hosting_id: UUID, *, reason: str) -> Hosting:
    """Refuse a hosting request with the reason; its name is free again (S07)."""
    hosting = find_hosting(session, hosting_id)
    by = authorize(session, by, ACTS.refuse_hosting, hosting)
    hosting.move("refuse_hosting")
    hosting.reason = reason
    hosting.decided_by_id, hosting.decided_by_name = by.id, by.name
    application = hosting.application
    post(
        session,
        HostingRefused(
            case_id=application.case_id,
            case_number=application.case_number,
            note=reason,
            path=f"/hosting/{hosting.id}",
        ),
        by=by,
    )
    return hosting


def find_hosting(session: Session, hosting_id: UUID) -> Hosting:
    """Return a hosting, locked; raise NotFound."""
    hosting = session.get(Hosting, hosting_id, with_for_update={"of": Hosting})
    if hosting is None:
        raise NotFound("Hosting tidak ditemukan. Periksa daftar hosting.")
    return hosting


def by_number(session: Session, case_number: str) -> Application:
    """Return the application of a case number, locked; raise Incomplete when it is not known here."""
    found = session.scalar(select(Application).where(Application.case_number == case_number).with_for_update())
    if found is None:
        words = Sentence(
            "Perkara “{case_number}” belum dikenal Divisi Infrastruktur. Periksa nomornya; aplikasi dikenal "
            "sejak kontraknya ditandatangani.",
            case_number=case_number,
        )
        raise Incomplete(words, errors=[FieldError("/case_number", words)])
    return found


def _name_must_be_free(session: Session, subdomain: str) -> None:
    words = ""
    if subdomain in RESERVED:
        words = Sentence("Nama “{subdomain}” dicadangkan. Mohon pilih nama lain.", subdomain=subdomain)
    elif subdomain.endswith(CLOSED_SUFFIX):
        words = Sentence(
            "Nama yang berakhiran “{closed_suffix}” dipakai untuk alamat uji. Mohon pilih nama lain.",
            closed_suffix=CLOSED_SUFFIX,
        )
    elif session.scalar(
        select(Hosting.id).where(Hosting.subdomain == subdomain, Hosting.status != HostingStatus.REFUSED)
    ):
        words = Sentence(
            "Nama “{subdomain}” sudah dipakai aplikasi lain. Mohon pilih nama lain.",
            subdomain=subdomain,
        )
    if words:
        raise Incomplete(words, errors=[FieldError("/subdomain", words)])
