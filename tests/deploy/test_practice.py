"""The practice server, whole: real SSH server, real nginx, the real helper asked directly and over SSH."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from alur import practice
from alur.settings import free_port
from services.deploy import host_helper
from tests.deploy.hosting import (
    HOSTING,
    Build,
    Host,
    Line,
    Signer,
    build,
    done,
    install_request,
    open_request,
    refused,
    running_host,
    site_request,
    states,
)

# Being killed before every single write takes a while on a busy machine.
pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

PUBLIC, CLOSED = "perpus.kampus.test", "perpus-uji.kampus.test"
ONE, TWO = build("satu"), build("dua")


@pytest.fixture(scope="module")
def started() -> Iterator[Host]:
    with running_host() as host:
        yield host


@pytest.fixture
def host(started: Host) -> Host:
    started.reset()
    return started


def installed(host: Host, made: Build = ONE) -> Build:
    done(host.ask(install_request(made), made))
    return made


def opened(host: Host, made: Build = ONE) -> Build:
    installed(host, made)
    done(host.ask(open_request(host.signer.permit(made.digest), made.digest)))
    return made


# --- Closed first ----------------------------------------------------------------------------------------


def test_a_build_is_installed_closed_with_exactly_its_files(host: Host) -> None:
    lines = host.ask(install_request(ONE), ONE)

    assert done(lines)["changed"] is True
    assert states(lines) == {
        "folders": "done",
        "files": "done",
        "release": "done",
        "vhost": "done",
        "testing": "done",
        "health": "unchanged",
    }
    for path, content in ONE.files.items():
        status, body, _ = host.get(CLOSED, f"/{path}")
        assert (status, body) == ((404, body) if path.startswith(".") else (200, content))
    assert host.get(PUBLIC)[0] == 503
    assert host.get("lain.kampus.test")[0] == 404
    assert host.facts()["sites"]["perpus"]["front"] == "closed"


def test_a_second_identical_install_writes_nothing_and_reloads_nothing(host: Host) -> None:
    installed(host)
    workers, before = _workers(host), _snapshot(host)

    lines = host.ask(install_request(ONE))

    assert done(lines)["changed"] is False
    assert set(states(lines).values()) == {"unchanged"}
    assert _snapshot(host) == before
    assert _workers(host) <= workers


def test_only_files_that_the_host_lacks_are_asked_for_and_the_others_are_linked(host: Host) -> None:
    installed(host)

    lines = host.ask(install_request(TWO), TWO)

    assert [line["need"] for line in lines if "need" in line] == [sorted(TWO.blobs.keys() - ONE.blobs.keys())]
    one, two = (host.site / "releases" / made.digest / "gaya/utama.css" for made in (ONE, TWO))
    assert one.samefile(two)
    assert host.get(CLOSED)[1] == TWO.files["index.html"]


def test_two_applications_live_side_by_side_and_cannot_take_each_others_names(host: Host) -> None:
    installed(host)
    other = build("lain")
    taken = install_request(other, app="arsip", public=PUBLIC)

    assert refused(host.ask(taken, other)) == "name_taken"
    done(host.ask(install_request(other, app="arsip"), other))

    assert host.get("arsip-uji.kampus.test")[1] == other.files["index.html"]
    assert host.get(CLOSED)[1] == ONE.files["index.html"]


def test_visitors_get_safe_headers_and_no_hidden_files(host: Host) -> None:
    opened(host, build("satu", **{".well-known/security.txt": b"Contact: pustipd"}))

    _, _, headers = host.get(PUBLIC)

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert "x-robots-tag" not in headers
    assert host.get(CLOSED)[2]["x-robots-tag"] == "noindex, nofollow"
    assert host.get(PUBLIC, "/.rahasia")[0] == 404
    assert host.get(PUBLIC, "/.well-known/security.txt")[0] == 200
    assert host.get(PUBLIC, "/../../host.json")[0] in (400, 404)
    assert host.get(PUBLIC, "/gaya/")[0] in (403, 404)


def test_other_runtimes_hostings_and_too_large_builds_are_refused(host: Host) -> None:
    assert refused(host.ask(install_request(ONE, runtime="php"))) == "runtime_unsupported"
    big = build("besar", **{"besar.bin": bytes(2 << 20)})
    assert refused(host.ask(install_request(big, quota_mb=1), big)) == "over_quota"
    assert not (host.site).exists()

    installed(host)
    assert refused(host.ask(install_request(ONE, hosting="lain"))) == "other_hosting"
    assert refused(host.ask({**site_request("close"), "hosting": "lain"})) == "other_hosting"
    assert refused(host.ask(site_request("close", app="arsip"))) == "not_installed"


def test_a_host_that_serves_one_domain_refuses_other_names(host: Host) -> None:
    config = host.server.place.config
    text = config.read_text()
    config.write_text(json.dumps({**json.loads(text), "domains": ["kampus.test"]}))
    try:
        assert refused(host.ask(install_request(ONE, public="bank.example"), ONE)) == "name_not_here"
        done(host.ask(install_request(ONE), ONE))
    finally:
        config.write_text(text)


# --- The permit ------------------------------------------------------------------------------------------


def test_nothing_is_open_before_a_permit_and_open_with_one(host: Host) -> None:
    installed(host)
    assert host.get(PUBLIC)[0] == 503

    lines = host.ask(open_request(host.signer.permit(ONE.digest), ONE.digest))

    assert done(lines)["changed"] is True
    assert host.get(PUBLIC)[:2] == (200, ONE.files["index.html"])
    again = host.ask(open_request(_kept(host), ONE.digest))
    assert done(again)["changed"] is False


def _kept(host: Host) -> Any:
    from shared.permit import SignedPermit

    text = (host.home / "state/sites/perpus/permits" / f"{ONE.digest}.json").read_text()
    return SignedPermit.model_validate_json(text)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("other_digest", {"digest": TWO.digest}),
        ("other_application", {"app": "arsip"}),
        ("other_hosting", {"hosting": "lain"}),
        ("expired", {"issued": timedelta(-9), "install": timedelta(-8), "valid": timedelta(seconds=-1)}),
        ("install_expired", {"issued": timedelta(-9), "install": timedelta(seconds=-1)}),
        ("not_yet_valid", {"issued": timedelta(minutes=10)}),
    ],
)
def test_g12_a_permit_for_something_else_opens_nothing(host: Host, code: str, change: dict[str, Any]) -> None:
    """G12: asked directly, as one who has stolen Alur's key would."""
    installed(host)
    wrong = {"digest": ONE.digest, **change}
    signed = host.signer.permit(**wrong)

    assert refused(host.ask(open_request(signed, ONE.digest))) == code
    _still_closed(host)


