"""Campus accounts before a provider that runs as a process of its own: who comes in, and every lie refused (W7)."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from services.gateway import provider as client
from services.gateway.actions import invitation
from services.gateway.actions import person as actions
from services.gateway.actions.sign_in import NEVER
from services.gateway.app import make
from services.gateway.door.proxy import Gateway
from services.gateway.model import Identity, Person, ProviderVisit, SecondFactor, Session
from services.gateway.schemas.invitation import NewInvitation
from services.gateway.settings import IdentityProvider, Settings
from shared.database import Database, utc_now
from shared.identity import Role
from shared.keys import Keys
from tests.gateway.conftest import PASSWORD, serving
from tests.gateway.provider import CLIENT, SECRET

ROOT = Path(__file__).parents[2]


class Elsewhere:
    """A running provider and its knobs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def lies(self, **knobs: Any) -> None:
        """Turn the knobs; those that are not named go back."""
        httpx.post(f"{self.url}/knobs", json=knobs).raise_for_status()

    @property
    def asked(self) -> list[str]:
        """Return what it was asked since the knobs were turned."""
        return list(httpx.get(f"{self.url}/asked").json())


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Elsewhere]]:
    """Return two providers, each a process of its own."""
    folder = tmp_path_factory.mktemp("providers")
    with ExitStack() as stack:
        running = []
        for name in ("one", "two"):
            port_file = folder / name
            process = subprocess.Popen([sys.executable, "-m", "tests.gateway.provider", str(port_file)], cwd=ROOT)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            running.append((process, port_file))
        until = time.monotonic() + 30
        while not all(file.exists() for _, file in running):
            assert time.monotonic() < until and all(process.poll() is None for process, _ in running)
            time.sleep(0.02)
        yield [Elsewhere(f"http://127.0.0.1:{file.read_text()}") for _, file in running]


@pytest.fixture(scope="module")
def door(providers: list[Elsewhere], settings_for: Callable[..., Settings], keys: Keys) -> Iterator[Gateway]:
    """Return a gateway that trusts both providers."""
    one, two = (
        IdentityProvider(name=name, label=f"akun {name}", issuer=at.url, client_id=CLIENT, client_secret=SECRET)
        for name, at in zip(("kampus", "lain"), providers, strict=True)
    )
    made = make(settings_for(identity_providers=(one, two)), {})
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def gateway(door: Gateway) -> Iterator[str]:
    """Return the address at which it answers."""
    with serving(door) as url:
        yield url


