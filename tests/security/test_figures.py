"""Security in figures equals a count by hand over random findings, tests and permits."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.security.model import FindingRow, FindingStatus, KnownCase, PermitRow, SecurityTest, TestStatus
from services.security.queries import dashboard
from services.security.queries.finding import SEVERITIES, SEVERITY_WORDS
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person
from shared.words import local_date
from tests.counting import statements
from tests.people import ANI, CITRA, FAJAR, JOKO, LINA

NOW = utc_now()
TODAY = local_date(NOW)


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    """Return a session of the security division that is rolled back."""
    return sessions("security")


@pytest.fixture
def cases(session: Session) -> list[UUID]:
    """Return the ids of a few known cases, every second one in use."""
    found = [
        KnownCase(case_id=uuid4(), case_number=f"APL-{n}", name=f"Aplikasi {n}", live_digest="a" * 64 if n % 2 else "")
        for n in range(8)
    ]
    session.add_all(found)
    session.flush()
    return [case.case_id for case in found]


def test_open_findings_by_age_equal_a_count_by_hand(session: Session, cases: list[UUID]) -> None:
    dice = random.Random(13)
    rows = []
    for n in range(200):
        at = NOW - timedelta(hours=dice.randint(0, 24 * 200))
        texts = dict.fromkeys(("rule", "title", "risk", "where", "evidence", "recommendation", "cwe"), "x")
        rows.append(
            FindingRow(
                case_id=dice.choice(cases),
                fingerprint=f"{n:032}",
                engine="probe",
                control="K1",
                first_round=1,
                last_round=1,
                severity=dice.choice(SEVERITIES),
                status=dice.choice(list(FindingStatus)),
                created_at=at,
                due_on=dice.choice([None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=9)]),
                **texts,
            )
        )
    session.add_all(rows)
    session.flush()

    def bucket(row: FindingRow) -> int:
        age = (TODAY - local_date(row.created_at)).days
        return next((n for n, most in enumerate((7, 30, 90)) if age <= most), 3)

    for shown in dashboard.figures(session, FAJAR, now=NOW).panels[0].tables[0].rows:
        severity = next(key for key, words in SEVERITY_WORDS.items() if words == shown.cells["severity"])
        own = [r for r in rows if r.severity == severity and r.status == FindingStatus.OPEN]
        assert [shown.cells[f"age_{n}"] for n in range(4)] == [sum(bucket(r) == n for r in own) for n in range(4)]
        assert shown.cells["overdue"] == sum(r.due_on is not None and r.due_on < TODAY for r in own)
        assert shown.cells["total"] == len(own) > 0


def put_test(session: Session, case_id: UUID, number: int, status: TestStatus) -> SecurityTest:
    test = SecurityTest(
        case_id=case_id, round=number, digest="a" * 64, release_id=uuid4(), release_number=1, hosting="h",
        closed_host="h", connect_address="127.0.0.1", connect_port=80, installed_by_id=uuid4(), status=status,
    )  # fmt: skip
    session.add(test)
    session.flush()
    return test


def test_rounds_equal_a_count_by_hand(session: Session, cases: list[UUID]) -> None:
    dice = random.Random(17)
    put = [
        (number, status, put_test(session, case_id, number, status))
        for case_id in cases
        for number in range(1, dice.randint(2, 5))
        for status in [dice.choice(list(TestStatus))]
    ]
    panel = dashboard.figures(session, CITRA, now=NOW).panels[1]

    for row in panel.tables[0].rows:
        own = [status for number, status, _ in put if f"Putaran {number}" == row.cells["round"]]
        assert row.cells["passed"] == own.count(TestStatus.PASSED)
        assert row.cells["failed"] == own.count(TestStatus.FAILED)
        assert row.cells["superseded"] == own.count(TestStatus.SUPERSEDED)
        assert sum(row.cells[k] for k in ("passed", "failed", "running", "superseded")) == len(own)  # type: ignore[misc]
    first = [s for n, s, _ in put if n == 1 and s in (TestStatus.PASSED, TestStatus.FAILED)]
    share: Any = panel.numbers[0].value
    assert share == (round(100 * first.count(TestStatus.PASSED) / len(first), 2) if first else None)


def test_permits_that_lapse_soon_are_those_of_applications_in_use(session: Session, cases: list[UUID]) -> None:
    def permit(case_id: UUID, days: int, *, round_: int = 1, revoked: bool = False, age: int = 0) -> None:
        test = put_test(session, case_id, round_, TestStatus.PASSED)
        session.add(
            PermitRow(
                case_id=case_id, test_id=test.id, digest="a" * 64, signed="x", given_by_id=uuid4(),
                valid_until=NOW + timedelta(days=days), revoked_at=NOW if revoked else None,
                created_at=NOW - timedelta(days=age),
            )
        )  # fmt: skip
        session.flush()

    permit(cases[0], 5)  # not in use
    permit(cases[1], 5)
    permit(cases[3], 31)
    permit(cases[5], 3, age=300)  # an older one; the newest lasts
    permit(cases[5], 300, round_=2)
    permit(cases[7], -2)
    permit(cases[7], 90, round_=2, revoked=True)
    rows = dashboard.figures(session, CITRA, now=NOW).panels[2].tables[0].rows

    assert [row.cells["application"] for row in rows] == ["Aplikasi 7 (APL-7)", "Aplikasi 1 (APL-1)"]
    assert [row.cells["days"] for row in rows] == [-2, 5]


@pytest.mark.parametrize("by", [ANI, JOKO, LINA])
def test_outsiders_read_no_figures(session: Session, by: Person) -> None:
    with pytest.raises(NotAllowed):
        dashboard.figures(session, by)


def test_it_costs_three_statements(session: Session, cases: list[UUID]) -> None:
    with statements(session.get_bind().engine) as sent:
        dashboard.figures(session, CITRA)

    assert len(sent) == 3