def test_g12_a_forged_permit_opens_nothing(host: Host) -> None:
    installed(host)
    signed = host.signer.permit(ONE.digest)
    other = Signer().permit(ONE.digest)
    good = open_request(signed, ONE.digest)

    for code, bad in (
        ("key_unknown", open_request(other, ONE.digest)),
        ("forged", {**good, "signature": other.signature}),
        ("forged", {**good, "signature": "0" * 128}),
        ("forged", {**good, "permit": signed.permit.replace('"round":1', '"round":2')}),
        ("forged", {**good, "permit": signed.permit + " "}),
        ("bad_value", {**good, "permit": None}),
        ("bad_value", {key: value for key, value in good.items() if key != "permit"}),
        ("bad_value", {**good, "signature": ""}),
    ):
        assert refused(host.ask(bad)) == code
    _still_closed(host)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "1",
        '{"v":1}',
        "not json",
        "TWICE",
        "EXTRA",
        "OTHER VERSION",
        "CROOKED TIME",
    ],
)
def test_a_signed_text_that_is_not_a_permit_opens_nothing(host: Host, text: str) -> None:
    installed(host)
    good = host.signer.permit(ONE.digest)
    text = {
        "TWICE": good.permit.replace("{", f'{{"digest":"{TWO.digest}",', 1),
        "EXTRA": good.permit.replace("{", '{"also":1,', 1),
        "OTHER VERSION": good.permit.replace('"v":1', '"v":2'),
        "CROOKED TIME": good.permit.replace('"issued_at":"2', '"issued_at":"X'),
    }.get(text, text)
    signature = host.signer.key.sign(text.encode()).hex()

    request = {**open_request(good, ONE.digest), "permit": text, "signature": signature}

    assert refused(host.ask(request)) == "malformed"
    _still_closed(host)


