"""Operators take people in, change passwords, close accounts and let somebody act, from the command line."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from alur.cli import app
from services.gateway import passwords
from services.gateway.actions import invitation
from services.gateway.model import Person
from shared.database import Database, utc_now
from shared.errors import Refused
from shared.identity import Role
from shared.keys import DIVISIONS
from shared.mailbox import outbox
from shared.words import local_date

PASSWORD = "sebuah kalimat yang panjang"


@pytest.fixture
def gateway(database_of: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch) -> Database:
    """Return a gateway's database that the command line finds."""
    database = database_of("gateway")
    monkeypatch.setenv("ALUR_GATEWAY_DATABASE_URL", database.url)
    return database


def run(*words: str, typed: str = "") -> Result:
    """Run one `alur person` command; a refusal is raised."""
    done = CliRunner().invoke(app, ["person", *words], input=typed)
    if isinstance(done.exception, Refused):
        raise done.exception
    return done


def add(username: str, role: Role) -> Result:
    """Take somebody in."""
    return run("add", username, "--name", username.title(), "--role", role, typed=f"{PASSWORD}\n")


def found(database: Database, username: str) -> Person:
    """Return somebody by their username."""
    with database.session() as session:
        return session.scalars(select(Person).where(Person.username == username)).one()


def test_a_person_is_taken_in_given_a_password_and_shut_out(gateway: Database) -> None:
    added = add("budi", Role.APP_HEAD)
    changed = run("password", "budi", typed="kalimat lain yang panjang\n")
    is_right = passwords.fits("kalimat lain yang panjang", found(gateway, "budi").password_hash)
    closed = run("close", "budi")

    assert [r.exit_code for r in (added, changed, closed)] == [0, 0, 0]
    assert "Koordinator Divisi Aplikasi" in added.output and PASSWORD not in added.output
    assert is_right and not found(gateway, "budi").is_active


def test_somebody_acts_for_an_official_until_a_day(gateway: Database) -> None:
    add("budi", Role.APP_HEAD)
    add("citra", Role.HEAD)
    last = local_date(utc_now()) + timedelta(days=2)
    acting = ["act", "budi", "--role", "head", "--for", "citra", "--until", str(last)]

    done = run(*acting, "--letter", "B-7/2026")

    assert done.exit_code == 0 and "Plh. Kepala PUSTIPD" in done.output
    assert found(gateway, "budi").as_signed(last).acting == {Role.HEAD: "Plh. Kepala PUSTIPD"}
    assert found(gateway, "budi").as_signed(last + timedelta(days=1)).acting == {}
    assert run(*acting).exit_code == 2
    with pytest.raises(Refused, match="dijalankan"):
        run(*acting, "--letter", "B-8/2026")


def test_everybody_is_told_again_on_demand(gateway: Database) -> None:
    add("budi", Role.APP_HEAD)

    done = run("tell")

    with gateway.session() as session:
        told = session.execute(select(outbox.c.kind, outbox.c.dest)).all()
    assert done.exit_code == 0
    assert sorted(told) == sorted([("PersonChanged", division) for division in DIVISIONS] * 2)


def test_somebody_is_appointed_to_a_post_of_their_own(gateway: Database) -> None:
    add("budi", Role.APP_STAFF)
    last = local_date(utc_now()) + timedelta(days=700)

    done = run("act", "budi", "--kind", "definitive", "--role", "app_head", "--until", str(last), "--letter", "SK-1")

    assert done.exit_code == 0, done.output
    assert found(gateway, "budi").as_signed().roles == {Role.APP_STAFF, Role.APP_HEAD}


def test_no_command_takes_a_password_as_an_argument(gateway: Database) -> None:
    assert run("add", "budi", "--name", "B", "--role", "head", "--password", PASSWORD).exit_code == 2
    assert run("password", "budi", PASSWORD).exit_code == 2


def test_an_operator_invites_somebody_and_is_shown_the_link_once(gateway: Database) -> None:
    done = run("invite", "Dewi", "--name", "Dewi", "--address", "dewi@kampus.example", "--role", "app_user")
    token = done.output.rpartition("/undangan/")[2].strip()

    signed_in = invitation.accept_invitation(
        gateway, token=token, password="kursi hijau di beranda", address="10.1.1.1", now=utc_now()
    )

    assert done.exit_code == 0 and signed_in and signed_in.caller.person.username == "dewi"


def test_a_password_is_judged_by_the_profile_of_the_installation(
    gateway: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALUR_GATEWAY_PASSWORD_PROFILE", "bssn")

    with pytest.raises(Refused, match="huruf besar"):
        add("budi", Role.APP_HEAD)
