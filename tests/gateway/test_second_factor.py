"""Two-step sign-in: a code is right once, guessing is slowed down, a lost factor can be taken away."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID

import httpx
import pyotp
import pytest
from sqlalchemy import select

from services.gateway.actions import second_factor, sign_in
from services.gateway.actions.second_factor import WrongCode
from services.gateway.actions.sign_in import SecondFactorNeeded, SignedIn, WaitBeforeTrying
from services.gateway.app import make
from services.gateway.model import Notice, Person, SecondFactor
from services.gateway.sealed import FACTOR, HELD, Seal
from services.gateway.settings import Settings
from shared import audit, identity
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotAllowed, NotFound, NotSignedIn, OutOfTurn, StepUpNeeded
from shared.identity import Role
from shared.keys import Keys
from tests.gateway.conftest import PASSWORD, House, Visitor, serving

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOME, ELSEWHERE = "10.1.2.3", "203.0.113.9"
Somebody = Callable[..., str]


@pytest.fixture
def seal(keys: Keys) -> Seal:
    """Return the seal of the factors' secrets."""
    return Seal(keys, FACTOR)


def _person(people: Database, username: str, *, proved: bool = True) -> identity.Person:
    with people.session() as session:
        found = session.scalars(select(Person).where(Person.username == username)).one().as_signed()
    return found.model_copy(update={"proved_until": utc_now() + timedelta(minutes=5) if proved else None})


def _enrol(people: Database, seal: Seal, username: str, now: datetime = NOW) -> tuple[str, list[str]]:
    """Switch the second factor on with the code of the step before `now`; return the secret and recovery codes."""
    by = _person(people, username)
    with people.transaction() as session:
        secret = second_factor.begin(session, by, seal, now=now)
    with people.transaction() as session:
        code = pyotp.TOTP(secret).at(now - timedelta(seconds=30))
        return secret, second_factor.confirm(session, by, seal, code=code, now=now)


def _password(people: Database, username: str, now: datetime = NOW) -> str:
    """Do the first step; return the token of the second."""
    with pytest.raises(SecondFactorNeeded) as needed:
        sign_in.sign_in(people, username=username, password=PASSWORD, address=HOME, now=now)
    return needed.value.pending


def _complete(
    people: Database, seal: Seal, pending: str, code: str, *, now: datetime = NOW, address: str = HOME
) -> SignedIn:
    return second_factor.complete(people, seal, pending=pending, code=code, address=address, now=now)


def test_the_password_alone_opens_no_session(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    _enrol(people, seal, username)

    pending = _password(people, username)

    with people.transaction() as session:
        assert sign_in.session_caller(session, pending, now=NOW) is None


def test_password_and_code_open_a_session(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username)

    signed_in = _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW))

    assert signed_in.caller.person.username == username
    with people.transaction() as session:
        assert sign_in.session_caller(session, signed_in.token, now=NOW)


def test_a_wrong_code_opens_nothing_and_stands_in_the_chain(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username)
    wrong = str((int(pyotp.TOTP(secret).at(NOW)) + 1) % 1_000_000).zfill(6)

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), wrong)

    with people.session() as session:
        last = session.execute(select(audit.entry.c.line).order_by(audit.entry.c.seq.desc()).limit(1)).scalar_one()
    assert "refuse_code" in last and wrong not in last and secret not in last


def test_w14_a_code_is_taken_once_only(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username)
    code = pyotp.TOTP(secret).at(NOW)
    _complete(people, seal, _password(people, username), code)

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), code)


def test_w14_an_older_code_is_not_taken_after_a_newer_one(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username, now=NOW - timedelta(minutes=5))
    _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW))

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW - timedelta(seconds=30)))


def test_w14_of_two_who_use_one_code_at_the_same_moment_one_comes_in(
    people: Database, somebody: Somebody, seal: Seal
) -> None:
    username, together, ends = somebody(), Barrier(6), []
    secret, _ = _enrol(people, seal, username)
    waiting = [_password(people, username) for _ in range(6)]

    def enter(pending: str) -> None:
        together.wait(20)
        try:
            _complete(people, seal, pending, pyotp.TOTP(secret).at(NOW))
            ends.append("in")
        except (WrongCode, WaitBeforeTrying):
            ends.append("out")

    threads = [Thread(target=enter, args=(pending,)) for pending in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(ends) == ["in"] + ["out"] * 5


def test_a_code_from_two_minutes_ago_is_too_old(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username, now=NOW - timedelta(minutes=9))

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW - timedelta(minutes=2)))


