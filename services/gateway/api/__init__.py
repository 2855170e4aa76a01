"""The gateway's own JSON door."""

from services.gateway.api import (
    appointment,
    audit,
    calendar,
    dashboard,
    invitation,
    notice,
    operation,
    personal_setting,
    search,
    session,
    whole,
)

routers = [
    session.router,
    session.kept,
    appointment.kept,
    whole.router,
    dashboard.router,
    personal_setting.router,
    search.router,
    audit.router,
    operation.router,
    notice.router,
    invitation.kept,
    invitation.router,
    calendar.router,
]