@pytest.fixture
def elsewhere(providers: list[Elsewhere], monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Return the first provider, honest again; keys are asked for as often as wanted."""
    monkeypatch.setattr(client, "KEYS_ASKED_EVERY", 0.0)
    for one in providers:
        one.lies()
    return providers[0]


@pytest.fixture
def browse(gateway: str) -> Iterator[Callable[[], httpx.Client]]:
    """Return what opens a browser that follows no redirect by itself."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            httpx.Client(base_url=gateway, timeout=20, headers={"accept": "text/html,*/*"})
        )


def go(browser: httpx.Client, path: str) -> str:
    """Leave for the provider and return the address to which it sends the browser back."""
    away = browser.get(path)
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"])
    assert back.status_code == 307, back.text
    return str(back.headers["location"])


def come_back(browser: httpx.Client, address: str) -> httpx.Response:
    """Return to the gateway as the provider's redirect does."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}")


def is_inside(browser: httpx.Client) -> bool:
    """Tell whether the browser is signed in."""
    return browser.get("/saya").status_code == 200


@pytest.fixture
def subject(elsewhere: Elsewhere) -> str:
    """Return the subject of a campus account of the test's own, which the provider vouches for."""
    name = f"u-{uuid4()}"
    elsewhere.lies(claims={"sub": name})
    return name


@pytest.fixture
def owner(people: Database, somebody: Callable[..., str], elsewhere: Elsewhere, subject: str) -> str:
    """Return the username of somebody whose campus account is linked."""
    username = somebody()
    with people.transaction() as session:
        person = session.scalars(select(Person).where(Person.username == username)).one()
        session.add(
            Identity(
                issuer=elsewhere.url, subject=subject, person_id=person.id, shown_as="ani@kampus", linked_at=utc_now()
            )
        )
    return username


def sign_in(browser: httpx.Client, username: str) -> str:
    """Sign somebody in by password and return the form token."""
    answer = browser.post("/api/session", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["form_token"])


def count(people: Database, table: Any) -> int:
    """Return how many rows a table has."""
    with people.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


# --- who comes in ---------------------------------------------------------------------------------------------------


def test_the_door_offers_each_provider_by_its_label(browse: Callable[[], httpx.Client]) -> None:
    page = browse().get("/masuk?next=/perkara").text

    assert 'href="/masuk/akun-kampus/kampus?next=/perkara"' in page and "Masuk dengan akun lain" in page


def test_somebody_links_a_campus_account_and_comes_in_by_it(
    browse: Callable[[], httpx.Client], somebody: Callable[..., str], subject: str
) -> None:
    first, second, username = browse(), browse(), somebody()
    token = sign_in(first, username)
    address = go(first, "/saya/akun-kampus/kampus")

    back = come_back(first, address)
    asked = first.get("/saya/akun-kampus").text
    before = "Terhubung sejak" in asked
    linked = first.post("/saya/akun-kampus", data={"form_token": token})
    entered = come_back(second, go(second, "/masuk/akun-kampus/kampus?next=/saya/token"))

    assert back.headers["location"] == "/saya/akun-kampus" and "ani@kampus" in asked and not before
    assert linked.status_code == 303 and "Terhubung sejak" in first.get("/saya/akun-kampus").text
    assert entered.status_code == 303 and entered.headers["location"] == "/saya/token"
    assert second.get("/api/session").json()["person"]["username"] == username


@pytest.mark.parametrize("how", ["RS256", "ES256", "Ed25519"])
def test_each_algorithm_of_the_list_is_taken(
    browse: Callable[[], httpx.Client], owner: str, elsewhere: Elsewhere, subject: str, how: str
) -> None:
    elsewhere.lies(claims={"sub": subject}, signs=how)
    browser = browse()

    assert come_back(browser, go(browser, "/masuk/akun-kampus/kampus")).headers["location"] == "/"
    assert is_inside(browser)


def test_new_keys_of_the_provider_are_taken(
    browse: Callable[[], httpx.Client], owner: str, elsewhere: Elsewhere
) -> None:
    first, second = browse(), browse()
    come_back(first, go(first, "/masuk/akun-kampus/kampus"))
    httpx.post(f"{elsewhere.url}/turn-keys")

    come_back(second, go(second, "/masuk/akun-kampus/kampus"))

    assert is_inside(first) and is_inside(second)


def test_somebody_with_a_second_factor_is_asked_for_it(
    browse: Callable[[], httpx.Client], people: Database, owner: str
) -> None:
    with people.transaction() as session:
        person = session.scalars(select(Person).where(Person.username == owner)).one()
        session.add(
            SecondFactor(person_id=person.id, secret=b"x", created_at=utc_now(), confirmed_at=utc_now(), last_counter=0)
        )
    browser = browse()

    back = come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))

    assert back.headers["location"] == "/masuk/kode" and not is_inside(browser)


def test_an_account_is_linked_only_after_a_fresh_proof(
    door: Gateway, browse: Callable[[], httpx.Client], people: Database, somebody: Callable[..., str], subject: str
) -> None:
    browser, username = browse(), somebody()
    token = sign_in(browser, username)
    come_back(browser, go(browser, "/saya/akun-kampus/kampus"))
    with people.transaction() as session:
        long_ago = update(Session).values(proved_at=Session.proved_at - invitation.LASTS)
        mine = select(Person.id).where(Person.username == username).scalar_subquery()
        session.execute(long_ago.where(Session.person_id == mine))
    door.memory.forget()  # a session is believed for two seconds without a look

    asked = browser.post("/saya/akun-kampus", data={"form_token": token})
    proved = browser.post(asked.headers["location"], data={"form_token": token, "answer": PASSWORD})

    assert asked.headers["location"].startswith("/konfirmasi/") and proved.status_code in (200, 303)
    assert "Terhubung sejak" in browser.get("/saya/akun-kampus").text


def test_w7_coming_in_unasked_is_no_fresh_proof(
    browse: Callable[[], httpx.Client], people: Database, elsewhere: Elsewhere, owner: str, subject: str
) -> None:
    def proved_at(path: str, **claims: Any) -> datetime:
        elsewhere.lies(claims={"sub": subject} | claims)
        browser = browse()
        come_back(browser, go(browser, path))
        assert is_inside(browser)
        with people.session() as session:
            mine = select(Session.proved_at).join(Person, Person.id == Session.person_id)
            return session.scalars(mine.where(Person.username == owner).order_by(Session.created_at.desc())).first()  # type: ignore[return-value]

    plain, for_an_act = "/masuk/akun-kampus/kampus", f"/masuk/akun-kampus/kampus?next=/konfirmasi/{uuid4()}"
    began = utc_now() - timedelta(seconds=1)
    morning = began - timedelta(hours=3)

    assert proved_at(plain) == NEVER
    assert proved_at(plain, auth_time=int(morning.timestamp())) == morning.replace(microsecond=0)
    assert proved_at(plain, auth_time=int(began.timestamp()) + 86_400) == NEVER
    assert proved_at(plain, auth_time="sekarang") == NEVER
    assert began <= proved_at(for_an_act) <= utc_now()
    assert proved_at(for_an_act, auth_time=None) == NEVER


def test_the_last_way_in_cannot_be_taken_away(
    browse: Callable[[], httpx.Client], people: Database, owner: str, elsewhere: Elsewhere
) -> None:
    browser = browse()
    come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))
    token = browser.get("/api/session").json()["form_token"]
    with people.transaction() as session:
        session.execute(update(Person).where(Person.username == owner).values(password_hash=""))
    form = {"form_token": token, "issuer": elsewhere.url}

    refused = browser.post("/saya/akun-kampus/pemutusan", data=form)
    with people.transaction() as session:
        session.execute(update(Person).where(Person.username == owner).values(password_hash="x"))
    taken = browser.post("/saya/akun-kampus/pemutusan", data=form)

    assert refused.status_code == 409 and "satu-satunya jalan masuk" in refused.text
    assert taken.status_code == 303 and "Belum ada akun kampus" in browser.get("/saya/akun-kampus").text


# --- invitations ----------------------------------------------------------------------------------------------------


def _invited(people: Database, address: str) -> tuple[str, str]:
    username = f"tamu.{uuid4().hex[:8]}"
    new = NewInvitation(display_name="Tamu", username=username, address=address, role=Role.APP_USER)
    with people.transaction() as session:
        return invitation.invite(session, None, new, now=utc_now()).token, username


def test_an_invitation_is_accepted_with_a_campus_account(
    browse: Callable[[], httpx.Client], people: Database, elsewhere: Elsewhere, subject: str
) -> None:
    elsewhere.lies(claims={"sub": subject, "email": "Tamu@kampus.example", "email_verified": True})
    token, username = _invited(people, "tamu@kampus.example")
    browser = browse()
    browser.get(f"/undangan/{token}")

    back = come_back(browser, go(browser, "/undangan/akun-kampus/kampus"))
    asked = browser.get("/undangan").text
    entered = browser.post("/undangan/akun-kampus")

    assert back.headers["location"] == "/undangan" and "Terima undangan dengan akun ini" in asked
    assert entered.status_code == 303 and is_inside(browser)
    assert browser.get("/api/session").json()["person"]["username"] == username
    other = browse()
    assert come_back(other, go(other, "/masuk/akun-kampus/kampus")).headers["location"] == "/"


def test_w3_an_invitation_is_bound_to_its_address(
    browse: Callable[[], httpx.Client], people: Database, elsewhere: Elsewhere, subject: str
) -> None:
    elsewhere.lies(claims={"sub": subject, "email": "lain@kampus.example", "email_verified": True})
    token, username = _invited(people, "tamu@kampus.example")
    browser = browse()
    browser.get(f"/undangan/{token}")
    come_back(browser, go(browser, "/undangan/akun-kampus/kampus"))

    refused = browser.post("/undangan/akun-kampus")

    assert refused.status_code == 403 and "terikat pada tamu@kampus.example" in refused.text
    with people.session() as session:
        assert session.scalar(select(Person).where(Person.username == username)) is None


def test_w7_a_proof_for_one_invitation_is_none_for_another(
    browse: Callable[[], httpx.Client], people: Database, subject: str
) -> None:
    browser = browse()
    browser.get(f"/undangan/{_invited(people, 'a@kampus.example')[0]}")
    come_back(browser, go(browser, "/undangan/akun-kampus/kampus"))
    browser.get(f"/undangan/{_invited(people, 'b@kampus.example')[0]}")

    assert browser.post("/undangan/akun-kampus").status_code == 409


# --- W7: lies and confusion -----------------------------------------------------------------------------------------

HOUR = 3600
LIES: dict[str, dict[str, Any]] = {
    "another issuer in the token": {"claims": {"iss": "http://127.0.0.1:1"}},
    "an issuer with a slash more": {"claims": {"iss": "SLASH"}},
    "another audience": {"claims": {"aud": "other"}},
    "two audiences and no party": {"claims": {"aud": [CLIENT, "other"]}},
    "another party": {"claims": {"azp": "other"}},
    "another nonce": {"claims": {"nonce": "other"}},
    "no nonce": {"claims": {"nonce": None}},
    "no subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "no end": {"claims": {"exp": None}},
    "an end that is past": {"claims": {"exp": 1_600_000_000}},
    "made in the future": {"claims": {"iat": 4_000_000_000}},
    "no signature": {"signs": "none"},
    "signed with the public key as a shared one": {"signs": "HS256 with the public key"},
    "signed with our own secret": {"signs": "HS256 with the client's secret"},
    "signed by somebody else": {"signs": "another key"},
    "signed with a key that it brings along": {"signs": "a key of its own header"},
    "a return in another's name": {"answer_issuer": "http://127.0.0.1:1"},
    "a return in nobody's name": {"answer_issuer": ""},
}


@pytest.mark.parametrize("lie", LIES)
def test_w7_a_lie_opens_no_door(
    browse: Callable[[], httpx.Client], owner: str, elsewhere: Elsewhere, subject: str, lie: str
) -> None:
    knobs = {**LIES[lie], "claims": {"sub": subject, **LIES[lie].get("claims", {})}}
    if knobs["claims"].get("iss") == "SLASH":
        knobs["claims"]["iss"] = elsewhere.url + "/"
    elsewhere.lies(**knobs)
    browser = browse()

    refused = come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))

    assert refused.status_code == 401 and "tidak dapat dipastikan keasliannya" in refused.text
    assert not is_inside(browser)
    elsewhere.lies(claims={"sub": subject})
    come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))
    assert is_inside(browser)


def test_w7_an_unknown_account_is_refused_and_nothing_is_made(
    browse: Callable[[], httpx.Client], people: Database, owner: str, elsewhere: Elsewhere
) -> None:
    elsewhere.lies(claims={"sub": "stranger", "email": f"{owner}@kampus.example", "email_verified": True})
    before = [count(people, table) for table in (Person, Identity, Session)]
    browser = browse()

    refused = come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))

    assert refused.status_code == 403 and "mintalah undangan kepada admin sistem" in refused.text
    assert [count(people, table) for table in (Person, Identity, Session)] == before and not is_inside(browser)


def test_w7_the_same_subject_of_another_issuer_is_somebody_else(
    browse: Callable[[], httpx.Client], providers: list[Elsewhere], owner: str, subject: str
) -> None:
    providers[1].lies(claims={"sub": subject})
    browser = browse()

    assert come_back(browser, go(browser, "/masuk/akun-kampus/lain")).status_code == 403


def test_w7_a_closed_account_stays_closed(browse: Callable[[], httpx.Client], people: Database, owner: str) -> None:
    with people.transaction() as session:
        actions.shut_out(session, username=owner)
    browser = browse()

    assert come_back(browser, go(browser, "/masuk/akun-kampus/kampus")).status_code == 403
    assert not is_inside(browser)


def test_w7_a_return_counts_once_and_for_its_own_browser(browse: Callable[[], httpx.Client], owner: str) -> None:
    mine, thief = browse(), browse()
    address = go(mine, "/masuk/akun-kampus/kampus")

    without_cookie = come_back(thief, address)
    first = come_back(mine, address)
    mine.cookies.delete("alur")
    again = come_back(mine, address)

    assert (without_cookie.status_code, first.status_code, again.status_code) == (401, 303, 401)
    assert not is_inside(thief) and not is_inside(mine)


def test_w7_a_code_is_not_taken_twice_by_two_visits(browse: Callable[[], httpx.Client], owner: str) -> None:
    first, second = browse(), browse()
    code = parse_qs(urlsplit(go(first, "/masuk/akun-kampus/kampus")).query)["code"][0]
    own = parse_qs(urlsplit(go(second, "/masuk/akun-kampus/kampus")).query)

    injected = second.get(
        "/masuk/akun-kampus/kampus/kembali", params={"code": code, "state": own["state"][0], "iss": own["iss"][0]}
    )

    assert injected.status_code == 401 and not is_inside(second)


def test_w7_a_wrong_state_uses_the_visit_up(browse: Callable[[], httpx.Client], owner: str) -> None:
    browser = browse()
    address = go(browser, "/masuk/akun-kampus/kampus")
    state = parse_qs(urlsplit(address).query)["state"][0]

    wrong = come_back(browser, address.replace(state, "x" * len(state)))
    right = come_back(browser, address)

    assert (wrong.status_code, right.status_code) == (401, 401) and not is_inside(browser)


def test_w7_a_return_from_one_provider_does_not_count_at_another(
    browse: Callable[[], httpx.Client], owner: str
) -> None:
    browser = browse()
    address = go(browser, "/masuk/akun-kampus/kampus")

    mixed = come_back(browser, address.replace("/kampus/kembali", "/lain/kembali"))

    assert mixed.status_code == 401 and not is_inside(browser)


def test_w7_a_visit_ends_after_ten_minutes(browse: Callable[[], httpx.Client], people: Database, owner: str) -> None:
    browser = browse()
    address = go(browser, "/masuk/akun-kampus/kampus")
    with people.transaction() as session:
        session.execute(update(ProviderVisit).values(created_at=ProviderVisit.created_at - invitation.LASTS))

    assert come_back(browser, address).status_code == 401 and not is_inside(browser)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "\t/x"]
)
def test_w7_no_way_leads_to_another_site(browse: Callable[[], httpx.Client], owner: str, target: str) -> None:
    browser = browse()
    away = browser.get("/masuk/akun-kampus/kampus", params={"next": target})

    back = come_back(browser, str(httpx.get(away.headers["location"]).headers["location"]))

    assert back.headers["location"] == "/" and is_inside(browser)


def test_w7_another_site_cannot_have_an_account_linked(
    browse: Callable[[], httpx.Client], people: Database, somebody: Callable[..., str], subject: str
) -> None:
    browser = browse()
    token = sign_in(browser, somebody())
    come_back(browser, go(browser, "/saya/akun-kampus/kampus"))
    before = count(people, Identity)

    bare = browser.post("/saya/akun-kampus")
    foreign = browser.post("/saya/akun-kampus", data={"form_token": token}, headers={"origin": "https://evil.example"})

    assert (bare.status_code, foreign.status_code) == (403, 403) and count(people, Identity) == before


def test_w7_a_linked_account_cannot_be_taken_over(
    browse: Callable[[], httpx.Client], owner: str, somebody: Callable[..., str]
) -> None:
    browser = browse()
    token = sign_in(browser, somebody())
    come_back(browser, go(browser, "/saya/akun-kampus/kampus"))

    refused = browser.post("/saya/akun-kampus", data={"form_token": token})

    assert refused.status_code == 409 and "sudah terhubung dengan akun lain" in refused.text


def test_w7_cookies_of_the_way_are_out_of_reach(browse: Callable[[], httpx.Client], owner: str) -> None:
    away = browse().get("/masuk/akun-kampus/kampus")

    cookie = away.headers["set-cookie"].lower()
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=600" in cookie
    assert len(asked["state"][0]) >= 43 and len(asked["nonce"][0]) >= 43 and asked["state"] != asked["nonce"]
    assert asked["code_challenge_method"] == ["S256"]


def test_a_person_who_says_no_is_told_what_else_there_is(
    browse: Callable[[], httpx.Client], elsewhere: Elsewhere
) -> None:
    elsewhere.lies(denies=True)
    browser = browse()

    refused = come_back(browser, go(browser, "/masuk/akun-kampus/kampus"))

    assert refused.status_code == 401 and "masuklah dengan kata sandi" in refused.text


@pytest.mark.parametrize("knobs", [{"redirects": True}, {"told_issuer": "http://127.0.0.1:1"}, {"padding": 300_000}])
def test_w7_what_a_provider_says_of_itself_has_to_agree(
    elsewhere: Elsewhere, settings_for: Callable[..., Settings], keys: Keys, knobs: dict[str, Any]
) -> None:
    elsewhere.lies(**knobs)
    trusted = IdentityProvider(name="kampus", label="akun kampus", issuer=elsewhere.url, client_id=CLIENT)
    made = make(settings_for(identity_providers=(trusted,)), {})

    with serving(made) as url:
        refused = httpx.get(f"{url}/masuk/akun-kampus/kampus", headers={"accept": "text/html"})
    made.database.close()

    assert refused.status_code == 503 and "Masuklah dengan kata sandi" in refused.text
    assert elsewhere.asked == ["configuration"]


def test_an_issuer_has_to_be_reached_safely() -> None:
    with pytest.raises(ValidationError, match="https"):
        IdentityProvider(name="kampus", label="x", issuer="http://kampus.example", client_id="x")
