"""Invitations, reset links and the directory: who may, what a link opens once, and what it never tells (W3)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from services.gateway import passwords
from services.gateway.actions import invitation, sign_in
from services.gateway.actions import person as actions
from services.gateway.actions.invitation import LinkOver, Made
from services.gateway.actions.sign_in import SignedIn
from services.gateway.model import Appointment, Invitation, Person
from services.gateway.schemas.invitation import NewInvitation, NewReset
from shared import audit, identity
from shared.database import Database, utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn, StepUpNeeded
from shared.identity import Role
from tests.gateway.conftest import PASSWORD, House, Visitor

NEW = "kursi hijau di beranda"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def administrator(**changed: Any) -> identity.Person:
    """Return an administrator who has just proved who they are."""
    known = {"id": uuid4(), "username": "admin", "name": "Admin", "roles": frozenset({Role.ADMIN})}
    return identity.Person(**known, proved_until=utc_now() + timedelta(minutes=5)).model_copy(update=changed)


def wanted(username: str = "", **more: Any) -> NewInvitation:
    """Return somebody who is to be invited."""
    known = {"display_name": "Tamu", "address": "Tamu@Kampus.example", "role": Role.APP_STAFF}
    return NewInvitation(username=username or f"tamu.{uuid4().hex[:8]}", **{**known, **more})


def invited(people: Database, *, now: datetime = NOW, new: NewInvitation | None = None) -> Made:
    """Invite somebody on the command line."""
    with people.transaction() as session:
        return invitation.invite(session, None, new or wanted(), now=now)


def accept(people: Database, token: str, *, password: str = NEW, now: datetime = NOW) -> SignedIn | None:
    """Accept with a password."""
    return invitation.accept_invitation(people, token=token, password=password, address="10.1.1.1", now=now)


def person_named(people: Database, username: str) -> Person | None:
    """Return somebody by their username."""
    with people.session() as session:
        return session.scalar(select(Person).where(Person.username == username))


def reset_link(people: Database, username: str, *, now: datetime = NOW) -> str:
    """Have a reset link made for somebody and return its token."""
    found = person_named(people, username)
    assert found
    with people.transaction() as session:
        keeper = actions.add_person(
            session,
            username=f"admin.{uuid4().hex[:8]}",
            display_name="Admin",
            roles=[Role.ADMIN],
            password="kalimat panjang lain",
        )
        new = NewReset(address="ani@kampus.example")
        return invitation.reset_password(session, administrator(id=keeper.id), found.id, new, now=now).token


def test_whoever_is_invited_comes_in_with_their_post(people: Database) -> None:
    made = invited(people, new=wanted(role=Role.APP_HEAD, title="Koordinator Aplikasi"))

    signed_in = accept(people, made.token, now=NOW + timedelta(hours=23))

    assert signed_in and signed_in.caller.person.roles == {Role.APP_HEAD}
    assert signed_in.caller.person.title == "Koordinator Aplikasi"
    assert made.invitation.address == "tamu@kampus.example"
    found = person_named(people, made.invitation.username)
    assert found and passwords.fits(NEW, found.password_hash) and found.password_set_at == NOW + timedelta(hours=23)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"unit": "TIADA"}, "/unit"),
        ({"role": Role.VENDOR}, "/vendor"),
        ({"vendor": "CKD"}, "/vendor"),
        ({"role": Role.VENDOR, "vendor": "CKD", "more_roles": [Role.HEAD]}, "/vendor"),
    ],
)
def test_what_does_not_fit_together_is_refused(people: Database, more: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Incomplete) as refusal:
        invited(people, new=wanted(**more))

    assert refusal.value.errors[0].pointer == pointer


def test_a_post_that_was_filled_in_the_meantime_is_not_taken_and_the_link_waits(
    people: Database, somebody: Callable[..., str]
) -> None:
    holder = person_named(people, somebody(Role.PPK))
    assert holder
    with people.transaction() as session:
        session.execute(update(Appointment).where(Appointment.person_id == holder.id).values(ended_at=NOW))
    made = invited(people, new=wanted(role=Role.PPK))
    with people.transaction() as session:
        session.execute(update(Appointment).where(Appointment.person_id == holder.id).values(ended_at=None))

    with pytest.raises(OutOfTurn, match="dipegang orang lain"):
        accept(people, made.token)
    with people.transaction() as session:
        session.execute(update(Appointment).where(Appointment.person_id == holder.id).values(ended_at=NOW))

    signed_in = accept(people, made.token)
    assert signed_in and signed_in.caller.person.roles == {Role.PPK}


def test_a_username_that_is_taken_is_refused(people: Database, somebody: Callable[..., str]) -> None:
    with pytest.raises(Incomplete, match="sudah dipakai"):
        invited(people, new=wanted(somebody().upper()))


def test_only_who_keeps_accounts_invites_and_only_after_a_proof(people: Database) -> None:
    with people.session() as session:
        with pytest.raises(NotAllowed):
            invitation.invite(session, administrator(roles=frozenset({Role.HEAD})), wanted(), now=NOW)
        with pytest.raises(StepUpNeeded):
            invitation.invite(session, administrator(proved_until=None), wanted(), now=NOW)


def test_nobody_resets_or_closes_their_own_account(people: Database, somebody: Callable[..., str]) -> None:
    found = person_named(people, somebody(Role.ADMIN))
    assert found
    with people.session() as session:
        own = administrator(id=found.id)
        with pytest.raises(NotAllowed, match="pemisahan"):
            invitation.reset_password(session, own, found.id, NewReset(address="a@b.example"), now=NOW)
        with pytest.raises(NotAllowed, match="pemisahan"):
            actions.close_account(session, own, found.id, reason="salah tekan", now=NOW)


# --- W3: tokens -----------------------------------------------------------------------------------------------------


def test_w3_a_link_is_used_once(people: Database) -> None:
    made = invited(people)
    accept(people, made.token)

    with pytest.raises(LinkOver):
        accept(people, made.token, password="kalimat lain yang panjang")

    found = person_named(people, made.invitation.username)
    assert found and passwords.fits(NEW, found.password_hash)


def test_w3_a_link_ends_after_a_day(people: Database) -> None:
    made = invited(people)

    with pytest.raises(LinkOver):
        accept(people, made.token, now=NOW + timedelta(hours=24))
    assert person_named(people, made.invitation.username) is None


@pytest.mark.parametrize(
    "spoil", [lambda t: "", lambda t: t[:-1], lambda t: t + "A", lambda t: t.swapcase(), sign_in.digest]
)
def test_w3_a_guess_opens_nothing(people: Database, spoil: Callable[[str], str]) -> None:
    made = invited(people)

    with pytest.raises(LinkOver):
        accept(people, spoil(made.token))
    assert len(made.token) >= 43


def test_w3_of_two_who_accept_at_once_one_comes_in(people: Database) -> None:
    made, start = invited(people), Barrier(2)
    came: list[object] = []

    def come() -> None:
        start.wait(10)
        try:
            came.append(accept(people, made.token))
        except LinkOver as refusal:
            came.append(refusal)

    threads = [Thread(target=come) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(type(one).__name__ for one in came) == ["LinkOver", "SignedIn"]
    with people.session() as session:
        found = session.scalars(select(Person).where(Person.username == made.invitation.username)).all()
        assert len(found) == 1


def test_w3_a_later_link_for_the_same_name_takes_the_earlier_back(people: Database) -> None:
    earlier = invited(people)
    later = invited(people, new=wanted(earlier.invitation.username, address="lain@kampus.example"))

    with pytest.raises(LinkOver):
        accept(people, earlier.token)
    assert accept(people, later.token)


def test_w3_a_link_taken_back_opens_nothing(people: Database) -> None:
    made = invited(people)
    with people.transaction() as session:
        invitation.withdraw_invitation(session, administrator(), made.invitation.id, now=NOW)

    with pytest.raises(LinkOver):
        accept(people, made.token)
    with people.session() as session, pytest.raises(OutOfTurn):
        invitation.withdraw_invitation(session, administrator(), made.invitation.id, now=NOW)


def test_w3_a_reset_ends_every_session_and_opens_none(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    before = sign_in.sign_in(people, username=username, password=PASSWORD, address="10.1.1.1", now=NOW)
    token = reset_link(people, username)

    with people.transaction() as session:
        still = sign_in.session_caller(session, before.token, now=NOW)
    opened = accept(people, token)

    with people.transaction() as session:
        assert still and sign_in.session_caller(session, before.token, now=NOW) is None
    assert opened is None
    assert sign_in.sign_in(people, username=username, password=NEW, address="10.1.1.1", now=NOW).token
    with pytest.raises(LinkOver):
        accept(people, token)


def test_w3_a_reset_does_not_open_a_closed_account(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    token, found = reset_link(people, username), person_named(people, username)
    assert found
    with people.transaction() as session:
        actions.close_account(session, administrator(), found.id, reason="pindah tugas", now=NOW)

    with pytest.raises(LinkOver):
        accept(people, token)
    with people.session() as session, pytest.raises(OutOfTurn):
        invitation.reset_password(session, administrator(), found.id, NewReset(address="a@b.example"), now=NOW)


def test_w3_a_change_of_password_ends_an_open_reset_link(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    token = reset_link(people, username)
    with people.transaction() as session:
        actions.set_password(session, username=username, password="kalimat lain yang panjang")

    with pytest.raises(LinkOver):
        accept(people, token)


def test_w3_the_token_is_nowhere_kept(people: Database) -> None:
    made = invited(people)
    accept(people, made.token)

    with people.session() as session:
        rows = session.connection().exec_driver_sql("SELECT string_agg(i::text, ' ') FROM invitation i").scalar()
        lines = " ".join(session.scalars(select(audit.entry.c.line)))
    assert made.token not in f"{rows} {lines}" and sign_in.digest(made.token) in str(rows)


@pytest.mark.parametrize(
    "more", [{"roles": ["head"]}, {"purpose": "reset"}, {"person_id": str(uuid4())}, {"is_active": True}]
)
def test_w3_nothing_else_can_be_smuggled_in(house: House, people: Database, more: dict[str, Any]) -> None:
    made = invited(people, now=utc_now())

    with house.client() as browser:
        body = {"token": made.token, "password": NEW}
        answer = browser.post("/api/invitations/acceptance", json=body | more)

    assert answer.status_code == 422 and person_named(people, made.invitation.username) is None
    with pytest.raises(ValidationError):
        wanted(**more)


def test_w3_the_link_is_in_no_log_no_answer_and_not_in_the_address_bar(
    house: House, people: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    made = invited(people, now=utc_now())
    with house.client() as browser:
        opened = browser.get(f"/undangan/{made.token}")
        page = browser.get("/undangan")
        poor = browser.post("/undangan", data={"password": "rahasia2026!", "again": "rahasia2026!"})
        unlike = browser.post("/undangan", data={"password": NEW, "again": "lain"})
        entered = browser.post("/undangan", data={"password": NEW, "again": NEW})
        again = browser.get("/undangan")
        odd = browser.get(f"/undangan/{made.token}/x/../y")

    assert (opened.status_code, opened.headers["location"]) == (303, "/undangan")
    assert "httponly" in opened.headers["set-cookie"].lower()
    assert page.status_code == 200 and "Tamu" in page.text and "tamu@kampus.example" in page.text
    assert page.headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert (poor.status_code, unlike.status_code, entered.status_code) == (422, 422, 303)
    assert "terlalu umum" in poor.text and NEW not in unlike.text and "Tamu" in poor.text
    assert again.status_code == 404 and odd.status_code == 404
    logged = "".join(capfd.readouterr())
    told = "".join(answer.text + str(answer.headers) for answer in (page, poor, unlike, entered, again))
    assert made.token not in logged and made.token not in told


def test_a_link_that_is_over_tells_what_to_do(house: House) -> None:
    with house.client() as browser:
        browser.get(f"/undangan/{'x' * 43}")
        answer = browser.get("/undangan")
        none = browser.post("/undangan", data={"password": NEW, "again": NEW})

    assert answer.status_code == 404 and "mintalah tautan baru kepada admin sistem" in answer.text
    assert none.status_code == 404


# --- doors ----------------------------------------------------------------------------------------------------------


def test_the_administrator_invites_from_the_page_and_the_link_is_shown_once(
    house: House, people: Database, visitor: Callable[..., Visitor]
) -> None:
    admin, username = visitor(Role.ADMIN), f"tamu.{uuid4().hex[:8]}"
    form = {"form_token": admin.form_token, "display_name": "Tamu Baru", "username": username, "role": "app_staff"}

    poor = admin.client.post("/orang/undangan", data={**form, "address": "bukan surel"})
    made = admin.client.post("/orang/undangan", data={**form, "address": "tamu@kampus.example"})
    listed = admin.client.get("/orang/undangan").text

    assert poor.status_code == 422 and 'value="Tamu Baru"' in poor.text
    token = made.text.split("/undangan/")[-1].split("<")[0].strip()
    assert made.status_code == 200 and len(token) >= 43 and username in listed and token not in listed
    assert accept(people, token, now=utc_now())


def test_a_program_invites_resets_closes_and_takes_back(
    house: House, people: Database, visitor: Callable[..., Visitor], somebody: Callable[..., str]
) -> None:
    admin = visitor(Role.ADMIN)
    found = person_named(people, somebody())
    assert found
    body = json.loads(wanted().model_dump_json())

    made = admin.client.post("/api/invitations", json=body, headers=admin.token_header)
    back = admin.client.post(f"/api/invitations/{made.json()['id']}/withdrawal", headers=admin.token_header)
    reset = admin.client.post(
        f"/api/people/{found.id}/reset", json={"address": "ani@kampus.example"}, headers=admin.token_header
    )
    closed = admin.client.post(
        f"/api/people/{found.id}/closing", json={"reason": "pindah tugas"}, headers=admin.token_header
    )
    rows = admin.client.get("/api/invitations?limit=2")

    assert [answer.status_code for answer in (made, back, reset, closed)] == [201, 200, 201, 200]
    assert back.json()["state"] == "withdrawn" and "link" not in back.json() and reset.json()["purpose"] == "reset"
    assert closed.json()["is_active"] is False
    assert len(rows.json()) == 2 and "next" in rows.headers["link"]
    assert not {"digest", "token", "link", "password_hash"} & rows.json()[0].keys()


def test_the_directory_is_for_who_keeps_accounts_and_goes_on_by_name(
    house: House, people: Database, visitor: Callable[..., Visitor], somebody: Callable[..., str]
) -> None:
    admin, other, mark = visitor(Role.ADMIN), visitor(Role.HEAD), uuid4().hex[:6]
    for n in range(3):
        username = somebody(Role.SERVICE_STAFF)
        with people.transaction() as session:
            named = update(Person).where(Person.username == username)
            session.execute(named.values(display_name=f"100%_{mark} {n}", is_active=n != 1))

    def names(query: str) -> list[str]:
        rows = admin.client.get(f"/api/people?{query}").json()
        return [row["name"][-1] for row in rows]

    first = admin.client.get(f"/api/people?q=0%25_{mark}&limit=2")
    second = admin.client.get(first.links["next"]["url"])
    page = admin.client.get(f"/orang?q={mark}&keadaan=tutup")

    assert (len(first.json()), len(second.json())) == (2, 1)
    assert sorted(names(f"q={mark}&is_active=true")) == ["0", "2"]
    assert len(names(f"q={mark}&role=service_staff")) == 3 and names(f"q={mark}&role=head") == []
    assert names(f"q=0__{mark}") == []
    assert page.status_code == 200 and f"{mark} 1" in page.text and f"{mark} 0" not in page.text
    assert [other.client.get(path).status_code for path in ("/orang", "/api/people", "/orang/undangan")] == [403] * 3
    assert admin.client.get(f"/orang/{uuid4()}").status_code == 404


def test_the_page_of_a_person_offers_what_may_be_done(
    house: House, people: Database, visitor: Callable[..., Visitor], somebody: Callable[..., str]
) -> None:
    admin = visitor(Role.ADMIN)
    found, own = person_named(people, somebody()), person_named(people, admin.username)
    assert found and own
    form = {"form_token": admin.form_token}

    offered, mine = admin.client.get(f"/orang/{found.id}").text, admin.client.get(f"/orang/{own.id}").text
    reset = admin.client.post(f"/orang/{found.id}/kata-sandi", data={**form, "address": "ani@kampus.example"})
    closed = admin.client.post(f"/orang/{found.id}/penutupan", data={**form, "reason": "pindah tugas"})
    after = admin.client.get(f"/orang/{found.id}").text

    assert "Tutup akun" in offered and "Buat tautan kata sandi" in offered and "Tutup akun" not in mine
    assert reset.status_code == 200 and "/undangan/" in reset.text
    assert closed.status_code == 303 and "Ditutup" in after and f"{found.id}/penutupan" not in after


def test_an_accepted_invitation_is_told_as_used(people: Database) -> None:
    made = invited(people)
    signed_in = accept(people, made.token)

    with people.session() as session:
        found: Invitation = session.get_one(Invitation, made.invitation.id)
    person_id: UUID | None = found.person_id
    assert signed_in and person_id == signed_in.caller.person.id and found.used_at == NOW


def test_a_browser_that_is_signed_in_as_somebody_else_needs_its_form_token(
    house: House, people: Database, visitor: Callable[..., Visitor]
) -> None:
    one, made = visitor(), invited(people, now=utc_now())
    one.client.get(f"/undangan/{made.token}")
    form = {"password": NEW, "again": NEW}

    bare = one.client.post("/undangan", data=form)
    entered = one.client.post("/undangan", data={**form, "form_token": one.form_token})

    assert (bare.status_code, entered.status_code) == (403, 303)
    assert one.client.get("/api/session").json()["person"]["username"] == made.invitation.username
