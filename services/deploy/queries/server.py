"""The server register as people read it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.model import Probe, Server, ServerStatus
from services.deploy.queries.reading import Place, must_see_servers, page
from shared.errors import NotFound
from shared.identity import Person


def servers(session: Session, by: Person, *, limit: int = 50, after: Place | None = None) -> Sequence[Server]:
    """Return the register, newest first; refuses NotAllowed."""
    must_see_servers(by)
    return session.scalars(page(select(Server), Server, limit=limit, after=after)).all()


def server(session: Session, by: Person, server_id: UUID) -> Server:
    """Return one server; refuses NotAllowed, NotFound."""
    must_see_servers(by)
    found = session.get(Server, server_id)
    if found is None:
        raise NotFound("Server tidak ditemukan. Periksa daftar server.")
    return found


def usable_servers(session: Session) -> Sequence[Server]:
    """Return the servers on which a hosting may be placed, by name."""
    return session.scalars(
        select(Server).where(Server.status == ServerStatus.ACTIVE).order_by(Server.name).limit(200)
    ).all()


def probes(session: Session, by: Person) -> Sequence[Probe]:
    """Return the newest looks at servers; refuses NotAllowed."""
    must_see_servers(by)
    return session.scalars(select(Probe).order_by(Probe.created_at.desc(), Probe.id.desc()).limit(10)).all()


def probe(session: Session, by: Person, probe_id: UUID) -> Probe:
    """Return one look at a server; refuses NotAllowed, NotFound."""
    must_see_servers(by)
    found = session.get(Probe, probe_id)
    if found is None:
        raise NotFound("Pemeriksaan server tidak ditemukan.")
    return found
