"""Acting appointments: by letter and for some days, in force without anybody's doing, and seen in the trace."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import services.gateway
from alur.embedded import Postgres
from services.gateway.actions import appointment as appointments
from services.gateway.actions import invitation
from services.gateway.actions import person as actions
from services.gateway.model import Appointment, Notice, Person
from services.gateway.schemas.appointment import Ending, NewAppointment
from services.gateway.schemas.invitation import NewInvitation
from shared import audit, identity
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import HEADER, Role, read
from shared.migrate import migrate
from shared.words import local_date
from tests.gateway.conftest import House, Visitor
from tests.people import ALWAYS

PASSWORD = "sebuah kalimat yang panjang"
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Noon in WIB on the first day."""
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 25)
SINCE = date(2026, 1, 5)
LATE = datetime(2026, 11, 25, 16, 59, tzinfo=UTC)
"""One minute before the last day ends in WIB."""


def person(session: Session, username: str, role: Role, **more: Any) -> Person:
    """Take somebody in who has held a post since before the days of these tests."""
    made = actions.add_person(
        session, username=username, display_name=username.title(), roles=[role], password=PASSWORD, **more
    )
    for one in made.appointments:
        one.from_on = SINCE
    return made


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


def proved(session: Session, username: str) -> identity.Person:
    """Return somebody as they act today, who has just proved who they are."""
    return named(session, username).as_signed().model_copy(update={"proved_until": ALWAYS})


def test_a_deputy_holds_both_posts_and_the_acting_one_by_name(office: Session) -> None:
    appointments.appoint(office, proved(office, "tono"), wanted(), now=NOON)

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
    citra = named(office, "citra").as_signed(FIRST).model_copy(update={"proved_until": ALWAYS})

    appointments.end_appointment(office, citra, made.id, Ending(reason="Pejabat sudah kembali."), now=NOON)

    assert named(office, "budi").as_signed(FIRST).roles == {Role.APP_HEAD}
    with pytest.raises(OutOfTurn):
        appointments.end_appointment(office, citra, made.id, Ending(reason="Sekali lagi."), now=NOON)


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
        with pytest.raises(Incomplete, match="dijalankan Budi pada 23 November 2026"):
            appointments.appoint(office, None, second, now=early)


def definitive(**changed: Any) -> NewAppointment:
    """Return Budi as the next Head for two years, with some of it changed."""
    usual: dict[str, Any] = {"username": "budi", "kind": "definitive", "for_username": None}
    return wanted(**{**usual, "until_on": date(2028, 11, 22), **changed})


def ending(reason: str = "Masa jabatan selesai.", **more: Any) -> Ending:
    """Return an ending with a letter."""
    return Ending(reason=reason, letter_number="SK-88/2026", **more)


def standing(session: Session, username: str) -> Appointment:
    """Return the first appointment of somebody."""
    return named(session, username).appointments[0]


def test_a_definitive_post_begins_and_ends_by_itself(office: Session) -> None:
    appointments.end_appointment(office, None, standing(office, "citra").id, ending(), now=NOON)
    appointments.appoint(office, None, definitive(title="Kepala Pusat"), now=NOON)

    budi = named(office, "budi")
    days = [FIRST - timedelta(days=1), FIRST, date(2028, 11, 22), date(2028, 11, 23)]

    assert [Role.HEAD in budi.as_signed(day).roles for day in days] == [False, True, True, False]
    assert budi.as_signed(FIRST).acting == {}
    assert named(office, "citra").as_signed(FIRST).roles == frozenset()


def test_each_post_signs_with_its_own_title(office: Session) -> None:
    appointments.end_appointment(office, None, standing(office, "citra").id, ending(), now=NOON)
    appointments.appoint(office, None, definitive(title="Kepala Pusat"), now=NOON)

    budi = named(office, "budi").as_signed(FIRST)

    assert budi.carried_by({Role.HEAD}).as_what == "Kepala Pusat"
    assert budi.carried_by({Role.APP_HEAD}).as_what == "Koordinator Divisi Aplikasi"
    assert named(office, "dewi").as_signed(FIRST).titles == {}


