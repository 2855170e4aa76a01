"""The office's calendar: edited at the gateway, told whole, kept the same in every division."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.gateway.actions import calendar as actions
from services.gateway.actions import person as people
from services.gateway.model import Notice
from services.gateway.schemas.calendar import ClosedDay, Period, spans_of
from shared import calendar as kept
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import Role
from shared.keys import DIVISIONS, Keys
from shared.mailbox import outbox, seal
from shared.messages import CalendarChanged, CalendarDay, OfficeHours, OpenHours
from shared.words import WIB
from shared.worker import Worker
from tests.counting import statements
from tests.people import ANI, TONO

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
YEAR = 2032
"""Far enough for every moving date to be an estimate."""


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    return sessions("gateway")


def told(version: int, *days: date, year: int = 2027, hours: tuple[OfficeHours, ...] = ()) -> CalendarChanged:
    closed = tuple(CalendarDay(on=on, name="Hari uji") for on in days)
    return CalendarChanged(year=year, version=version, changed_at=utc_now(), days=closed, hours=hours)


def test_old_news_of_a_year_changes_nothing(session: Session) -> None:
    newer, older = told(3, date(2027, 3, 1)), told(2, date(2027, 3, 2))

    assert [kept.take(session, one) for one in (newer, older, newer)] == [True, False, False]
    assert kept.year_of(session, 2027) == newer
    assert not kept.calendar(session).is_working_day(date(2027, 3, 1))
    assert kept.calendar(session).is_working_day(date(2027, 3, 2))


def test_a_change_is_seen_at_once_and_asking_costs_one_question_a_session(session: Session) -> None:
    kept.take(session, told(1, date(2027, 3, 1)))
    assert kept.calendar(session).is_working_day(date(2027, 3, 2))

    kept.take(session, told(2, date(2027, 3, 2)))
    assert not kept.calendar(session).is_working_day(date(2027, 3, 2))
    with statements(session.get_bind().engine) as sent:
        kept.calendar(session)
        kept.hours(session)
    assert sent == []


def test_the_library_stands_in_for_a_year_that_nobody_entered_and_says_so(session: Session) -> None:
    found = kept.calendar(session)
    far = date(utc_now().year + 2, 6, 15)

    assert not found.is_working_day(date(utc_now().year, 8, 17))
    assert found.is_estimated(far, far + timedelta(days=200))
    assert found.is_estimated(date(2090, 1, 4), date(2090, 1, 5))


def test_ramadan_has_hours_of_its_own_and_the_shorter_time_goes_first(session: Session) -> None:
    def hours(first: date, last: date, closes: int) -> OfficeHours:
        week = tuple(OpenHours(weekday=day, opens=time(8), closes=time(closes)) for day in range(5))
        return OfficeHours(first_on=first, last_on=last, hours=week)

    month = hours(date(2027, 2, 8), date(2027, 3, 8), 15)
    kept.take(session, told(1, hours=(month, hours(date(2027, 1, 1), date(2027, 12, 31), 17))))

    def worked(day: date) -> int:
        begins = datetime.combine(day, time(), WIB)
        return kept.hours(session).minutes(begins, begins + timedelta(days=1))

    assert (worked(date(2027, 2, 9)), worked(date(2027, 4, 6)), worked(date(2027, 2, 13))) == (420, 540, 0)
    assert worked(date(2026, 4, 8)) == 480


# --- editing -------------------------------------------------------------------------------------------------------


def day(on: date, **more: object) -> ClosedDay:
    return ClosedDay.model_validate({"on": on, "name": "Hari uji", **more})


def test_the_first_change_of_a_year_starts_from_the_library(session: Session) -> None:
    made = actions.edit_calendar(session, TONO, YEAR, day(date(YEAR, 2, 3)), now=NOW)

    assert {one.on for one in made.days} == {one.on for one in kept.from_library(YEAR)} | {date(YEAR, 2, 3)}
    assert made.version == 1 and any(one.is_estimate for one in made.days)
    again = actions.edit_calendar(session, TONO, YEAR, day(date(YEAR, 2, 3), name="Nama lain"), now=NOW)
    assert [one.name for one in again.days if one.on == date(YEAR, 2, 3)] == ["Nama lain"]
    assert again.version == 2


def test_estimates_are_confirmed_by_a_decree_once(session: Session) -> None:
    actions.seed_calendar(session, TONO, YEAR, now=NOW)
    made = actions.confirm_calendar(session, TONO, YEAR, "SKB 1017/2031", now=NOW)

    assert not any(one.is_estimate for one in made.days)
    assert "SKB 1017/2031" in {one.decree for one in made.days}
    with pytest.raises(OutOfTurn, match="sudah pasti"):
        actions.confirm_calendar(session, TONO, YEAR, "SKB 1018/2031", now=NOW)


def test_a_day_is_opened_again(session: Session) -> None:
    made = actions.open_day(session, TONO, YEAR, date(YEAR, 8, 17), now=NOW)

    assert date(YEAR, 8, 17) not in {one.on for one in made.days}
    with pytest.raises(Incomplete, match="tidak ada dalam daftar"):
        actions.open_day(session, TONO, YEAR, date(YEAR, 8, 17), now=NOW)


def test_only_the_administrator_changes_it_and_only_within_the_year(session: Session) -> None:
    with pytest.raises(NotAllowed):
        actions.edit_calendar(session, ANI, YEAR, day(date(YEAR, 2, 3)), now=NOW)
    with pytest.raises(Incomplete, match="dalam tahun"):
        actions.edit_calendar(session, TONO, YEAR, day(date(YEAR + 1, 2, 3)), now=NOW)
    with pytest.raises(Incomplete, match="tersedia"):
        actions.seed_calendar(session, TONO, 1999, now=NOW)
    assert kept.year_of(session, YEAR) is None


def test_hours_that_cannot_be_are_refused_at_their_field(session: Session) -> None:
    wrong = Period(first_on=date(YEAR, 3, 9), last_on=date(YEAR, 3, 1), name="Ramadan", usual="15-8", friday="jam 8")

    with pytest.raises(Incomplete) as refused:
        actions.set_hours(session, TONO, YEAR, wrong, now=NOW)
    assert [one.pointer for one in refused.value.errors] == ["/last_on", "/usual", "/friday"]

    right = wrong.model_copy(update={"last_on": date(YEAR, 4, 1), "usual": "08.00-12.00, 12:30–15", "friday": ""})
    made = actions.set_hours(session, TONO, YEAR, right, now=NOW)
    assert len(made.hours[0].hours) == 8
    assert not actions.usual_hours_again(session, TONO, YEAR, date(YEAR, 3, 9), now=NOW).hours
    with pytest.raises(Incomplete, match="Tidak ada masa"):
        actions.usual_hours_again(session, TONO, YEAR, date(YEAR, 3, 9), now=NOW)


@pytest.mark.parametrize("words", ["8", "08.00-", "25.00-26.00", "08.00-12.00, 11.00-15.00", "12-8"])
def test_what_is_no_time_is_no_time(words: str) -> None:
    with pytest.raises(ValueError):
        spans_of(words)


def test_a_sheet_that_was_written_can_be_read_again(session: Session) -> None:
    actions.seed_calendar(session, TONO, YEAR, now=NOW)
    rows = actions.sheet_rows(actions.kept_or_known(session, YEAR))
    for separator in ",;":
        sheet = ("\ufeff" + "\r\n".join(separator.join(row) for row in rows)).encode()
        made = actions.import_calendar(session, TONO, YEAR, sheet, now=NOW)
        assert actions.sheet_rows(made) == rows


def test_every_mistake_of_a_sheet_is_told_with_its_row_and_column_and_nothing_is_kept(session: Session) -> None:
    head = ",".join(actions.COLUMNS)
    rows = [
        f"{YEAR}-01-01,Tahun Baru,libur nasional,tidak,",
        f"{YEAR}-01-01,Lagi,libur nasional,tidak,",
        "1/2/2032,Salah tanggal,libur nasional,tidak,",
        f"{YEAR - 1}-03-01,Tahun lain,libur nasional,tidak,",
        f"{YEAR}-03-01,X,libur,mungkin,",
        "kurang",
    ]

    with pytest.raises(Incomplete) as refused:
        actions.import_calendar(session, TONO, YEAR, "\n".join([head, *rows]).encode(), now=NOW)

    told = [one.detail for one in refused.value.errors]
    expected = ("Baris 3, kolom tanggal", "Baris 4, kolom tanggal", "Baris 5, kolom tanggal", "Baris 6, kolom nama",
                "Baris 6, kolom jenis", "Baris 6, kolom perkiraan", "Baris 7")  # fmt: skip
    assert [one.startswith(words) for one, words in zip(told, expected, strict=True)] == [True] * 7
    assert kept.year_of(session, YEAR) is None


@pytest.mark.parametrize("sheet", [b"", b"\xff\xfe", b"a,b\n", ",".join(actions.COLUMNS).encode(), b"x" * 300_000])
def test_what_is_no_sheet_is_refused_in_words(session: Session, sheet: bytes) -> None:
    with pytest.raises(Incomplete):
        actions.import_calendar(session, TONO, YEAR, sheet, now=NOW)


# --- missing -------------------------------------------------------------------------------------------------------


def test_a_missing_year_is_told_to_every_administrator_once(session: Session) -> None:
    for role in (Role.ADMIN, Role.HEAD):
        people.add_person(
            session,
            username=f"orang.{uuid4().hex[:8]}",
            display_name="Orang",
            roles=[role],
            password="sebuah kalimat yang panjang",
        )
    autumn = datetime(YEAR, 10, 2, 5, tzinfo=UTC)
    actions.seed_calendar(session, TONO, YEAR, now=NOW)
    actions.confirm_calendar(session, TONO, YEAR, "SKB 1/2031", now=NOW)

    assert actions.missing(session, now=datetime(YEAR, 9, 30, 5, tzinfo=UTC)) == []
    assert actions.missing(session, now=autumn) == [YEAR + 1]
    assert [actions.tell_what_is_missing(session, now=autumn) for _ in range(2)] == [1, 0]
    notice = session.scalars(select(Notice)).one()
    assert notice.path == f"/hari-kerja/{YEAR + 1}" and str(YEAR + 1) in notice.title
    actions.seed_calendar(session, TONO, YEAR + 1, now=NOW)
    actions.confirm_calendar(session, TONO, YEAR + 1, "SKB 2/2032", now=NOW)
    assert actions.missing(session, now=autumn) == []


# --- from the gateway to five divisions ----------------------------------------------------------------------------


def test_five_divisions_keep_the_same_year_whatever_comes_twice_or_late(
    database_of: Callable[[str], Database], keys: Keys
) -> None:
    gateway = database_of("gateway")
    heard: dict[str, list[int]] = {name: [] for name in DIVISIONS}
    workers = {name: Worker(name, database_of(name), keys) for name in DIVISIONS}
    for name, worker in workers.items():
        kept.keep(worker, changed=lambda _session, year, name=name: heard[name].append(year))
    dice = random.Random(7)
    for n in range(12):
        with gateway.transaction() as session:
            on = date(YEAR, dice.randint(1, 12), dice.randint(1, 28))
            actions.edit_calendar(session, TONO, YEAR, day(on, name=f"Hari {n}"), now=NOW + timedelta(minutes=n))
    with gateway.transaction() as session:
        expected = kept.year_of(session, YEAR)
        rows = session.execute(select(outbox).order_by(outbox.c.seq)).all()

    for name, worker in workers.items():
        wires = [seal(row, source="gateway", keys=keys) for row in rows if row.dest == name]
        wires += dice.sample(wires, 4)
        dice.shuffle(wires)
        for _ in range(len(wires)):
            for wire in wires:
                worker.receive([wire])
            with worker.database.transaction() as session:
                if kept.year_of(session, YEAR) == expected:
                    break

    assert expected is not None and expected.version == 12
    for name, worker in workers.items():
        with worker.database.transaction() as session:
            assert kept.year_of(session, YEAR) == expected, name
        assert set(heard[name]) == {YEAR}


def test_a_later_division_is_told_every_year_that_is_kept(session: Session) -> None:
    actions.seed_calendar(session, TONO, YEAR, now=NOW)
    session.execute(text("DELETE FROM msg.outbox"))

    actions.tell_calendar(session)

    told_to = session.scalars(select(outbox.c.dest).where(outbox.c.kind == "CalendarChanged")).all()
    assert sorted(told_to) == sorted(DIVISIONS)
