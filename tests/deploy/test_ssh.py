"""One request over SSH: to the practice server, to servers that speak oddly, and to none at all."""

import asyncio
import io
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import asyncssh
import pytest

from services.deploy import plan, ssh
from shared.store import Store
from tests.deploy.hosting import HOSTING, Build, Host, build, running_host

pytestmark = pytest.mark.live

PUBLIC, CLOSED = "perpus.kampus.test", "perpus-uji.kampus.test"
ONE = build("satu", **{f"berkas/{number}.txt": bytes([number]) * 5000 for number in range(30)})
QUICK = ssh.Limits(connect=5, silence=2, total=10, line_bytes=10_000, all_bytes=50_000)


@pytest.fixture(scope="module")
def started() -> Iterator[Host]:
    with running_host() as host:
        (host.home / "client").write_bytes(host.client.export_private_key())
        yield host


@pytest.fixture
def host(started: Host) -> Host:
    started.reset()
    return started


@pytest.fixture
def server(host: Host) -> ssh.Server:
    return _server(host)


def _server(host: Host, **more: Any) -> ssh.Server:
    facts = {
        "address": "127.0.0.1",
        "port": host.server.place.ssh_port,
        "user": "alur",
        "key": host.home / "client",
        "host_key": host.server.host_key,
    }
    return ssh.Server(**{**facts, **more})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for content in ONE.blobs.values():
        store.put(content)
    return store


class Watched:
    """A store that remembers what it was asked for, and may break after so many files."""

    def __init__(self, store: Store, breaks_after: int = 10**6) -> None:
        self.store = store
        self.breaks_after = breaks_after
        self.opened: list[str] = []

    def open(self, digest: str) -> BinaryIO:
        if len(self.opened) == self.breaks_after:
            raise RuntimeError("the worker dies here")
        self.opened.append(digest)
        return self.store.open(digest)


def wanted(made: Build = ONE) -> plan.Wanted:
    return plan.Wanted(app="perpus", hosting=HOSTING, public=PUBLIC, closed=CLOSED, testing=made.digest)


def install(made: Build = ONE, *, fence: int = 1) -> plan.Request:
    return plan.install_request(wanted(made), manifest=made.text, fence=fence)


def open_up(host: Host, made: Build = ONE) -> plan.Request:
    signed = host.signer.permit(made.digest)
    return plan.open_request(
        app="perpus",
        hosting=HOSTING,
        digest=made.digest,
        fence=1,
        permit=signed.permit,
        signature=signed.signature,
        key=signed.key,
    )


# --- The whole way ---------------------------------------------------------------------------------------


def test_a_build_goes_over_one_channel_closed_then_open_then_back(host: Host, server: ssh.Server, store: Store) -> None:
    lines = list(ssh.run(server, install(), store))
    assert [line.kind for line in lines if line.kind in ("need", "sent", "done")] == ["need", "sent", "done"]
    assert lines[-1].site is not None
    assert lines[-1].site.testing == ONE.digest
    assert host.get(CLOSED, "/berkas/7.txt")[1] == bytes([7]) * 5000
    assert host.get(PUBLIC)[0] == 503

    assert ssh.ask(server, open_up(host)).kind == "done"
    assert host.get(PUBLIC)[1] == ONE.files["index.html"]
    closed = ssh.ask(server, plan.close_request(app="perpus", hosting=HOSTING, fence=1))

    assert closed.site is not None
    assert closed.site.front == "closed"
    facts = ssh.ask(server, plan.inspect_request("perpus", deep=True)).facts
    assert facts is not None
    assert facts.sites["perpus"].releases[ONE.digest].files == len(ONE.files)


def test_only_what_the_host_lacks_is_read_and_sent(server: ssh.Server, store: Store) -> None:
    first, second = Watched(store), Watched(store)

    sent = [line for line in ssh.run(server, install(), first) if line.kind == "sent"]
    again = list(ssh.run(server, install(), second))

    assert sorted(first.opened) == sorted(ONE.blobs)
    assert sent[-1].sent == sent[-1].total == sum(map(len, ONE.blobs.values()))
    assert second.opened == []
    assert again[-1].changed is False


def test_a_refusal_of_the_host_is_the_last_line_with_code_and_words(host: Host, server: ssh.Server) -> None:
    answer = ssh.ask(server, open_up(host))

    assert (answer.kind, answer.code) == ("refused", "not_installed")
    assert answer.text.endswith(".")