def test_a_deputy_bears_the_title_of_the_holder(office: Session) -> None:
    standing(office, "citra").title = "Kepala Pusat"

    made = appointments.appoint(office, None, wanted(), now=NOON)

    assert made.printed == "Plh. Kepala Pusat"


def test_a_post_of_one_has_one_definitive_holder_at_a_time(office: Session) -> None:
    with pytest.raises(Incomplete, match=r"Kepala PUSTIPD sudah dipegang .*Citra sejak 5 Januari 2026") as refusal:
        appointments.appoint(office, None, definitive(), now=NOON)
    appointments.end_appointment(office, None, standing(office, "citra").id, ending(last_on=LAST), now=NOON)
    with pytest.raises(Incomplete, match="sampai 25 November 2026"):
        appointments.appoint(office, None, definitive(from_on=LAST), now=NOON)
    after = appointments.appoint(office, None, definitive(from_on=LAST + timedelta(days=1)), now=NOON)

    held = [
        [name for name in ("citra", "budi") if Role.HEAD in named(office, name).as_signed(day).roles]
        for day in (FIRST, LAST, after.from_on)
    ]
    assert refusal.value.errors[0].pointer == "/from_on"
    assert held == [["citra"], ["citra"], ["budi"]]


def test_a_post_of_many_is_held_by_many_and_needs_no_end(office: Session) -> None:
    for username in ("budi", "dewi"):
        new = definitive(username=username, role="app_staff", until_on=None)
        appointments.appoint(office, None, new, now=NOON)

    assert all(Role.APP_STAFF in named(office, one).as_signed(FIRST).roles for one in ("budi", "dewi"))


def test_an_ending_with_a_day_to_come_is_kept_with_reason_and_letter(office: Session) -> None:
    found = appointments.end_appointment(office, None, standing(office, "dewi").id, ending(last_on=LAST), now=NOON)

    assert (found.until_on, found.ended_at, found.end_letter_number) == (LAST, None, "SK-88/2026")
    assert (found.end_reason, found.ended_by_name) == ("Masa jabatan selesai.", "Operator")
    with pytest.raises(OutOfTurn):
        appointments.end_appointment(office, None, found.id, ending(), now=NOON + timedelta(days=3))


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"until_on": None}, "/until_on"),
        ({"for_username": "citra"}, "/for_username"),
        ({"role": "vendor"}, "/role"),
        ({"username": "citra"}, "/username"),
        ({"kind": "plt", "role": "auditor", "until_on": LAST}, "/role"),
        ({"kind": "plt", "until_on": None}, "/until_on"),
    ],
)
def test_a_definitive_post_that_cannot_be_is_refused_with_the_field(
    office: Session, wrong: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Incomplete) as refusal:
        appointments.appoint(office, None, definitive(**wrong), now=NOON)

    assert refusal.value.errors[0].pointer == pointer


@pytest.mark.parametrize(
    ("how", "pointer"),
    [
        ({"letter_number": " "}, "/letter_number"),
        ({"letter_number": "SK-1", "last_on": FIRST - timedelta(days=1)}, "/last_on"),
    ],
)
def test_an_ending_that_cannot_be_is_refused_with_the_field(office: Session, how: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Incomplete) as refusal:
        appointments.end_appointment(
            office, None, standing(office, "dewi").id, Ending(reason="Berganti.", **how), now=NOON
        )

    assert refusal.value.errors[0].pointer == pointer


def test_an_ending_does_not_make_an_appointment_longer(office: Session) -> None:
    made = appointments.appoint(office, None, wanted(), now=NOON)

    with pytest.raises(Incomplete, match="memang berakhir pada 25 November 2026"):
        appointments.end_appointment(office, None, made.id, ending(last_on=LAST), now=NOON)


