"""The proof pack of a case: evidence from every division in one archive that can be checked without Alur (X13)."""

import hashlib
import json
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.actions.case import SERVICE, find
from services.proposal.authority import ACTS
from services.proposal.model import Case, Paper, ProofPack, ProofPart, TraceEntry
from shared import audit, jobs, proving
from shared.authority import authorize
from shared.database import Database
from shared.errors import Incomplete, OutOfTurn
from shared.identity import Person
from shared.jobs import Job, Lease
from shared.keys import Keys
from shared.mailbox import post
from shared.messages import ProofAsked, ProofGiven
from shared.sentence import Sentence
from shared.store import CHUNK, Store
from shared.words import long_moment

BUILD: Final = "build_proof_pack"
MOST_LINES: Final = 4_000
"""Audit lines that one pack may cite: their numbers must fit into one letter."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
MANIFEST, SIGNATURE = "manifest.json", "signature.json"

README = """PAKET BUKTI PERKARA {number}
{name}

Diminta pada {at} oleh {by} ({as_what}). Jejak memuat {entries} catatan.

ISI
  trace.json       jejak perkara: setiap catatan dengan waktu, orang, jabatan, dan dokumennya
  audit/           baris rantai audit setiap bagian yang ditunjuk jejak, beserta sidiknya dan sidik baris sebelumnya
  papers/          dokumen, bernama sidiknya (SHA-256)
  builds/          daftar berkas setiap kemasan aplikasi, bernama sidiknya
  permits/         izin keamanan yang ditandatangani (Ed25519) beserta kunci pemeriksanya
  codes.json       kode pemeriksaan setiap dokumen cetak, penanda tangannya, dan apakah masih berlaku
  manifest.json    sidik setiap berkas di atas
  signature.json   tanda tangan (Ed25519) atas manifest.json dan kunci pemeriksanya

CARA MEMERIKSA
Tanpa Alur dan tanpa jaringan, dengan Python 3.10 atau lebih baru:
  python3 check_proof.py PAKET.zip --key KUNCI
Ambil check_proof.py dan KUNCI dari sumber di luar paket ini: skripnya dari kode sumber Alur (berkas
alur/check_proof.py), kuncinya dari halaman Periksa dokumen pada Alur. Paket yang membawa pemeriksanya sendiri tidak
membuktikan apa pun.

YANG DIBUKTIKAN
  - Setiap berkas persis seperti ketika paket ditandatangani oleh pemasangan Alur pemegang kunci itu.
  - Setiap catatan jejak yang menunjuk baris audit menunjuk baris yang ada di sini, dan sidik baris itu cocok dengan
    isinya. Baris yang bernomor berurutan juga diperiksa sambungannya.
  - Setiap dokumen dan daftar kemasan cocok dengan sidiknya; setiap izin keamanan asli menurut kuncinya.

YANG TIDAK DIBUKTIKAN
  - Bahwa tidak ada baris lain di antara baris audit yang dikutip: paket memuat kutipan, bukan seluruh rantai. Untuk
    itu auditor menjalankan pemeriksaan rantai pada Alur dan mencocokkan kepala rantai (head) pada berkas audit/.
  - Bahwa isi dokumen benar, atau bahwa kejadian di luar Alur tercatat.

Paket memuat nama orang dan catatan dinas. Simpan dan serahkan menurut aturan arsip.
"""


def make_proof_pack(session: Session, by: Person, case_id: UUID) -> ProofPack:
    """Ask every division for its evidence of a case; the archive is made when all have answered.

    Raises OutOfTurn while an earlier pack of the case is being made or the trace is empty, Incomplete for a trace
    that cites more lines than fit.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.make_proof_pack, case)
    under_way = select(ProofPack.id).where(
        ProofPack.case_id == case.id, ProofPack.digest == "", ProofPack.refusal == ""
    )
    if session.scalar(under_way):
        raise OutOfTurn("Paket bukti perkara ini sedang disusun. Tunggu sampai selesai, lalu muat ulang halamannya.")
    # Whoever writes into the trace holds the case's row: nothing can come in between, numbered lower.
    entries = _entries(session, case)
    if not entries:
        raise OutOfTurn("Perkara ini belum mempunyai jejak. Paket bukti disusun setelah usulan diajukan.")
    lines: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if entry.audit_seq is not None:
            lines[entry.audit_service].add(entry.audit_seq)
    if sum(map(len, lines.values())) > MOST_LINES:
        raise Incomplete(
            Sentence(
                "Jejak perkara ini menunjuk lebih dari {most_lines} baris audit. Hubungi pengelola Alur.",
                most_lines=MOST_LINES,
            )
        )
    pack = ProofPack(
        case_id=case.id,
        case=case,
        until_seq=max(entry.seq for entry in entries),
        asked_by_id=by.id,
        asked_by_name=by.name,
        asked_as=by.as_what,
        answered=[],
    )
    session.add(pack)
    session.flush()
    _keep_own(session, pack, sorted(lines.pop(SERVICE, ())))
    post(
        session,
        ProofAsked(
            pack_id=pack.id,
            case_id=case.id,
            case_number=case.number,
            lines={division: tuple(sorted(seqs)) for division, seqs in lines.items()},
        ),
        by=by,
    )
    return pack