def test_a_recovery_code_works_once_however_it_is_typed(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    _, codes = _enrol(people, seal, username)

    assert len(set(codes)) == 10 and all(re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code) for code in codes)
    assert _complete(people, seal, _password(people, username), codes[0].lower().replace("-", " "))
    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), codes[0])
    with people.session() as session:
        assert second_factor.codes_left(session, _person(people, username)) == 9


def test_somebody_elses_recovery_code_does_not_work(people: Database, somebody: Somebody, seal: Seal) -> None:
    ani, budi = somebody(), somebody()
    _enrol(people, seal, ani)
    _, theirs = _enrol(people, seal, budi)

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, ani), theirs[0])


def test_new_recovery_codes_end_the_old_ones(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    _, old = _enrol(people, seal, username)
    with people.transaction() as session:
        new = second_factor.renew_codes(session, _person(people, username), now=NOW)

    with pytest.raises(WrongCode):
        _complete(people, seal, _password(people, username), old[1])
    assert _complete(people, seal, _password(people, username), new[1])


def test_codes_cannot_be_guessed_without_end(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username)
    wrong = str((int(pyotp.TOTP(secret).at(NOW)) + 1) % 1_000_000).zfill(6)
    for _ in range(5):
        with pytest.raises(WrongCode):
            _complete(people, seal, _password(people, username), wrong)

    with pytest.raises(WaitBeforeTrying):
        _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW))
    later = NOW + timedelta(seconds=2)
    assert _complete(people, seal, _password(people, username, later), pyotp.TOTP(secret).at(later), now=later)


@pytest.mark.parametrize("case", ["too late", "elsewhere", "no such"])
def test_the_second_step_is_bound_to_time_and_place(
    people: Database, somebody: Somebody, seal: Seal, case: str
) -> None:
    username = somebody()
    secret, _ = _enrol(people, seal, username)
    pending = _password(people, username) if case != "no such" else "apa-saja"
    now = NOW + timedelta(minutes=5) if case == "too late" else NOW

    with pytest.raises(NotSignedIn) as refusal:
        address = ELSEWHERE if case == "elsewhere" else HOME
        _complete(people, seal, pending, pyotp.TOTP(secret).at(now), now=now, address=address)
    assert not isinstance(refusal.value, WrongCode)


