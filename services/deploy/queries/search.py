"""Search among hostings with their applications and addresses, and servers, as far as a person may see them."""

import re

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from services.deploy.authority import SERVER_READERS
from services.deploy.model import (
    APPLICATIONS,
    CLOSED_SUFFIX,
    HOSTINGS,
    SERVERS,
    Application,
    Hosting,
    Server,
)
from services.deploy.queries.reading import seen_by
from shared import search
from shared.identity import Person
from shared.search import Asked, Hit

HOST = re.compile(r"(?:https?://)?([a-z0-9-]+)\.([a-z0-9.-]+)")


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    asked = search.read(question)
    if asked is None:
        return []
    search.limit_time(session)
    hits = _hostings(session, by, asked)
    if by.has(*SERVER_READERS):
        hits += _servers(session, asked)
    return search.ranked(hits)


def _hostings(session: Session, by: Person, asked: Asked) -> list[Hit]:
    statement = (
        select(
            Hosting.id,
            Hosting.subdomain,
            Hosting.status,
            Hosting.created_at,
            Application.name,
            Application.unit,
            Application.case_number,
            Server.base_domain,
        )
        .join(Hosting.application)
        .outerjoin(Hosting.server)
        .where(seen_by(by))
    )
    return search.hits(
        session,
        asked,
        statement,
        lambda row: Hit(
            kind="hosting",
            title=f"Hosting {row.name}",
            number=f"{row.subdomain}.{row.base_domain}" if row.base_domain else row.subdomain,
            about=f"{row.unit} · {row.case_number}",
            path=f"/hosting/{row.id}",
            label=Hosting.labels[row.status],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Hosting.id,
        at=Hosting.created_at,
        own=HOSTINGS,
        others=[APPLICATIONS],
        also=_at_host(asked),
    )


def _at_host(asked: Asked) -> list[ColumnElement[bool]]:
    """Return the condition for a whole host name, open or closed: it is in no single table."""
    host = HOST.match(asked.typed)
    if host is None:
        return []
    return [and_(Hosting.subdomain == host[1].removesuffix(CLOSED_SUFFIX), Server.base_domain == host[2])]


def _servers(session: Session, asked: Asked) -> list[Hit]:
    return search.hits(
        session,
        asked,
        select(Server.id, Server.name, Server.address, Server.base_domain, Server.status, Server.created_at),
        lambda row: Hit(
            kind="server",
            title=row.name,
            number=row.address,
            about=row.base_domain,
            path=f"/server/{row.id}",
            label=Server.labels[row.status],
            at=row.created_at.isoformat(),
            rank=row.rank,
        ),
        thing=Server.id,
        at=Server.created_at,
        own=SERVERS,
    )