def test_g12_a_revoked_permit_opens_nothing_and_a_live_one_is_reported(host: Host) -> None:
    opened(host)
    permit = host.facts()["sites"]["perpus"]["releases"][ONE.digest]["permit"]

    first = host.ask({"verb": "revoke", "permit_id": permit})
    second = host.ask({"verb": "revoke", "permit_id": permit})

    assert (done(first)["changed"], done(second)["changed"]) == (True, False)
    assert done(first)["live"] == done(second)["live"] == ["perpus"]
    assert host.get(PUBLIC)[0] == 200  # what becomes of the site is a person's decision
    assert host.facts()["sites"]["perpus"]["releases"][ONE.digest]["standing"] == "revoked"
    done(host.ask(site_request("close")))
    assert refused(host.ask(open_request(_kept(host), ONE.digest))) == "revoked"
    _still_closed(host)


def test_a_release_that_was_changed_on_the_host_is_not_opened(host: Host) -> None:
    """G5: swapped on the host, after the scan and before the opening."""
    installed(host)
    page = host.site / "releases" / ONE.digest / "index.html"
    page.write_bytes(page.read_bytes().replace(b"satu", b"judi"))

    assert refused(host.ask(open_request(host.signer.permit(ONE.digest), ONE.digest))) == "tampered"
    _still_closed(host)
    assert refused(host.ask(install_request(ONE), ONE)) == "tampered"
    assert f"release-{ONE.digest}" in host.facts(deep=True)["sites"]["perpus"]["drift"]

    done(host.ask(install_request(ONE, repair=True), ONE))

    assert host.facts(deep=True)["sites"]["perpus"]["drift"] == []
    done(host.ask(open_request(host.signer.permit(ONE.digest), ONE.digest)))


def test_what_was_never_installed_is_not_opened(host: Host) -> None:
    installed(host)

    assert refused(host.ask(open_request(host.signer.permit(TWO.digest), TWO.digest))) == "not_installed"
    assert refused(host.ask(site_request("rollback", digest=TWO.digest))) == "no_permit"
    assert refused(host.ask(site_request("rollback", digest=ONE.digest))) == "no_permit"
    _still_closed(host)


def test_what_was_opened_in_time_may_be_opened_again_after_the_first_term(host: Host) -> None:
    installed(host)
    for seconds in (2, 8, 30):
        soon = host.signer.permit(ONE.digest, install=timedelta(seconds=seconds))
        opening = host.ask(open_request(soon, ONE.digest))
        if "done" in opening[-1] or refused(opening) != "install_expired":
            break  # Else the machine was too busy to open within the term.
    done(opening)
    done(host.ask(site_request("close")))
    install_until = soon.unverified().install_until.timestamp()
    while (left := install_until - time.time()) > 0:
        time.sleep(left)

    done(host.ask(open_request(soon, ONE.digest)))

    assert host.get(PUBLIC)[0] == 200


def _still_closed(host: Host) -> None:
    assert host.get(PUBLIC)[0] == 503
    assert host.facts()["sites"]["perpus"]["front"] == "closed"


# --- Live: update, roll-back, closing --------------------------------------------------------------------


def test_an_update_is_invisible_until_the_switch_and_a_roll_back_takes_one_request(host: Host) -> None:
    opened(host, ONE)
    installed(host, TWO)
    assert host.get(PUBLIC)[1] == ONE.files["index.html"]
    workers = _workers(host)

    done(host.ask(open_request(host.signer.permit(TWO.digest), TWO.digest)))
    assert host.get(PUBLIC)[1] == TWO.files["index.html"]
    lines = host.ask(site_request("rollback", digest=ONE.digest))

    assert done(lines)["site"]["current"] == ONE.digest
    assert host.get(PUBLIC)[1] == ONE.files["index.html"]
    assert done(host.ask(site_request("rollback", digest=ONE.digest)))["changed"] is False
    assert _workers(host) <= workers  # the front door moved without a reload


