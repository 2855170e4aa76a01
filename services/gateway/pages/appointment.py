"""The gateway's pages about posts: who may do what in every division, and who acts for whom."""

from pathlib import Path
from uuid import UUID

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from services.gateway.actions import appointment as acting
from services.gateway.asker import Known, must_watch
from services.gateway.authority import ACTS
from services.gateway.door import together
from services.gateway.door.doors import TITLES, Doors
from services.gateway.schemas.appointment import AppointmentView, NewAppointment
from shared.authority import ActView
from shared.database import utc_now
from shared.identity import Person, Role
from shared.pages import Pages, Reason
from shared.procedure import procedure
from shared.web import Asker, Session
from shared.words import local_date

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
OWN = "gateway"
APPOINTMENTS = "/wewenang/penugasan"
STATES = {
    "in_force": ("Berlaku", "good"),
    "coming": ("Akan datang", "wait"),
    "over": ("Selesai", "quiet"),
    "ended": ("Diakhiri", "quiet"),
}


@router.get("/wewenang")
async def authority(request: Request, caller: Known) -> Response:
    must_watch(caller.person)
    doors: Doors = request.app.state.doors
    told = await together.authority(doors)
    told[OWN] = [ActView.of(act) for act in ACTS]
    tables = {name: rows for name, rows in told.items() if rows is not None}
    return await run_in_threadpool(
        pages.render,
        request,
        "authority.html",
        "Wewenang",
        tables=[
            (TITLES.get(name, "Pintu masuk"), [r for r in Role if any(r in act.roles for act in rows)], rows)
            for name, rows in tables.items()
        ],
        silent=[TITLES.get(name, name) for name, rows in told.items() if rows is None],
        titles=procedure().titles,
    )


@router.get(APPOINTMENTS)
def appointments(request: Request, session: Session, by: Asker) -> Response:
    return _acting(request, session, by)


def _acting(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    must_watch(by)
    today = local_date(utc_now())
    rows = [AppointmentView.of(one, today) for one in acting.appointments(session)]
    may_end = ACTS.end_appointment.allows(by, None)
    standing = {row.id for row in rows if row.state in ("in_force", "coming")} if may_end else set()
    return pages.render(
        request,
        "acting.html",
        "Penugasan",
        rows=[
            (row, pages.offers(request, [ACTS.end_appointment], id=row.id) if row.id in standing else [])
            for row in rows
        ],
        states=STATES,
        offers=pages.offers(request, [ACTS.appoint]) if by.has(*ACTS.appoint.roles) else [],
    )


def _appoint(session: Session, by: Person, _id: None, body: NewAppointment, request: Request) -> str:
    acting.appoint(session, by, body, now=utc_now())
    request.app.state.memory.forget()
    return APPOINTMENTS


def _end(session: Session, by: Person, appointment_id: UUID, body: Reason, request: Request) -> str:
    acting.end_appointment(session, by, appointment_id, reason=body.reason, now=utc_now())
    request.app.state.memory.forget()
    return APPOINTMENTS


pages.act(ACTS.appoint, APPOINTMENTS, NewAppointment, _appoint, back=_acting)
pages.act(ACTS.end_appointment, f"{APPOINTMENTS}/{{id}}/pengakhiran", Reason, _end, back=_acting)
