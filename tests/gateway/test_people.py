"""People are taken in once, with what a signature needs; their tables match the model."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway import passwords
from services.gateway.actions import person as actions
from services.gateway.model import Person, Table, Unit
from shared import audit
from shared.database import Database
from shared.errors import Incomplete, NotFound
from shared.identity import Role
from shared.migrate import differences

UNITS = [actions.NewUnit(code="BPEG", name="Bagian Kepegawaian")]
PEOPLE = [
    actions.NewPerson(
        username="Ani.Bpeg",
        display_name="Ani",
        roles=frozenset({Role.PROPOSER}),
        unit="BPEG",
        password="sebuah kalimat yang panjang",
    )
]


def test_the_tables_of_the_gateway_match_its_model(people: Database) -> None:
    assert differences(people.url, Table.metadata) == []


def test_a_person_is_told_to_divisions_with_post_and_unit(sessions: Callable[[str], Session]) -> None:
    session = sessions("gateway")
    actions.load_directory(session, UNITS, PEOPLE)

    ani = session.scalars(select(Person)).one().as_signed()

    assert (ani.username, ani.unit, ani.title) == ("ani.bpeg", "BPEG", "Pengusul")
    assert ani.roles == frozenset({Role.PROPOSER})


def test_a_directory_loaded_twice_changes_nothing(sessions: Callable[[str], Session]) -> None:
    session = sessions("gateway")

    counts = [actions.load_directory(session, UNITS, PEOPLE) for _ in range(2)]

    assert counts == [1, 0]
    assert len(session.scalars(select(Unit)).all()) == 1


def test_loading_again_leaves_a_changed_password_alone(sessions: Callable[[str], Session]) -> None:
    session = sessions("gateway")
    actions.load_directory(session, UNITS, PEOPLE)
    actions.set_password(session, username="ani.bpeg", password="kalimat yang lain lagi")

    actions.load_directory(session, UNITS, PEOPLE)

    assert passwords.fits("kalimat yang lain lagi", session.scalars(select(Person)).one().password_hash)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"username": "a b"}, "/username"),
        ({"username": "ani.bpeg"}, "/username"),
        ({"roles": ()}, "/roles"),
        ({"unit": "XYZ"}, "/unit"),
        ({"password": "pendek"}, "/password"),
        ({"username": "budibudi", "password": "BudiBudi"}, "/password"),
    ],
)
def test_a_person_with_something_wrong_is_refused_with_the_field(
    sessions: Callable[[str], Session], wrong: dict[str, object], pointer: str
) -> None:
    session = sessions("gateway")
    actions.load_directory(session, UNITS, PEOPLE)
    right = {"username": "budi", "display_name": "Budi", "roles": [Role.HEAD], "password": "kalimat panjang"}

    with pytest.raises(Incomplete) as refusal:
        actions.add_person(session, **{**right, **wrong})  # type: ignore[arg-type]

    assert refusal.value.errors[0].pointer == pointer


def test_a_password_for_nobody_is_refused(sessions: Callable[[str], Session]) -> None:
    with pytest.raises(NotFound):
        actions.set_password(sessions("gateway"), username="tidak.ada", password="sebuah kalimat panjang")


def test_no_password_stands_in_the_audit_chain(sessions: Callable[[str], Session]) -> None:
    session = sessions("gateway")
    actions.load_directory(session, UNITS, PEOPLE)
    actions.set_password(session, username="ani.bpeg", password="kata-kenari-rahasia")

    lines = " ".join(session.scalars(select(audit.entry.c.line)))

    assert "set_password" in lines
    assert "kata-kenari-rahasia" not in lines and "$argon2" not in lines


def test_hashes_are_argon2id_with_a_salt_each() -> None:
    first, second = passwords.hashed("sebuah kalimat"), passwords.hashed("sebuah kalimat")

    assert first.startswith("$argon2id$") and first != second


@pytest.mark.usefixtures("full_hashing")
def test_an_unknown_account_costs_the_work_of_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    real = passwords.HASHER.verify

    class Counting:
        def verify(self, password_hash: str, password: str) -> bool:
            verified.append(password_hash)
            return real(password_hash, password)

        hash = passwords.HASHER.hash

    monkeypatch.setattr(passwords, "HASHER", Counting())

    assert passwords.fits("nobody has this password", None) is False
    assert len(verified) == 1 and verified[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
