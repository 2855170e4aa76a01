"""The stored answer to a key: one person, one request, one effect, also when two come at once."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import Incomplete
from shared.idempotency import KeptAnswer, remember, remembered

ASKED = "a" * 64


def keep(session: Session, *, actor: str = "ani", key: str = "k", body: bytes = b"{}") -> None:
    remember(session, actor=actor, key=key, request_digest=ASKED, status=201, headers={"location": "/x"}, body=body)


def test_a_new_key_has_no_answer(sessions: Callable[[str], Session]) -> None:
    assert remembered(sessions("helpdesk"), actor="ani", key="k", request_digest=ASKED) is None


def test_the_first_answer_comes_back_whole(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    keep(session, body=b"\x00\xff isi")

    found = remembered(session, actor="ani", key="k", request_digest=ASKED)

    assert found == KeptAnswer(201, {"location": "/x"}, b"\x00\xff isi")


def test_a_key_belongs_to_one_person(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    keep(session, actor="ani")

    assert remembered(session, actor="budi", key="k", request_digest="b" * 64) is None


def test_a_key_belongs_to_one_request(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    keep(session)

    with pytest.raises(Incomplete) as refused:
        remembered(session, actor="ani", key="k", request_digest="b" * 64)

    assert refused.value.code == "idempotency_key_reused"


@pytest.mark.parametrize(("length", "is_taken"), [(200, True), (201, False)])
def test_a_key_has_at_most_200_letters(sessions: Callable[[str], Session], length: int, is_taken: bool) -> None:
    session = sessions("helpdesk")
    if is_taken:
        assert remembered(session, actor="ani", key="k" * length, request_digest=ASKED) is None
        return
    with pytest.raises(Incomplete):
        remembered(session, actor="ani", key="k" * length, request_digest=ASKED)


def test_the_second_of_two_waits_and_sees_the_first_ones_answer(database_of: Callable[[str], Database]) -> None:
    database = database_of("helpdesk")
    found: list[KeptAnswer | None] = []

    def second() -> None:
        with database.transaction() as session:
            found.append(remembered(session, actor="ani", key="k", request_digest=ASKED))

    with database.transaction() as first:
        assert remembered(first, actor="ani", key="k", request_digest=ASKED) is None
        thread = threading.Thread(target=second)
        thread.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        with database.session() as watcher:
            while not watcher.scalar(waiting):
                assert thread.is_alive(), "the second did not wait for the first"
                watcher.rollback()
        keep(first)
    thread.join(10)

    assert [answer.status for answer in found if answer] == [201]


def test_an_answer_whose_act_was_undone_is_not_kept(database_of: Callable[[str], Database]) -> None:
    database = database_of("helpdesk")
    with database.session() as session:
        keep(session)
        session.rollback()

    with database.transaction() as session:
        assert remembered(session, actor="ani", key="k", request_digest=ASKED) is None