def test_a_roll_back_needs_a_permit_that_still_stands(host: Host) -> None:
    opened(host, ONE)
    permit = host.facts()["sites"]["perpus"]["releases"][ONE.digest]["permit"]
    opened(host, TWO)
    host.ask({"verb": "revoke", "permit_id": permit})

    assert refused(host.ask(site_request("rollback", digest=ONE.digest))) == "revoked"
    assert host.get(PUBLIC)[1] == TWO.files["index.html"]


def test_a_closed_site_answers_503_and_is_opened_only_with_a_permit(host: Host) -> None:
    opened(host)

    assert done(host.ask(site_request("close")))["changed"] is True
    assert done(host.ask(site_request("close")))["changed"] is False

    status, body, headers = host.get(PUBLIC)
    assert (status, headers["retry-after"]) == (503, "3600")
    assert "ditutup sementara" in body.decode()
    assert host.get(PUBLIC, "/gaya/utama.css")[0] == 503
    assert host.get(CLOSED)[0] == 200
    assert refused(host.ask(site_request("rollback", digest=ONE.digest))) == "closed"
    done(host.ask(open_request(_kept(host), ONE.digest)))
    assert host.get(PUBLIC)[0] == 200


def test_f39_an_opening_that_is_not_healthy_goes_back_by_itself(host: Host) -> None:
    """F39: the health check fails after the switch."""
    opened(host, ONE)
    installed(host, TWO)

    lines = host.ask(open_request(host.signer.permit(TWO.digest), TWO.digest, health="/tiada.html"))

    assert refused(lines) == "health_failed"
    assert states(lines)["switch_back"] == "done"
    assert host.get(PUBLIC)[1] == ONE.files["index.html"]
    assert host.facts()["sites"]["perpus"] | {"releases": {}} == {
        "hosting": HOSTING,
        "runtime": "static",
        "public": PUBLIC,
        "closed": CLOSED,
        "front": "open",
        "fence": 1,
        "current": ONE.digest,
        "testing": TWO.digest,
        "releases": {},
        "unfinished": False,
        "drift": [],
    }
    # The permit of an opening that failed does not count as used.
    assert refused(host.ask(site_request("rollback", digest=TWO.digest))) == "no_permit"


def test_f39_a_first_opening_that_is_not_healthy_shuts_the_door_again(host: Host) -> None:
    installed(host)

    lines = host.ask(open_request(host.signer.permit(ONE.digest), ONE.digest, health="/tiada.html"))

    assert refused(lines) == "health_failed"
    _still_closed(host)
    assert host.facts()["sites"]["perpus"]["current"] is None


def test_f39_going_back_never_reopens_a_release_whose_permit_was_revoked(host: Host) -> None:
    opened(host, ONE)
    permit = host.facts()["sites"]["perpus"]["releases"][ONE.digest]["permit"]
    installed(host, TWO)
    host.ask({"verb": "revoke", "permit_id": permit})

    lines = host.ask(open_request(host.signer.permit(TWO.digest), TWO.digest, health="/tiada.html"))

    assert refused(lines) == "health_failed"
    _still_closed(host)


def test_f40_a_roll_back_can_itself_be_rolled_back(host: Host) -> None:
    opened(host, ONE)
    opened(host, TWO)

    for made in (ONE, TWO, ONE, TWO):
        done(host.ask(site_request("rollback", digest=made.digest)))
        assert host.get(PUBLIC)[1] == made.files["index.html"]


def test_the_address_of_an_open_site_cannot_be_changed_by_an_install(host: Host) -> None:
    opened(host)

    assert refused(host.ask(install_request(TWO, public="baru.kampus.test"), TWO)) == "name_fixed"

    done(host.ask(site_request("close")))
    done(host.ask(install_request(TWO, public="baru.kampus.test"), TWO))
    assert host.get("baru.kampus.test")[0] == 503
    assert host.get(PUBLIC)[0] == 404


