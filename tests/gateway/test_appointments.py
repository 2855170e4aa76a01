"""Acting appointments: by letter and for some days, in force without anybody's doing, and seen in the trace."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway.actions import appointment as appointments
from services.gateway.actions import person as actions
from services.gateway.model import Appointment, Person
from services.gateway.schemas.appointment import NewAppointment
from shared import audit
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import HEADER, Role, read
from shared.words import local_date
from tests.gateway.conftest import House, Visitor

PASSWORD = "sebuah kalimat yang panjang"
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Noon in WIB on the first day."""
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 25)
LATE = datetime(2026, 11, 25, 16, 59, tzinfo=UTC)
"""One minute before the last day ends in WIB."""


def person(session: Session, username: str, role: Role, **more: Any) -> Person:
    """Take somebody in."""
    return actions.add_person(
        session, username=username, display_name=username.title(), roles=[role], password=PASSWORD, **more
    )


@pytest.fixture
def office(sessions: Callable[[str], Session]) -> Session:
    """Return a session in which Citra is the Head, Budi and Dewi lead divisions, and Tono is the administrator."""
    session = sessions("gateway")
    for username, role in {
        "citra": Role.HEAD, "budi": Role.APP_HEAD, "dewi": Role.SERVICE_HEAD, "tono": Role.ADMIN, "sari": Role.AUDITOR,
    }.items():  # fmt: skip
        person(session, username, role)
    return session


def wanted(**changed: Any) -> NewAppointment:
    """Return Budi as Plh. of the Head for three days, with some of it changed."""
    usual: dict[str, Any] = {"username": "budi", "role": "head", "kind": "plh", "for_username": "citra"}
    usual |= {"from_on": FIRST, "until_on": LAST, "letter_number": "B-0412/Un.99/B.II/KP.01/11/2026"}
    return NewAppointment(**{**usual, **changed})


def named(session: Session, username: str) -> Person:
    """Return somebody by their username."""
    return session.scalars(select(Person).where(Person.username == username)).one()


def test_a_deputy_holds_both_posts_and_the_acting_one_by_name(office: Session) -> None:
    appointments.appoint(office, named(office, "tono").as_signed(), wanted(), now=NOON)

    budi = named(office, "budi").as_signed(FIRST)

    assert budi.roles == {Role.APP_HEAD, Role.HEAD}
    assert budi.acting == {Role.HEAD: "Plh. Kepala PUSTIPD"}
    assert (budi.acting_for, budi.as_what) == (None, "Koordinator Divisi Aplikasi")
    assert budi.carried_by({Role.HEAD}).as_what == "Plh. Kepala PUSTIPD"


@pytest.mark.parametrize(
    ("day", "is_acting"),
    [
        (FIRST - timedelta(days=1), False),
        (FIRST, True),
        (LAST, True),
        (local_date(LATE), True),
        (local_date(LATE + timedelta(minutes=2)), False),
    ],
)
def test_it_begins_and_ends_by_itself_with_the_day_in_wib(office: Session, day: date, is_acting: bool) -> None:
    appointments.appoint(office, None, wanted(), now=NOON - timedelta(days=3))

    budi = named(office, "budi").as_signed(day)

    assert (Role.HEAD in budi.roles, bool(budi.acting)) == (is_acting, is_acting)


