"""A fresh proof before what approves, permits, deploys or pays: on pages, for programs, and never twice done."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway.actions import person as person_actions
from services.gateway.actions import second_factor, sign_in
from services.gateway.app import make
from services.gateway.door.remote import RemoteDoor
from services.gateway.model import HeldForm, Person, Session
from services.gateway.settings import Settings
from shared import audit, identity
from shared.authority import Act, Acts, ActView, authorize
from shared.database import Database, utc_now
from shared.errors import NotAllowed, StepUpNeeded
from shared.identity import Role
from shared.keys import Keys
from shared.pages import FILE, Pages
from shared.web import Asker, Door, make_app
from shared.web import Session as WebSession
from tests.gateway.conftest import PASSWORD, SHAPES, serving
from tests.people import ANI, CITRA

PAY = Act(
    "pay",
    "Bayar <tunai>",
    frozenset({Role.TREASURER}),
    consequence="Uang keluar & tercatat.",
    step_up=True,
)
STAMP = Act("stamp", "Unggah dan sahkan", frozenset({Role.TREASURER}), step_up=True)
CALM = Act("note", "Catat", frozenset({Role.TREASURER}))


class Payment(BaseModel):
    """What is paid."""

    amount: int = Field(title="Jumlah", ge=1)
    words: str = Field("", title="Uraian")


class Stamped(BaseModel):
    """A file and a word about it."""

    words: str = Field("", title="Uraian")
    letter: Any = Field(None, title="Surat", json_schema_extra=FILE)


def cashier(settings: Any, database: Database, folder: Path) -> FastAPI:
    """Return a division whose acts are written to its audit chain, with pages from the house's frame."""
    folder.mkdir(exist_ok=True)
    (folder / "kas.html").write_text(
        '{% import "parts.html" as parts %}<h1>Kas</h1>{{ parts.acts(offers) }}', encoding="utf-8"
    )
    pages = Pages(folder)
    api = APIRouter(route_class=Door)

    def show(request: Request, session: OrmSession, by: identity.Person, _id: object = None) -> Response:
        return pages.render(request, "kas.html", "Kas", offers=pages.offers(request, [PAY, STAMP, CALM]))

    @pages.router.get("/kas")
    def page(request: Request, session: WebSession, by: Asker) -> Response:
        return show(request, session, by)

    def do(act: Act) -> Callable[..., str]:
        def done(session: OrmSession, by: identity.Person, _id: object, body: Any, request: Request) -> str:
            authorize(session, by, act, "Kas:1", words=body.words)
            return "/kas?selesai=1"

        return done

    @api.post("/api/cash", status_code=201)
    def pay(session: WebSession, by: Asker, body: Payment) -> dict[str, int]:
        authorize(session, by, PAY, "Kas:1", words=body.words)
        return {"amount": body.amount}

    pages.act(PAY, "/kas/bayar", Payment, do(PAY), back=show)
    pages.act(STAMP, "/kas/sah", Stamped, do(STAMP), back=show)
    pages.act(CALM, "/kas/catat", Payment, do(CALM), back=show)
    return make_app(
        service="budget",
        title="Kas",
        settings=settings,
        routers=[api, pages.router],
        acts=Acts.of([PAY, STAMP, CALM]),
        database=database,
    )