def test_two_who_appoint_at_once_cannot_fill_a_post_twice(database_of: Callable[[str], Database]) -> None:
    database = database_of("gateway")
    with database.transaction() as session:
        for username in ("budi", "dewi"):
            person(session, username, Role.PROPOSER)

    def fill(username: str) -> bool:
        try:
            with database.transaction() as session:
                appointments.appoint(session, None, definitive(username=username), now=NOON)
        except Incomplete:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(fill, ("budi", "dewi"))) == [False, True]


def test_an_appointment_does_not_wait_for_somebody_who_changes_the_account(
    database_of: Callable[[str], Database],
) -> None:
    """Both need the lock of the audit chain: would one wait for the other, neither came to an end."""
    database = database_of("gateway")
    with database.transaction() as session:
        budi = person(session, "budi", Role.PROPOSER)

    def appoint() -> None:
        with database.transaction() as session:
            appointments.appoint(session, None, definitive(), now=NOON)

    with ThreadPoolExecutor(1) as pool, database.transaction() as session:
        held = actions.find_person(session, budi.id)
        pool.submit(appoint).result(timeout=10)
        audit.record(session, None, "rename", held)


def test_the_person_is_told_when_it_begins_and_when_it_ends_early(office: Session) -> None:
    made = appointments.appoint(office, None, wanted(), now=NOON)
    appointments.end_appointment(office, None, made.id, Ending(reason="Pejabat sudah kembali."), now=NOON)

    told = office.scalars(select(Notice).order_by(Notice.key)).all()

    assert {one.person_id for one in told} == {named(office, "budi").id}
    assert [(one.title, one.about) for one in told] == [
        (
            "Anda ditetapkan sebagai Plh. Kepala PUSTIPD mulai 23 November 2026 sampai 25 November 2026",
            "Surat nomor B-0412/Un.99/B.II/KP.01/11/2026",
        ),
        ("Penugasan Anda sebagai Plh. Kepala PUSTIPD berakhir hari ini", "Alasan: Pejabat sudah kembali."),
    ]


def test_what_holds_today_already_is_told_at_once_whatever_the_hour(office: Session) -> None:
    today = appointments.appoint(office, None, wanted(until_on=FIRST), now=NOON)
    days = {"from_on": LAST, "until_on": LAST}
    appointments.appoint(office, None, wanted(username="dewi", **days), now=NOON)
    appointments.end_appointment(office, None, today.id, ending(), now=NOON)
    appointments.end_appointment(office, None, standing(office, "tono").id, ending(last_on=LAST), now=NOON)

    told = office.execute(select(Person.username, Notice.kind).join(Notice, Notice.person_id == Person.id))

    assert sorted(map(tuple, told)) == [("budi", "urgent"), ("budi", "urgent"), ("dewi", "news"), ("tono", "news")]


def test_history_is_told_newest_first_by_post_and_by_pages(office: Session) -> None:
    today = local_date(utc_now())
    appointments.appoint(office, None, wanted(from_on=today, until_on=today), now=utc_now())

    every = appointments.appointments(office)
    pages = [appointments.appointments(office, limit=4)]
    while len(pages[-1]) == 4:
        pages.append(appointments.appointments(office, limit=4, before=(pages[-1][-1].created_at, pages[-1][-1].id)))

    assert [one.printed for one in appointments.appointments(office, role=Role.HEAD)] == [
        "Plh. Kepala PUSTIPD",
        "Kepala PUSTIPD",
    ]
    assert len(every) == 6 and [one for page in pages for one in page] == every


def taken_in(session: Session) -> None:
    """Take a second Head in, as the command line does."""
    person(session, "gita", Role.HEAD)


def loaded(session: Session) -> None:
    """Load a directory that knows another Head."""
    gita = actions.NewPerson(username="gita", display_name="Gita", roles=frozenset({Role.HEAD}), password=PASSWORD)
    actions.load_directory(session, [], [gita])