def test_what_breaks_the_grammar_is_refused_before_any_server_is_asked(server: ssh.Server) -> None:
    nowhere = ssh.Server("127.0.0.1", 1, "alur", server.key, server.host_key)

    for request in (
        plan.inspect_request("../x"),
        plan.Request(verb="shell", params={"command": "id"}),
        plan.install_request(wanted().model_copy(update={"public": "x; reboot"}), manifest=ONE.text, fence=1),
    ):
        with pytest.raises(ssh.MalformedRequest):
            list(ssh.run(nowhere, request))


# --- Who is there, and who may come in -------------------------------------------------------------------


def test_a_probe_shows_the_key_and_the_fingerprint_that_ssh_keygen_shows(host: Host) -> None:
    shown = ssh.probe_host_key("127.0.0.1", host.server.place.ssh_port)

    assert shown.line == host.server.host_key
    assert shown.fingerprint == asyncssh.import_public_key(host.server.host_key).get_fingerprint()


def test_a9_a_server_with_another_host_key_is_told_nothing(host: Host, store: Store) -> None:
    """A9: host key changed: an incident and a stop."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    with pytest.raises(ssh.HostKeyChanged) as refusal:
        list(ssh.run(_server(host, host_key=" ".join(other.split()[:2])), install(), store))

    assert refusal.value.code == "host_key_changed"
    assert not host.site.exists()


@pytest.mark.parametrize("pin", ["", "ssh-rsa AAAA", "ssh-ed25519 short", "ssh-ed25519 " + "A" * 68 + "\nevil"])
def test_a_server_without_a_good_pin_is_not_asked(host: Host, pin: str) -> None:
    with pytest.raises(ssh.MalformedRequest):
        list(ssh.run(_server(host, host_key=pin), plan.inspect_request()))


def test_a5_another_key_or_another_user_does_not_come_in(host: Host, tmp_path: Path) -> None:
    """A5: key misuse."""
    (tmp_path / "other").write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())

    for server in (_server(host, key=tmp_path / "other"), _server(host, user="root")):
        with pytest.raises(ssh.KeyNotAccepted):
            list(ssh.run(server, plan.inspect_request()))


def test_a5_alurs_key_gets_the_helper_whatever_it_asks_for(host: Host) -> None:
    """A5: no shell, no command of one's choosing, no files, no forwarding."""

    async def misuse() -> None:
        async with asyncssh.connect(
            "127.0.0.1",
            host.server.place.ssh_port,
            username="alur",
            client_keys=[host.client],
            known_hosts=asyncssh.import_known_hosts(f"[127.0.0.1]:{host.server.place.ssh_port} {host.server.host_key}"),
            config=None,
        ) as link:
            for command in ("id", "sh -c 'touch /tmp/x'", f"cat {host.home}/host_key", "--config /etc/passwd"):
                done = await link.run(command, input="not json\n", env={"PYTHONPATH": "/tmp", "LD_PRELOAD": "/x"})
                assert json.loads(str(done.stdout))["refused"] == "malformed"
            shell = await link.run()
            assert (shell.exit_status, shell.stdout) == (1, "")
            with pytest.raises(asyncssh.Error):
                await link.start_sftp_client()
            with pytest.raises(asyncssh.Error):
                await link.open_connection("127.0.0.1", host.server.place.http_port)
            with pytest.raises(asyncssh.ChannelListenError):
                await link.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 22)
            with pytest.raises(asyncssh.Error):
                await link.run("id", term_type="xterm", request_pty="force")

    asyncio.run(misuse())


# --- Nobody, or somebody odd -----------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_said_to_be_so(host: Host) -> None:
    with pytest.raises(ssh.HostUnreachable):
        list(ssh.run(_server(host, port=1), plan.inspect_request()))
    with pytest.raises(ssh.HostUnreachable):
        ssh.probe_host_key("127.0.0.1", 1)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000, b"SSH-2.0-alone\r\n"])
def test_what_listens_but_does_not_speak_ssh_is_given_up_in_time(host: Host, greeting: bytes) -> None:
    with _listener(greeting) as port, pytest.raises(ssh.HostUnreachable):
        list(ssh.run(_server(host, port=port), plan.inspect_request(), limits=ssh.Limits(connect=1)))