class Cash:
    """A gateway before the cashier, and Indah who pays."""

    def __init__(self, url: str, people: Database, cash: Database, gateway: Any, username: str) -> None:
        self.url, self.people, self.cash, self.gateway, self.username = url, people, cash, gateway, username
        self.client = httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"})
        assert self.client.post("/masuk", data={"username": username, "password": PASSWORD}).status_code == 303

    def let_time_pass(self, minutes: int = 11) -> None:
        """Let the last proof of Indah's session be so old."""
        then = utc_now() - timedelta(minutes=minutes)
        mine = update(Session).where(Session.id == sign_in.digest(self.client.cookies["alur"]))
        with self.people.transaction() as session:
            session.execute(mine.values(proved_at=then))
        self.gateway.memory.forget()

    def form(self, path: str = "/kas/bayar") -> dict[str, str]:
        """Return the hidden fields of a form."""
        shown = self.client.get("/kas").text.split(f'action="{path}"')[1]
        return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', shown)[:2])

    def done(self, act: str = "pay") -> int:
        """Return how often the act was done."""
        with self.cash.session() as session:
            return len(session.scalars(select(audit.entry.c.seq).where(audit.entry.c.act == act)).all())

    def give(self, place: str, answer: str) -> httpx.Response:
        """Answer the page that asks for the proof."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.client.get(place).text)
        assert token
        return self.client.post(place, data={"form_token": token[1], "answer": answer})


@pytest.fixture(params=SHAPES)
def cash(
    request: pytest.FixtureRequest,
    people: Database,
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    somebody: Callable[..., str],
    keys: Keys,
    tmp_path: Path,
) -> Iterator[Cash]:
    """Return a gateway before the cashier, in both shapes."""
    database = database_of("budget")
    door: Any = cashier(settings_for(), database, tmp_path / "templates")
    if request.param == "remote":
        with serving(door) as behind:
            yield from _cash(RemoteDoor(behind), people, database, settings_for, somebody)
    else:
        yield from _cash(door, people, database, settings_for, somebody)


def _cash(
    door: Any, people: Database, database: Database, settings_for: Callable[..., Settings], somebody: Any
) -> Iterator[Cash]:
    gateway = make(settings_for(), {"budget": door})
    with serving(gateway) as url:
        indah = Cash(url, people, database, gateway, somebody(Role.TREASURER))
        yield indah
        indah.client.close()
    gateway.database.close()


# The table ---------------------------------------------------------------------------------------------------------


def test_an_act_that_needs_a_proof_is_refused_without_one(sessions: Callable[[str], OrmSession]) -> None:
    act = Act("approve", "Setujui", frozenset({Role.HEAD}), consequence="Berlaku.", step_up=True)
    stale = CITRA.model_copy(update={"proved_until": utc_now() - timedelta(seconds=1)})
    session = sessions("budget")

    for by in (stale, stale.model_copy(update={"proved_until": None})):
        with pytest.raises(StepUpNeeded) as refusal:
            authorize(session, by, act, "Case:1")
        assert (refusal.value.status, refusal.value.code) == (403, "step_up_needed")
        assert "Setujui" in refusal.value.detail
    assert authorize(session, CITRA, act, "Case:1") == CITRA


def test_whoever_may_not_is_told_so_and_not_asked_for_a_proof(sessions: Callable[[str], OrmSession]) -> None:
    act = Act("approve", "Setujui", frozenset({Role.HEAD}), step_up=True)

    with pytest.raises(NotAllowed) as refusal:
        authorize(sessions("budget"), ANI.model_copy(update={"proved_until": None}), act, "Case:1")

    assert refusal.value.code == "not_allowed"


def test_the_view_of_an_act_says_that_it_needs_a_proof() -> None:
    assert ActView.of(PAY).step_up and not ActView.of(CALM).step_up


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("proposal", {"approve", "decide_evaluation"}),
        (
            "budget",
            {"lock", "approve_conveyance", "set_ceiling", "sign_contract", "sign_handover", "distribute", "pay"},
        ),
        ("deploy", {"accept_hosting", "approve_installation", "authorise_go_live", "go_live", "roll_back"}),
        ("security", {"clear"}),
        ("gateway", {"remove_second_factor"}),
    ],
)
def test_what_approves_permits_deploys_or_pays_needs_a_proof(service: str, names: set[str]) -> None:
    from importlib import import_module

    table = import_module(f"services.{service}.authority").ACTS

    assert names <= {act.name for act in table if act.step_up}


def test_what_stops_something_is_never_slowed_down() -> None:
    from services.security.authority import ACTS

    assert not any(ACTS.rows[name].step_up for name in ("fail", "revoke", "suspend"))


# On pages ----------------------------------------------------------------------------------------------------------


def test_who_has_just_signed_in_is_not_asked(cash: Cash) -> None:
    paid = cash.client.post("/kas/bayar", data={**cash.form(), "amount": "5"})

    assert (paid.status_code, paid.headers["location"], cash.done()) == (303, "/kas?selesai=1", 1)


def test_an_old_proof_is_asked_for_anew_and_then_the_form_is_done_once(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()

    asked = cash.client.post("/kas/bayar", data={**hidden, "amount": "5", "words": "Termin & 1"})

    place = asked.headers["location"]
    assert asked.status_code == 303 and place.startswith("/konfirmasi/") and cash.done() == 0
    shown = cash.client.get(place).text
    assert "Bayar &lt;tunai&gt;" in shown and "Uang keluar &amp; tercatat." in shown and "Kata sandi" in shown
    paid = cash.give(place, PASSWORD)
    assert (paid.status_code, paid.headers["location"], cash.done()) == (303, "/kas?selesai=1", 1)
    with cash.cash.session() as session:
        line = session.scalars(select(audit.entry.c.line).where(audit.entry.c.act == "pay")).one()
    assert "Termin & 1" in line

    assert cash.client.get(place).status_code == 404
    again = cash.client.post("/kas/bayar", data={**hidden, "amount": "5", "words": "Termin & 1"})
    assert again.status_code == 303 and cash.done() == 1
    other = cash.client.post("/kas/bayar", data={**cash.form(), "amount": "6"})
    assert other.headers["location"] == "/kas?selesai=1" and cash.done() == 2


def test_a_wrong_password_does_nothing_and_asks_again(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]

    wrong = cash.give(place, "bukan ini")

    assert wrong.status_code == 401 and "tidak cocok" in wrong.text and cash.done() == 0
    assert cash.give(place, PASSWORD).status_code == 303 and cash.done() == 1


def test_proofs_cannot_be_guessed_without_end(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]

    tries = [cash.give(place, "tebakan").status_code for _ in range(6)]

    assert tries == [401] * 5 + [429]
    assert cash.give(place, PASSWORD).status_code == 429 and cash.done() == 0


def test_the_proof_does_not_get_past_a_bad_field(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()

    refused = cash.client.post("/kas/bayar", data={**hidden, "amount": "nol", "words": "tetap ada"})

    assert refused.status_code == 422 and "tetap ada" in refused.text


def test_nobody_else_can_confirm_it(cash: Cash, somebody: Callable[..., str]) -> None:
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]
    with httpx.Client(base_url=cash.url, headers={"accept": "text/html"}) as other:
        other.post("/masuk", data={"username": somebody(Role.TREASURER), "password": PASSWORD})
        token = re.search(r'name="form_token" value="([^"]+)"', other.get("/saya").text)
        assert token

        assert other.post(place, data={"form_token": token[1], "answer": PASSWORD}).status_code == 404
    assert cash.done() == 0


def test_confirming_wants_the_form_token(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]

    assert cash.client.post(place, data={"answer": PASSWORD}).status_code == 403 and cash.done() == 0


def test_with_a_file_the_form_opens_again_after_the_proof(cash: Cash) -> None:
    hidden = cash.form("/kas/sah")
    cash.let_time_pass()
    data, files = {**hidden, "words": "Surat sah"}, {"letter": ("surat.pdf", b"%PDF" * 5000)}
    place = cash.client.post("/kas/sah", data=data, files=files).headers["location"]
    assert "tidak ikut tersimpan" in cash.client.get(place).text

    proved = cash.give(place, PASSWORD)

    drawn = cash.client.get(proved.headers["location"])
    assert "Surat sah" in drawn.text and "Pilih kembali" in drawn.text and cash.done("stamp") == 0
    assert cash.client.post("/kas/sah", data={**cash.form("/kas/sah"), "words": "x"}, files=files).status_code == 303
    assert cash.done("stamp") == 1


def test_with_a_second_factor_the_code_is_the_proof_and_the_password_is_not(cash: Cash) -> None:
    seal = cash.gateway.own.state.factor_seal
    with cash.people.transaction() as session:
        by = session.scalars(select(Person).where(Person.username == cash.username)).one().as_signed()
        by = by.model_copy(update={"proved_until": utc_now() + timedelta(minutes=1)})
        secret = second_factor.begin(session, by, seal, now=utc_now())
        code = pyotp.TOTP(secret).now()
        second_factor.confirm(session, by, seal, code=code, now=utc_now())
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]

    assert "Enam angka" in cash.client.get(place).text
    assert cash.give(place, PASSWORD).status_code == 401
    assert cash.give(place, code).status_code == 401
    # The present code was taken, and with the next one a slow machine is not too late.
    later = pyotp.TOTP(secret).at(utc_now() + timedelta(seconds=30))
    assert cash.give(place, later).status_code == 303 and cash.done() == 1


def test_whoever_has_proved_it_meanwhile_only_says_yes(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()
    place = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]
    token = hidden["form_token"]
    left = cash.client.post("/keluar", data={"form_token": token, "next": place})
    assert left.headers["location"] == f"/masuk?next={place}"
    cash.client.post("/masuk", data={"username": cash.username, "password": PASSWORD, "next": place})

    assert 'type="password"' not in cash.client.get(place).text
    assert cash.give(place, "").status_code == 303 and cash.done() == 1


# For programs ------------------------------------------------------------------------------------------------------


def test_a_program_is_told_the_code_and_proves_it_with_one_call(cash: Cash) -> None:
    headers = {"x-form-token": cash.form()["form_token"], "accept": "application/json"}
    cash.let_time_pass()
    refused = cash.client.post("/api/cash", json={"amount": 5}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")

    wrong = cash.client.post("/api/session/proof", json={"password": "salah"}, headers=headers)
    proved = cash.client.post("/api/session/proof", json={"password": PASSWORD}, headers=headers)

    assert wrong.status_code == 401 and wrong.json()["code"] == "wrong_code"
    assert proved.status_code == 200 and proved.json()["proved_until"]
    assert cash.client.post("/api/cash", json={"amount": 5}, headers=headers).status_code == 201


def test_a_token_decides_only_when_it_was_made_to(cash: Cash) -> None:
    headers = {"x-form-token": cash.form()["form_token"], "accept": "application/json"}

    def made(*scopes: str) -> dict[str, str]:
        answer = cash.client.post("/api/tokens", json={"name": "s", "scopes": scopes}, headers=headers)
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}", "accept": "application/json"}

    plain, deciding = made("read", "write"), made("read", "write", "decide")
    with httpx.Client(base_url=cash.url) as program:
        refused = program.post("/api/cash", json={"amount": 5}, headers=plain)
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")
        assert program.post("/api/cash", json={"amount": 5}, headers=deciding).status_code == 201
        assert program.post("/api/session/proof", json={"password": PASSWORD}, headers=plain).status_code == 403


def test_a_token_that_decides_is_made_only_with_a_fresh_proof(cash: Cash) -> None:
    form_token = cash.form()["form_token"]
    cash.let_time_pass()
    wish = {"name": "s", "scopes": ["write", "decide"]}

    by_api = cash.client.post(
        "/api/tokens", json=wish, headers={"x-form-token": form_token, "accept": "application/json"}
    )
    on_page = cash.client.post(
        "/saya/token", data={"form_token": form_token, "name": "s", "days": "5", "decide": "true"}
    )

    assert by_api.json()["code"] == "step_up_needed"
    made = cash.give(on_page.headers["location"], PASSWORD)
    assert made.status_code == 200 and '<code class="secret">alur_' in made.text


# Odd ends ----------------------------------------------------------------------------------------------------------


def test_a_form_whose_division_is_silent_can_be_confirmed_later(
    people: Database,
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    somebody: Callable[..., str],
    keys: Keys,
    tmp_path: Path,
) -> None:
    database = database_of("budget")
    door = cashier(settings_for(), database, tmp_path / "templates")
    remote = RemoteDoor("http://127.0.0.1:9")
    with serving(door) as behind:
        remote.base_url = behind
        gateway = make(settings_for(), {"budget": remote})
        with serving(gateway) as url:
            indah = Cash(url, people, database, gateway, somebody(Role.TREASURER))
            hidden = indah.form()
            indah.let_time_pass()
            place = indah.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"]
            remote.base_url = "http://127.0.0.1:9"

            assert indah.give(place, PASSWORD).status_code == 503
            remote.base_url = behind
            assert indah.give(place, "").status_code == 303

            assert indah.done() == 1
            indah.client.close()
        gateway.database.close()


def test_a_remembered_request_asks_the_database_nothing_more(cash: Cash) -> None:
    """The proof stands on the row of the session, and is remembered with it."""
    from sqlalchemy import event

    asked: list[str] = []
    engine = cash.gateway.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    hidden = cash.form()
    before = len(asked)

    paid = cash.client.post("/kas/bayar", data={**hidden, "amount": "5"})

    assert paid.status_code == 303 and asked[before:] == []


def test_the_set_password_command_ends_what_was_proved(cash: Cash) -> None:
    with cash.people.transaction() as session:
        person_actions.set_password(session, username=cash.username, password="kalimat yang sama sekali baru")
    cash.gateway.memory.forget()

    assert cash.client.get("/kas").status_code == 303


def test_a_kept_form_is_not_kept_twice_for_one_press(cash: Cash) -> None:
    hidden = cash.form()
    cash.let_time_pass()

    places = {cash.client.post("/kas/bayar", data={**hidden, "amount": "5"}).headers["location"] for _ in range(2)}

    assert len(places) == 2
    ends = [cash.give(place, PASSWORD).status_code for place in places]
    assert ends == [303, 303] and cash.done() == 1
    with cash.people.session() as session:
        mine = select(HeldForm).join(Person, Person.id == HeldForm.person_id).where(Person.username == cash.username)
        assert [one.taken_at is not None for one in session.scalars(mine)] == [True, True]
