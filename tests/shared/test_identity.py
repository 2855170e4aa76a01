"""The header by which the gateway names a person: for one service, for a minute, by its key alone."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from shared.errors import NotSignedIn
from shared.identity import LIFETIME, Caller, Person, Role, read, sign
from tests.people import ANI, JOKO

KEY = b"k" * 32
CALLER = Caller(person=JOKO, form_token="tanda")


def claims(**changed: object) -> dict[str, object]:
    now = datetime.now(UTC)
    kept = {
        "aud": "budget",
        "iss": "gateway",
        "sub": str(JOKO.id),
        "iat": now,
        "exp": now + LIFETIME,
        "caller": CALLER.model_dump(mode="json"),
    }
    return {name: value for name, value in {**kept, **changed}.items() if value is not None}


def test_what_was_signed_is_read_back_whole() -> None:
    assert read(sign(CALLER, key=KEY, audience="budget"), key=KEY, audience="budget") == CALLER


@pytest.mark.parametrize("header", [None, "", "x", "a.b.c", "é", "." * 10_000])
def test_what_is_no_signature_is_nobody(header: str | None) -> None:
    with pytest.raises(NotSignedIn):
        read(header, key=KEY, audience="budget")


def test_a_word_for_one_service_is_nothing_to_another() -> None:
    with pytest.raises(NotSignedIn):
        read(sign(CALLER, key=KEY, audience="budget"), key=KEY, audience="deploy")


def test_another_key_is_nobodys() -> None:
    with pytest.raises(NotSignedIn):
        read(sign(CALLER, key=b"x" * 32, audience="budget"), key=KEY, audience="budget")


def test_a_word_is_good_for_a_minute() -> None:
    fresh = datetime.now(UTC) - LIFETIME + timedelta(seconds=10)
    old = datetime.now(UTC) - LIFETIME - timedelta(seconds=1)

    assert read(sign(CALLER, key=KEY, audience="budget", now=fresh), key=KEY, audience="budget") == CALLER
    with pytest.raises(NotSignedIn):
        read(sign(CALLER, key=KEY, audience="budget", now=old), key=KEY, audience="budget")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "budget"},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"sub": None},
        {"caller": None},
        {"caller": {"person": {"name": "Joko"}}},
        {"caller": {"person": {**JOKO.model_dump(mode="json"), "roles": ["raja"]}}},
    ],
)
def test_a_word_that_lacks_something_is_refused_though_its_key_is_right(changed: dict[str, object]) -> None:
    assert read(jwt.encode(claims(), KEY, algorithm="HS256"), key=KEY, audience="budget") == CALLER
    with pytest.raises(NotSignedIn):
        read(jwt.encode(claims(**changed), KEY, algorithm="HS256"), key=KEY, audience="budget")


def test_an_unsigned_word_is_refused() -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none")

    with pytest.raises(NotSignedIn):
        read(unsigned, key=KEY, audience="budget")


def test_a_person_acts_as_their_post_and_as_whom_they_stand_in_for() -> None:
    plain = Person(id=uuid4(), username="x", name="X", roles=frozenset({Role.HEAD}))

    assert plain.as_what == "X"
    assert plain.model_copy(update={"title": "Kepala"}).as_what == "Kepala"
    assert plain.model_copy(update={"title": "Kepala", "acting_for": "Plt. Rektor"}).as_what == "Plt. Rektor"


def test_a_person_has_any_of_the_roles_asked_for() -> None:
    assert ANI.has(Role.HEAD, Role.PROPOSER)
    assert not ANI.has(Role.HEAD)
    assert not ANI.has()