def test_a_kept_release_is_removed_but_never_one_in_use(host: Host) -> None:
    opened(host, ONE)
    opened(host, TWO)

    assert refused(host.ask(site_request("remove", digest=TWO.digest))) == "in_use"
    assert done(host.ask(site_request("remove", digest=ONE.digest)))["changed"] is True
    assert done(host.ask(site_request("remove", digest=ONE.digest)))["changed"] is False

    assert list(host.facts(deep=True)["sites"]["perpus"]["releases"]) == [TWO.digest]
    assert host.get(PUBLIC)[1] == TWO.files["index.html"]


# --- Fence, drift, faults --------------------------------------------------------------------------------


def test_f25_a_request_with_an_older_fence_is_refused(host: Host) -> None:
    """F25: a worker that lost its lease comes late."""
    done(host.ask(install_request(ONE, fence=7), ONE))

    for late in (
        install_request(TWO, fence=6),
        open_request(host.signer.permit(ONE.digest), ONE.digest, fence=6),
        site_request("close", fence=6),
        site_request("rollback", digest=ONE.digest, fence=6),
        site_request("remove", digest=ONE.digest, fence=6),
    ):
        assert refused(host.ask(late, TWO)) == "old_fence"
    done(host.ask(install_request(ONE, fence=7)))
    assert host.facts()["sites"]["perpus"]["fence"] == 7


def test_f41_a_hand_changed_host_is_reported_and_not_silently_repaired(host: Host) -> None:
    """F41: somebody edited the virtual host."""
    installed(host)
    vhost = host.home / "nginx/vhosts/alur-perpus.public.conf"
    by_hand = vhost.read_text() + "# tangan\n"
    vhost.write_text(by_hand)

    assert host.facts()["sites"]["perpus"]["drift"] == ["vhost-public"]
    assert refused(host.ask(install_request(TWO), TWO)) == "drift"
    assert vhost.read_text() == by_hand

    done(host.ask(install_request(TWO, repair=True), TWO))
    assert host.facts()["sites"]["perpus"]["drift"] == []


def test_a_link_that_was_turned_by_hand_is_reported_and_not_followed(host: Host) -> None:
    opened(host)
    (host.site / "current").unlink()
    (host.site / "current").symlink_to("/etc")

    assert host.facts()["sites"]["perpus"]["drift"] == ["current"]
    assert refused(host.ask(open_request(_kept(host), ONE.digest))) == "drift"


def test_a_web_server_that_refuses_leaves_everything_as_it_was(host: Host) -> None:
    installed(host)
    broken = host.home / "nginx/vhosts/zz-orang-lain.conf"
    broken.write_text("bukan pengaturan;")
    other = build("lain")

    lines = host.ask(install_request(other, app="arsip"), other)

    assert refused(lines) == "web_server_refuses"
    assert not (host.home / "nginx/vhosts/alur-arsip.public.conf").exists()
    assert "arsip" not in host.facts()["sites"]
    broken.unlink()
    done(host.ask(install_request(other, app="arsip"), other))


def test_a_name_that_another_virtual_host_has_is_refused(host: Host) -> None:
    port = host.server.place.http_port
    other = host.home / "nginx/vhosts/aa-orang-lain.conf"
    other.write_text(f"server {{ listen 127.0.0.1:{port}; server_name {PUBLIC}; return 204; }}")

    assert refused(host.ask(install_request(ONE), ONE)) == "name_taken"

    other.unlink()
    done(host.ask(install_request(ONE), ONE))