@contextmanager
def _listener(greeting: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        links: list[socket.socket] = []

        def answer() -> None:
            try:
                link, _ = door.accept()
                links.append(link)
                link.sendall(greeting)
            except OSError:
                return

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield int(door.getsockname()[1])
        finally:
            thread.join()
            for link in links:
                link.close()


GOOD_STEP = b'{"step":"files","state":"start","text":"ya"}\n'
DONE = b'{"done":{"changed":true}}\n'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ssh.ConnectionCut),
        (GOOD_STEP, ssh.ConnectionCut),
        (DONE[:-1], ssh.ConnectionCut),
        (b"bash: alur: command not found\n", ssh.HostSpeaksOddly),
        (b"\x00\xff\xfe\n", ssh.HostSpeaksOddly),
        (b"null\n", ssh.HostSpeaksOddly),
        (b"{}\n", ssh.HostSpeaksOddly),
        (b'{"step":1}\n', ssh.HostSpeaksOddly),
        (b'{"step":"files","state":"won","text":""}\n', ssh.HostSpeaksOddly),
        (b'{"done":true}\n', ssh.HostSpeaksOddly),
        (b'{"done":{"site":{"hosting":1}}}\n', ssh.HostSpeaksOddly),
        (b'{"facts":{"sites":{"../x":{}}}}\n', ssh.HostSpeaksOddly),
        (b'{"need":["../../../etc/shadow"],"bytes":1}\n', ssh.HostSpeaksOddly),
        (b'{"need":"x","bytes":1}\n', ssh.HostSpeaksOddly),
        (b"[" * 9000 + b"\n", ssh.HostSpeaksOddly),
        (b"x" * 10_001 + b"\n", ssh.HostSpeaksOddly),
        (b"x" * 100_000, ssh.HostSpeaksOddly),
        (GOOD_STEP * 3000, ssh.HostSpeaksOddly),
    ],
)
def test_a7_hostile_output_of_a_host_is_data_and_capped(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    """A7: whatever the host says, it ends as a refusal in words."""
    with _odd_server(tmp_path, answer) as server, pytest.raises(error):
        list(ssh.run(server, plan.inspect_request(), limits=QUICK))


def test_a7_a_host_may_not_ask_for_files_that_were_not_offered(tmp_path: Path) -> None:
    need = f'{{"need":["{"0" * 64}"],"bytes":1}}\n'.encode()

    with _odd_server(tmp_path, need) as server, pytest.raises(ssh.HostSpeaksOddly):
        list(ssh.run(server, plan.inspect_request(), limits=QUICK))


def test_a7_control_signs_in_a_hosts_words_are_made_plain(tmp_path: Path) -> None:
    words = '{"step":"fi\\u001b[2Jles","state":"done","text":"a\\u0007\\u202eb\\nc\\u0000 ' + "d" * 5000 + '"}\n'

    with _odd_server(tmp_path, words.encode() + DONE) as server:
        step, last = ssh.run(server, plan.inspect_request(), limits=QUICK)

    assert step.step.isprintable()
    assert step.text.isprintable()
    assert len(step.text) <= 600
    assert last.changed is True


def test_a_host_that_falls_silent_is_given_up_in_time(tmp_path: Path) -> None:
    with _odd_server(tmp_path, GOOD_STEP, stays=True) as server, pytest.raises(ssh.ConnectionCut):
        list(ssh.run(server, plan.inspect_request(), limits=QUICK))


@pytest.mark.parametrize(
    "old",
    [
        {"encryption_algs": ["aes128-cbc"]},
        {"encryption_algs": ["aes256-ctr"], "mac_algs": ["hmac-sha1"]},
        {"kex_algs": ["diffie-hellman-group1-sha1"]},
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"server_host_keys": "ecdsa-sha2-nistp256"},
        {"server_host_keys": "ssh-rsa"},
    ],
    ids=str,
)
def test_a_server_with_old_ciphers_or_another_kind_of_key_is_not_spoken_to(tmp_path: Path, old: dict[str, Any]) -> None:
    with _odd_server(tmp_path, DONE, **old) as server, pytest.raises(ssh.HostUnreachable):
        list(ssh.run(server, plan.inspect_request(), limits=QUICK))


