"""Plans as data: what to do, nothing to do, what stands in the way, and whether the ground still is the same."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.deploy import host_helper, plan
from tests.deploy.hosting import HOSTING, Build, Host, build, done, running_host

A, B = "a" * 64, "b" * 64
PERMIT = "0b3c7c5e-8d0c-4a53-9c1c-2f1d6a2b7c11"


def site(**more: Any) -> plan.Site:
    facts = {
        "hosting": HOSTING,
        "runtime": "static",
        "public": "perpus.kampus.test",
        "closed": "perpus-uji.kampus.test",
        "front": "closed",
        "fence": 3,
        "current": None,
        "testing": A,
        "releases": {A: {"files": 2, "bytes": 10}},
        "unfinished": False,
        "drift": [],
    }
    return plan.Site.model_validate({**facts, **more})


def live(**more: Any) -> plan.Site:
    kept = {"files": 2, "bytes": 10, "permit": PERMIT, "standing": "stands"}
    return site(**{"front": "open", "current": A, "releases": {A: kept, B: kept}, **more})


def facts(*, here: plan.Site | None = None, **more: Any) -> plan.Facts:
    known = {
        "helper": {"version": "1", "sha256": "c" * 64},
        "profile": "privileged",
        "now": "2026-11-22T08:00:00Z",
        "free_bytes": 10**9,
        "sites": {"perpus": here} if here else {},
    }
    return plan.Facts.model_validate({**known, **more})


def wanted(**more: Any) -> plan.Wanted:
    asked = {
        "app": "perpus",
        "hosting": HOSTING,
        "public": "perpus.kampus.test",
        "closed": "perpus-uji.kampus.test",
        "files": 12,
        "size": 1_250_000,
    }
    return plan.Wanted.model_validate({**asked, **more})


def names(made: plan.Plan) -> list[str]:
    return [f"{step.verb} {step.name}" for step in made.steps]


INSTALL = ["account", "folders", "files", "release", "vhost", "testing", "health"]


@pytest.mark.parametrize(
    ("here", "asked", "steps"),
    [
        (None, {"testing": A}, [f"install {name}" for name in INSTALL]),
        (site(), {"testing": A}, []),
        (
            site(),
            {"testing": B},
            ["install files", "install release", "install testing", "install health"],
        ),
        (live(), {"testing": B}, ["install testing", "install health"]),
        (site(), {"testing": A, "public": "baru.kampus.test"}, ["install vhost", "install health"]),
        (
            site(),
            {"current": A, "permit": PERMIT},
            ["open permit", "open switch", "open front", "open health"],
        ),
        (live(), {"current": A}, []),
        (live(), {"current": A, "permit": PERMIT, "front": "open"}, []),
        (live(), {"current": B}, ["rollback permit", "rollback switch", "rollback health"]),
        (live(), {"current": B, "permit": PERMIT}, ["open permit", "open switch", "open health"]),
        (live(unfinished=True), {"current": A}, ["rollback permit", "rollback health"]),
        (live(front="closed"), {"current": A}, ["open permit", "open front", "open health"]),
        (live(), {"front": "closed"}, ["close front"]),
        (live(front="closed"), {"front": "closed"}, []),
        (site(), {}, []),
    ],
)
def test_a_plan_holds_what_is_lacking_and_nothing_else(
    here: plan.Site | None, asked: dict[str, Any], steps: list[str]
) -> None:
    made = plan.make_plan(facts(here=here), wanted(**asked))

    assert made.obstacles == ()
    assert names(made) == steps
    assert made.is_empty == (not steps)


@pytest.mark.parametrize(
    ("here", "asked", "known", "word"),
    [
        (None, {"testing": A, "helper": "d" * 64}, {}, "bukan yang dikenal"),
        (site(hosting="lain"), {"testing": A}, {}, "hosting lain"),
        (site(drift=["vhost-public"]), {"testing": B}, {}, "pengaturan alamat umum"),
        (site(drift=[f"release-{A}"]), {"testing": B}, {}, "isi sebuah rilis"),
        (None, {"testing": A, "runtime": "php"}, {}, "belum melayani aplikasi php"),
        (None, {"testing": A, "quota_mb": 1}, {}, "melebihi ruang hosting 1 MB"),
        (None, {"testing": A}, {"free_bytes": 1000}, "tinggal 1,0 kB"),
        (live(), {"testing": B, "public": "baru.kampus.test"}, {}, "tidak dapat diganti"),
        (None, {"testing": A}, {"sites": {"arsip": site()}}, "sudah dipakai aplikasi arsip"),
        (None, {"current": A, "permit": PERMIT}, {}, "belum terpasang"),
        (site(), {"current": A}, {}, "tidak mempunyai izin"),
        (
            live(releases={A: {"files": 1, "bytes": 1, "permit": PERMIT, "standing": "revoked"}}, front="closed"),
            {"current": A},
            {},
            "tidak mempunyai izin",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_and_then_nothing_is_done(
    here: plan.Site | None, asked: dict[str, Any], known: dict[str, Any], word: str
) -> None:
    made = plan.make_plan(facts(here=here, **known), wanted(**asked))

    assert len(made.obstacles) == 1
    assert word in made.obstacles[0]
    assert made.obstacles[0].endswith(".")
    assert made.steps == ()
    assert not made.is_empty


def test_the_effects_are_sentences_for_people() -> None:
    made = plan.make_plan(facts(), wanted(testing=A))

    assert [step.effect for step in made.steps][2] == (
        "Mengirim paling banyak 12 berkas (1,2 MB); yang sudah ada tidak dikirim lagi."
    )
    assert all(step.effect.endswith(".") for step in made.steps)


def test_a_plan_has_a_canonical_text_and_its_digest() -> None:
    one = plan.make_plan(facts(), wanted(testing=A))
    same = plan.make_plan(facts(free_bytes=10**8, now="2026-11-23T08:00:00Z"), wanted(testing=A))
    other = plan.make_plan(facts(), wanted(testing=B))

    assert one.text() == json.dumps(json.loads(one.text()), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert one.digest == hashlib.sha256(one.text().encode()).hexdigest() == same.digest
    assert one.digest != other.digest
    assert plan.Plan.model_validate_json(one.text()) == one


def test_a10_secrets_never_stand_in_a_plan() -> None:
    """A10: neither in what is shown nor in what is stored."""
    made = plan.make_plan(facts(), wanted(testing=A, secrets={"db": SecretStr("kenari-kuning")}))

    assert "kenari" not in made.text() + repr(made)
    assert plan.MASK in made.text()
    assert plan.masked({"db_password": "x", "API_TOKEN": "y", "app": "perpus"}) == {
        "db_password": plan.MASK,
        "API_TOKEN": plan.MASK,
        "app": "perpus",
    }


@pytest.mark.parametrize(
    ("now", "is_same"),
    [
        (facts(here=site()), True),
        (facts(here=site(fence=9), free_bytes=5, now="2027-01-01T00:00:00Z"), True),
        (facts(here=site(), sites={"perpus": site(), "arsip": site()}), True),
        (facts(), False),
        (facts(here=site(testing=B)), False),
        (facts(here=live()), False),
        (facts(here=site(releases={})), False),
        (facts(here=site(drift=["current"])), False),
        (facts(here=site(unfinished=True)), False),
        (facts(here=site(), helper={"version": "2", "sha256": "e" * 64}), False),
        (facts(here=site(), profile="unprivileged"), False),
    ],
)
def test_a_plan_knows_whether_its_ground_is_still_the_same(now: plan.Facts, is_same: bool) -> None:
    made = plan.make_plan(facts(here=site()), wanted(testing=B))

    assert plan.same_ground(made, now) is is_same


@pytest.mark.parametrize(
    "said",
    [
        {"free_bytes": -1},
        {"free_bytes": "banyak"},
        {"profile": "root"},
        {"helper": {"version": "1", "sha256": "x"}},
        {"sites": {"../x": site()}},
        {"now": "x" * 401},
    ],
)
def test_what_a_host_says_about_itself_has_bounds(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        facts(**said)


def test_every_request_fits_the_helpers_grammar() -> None:
    made = build("tata")
    ready = wanted(testing=made.digest, quota_mb=5)
    about: dict[str, Any] = {"app": "perpus", "hosting": HOSTING, "fence": 2}
    requests = [
        plan.inspect_request(),
        plan.inspect_request("perpus", deep=True),
        plan.install_request(ready, manifest=made.text, fence=1, repair=True),
        plan.open_request(**about, digest=A, permit="{}", signature="0" * 128, key="0" * 16),
        plan.rollback_request(**about, digest=A),
        plan.close_request(**about),
        plan.remove_request(**about, digest=A),
        plan.revoke_request(PERMIT),
    ]

    for request in requests:
        assert host_helper.checked(json.loads(request.line())) == {**request.params, "verb": request.verb}
    assert {request.verb for request in requests} == set(host_helper.VERBS)


# --- Against the real helper: the steps of a plan are the steps that happen ------------------------------


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running_host() as host:
        yield host


@pytest.mark.live
def test_what_a_plan_says_is_what_the_host_does_and_then_there_is_nothing_to_do(host: Host) -> None:
    one, two = build("satu"), build("dua")
    for made in (one, two):
        asked = _asked(made)
        before = _facts(host)
        planned = plan.make_plan(before, asked)
        assert plan.same_ground(planned, before)

        lines = host.ask(json.loads(plan.install_request(asked, manifest=made.text, fence=1).line()), made)

        done(lines)
        happened = [line["step"] for line in lines if line.get("state") == "done"]
        assert [step.name for step in planned.steps if step.name != "health"] == happened
        assert plan.make_plan(_facts(host), asked).is_empty
        assert not plan.same_ground(planned, _facts(host))


def _asked(made: Build) -> plan.Wanted:
    return wanted(testing=made.digest, files=len(made.files), size=made.manifest.total_size)


def _facts(host: Host) -> plan.Facts:
    return plan.Facts.model_validate(host.facts())
