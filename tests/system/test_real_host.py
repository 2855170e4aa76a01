"""The same road on a real server: Debian with systemd, OpenSSH, sudo and nginx, enrolled and then asked over SSH."""

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from services.deploy import host_helper, plan, ssh
from shared.permit import SignedPermit
from shared.store import Store
from tests.deploy.hosting import HOSTING, Build, Signer, build, open_request

# The base is built at the first run, which takes longer than an ordinary test may.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).with_name("target_host.sh")
TARGETS = os.environ.get("ALUR_TARGETS", "/var/tmp/alur-targets")
ALUR, STRANGER, ADDRESS = "198.51.100.1", "198.51.100.2", "198.51.100.11"
NAME = "satu"
PUBLIC, CLOSED = "perpus.kampus.test", "perpus-uji.kampus.test"
ONE, TWO = build("satu"), build("dua")


def script(*words: str) -> None:
    subprocess.run([SCRIPT, *words], check=True, env={**os.environ, "ALUR_TARGETS": TARGETS}, timeout=600)


@dataclass
class Real:
    """One real server, with the keys of those who speak to it."""

    folder: Path
    store: Store
    admin: ssh.Server
    server: ssh.Server
    client: asyncssh.SSHKey
    signer: Signer = field(default_factory=Signer)

    def enrolment(self, **more: Any) -> ssh.Enrolment:
        facts: dict[str, Any] = {
            "client_key": self.client.export_public_key().decode().strip(),
            "permit_key": self.signer.pem().decode(),
            "allow_from": (ALUR,),
            "closed_allow": ("127.0.0.1", "::1", ALUR),
            "domains": ("kampus.test",),
        }
        return ssh.Enrolment(**{**facts, **more})

    def as_root(self, *words: str, given: bytes = b"") -> tuple[int, str]:
        """Run a command on the server with the administrator's login; return exit code and output."""
        return self._openssh("root", self.folder / "admin", *words, given=given)

    def as_alur(self, *words: str, given: bytes = b"", options: tuple[str, ...] = ()) -> tuple[int, str]:
        """Ask for a command with Alur's own key, as a thief of the key would."""
        return self._openssh("alur", self.folder / "client", *words, given=given, options=options)

    def _openssh(
        self, user: str, key: Path, *words: str, given: bytes = b"", options: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        done = subprocess.run(
            [
                "ssh",
                *("-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
                *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "ConnectTimeout=10"),
                *options,
                f"{user}@{ADDRESS}",
                *words,
            ],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def directly(self, request: dict[str, Any]) -> dict[str, Any]:
        """Put a request to the helper on the server itself, as its root; return the last line."""
        _, said = self.as_root(host_helper.HELPER_PATH, given=json.dumps(request).encode() + b"\n")
        line: dict[str, Any] = json.loads(said.splitlines()[-1])
        return line

    def ask(self, request: plan.Request) -> list[ssh.Line]:
        return list(ssh.run(self.server, request, self.store))

    def facts(self) -> plan.Facts:
        facts = ssh.ask(self.server, plan.inspect_request(deep=True)).facts
        assert facts is not None
        return facts

    def install(self, made: Build, *, app: str = "perpus") -> list[ssh.Line]:
        for content in made.blobs.values():
            self.store.put(content)
        wanted = plan.Wanted(
            app=app,
            hosting=HOSTING,
            public=f"{app}.kampus.test",
            closed=f"{app}-uji.kampus.test",
            testing=made.digest,
        )
        return self.ask(plan.install_request(wanted, manifest=made.text, fence=1))

    def open(self, made: Build, signed: SignedPermit | None = None) -> list[ssh.Line]:
        signed = signed or self.signer.permit(made.digest)
        return self.ask(
            plan.open_request(
                app="perpus",
                hosting=HOSTING,
                digest=made.digest,
                permit=signed.permit,
                signature=signed.signature,
                key=signed.key,
                fence=1,
            )
        )

    def get(self, name: str, path: str = "/", *, source: str = ALUR) -> tuple[int, bytes]:
        link = http.client.HTTPConnection(ADDRESS, 80, timeout=10, source_address=(source, 0))
        try:
            link.request("GET", path, headers={"Host": name})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """Boot a fresh server, which knows nothing of Alur but an administrator's key."""
    folder = tmp_path_factory.mktemp("real")
    keys = {name: asyncssh.generate_private_key("ssh-ed25519") for name in ("admin", "client")}
    for name, key in keys.items():
        (folder / name).write_bytes(key.export_private_key())
        (folder / name).chmod(0o600)
    (folder / "admin.pub").write_bytes(keys["admin"].export_public_key())
    script("build")
    try:
        script("start", NAME, ADDRESS.rpartition(".")[2], str(folder / "admin.pub"))
        pin = ssh.probe_host_key(ADDRESS, 22).line
        (folder / "known_hosts").write_text(f"{ADDRESS} {pin}\n")
        yield Real(
            folder,
            Store(folder / "store"),
            ssh.Server(ADDRESS, 22, "root", folder / "admin", pin),
            ssh.Server(ADDRESS, 22, "alur", folder / "client", pin),
            keys["client"],
        )
    finally:
        script("destroy", NAME)
        script("down")


@pytest.fixture(scope="module")
def real(fresh: Real) -> Real:
    """Enrol the server."""
    with pytest.raises(ssh.KeyNotAccepted):
        ssh.ask(fresh.server, plan.inspect_request())
    lines = list(ssh.enrol(fresh.admin, fresh.enrolment()))
    assert (lines[-1].kind, lines[-1].changed) == ("done", True), lines
    return fresh


def last(lines: list[ssh.Line]) -> ssh.Line:
    assert lines[-1].kind == "done", lines
    return lines[-1]


def code(lines: list[ssh.Line]) -> str:
    assert lines[-1].kind == "refused", lines
    return lines[-1].code


# --- Enrolment and the gate ------------------------------------------------------------------------------


def test_a_second_enrolment_changes_nothing(real: Real) -> None:
    lines = list(ssh.enrol(real.admin, real.enrolment()))

    assert last(lines).changed is False
    assert {line.state for line in lines if line.kind == "step"} == {"unchanged"}


@pytest.mark.parametrize(
    "bad",
    [
        {"client_key": 'ssh-ed25519 x command="sh"'},
        {"permit_key": "-----BEGIN\n$(reboot)"},
        {"allow_from": ('*" command="sh',)},
        {"closed_allow": ("all; }",)},
        {"domains": ("kampus.test; evil",)},
        {"listen": ("80; include /etc/shadow",)},
    ],
    ids=lambda bad: next(iter(bad)),
)
def test_a1_hostile_values_at_the_enrolment_are_refused_and_change_nothing(real: Real, bad: dict[str, Any]) -> None:
    """A1: also what an administrator's hand types is judged."""
    assert code(list(ssh.enrol(real.admin, real.enrolment(**bad)))) in ("bad_value", "bad_config")
    assert last(list(ssh.enrol(real.admin, real.enrolment()))).changed is False


def test_the_server_answers_through_the_gate_with_the_helper_that_alur_knows(real: Real) -> None:
    facts = real.facts()

    assert facts.profile == "privileged"
    assert facts.helper.sha256 == host_helper.own_digest()
    assert facts.permit_keys == (real.signer.permit("0" * 64).key,)


def test_the_helper_and_its_gate_belong_to_root_alone(real: Real) -> None:
    for path, mode in (
        (host_helper.HELPER_PATH, "755"),
        (host_helper.CONFIG_PATH, "644"),
        ("/etc/alur/permit.pub", "644"),
        ("/var/lib/alur-gate/.ssh/authorized_keys", "644"),
        ("/etc/sudoers.d/alur", "440"),
    ):
        assert real.as_root("stat", "-c", "%U:%G:%a", path) == (0, f"root:root:{mode}\n"), path
    assert real.as_root("visudo", "-c", "-q")[0] == 0


def test_a5_alurs_key_gets_the_helper_whatever_it_asks_for(real: Real) -> None:
    """A5: key misuse on a real sshd."""
    for words in (("id",), ("cat", "/etc/shadow"), ("sh", "-c", "id"), ("x", "--config", "/tmp/x"), ()):
        status, said = real.as_alur(*words, given=b"id\n")
        # The last line: a client that asked for a shell says before it that it got no terminal.
        assert (status, json.loads(said.splitlines()[-1])["refused"]) == (1, "malformed"), words
    assert "PTY allocation request failed" in real.as_alur("-tt", given=b"id\n")[1]
    assert real.as_alur("-N", options=("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22"))[0] != 0
    sftp = subprocess.run(
        [
            *("sftp", "-F", "none", "-b", "-", "-i", str(real.folder / "client"), "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={real.folder / 'known_hosts'}", f"alur@{ADDRESS}"),
        ],
        input=b"ls /\n",
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert sftp.returncode != 0
    assert b"etc" not in sftp.stdout


def test_a5_the_account_itself_may_run_one_program_without_arguments(real: Real) -> None:
    def as_account(*words: str) -> tuple[int, str]:
        return real.as_root("runuser", "-u", "alur", "--", *words)

    assert as_account("sudo", "-n", "/usr/bin/id")[0] != 0
    assert as_account("sudo", "-n", "/usr/bin/python3", host_helper.HELPER_PATH)[0] != 0
    assert "refused" not in as_account("sudo", "-n", host_helper.HELPER_PATH, "--config", "/tmp/x")[1]
    assert "cut_off" in as_account("sudo", "-n", host_helper.HELPER_PATH)[1]
    for path in (host_helper.HELPER_PATH, host_helper.CONFIG_PATH, "/var/lib/alur-gate/.ssh/authorized_keys"):
        assert as_account("test", "-w", path)[0] == 1, path


def test_alurs_key_comes_in_only_from_alurs_address(real: Real) -> None:
    assert real.as_alur(given=b"{}\n", options=("-b", STRANGER))[0] == 255
    assert real.as_alur(given=b"{}\n", options=("-b", ALUR))[0] == 1


# --- The road --------------------------------------------------------------------------------------------


def test_a_build_goes_closed_then_open_then_back(real: Real) -> None:
    made = last(real.install(ONE))
    assert made.changed is True
    assert real.get(CLOSED) == (200, ONE.files["index.html"])
    assert real.get(CLOSED, "/gambar/kosong.svg") == (200, b"")
    assert real.get(CLOSED, "/.rahasia")[0] == 404
    assert real.get(CLOSED, source=STRANGER)[0] == 403
    assert real.get(PUBLIC)[0] == 503

    workers = real.as_root("pgrep", "-P", "1", "-x", "nginx")[1]
    again = last(real.install(ONE))
    assert again.changed is False

    last(real.open(ONE))
    assert real.get(PUBLIC, source=STRANGER) == (200, ONE.files["index.html"])
    last(real.install(TWO))
    assert real.get(PUBLIC)[1] == ONE.files["index.html"]
    last(real.open(TWO))
    assert real.get(PUBLIC)[1] == TWO.files["index.html"]
    last(real.ask(plan.rollback_request(app="perpus", hosting=HOSTING, digest=ONE.digest, fence=1)))
    assert real.get(PUBLIC)[1] == ONE.files["index.html"]
    assert real.as_root("pgrep", "-P", "1", "-x", "nginx")[1] == workers

    site = real.facts().sites["perpus"]
    assert (site.current, site.testing, site.front) == (ONE.digest, TWO.digest, "open")
    assert site.drift == ()
    assert {release.standing for release in site.releases.values()} == {"stands"}


def test_each_application_has_a_system_user_and_cannot_read_its_neighbour(real: Real) -> None:
    last(real.install(ONE))
    last(real.install(build("arsip"), app="arsip"))

    status, line = real.as_root("getent", "passwd", "alur-perpus")
    assert (status, line.split(":")[5:]) == (0, ["/nonexistent", "/usr/sbin/nologin\n"])
    page = f"/srv/alur/perpus/releases/{ONE.digest}/index.html"
    assert real.as_root("stat", "-c", "%U:%a", page)[1] == "root:644\n"
    for user, allowed in (("alur-perpus", True), ("www-data", True), ("alur-arsip", False), ("nobody", False)):
        assert (real.as_root("runuser", "-u", user, "--", "cat", page)[0] == 0) is allowed, user
    assert real.as_root("runuser", "-u", "alur-perpus", "--", "test", "-w", page)[0] == 1
    assert real.get("arsip-uji.kampus.test")[0] == 200


def test_g12_the_server_itself_refuses_every_bad_permit(real: Real) -> None:
    """G12: also when the helper is asked by the server's own root."""
    last(real.install(TWO))
    real.ask(plan.close_request(app="perpus", hosting=HOSTING, fence=1))
    good = real.signer.permit(TWO.digest)
    forged = Signer().permit(TWO.digest)
    revoked = real.signer.permit(TWO.digest)
    real.ask(plan.revoke_request(str(revoked.unverified().id)))

    for expected, request in (
        ("other_digest", open_request(real.signer.permit(ONE.digest), TWO.digest)),
        ("other_hosting", open_request(real.signer.permit(TWO.digest, hosting="lain"), TWO.digest)),
        ("key_unknown", open_request(forged, TWO.digest)),
        ("forged", {**open_request(good, TWO.digest), "signature": forged.signature}),
        ("revoked", open_request(revoked, TWO.digest)),
        ("bad_value", {**open_request(good, TWO.digest), "permit": ""} | {"signature": ""}),
        ("unknown_verb", {"verb": "shell", "command": "id"}),
        ("bad_value", {**open_request(good, TWO.digest), "app": "../etc"}),
    ):
        assert real.directly(request)["refused"] == expected
    assert real.get(PUBLIC)[0] == 503

    assert "done" in real.directly(open_request(good, TWO.digest))
    assert real.get(PUBLIC)[1] == TWO.files["index.html"]


def test_a_web_server_that_others_broke_is_said_to_be_so_and_left_as_it_was(real: Real) -> None:
    broken = "/etc/nginx/conf.d/zz-lain.conf"
    real.as_root("tee", broken, given=b"bukan pengaturan;\n")
    try:
        assert code(real.install(build("baru"), app="baru")) == "web_server_refuses"
        assert real.as_root("test", "-e", "/etc/nginx/conf.d/alur-baru.public.conf")[0] == 1
    finally:
        real.as_root("rm", broken)
    last(real.install(build("baru"), app="baru"))
    assert real.get("baru-uji.kampus.test")[0] == 200


def test_f37_after_a_reboot_the_same_release_serves(real: Real) -> None:
    """F37: the host goes down and comes back."""
    last(real.install(ONE))
    last(real.open(ONE))

    script("stop", NAME)
    with pytest.raises(ssh.HostUnreachable):
        real.ask(plan.inspect_request())
    script("start", NAME, ADDRESS.rpartition(".")[2], str(real.folder / "admin.pub"))
    assert real.as_root("systemctl", "is-system-running", "--wait")[1].strip() in ("running", "degraded")

    assert real.get(PUBLIC) == (200, ONE.files["index.html"])
    site = real.facts().sites["perpus"]
    assert (site.current, site.front, site.unfinished, site.drift) == (ONE.digest, "open", False, ())
    assert last(real.install(ONE)).changed is False


def test_a9_a_server_that_shows_another_key_is_told_nothing(real: Real) -> None:
    """A9: last, for it makes the server a stranger."""
    key = "/etc/ssh/ssh_host_ed25519_key"
    assert real.as_root("ssh-keygen", "-q", "-t", "ed25519", "-N", "''", "-f", f"{key}.new") == (0, "")
    # sshd reads its key anew for each connection.
    assert real.as_root("mv", f"{key}.new", key) == (0, "")

    with pytest.raises(ssh.HostKeyChanged):
        real.install(TWO)