def invited(session: Session) -> None:
    """Invite a second Head."""
    new = NewInvitation(username="gita", display_name="Gita", address="gita@kampus.example", role=Role.HEAD)
    invitation.invite(session, None, new, now=NOON)


@pytest.mark.parametrize("way", [taken_in, loaded, invited])
def test_a_post_has_one_holder_whichever_way_they_come(office: Session, way: Callable[[Session], None]) -> None:
    with pytest.raises(Incomplete, match=r"Kepala PUSTIPD sudah dipegang .*Citra") as refusal:
        way(office)

    assert refusal.value.errors[0].pointer == "/role"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "one_holder"),
        ({"kind": "plt", "until_on": date(2027, 1, 5), "letter_number": "B-1"}, None),
        ({"role": Role.APP_STAFF}, None),
        ({"ended_at": NOON}, None),
    ],
)
def test_the_database_itself_keeps_a_post_from_two(office: Session, changed: dict[str, Any], name: str | None) -> None:
    usual = {"role": Role.HEAD, "kind": "definitive", "from_on": LAST, "letter_number": "", "appointed_by_name": "x"}
    office.add(Appointment(person_id=named(office, "budi").id, **{**usual, **changed}))

    if name is None:
        office.flush()
    else:
        with pytest.raises(IntegrityError, match=name):
            office.flush()


def test_the_database_keeps_a_post_from_two_deputies(office: Session) -> None:
    appointments.appoint(office, None, wanted(), now=NOON)
    usual = {"role": Role.HEAD, "kind": "plt", "letter_number": "B-1", "appointed_by_name": "x"}
    office.add(Appointment(person_id=named(office, "dewi").id, from_on=LAST, until_on=LAST, **usual))

    with pytest.raises(IntegrityError, match="one_deputy"):
        office.flush()


def before(postgres: Postgres, revisions: str) -> Database:
    """Return a database as an earlier version left it."""
    postgres.drop_database("gateway_before")
    database = Database(postgres.make_database("gateway_before", user="gateway"))
    folder = Path(services.gateway.__file__).parent / "migrations" / "versions"
    with TemporaryDirectory() as name:
        for file in sorted(folder.glob(f"{revisions}_*.py")):
            (Path(name) / file.name).write_text(file.read_text())
        migrate(database.url, service="gateway", own_versions=Path(name))
    return database


def test_an_update_names_who_holds_a_post_twice_and_changes_nothing(postgres: Postgres) -> None:
    database = before(postgres, "000[1-7]")
    held = {"role": Role.HEAD, "kind": "definitive", "from_on": SINCE, "letter_number": "", "appointed_by_name": "x"}
    with database.transaction() as session:
        people = [Person(username=name, display_name=name, password_hash="-") for name in ("budi", "citra")]
        session.add_all(people)
        session.flush()
        rows = [Appointment(person_id=one.id, **held) for one in people]
        session.add_all(rows)
        session.flush()
        second = rows[1].id

    with pytest.raises(RuntimeError, match=r"head: (budi dan citra|citra dan budi)"):
        migrate(database.url, service="gateway")
    with database.transaction() as session:
        session.execute(update(Appointment).where(Appointment.id == second).values(ended_at=NOON))
    migrate(database.url, service="gateway")

    database.close()


def test_roles_of_before_become_appointments_without_an_end(postgres: Postgres) -> None:
    database = before(postgres, "000[12]")
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO person (id, username, display_name, roles, title, password_hash, is_active, created_at)"
                " VALUES (gen_random_uuid(), 'citra', 'Citra', ARRAY['head', 'ppk'], 'Kepala Pusat', 'x', true,"
                " '2026-01-05 18:00+00')"
            )
        )

    migrate(database.url, service="gateway")

    with database.transaction() as session:
        citra = session.scalars(select(Person)).one()
        signed = citra.as_signed(date(2040, 1, 1))
        since = {one.from_on for one in citra.appointments}
    database.close()
    assert (signed.roles, signed.title) == ({Role.HEAD, Role.PPK}, "Kepala Pusat")
    assert since == {date(2026, 1, 6)}


