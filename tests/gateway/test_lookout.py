"""The lookout: people are told of what waits for them, once, and no longer when it is done; late things climb."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, event, select, update
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from services.gateway.actions import notice as notices
from services.gateway.actions.standing import SELDOM, Changed
from services.gateway.door import lookout
from services.gateway.door.doors import Doors
from services.gateway.door.lookout import Lookout
from services.gateway.door.remote import Silent
from services.gateway.model import Appointment, Channel, Delivery, Notice, Person
from services.gateway.settings import Settings
from shared import clock, identity
from shared.database import Database
from shared.identity import HEADER, Role
from shared.keys import Keys
from shared.web import Waiting
from shared.words import WIB, local_date

THURSDAY = datetime(2026, 11, 19, 9, 0, tzinfo=WIB)
"""What waits since then in step S02 (5 working days) is due on Thursday 26 November."""
DUE = datetime(2026, 11, 26, 10, 0, tzinfo=WIB)


@dataclass
class Toys:
    """A division in which things wait for people by their role; it checks who asks, and can be silent."""

    key: bytes
    rows: list[tuple[Role, Waiting]] = field(default_factory=list)
    is_silent: bool = False
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as a division does."""
        if self.is_silent:
            raise Silent("gone")
        given = {k: v.decode() for k, v in scope["headers"]}
        person = identity.read(given.get(HEADER.encode()), key=self.key, audience="budget").person
        self.asked.append(person.username)
        body = (
            b"[" + b",".join(row.model_dump_json().encode() for role, row in self.rows if role in person.roles) + b"]"
        )
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    def wait(self, role: Role, title: str = "Setujui RAB", **more: Any) -> Waiting:
        """Let something wait for everybody who holds a role."""
        given = {"about": "Presensi", "case_number": "AP-2026-0001", "step": "S02", "since": THURSDAY.isoformat()}
        row = Waiting(title=title, **{**given, "path": "/rab/1", **more})
        self.rows.append((role, row))
        return row


@dataclass
class Tower:
    """A lookout over one toy division, with a clock that only moves by hand."""

    database: Database
    toys: Toys
    settings: Settings
    keys: Keys
    now: datetime = THURSDAY
    people: dict[str, UUID] = field(default_factory=dict)

    @property
    def lookout(self) -> Lookout:
        return Lookout(self.settings, Doors({"budget": self.toys}, self.keys), self.database, now=lambda: self.now)

    def look(self, *, at: datetime | None = None) -> Changed:
        self.now = at or self.now + timedelta(minutes=5)
        return asyncio.run(self.lookout.look())

    def take_in(self, username: str, *roles: Role, channel: bool = True) -> None:
        with self.database.transaction() as session:
            person = Person(username=username, display_name=username.title(), password_hash="-")
            session.add(person)
            session.flush()
            for role in roles:
                session.add(
                    Appointment(
                        person_id=person.id, role=role, kind="definitive", from_on=local_date(THURSDAY),
                        letter_number="", appointed_by_name="Operator",
                    )
                )  # fmt: skip
            if channel:
                session.add(
                    Channel(person_id=person.id, kind="mail", address=f"{username}@contoh.test", verified_at=THURSDAY)
                )
            self.people[username] = person.id

    def told(self, username: str) -> list[tuple[str, str]]:
        """Return what stands for a person: kind and title."""
        with self.database.session() as session:
            rows = notices.notices(session, self.people[username], limit=99)
            return [(one.kind, one.title) for one in rows if one.done_at is None]

    @property
    def due(self) -> int:
        with self.database.session() as session:
            return len(list(session.scalars(select(Delivery).where(Delivery.state == "due"))))


