"""Notices: told once, shown inside, sent outside when and where the person chose, reminded of by working days."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from services.gateway.actions import channel as channels
from services.gateway.actions import delivery as deliveries
from services.gateway.actions import notice as notices
from services.gateway.actions import seal
from services.gateway.actions.reminder import SUPERIOR, due_on, is_escalated, reminder, superior
from services.gateway.app import make
from services.gateway.model import Channel, Delivery, Notice, NoticeSetting, Person
from services.gateway.model.notice import AT_ONCE, DAILY, MAIL, NEWS, OFF, TELEGRAM, URGENT, WAITING, WHATSAPP
from services.gateway.settings import Settings
from shared import identity
from shared.database import Database
from shared.errors import Incomplete, NotFound, OutOfTurn, TooMany
from shared.identity import Role
from shared.keys import Keys
from shared.words import WIB
from shared.workdays import Calendar, seeded_calendar
from tests.gateway.conftest import PASSWORD, House, Visitor, serving

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=WIB)
CALENDAR = seeded_calendar([2026, 2027])
WISHES = NoticeSetting(digest_hour=7, quiet_from=18, quiet_until=7, quiet_days=True)


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    return sessions("gateway")


@pytest.fixture
def ani(session: Session) -> identity.Person:
    return take_in(session)


def take_in(session: Session) -> identity.Person:
    """Take a new person in; here nobody asks for their posts."""
    name = f"orang.{uuid4().hex[:8]}"
    person = Person(username=name, display_name="Orang Contoh", password_hash="-")
    session.add(person)
    session.flush()
    return identity.Person(id=person.id, username=name, name=person.display_name, roles=frozenset({Role.APP_HEAD}))


def reached(session: Session, person: identity.Person, kind: str = MAIL, pace: str = AT_ONCE) -> Channel:
    """Give a person a verified channel."""
    channel = Channel(person_id=person.id, kind=kind, address="orang@contoh.test", verified_at=MONDAY, pace=pace)
    session.add(channel)
    session.flush()
    return channel


def tell(
    session: Session, person: identity.Person, key: str = "satu", kind: str = NEWS, now: datetime = MONDAY
) -> bool:
    return notices.tell(
        session, person.id, kind=kind, title="Anda ditugaskan", path="/wewenang/penugasan", key=key, now=now
    )


def due(session: Session) -> list[Delivery]:
    return list(session.scalars(select(Delivery).where(Delivery.state == "due").order_by(Delivery.due_at)))


# --- told ----------------------------------------------------------------------------------------------------------


def test_telling_twice_changes_nothing(session: Session, ani: identity.Person) -> None:
    reached(session, ani)

    assert [tell(session, ani), tell(session, ani)] == [True, False]
    assert notices.unread_count(session, ani.id) == 1
    assert len(due(session)) == 1


def test_without_a_channel_it_is_shown_inside_only(session: Session, ani: identity.Person) -> None:
    tell(session, ani)

    assert due(session) == []
    assert [one.title for one in notices.notices(session, ani.id, limit=9)] == ["Anda ditugaskan"]


@pytest.mark.parametrize("path", ["https://jahat.test/", "//jahat.test", "/\\jahat.test", ""])
def test_a_notice_leads_to_our_own_pages_only(session: Session, ani: identity.Person, path: str) -> None:
    with pytest.raises(ValueError, match="no notice"):
        notices.tell(session, ani.id, kind=NEWS, title="x", path=path, key="x", now=MONDAY)


def test_an_address_that_is_not_verified_or_switched_off_gets_nothing(session: Session, ani: identity.Person) -> None:
    session.add(Channel(person_id=ani.id, kind=WHATSAPP, pending_address="+628123456789"))
    reached(session, ani, pace=OFF)

    tell(session, ani)

    assert due(session) == []


def test_what_is_told_at_the_same_moment_leaves_as_one_message(
    session: Session, ani: identity.Person, keys: Keys
) -> None:
    reached(session, ani)

    tell(session, ani, "satu")
    tell(session, ani, "dua")

    held = deliveries.hold_next(session, keys, now=MONDAY)
    assert held is not None and held.message is not None
    assert len(held.message.items) == 2 and held.message.subject == "2 pemberitahuan untuk Anda"
    assert deliveries.hold_next(session, keys, now=MONDAY) is None


def test_what_is_done_or_read_before_it_left_never_leaves(session: Session, ani: identity.Person, keys: Keys) -> None:
    reached(session, ani)
    tell(session, ani, "satu")
    tell(session, ani, "dua", now=MONDAY + timedelta(hours=1))
    first, second = notices.notices(session, ani.id, limit=9)[::-1]

    notices.take_back(session, [first.id], now=MONDAY)
    notices.read_notice(session, ani, second.id, now=MONDAY)

    assert due(session) == []
    assert deliveries.hold_next(session, keys, now=MONDAY + timedelta(days=9)) is None


def test_of_a_digest_only_what_is_still_open_is_told(session: Session, ani: identity.Person, keys: Keys) -> None:
    reached(session, ani)
    tell(session, ani, "satu")
    tell(session, ani, "dua")
    notices.take_back(session, [notices.notices(session, ani.id, limit=9)[0].id], now=MONDAY)

    held = deliveries.hold_next(session, keys, now=MONDAY)

    assert held is not None and held.message is not None and len(held.message.items) == 1


def test_the_subject_of_what_is_no_case_stays_inside(session: Session, ani: identity.Person, keys: Keys) -> None:
    reached(session, ani)
    told = {"kind": WAITING, "path": "/tiket/1", "now": MONDAY}
    notices.tell(session, ani.id, title="Tiket 1: baru", about="kata sandi saya rahasia123", key="1", **told)
    notices.tell(session, ani.id, title="Pasang", about="Presensi", case_number="AP-2026-0001", key="2", **told)

    held = deliveries.hold_next(session, keys, now=MONDAY)

    assert held is not None and held.message is not None
    assert {(one.about, one.case_number) for one in held.message.items} == {("", ""), ("Presensi", "AP-2026-0001")}


# --- when it leaves ------------------------------------------------------------------------------------------------


def wib(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=WIB)


@pytest.mark.parametrize(
    ("kind", "pace", "now", "leaves"),
    [
        (NEWS, AT_ONCE, wib(23, 10), wib(23, 10)),
        (NEWS, AT_ONCE, wib(23, 17, 59), wib(23, 17, 59)),
        # Monday evening and night: Tuesday morning.
        (NEWS, AT_ONCE, wib(23, 18), wib(24, 7)),
        (NEWS, AT_ONCE, wib(24, 6, 59), wib(24, 7)),
        # Friday evening and Saturday noon: Monday morning.
        (NEWS, AT_ONCE, wib(27, 20), wib(30, 7)),
        (NEWS, AT_ONCE, wib(28, 12), wib(30, 7)),
        # Christmas Eve is collective leave in 2026, Christmas a Friday: the Monday after.
        (NEWS, AT_ONCE, wib(24, 10, month=12), wib(28, 7, month=12)),
        (NEWS, DAILY, wib(23, 6), wib(23, 7)),
        (NEWS, DAILY, wib(23, 7), wib(24, 7)),
        (NEWS, DAILY, wib(27, 10), wib(30, 7)),
        (URGENT, AT_ONCE, wib(28, 3), wib(28, 3)),
        (URGENT, DAILY, wib(28, 3), wib(28, 3)),
    ],
)
def test_quiet_hours_and_the_digest_keep_it_for_the_morning(
    kind: str, pace: str, now: datetime, leaves: datetime
) -> None:
    assert notices.due_at(kind, pace, WISHES, now.astimezone(UTC), CALENDAR) == leaves


def test_whoever_wants_no_quiet_has_none() -> None:
    wishes = NoticeSetting(digest_hour=7, quiet_from=0, quiet_until=0, quiet_days=False)

    assert notices.due_at(NEWS, AT_ONCE, wishes, wib(28, 3), CALENDAR) == wib(28, 3)


def test_quiet_hours_may_lie_within_a_day() -> None:
    wishes = NoticeSetting(digest_hour=7, quiet_from=12, quiet_until=13, quiet_days=True)

    assert notices.due_at(NEWS, AT_ONCE, wishes, wib(23, 12, 30), CALENDAR) == wib(23, 13)
    assert notices.due_at(NEWS, AT_ONCE, wishes, wib(23, 20), CALENDAR) == wib(23, 20)


# --- inside --------------------------------------------------------------------------------------------------------


def test_the_list_has_unread_ones_first_and_pages_without_loss(session: Session, ani: identity.Person) -> None:
    for number in range(7):
        tell(session, ani, f"{number}", now=MONDAY + timedelta(minutes=number))
    third = notices.notices(session, ani.id, limit=9)[3]
    notices.read_notice(session, ani, third.id, now=MONDAY)

    shown: list[Notice] = []
    after = None
    while page := notices.notices(session, ani.id, limit=2, after=after):
        shown += page
        after = (page[-1].is_open, page[-1].created_at, page[-1].id)

    assert len({one.id for one in shown}) == len(shown) == 7
    assert [one.is_open for one in shown] == [True] * 6 + [False] and shown[-1].id == third.id
    assert [one.created_at for one in shown[:6]] == sorted((one.created_at for one in shown[:6]), reverse=True)


def test_nobody_reads_anothers_notice(session: Session, ani: identity.Person) -> None:
    tell(session, ani)
    notice = notices.notices(session, ani.id, limit=1)[0]

    with pytest.raises(NotFound):
        notices.read_notice(session, take_in(session), notice.id, now=MONDAY)


def test_all_are_read_at_once_and_only_ones_own(session: Session, ani: identity.Person) -> None:
    other = take_in(session)
    for person in (ani, other):
        tell(session, person, "satu")
        tell(session, person, "dua")

    assert notices.read_all_notices(session, ani, now=MONDAY) == 2
    assert (notices.unread_count(session, ani.id), notices.unread_count(session, other.id)) == (0, 2)


def test_telling_and_listing_take_few_questions(session: Session, ani: identity.Person) -> None:
    asked: list[str] = []
    for kind in (MAIL, WHATSAPP, TELEGRAM):
        reached(session, ani, kind)
    for number in range(30):
        tell(session, ani, f"{number}")
    session.expunge_all()
    connection = session.connection()

    def count(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(connection, "before_cursor_execute", count)
    try:
        notices.notices(session, ani.id, limit=30)
        notices.unread_count(session, ani.id)
    finally:
        event.remove(connection, "before_cursor_execute", count)

    assert len(asked) == 2


# --- reached outside -----------------------------------------------------------------------------------------------


def code_of(session: Session, keys: Keys) -> str:
    """Return the code in the newest sealed message."""
    newest = session.scalars(
        select(Delivery).where(Delivery.sealed.is_not(None)).order_by(Delivery.due_at.desc())
    ).first()
    assert newest and newest.sealed
    return seal.opened(keys, newest.id, newest.sealed).lines[0].rpartition(" ")[2]


def test_an_address_counts_after_the_code_was_typed(session: Session, ani: identity.Person, keys: Keys) -> None:
    channels.send_code(session, ani, keys, kind=MAIL, address=" ani@contoh.test ", now=MONDAY)
    tell(session, ani, "too early")

    found = channels.verify_channel(session, ani, keys, kind=MAIL, code=code_of(session, keys), now=MONDAY)

    assert found and found.address == "ani@contoh.test" and found.verified_at == MONDAY
    assert [one.sealed is not None for one in due(session)] == [True]


def test_a_code_is_good_once_and_for_fifteen_minutes(session: Session, ani: identity.Person, keys: Keys) -> None:
    channels.send_code(session, ani, keys, kind=MAIL, address="ani@contoh.test", now=MONDAY)
    code = code_of(session, keys)

    with pytest.raises(OutOfTurn):
        channels.verify_channel(session, ani, keys, kind=MAIL, code=code, now=MONDAY + timedelta(minutes=15))
    assert channels.verify_channel(session, ani, keys, kind=MAIL, code=code, now=MONDAY + timedelta(minutes=14))
    with pytest.raises(OutOfTurn):
        channels.verify_channel(session, ani, keys, kind=MAIL, code=code, now=MONDAY + timedelta(minutes=14))


def test_five_wrong_tries_end_a_code(session: Session, ani: identity.Person, keys: Keys) -> None:
    channels.send_code(session, ani, keys, kind=MAIL, address="ani@contoh.test", now=MONDAY)
    code = code_of(session, keys)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    tries = [channels.verify_channel(session, ani, keys, kind=MAIL, code=wrong, now=MONDAY) for _ in range(5)]

    assert tries == [None] * 5
    with pytest.raises(OutOfTurn):
        channels.verify_channel(session, ani, keys, kind=MAIL, code=code, now=MONDAY)


def test_codes_are_throttled_by_the_minute_and_by_the_hour(session: Session, ani: identity.Person, keys: Keys) -> None:
    def ask(minutes: float) -> None:
        now = MONDAY + timedelta(minutes=minutes)
        channels.send_code(session, ani, keys, kind=MAIL, address="ani@contoh.test", now=now)

    ask(0)
    with pytest.raises(TooMany):
        ask(0.9)
    for minute in (1, 2, 3, 4):
        ask(minute)
    with pytest.raises(TooMany):
        ask(30)
    channels.remove_channel(session, ani, kind=MAIL, now=MONDAY)
    with pytest.raises(TooMany):
        ask(31)
    ask(60)


def test_a_new_address_does_not_count_before_its_code_was_typed(
    session: Session, ani: identity.Person, keys: Keys
) -> None:
    channel = reached(session, ani)

    channels.send_code(session, ani, keys, kind=MAIL, address="lain@contoh.test", now=MONDAY)

    assert channel.address == "orang@contoh.test"
    channels.verify_channel(session, ani, keys, kind=MAIL, code=code_of(session, keys), now=MONDAY)
    assert channel.address == "lain@contoh.test"


def test_the_code_stands_nowhere_in_the_open(session: Session, ani: identity.Person, keys: Keys) -> None:
    channel = channels.send_code(session, ani, keys, kind=MAIL, address="ani@contoh.test", now=MONDAY)
    code = code_of(session, keys)
    sealed = session.scalars(select(Delivery.sealed)).one()

    assert sealed and code.encode() not in sealed and b"ani@contoh.test" not in sealed
    assert code not in channel.code_digest


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (WHATSAPP, "0812-3456-7890", "+6281234567890"),
        (WHATSAPP, "62 812 3456 7890", "+6281234567890"),
        (TELEGRAM, "123456789", "123456789"),
        (MAIL, "a.b+c@mail.contoh.ac.id", "a.b+c@mail.contoh.ac.id"),
    ],
)
def test_addresses_are_read_as_people_write_them(
    session: Session, ani: identity.Person, keys: Keys, kind: str, typed: str, kept: str
) -> None:
    channel = channels.send_code(session, ani, keys, kind=kind, address=typed, now=MONDAY)

    assert channel.pending_address == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (MAIL, "bukan surel"),
        (MAIL, "a@b"),
        (MAIL, "a@contoh.test\nBcc: b@contoh.test"),
        (MAIL, "a@contoh.test,b@contoh.test"),
        (WHATSAPP, "0812"),
        (WHATSAPP, "delapan"),
        (TELEGRAM, "@nama"),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(
    session: Session, ani: identity.Person, keys: Keys, kind: str, typed: str
) -> None:
    with pytest.raises(Incomplete) as refused:
        channels.send_code(session, ani, keys, kind=kind, address=typed, now=MONDAY)

    assert [error.pointer for error in refused.value.errors] == ["/address"]
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_a_removed_address_gets_nothing_any_more(session: Session, ani: identity.Person, keys: Keys) -> None:
    reached(session, ani)
    tell(session, ani)

    channels.remove_channel(session, ani, kind=MAIL, now=MONDAY)

    held = deliveries.hold_next(session, keys, now=MONDAY)
    assert held is not None and held.message is None
    assert session.scalars(select(Delivery.state)).one() == "cancelled"


def test_what_ended_long_ago_is_forgotten_but_not_what_still_waits(session: Session, ani: identity.Person) -> None:
    tell(session, ani, "read")
    notices.tell(session, ani.id, kind=WAITING, title="x", path="/x", key="w", thing="t", source="budget", now=MONDAY)
    notices.read_all_notices(session, ani, now=MONDAY)

    deliveries.prune(session, now=MONDAY + timedelta(days=91))

    assert [one.key for one in notices.notices(session, ani.id, limit=9)] == ["w"]


# --- reminders by working days -------------------------------------------------------------------------------------

THURSDAY = datetime(2026, 11, 19, 9, 0, tzinfo=WIB)


def stage(due_day: date, day: date, since: datetime = THURSDAY, calendar: Calendar = CALENDAR) -> str | None:
    found = reminder(due_day, since, day, calendar)
    return found[0] if found else None


def test_the_due_day_is_counted_in_working_days_over_weekend_and_holiday() -> None:
    assert due_on("S04", THURSDAY, CALENDAR) == date(2026, 11, 26)
    # 24 December is collective leave and 25 December Christmas: both do not count, nor the weekends.
    assert due_on("S04", wib(18, 9, month=12), CALENDAR) == date(2026, 12, 29)
    assert due_on("S03", THURSDAY, CALENDAR) is None
    assert due_on("", THURSDAY, CALENDAR) is None


def test_reminders_come_the_working_day_before_on_the_day_and_every_second_after() -> None:
    friday = date(2026, 11, 27)
    days = [friday + timedelta(days=n) for n in range(-3, 13)]

    told = {day.isoformat()[5:]: stage(friday, day) for day in days}

    assert told == {
        "11-24": None, "11-25": None, "11-26": "soon", "11-27": "due", "11-28": None, "11-29": None,
        "11-30": None, "12-01": "late-2", "12-02": "late-2", "12-03": "late-4", "12-04": "late-4",
        "12-05": None, "12-06": None, "12-07": "late-6", "12-08": "late-6", "12-09": "late-8",
    }  # fmt: skip


def test_before_a_monday_the_reminder_comes_on_friday() -> None:
    monday = date(2026, 11, 30)

    assert [stage(monday, date(2026, 11, day)) for day in (26, 27, 28, 29, 30)] == [None, "soon", None, None, "due"]


def test_nobody_is_reminded_on_the_day_on_which_it_began() -> None:
    assert stage(date(2026, 11, 20), date(2026, 11, 19)) is None


def test_it_is_escalated_after_two_working_days_and_not_on_a_day_off() -> None:
    friday = date(2026, 11, 27)

    days = [friday + timedelta(days=n) for n in range(6)]

    assert [is_escalated(friday, day, CALENDAR, after=2) for day in days] == [False, False, False, False, True, True]
    assert not is_escalated(friday, date(2026, 12, 5), CALENDAR, after=2)


@pytest.mark.parametrize(
    ("roles", "above"),
    [
        ({Role.APP_STAFF}, Role.APP_HEAD),
        ({Role.INFRA_STAFF}, Role.INFRA_HEAD),
        ({Role.UNIT_HEAD}, Role.APP_HEAD),
        ({Role.APP_HEAD}, Role.HEAD),
        ({Role.APP_STAFF, Role.APP_HEAD}, Role.HEAD),
        ({Role.HEAD}, None),
        ({Role.APP_USER}, None),
        (set(), None),
    ],
)
def test_each_post_has_one_above(roles: set[Role], above: Role | None) -> None:
    assert superior(roles) == above


def test_every_line_ends_at_the_head() -> None:
    for role in SUPERIOR:
        line = [role]
        while line[-1] in SUPERIOR:
            line.append(SUPERIOR[line[-1]])
            assert len(line) < 5
        assert line[-1] is Role.HEAD


# --- doors ---------------------------------------------------------------------------------------------------------

Enter = Callable[..., Visitor]


def person_id(house: House, username: str) -> UUID:
    with house.database.transaction() as session:
        return session.scalars(select(Person.id).where(Person.username == username)).one()


def test_the_bell_counts_and_a_notice_is_read_through_the_api(house: House, visitor: Enter) -> None:
    ani = visitor()
    with house.database.transaction() as session:
        for key in ("satu", "dua"):
            notices.tell(
                session, person_id(house, ani.username), kind=NEWS, title=f"Kabar {key}", path="/perkara", key=key,
                now=MONDAY,
            )  # fmt: skip

    assert ani.client.get("/api/notices/count").json() == {"unread": 2}
    first = ani.client.get("/api/notices", params={"unread": 1, "limit": 1})
    assert 'rel="next"' in first.headers["link"]
    read = ani.client.post(f"/api/notices/{first.json()[0]['id']}/readings", headers=ani.token_header)
    assert read.status_code == 200 and read.json()["read_at"]
    assert ani.client.get("/api/notices/count").json() == {"unread": 1}
    assert ani.client.get("/api/notices", params={"after": "omong kosong"}).status_code == 422


def test_the_page_shows_notices_and_marks_them_read(house: House, visitor: Enter) -> None:
    ani = visitor()
    assert "Belum ada pemberitahuan" in ani.client.get("/pemberitahuan").text
    with house.database.transaction() as session:
        notices.tell(
            session,
            person_id(house, ani.username),
            kind=NEWS,
            title="Kabar <b>",
            path="/perkara/1",
            key="a",
            now=MONDAY,
        )

    page = ani.client.get("/pemberitahuan").text
    assert 'href="/perkara/1"' in page and "Kabar &lt;b&gt;" in page

    sent = ani.client.post("/pemberitahuan/pembacaan", data={"form_token": ani.form_token})
    assert (sent.status_code, sent.headers["location"]) == (303, "/pemberitahuan")
    assert "Tandai dibaca" not in ani.client.get("/pemberitahuan").text


def test_the_settings_page_tells_that_no_way_out_is_open(visitor: Enter) -> None:
    page = visitor().client.get("/saya/pemberitahuan")

    assert page.status_code == 200 and "belum membuka saluran" in page.text


def test_a_way_out_that_is_not_open_takes_no_address(visitor: Enter) -> None:
    ani = visitor()

    answer = ani.client.post(
        "/api/notice-settings/mail/codes", json={"address": "a@contoh.test"}, headers=ani.token_header
    )

    assert answer.status_code == 409


@pytest.fixture
def open_house(
    people: Database, settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> Iterator[tuple[httpx.Client, str]]:
    """Return a signed-in browser of a gateway that has mail, and its form token."""
    gateway = make(settings_for(smtp_host="127.0.0.1", smtp_from="alur@contoh.test"), {})
    with serving(gateway) as url, httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"}) as client:
        signed_in = client.post("/api/session", json={"username": somebody(), "password": PASSWORD})
        yield client, signed_in.json()["form_token"]
    gateway.database.close()


def test_an_address_is_verified_and_chosen_on_the_page(
    open_house: tuple[httpx.Client, str], people: Database, keys: Keys
) -> None:
    client, form_token = open_house
    place = "/saya/pemberitahuan"

    def send(path: str, **fields: str) -> httpx.Response:
        return client.post(f"{place}{path}", data={"form_token": form_token, **fields})

    wrong = send("/mail", address="bukan surel")
    assert wrong.status_code == 422 and 'value="bukan surel"' in wrong.text and "Alamat surel belum benar" in wrong.text
    assert send("/mail", address="ani@contoh.test").status_code == 303
    assert send("/mail", address="ani@contoh.test").status_code == 429
    with people.transaction() as session:
        code = code_of(session, keys)
    missed = send("/mail/kode", code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert missed.status_code == 422 and "Kode belum cocok" in missed.text
    with people.transaction() as session:
        # Refused, but counted.
        assert session.scalars(select(Channel.code_tries).order_by(Channel.created_at.desc())).first() == 1
    assert send("/mail/kode", code=code).status_code == 303
    assert send("/mail/waktu", pace="daily").status_code == 303

    page = client.get(place).text
    assert "a…@c….test" in page and "ani@contoh.test" not in page and "Ringkasan harian" in page
    told = client.get("/api/notice-settings").json()["channels"][0]
    assert (told["is_verified"], told["pace"], told["is_code_waiting"]) == (True, "daily", False)
    assert send("/mail/penghapusan").status_code == 303
    assert "Belum ada alamat yang dipastikan" in client.get(place).text
    assert send("/merpati", address="ani@contoh.test").status_code == 404


def test_what_did_not_arrive_is_shown_to_the_person(
    open_house: tuple[httpx.Client, str], people: Database, keys: Keys
) -> None:
    client, _ = open_house
    with people.transaction() as session:
        person = session.scalars(select(Person).order_by(Person.created_at.desc())).first()
        assert person
        channel = reached(session, person.as_signed())
        tell(session, person.as_signed(), now=MONDAY - timedelta(days=400))
        held = deliveries.hold_next(session, keys, now=MONDAY - timedelta(days=300))
        assert held and held.message
        failure = deliveries.Undelivered("smtp_550", is_final=True)
        deliveries.record(session, held, code="smtp_550", failure=failure, now=MONDAY)
        assert channel.trouble == "smtp_550"

    assert "tidak sampai ke salah satu alamat" in client.get("/pemberitahuan").text
    page = client.get("/saya/pemberitahuan").text
    assert "smtp_550" in page and "Gagal" in page and "o…@c….test" in page


def test_quiet_hours_are_kept_through_both_doors(visitor: Enter) -> None:
    ani = visitor()
    hours = {"digest_hour": 8, "quiet_from": 20, "quiet_until": 6, "quiet_days": False}

    put = ani.client.put("/api/notice-settings/hours", json=hours, headers=ani.token_header)
    told = ani.client.get("/api/notice-settings").json()
    wrong = ani.client.put("/api/notice-settings/hours", json=hours | {"quiet_from": 24}, headers=ani.token_header)

    assert put.json() == told["hours"] == hours
    assert wrong.status_code == 422


@pytest.mark.usefixtures("house")
def test_nobody_outside_sees_notices(house: House) -> None:
    with house.client() as client:
        assert client.get("/api/notices").status_code == 401
        assert client.get("/pemberitahuan").status_code == 303


def test_what_is_open_is_kept_by_the_database(session: Session, ani: identity.Person) -> None:
    tell(session, ani)

    with pytest.raises(Exception, match="open_is_unread_and_not_done"), session.begin_nested():
        session.execute(update(Notice).values(read_at=MONDAY))