def _keep_own(session: Session, pack: ProofPack, seqs: Sequence[int]) -> None:
    head: audit.Link = session.info["audit"]
    digests = session.scalars(
        select(Paper.digest).where(Paper.case_id == pack.case_id, Paper.source == SERVICE, Paper.digest != "")
    ).all()
    items = [*proving.cited(session, seqs), *proving.papers(session, pack.case.number, digests)]
    session.add(
        ProofPart(
            pack_id=pack.id,
            division=SERVICE,
            part=1,
            parts=1,
            head_seq=head.seq,
            head_hash=head.hash,
            items=[item.model_dump() for item in items],
        )
    )
    session.flush()


def take_proof(session: Session, message: ProofGiven) -> None:
    """Keep what a division gave; when nothing lacks, have the archive made. Raises OutOfTurn for an unknown pack."""
    pack = session.get(ProofPack, message.pack_id, with_for_update={"of": ProofPack})
    if pack is None:
        raise OutOfTurn("Paket bukti ini belum dikenal.")
    session.merge(
        ProofPart(
            pack_id=pack.id,
            division=message.division,
            part=message.part,
            parts=message.parts,
            head_seq=message.head_seq,
            head_hash=message.head_hash,
            items=[item.model_dump() for item in message.items],
        )
    )
    session.flush()
    here = session.scalars(
        select(ProofPart.part).where(ProofPart.pack_id == pack.id, ProofPart.division == message.division)
    ).all()
    if len(here) == message.parts and message.division not in pack.answered:
        pack.answered = [*pack.answered, message.division]
    if not pack.missing and pack.job_id is None:
        pack.job_id = jobs.start(session, BUILD, pack.id).id


def build_pack(database: Database, lease: Lease, *, store: Store, keys: Keys) -> None:
    """Make the archive of a pack and keep it in the store (a job's runner); the same pack gives the same bytes.

    Raises Incomplete when the trace cites a line that its division does not have, and the store's refusals when a
    paper is missing or damaged: a pack that cannot prove is not made.
    """
    with database.session() as session:
        pack = session.get_one(ProofPack, UUID(lease.job.thing_id))
        entries = _entries(session, pack.case, until=pack.until_seq)
        papers = session.scalars(
            select(Paper)
            .where(Paper.trace_entry_id.in_([entry.id for entry in entries]))
            .order_by(Paper.created_at, Paper.id)
        ).all()
        parts = session.scalars(
            select(ProofPart).where(ProofPart.pack_id == pack.id).order_by(ProofPart.division, ProofPart.part)
        ).all()
    with tempfile.TemporaryFile() as file:
        with lease.step("Menyusun paket bukti"), zipfile.ZipFile(file, "w") as archive:
            writer = _Writer(archive, lease)
            _write(writer, pack, entries, papers, parts, store)
            writer.seal(pack, keys)
        file.seek(0)
        digest = store.put(file)
        size = file.seek(0, 2)
    with lease.recording() as session:
        made = session.get_one(ProofPack, pack.id)
        made.digest, made.size, made.files = digest, size, len(writer.listed)
        audit.record(session, None, "seal_proof_pack", made, case=made.case.number, digest=digest, files=made.files)
        lease.finish(session, {"digest": digest})


def note_failure(session: Session, job: Job) -> None:
    """Say on the pack why it could not be made."""
    pack = session.get_one(ProofPack, UUID(job.thing_id))
    pack.refusal = job.reason or "Penyusunan berhenti."
    audit.record(session, None, "fail_proof_pack", pack, reason=pack.refusal)


class _Writer:
    """Writes files into the archive, always the same bytes for the same content, and lists them for the manifest."""

    def __init__(self, archive: zipfile.ZipFile, lease: Lease) -> None:
        self._archive = archive
        self._lease = lease
        self.listed: list[dict[str, Any]] = []

    def text(self, path: str, words: str) -> None:
        self._put(path, [words.encode()], len(words.encode()))

    def json(self, path: str, value: Any) -> None:
        self.text(path, _json(value))

    def file(self, path: str, file: BinaryIO) -> None:
        size = file.seek(0, 2)
        file.seek(0)
        with file:
            self._put(path, iter(lambda: file.read(CHUNK), b""), size)
        if len(self.listed) % 10 == 0:
            self._lease.write_line(f"{len(self.listed)} berkas")

    def seal(self, pack: ProofPack, keys: Keys) -> None:
        """Write the manifest of everything so far, and its signature."""
        facts = {"v": 1, "case": pack.case.number, "pack": str(pack.id), "asked_at": pack.created_at.isoformat()}
        manifest = _json({**facts, "files": self.listed[:]})
        key = keys.proof()
        self.text(MANIFEST, manifest)
        public = key.public_key().public_bytes_raw().hex()
        self.json(SIGNATURE, {"public_key": public, "signature": key.sign(manifest.encode()).hex()})

    def _put(self, path: str, pieces: Iterable[bytes], size: int) -> None:
        info = zipfile.ZipInfo(path, EPOCH)
        info.create_system, info.external_attr, info.file_size = 3, 0o644 << 16, size
        seen = hashlib.sha256()
        with self._archive.open(info, "w") as into:
            for piece in pieces:
                seen.update(piece)
                into.write(piece)
        self.listed.append({"path": path, "sha256": seen.hexdigest(), "size": size})


