"""How often a session, a token or an address may ask, with a clock handed in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from services.gateway.app import make
from services.gateway.rate_limit import RateLimit, TooFast, place_of
from services.gateway.settings import Settings
from tests.gateway.conftest import PASSWORD, House, serving


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def limit(clock: Clock, *, quota: int = 60, most: int = 100) -> RateLimit:
    return RateLimit(dict.fromkeys(("read", "write", "upload", "anonymous"), quota), clock=clock, most=most)


def test_a_bucket_holds_a_minutes_quota_and_fills_evenly() -> None:
    clock = Clock()
    rates = limit(clock)

    assert [rates.claim("read", "a").left for _ in range(60)] == list(range(59, -1, -1))
    with pytest.raises(TooFast) as refused:
        rates.claim("read", "a")
    assert (refused.value.seconds, refused.value.status) == (1, 429)
    clock.now += 1
    assert rates.claim("read", "a").left == 0
    with pytest.raises(TooFast):
        rates.claim("read", "a")
    clock.now += 3600
    assert rates.claim("read", "a").left == 59


def test_buckets_are_of_one_kind_and_one_person() -> None:
    rates = limit(Clock(), quota=1)

    for kind, whose in (("read", "a"), ("write", "a"), ("read", "b")):
        rates.claim(kind, whose)  # type: ignore[arg-type]
    with pytest.raises(TooFast):
        rates.claim("read", "a")


def test_being_refused_does_not_lengthen_the_wait() -> None:
    clock = Clock()
    rates = limit(clock, quota=2)
    rates.claim("write", "a"), rates.claim("write", "a")
    waits = []
    for _ in range(30):
        clock.now += 1
        try:
            rates.claim("write", "a")
            break
        except TooFast as refused:
            waits.append(refused.seconds)

    assert waits == list(range(29, 0, -1))


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    clock = Clock()
    rates = limit(clock, quota=2)
    rates.claim("read", "a")
    clock.now -= 5000
    assert rates.claim("read", "a").left == 0
    with pytest.raises(TooFast):
        rates.claim("read", "a")


def test_no_more_than_so_many_buckets_are_kept_and_the_oldest_goes_first() -> None:
    rates = limit(Clock(), quota=2, most=3)
    for whose in ("a", "b", "c", "a", "d"):
        rates.claim("anonymous", whose)

    assert len(rates) == 3
    with pytest.raises(TooFast):
        rates.claim("anonymous", "a")
    assert rates.claim("anonymous", "b").left == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("local", "local", True),
    ],
)
def test_a_whole_ipv6_network_is_one_place(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) is same


@dataclass
class Slow:
    """A gateway with small quotas, and its clock."""

    url: str
    clock: Clock


@pytest.fixture
def slow(settings_for: Callable[..., Settings], house: House) -> Iterator[Slow]:
    quotas = {"rate_read": 4, "rate_write": 2, "rate_upload": 1, "rate_anonymous": 3}
    gateway = make(settings_for(**quotas), {"budget": house.toys.app})
    clock = Clock()
    gateway.rates = RateLimit(gateway.settings.rates, clock=clock)
    with serving(gateway) as url:
        yield Slow(url, clock)
    gateway.database.close()


@contextmanager
def entered(slow: Slow, username: str) -> Iterator[httpx.Client]:
    """Give a browser of somebody; signing in takes one anonymous request, which is given back in time."""
    with httpx.Client(base_url=slow.url, timeout=20) as client:
        answer = client.post("/api/session", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.headers["x-form-token"] = answer.json()["form_token"]
        slow.clock.now += 60
        yield client


def test_a_program_is_told_how_it_stands_and_when_to_come_again(slow: Slow, somebody: Callable[..., str]) -> None:
    with entered(slow, somebody()) as client:
        answers = [client.get("/api/toys") for _ in range(5)]
        told, refused = answers[3], answers[4]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        assert told.headers["ratelimit-policy"] == '"read";q=4;w=60'
        assert told.headers["ratelimit"] == '"read";r=0;t=60'
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "rate_limited" and "15 detik" in refused.json()["detail"]
        assert refused.headers["retry-after"] == "15"
        # Changes have a bucket of their own, and time fills every one.
        assert client.post("/api/toys", json={"name": "a"}).status_code == 201
        slow.clock.now += 15
        assert client.get("/api/toys").status_code == 200


def test_a_person_gets_a_page_that_says_when_to_come_again(slow: Slow, somebody: Callable[..., str]) -> None:
    with entered(slow, somebody()) as client:
        pages = [client.get("/mainan", headers={"accept": "text/html"}) for _ in range(5)]

    assert pages[3].status_code == 200 and "ratelimit" not in pages[3].headers
    assert pages[4].status_code == 429 and pages[4].headers["retry-after"] == "15"
    assert "<!doctype html>" in pages[4].text and "15 detik" in pages[4].text


def test_uploads_and_changes_are_counted_apart(slow: Slow, somebody: Callable[..., str]) -> None:
    with entered(slow, somebody()) as client:
        form = {"files": {"f": ("a", b"x")}}
        uploads = [client.post("/api/toys/upload", **form).status_code for _ in range(2)]  # type: ignore[arg-type]
        changes = [client.post("/api/toys", json={"name": "a"}).status_code for _ in range(3)]

    assert (uploads, changes) == ([200, 429], [201, 201, 429])


def test_one_runaway_session_hinders_no_other_not_even_its_owners(slow: Slow, somebody: Callable[..., str]) -> None:
    username = somebody()
    with entered(slow, username) as one, entered(slow, username) as other:
        assert [one.get("/api/toys").status_code for _ in range(5)][-1] == 429
        assert other.get("/api/toys").status_code == 200


def test_whoever_is_not_signed_in_is_counted_by_address_also_with_a_wrong_token(slow: Slow) -> None:
    with httpx.Client(base_url=slow.url, timeout=20) as client:
        wrong = {"authorization": "Bearer alur_tebakan"}
        statuses = [client.get("/api/toys", headers=wrong).status_code for _ in range(2)]
        statuses += [
            client.get("/api/toys", headers={"x-forwarded-for": f"198.51.100.{n}"}).status_code for n in (1, 2)
        ]

    assert statuses == [401, 401, 401, 429]


def test_health_and_style_sheets_are_not_counted(slow: Slow) -> None:
    with httpx.Client(base_url=slow.url, timeout=20) as client:
        assert {client.get("/api/health").status_code for _ in range(10)} <= {200, 503}
        page = client.get("/masuk", headers={"accept": "text/html"}).text
        sheet = page.partition('href="/static/')[2].partition('"')[0]
        assert {client.get(f"/static/{sheet}").status_code for _ in range(10)} == {200}
