"""The gateway's pages about posts: who may do what in every division, and who holds which post since when."""

from pathlib import Path
from uuid import UUID

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from services.gateway.actions import appointment as appointments
from services.gateway.asker import Known, must_watch
from services.gateway.authority import ACTS
from services.gateway.door import together
from services.gateway.door.doors import TITLES, Doors
from services.gateway.schemas.appointment import AppointmentView, Ending, NewAppointment
from shared.authority import ActView
from shared.database import utc_now
from shared.errors import Incomplete
from shared.identity import Person, Role
from shared.pages import Pages
from shared.procedure import procedure
from shared.web import Asker, Session, mark, place
from shared.words import local_date

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
OWN = "gateway"
APPOINTMENTS = "/wewenang/penugasan"
SHOWN = 50
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
def list_appointments(
    request: Request, session: Session, by: Asker, jabatan: str = "", setelah: str | None = None
) -> Response:
    return _appointments(request, session, by, post=jabatan, after=setelah)


def _appointments(
    request: Request, session: Session, by: Person, _id: object = None, *, post: str = "", after: str | None = None
) -> Response:
    must_watch(by)
    today = local_date(utc_now())
    found = appointments.appointments(session, role=_role(post), before=place(after), limit=SHOWN)
    may_end = by.has(*ACTS.end_appointment.roles)
    rows = [AppointmentView.of(one, today) for one in found]
    ends = [[ACTS.end_appointment] if may_end and row.state in ("in_force", "coming") else [] for row in rows]
    return pages.render(
        request,
        "acting.html",
        "Penugasan",
        rows=[(row, pages.offers(request, acts, id=row.id)) for row, acts in zip(rows, ends, strict=True)],
        states=STATES,
        posts=procedure().titles,
        chosen=post,
        after=mark(found, SHOWN),
        offers=pages.offers(request, [ACTS.appoint]) if by.has(*ACTS.appoint.roles) else [],
    )


def _role(post: str) -> Role | None:
    if post and post not in set(Role):
        raise Incomplete("Jabatan itu tidak dikenal. Pilih salah satu dari daftar.")
    return Role(post) if post else None


def _appoint(session: Session, by: Person, _id: None, body: NewAppointment, request: Request) -> str:
    appointments.appoint(session, by, body, now=utc_now())
    request.app.state.memory.forget()
    return APPOINTMENTS


def _end(session: Session, by: Person, appointment_id: UUID, body: Ending, request: Request) -> str:
    appointments.end_appointment(session, by, appointment_id, body, now=utc_now())
    request.app.state.memory.forget()
    return APPOINTMENTS


pages.act(ACTS.appoint, APPOINTMENTS, NewAppointment, _appoint, back=_appointments)
pages.act(ACTS.end_appointment, f"{APPOINTMENTS}/{{id}}/pengakhiran", Ending, _end, back=_appointments)
