"""A form is not lost with its session: it comes back, filled in, to whoever sent it, and nobody else."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from services.gateway import tasks
from services.gateway.actions import held_form
from services.gateway.actions.held_form import Typed
from services.gateway.actions.sign_in import digest
from services.gateway.app import make
from services.gateway.door.remote import RemoteDoor
from services.gateway.model import HeldForm, Person, Session, Unit
from services.gateway.sealed import HELD, Seal
from services.gateway.settings import Settings
from services.proposal import app as proposal
from services.proposal.model import Case
from services.proposal.settings import Settings as ProposalSettings
from shared.database import Database, utc_now
from shared.errors import NotFound
from shared.identity import Role
from shared.keys import Keys
from shared.pages import DRAW, RESTORED
from tests.gateway.conftest import PASSWORD, SHAPES, House, serving

TYPED = {"name": "Presensi <Dosen>", "code": "presensi-dosen", "purpose": "Absen\ndengan QR & NIP."}


class Browser:
    """Somebody at a page of the gateway before the application division."""

    def __init__(self, url: str, username: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"})
        self.username = username

    def enter(self, next: str = "/", password: str = PASSWORD) -> httpx.Response:
        """Sign in by the form."""
        return self.client.post("/masuk", data={"username": self.username, "password": password, "next": next})

    def hidden(self, action: str = "/usulan") -> dict[str, str]:
        """Return the form token and idempotency key of a form on its page."""
        form = self.client.get("/usulan").text.split(f'action="{action}"')[1]
        return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form)[:2])

    @property
    def token(self) -> str:
        """Return the session's token."""
        return self.client.cookies["alur"]


class Campus:
    """A gateway before the real application division."""

    def __init__(self, url: str, people: Database, proposals: Database, somebody: Callable[..., str]) -> None:
        self.url, self.people, self.proposals, self.somebody = url, people, proposals, somebody
        self.browsers: list[Browser] = []
        self.unit = "BPEG"
        with people.transaction() as session:
            session.merge(Unit(code=self.unit, name="Bagian Kepegawaian"))

    def visit(self, *roles: Role) -> Browser:
        """Return somebody new who has signed in."""
        browser = Browser(self.url, self.somebody(*roles, unit=self.unit))
        self.browsers.append(browser)
        assert browser.enter().status_code == 303
        return browser

    def idle_out(self, browser: Browser) -> None:
        """Let the browser's session be half an hour old, as if nobody had touched it."""
        long_ago = utc_now() - timedelta(minutes=31)
        with self.people.transaction() as session:
            session.execute(update(Session).where(Session.id == digest(browser.token)).values(seen_at=long_ago))

    def cases(self) -> list[str]:
        """Return the applications that were proposed."""
        with self.proposals.session() as session:
            return [case.name for case in session.scalars(select(Case))]

    def held(self, browser: Browser) -> int:
        """Return how many forms are kept for somebody."""
        with self.people.session() as session:
            mine = select(func.count()).select_from(HeldForm).join(Person, Person.id == HeldForm.person_id)
            return session.scalar(mine.where(Person.username == browser.username)) or 0


@pytest.fixture(params=SHAPES)
def campus(
    request: pytest.FixtureRequest,
    people: Database,
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    keys: Keys,
    state: Path,
    somebody: Callable[..., str],
) -> Iterator[Campus]:
    """Return a gateway before the application division, in both shapes; sessions are looked up at every request."""
    database = database_of("proposal")
    door: Any = proposal.make(
        ProposalSettings(database_url=database.url, keys_folder=keys.folder, files_folder=state / "files")
    )
    if request.param == "remote":
        with serving(door) as behind:
            yield from _campus(RemoteDoor(behind), people, database, settings_for, somebody)
    else:
        yield from _campus(door, people, database, settings_for, somebody)
    door.state.database.close()


def _campus(
    door: Any, people: Database, database: Database, settings_for: Callable[..., Settings], somebody: Any
) -> Iterator[Campus]:
    gateway = make(settings_for(), {"proposal": door})
    gateway.memory._seconds = 0.0
    with serving(gateway) as url:
        campus = Campus(url, people, database, somebody)
        yield campus
        for browser in campus.browsers:
            browser.client.close()
    gateway.database.close()


