"""The gateway's own JSON door."""

from services.gateway.api import appointment, session, whole

routers = [session.router, session.kept, appointment.kept, whole.router]
