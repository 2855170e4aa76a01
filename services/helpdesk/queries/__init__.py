"""What people ask of the helpdesk; nothing here changes anything."""

from services.helpdesk.queries.application import applications
from services.helpdesk.queries.search import found
from services.helpdesk.queries.ticket import figures, label, offered, ticket, tickets
from services.helpdesk.queries.waiting import waiting_on

__all__ = [
    "applications",
    "figures",
    "found",
    "label",
    "offered",
    "ticket",
    "tickets",
    "waiting_on",
]
