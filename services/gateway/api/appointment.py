"""The JSON door for acting appointments."""

from uuid import UUID

from fastapi import APIRouter, Request

from services.gateway.actions import appointment as acting
from services.gateway.asker import must_watch
from services.gateway.schemas.appointment import AppointmentView, NewAppointment
from shared.database import utc_now
from shared.pages import Reason
from shared.web import Asker, Door, Session
from shared.words import local_date

kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Each request is one transaction of the gateway's own database."""


@kept.get("/appointments", response_model=list[AppointmentView])
def appointments(session: Session, by: Asker) -> list[AppointmentView]:
    must_watch(by)
    today = local_date(utc_now())
    return [AppointmentView.of(one, today) for one in acting.appointments(session)]


@kept.post("/appointments", response_model=AppointmentView, status_code=201)
def appoint(request: Request, session: Session, by: Asker, body: NewAppointment) -> AppointmentView:
    made = acting.appoint(session, by, body, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(made, local_date(utc_now()))


@kept.post("/appointments/{appointment_id}/ending", response_model=AppointmentView)
def end_appointment(
    request: Request, session: Session, by: Asker, appointment_id: UUID, body: Reason
) -> AppointmentView:
    ended = acting.end_appointment(session, by, appointment_id, reason=body.reason, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(ended, local_date(utc_now()))
