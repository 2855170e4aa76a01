"""The helpdesk's JSON door and pages: who may, what is shown, bad forms, and what a page costs."""

import re
from collections.abc import Callable
from datetime import date

import pytest

from services.helpdesk import actions
from services.helpdesk.model import Ticket
from shared.identity import Person
from tests.counting import statements
from tests.doors import Door
from tests.helpdesk.conftest import CASE_NUMBER, WORDS, opened, told
from tests.people import BAYU, DINA, LINA, SARI, TONO, ZULKIFLI


def test_a_ticket_lives_at_the_json_door(door: Door) -> None:
    ticket = f"/api/tickets/{opened(door)}"

    assert door.post(DINA, f"{ticket}/answer", json={"body": "Halo"}).json()["status"] == "waiting_user"
    assert door.post(LINA, f"{ticket}/addition", json={"body": "Halo"}).json()["status"] == "in_progress"
    assert door.post(DINA, f"{ticket}/escalation", json={"reason": "Perlu pengembang"}).json()["status"] == "escalated"
    assert door.post(BAYU, f"{ticket}/resolution", json={"body": "Sudah"}).json()["status"] == "resolved"
    closed = door.post(LINA, f"{ticket}/closing").json()

    assert (closed["status"], closed["case_number"], closed["application_code"]) == (
        "closed",
        CASE_NUMBER,
        "e-presensi",
    )
    assert [reply["body"] for reply in closed["replies"]] == ["Halo", "Halo", "Perlu pengembang", "Sudah"]
    with door.database.session() as session:
        assert len(told(session, "TicketOpened")) == len(told(session, "TicketClosed")) == 1


def test_another_reporter_does_not_even_learn_that_a_ticket_exists(door: Door) -> None:
    ticket = opened(door)

    for answer in (
        door.get(ZULKIFLI, f"/api/tickets/{ticket}"),
        door.get(ZULKIFLI, f"/tiket/{ticket}"),
        door.post(ZULKIFLI, f"/api/tickets/{ticket}/closing"),
        door.post(ZULKIFLI, f"/tiket/{ticket}/penutupan"),
        door.get(ZULKIFLI, f"/api/tickets/{CASE_NUMBER}"),
    ):
        assert answer.status_code == 404
        assert WORDS["title"] not in answer.text
    assert door.get(ZULKIFLI, "/api/tickets").json() == []


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"title": "x"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"body": ""}, "/body"),
        ({"category": "lain"}, "/category"),
        ({"priority": "urgent"}, "/priority"),
        ({"application": "simak"}, "/application"),
    ],
)
def test_a_bad_report_names_its_field(door: Door, changed: dict[str, str], pointer: str) -> None:
    answer = door.post(LINA, "/api/tickets", json={**WORDS, **changed})

    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])


def test_a_report_sent_twice_is_one_ticket(door: Door) -> None:
    headers = {"idempotency-key": "lapor-1"}

    first = door.post(LINA, "/api/tickets", json=WORDS, headers=headers)
    second = door.post(LINA, "/api/tickets", json=WORDS, headers=headers)

    assert first.json() == second.json()
    assert len(door.get(LINA, "/api/tickets").json()) == 1


def test_a_list_is_read_by_its_links(door: Door) -> None:
    made = [opened(door) for _ in range(5)]
    path, seen = "/api/tickets?limit=2", []
    while path:
        answer = door.get(DINA, path)
        seen += [row["id"] for row in answer.json()]
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        path = link[1] if link else ""

    assert seen == made[::-1]


@pytest.mark.parametrize("limit", ["0", "201", "x"])
def test_a_list_has_a_bounded_length(door: Door, limit: str) -> None:
    assert door.get(DINA, f"/api/tickets?limit={limit}").status_code == 422


def test_what_waits_is_told_to_the_gateway(door: Door) -> None:
    ticket = opened(door)

    [waits] = door.get(DINA, "/api/waiting").json()

    assert (waits["path"], waits["case_number"], waits["step"]) == (f"/tiket/{ticket}", CASE_NUMBER, "S09")
    assert waits["title"].endswith(": Baru")
    assert date.fromisoformat(waits["since"][:10])
    assert door.get(LINA, "/api/waiting").json() == []