def _write(
    writer: _Writer,
    pack: ProofPack,
    entries: Sequence[TraceEntry],
    papers: Sequence[Paper],
    parts: Sequence[ProofPart],
    store: Store,
) -> None:
    given: dict[str, list[dict[str, Any]]] = defaultdict(list)
    chains: dict[str, dict[str, Any]] = {}
    for part in parts:
        head = {"seq": part.head_seq, "hash": part.head_hash}
        chain = chains.setdefault(part.division, {"service": part.division, "head": head, "lines": []})
        for item in part.items:
            (chain["lines"] if item["kind"] == "line" else given[item["kind"]]).append(json.loads(item["body"]))
    _must_be_cited(entries, chains)
    names = dict(_file_names(papers, store))
    writer.text("README.txt", _readme(pack, entries))
    writer.json("trace.json", _trace(pack.case, entries, papers, names))
    for division in sorted(chains):
        if chains[division]["lines"]:
            writer.json(f"audit/{division}.json", chains[division])
    writer.json("codes.json", [code for code in given["paper"] if code["digest"] in names])
    for permit in given["permit"]:
        writer.json(f"permits/{json.loads(permit['permit'])['id']}.json", permit)
    for digest in sorted({entry.digest for entry in entries if entry.digest}):
        if store.has(digest):
            writer.file(f"builds/{digest}.txt", store.open(digest, verify=True))
    for digest, path in sorted(names.items()):
        writer.file(path, store.open(digest, verify=True))


def _must_be_cited(entries: Sequence[TraceEntry], chains: dict[str, dict[str, Any]]) -> None:
    known = {(name, line["seq"]): line["hash"] for name, chain in chains.items() for line in chain["lines"]}
    for entry in entries:
        place = (entry.audit_service, entry.audit_seq)
        if entry.audit_seq is not None and known.get(place) != entry.audit_hash:
            raise Incomplete(
                Sentence(
                    "Catatan “{says}” menunjuk baris {audit_seq} rantai audit {audit_service}, tetapi baris itu "
                    "tidak ada atau berbeda. Paket bukti tidak disusun; mohon laporkan kepada SPI.",
                    says=entry.says,
                    audit_seq=entry.audit_seq,
                    audit_service=entry.audit_service,
                )
            )


def _file_names(papers: Sequence[Paper], store: Store) -> Iterator[tuple[str, str]]:
    for paper in papers:
        if paper.digest:
            with store.open(paper.digest) as file:
                suffix = ".pdf" if file.read(5) == b"%PDF-" else PurePath(paper.file_name).suffix.lower()
            plain = suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""
            yield paper.digest, f"papers/{paper.digest}{plain or '.bin'}"


def _trace(case: Case, entries: Sequence[TraceEntry], papers: Sequence[Paper], names: dict[str, str]) -> dict[str, Any]:
    words = ("step", "kind", "says", "detail", "note", "move", "status", "person_name", "as_what", "acting_for")
    return {
        "case": {
            "number": case.number,
            "code": case.code,
            "name": case.name,
            "unit": case.unit,
            "sop_version": case.sop_version,
            "status": entries[-1].status,
        },
        "entries": [
            {
                "seq": entry.seq,
                "at": entry.at.isoformat(),
                **{word: getattr(entry, word) for word in words},
                "build": entry.digest,
                "audit": {"service": entry.audit_service, "seq": entry.audit_seq, "hash": entry.audit_hash}
                if entry.audit_seq is not None
                else None,
                "papers": [
                    {
                        "kind": paper.kind,
                        "title": paper.title,
                        "number": paper.number,
                        "digest": paper.digest,
                        "file": names.get(paper.digest, ""),
                    }
                    for paper in papers
                    if paper.trace_entry_id == entry.id
                ],
            }
            for entry in entries
        ],
    }


def _readme(pack: ProofPack, entries: Sequence[TraceEntry]) -> str:
    return README.format(
        number=pack.case.number,
        name=pack.case.name,
        at=long_moment(pack.created_at),
        by=pack.asked_by_name,
        as_what=pack.asked_as,
        entries=len(entries),
    )


def _entries(session: Session, case: Case, *, until: int | None = None) -> Sequence[TraceEntry]:
    asked = select(TraceEntry).where(TraceEntry.case_id == case.id)
    if until is not None:
        asked = asked.where(TraceEntry.seq <= until)
    return session.scalars(asked.order_by(TraceEntry.seq)).all()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
