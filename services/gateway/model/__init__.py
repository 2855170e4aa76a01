"""The gateway's nouns."""

from services.gateway.model.person import Appointment, Person, Unit
from services.gateway.model.session import Attempt, Session, Token
from services.gateway.model.table import Table

__all__ = ["Appointment", "Attempt", "Person", "Session", "Table", "Token", "Unit"]