@contextmanager
def _odd_server(folder: Path, answer: bytes, *, stays: bool = False, **options: Any) -> Iterator[ssh.Server]:
    """Run an SSH server in a thread that lets anybody in and says `answer`, whatever it is asked."""
    kind = options.pop("server_host_keys", "ssh-ed25519")
    key = asyncssh.generate_private_key("ssh-ed25519")
    host_key = key if kind == "ssh-ed25519" else asyncssh.generate_private_key(kind)
    (folder / "key").write_bytes(key.export_private_key())
    ready: Future[tuple[int, asyncio.AbstractEventLoop]] = Future()
    stop = asyncio.Event()
    links: list[asyncssh.SSHServerConnection] = []

    class Open(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            links.append(conn)

        def begin_auth(self, username: str) -> bool:
            return False

        def public_key_auth_supported(self) -> bool:
            return True

    async def say(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(answer)
        if stays:
            await stop.wait()
        process.exit(0)

    async def serve() -> None:
        door = await asyncssh.create_server(
            Open, "127.0.0.1", 0, server_host_keys=[host_key], process_factory=say, encoding=None, **options
        )
        ready.set_result((door.get_port(), asyncio.get_running_loop()))
        await stop.wait()
        door.close()
        await door.wait_closed()
        for link in links:
            link.abort()
            await link.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    pin = " ".join(key.export_public_key().decode().split()[:2])
    port, loop = ready.result(10)
    try:
        yield ssh.Server("127.0.0.1", port, "alur", folder / "key", pin)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


# --- Cut connections -------------------------------------------------------------------------------------


def test_f35_a_worker_that_dies_while_sending_leaves_a_host_that_can_go_on(
    host: Host, server: ssh.Server, store: Store
) -> None:
    """F35: Alur's side ends in mid-upload; the repeated install sends only the rest."""
    dying = Watched(store, breaks_after=25)
    with pytest.raises(RuntimeError):
        list(ssh.run(server, install(), dying))

    rest = Watched(store)
    last = list(ssh.run(server, install(fence=2), rest))[-1]

    assert last.kind == "done"
    assert len(rest.opened) < len(ONE.blobs)
    assert host.get(CLOSED, "/berkas/29.txt")[1] == bytes([29]) * 5000


@pytest.mark.parametrize("after", [0, 1500, 4000, 20_000, 60_000, 120_000])
def test_f35_a_network_that_is_cut_anywhere_leaves_a_host_that_can_go_on(
    host: Host, server: ssh.Server, store: Store, after: int
) -> None:
    """F35: the wire itself is cut after so many bytes from Alur."""
    with _relay(server.port, after) as port, pytest.raises((ssh.ConnectionCut, ssh.HostUnreachable)):
        list(ssh.run(ssh.Server("127.0.0.1", port, "alur", server.key, server.host_key), install(), store))

    last = list(ssh.run(server, install(fence=2), store))[-1]

    assert last.kind == "done"
    assert host.get(CLOSED)[1] == ONE.files["index.html"]
    assert host.get(PUBLIC)[0] == 503


def test_hanging_up_after_the_first_word_lets_the_helper_end_its_verb(
    host: Host, server: ssh.Server, store: Store
) -> None:
    list(ssh.run(server, install(), store))
    lines = ssh.run(server, open_up(host))
    assert next(lines).step == "permit"
    lines.close()  # type: ignore[attr-defined]

    last = ssh.ask(server, open_up(host))

    assert last.kind == "done"
    assert last.site is not None
    assert (last.site.front, last.site.unfinished) == ("open", False)


@contextmanager
def _relay(port: int, after: int) -> Iterator[int]:
    """Pass bytes on until `after` of them came from the caller, then cut both ends."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def pass_on() -> None:
            caller, _ = door.accept()
            with caller, socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=_copy, args=(server, caller, 1 << 40))
                back.start()
                _copy(caller, server, after)
                for link in (caller, server):
                    with suppress(OSError):
                        link.shutdown(socket.SHUT_RDWR)
                back.join()

        thread = threading.Thread(target=pass_on)
        thread.start()
        try:
            yield int(door.getsockname()[1])
        finally:
            thread.join()


def _copy(source: socket.socket, target: socket.socket, most: int) -> None:
    try:
        while most > 0 and (piece := source.recv(min(most, 4096))):
            target.sendall(piece)
            most -= len(piece)
    except OSError:
        return


def test_a_store_file_that_was_swapped_is_seen_by_the_host(host: Host, server: ssh.Server, store: Store) -> None:
    """G3: swapped in the store, after the scan."""

    class Swapped:
        def open(self, digest: str) -> BinaryIO:
            with store.open(digest) as file:
                content = file.read()
            return io.BytesIO(content.replace(b"satu", b"judi"))

    last = list(ssh.run(server, install(), Swapped()))[-1]

    assert (last.kind, last.code) == ("refused", "other_digest")
    assert not (host.site / "releases" / ONE.digest).exists()
