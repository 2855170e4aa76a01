"""The server register: look first, compare the fingerprint, then pin it; a changed key stops everything."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.authority import ACTS
from services.deploy.model import Hosting, HostingStatus, Probe, Server, ServerKind
from shared import audit, jobs
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence


def probe_server(session: Session, by: Person, *, address: str, port: int) -> Probe:
    """Begin one look at a server and return the probe; its host key is there once the job is done (S07)."""
    by = authorize(session, by, ACTS.probe_server, f"server:{address}:{port}")
    probe = Probe(address=address, port=port, asked_by_id=by.id, asked_by_name=by.name)
    session.add(probe)
    session.flush()
    probe.job_id = jobs.start(session, "probe", probe.id, most_attempts=2).id
    return probe


def note_probe(session: Session, probe_id: UUID, *, host_key: str, fingerprint: str) -> None:
    """Keep the host key that a server showed."""
    probe = session.get_one(Probe, probe_id)
    probe.host_key, probe.fingerprint = host_key, fingerprint


def note_probe_failure(session: Session, probe_id: UUID, *, reason: str) -> None:
    """Keep why a server did not show a key."""
    session.get_one(Probe, probe_id).reason = reason


def register_server(
    session: Session,
    by: Person,
    *,
    name: str,
    kind: str,
    address: str,
    port: int,
    username: str,
    fingerprint: str,
    base_domain: str,
    connect_address: str,
    connect_port: int,
) -> Server:
    """Enter a server into the register under the fingerprint that its owner gave, and return it (S07).

    Raises OutOfTurn when nobody looked at it first, Incomplete when it showed another key than this.
    """
    by = authorize(session, by, ACTS.register_server, f"server:{name}", fingerprint=fingerprint)
    if session.scalar(select(Server.id).where(Server.name == name)):
        _wrong("name", Sentence("Nama server “{name}” sudah dipakai. Mohon pilih nama lain.", name=name))
    in_use = select(Server.name).where(Server.address == address, Server.port == port, Server.status != "retired")
    if other := session.scalar(in_use):
        _wrong("address", Sentence("Alamat ini sudah terdaftar sebagai server “{other}”.", other=other))
    server = Server(
        name=name,
        kind=ServerKind(kind),
        address=address,
        port=port,
        username=username,
        host_key=_confirmed_key(session, address=address, port=port, fingerprint=fingerprint),
        fingerprint=fingerprint,
        base_domain=base_domain,
        connect_address=connect_address,
        connect_port=connect_port,
        registered_by_id=by.id,
        registered_by_name=by.name,
    )
    session.add(server)
    session.flush()
    return server


def repin_server(session: Session, by: Person, server_id: UUID, *, fingerprint: str) -> Server:
    """Pin a new host key after a look and a comparison; the server may be used again (S07)."""
    server = find_server(session, server_id)
    by = authorize(session, by, ACTS.repin_server, server, before=server.fingerprint, fingerprint=fingerprint)
    server.move("repin_server")
    server.host_key = _confirmed_key(session, address=server.address, port=server.port, fingerprint=fingerprint)
    server.fingerprint = fingerprint
    server.reason = ""
    return server


def retire_server(session: Session, by: Person, server_id: UUID, *, reason: str) -> Server:
    """Take a server out of use; raise OutOfTurn while hostings stand on it (S07)."""
    server = find_server(session, server_id)
    by = authorize(session, by, ACTS.retire_server, server)
    used = select(Hosting.id).where(Hosting.server_id == server.id, Hosting.status == HostingStatus.READY)
    if session.scalar(used.limit(1)):
        raise OutOfTurn(
            "Masih ada hosting di server ini. Pindahkan atau tutup hosting itu dahulu, lalu hentikan servernya."
        )
    server.move("retire_server")
    server.reason = reason
    return server


def suspend_server(session: Session, server_id: UUID, *, shown: str) -> None:
    """Stop using a server that showed another host key than the pinned one: an incident (S07)."""
    server = find_server(session, server_id)
    server.move("suspend")
    server.reason = (
        f"Pada {utc_now():%d/%m/%Y %H.%M} UTC server menunjukkan kunci lain ({shown or 'tidak terbaca'}) daripada "
        f"yang dikunci ({server.fingerprint}). Semua pekerjaan dihentikan sampai diperiksa."
    )
    audit.record(session, None, "host_key_changed", server, pinned=server.fingerprint, shown=shown)


def find_server(session: Session, server_id: UUID) -> Server:
    """Return a server, locked; raise NotFound."""
    server = session.get(Server, server_id, with_for_update=True)
    if server is None:
        raise NotFound("Server tidak ditemukan. Periksa daftar server.")
    return server


def _confirmed_key(session: Session, *, address: str, port: int, fingerprint: str) -> str:
    """Return the host key that the newest finished look at this address showed, if it has this fingerprint."""
    shown = session.scalar(
        select(Probe)
        .where(Probe.address == address, Probe.port == port, Probe.host_key != "")
        .order_by(Probe.created_at.desc())
        .limit(1)
    )
    if shown is None:
        raise OutOfTurn(
            Sentence(
                "Server {address} port {port} belum pernah diperiksa. Mohon periksa dahulu dengan “Periksa "
                "server”, cocokkan sidik jarinya dengan pemilik server, lalu daftarkan.",
                address=address,
                port=port,
            )
        )
    if shown.fingerprint != fingerprint:
        _wrong(
            "fingerprint",
            Sentence(
                "Sidik jari yang diisikan berbeda dari yang ditunjukkan server ({fingerprint}). Mohon cocokkan "
                "kembali dengan pemilik server; jangan lanjutkan bila tetap berbeda.",
                fingerprint=shown.fingerprint,
            ),
        )
    return shown.host_key


def _wrong(field: str, words: str) -> None:
    raise Incomplete(words, errors=[FieldError(f"/{field}", words)])
