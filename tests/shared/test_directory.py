"""Every division keeps the same copy of people, units and posts, whatever changes and in whatever order it hears."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway.actions import appointment, directory, person
from services.gateway.model import Person, Unit
from services.gateway.schemas.appointment import Ending, NewAppointment
from shared import directory as copy
from shared.database import Database, utc_now
from shared.errors import Incomplete
from shared.identity import Role
from shared.keys import DIVISIONS, Keys
from shared.mailbox import outbox, seal
from shared.messages import PersonChanged, PostHeld, UnitRegistered, every_message
from shared.words import local_date
from shared.worker import Worker

PASSWORD = "sebuah kalimat yang panjang"
EARLY, LATE = datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


def told(name: str = "Ani", *, at: datetime = EARLY, posts: Sequence[PostHeld] = (), **more: Any) -> PersonChanged:
    """Return what the gateway tells of somebody."""
    usual: dict[str, Any] = {"person_id": uuid4(), "username": name.lower(), "unit": "BPEG"}
    return PersonChanged(name=name, changed_at=at, posts=tuple(posts), **{**usual, **more})


def held(role: Role, kind: str = "definitive", *, until_on: date | None = None, title: str = "Kepala") -> PostHeld:
    """Return a post held since Monday."""
    return PostHeld(appointment_id=uuid4(), role=role.value, kind=kind, title=title, from_on=MONDAY, until_on=until_on)


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a division's session."""
    return sessions("budget")


def test_the_holder_comes_before_the_deputy_and_only_on_their_days(session: Session) -> None:
    deputy = told("Ahmad", posts=[held(Role.HEAD, "plh", until_on=MONDAY + timedelta(days=2), title="Plh. Kepala")])
    copy.take_person(session, deputy)
    copy.take_person(session, told("Citra", posts=[held(Role.HEAD)], unit="PUSTIPD"))

    found = copy.holders(session, Role.HEAD, MONDAY)

    assert [(one.person.name, one.title, one.is_acting) for one in found] == [
        ("Citra", "Kepala", False),
        ("Ahmad", "Plh. Kepala", True),
    ]
    assert [one.person.name for one in copy.holders(session, Role.HEAD, MONDAY + timedelta(days=3))] == ["Citra"]
    assert copy.holders(session, Role.HEAD, MONDAY - timedelta(days=1)) == []
    assert copy.holders(session, Role.PPK, MONDAY) == []


def test_old_news_changes_nothing_neither_person_nor_posts(session: Session) -> None:
    newer = told("Citra Baru", at=LATE, posts=[held(Role.HEAD)])
    older = newer.model_copy(update={"name": "Citra Lama", "changed_at": EARLY, "posts": (held(Role.PPK),)})

    taken = [copy.take_person(session, one) for one in (newer, older, newer)]

    assert taken == [True, False, True]
    assert copy.people(session, newer.username) == [
        copy.Listed(newer.person_id, newer.username, "Citra Baru", "BPEG", None, True)
    ]
    assert copy.holders(session, Role.PPK, MONDAY) == [] and len(copy.holders(session, Role.HEAD, MONDAY)) == 1


def test_old_news_of_a_unit_changes_nothing(session: Session) -> None:
    copy.take_unit(session, UnitRegistered(code="LPPM", name="Nama baru", changed_at=LATE))

    assert copy.take_unit(session, UnitRegistered(code="LPPM", name="Nama lama", changed_at=EARLY)) is False
    assert session.scalars(select(copy.directory_unit.c.name)).all() == ["Nama baru"]


def test_a_closed_account_holds_nothing_and_is_not_found(session: Session) -> None:
    gone = told("Budi", posts=[held(Role.PPK)], is_active=False)
    copy.take_person(session, gone)

    assert copy.holders(session, Role.PPK, MONDAY) == [] and copy.people(session, "budi") == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ani", ["ani.bpeg"]),
        (" ANI ", ["ani.bpeg"]),
        ("sur", ["ani.bpeg", "budi"]),
        ("urya", []),
        ("%", []),
        ("_", []),
        ("", []),
    ],
)
def test_people_are_found_by_the_beginning_of_a_name(session: Session, typed: str, found: list[str]) -> None:
    copy.take_person(session, told("Ani Suryani", username="ani.bpeg"))
    copy.take_person(session, told("Budi Surya", username="budi"))

    assert [one.username for one in copy.people(session, typed)] == found


