"""The JSON door for appointments: who holds which post, since when, until when."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway.actions import appointment as appointments
from services.gateway.asker import must_watch
from services.gateway.schemas.appointment import AppointmentView, Ending, NewAppointment
from shared.database import utc_now
from shared.identity import Role
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place
from shared.words import local_date

kept = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)
"""Each request is one transaction of the gateway's own database."""


@kept.get("/appointments", response_model=list[AppointmentView])
def list_appointments(
    request: Request,
    session: Session,
    by: Asker,
    role: Role | None = None,
    after: str | None = None,
    limit: Limit = 50,
) -> Response:
    must_watch(by)
    today = local_date(utc_now())
    found = appointments.appointments(session, role=role, before=place(after), limit=limit)
    return answer_list(request, [AppointmentView.of(one, today) for one in found], after=mark(found, limit))


@kept.post("/appointments", response_model=AppointmentView, status_code=201)
def appoint(request: Request, session: Session, by: Asker, body: NewAppointment) -> AppointmentView:
    made = appointments.appoint(session, by, body, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(made, local_date(utc_now()))


@kept.post("/appointments/{appointment_id}/ending", response_model=AppointmentView)
def end_appointment(
    request: Request, session: Session, by: Asker, appointment_id: UUID, body: Ending
) -> AppointmentView:
    ended = appointments.end_appointment(session, by, appointment_id, body, now=utc_now())
    request.app.state.memory.forget()
    return AppointmentView.of(ended, local_date(utc_now()))
