"""Sessions, tokens and the throttle: the time is told, nobody waits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from services.gateway.actions import person as actions
from services.gateway.actions import sign_in
from services.gateway.actions.sign_in import SignedIn, WaitBeforeTrying, WrongCredentials
from services.gateway.model import Person
from shared import audit
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotFound
from shared.identity import Caller
from tests.gateway.conftest import PASSWORD

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOME, ELSEWHERE = "10.1.2.3", "203.0.113.9"


def _enter(
    people: Database, username: str, *, password: str = PASSWORD, address: str = HOME, now: datetime = NOW
) -> SignedIn:
    return sign_in.sign_in(people, username=username, password=password, address=address, now=now)


def _fail(people: Database, username: str, *, times: int, address: str, now: datetime = NOW) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            _enter(people, username, password="salah", address=address, now=now)


def _caller(people: Database, token: str, now: datetime) -> Caller | None:
    with people.transaction() as session:
        return sign_in.session_caller(session, token, now=now)


def test_the_right_password_opens_a_session(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()

    token = _enter(people, f"  {username.upper()} ").token

    caller = _caller(people, token, NOW)
    assert caller and caller.person.username == username and len(caller.form_token) >= 40


def test_the_token_of_a_session_is_nowhere_kept(people: Database, somebody: Callable[..., str]) -> None:
    token = _enter(people, somebody()).token

    with people.session() as session:
        kept = session.connection().exec_driver_sql("SELECT string_agg(s::text, ' ') FROM session s").scalar()
    assert token not in str(kept) and sign_in.digest(token) in str(kept)


def test_wrong_password_and_unknown_name_are_refused_alike(people: Database, somebody: Callable[..., str]) -> None:
    refusals = []
    for username in (somebody(), "tidak.ada"):
        with pytest.raises(WrongCredentials) as refusal:
            _enter(people, username, password="salah", address="10.9.9.9")
        refusals.append((refusal.value.status, refusal.value.code, refusal.value.detail))

    assert refusals[0] == refusals[1] and refusals[0][0] == 401


def test_w12_somebody_shut_out_cannot_enter_and_loses_the_session(
    people: Database, somebody: Callable[..., str]
) -> None:
    username = somebody()
    token = _enter(people, username).token

    with people.transaction() as session:
        actions.shut_out(session, username=username)

    assert _caller(people, token, NOW) is None
    with pytest.raises(WrongCredentials):
        _enter(people, username)


def test_a_new_password_ends_every_session(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    token = _enter(people, username).token

    with people.transaction() as session:
        actions.set_password(session, username=username, password="kalimat yang baru")

    assert _caller(people, token, NOW) is None


def test_a_session_idles_out_after_thirty_minutes(people: Database, somebody: Callable[..., str]) -> None:
    token = _enter(people, somebody()).token

    assert _caller(people, token, NOW + timedelta(minutes=29))
    # It was seen at minute 29: the half hour counts from there.
    assert _caller(people, token, NOW + timedelta(minutes=58))
    assert _caller(people, token, NOW + timedelta(minutes=88)) is None


def test_a_session_ends_after_ten_hours_however_busy(people: Database, somebody: Callable[..., str]) -> None:
    token = _enter(people, somebody()).token

    seen = [_caller(people, token, NOW + timedelta(minutes=20 * n)) is not None for n in range(31)]

    assert seen == [True] * 30 + [False]


def test_w12_signing_in_again_ends_the_session_before(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    first = _enter(people, username).token

    second = sign_in.sign_in(people, username=username, password=PASSWORD, address=HOME, now=NOW, replaces=first).token

    assert second != first
    assert _caller(people, first, NOW) is None and _caller(people, second, NOW)


def test_after_some_failures_there_is_a_pause_that_grows(people: Database, somebody: Callable[..., str]) -> None:
    username, now, pauses = somebody(), NOW, []
    _fail(people, username, times=4, address=ELSEWHERE)

    for _ in range(5):
        _fail(people, username, times=1, address=ELSEWHERE, now=now)
        with pytest.raises(WaitBeforeTrying) as refusal:
            _enter(people, username, address=ELSEWHERE, now=now)
        pauses.append(refusal.value.seconds)
        now += timedelta(seconds=refusal.value.seconds)

    assert pauses == sorted(pauses) and pauses[-1] >= 16


def test_a_pause_never_exceeds_five_minutes() -> None:
    assert max(p.pause(1000) for p in sign_in.PATIENCE.values()) == timedelta(minutes=5)


def test_during_a_pause_even_the_right_password_is_not_looked_at(
    people: Database, somebody: Callable[..., str]
) -> None:
    username = somebody()
    _fail(people, username, times=5, address=ELSEWHERE)

    with pytest.raises(WaitBeforeTrying):
        _enter(people, username, address=ELSEWHERE)
    assert _enter(people, username, address=ELSEWHERE, now=NOW + timedelta(seconds=2))


def test_w13_an_attack_from_elsewhere_does_not_lock_the_owner_out(
    people: Database, somebody: Callable[..., str]
) -> None:
    username = somebody()
    _enter(people, username)
    for n in range(30):
        try:
            _enter(people, username, password="tebakan", address=f"198.51.100.{n}")
        except (WrongCredentials, WaitBeforeTrying):
            continue

    with pytest.raises(WaitBeforeTrying):
        _enter(people, username, address="198.51.100.99")
    assert _enter(people, username, address=HOME)


def test_w13_an_owner_at_a_new_place_waits_at_most_half_a_minute(
    people: Database, somebody: Callable[..., str]
) -> None:
    username = somebody()
    now = NOW
    for n in range(40):
        try:
            _enter(people, username, password="tebakan", address=f"192.0.2.{n}", now=now)
        except WaitBeforeTrying as refusal:
            now += timedelta(seconds=refusal.seconds)
        except WrongCredentials:
            continue

    assert _enter(people, username, address="10.7.7.7", now=now + timedelta(seconds=31))


def test_w13_one_address_that_sprays_many_accounts_is_slowed_down(people: Database) -> None:
    for n in range(50):
        with pytest.raises(WrongCredentials):
            _enter(people, f"tebakan.{n}", password="salah", address="203.0.113.77")

    with pytest.raises(WaitBeforeTrying):
        _enter(people, "tebakan.lain", password="salah", address="203.0.113.77")


def test_w13_guesses_sent_all_at_once_are_counted_before_they_are_judged(
    people: Database, somebody: Callable[..., str]
) -> None:
    username, together, judged = somebody(), Barrier(12), []

    def guess() -> None:
        together.wait(20)
        try:
            _enter(people, username, password="salah", address="203.0.113.50")
        except WrongCredentials:
            judged.append("judged")
        except WaitBeforeTrying:
            judged.append("waited")

    guesses = [Thread(target=guess) for _ in range(12)]
    for thread in guesses:
        thread.start()
    for thread in guesses:
        thread.join(60)

    assert judged.count("judged") == 5 and judged.count("waited") == 7


def test_what_was_typed_as_a_name_never_stands_in_the_audit_chain(people: Database) -> None:
    with pytest.raises(WrongCredentials):
        _enter(people, "kata-sandi-di-isian-salah", password="x")

    with people.session() as session:
        last = session.execute(select(audit.entry.c.line).order_by(audit.entry.c.seq.desc()).limit(1)).scalar_one()
    assert "refuse_sign_in" in last and HOME in last and "kata-sandi" not in last


def test_entering_and_leaving_stand_in_the_audit_chain(people: Database, somebody: Callable[..., str]) -> None:
    entered = _enter(people, somebody())
    with people.transaction() as session:
        sign_in.end_session(session, entered.token, now=NOW)

    with people.session() as session:
        rows = session.execute(select(audit.entry.c.act).order_by(audit.entry.c.seq.desc()).limit(2)).scalars().all()
        _, broken = audit.verify(session)
    assert rows == ["sign_out", "sign_in"] and broken == []


def test_a_token_ends_by_itself(people: Database, somebody: Callable[..., str]) -> None:
    now = utc_now()
    with people.transaction() as session:
        by = session.scalars(select(Person).where(Person.username == somebody())).one().as_signed()
        text = sign_in.make_token(session, by, name="skrip", days=7, scopes=frozenset({"read"}), now=now).text

        assert sign_in.token_caller(session, text, now=now + timedelta(days=6)) == (
            Caller(person=by),
            frozenset({"read"}),
        )
        assert sign_in.token_caller(session, text, now=now + timedelta(days=7)) is None


@pytest.mark.parametrize("days", [0, 91])
def test_a_token_lives_one_to_ninety_days(people: Database, somebody: Callable[..., str], days: int) -> None:
    with people.transaction() as session:
        by = session.scalars(select(Person).where(Person.username == somebody())).one().as_signed()

        with pytest.raises(Incomplete):
            sign_in.make_token(session, by, name="skrip", days=days, scopes=frozenset({"read"}), now=NOW)


def test_somebody_elses_token_cannot_be_revoked(people: Database, somebody: Callable[..., str]) -> None:
    with people.transaction() as session:
        mine, theirs = (
            session.scalars(select(Person).where(Person.username == somebody())).one().as_signed() for _ in "ab"
        )
        token = sign_in.make_token(session, mine, name="skrip", days=7, scopes=frozenset({"read"}), now=NOW).token

        with pytest.raises(NotFound):
            sign_in.revoke_token(session, theirs, token.id, now=NOW)