def test_never_more_people_are_found_than_can_be_shown(session: Session) -> None:
    for n in range(25):
        copy.take_person(session, told(f"Wati {n:02}", username=f"wati{n:02}"))

    assert len(copy.people(session, "wati", limit=1000)) == copy.MOST_FOUND
    assert [one.username for one in copy.people(session, "wati", limit=2)] == ["wati00", "wati01"]


# --- from the gateway to five divisions ---------------------------------------------------------------------


@pytest.fixture
def gateway(database_of: Callable[[str], Database]) -> Database:
    """Return the gateway's database."""
    return database_of("gateway")


@pytest.fixture
def divisions(database_of: Callable[[str], Database], keys: Keys) -> Iterator[dict[str, Worker]]:
    """Return the five divisions' workers, each with nothing but its copy to keep."""
    workers = {name: Worker(name, database_of(name), keys) for name in DIVISIONS}
    for worker in workers.values():
        copy.keep(worker)
    yield workers


def deliver(
    gateway: Database, keys: Keys, divisions: dict[str, Worker], *, chance: random.Random | None = None
) -> None:
    """Carry every letter to its division; with `chance` some twice and each in disorder, until all are taken."""
    with gateway.session() as session:
        rows = session.execute(select(outbox).order_by(outbox.c.seq)).all()
    for name, worker in divisions.items():
        wires = [seal(row, source="gateway", keys=keys) for row in rows if row.dest == name]
        if chance:
            wires += chance.sample(wires, len(wires) // 3)
            chance.shuffle(wires)
        for _ in range(len(wires) + 1):
            left = {one.id for one in worker.receive(wires) if one.result != "done"}
            wires = [wire for wire in wires if any(str(one) in wire["letter"] for one in left)]
            if not wires:
                break
        assert wires == []


def kept(worker: Worker) -> dict[str, list[tuple[Any, ...]]]:
    """Return a division's whole copy."""
    with worker.database.session() as session:
        return {
            table.name: sorted(tuple(row) for row in session.execute(select(table)))
            for table in copy.directory_metadata.sorted_tables
        }


def meant(session: Session) -> dict[UUID, tuple[Any, ...]]:
    """Return what a copy should say of everybody today, straight from the gateway's own tables."""
    today = local_date(utc_now())
    people = {}
    for one in session.scalars(select(Person)):
        signed = one.as_signed(today)
        people[one.id] = (one.username, one.display_name, one.unit, one.is_active, signed.roles)
    return people


def said(session: Session) -> dict[UUID, tuple[Any, ...]]:
    """Return what a division's copy says of everybody today."""
    today = local_date(utc_now())
    holding: dict[UUID, set[Role]] = {}
    for role in Role:
        for one in copy.holders(session, role, today):
            holding.setdefault(one.person.id, set()).add(role)
    rows = session.execute(select(copy.directory_person)).all()
    return {row.id: (row.username, row.name, row.unit, row.is_active, holding.get(row.id, set())) for row in rows}


def change(session: Session, chance: random.Random, n: int) -> None:
    """Do one thing, anything that changes a unit, a person or a post."""
    now = utc_now()
    today = local_date(now)
    names = sorted(session.scalars(select(Person.username).where(Person.is_active)))
    match chance.choice(["unit", "person", "person", "definitive", "acting", "end", "end", "close"]):
        case "unit":
            person.load_directory(session, [person.NewUnit(code=f"U{n}", name=f"Unit {n}")], [])
        case "person":
            unit = chance.choice([None, *session.scalars(select(Unit.code))])
            role = chance.choice([Role.PROPOSER, Role.APP_STAFF, Role.PLANNING])
            person.add_person(
                session, username=f"orang{n}", display_name=f"Orang {n}", roles=[role], password=PASSWORD, unit=unit
            )
        case "definitive" | "acting" as kind if names:
            new: dict[str, Any] = {"username": chance.choice(names), "letter_number": f"B-{n}/2026"}
            new |= {"kind": "definitive", "role": Role.AUDITOR} if kind == "definitive" else {"kind": "plt"}
            begins = today + timedelta(days=chance.randint(-2, 2))
            new = {"role": chance.choice(appointment.POSTS), **new}
            wanted = NewAppointment(**new, from_on=begins, until_on=begins + timedelta(days=chance.randint(2, 9)))
            appointment.appoint(session, None, wanted, now=now)
        case "end":
            standing = [one for one in appointment.appointments(session) if one.is_in_force(today)]
            if standing:
                last_on = chance.choice([None, today])
                ending = Ending(reason="Pejabat berganti.", letter_number=f"B-{n}/2026", last_on=last_on)
                appointment.end_appointment(session, None, chance.choice(standing).id, ending, now=now)
        case "close" if len(names) > 2:
            person.shut_out(session, username=chance.choice(names))


@pytest.mark.parametrize("seed", range(3))
def test_after_any_changes_five_divisions_have_the_same_true_copy(
    seed: int, gateway: Database, divisions: dict[str, Worker], keys: Keys
) -> None:
    chance = random.Random(seed)
    refused = 0
    with gateway.transaction() as session:
        for n in range(100, 106):
            person.add_person(session, username=f"o{n}", display_name="X", roles=[Role.AUDITOR], password=PASSWORD)
    for n in range(40):
        try:
            with gateway.transaction() as session:
                change(session, chance, n)
        except Incomplete:
            refused += 1

    deliver(gateway, keys, divisions, chance=chance)

    copies = [kept(worker) for worker in divisions.values()]
    with gateway.session() as ours, divisions["helpdesk"].database.session() as theirs:
        wanted = {i: w if w[3] else (*w[:4], frozenset()) for i, w in meant(ours).items()}
        assert said(theirs) == wanted
        assert sorted(theirs.scalars(select(copy.directory_unit.c.code))) == sorted(ours.scalars(select(Unit.code)))
    assert all(one == copies[0] for one in copies)
    assert len(copies[0]["directory_person"]) > 5 and len(copies[0]["directory_appointment"]) > 5
    assert refused < 20


def test_a_division_that_comes_later_is_told_everything_in_bounded_steps(
    gateway: Database, divisions: dict[str, Worker], keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "AT_ONCE", 2)
    with gateway.transaction() as session:
        person.load_directory(session, [person.NewUnit(code="BPEG", name="Bagian Kepegawaian")], [])
        for n in range(5):
            person.add_person(
                session, username=f"orang{n}", display_name="X", roles=[Role.AUDITOR], password=PASSWORD, unit="BPEG"
            )
    deliver(gateway, keys, divisions)
    before = kept(divisions["deploy"])
    with divisions["budget"].database.transaction() as session:
        for table in reversed(copy.directory_metadata.sorted_tables):
            session.execute(table.delete())

    steps, after = 0, None
    while steps == 0 or after:
        with gateway.transaction() as session:
            after, steps = directory.tell_everything(session, after), steps + 1
    deliver(gateway, keys, divisions)

    assert steps == 3
    again = kept(divisions["budget"])
    assert again == kept(divisions["deploy"]) and again["directory_appointment"] == before["directory_appointment"]
    assert len(again["directory_person"]) == 5 and len(again["directory_unit"]) == 1


def test_a_change_that_was_undone_is_told_to_nobody(gateway: Database) -> None:
    with pytest.raises(Incomplete), gateway.transaction() as session:
        person.add_person(session, username="ani", display_name="Ani", roles=[Role.PPK], password=PASSWORD)
        person.add_person(session, username="ani", display_name="Ani", roles=[Role.PPK], password=PASSWORD)

    with gateway.session() as session:
        assert session.execute(select(outbox)).all() == []


def test_people_and_units_are_told_to_every_division() -> None:
    assert {every_message()[kind].to for kind in ("UnitRegistered", "PersonChanged")} == {DIVISIONS}
