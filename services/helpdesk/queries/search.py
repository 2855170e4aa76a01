"""Search among tickets, as far as a person may see them."""

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from services.helpdesk.authority import READERS
from services.helpdesk.model import APPLICATIONS_SEARCHED, STATUS_LABELS, TICKETS_SEARCHED, LiveApplication, Ticket
from shared import search
from shared.identity import Person
from shared.search import Hit, Kind


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    return search.found(session, by, question, [TICKET])


TICKET = Kind(
    TICKETS_SEARCHED,
    select(Ticket.id, Ticket.number, Ticket.title, Ticket.status, LiveApplication.name).join(Ticket.application),
    lambda row: Hit(
        kind="ticket",
        title=row.title,
        number=row.number,
        about=row.name,
        path=f"/tiket/{row.id}",
        label=STATUS_LABELS[row.status],
    ),
    seen=lambda by: true() if by.has(*READERS) else Ticket.reporter_id == by.id,
    others=(APPLICATIONS_SEARCHED,),
)
