"""Tickets are found by number, words, application and slips of the pen, and only by those who may see them."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.helpdesk import actions, queries
from services.helpdesk.model import Ticket
from shared.errors import NotFound
from shared.identity import Person
from tests.doors import Door
from tests.helpdesk.conftest import WORDS, opened
from tests.people import ANI, DINA, JOKO, LINA, SARI, ZULKIFLI


def numbers(session: Session, by: Person, question: str) -> list[str]:
    return [hit.number for hit in queries.found(session, by, question)]


@pytest.mark.parametrize(
    ("question", "match"),
    [
        ("tombol", "words"),
        ("menekan masuk", "words"),
        ("presensi", "words"),
        ("BPEG", "words"),
        ("pres", "words"),
        ("tidka dapat", "near"),
        ("presnsi", "near"),
    ],
)
def test_a_ticket_is_found(session: Session, ticket: Ticket, question: str, match: str) -> None:
    (hit,) = queries.found(session, DINA, question)

    assert (hit.number, hit.path, hit.match) == (ticket.number, f"/tiket/{ticket.id}", match)


def test_its_number_is_found_in_any_punctuation(session: Session, ticket: Ticket) -> None:
    actions.open_ticket(session, LINA, **WORDS | {"body": f"Seperti tiket {ticket.number}."})

    found = queries.found(session, DINA, ticket.number.lower().replace("-", " / "))

    assert (found[0].number, found[0].match) == (ticket.number, "number")


@pytest.mark.parametrize("by", [LINA, DINA, SARI, ANI, JOKO, ZULKIFLI])
def test_nobody_finds_what_its_own_page_refuses(session: Session, ticket: Ticket, by: Person) -> None:
    found = numbers(session, by, "tombol")
    try:
        queries.ticket(session, by, ticket.id)
    except NotFound:
        assert found == []
    else:
        assert found == [ticket.number]


def test_the_door_answers_and_refuses_a_question_that_is_too_long(door: Door) -> None:
    made = opened(door)

    answer = door.get(LINA, "/api/search", params={"q": "tombol"})

    assert [UUID(hit["path"].rpartition("/")[2]) for hit in answer.json()] == [UUID(made)]
    assert door.get(ZULKIFLI, "/api/search", params={"q": "tombol"}).json() == []
    assert door.get(LINA, "/api/search", params={"q": "x" * 101}).status_code == 422
    assert door.get(None, "/api/search", params={"q": "tombol"}).status_code == 401
