"""Search among hostings with their applications and addresses, and servers, as far as a person may see them."""

import re

from sqlalchemy import ColumnElement, and_, select, true
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
from shared.search import Asked, Hit, Kind

HOST = re.compile(r"(?:https?://)?([a-z0-9-]+)\.([a-z0-9.-]+)")


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    return search.found(session, by, question, KINDS)


def _at_host(asked: Asked) -> list[ColumnElement[bool]]:
    """Return the condition for a whole host name, open or closed: it is in no single table."""
    host = HOST.match(asked.typed)
    if host is None:
        return []
    return [and_(Hosting.subdomain == host[1].removesuffix(CLOSED_SUFFIX), Server.base_domain == host[2])]


KINDS = (
    Kind(
        HOSTINGS,
        select(
            Hosting.id,
            Hosting.subdomain,
            Hosting.status,
            Application.name,
            Application.unit,
            Application.case_number,
            Server.base_domain,
        )
        .join(Hosting.application)
        .outerjoin(Hosting.server),
        lambda row: Hit(
            kind="hosting",
            title=f"Hosting {row.name}",
            number=f"{row.subdomain}.{row.base_domain}" if row.base_domain else row.subdomain,
            about=f"{row.unit} · {row.case_number}",
            path=f"/hosting/{row.id}",
            label=Hosting.labels[row.status],
        ),
        seen=seen_by,
        others=(APPLICATIONS,),
        also=_at_host,
    ),
    Kind(
        SERVERS,
        select(Server.id, Server.name, Server.address, Server.base_domain, Server.status),
        lambda row: Hit(
            kind="server",
            title=row.name,
            number=row.address,
            about=row.base_domain,
            path=f"/server/{row.id}",
            label=Server.labels[row.status],
        ),
        seen=lambda by: true() if by.has(*SERVER_READERS) else None,
    ),
)