def test_f32_of_two_at_once_one_waits_and_both_end(host: Host) -> None:
    """F32: two deploys of one application."""
    with host.helper() as slow:
        assert slow.stdin
        assert slow.stdout
        slow.stdin.write(json.dumps(install_request(ONE)).encode() + b"\n")
        slow.stdin.flush()
        while "need" not in (line := json.loads(slow.stdout.readline())):
            pass
        with host.helper() as waiting:
            assert waiting.stdin
            waiting.stdin.write(json.dumps(install_request(ONE, fence=2)).encode() + b"\n")
            waiting.stdin.flush()
            for digest in line["need"]:
                slow.stdin.write(f"{digest} {len(ONE.blobs[digest])}\n".encode() + ONE.blobs[digest])
            slow.stdin.write(b"end\n")
            slow.stdin.close()
            first = [json.loads(text) for text in slow.stdout]
            assert waiting.stdout
            second = [json.loads(text) for text in waiting.stdout]

    assert done(first)["changed"] is True
    assert done(second)["changed"] is False
    assert done(second)["site"]["fence"] == 2


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"end\n",
        b"garbage\n",
        b"0" * 64 + b" 5\nhello",
        b"%(digest)s 99\n" + b"x" * 99,
        b"%(digest)s %(size)d\n",
        b"%(digest)s %(size)d\n%(wrong)s",
        b"%(digest)s -1\n",
        b"../../../../etc/cron.d/x 4\nhaha",
        b"x" * 300_000,
    ],
)
def test_g4_what_arrives_wrong_on_the_wire_is_refused(host: Host, bad: bytes) -> None:
    """G4: swapped, short, unasked."""
    only = Build({"index.html": b"isi yang benar"})
    (digest,) = only.blobs
    with host.helper() as helper:
        assert helper.stdin
        assert helper.stdout
        helper.stdin.write(json.dumps(install_request(only)).encode() + b"\n")
        helper.stdin.flush()
        while "need" not in json.loads(helper.stdout.readline()):
            pass
        values = {b"digest": digest.encode(), b"size": 14, b"wrong": b"isi yang salah"}
        try:
            helper.stdin.write(bad % values if b"%(" in bad else bad)
            helper.stdin.close()
        except BrokenPipeError:
            pass
        lines = [json.loads(text) for text in helper.stdout]

    assert refused(lines) in ("cut_off", "malformed", "other_digest")
    assert "perpus" not in host.facts()["sites"]
    done(host.ask(install_request(only), only))
    assert host.get(CLOSED)[1] == b"isi yang benar"


def test_f35_a_sending_that_was_cut_goes_on_where_it_ended(host: Host) -> None:
    """F35: the connection is cut in mid-upload."""
    many = build("banyak", **{f"berkas/{number}.txt": bytes([number]) * 2000 for number in range(40)})
    with host.helper() as helper:
        assert helper.stdin
        assert helper.stdout
        helper.stdin.write(json.dumps(install_request(many)).encode() + b"\n")
        helper.stdin.flush()
        while "need" not in (line := json.loads(helper.stdout.readline())):
            pass
        half = line["need"][:20]
        for digest in half:
            helper.stdin.write(f"{digest} {len(many.blobs[digest])}\n".encode() + many.blobs[digest])
        last = line["need"][20]
        helper.stdin.write(f"{last} {len(many.blobs[last])}\n".encode() + many.blobs[last][:-1])
        helper.stdin.close()
        assert refused([json.loads(text) for text in helper.stdout]) == "cut_off"
    assert "perpus" not in host.facts()["sites"]

    again = host.ask(install_request(many), many)

    assert done(again)["changed"] is True
    assert [len(said["need"]) for said in again if "need" in said] == [len(line["need"]) - len(half)]
    assert host.get(CLOSED, "/berkas/39.txt")[1] == bytes([39]) * 2000


