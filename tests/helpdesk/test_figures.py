"""Tickets in figures equal a count by hand over random tickets."""

import random
from datetime import datetime, timedelta
from statistics import median
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.helpdesk.model import STATUS_LABELS, LiveApplication, Ticket, TicketStatus
from services.helpdesk.queries import dashboard
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person
from shared.words import local_date
from tests.counting import statements
from tests.people import ANI, CITRA, DINA, JOKO, LINA

NOW = utc_now()


@pytest.fixture
def tickets(session: Session) -> list[Ticket]:
    """Return random tickets of the last half year."""
    dice = random.Random(11)
    case_id = session.scalars(select(LiveApplication.case_id)).one()
    found = []
    for n in range(150):
        at = NOW - timedelta(hours=dice.randint(0, 24 * 180))
        status = dice.choice(list(TicketStatus))
        is_done = status in (TicketStatus.RESOLVED, TicketStatus.CLOSED)
        found.append(
            Ticket(
                number=f"T-{n}",
                case_id=case_id,
                release_number=1,
                title="x",
                body="x",
                category="gangguan",
                priority=dice.choice(["low", "medium", "high", "critical"]),
                status=status,
                reporter_id=uuid4(),
                reporter_name="x",
                created_at=at,
                first_response_at=at + timedelta(minutes=dice.randint(1, 4000)) if dice.random() < 0.7 else None,
                resolved_at=at + timedelta(minutes=dice.randint(1, 9000)) if is_done else None,
            )
        )
    session.add_all(found)
    session.flush()
    return found


def bucket(at: datetime) -> int:
    age = (local_date(NOW) - local_date(at)).days
    return next((n for n, most in enumerate((1, 3, 7)) if age <= most), 3)


def test_open_tickets_by_state_and_age_equal_a_count_by_hand(session: Session, tickets: list[Ticket]) -> None:
    rows = dashboard.figures(session, DINA, now=NOW).panels[0].tables[0].rows
    shown = {row.cells["status"]: [row.cells[f"age_{n}"] for n in range(4)] for row in rows}

    assert shown == {
        STATUS_LABELS[s]: [sum(t.status == s and bucket(t.created_at) == n for t in tickets) for n in range(4)]
        for s in TicketStatus
        if s not in (TicketStatus.RESOLVED, TicketStatus.CLOSED)
    }


def test_speed_equals_a_count_by_hand(session: Session, tickets: list[Ticket]) -> None:
    rows = dashboard.figures(session, CITRA, now=NOW).panels[1].tables[0].rows
    words = {"Kritis": "critical", "Tinggi": "high", "Sedang": "medium", "Rendah": "low"}

    assert [row.cells["priority"] for row in rows] == list(words)
    for row in rows:
        recent = [
            t
            for t in tickets
            if t.priority == words[str(row.cells["priority"])] and t.created_at >= NOW - timedelta(days=90)
        ]
        answered = [(t.first_response_at - t.created_at).total_seconds() / 3600 for t in recent if t.first_response_at]
        solved = [(t.resolved_at - t.created_at).total_seconds() / 3600 for t in recent if t.resolved_at]
        assert (row.cells["count"], row.cells["resolved"]) == (len(recent), len(solved))
        assert row.cells["response"] == pytest.approx(median(answered))
        assert row.cells["resolution"] == pytest.approx(median(solved))


@pytest.mark.parametrize("by", [ANI, JOKO, LINA])
def test_who_reads_only_their_own_tickets_reads_no_figures(session: Session, by: Person) -> None:
    with pytest.raises(NotAllowed):
        dashboard.figures(session, by)


def test_it_costs_the_same_however_many_tickets_there_are(session: Session, tickets: list[Ticket]) -> None:
    with statements(session.get_bind().engine) as sent:
        dashboard.figures(session, CITRA)

    assert len(sent) == 2


def test_without_tickets_it_says_what_will_stand_here(session: Session) -> None:
    assert [table.rows for panel in dashboard.figures(session, CITRA).panels for table in panel.tables] == [[], []]