def test_a_pending_sign_in_opens_one_session(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    _, codes = _enrol(people, seal, username)
    pending = _password(people, username)
    _complete(people, seal, pending, codes[0])

    with pytest.raises(NotSignedIn):
        _complete(people, seal, pending, codes[1])


def test_the_secret_is_not_in_the_database(people: Database, somebody: Somebody, seal: Seal) -> None:
    username = somebody()
    secret, codes = _enrol(people, seal, username)

    with people.session() as session:
        kept = session.scalars(
            select(SecondFactor).join(Person, Person.id == SecondFactor.person_id).where(Person.username == username)
        ).one()
        everything = "".join(str(row) for row in session.scalars(select(audit.entry.c.line)))
    assert secret.encode() not in kept.secret
    assert secret not in everything and not any(code in everything for code in codes)


def test_what_is_sealed_for_one_opens_for_no_other(keys: Keys, seal: Seal) -> None:
    sealed = seal.close(b"rahasia", of="ani")

    assert seal.open(sealed, of="ani") == b"rahasia"
    with pytest.raises(NotFound):
        seal.open(sealed, of="budi")
    with pytest.raises(NotFound):
        Seal(keys, HELD).open(sealed, of="ani")
    assert seal.close(b"rahasia", of="ani") != sealed


def test_a_wrong_first_code_switches_nothing_on(people: Database, somebody: Somebody, seal: Seal) -> None:
    by = _person(people, somebody())
    with people.transaction() as session:
        second_factor.begin(session, by, seal, now=NOW)

    with people.transaction() as session, pytest.raises(Incomplete):
        second_factor.confirm(session, by, seal, code="000000x", now=NOW)

    assert sign_in.sign_in(people, username=by.username, password=PASSWORD, address=HOME, now=NOW)


def test_without_a_fresh_proof_the_second_factor_cannot_be_touched(
    people: Database, somebody: Somebody, seal: Seal
) -> None:
    username = somebody()
    stale = _person(people, username, proved=False)
    with people.transaction() as session, pytest.raises(StepUpNeeded):
        second_factor.begin(session, stale, seal, now=NOW)
    _enrol(people, seal, username)

    for touch in (lambda s: second_factor.switch_off(s, stale), lambda s: second_factor.renew_codes(s, stale, now=NOW)):
        with people.transaction() as session, pytest.raises(StepUpNeeded):
            touch(session)


def test_one_that_is_on_is_not_replaced_but_can_be_switched_off(
    people: Database, somebody: Somebody, seal: Seal
) -> None:
    username = somebody()
    _enrol(people, seal, username)
    by = _person(people, username)
    with people.transaction() as session, pytest.raises(OutOfTurn):
        second_factor.begin(session, by, seal, now=NOW)

    with people.transaction() as session:
        second_factor.switch_off(session, by)

    assert sign_in.sign_in(people, username=username, password=PASSWORD, address=HOME, now=NOW)


def test_the_admin_takes_a_lost_factor_away_and_ends_the_sessions(
    people: Database, somebody: Somebody, seal: Seal
) -> None:
    username, admin = somebody(), _person(people, somebody(Role.ADMIN))
    secret, _ = _enrol(people, seal, username)
    token = _complete(people, seal, _password(people, username), pyotp.TOTP(secret).at(NOW)).token
    whom = _person(people, username).id

    with people.transaction() as session, pytest.raises(NotAllowed):
        second_factor.remove_second_factor(session, _person(people, username), whom, reason="Saya sendiri.")
    with people.transaction() as session:
        second_factor.remove_second_factor(session, admin, whom, reason="Telepon hilang.")

    with people.transaction() as session:
        assert sign_in.session_caller(session, token, now=NOW) is None
        acts = session.execute(select(audit.entry.c.act).order_by(audit.entry.c.seq.desc()).limit(3)).scalars().all()
        told = session.scalars(select(Notice).where(Notice.person_id == whom)).one()
    assert "remove_second_factor" in acts
    assert (told.kind, told.about) == ("urgent", "Telepon hilang.") and "dicabut oleh" in told.title
    assert sign_in.sign_in(people, username=username, password=PASSWORD, address=HOME, now=NOW)


# Through the doors --------------------------------------------------------------------------------------------


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def _switch_on(ani: Visitor) -> tuple[str, list[str]]:
    """Set the second factor up on its pages; return the secret and the recovery codes."""
    data = {"form_token": ani.form_token}
    begun = ani.client.post("/saya/dua-langkah/mulai", data=data)
    assert begun.headers["location"] == "/saya/dua-langkah"
    shown = ani.client.get("/saya/dua-langkah").text
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', shown)
    assert secret and "<svg" in shown and "style=" not in shown.split("<svg")[1].split("</svg>")[0]
    typed = secret[1].replace(" ", "")
    done = ani.client.post("/saya/dua-langkah/konfirmasi", data={**data, "code": pyotp.TOTP(typed).now()})
    codes = re.findall(r"<li><code>([A-Z2-7-]{19})</code>", done.text)
    assert done.status_code == 200 and len(codes) == 10
    return typed, codes


def _next_code(secret: str) -> str:
    """Return a code that was not taken yet and holds for half a minute at least: a slow machine is not too late."""
    return pyotp.TOTP(secret).at(utc_now() + timedelta(seconds=30))


def test_it_is_switched_on_on_the_page_and_the_secret_is_shown_no_more(visitor: Callable[..., Visitor]) -> None:
    ani = visitor()

    secret, codes = _switch_on(ani)

    again = ani.client.get("/saya/dua-langkah").text
    assert "Sudah aktif" in again and "<strong>10</strong>" in again
    assert secret[:4] + " " + secret[4:8] not in again and codes[0] not in again


def test_signing_in_on_the_pages_takes_two_steps(house: House, visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    secret, _ = _switch_on(ani)

    with house.client() as client:
        first = client.post("/masuk", data={"username": ani.username, "password": PASSWORD, "next": "/mainan?a=1"})
        assert first.headers["location"] == "/masuk/kode?next=/mainan%3Fa%3D1"
        assert "alur" not in client.cookies and client.get("/api/toys").status_code == 401
        assert "Kode langkah kedua" in client.get(first.headers["location"]).text
        wrong = client.post("/masuk/kode", data={"code": "abcdef", "next": "/mainan?a=1"})
        assert wrong.status_code == 401 and 'value="/mainan?a=1"' in wrong.text

        second = client.post("/masuk/kode", data={"code": _next_code(secret), "next": "/mainan?a=1"})

        assert (second.status_code, second.headers["location"]) == (303, "/mainan?a=1")
        assert client.get("/api/toys").json() == [{"name": ani.username}]


def test_the_code_page_without_a_first_step_leads_back(house: House) -> None:
    with house.client() as client:
        assert client.get("/masuk/kode?next=//jahat.example").headers["location"] == "/masuk"
        assert client.post("/masuk/kode", data={"code": "123456"}).status_code == 401


def test_a_program_gives_the_code_with_its_credentials(house: House, visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    secret, codes = _switch_on(ani)
    credentials = {"username": ani.username, "password": PASSWORD}

    with house.client() as client:
        assert _code(client.post("/api/session", json=credentials)) == (401, "second_factor_needed")
        assert _code(client.post("/api/session", json={**credentials, "code": "000"})) == (401, "wrong_code")
        assert client.post("/api/session", json={**credentials, "code": codes[3]}).status_code == 201
        # A wrong password is told as such, whatever the code: nobody learns from it who has a second factor.
        worse = {**credentials, "password": "salah", "code": pyotp.TOTP(secret).now()}
        assert _code(client.post("/api/session", json=worse)) == (401, "wrong_credentials")


def test_a_program_sets_it_up_and_switches_it_off(visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    made = ani.client.post("/api/second-factor", headers=ani.token_header).json()
    code = pyotp.TOTP(made["secret"]).now()
    assert made["address"].startswith("otpauth://totp/") and made["secret"] in made["address"]

    on = ani.client.post("/api/second-factor/confirmation", json={"code": code}, headers=ani.token_header)
    off = ani.client.delete("/api/second-factor", headers=ani.token_header)

    assert len(on.json()["recovery_codes"]) == 10 and off.status_code == 204


def test_whose_post_requires_it_sets_it_up_before_anything_else(
    people: Database, settings_for: Callable[..., Settings], somebody: Somebody
) -> None:
    gateway = make(settings_for(second_factor_for=("treasurer",)), {})
    indah, ani = somebody(Role.TREASURER), somebody(Role.PROPOSER)
    with serving(gateway) as url:
        for username, is_led in ((indah, True), (ani, False)):
            with httpx.Client(base_url=url, headers={"accept": "text/html"}) as client:
                client.post("/masuk", data={"username": username, "password": PASSWORD})
                home, api = client.get("/saya"), client.get("/api/tokens")
                assert (home.headers.get("location") == "/saya/dua-langkah") is is_led
                assert (api.status_code == 403) is is_led
                if is_led:
                    page = client.get("/saya/dua-langkah")
                    assert "mewajibkan" in page.text
                    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
                    assert token
                    _switch_on(Visitor(username, client, token[1]))
                    assert client.get("/saya").status_code == 200
                    assert "Matikan" not in client.get("/saya/dua-langkah").text
    gateway.database.close()


def test_the_admin_sees_who_has_one_and_takes_it_away_on_the_page(visitor: Callable[..., Visitor]) -> None:
    ani, tono = visitor(), visitor(Role.ADMIN)
    _switch_on(ani)
    assert ani.client.get("/wewenang/langkah-kedua").status_code == 403
    listed = {row["username"]: UUID(row["id"]) for row in tono.client.get("/api/second-factors").json()}
    assert str(listed[ani.username]) in tono.client.get("/wewenang/langkah-kedua").text

    taken = tono.client.post(
        f"/wewenang/langkah-kedua/{listed[ani.username]}/pencabutan",
        data={"form_token": tono.form_token, "reason": "Telepon hilang, sudah dipastikan."},
    )

    assert taken.status_code == 303
    assert ani.client.get("/api/toys").status_code == 401
    assert ani.username not in {row["username"] for row in tono.client.get("/api/second-factors").json()}