def test_f36_a_full_disk_is_refused_in_words_and_the_next_attempt_ends_well(host: Host) -> None:
    """F36: the file-size limit of the process stands in for the full disk; both end in OSError."""
    big = build("besar", **{"besar.bin": bytes(3 << 20)})
    program = (
        "import resource,sys,signal;signal.signal(signal.SIGXFSZ,signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE,(1<<20,1<<20));"
        "import runpy;sys.argv=sys.argv[1:];runpy.run_path(sys.argv[0],run_name='__main__')"
    )
    with subprocess.Popen(
        [sys.executable, "-I", "-c", program, host_helper.__file__, "--config", str(host.server.place.config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as helper:
        assert helper.stdin
        assert helper.stdout
        frames = b"".join(f"{d} {len(c)}\n".encode() + c for d, c in sorted(big.blobs.items()))
        try:
            helper.stdin.write(json.dumps(install_request(big)).encode() + b"\n" + frames + b"end\n")
            helper.stdin.close()
        except BrokenPipeError:
            pass
        lines = [json.loads(text) for text in helper.stdout]

    assert refused(lines) == "host_error"
    done(host.ask(install_request(big), big))


# --- Killed at every write -------------------------------------------------------------------------------

# Kills itself (SIGKILL) just before its n-th change to the disk or signal to the web server.
_KILLER = """
import os, runpy, signal, sys
left = int(sys.argv[1])
sys.argv = sys.argv[2:]
def fatal(name):
    real = getattr(os, name)
    def call(*args, **more):
        global left
        if not (name == "write" and args[0] == 1):
            left -= 1
            if left < 0:
                real_kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    setattr(os, name, call)
real_kill = os.kill
for name in ("replace", "link", "unlink", "symlink", "mkdir", "write", "kill", "chmod", "fchmod"):
    fatal(name)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _killed_at(host: Host, number: int, request: dict[str, Any], made: Build) -> tuple[bool, list[Line]]:
    """Run a request that is killed before its n-th change; return whether it was, and what it had said."""
    with subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-c",
            _KILLER,
            str(number),
            host_helper.__file__,
            "--config",
            str(host.server.place.config),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as helper:
        assert helper.stdin
        assert helper.stdout
        lines = []
        try:
            helper.stdin.write(json.dumps(request).encode() + b"\n")
            helper.stdin.flush()
            for text in helper.stdout:
                lines.append(json.loads(text))
                for digest in lines[-1].get("need", ()):
                    content = made.blobs[digest]
                    helper.stdin.write(f"{digest} {len(content)}\n".encode() + content)
                if "need" in lines[-1]:
                    helper.stdin.write(b"end\n")
                    helper.stdin.flush()
        except BrokenPipeError:
            pass
    return helper.returncode == -signal.SIGKILL, lines


SMALL = Build({"index.html": b"kecil", "naskah/jalan.js": b"void 0"}, executable=frozenset({"naskah/jalan.js"}))


def test_f38_an_install_killed_before_any_write_ends_well_when_repeated(host: Host) -> None:
    """F38: kill -9 at each step of the first installation."""
    number = 0
    while True:
        host.reset()
        killed, lines = _killed_at(host, number, install_request(SMALL), SMALL)
        if not killed:
            done(lines)
            break
        assert host.get(PUBLIC)[0] in (404, 503), number

        done(host.ask(install_request(SMALL, fence=2), SMALL))

        assert host.get(CLOSED)[1] == b"kecil", number
        assert host.get(PUBLIC)[0] == 503, number
        assert _leftovers(host) == [], number
        number += 1

    assert number > 20


def test_f38_an_opening_killed_before_any_write_leaves_one_whole_release(host: Host) -> None:
    """F38: kill -9 at each step of an update: visitors see the old or the new one, whole, and never neither."""
    opened(host, ONE)
    installed(host, TWO)
    number = 0
    while True:
        request = open_request(host.signer.permit(TWO.digest), TWO.digest)
        killed, lines = _killed_at(host, number, request, TWO)
        assert host.get(PUBLIC)[1] in (ONE.files["index.html"], TWO.files["index.html"]), number
        if not killed:
            done(lines)
            break

        done(host.ask(request))

        facts = host.facts(deep=True)["sites"]["perpus"]
        assert (facts["current"], facts["front"], facts["unfinished"]) == (TWO.digest, "open", False), number
        assert facts["drift"] == [], number
        assert host.get(PUBLIC)[1] == TWO.files["index.html"], number
        done(host.ask(site_request("rollback", digest=ONE.digest)))
        number += 1

    assert number > 5


def test_f38_an_opening_killed_and_then_found_ill_goes_back_to_where_it_began(host: Host) -> None:
    """F38 with F39: the way back is known even after a crash between the steps."""
    opened(host, ONE)
    installed(host, TWO)
    number = went_back = 0
    while True:
        permit = host.signer.permit(TWO.digest)
        killed, _ = _killed_at(host, number, open_request(permit, TWO.digest), TWO)
        if not killed:
            break
        was_finished = not host.facts()["sites"]["perpus"]["unfinished"]
        was_switched = host.facts()["sites"]["perpus"]["current"] == TWO.digest

        # A page that is not there stands in for an application that does not come up.
        assert refused(host.ask(open_request(permit, TWO.digest, health="/tiada.html"))) == "health_failed"

        facts = host.facts()["sites"]["perpus"]
        assert (facts["front"], facts["unfinished"]) == ("open", False), number
        if was_switched and was_finished:
            # Only the note that it was opened was lacking: it had been found healthy, so it stays.
            assert facts["current"] == TWO.digest, number
            done(host.ask(site_request("rollback", digest=ONE.digest)))
        else:
            assert facts["current"] == ONE.digest, number
            went_back += was_switched
        number += 1

    assert went_back > 0


def _leftovers(host: Host) -> list[str]:
    names = [str(path) for path in host.home.rglob("*") if ".part" in path.name or path.name == "intent.json"]
    pending = host.home / "state/reload-pending"
    return names + [str(pending)] * pending.exists()


# --- The server itself -----------------------------------------------------------------------------------


def test_the_web_server_is_started_again_when_it_dies(host: Host) -> None:
    installed(host)
    pid = int((host.home / "nginx/nginx.pid").read_text())

    os.kill(pid, signal.SIGKILL)

    _until(lambda: _pid(host) not in (None, pid))
    _until(lambda: _answers(host))
    assert host.get(CLOSED)[1] == ONE.files["index.html"]


def test_it_stops_cleanly_and_comes_back_with_the_same_host_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_host() as first:
        place, pin = first.server.place, first.server.host_key
        installed(first)
        first.server.stop()
        assert first.server.process.returncode == 0
        assert not [p for p in psutil.process_iter(["cmdline"]) if str(place.home) in " ".join(p.info["cmdline"] or ())]

        with practice.start(
            place.home,
            ssh_port=place.ssh_port,
            http_port=place.http_port,
            client_key=place.client_key,
            permit_key=place.permit_key,
        ) as second:
            assert second.host_key == pin
            assert first.get(CLOSED)[1] == ONE.files["index.html"]


def test_what_a_killed_practice_server_left_running_is_ended_by_the_next() -> None:
    with running_host() as first:
        place = first.server.place
        left = _pid(first)
        first.server.process.kill()
        first.server.process.wait()
        assert left
        assert _works(left)

        with practice.start(
            place.home,
            ssh_port=place.ssh_port,
            http_port=place.http_port,
            client_key=place.client_key,
            permit_key=place.permit_key,
        ):
            assert not _works(left)
            assert first.get("tiada.kampus.test")[0] == 404


def test_a_second_practice_server_in_the_same_folder_is_refused(host: Host) -> None:
    place = host.server.place
    with pytest.raises(RuntimeError):
        practice.start(
            place.home,
            ssh_port=free_port(),
            http_port=free_port(),
            client_key=place.client_key,
            permit_key=place.permit_key,
        )
    assert host.facts()["profile"] == "unprivileged"


def _until(condition: Any) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def _works(pid: int) -> bool:
    """Tell whether a process works; one that nobody has buried yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _pid(host: Host) -> int | None:
    try:
        return int((host.home / "nginx/nginx.pid").read_text())
    except (OSError, ValueError):
        return None


def _answers(host: Host) -> bool:
    try:
        return host.get(CLOSED)[0] == 200
    except OSError:
        return False


def _workers(host: Host) -> set[int]:
    """Return the workers; a reload adds one, and those of before may still be leaving."""
    pid = _pid(host)
    assert pid
    return {child.pid for child in psutil.Process(pid).children()}


def _snapshot(host: Host) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino)
        for folder in ("srv", "state", "nginx")
        for path in (host.home / folder).rglob("*")
    }


def test_the_snapshot_would_see_a_write(host: Host, tmp_path: Path) -> None:
    installed(host)
    before = _snapshot(host)
    (host.site / "answer.txt").write_text(str(uuid4()))

    assert _snapshot(host) != before
