"""The gateway's own pages."""

from services.gateway.pages import appointment, myself, sign_in, whole

routers = [whole.router, sign_in.router, myself.kept, appointment.router]