# --- pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "reports", "forms"),
    [(LINA, True, []), (DINA, True, ["jawaban", "eskalasi", "penyelesaian"]), (SARI, False, [])],
    ids=["reporter", "agent", "auditor"],
)
def test_a_page_offers_what_this_person_may_do(door: Door, by: Person, reports: bool, forms: list[str]) -> None:
    ticket = opened(door)

    listed, shown = door.get(by, "/tiket"), door.get(by, f"/tiket/{ticket}")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert ('action="/tiket"' in listed.text) is reports
    assert WORDS["title"] in listed.text and "e-Presensi" in listed.text
    assert WORDS["body"] in shown.text and f'href="/perkara/{CASE_NUMBER}"' in shown.text
    assert re.findall(rf'action="/tiket/{ticket}/(\w+)"', shown.text) == forms


def test_the_admin_may_look_at_an_empty_list(door: Door) -> None:
    opened(door)

    assert "Belum ada tiket" in door.get(TONO, "/tiket").text


def test_a_ticket_lives_on_its_pages(door: Door) -> None:
    made = door.post(LINA, "/tiket", data=WORDS)
    page = made.headers["location"]
    assert made.status_code == 303

    for by, act, words in (
        (DINA, "jawaban", {"body": "Peramban apa?"}),
        (LINA, "keterangan", {"body": "Firefox"}),
        (DINA, "eskalasi", {"reason": "Perlu pengembang"}),
        (BAYU, "penyelesaian", {"body": "Sudah"}),
        (LINA, "penutupan", {}),
    ):
        answer = door.post(by, f"{page}/{act}", data=words)
        assert (answer.status_code, answer.headers["location"]) == (303, page)

    assert "Ditutup" in door.get(LINA, page).text


def test_a_bad_report_comes_back_with_what_was_typed(door: Door) -> None:
    answer = door.post(LINA, "/tiket", data={**WORDS, "title": "x", "priority": "critical"})

    assert answer.status_code == 422
    assert WORDS["body"] in answer.text
    assert '<option value="critical" selected>' in answer.text
    assert "Terlalu pendek, paling sedikit 5 huruf." in answer.text


def test_an_act_out_of_turn_is_told_on_the_page(door: Door) -> None:
    ticket = opened(door)

    answer = door.post(LINA, f"/tiket/{ticket}/penutupan")

    assert answer.status_code == 409
    assert "sehingga tindakan ini belum atau tidak lagi dapat dilakukan" in answer.text
    assert WORDS["title"] in answer.text


def test_what_people_write_is_shown_and_never_obeyed(door: Door) -> None:
    evil = "<script>alert(1)</script>{{ 7*7 }}"
    ticket = opened(door, title=evil, body=evil)
    door.post(DINA, f"/api/tickets/{ticket}/answer", json={"body": evil})

    for path in ("/tiket", f"/tiket/{ticket}"):
        page = door.get(DINA, path).text
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page


# --- what it costs ----------------------------------------------------------------------------------------


@pytest.fixture
def cost(door: Door) -> Callable[[str], int]:
    """Return how many statements it takes an agent to read a path."""

    def counted(path: str) -> int:
        with statements(door.database.engine) as sent:
            assert door.get(DINA, path).status_code == 200
        return len(sent)

    return counted


def test_lists_and_pages_cost_the_same_however_much_there_is(door: Door, cost: Callable[[str], int]) -> None:
    ticket = opened(door)
    paths = ["/tiket", f"/tiket/{ticket}", "/api/tickets", f"/api/tickets/{ticket}", "/api/waiting"]
    before = [cost(path) for path in paths]
    with door.database.transaction() as session:
        for _ in range(40):
            actions.open_ticket(session, LINA, **WORDS)
        found = session.get_one(Ticket, ticket)
        for _ in range(10):
            actions.answer(session, DINA, found.id, body="Halo")
            actions.add(session, LINA, found.id, body="Halo")

    after = [cost(path) for path in paths]

    assert after == before
    assert max(after) <= 6