def test_ended_early_it_is_over_at_once(office: Session) -> None:
    made = appointments.appoint(office, None, wanted(), now=NOON)
    citra = named(office, "citra").as_signed(FIRST)

    appointments.end_appointment(office, citra, made.id, reason="Pejabat sudah kembali.", now=NOON)

    assert named(office, "budi").as_signed(FIRST).roles == {Role.APP_HEAD}
    with pytest.raises(OutOfTurn):
        appointments.end_appointment(office, citra, made.id, reason="Sekali lagi.", now=NOON)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"username": "tidak.ada"}, "/username"),
        ({"username": "citra", "for_username": None, "kind": "plt"}, "/username"),
        ({"for_username": None}, "/for_username"),
        ({"for_username": "dewi"}, "/for_username"),
        ({"until_on": FIRST - timedelta(days=1)}, "/until_on"),
        ({"from_on": date(2026, 11, 1), "until_on": date(2026, 11, 22)}, "/until_on"),
        ({"until_on": FIRST + timedelta(days=366)}, "/until_on"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(office: Session, wrong: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Incomplete) as refusal:
        appointments.appoint(office, None, wanted(**wrong), now=NOON)

    assert refusal.value.errors[0].pointer == pointer


@pytest.mark.parametrize("letter", ["", "  ", None])
def test_without_a_letter_nobody_acts_for_anybody(letter: str | None) -> None:
    with pytest.raises(ValidationError):
        wanted(letter_number=letter)


@pytest.mark.parametrize(("first", "last", "fits"), [(-5, -1, True), (-5, 0, False), (2, 9, False), (3, 9, True)])
def test_a_post_has_one_deputy_at_a_time(office: Session, first: int, last: int, fits: bool) -> None:
    early = NOON - timedelta(days=10)
    appointments.appoint(office, None, wanted(), now=early)
    days = {"from_on": FIRST + timedelta(days=first), "until_on": FIRST + timedelta(days=last)}
    second = wanted(username="dewi", **days)

    if fits:
        assert appointments.appoint(office, None, second, now=early).person_id == named(office, "dewi").id
    else:
        with pytest.raises(Incomplete, match="sudah dijalankan Budi"):
            appointments.appoint(office, None, second, now=early)


def test_nobody_appoints_themselves_and_only_admin_and_head_appoint(office: Session) -> None:
    with pytest.raises(NotAllowed, match="bukan wewenang"):
        appointments.appoint(office, named(office, "sari").as_signed(), wanted(), now=NOON)
    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        appointments.appoint(office, named(office, "tono").as_signed(), wanted(username="tono"), now=NOON)


def test_the_audit_chain_says_who_was_appointed_to_what_until_when(office: Session) -> None:
    appointments.appoint(office, named(office, "tono").as_signed(), wanted(), now=NOON)

    line = office.scalars(select(audit.entry.c.line).order_by(audit.entry.c.seq.desc())).first() or ""

    assert '"act":"appoint"' in line and '"as":"Admin sistem"' in line
    assert str(named(office, "budi").id) in line and '"until":"2026-11-25"' in line and "B-0412" in line


def test_the_posts_that_can_be_acted_in_are_roles() -> None:
    assert Role.HEAD in appointments.POSTS and Role.ADMIN not in appointments.POSTS


def test_admin_appoints_and_ends_on_a_page_and_in_json(
    visitor: Callable[..., Visitor], somebody: Callable[..., str], people: Database
) -> None:
    admin, deputy = visitor(Role.ADMIN), somebody(Role.SERVICE_STAFF)
    today = local_date(utc_now())
    form = {"form_token": admin.form_token, "username": deputy, "role": "treasurer", "kind": "plt"}
    form |= {"from_on": str(today), "until_on": str(today), "letter_number": "B-1/2026"}

    lacking = admin.client.post("/wewenang/penugasan", data={**form, "letter_number": ""})
    made = admin.client.post("/wewenang/penugasan", data=form)
    page = admin.client.get("/wewenang/penugasan")
    listed = admin.client.get("/api/appointments").json()
    mine = next(row for row in listed if row["username"] == deputy)
    ended = admin.client.post(
        f"/api/appointments/{mine['id']}/ending", json={"reason": "Sudah selesai."}, headers=admin.token_header
    )

    assert lacking.status_code == 422 and deputy in lacking.text and "Nomor surat" in lacking.text
    assert (made.status_code, made.headers["location"]) == (303, "/wewenang/penugasan")
    assert "Plt. Bendahara" in page.text and "Akhiri sekarang" in page.text
    assert (mine["state"], mine["letter_number"]) == ("in_force", "B-1/2026")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    with people.session() as session:
        kept = session.get(Appointment, mine["id"])
        assert kept and kept.end_reason == "Sudah selesai."


def test_who_is_neither_auditor_nor_head_nor_admin_sees_no_table(visitor: Callable[..., Visitor]) -> None:
    stranger = visitor(Role.PROPOSER).client

    answers = [stranger.get(p).status_code for p in ("/wewenang", "/wewenang/penugasan", "/api/appointments")]

    assert answers == [403, 403, 403]


def test_the_auditor_reads_the_table_of_a_division_and_our_own(visitor: Callable[..., Visitor]) -> None:
    page = visitor(Role.AUDITOR).client.get("/wewenang")

    assert page.status_code == 200
    assert "Main dengan mainan" in page.text and "Hanya pengusul sendiri" in page.text
    assert "Bukan yang mengunci RAB" in page.text and "Tetapkan penugasan" in page.text


def test_the_auditor_appoints_nobody(visitor: Callable[..., Visitor]) -> None:
    page = visitor(Role.AUDITOR).client.get("/wewenang/penugasan")

    assert page.status_code == 200 and '<form method="post" action="/wewenang' not in page.text


def test_a_divisions_table_is_told_to_nobody_outside(house: House) -> None:
    with house.client() as client:
        assert client.get("/inner/authority").status_code == 404


def test_the_posts_of_somebody_who_acts_reach_the_division(
    house: House, visitor: Callable[..., Visitor], people: Database
) -> None:
    deputy = visitor(Role.PROPOSER)
    today = local_date(utc_now())
    with people.transaction() as session:
        new = wanted(username=deputy.username, role="ppk", kind="plt", for_username=None, from_on=today, until_on=today)
        made = appointments.appoint(session, None, new, now=utc_now())
    with house.client() as fresh:
        known = fresh.post("/api/session", json={"username": deputy.username, "password": PASSWORD}).json()
        mine = fresh.get("/saya").text
        fresh.post("/api/toys", json={"name": "bola"}, headers={"x-form-token": known["form_token"]})
    with people.transaction() as session:
        appointments.end_appointment(session, None, made.id, reason="Selesai.", now=utc_now())
    key = house.keys.pair("gateway", "budget", use="person")
    told = read(house.toys.heard[-1][HEADER], key=key, audience="budget").person

    assert "Plt. Pejabat Pembuat Komitmen" in mine
    assert told.roles == {Role.PROPOSER, Role.PPK} and told.acting[Role.PPK].startswith("Plt. Pejabat Pembuat Komitmen")