@pytest.fixture
def tower(database_of: Callable[[str], Database], keys: Keys, state: Path) -> Iterator[Tower]:
    """Return a lookout over Budi (head of applications), Bayu (his staff) and Citra (the Head)."""
    database = database_of("gateway")
    folders = {"keys_folder": state / "keys", "files_folder": state / "files"}
    settings = Settings(database_url=database.url, **folders)
    made = Tower(database, Toys(keys.pair("gateway", "budget", use="person")), settings, keys)
    made.take_in("bayu", Role.APP_STAFF)
    made.take_in("budi", Role.APP_HEAD)
    made.take_in("citra", Role.HEAD)
    yield made


def test_people_are_told_of_their_turn_and_only_once(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)

    first, second = tower.look(), tower.look()

    assert first == Changed(told=1) and second == Changed()
    assert tower.told("budi") == [("waiting", "Setujui RAB")] and tower.told("citra") == []
    assert tower.due == 1


def test_what_is_done_is_taken_back_and_its_message_never_leaves(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    tower.look()
    tower.toys.rows.clear()

    assert tower.look() == Changed(done=1)

    assert tower.told("budi") == [] and tower.due == 0


def test_a_silent_division_changes_nothing(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    tower.look()
    tower.toys.is_silent = True

    assert tower.look() == Changed()

    assert tower.told("budi") == [("waiting", "Setujui RAB")]


def test_what_waits_anew_is_told_anew(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    tower.look()
    tower.toys.rows.clear()
    tower.look()
    tower.toys.wait(Role.APP_HEAD, since=DUE.isoformat())

    assert tower.look() == Changed(told=1)


def test_the_same_thing_that_comes_back_stands_again_and_is_not_told_twice(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    tower.look()
    kept = list(tower.toys.rows)
    tower.toys.rows.clear()
    tower.look()
    tower.toys.rows = kept

    assert tower.look() == Changed()
    assert tower.told("budi") == [("waiting", "Setujui RAB")]


def test_what_was_read_is_not_told_again_while_it_waits(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    tower.look()
    with tower.database.transaction() as session:
        session.execute(update(Notice).values(is_open=False, read_at=tower.now))

    assert tower.look() == Changed()
    with tower.database.session() as session:
        assert notices.unread_count(session, tower.people["budi"]) == 0


def test_reminders_follow_the_standard_time_over_a_weekend(tower: Tower) -> None:
    tower.toys.wait(Role.HEAD)
    tower.look()
    days = [THURSDAY + timedelta(days=n, hours=1) for n in range(1, 13)]

    # Twice a day: nobody is reminded twice.
    reminded = {day.date().isoformat()[5:] for day in days if tower.look(at=day).reminded + tower.look(at=day).reminded}

    assert reminded == {"11-25", "11-26", "11-30"}
    assert tower.told("citra") == [("reminder", "Terlambat 2 hari kerja: Setujui RAB"), ("waiting", "Setujui RAB")]


def test_what_is_done_reminds_nobody(tower: Tower) -> None:
    tower.toys.wait(Role.HEAD)
    tower.look()
    tower.look(at=DUE - timedelta(days=1))
    tower.toys.rows.clear()

    assert tower.look() == Changed(done=2)
    assert tower.look(at=DUE) == Changed()
    assert tower.told("citra") == [] and tower.due == 0


def test_a_step_without_a_standard_time_reminds_nobody(tower: Tower) -> None:
    tower.toys.wait(Role.HEAD, step="S03")
    tower.look()

    assert tower.look(at=DUE + timedelta(days=60)) == Changed()


def test_what_is_late_climbs_to_the_post_above_once(tower: Tower) -> None:
    tower.toys.wait(Role.APP_STAFF)
    tower.look()

    before = tower.look(at=DUE + timedelta(days=1))
    # Friday is the first working day after, Monday the second.
    monday = tower.look(at=DUE + timedelta(days=4))
    later = [tower.look(at=DUE + timedelta(days=n)).escalated for n in (5, 6, 7)]

    assert (before.escalated, monday.escalated, later) == (0, 1, [0, 0, 0])
    assert tower.told("budi") == [("escalation", "Belum dikerjakan Bayu: Setujui RAB")]
    assert tower.told("citra") == []


def test_an_escalation_ends_with_its_thing(tower: Tower) -> None:
    tower.toys.wait(Role.APP_STAFF)
    tower.look()
    tower.look(at=DUE + timedelta(days=4))
    tower.toys.rows.clear()

    tower.look()

    assert tower.told("budi") == [] and tower.due == 0


def test_whoever_is_late_with_the_same_thing_is_not_told_of_others(tower: Tower) -> None:
    row = tower.toys.wait(Role.APP_STAFF)
    tower.toys.rows.append((Role.APP_HEAD, row))
    tower.take_in("bela", Role.APP_STAFF)
    tower.look()

    assert tower.look(at=DUE + timedelta(days=4)).escalated == 1

    assert [kind for kind, _ in tower.told("budi")] == ["reminder", "waiting"]
    escalated = [title for kind, title in tower.told("citra") if kind == "escalation"]
    assert len(escalated) == 1 and all(name in escalated[0] for name in ("Bayu", "Bela", "Budi"))


def test_above_the_head_nobody_is_told(tower: Tower) -> None:
    tower.toys.wait(Role.HEAD)
    tower.look()

    assert tower.look(at=DUE + timedelta(days=10)).escalated == 0


def test_whoever_left_is_told_nothing_and_keeps_nothing(tower: Tower) -> None:
    tower.toys.wait(Role.APP_STAFF)
    tower.look()
    with tower.database.transaction() as session:
        session.execute(update(Person).where(Person.username == "bayu").values(is_active=False))

    tower.look()

    assert tower.told("bayu") == [] and tower.due == 0


def test_a_path_that_leads_elsewhere_is_not_told(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD, path="//jahat.test")

    tower.look()

    assert tower.told("budi") == []


def test_whoever_was_never_here_is_looked_at_in_every_twelfth_round(tower: Tower) -> None:
    tower.take_in("sari", Role.PLANNING, channel=False)
    tower.toys.wait(Role.PLANNING)
    period = timedelta(seconds=tower.settings.lookout_seconds)

    for n in range(SELDOM):
        tower.look(at=THURSDAY + n * period)

    assert tower.toys.asked.count("sari") in range(1, SELDOM + 1) and tower.told("sari")
    assert tower.toys.asked.count("budi") == SELDOM


def test_a_round_in_which_nothing_changed_asks_little(tower: Tower) -> None:
    for number in range(40):
        tower.toys.wait(Role.APP_HEAD, f"Hal {number}", path=f"/rab/{number}")
    tower.look()
    asked: list[str] = []

    def count(*given: Any) -> None:
        asked.append(given[2])

    event.listen(tower.database.engine, "before_cursor_execute", count)
    try:
        tower.look()
    finally:
        event.remove(tower.database.engine, "before_cursor_execute", count)

    assert len([one for one in asked if "notice" in one or "person" in one]) <= 8, asked


def test_one_process_at_a_time_looks(tower: Tower) -> None:
    tower.toys.wait(Role.APP_HEAD)
    settings = tower.settings.model_copy(update={"lookout_seconds": 1})

    async def both() -> None:
        doors = Doors({"budget": tower.toys}, tower.keys)
        towers = [Lookout(settings, doors, tower.database) for _ in range(2)]
        for one in towers:
            one.start()
        async with asyncio.timeout(30):
            while not tower.told("budi"):
                await asyncio.sleep(0.05)
        for one in towers:
            await one.stop()

    asyncio.run(both())

    assert tower.told("budi") == [("waiting", "Setujui RAB")] and tower.due == 1
    with tower.database.session() as session:
        assert "lookout" in clock.marks(session)


@pytest.fixture
def turn(tower: Tower) -> Callable[[Lookout], bool]:
    """Return what lets a lookout take its turn in a new period, and tells whether it looked."""

    def take(lookout: Lookout) -> bool:
        with tower.database.transaction() as session:
            session.execute(delete(clock.mark))
        return asyncio.run(lookout.turn()) is not None

    return take


@pytest.fixture
def calm(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Lookout]:
    """Return what makes a lookout whose clock stands in the period after an eleventh one; two rounds are lively."""
    monkeypatch.setattr(lookout, "LIVELY_ROUNDS", 2)
    period = timedelta(seconds=tower.settings.lookout_seconds)
    rounds = THURSDAY.timestamp() // period.total_seconds()
    tower.now = THURSDAY + (lookout.CALM_ROUNDS + 1 - rounds % lookout.CALM_ROUNDS) * period
    return lambda: tower.lookout


def test_after_a_change_it_looks_for_a_while_and_at_rest_seldom(
    tower: Tower, turn: Callable[[Lookout], bool], calm: Callable[[], Lookout]
) -> None:
    here = calm()

    begun = [turn(here) for _ in range(4)]
    here.stir()
    stirred = [turn(here) for _ in range(3)]
    tower.now -= timedelta(seconds=tower.settings.lookout_seconds)

    assert begun == [True, True, False, False] and stirred == [True, True, False]
    assert turn(here)


def test_what_was_sent_through_another_process_is_seen_in_the_next_round(
    tower: Tower, turn: Callable[[Lookout], bool], calm: Callable[[], Lookout]
) -> None:
    here, there = calm(), calm()
    while [turn(here), turn(there)] != [False, False]:
        pass
    tower.toys.wait(Role.APP_HEAD)

    there.stir()

    assert (turn(here), turn(there), tower.told("budi")) == (False, True, [("waiting", "Setujui RAB")])


def test_with_zero_seconds_nobody_looks(tower: Tower) -> None:
    async def begin() -> None:
        settings = tower.settings.model_copy(update={"lookout_seconds": 0})
        lookout = Lookout(settings, Doors({"budget": tower.toys}, tower.keys), tower.database)
        lookout.start()
        assert len(asyncio.all_tasks()) == 1
        await lookout.stop()

    asyncio.run(begin())

    assert tower.toys.asked == []


def test_a_lookout_survives_its_database_being_away(tower: Tower) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    settings = tower.settings.model_copy(update={"lookout_seconds": 1})

    async def watch() -> None:
        lookout = Lookout(settings, Doors({"budget": tower.toys}, tower.keys), nowhere)
        lookout.start()
        async with asyncio.timeout(30):
            while len([line for line in lines if line["event"] == "lookout_failed"]) < 2:
                await asyncio.sleep(0.05)
        await lookout.stop()

    with capture_logs() as lines:
        asyncio.run(watch())
    nowhere.close()


@pytest.mark.parametrize(
    ("due_at", "reminded"),
    [
        (datetime(2026, 11, 24, 16, 0, tzinfo=WIB).isoformat(), "Batas waktu hari ini: Setujui RAB"),
        (datetime(2026, 12, 10, 16, 0, tzinfo=WIB).isoformat(), None),
        ("", None),
    ],
    ids=["earlier than the standard", "later", "none"],
)
def test_a_division_that_keeps_a_clock_of_its_own_knows_better_than_the_standard(
    tower: Tower, due_at: str, reminded: str | None
) -> None:
    tower.toys.wait(Role.APP_HEAD, due_at=due_at)
    tower.look()

    on_the_24th = tower.look(at=datetime(2026, 11, 24, 10, 0, tzinfo=WIB))
    told = [title for kind, title in tower.told("budi") if kind == "reminder"]
    on_the_standard = tower.look(at=DUE)

    assert (on_the_24th.reminded, told) == (int(reminded is not None), [reminded] if reminded else [])
    # By the standard of the step it would be due today; two working days after its own day it is late.
    assert on_the_standard.reminded == (0 if due_at.startswith("2026-12") else 1)
