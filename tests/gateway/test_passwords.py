"""What a good password is by each profile, the packaged list of leaked ones, and changing one's own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from services.gateway import leaked, passwords
from services.gateway.actions import sign_in
from services.gateway.actions.password import WrongPassword, change_password
from services.gateway.app import make
from services.gateway.model import Person
from services.gateway.passwords import ASVS, PROFILES, Profile
from services.gateway.settings import Settings
from shared.database import Database, utc_now
from shared.errors import Incomplete
from shared.keys import Keys
from tests.gateway.conftest import PASSWORD, House, Visitor, serving

NEW = "kursi hijau di beranda"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BSSN = PROFILES["bssn"]


def is_taken(password: str, *, username: str = "ani.bpeg", profile: Profile = ASVS) -> bool:
    """Tell whether a new password is taken."""
    try:
        passwords.hashed(password, username=username, profile=profile)
    except Incomplete as refusal:
        assert refusal.errors[0].pointer == "/password"
        return False
    return True


@pytest.mark.parametrize(
    "password", [NEW, PASSWORD, "teluk-padi-angin-kuda-34", "xkqzwvbnrtlp", "ä" * 5 + " gözlük çay"]
)
def test_a_long_password_of_any_signs_is_taken(password: str) -> None:
    assert is_taken(password)


@pytest.mark.parametrize(
    "password",
    [
        "kursi hijau",  # too short
        "x" * 201,
        "rahasia2026!",
        "Bismillah12345",
        "!!!sayangku!!!",
        "P@ssw0rd2026!!",
        "iloveyouforever",
        "qwertyuiop123",
        "sayangsayang",
        "password password",
        "abababababab",
        "aaaaaaaaaaaa",
        "123456123456",
        "alur-alur-2026",
        "PUSTIPD 2026 !",
        "kata ani.bpeg 77",
        "kereta bpeg malam",  # a part of the user name
    ],
)
def test_an_easy_password_is_refused(password: str) -> None:
    assert not is_taken(password)


def test_most_long_leaked_passwords_of_a_known_list_are_refused() -> None:
    """Commonest leaked passwords of twelve and more signs, as each list of that kind shows them."""
    common = [
        "unbelievable",
        "skateboarding",
        "1q2w3e4r5t6y",
        "motherfucker",
        "administrator",
        "fuckyou12345",
        "barcelona1899",
        "liverpool1892",
        "manchester2020",
        "christopher1",
        "chelsea12345",
        "basketball12",
        "playstation3",
        "qwerty123456",
        "qwertyuiop[]",
        "123qwe123qwe",
        "1qaz2wsx3edc",
        "iloveyou1234",
        "sunshine2024",
        "password12345",
        "spiderman2002",
        "indonesia1945",
        "jakarta2024!!",
        "michaeljordan",
    ]

    missed = [password for password in common if is_taken(password)]

    assert len(missed) <= 2, missed


def test_the_packaged_list_is_small_sorted_and_whole() -> None:
    content = leaked.PACKED.read_bytes()
    entries = [content[at : at + leaked.WIDTH] for at in range(0, len(content), leaked.WIDTH)]
    ours = leaked.INDONESIAN.read_text(encoding="utf-8").split()

    assert len(content) <= 500_000 and len(entries) > 90_000
    assert entries == sorted(set(entries))
    assert [word for word in ours if not leaked.is_leaked(word)] == []


def test_the_list_is_packed_from_plain_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(leaked.pack(["Rahasia1!", "kuda", "abc"]))
    monkeypatch.setattr(leaked, "PACKED", packed)
    leaked._entries.cache_clear()

    found = [leaked.is_leaked(word) for word in ("rahasia99", "rahasia1!", "9kuda9", "abcdefgh")]

    leaked._entries.cache_clear()
    assert found == [True, True, True, False] and len(packed.read_bytes()) == 3 * leaked.WIDTH


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("Kursi hijau di 4 beranda!", True),
        ("kursi hijau di 4 beranda!", False),
        ("KURSI HIJAU DI 4 BERANDA!", False),
        ("Kursi hijau di empat beranda!", False),
        ("Kursi hijau di 4 beranda", False),
        ("Rahasia2026!", False),
    ],
)
def test_the_profile_of_bssn_asks_for_four_kinds_as_well(password: str, is_good: bool) -> None:
    assert is_taken(password, profile=BSSN) is is_good


def test_only_the_profile_of_bssn_lets_a_password_grow_old() -> None:
    ages = [timedelta(days=89, hours=23), timedelta(days=90)]

    assert [BSSN.is_over(NOW - age, NOW) for age in ages] == [False, True]
    assert not ASVS.is_over(NOW - timedelta(days=5000), NOW)


# --- changing one's own ---------------------------------------------------------------------------------------------


def test_a_change_ends_every_other_session_and_renews_this_one(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    mine, other = (
        sign_in.sign_in(people, username=username, password=PASSWORD, address=at, now=NOW) for at in ("10.1.1.1", "::1")
    )

    renewed = change_password(
        people,
        username=username,
        old_password=PASSWORD,
        password=NEW,
        address="10.1.1.1",
        now=NOW + timedelta(hours=1),
        token=mine.token,
    )

    assert renewed and renewed.token != mine.token and renewed.caller.form_token != mine.caller.form_token
    assert renewed.ends_at == mine.ends_at
    with people.transaction() as session:
        now = NOW + timedelta(hours=1)
        known = [sign_in.session_caller(session, one.token, now=now) for one in (mine, other, renewed)]
    assert [one is not None for one in known] == [False, False, True]


def test_a_change_ends_personal_tokens(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    signed_in = sign_in.sign_in(people, username=username, password=PASSWORD, address="10.1.1.1", now=NOW)
    with people.transaction() as session:
        made = sign_in.make_token(
            session, signed_in.caller.person, name="x", days=1, scopes=frozenset({"read"}), now=NOW
        )

    change_password(
        people, username=username, old_password=PASSWORD, password=NEW, address="10.1.1.1", now=NOW, token=""
    )

    with people.transaction() as session:
        assert sign_in.token_caller(session, made.text, now=NOW) is None


def test_the_old_password_is_asked_for_with_growing_pauses(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    sign_in.sign_in(people, username=username, password=PASSWORD, address="10.1.1.1", now=NOW)

    def attempt(old_password: str) -> None:
        change_password(people, username=username, old_password=old_password, password=NEW, address="10.1.1.1", now=NOW)

    for _ in range(5):
        with pytest.raises(WrongPassword):
            attempt("salah")
    with pytest.raises(sign_in.WaitBeforeTrying):
        attempt(PASSWORD)


def test_an_old_password_that_is_short_still_opens_the_door(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody()
    with people.transaction() as session:
        short = passwords.rehashed("pendek12")
        session.execute(update(Person).where(Person.username == username).values(password_hash=short))

    assert sign_in.sign_in(people, username=username, password="pendek12", address="10.1.1.1", now=NOW).token


def test_the_page_changes_a_password_and_goes_on(house: House, visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    form = {"form_token": one.form_token, "old_password": PASSWORD, "password": NEW, "again": NEW}
    before = one.client.cookies["alur"]

    unlike = one.client.post("/saya/kata-sandi", data={**form, "again": "lain"})
    wrong = one.client.post("/saya/kata-sandi", data={**form, "old_password": "bukan ini sama sekali"})
    bare = one.client.post("/saya/kata-sandi", data={**form, "form_token": ""})
    done = one.client.post("/saya/kata-sandi", data=form)

    assert [answer.status_code for answer in (unlike, wrong, bare, done)] == [422, 422, 403, 200]
    assert "tidak sama" in unlike.text and "tidak cocok" in wrong.text and NEW not in wrong.text
    assert one.client.cookies["alur"] != before and one.client.get("/saya").status_code == 200
    with house.client() as old:
        old.cookies.set("alur", before)
        assert old.get("/api/session").status_code == 401


def test_a_program_changes_a_password_with_a_session_only(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    token = one.client.post("/api/tokens", json={"name": "x", "days": 1}, headers=one.token_header).json()["token"]
    body = {"old_password": PASSWORD, "password": NEW}

    by_token = httpx.post(
        one.client.base_url.join("/api/password"), json=body, headers={"authorization": f"Bearer {token}"}
    )
    by_cookie = one.client.post("/api/password", json=body, headers=one.token_header)
    poor = one.client.post(
        "/api/password",
        json={"old_password": NEW, "password": "rahasia2026!"},
        headers={"x-form-token": by_cookie.json()["form_token"]},
    )

    assert (by_token.status_code, by_cookie.status_code, poor.status_code) == (403, 200, 422)
    assert poor.json()["errors"][0]["pointer"] == "/password"


@pytest.fixture
def strict(settings_for: Callable[..., Settings], keys: Keys) -> Iterator[httpx.Client]:
    """Return a browser before a gateway with the profile of BSSN."""
    made = make(settings_for(password_profile="bssn"), {})
    with serving(made) as url, httpx.Client(base_url=url, timeout=20, headers={"accept": "text/html"}) as browser:
        yield browser
    made.database.close()


def test_an_overdue_password_is_changed_at_the_door(
    strict: httpx.Client, people: Database, somebody: Callable[..., str]
) -> None:
    username, good = somebody(), "Kursi hijau di 4 beranda!"
    long_ago = utc_now() - timedelta(days=91)
    with people.transaction() as session:
        session.execute(update(Person).where(Person.username == username).values(password_set_at=long_ago))
    credentials = {"username": username, "password": PASSWORD}
    form = {"username": username, "old_password": PASSWORD, "password": good, "again": good}

    overdue = strict.post("/masuk", data=credentials)
    wrong = strict.post("/masuk", data={**credentials, "password": "bukan ini"})
    is_inside = strict.get("/saya").status_code == 200
    poor = strict.post("/masuk/kata-sandi", data={**form, "password": NEW, "again": NEW})
    done = strict.post("/masuk/kata-sandi", data=form)
    entered = strict.post("/masuk", data={**credentials, "password": good})

    assert overdue.status_code == 401 and 'href="/masuk/kata-sandi"' in overdue.text and not is_inside
    assert 'href="/masuk/kata-sandi"' not in wrong.text
    assert poor.status_code == 422 and "belum memuat huruf besar, angka, tanda" in poor.text
    assert done.status_code == 200 and "alur" not in done.cookies and entered.status_code == 303
    with people.session() as session:
        person = session.scalars(select(Person).where(Person.username == username)).one()
        assert person.password_set_at > long_ago