def test_a_form_sent_after_the_session_ended_comes_back_filled_in_and_is_sent_once(campus: Campus) -> None:
    ani = campus.visit()
    hidden = ani.hidden()
    campus.idle_out(ani)

    sent = ani.client.post("/usulan", data={**hidden, **TYPED})

    assert sent.status_code == 303 and sent.headers["location"].startswith("/masuk?next=/lanjutkan/")
    assert "isian Anda disimpan" in ani.client.get(sent.headers["location"]).text
    entered = ani.enter(next=httpx.URL(sent.headers["location"]).params["next"])
    restored = ani.client.get(entered.headers["location"])
    assert restored.status_code == 200 and RESTORED in restored.text
    assert 'value="Presensi &lt;Dosen&gt;"' in restored.text and "Absen\ndengan QR &amp; NIP." in restored.text
    assert campus.cases() == []

    form = restored.text.split('action="/usulan"')[1]
    fresh = dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form)[:2])
    assert fresh["form_token"] != hidden["form_token"]
    for _ in range(2):
        assert ani.client.post("/usulan", data={**fresh, **TYPED}).status_code == 303
    assert campus.cases() == ["Presensi <Dosen>"]


def test_a_form_of_ones_earlier_session_comes_back_when_signed_in_anew_beside_it(campus: Campus) -> None:
    ani = campus.visit()
    old = ani.hidden()
    ani.enter()

    sent = ani.client.post("/usulan", data={**old, **TYPED})

    assert sent.status_code == 303 and sent.headers["location"].startswith("/lanjutkan/")
    assert "presensi-dosen" in ani.client.get(sent.headers["location"]).text
    assert campus.cases() == []


def test_nobody_else_gets_the_form_back(campus: Campus) -> None:
    ani, budi = campus.visit(), campus.visit()
    hidden = ani.hidden()
    campus.idle_out(ani)
    sent = ani.client.post("/usulan", data={**hidden, **TYPED})

    place = httpx.URL(sent.headers["location"]).params["next"]

    assert budi.client.get(place).status_code == 404
    assert budi.client.get(place.replace("lanjutkan", "konfirmasi")).status_code == 404


@pytest.mark.parametrize("wrong", ["no session", "no form token", "another's form token", "foreign page", "shut out"])
def test_only_forms_of_a_real_session_and_page_of_ours_are_kept(campus: Campus, wrong: str) -> None:
    ani = campus.visit()
    hidden, headers = ani.hidden(), {}
    campus.idle_out(ani)
    if wrong == "no session":
        ani.client.cookies.set("alur", "pernah-ada")
    elif wrong == "no form token":
        hidden.pop("form_token")
    elif wrong == "another's form token":
        hidden["form_token"] = campus.visit().hidden()["form_token"]
    elif wrong == "foreign page":
        headers["origin"] = "https://jahat.example"
    else:
        with campus.people.transaction() as session:
            session.execute(update(Person).where(Person.username == ani.username).values(is_active=False))

    sent = ani.client.post("/usulan", data={**hidden, **TYPED}, headers=headers)

    assert "lanjutkan" not in sent.headers.get("location", "") and campus.held(ani) == 0


def test_a_program_is_told_401_and_nothing_is_kept(campus: Campus) -> None:
    ani = campus.visit()
    token = ani.hidden()["form_token"]
    campus.idle_out(ani)

    sent = ani.client.post("/api/proposals", json=TYPED, headers={"x-form-token": token, "accept": "application/json"})

    assert sent.status_code == 401 and campus.held(ani) == 0


def test_files_are_not_kept_and_the_page_says_so(campus: Campus) -> None:
    ani = campus.visit()
    hidden = ani.hidden()
    campus.idle_out(ani)

    sent = ani.client.post("/usulan", data={**hidden, **TYPED}, files={"letter": ("surat.pdf", b"%PDF" * 1000)})
    place = httpx.URL(sent.headers["location"]).params["next"]
    ani.enter()

    shown = ani.client.get(place).text
    assert "Berkas yang Anda pilih tidak ikut tersimpan" in shown and "presensi-dosen" in shown


def test_a_page_that_cannot_be_drawn_shows_what_was_typed(campus: Campus) -> None:
    ani = campus.visit()
    hidden = ani.hidden()
    campus.idle_out(ani)

    sent = ani.client.post("/perkara/tidak-ada/penolakan", data={**hidden, "reason": "Alasan yang <panjang>."})
    place = httpx.URL(sent.headers["location"]).params["next"]
    ani.enter()

    shown = ani.client.get(place)
    assert shown.status_code == 200 and "Isian yang tersimpan" in shown.text
    assert "Alasan yang &lt;panjang&gt;." in shown.text and hidden["idempotency_key"] not in shown.text