def test_nobody_appoints_themselves_and_only_admin_and_head_appoint(office: Session) -> None:
    with pytest.raises(NotAllowed, match="bukan wewenang"):
        appointments.appoint(office, proved(office, "sari"), wanted(), now=NOON)
    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        appointments.appoint(office, proved(office, "tono"), wanted(username="tono"), now=NOON)


def test_the_audit_chain_says_who_was_appointed_to_what_until_when(office: Session) -> None:
    appointments.appoint(office, proved(office, "tono"), wanted(), now=NOON)

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
    assert "Plt. Bendahara" in page.text and "Akhiri penugasan" in page.text
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


@pytest.mark.parametrize("path", ["/", "/mainan", "/menunggu", "/cari?q=x", "/api/toys", "/api/waiting"])
def test_an_account_without_a_post_is_known_but_may_do_nothing(
    visitor: Callable[..., Visitor], people: Database, path: str
) -> None:
    guest = visitor(Role.PROPOSER)
    with people.transaction() as session:
        post = standing(session, guest.username)
        appointments.end_appointment(session, None, post.id, ending(), now=utc_now())
    with httpx.Client(base_url=guest.client.base_url, headers={"accept": "text/html,*/*"}) as fresh:
        known = fresh.post("/api/session", json={"username": guest.username, "password": PASSWORD})
        answer, mine = fresh.get(path), fresh.get("/saya")

    assert known.status_code == 201 and known.json()["person"]["roles"] == []
    assert answer.status_code == 403
    assert "tidak memegang jabatan" in answer.text and "nomor surat penetapannya" in answer.text
    assert mine.status_code == 200


def test_the_list_is_narrowed_to_a_post_and_an_unknown_one_is_refused(visitor: Callable[..., Visitor]) -> None:
    auditor = visitor(Role.AUDITOR)

    of_auditors = auditor.client.get("/api/appointments", params={"role": "auditor", "limit": 200}).json()
    page = auditor.client.get("/wewenang/penugasan", params={"jabatan": "auditor"})
    unknown = auditor.client.get("/wewenang/penugasan", params={"jabatan": "raja"})

    assert {row["role"] for row in of_auditors} == {"auditor"}
    assert auditor.username in {row["username"] for row in of_auditors}
    assert auditor.username in page.text and "tanpa batas waktu" in page.text
    assert unknown.status_code == 422


def test_a_refused_ending_keeps_what_was_typed(visitor: Callable[..., Visitor], people: Database) -> None:
    admin, holder = visitor(Role.ADMIN), visitor(Role.PLANNING)
    with people.session() as session:
        post = standing(session, holder.username)
    form = {"form_token": admin.form_token, "reason": "Masa jabatan selesai.", "letter_number": ""}

    refused = admin.client.post(f"/wewenang/penugasan/{post.id}/pengakhiran", data=form)
    ended = admin.client.post(f"/wewenang/penugasan/{post.id}/pengakhiran", data={**form, "letter_number": "SK-9/2026"})

    assert refused.status_code == 422
    assert "Masa jabatan selesai." in refused.text and "surat pemberhentian" in refused.text
    assert ended.status_code == 303


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
        appointments.end_appointment(session, None, made.id, Ending(reason="Selesai."), now=utc_now())
    key = house.keys.pair("gateway", "budget", use="person")
    told = read(house.toys.heard[-1][HEADER], key=key, audience="budget").person

    assert "Plt. Pejabat Pembuat Komitmen" in mine
    assert told.roles == {Role.PROPOSER, Role.PPK} and told.acting[Role.PPK].startswith("Plt. Pejabat Pembuat Komitmen")