def test_leaving_is_not_done_by_drawing_it(campus: Campus) -> None:
    """A form of a page that cannot be drawn is never sent by going on with it."""
    ani = campus.visit()
    old = ani.hidden()["form_token"]
    ani.enter()
    sent = ani.client.post("/keluar", data={"form_token": old})

    assert ani.client.get(sent.headers["location"]).status_code == 200

    assert ani.client.get("/usulan").status_code == 200


def test_what_only_draws_cannot_be_asked_for_from_outside(campus: Campus) -> None:
    ani = campus.visit()

    answer = ani.client.request(DRAW, "/usulan", data={**ani.hidden(), **TYPED})

    assert answer.status_code == 404 and campus.cases() == []


def test_a_form_of_the_gateways_own_comes_back_too(campus: Campus) -> None:
    citra = campus.visit(Role.HEAD)
    page = citra.client.get("/wewenang/penugasan").text
    hidden = dict(
        re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page.split('action="/wewenang/penugasan"')[1])[:2]
    )
    campus.idle_out(citra)

    sent = citra.client.post("/wewenang/penugasan", data={**hidden, "letter_number": "ST-77/2026"})
    place = httpx.URL(sent.headers["location"]).params["next"]
    citra.enter()

    shown = citra.client.get(place).text
    assert RESTORED in shown and 'value="ST-77/2026"' in shown


# Kept ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sealed(keys: Keys) -> Seal:
    """Return the seal of kept forms."""
    return Seal(keys, HELD)


def _keep(people: Database, sealed: Seal, username: str, body: bytes = b"a=rahasia") -> UUID | None:
    with people.transaction() as session:
        person = session.scalars(select(Person).where(Person.username == username)).one()
        return held_form.hold(
            session,
            sealed,
            person_id=person.id,
            purpose="restore",
            path="/usulan",
            typed=Typed(body),
            now=utc_now(),
        )


def test_what_was_typed_is_not_readable_in_the_database(
    people: Database, somebody: Callable[..., str], sealed: Seal
) -> None:
    held = _keep(people, sealed, somebody())

    with people.session() as session:
        kept = session.get(HeldForm, held)
        assert kept and b"rahasia" not in kept.body


def test_a_form_is_sent_on_once_and_only_for_an_hour(
    people: Database, somebody: Callable[..., str], sealed: Seal
) -> None:
    username, now = somebody(), utc_now()
    first, second = _keep(people, sealed, username), _keep(people, sealed, username)
    assert first and second
    with people.session() as session:
        by = session.scalars(select(Person).where(Person.username == username)).one().as_signed()

    with people.transaction() as session:
        assert held_form.find(session, sealed, by, first, now=now).body == b"a=rahasia"
        held_form.take(session, first, now=now)
        for late, at in ((first, now), (second, now + timedelta(minutes=61)), (uuid4(), now)):
            with pytest.raises(NotFound):
                held_form.find(session, sealed, by, late, now=at)
        with pytest.raises(NotFound):
            held_form.take(session, first, now=now)


def test_no_more_than_twenty_forms_are_kept_for_one(
    people: Database, somebody: Callable[..., str], sealed: Seal
) -> None:
    username = somebody()

    kept = [_keep(people, sealed, username) for _ in range(21)]

    assert None not in kept[:20] and kept[20] is None


def test_the_worker_throws_away_what_is_over(
    people: Database,
    somebody: Callable[..., str],
    sealed: Seal,
    settings_for: Callable[..., Settings],
) -> None:
    over, fresh = _keep(people, sealed, somebody()), _keep(people, sealed, somebody())
    with people.transaction() as session:
        session.execute(update(HeldForm).where(HeldForm.id == over).values(expires_at=utc_now()))
    worker = tasks.make_worker(settings_for())

    worker.timetable["prune_forms"][1](worker.database)

    worker.database.close()
    with people.session() as session:
        assert session.get(HeldForm, over) is None and session.get(HeldForm, fresh)


def test_a_body_over_the_limit_is_refused_and_not_kept(house: House, visitor: Callable[..., Any]) -> None:
    ani = visitor()
    with house.database.transaction() as session:
        mine = update(Session).where(Session.id == digest(ani.client.cookies["alur"]))
        session.execute(mine.values(ended_at=utc_now()))
    with house.client() as client:
        client.cookies.set("alur", ani.client.cookies["alur"])
        sent = client.post("/mainan", data={"form_token": ani.form_token, "judul": "x" * 1_100_000})

    assert sent.status_code == 413
