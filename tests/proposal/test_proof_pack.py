"""X13: one archive shows a case's way and is checked without Alur; whatever was changed is found and named."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.proposal import actions, queries
from services.proposal.actions.proof import EPOCH
from services.proposal.app import make
from services.proposal.model import PROVERS, Case, Office, ProofPack, TraceEntry
from services.proposal.settings import Settings
from services.proposal.tasks import make_worker
from shared import audit, issued, jobs, messages, permit, proving
from shared.database import Database
from shared.errors import NotAllowed, NotFound, OutOfTurn
from shared.identity import Person
from shared.keys import Keys
from shared.mailbox import Actor, Letter
from shared.messages import PaperFact, ProofAsked, ProofGiven
from tests.doors import Door
from tests.people import ANI, BUDI, CITRA, EDI, FITRI, GITA, SARI
from tests.proposal.walk import TERMS, Walk, letter_of

SCRIPT = Path(__file__).parents[2] / "alur" / "check_proof.py"
MANIFEST = b"a" * 40 + b" index.html\n"
BUILD = hashlib.sha256(MANIFEST).hexdigest()


@dataclass
class Prover:
    """The application division on a database of its own, the others as far as a pack asks them."""

    database: Database
    office: Office
    keys: Keys
    settings: Settings
    divisions: dict[str, Session]
    signer: Ed25519PrivateKey

    def act(self, do: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do one thing in a transaction of its own."""
        with self.database.transaction() as session:
            return do(session, *given, **named)

    def tell(self, walk: Walk, case: Case, division: str, kind: type[messages.CaseMessage], **facts: Any) -> None:
        """Let a division tell a fact that stands in its own audit chain."""
        audit.record(self.divisions[division], GITA, "record_other", "thing:other", note="tidak dikutip")
        link = audit.record(self.divisions[division], GITA, kind.__name__, f"case:{case.id}", amount=1)
        message = kind(case_id=case.id, case_number=case.number, **(walk.usual(case, kind) | facts))
        letter = letter_of(message)
        actor = letter.actor.model_copy(update={"audit_seq": link.seq, "audit_hash": link.hash})
        actions.note(walk.session, message, replace(letter, actor=actor))

    def case(self) -> Case:
        """Return a case in the middle of its way, with papers, a build and facts of three divisions."""
        store = self.office.store
        store.put(MANIFEST)
        contract = store.put(b"%PDF-1.7 kontrak")
        code = issued.issue(
            self.divisions["budget"],
            "budget",
            kind="kontrak_spk",
            title="Kontrak",
            number="007/PPK/02/2026",
            on=datetime.now(UTC).date(),
            signers=[issued.Signer(name=GITA.name, as_what="PPK", signed_at=datetime.now(UTC))],
        )
        issued.seal(self.divisions["budget"], code, contract)
        with self.database.transaction() as session:
            walk = Walk(session, self.office)
            case = walk.programmed()
            actions.write_terms(session, BUDI, case.id, self.office, TERMS)
            walk.minuted(case, "weekly")
            walk.minuted(case, "annual")
            self.tell(walk, case, "budget", messages.BudgetPlanLocked)
            actions.conclude(session, BUDI, case.id)
            self.tell(walk, case, "budget", messages.PlanConveyed)
            self.tell(walk, case, "budget", messages.CeilingSet)
            paper = PaperFact(kind="kontrak_spk", title="Kontrak", number="007/PPK/02/2026", digest=contract)
            self.tell(walk, case, "budget", messages.ContractSigned, papers=(paper,))
            self.tell(walk, case, "deploy", messages.BuildReceived, digest=BUILD)
            issued_row = issued.registered_paper
            self.divisions["budget"].execute(issued_row.update().values(case_number=case.number))
            return case

    def permits(self, session: Session, case_id: UUID) -> list[dict[str, Any]]:
        """Return a permit for the case's build, as the security division would."""
        now = datetime(2026, 11, 1, tzinfo=UTC)
        given = permit.Permit(
            id=UUID(int=7),
            case="P-1",
            application="presensi",
            digest=BUILD,
            hosting="presensi",
            policy="0" * 64,
            scans=("scan",),
            round=1,
            issued_at=now,
            install_until=now + timedelta(days=30),
            valid_until=now + timedelta(days=365),
        )
        signed = permit.sign(given, self.signer).model_dump()
        return [{**signed, "public_key": self.signer.public_key().public_bytes_raw().hex(), "revoked_reason": ""}]

    def answered(self, case: Case, *, by: Person = SARI) -> ProofPack:
        """Return a pack for which every division has given its evidence."""
        pack: ProofPack = self.act(actions.make_proof_pack, by, case.id)
        with self.database.session() as session:
            asked = ProofAsked.model_validate_json(
                session.execute(text("SELECT body FROM msg.outbox WHERE kind = 'ProofAsked' LIMIT 1")).scalar_one()
            )
        for division in PROVERS:
            for given in self.give(division, asked):
                self.act(actions.take_proof, given)
        return pack

    def give(self, division: str, asked: ProofAsked) -> list[ProofGiven]:
        """Return the letters in which a division answers."""
        session = self.divisions[division]
        permits = self.permits if division == "security" else None
        proving.give(session, division, asked, _letter(asked), permits=permits)
        rows = session.execute(text("SELECT body FROM msg.outbox WHERE kind = 'ProofGiven' ORDER BY seq"))
        return [ProofGiven.model_validate_json(row.body) for row in rows]

    def built(self, pack: ProofPack) -> ProofPack:
        """Let the worker make the archive; return the pack as it is then."""
        with self.database.session() as session:
            job_id = session.get_one(ProofPack, pack.id).job_id
        assert job_id
        worker = make_worker(self.settings)
        worker.run(job_id)
        worker.database.close()
        with self.database.session() as session:
            return session.get_one(ProofPack, pack.id)


def _letter(message: ProofAsked) -> Letter:
    return Letter(
        id=uuid4(),
        source="proposal",
        dest="budget",
        aggregate=message.aggregate,
        version=1,
        kind="ProofAsked",
        schema_v=1,
        created_at=datetime.now(UTC),
        trace="",
        actor=Actor(id=SARI.id, name=SARI.name, as_what=SARI.as_what),
        body={},
        digest="",
        sent=1,
    )


@pytest.fixture
def prover(
    database_of: Callable[[str], Database], sessions: Callable[[str], Session], keys: Keys, tmp_path: Path
) -> Prover:
    """Return the application division and its neighbours."""
    database = database_of("proposal")
    settings = Settings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files")
    neighbours = {division: sessions(division) for division in PROVERS}
    return Prover(database, Office.of(settings), keys, settings, neighbours, Ed25519PrivateKey.generate())


MADE: list[bytes] = []


@pytest.fixture
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a whole pack as a file outside the source tree; it is made once for all tests."""
    if not MADE:
        prover: Prover = request.getfixturevalue("prover")
        made = prover.built(prover.answered(prover.case()))
        assert made.digest, made.refusal
        MADE.append(prover.office.store.path(made.digest).read_bytes())
    path = tmp_path / "bukti.zip"
    path.write_bytes(MADE[0])
    return path


def check(path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as an auditor does: alone, without this environment, from a folder of its own."""
    folder = path.parent / "auditor"
    folder.mkdir(exist_ok=True)
    script = shutil.copy(SCRIPT, folder)
    return subprocess.run(
        [sys.executable, "-I", "-S", script, str(path), *more],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], key: Ed25519PrivateKey | None = None) -> Path:
    """Return a copy whose files were changed and written again; with a key also listed and signed anew."""
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    change(files)
    if key:
        told = json.loads(files.pop("manifest.json"))
        files.pop("signature.json")
        told["files"] = [
            {"path": name, "sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            for name, body in files.items()
        ]
        files["manifest.json"] = json.dumps(told).encode()
        public = key.public_key().public_bytes_raw().hex()
        sealed = {"public_key": public, "signature": key.sign(files["manifest.json"]).hex()}
        files["signature.json"] = json.dumps(sealed).encode()
    copy = path.with_name("lain.zip")
    with zipfile.ZipFile(copy, "w") as archive:
        for name, body in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, body)
    return copy


def flipped(body: bytes, place: int = -2) -> bytes:
    """Return the bytes with one of them changed."""
    changed = bytearray(body)
    changed[place] ^= 1
    return bytes(changed)


KINDS = ("README.txt", "trace.json", "audit/budget.json", "papers/", "builds/", "permits/", "codes.json")
EVERY = (*KINDS, "manifest.json", "signature.json")


def named(path: Path, begin: str) -> str:
    """Return the first file of a kind."""
    with zipfile.ZipFile(path) as archive:
        return next(name for name in archive.namelist() if name.startswith(begin))


# --- making one -------------------------------------------------------------------------------------------


def test_a_pack_holds_papers_trace_lines_permits_and_codes(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        names = archive.namelist()
        trace = json.loads(archive.read("trace.json"))
        chain = json.loads(archive.read("audit/budget.json"))
        codes = json.loads(archive.read("codes.json"))

    assert {kind for kind in EVERY if any(name.startswith(kind) for name in names)} == set(EVERY)
    assert {"audit/budget.json", "audit/deploy.json", "audit/proposal.json"} <= set(names)
    assert len(trace["entries"]) > 10
    assert [line["seq"] for line in chain["lines"]] == [2, 4, 6, 8]
    assert chain["head"]["seq"] == 8
    assert {"kontrak_spk", "surat_usulan"} <= {code["kind"] for code in codes}
    assert any(code["signers"] for code in codes)


def test_the_script_finds_a_pack_whole_without_alur(pack: Path, keys: Keys) -> None:
    done = check(pack, "--key", keys.proof_public())

    assert (done.returncode, done.stderr) == (0, "")
    assert "HASIL  Paket utuh dan asli." in done.stdout
    assert "GAGAL" not in done.stdout
    assert keys.proof_public() in done.stdout


def test_the_same_pack_gives_the_same_bytes(prover: Prover) -> None:
    prover.built(prover.answered(prover.case()))
    with prover.database.transaction() as session:
        made = session.scalars(select(ProofPack)).one()
        first, made.job_id = made.digest, jobs.start(session, actions.BUILD, made.id).id

    again = prover.built(made)

    assert again.digest == first


def test_the_script_is_short_and_stands_alone() -> None:
    source = SCRIPT.read_text(encoding="utf-8")

    assert len(source.splitlines()) < 200
    assert "shared" not in source and "services" not in source and "cryptography" not in source


def test_only_head_app_head_and_auditor_have_packs(prover: Prover) -> None:
    case = prover.case()

    for by in (ANI, EDI, FITRI, GITA):
        with pytest.raises(NotAllowed):
            prover.act(actions.make_proof_pack, by, case.id)
        with pytest.raises(NotAllowed):
            prover.act(queries.proof_packs, by, case.id)
    pack = prover.act(actions.make_proof_pack, CITRA, case.id)

    with pytest.raises(NotFound):
        prover.act(queries.proof_pack, FITRI, pack.id)
    assert prover.act(queries.proof_pack, SARI, pack.id).asked_by_name == CITRA.name


def test_one_pack_at_a_time(prover: Prover) -> None:
    case = prover.case()
    prover.act(actions.make_proof_pack, BUDI, case.id)

    with pytest.raises(OutOfTurn):
        prover.act(actions.make_proof_pack, CITRA, case.id)


def test_a_pack_waits_for_every_division_and_takes_letters_twice(prover: Prover) -> None:
    case = prover.case()
    pack = prover.act(actions.make_proof_pack, SARI, case.id)
    asked = ProofAsked(pack_id=pack.id, case_id=case.id, case_number=case.number, lines={"deploy": (2,)})
    (given,) = prover.give("deploy", asked)

    prover.act(actions.take_proof, given)
    prover.act(actions.take_proof, given)

    with prover.database.session() as session:
        found = session.get_one(ProofPack, pack.id)
        assert found.missing == ["budget", "security", "helpdesk"]
        assert found.job_id is None


def test_evidence_for_an_unknown_pack_comes_again_later(prover: Prover) -> None:
    unknown = ProofGiven(
        pack_id=uuid4(),
        case_id=uuid4(),
        case_number="-",
        division="deploy",
        part=1,
        parts=1,
        head_seq=0,
        head_hash="",
        items=(),
    )

    with pytest.raises(OutOfTurn):
        prover.act(actions.take_proof, unknown)


def test_much_evidence_goes_in_several_letters(prover: Prover) -> None:
    session = prover.divisions["budget"]
    seqs = [audit.record(session, GITA, "note", "thing", words="x" * 3_000).seq for _ in range(40)]
    asked = ProofAsked(pack_id=uuid4(), case_id=uuid4(), case_number="-", lines={"budget": tuple(seqs)})

    given = prover.give("budget", asked)

    assert len(given) > 2
    assert [(one.part, one.parts) for one in given] == [(n, len(given)) for n in range(1, len(given) + 1)]
    assert [json.loads(item.body)["seq"] for one in given for item in one.items] == seqs


def test_a_line_that_is_not_there_stops_the_pack_and_says_which(prover: Prover) -> None:
    case = prover.case()
    with prover.database.transaction() as session:
        entry = session.scalars(select(TraceEntry).where(TraceEntry.audit_service == "deploy")).one()
        session.execute(text("ALTER TABLE trace_entry DISABLE TRIGGER USER"))
        entry.audit_seq = 99

    made = prover.built(prover.answered(case))

    assert made.digest == ""
    assert "baris 99 rantai audit deploy" in made.refusal


def test_a_damaged_paper_stops_the_pack(prover: Prover) -> None:
    case = prover.case()
    path = prover.office.store.path(hashlib.sha256(b"%PDF-1.7 kontrak").hexdigest())
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 KONTRAK")

    made = prover.built(prover.answered(case))

    assert made.digest == ""
    assert "telah berubah" in made.refusal


def test_a_pack_is_asked_for_and_taken_through_the_doors(prover: Prover) -> None:
    door = Door.of(make(prover.settings), prover.keys)
    case = prover.case()
    try:
        page = door.get(SARI, f"/perkara/{case.number}/bukti")
        made = prover.built(prover.answered(case))
        listed = door.get(SARI, f"/api/cases/{case.id}/proof-packs").json()
        file = door.get(SARI, f"/api/proof-packs/{made.id}/file")

        assert "Susun paket bukti" in page.text
        assert (listed[0]["is_ready"], listed[0]["digest"]) == (True, made.digest)
        assert hashlib.sha256(file.content).hexdigest() == made.digest
        assert file.headers["content-disposition"] == f'attachment; filename="bukti-{case.number}.zip"'
        assert "Unduh ZIP" in door.get(BUDI, f"/perkara/{case.number}/bukti").text
        assert door.get(FITRI, f"/perkara/{case.number}/bukti").status_code == 403
        asked = door.post(CITRA, f"/api/cases/{case.id}/proof-packs")
        assert (asked.status_code, asked.json()["missing"]) == (202, list(PROVERS))
        assert door.get(CITRA, f"/api/proof-packs/{asked.json()['id']}/file").status_code == 409
        assert "Menunggu bukti dari" in door.get(CITRA, f"/perkara/{case.number}/bukti").text
    finally:
        door.database.close()


# --- refusing a changed one ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
def test_one_changed_byte_in_the_archive_is_found_and_named(pack: Path, kind: str) -> None:
    name = named(pack, kind)
    with zipfile.ZipFile(pack) as archive:
        info = archive.getinfo(name)
    at = info.header_offset + 30 + len(name) + info.file_size // 2
    pack.write_bytes(flipped(pack.read_bytes(), at))

    done = check(pack)

    assert done.returncode == 1
    assert name in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_byte_that_the_archive_does_not_betray_is_found_and_named(pack: Path, kind: str) -> None:
    name = named(pack, kind)

    done = check(rewritten(pack, lambda files: files.update({name: flipped(files[name])})))

    assert done.returncode == 1
    assert f"berkas {name} berubah" in done.stdout


def test_every_single_byte_of_the_archives_own_frame_counts(pack: Path) -> None:
    whole = pack.read_bytes()
    with zipfile.ZipFile(pack) as archive:
        frames = [(i.header_offset, i.filename) for i in archive.infolist()][:2]
        frames += [(archive.start_dir, "")]
    missed = []
    for begin, _name in frames:
        for at in range(begin, begin + 30, 3):
            pack.write_bytes(flipped(whole, at))
            missed += [] if check(pack).returncode == 1 else [at]

    assert missed == []


def test_a_renamed_an_added_and_a_lost_file_are_named(pack: Path) -> None:
    paper = named(pack, "papers/")

    renamed = check(rewritten(pack, lambda files: files.update({"papers/lain.pdf": files.pop(paper)}))).stdout
    added = check(rewritten(pack, lambda files: files.update({"papers/sisipan.pdf": b"%PDF-"}))).stdout
    lost = check(rewritten(pack, lambda files: files.__delitem__(paper))).stdout

    assert f"berkas {paper} tidak ada dalam paket" in renamed and "berkas papers/lain.pdf bukan bagian" in renamed
    assert "berkas papers/sisipan.pdf bukan bagian paket ini" in added
    assert f"berkas {paper} tidak ada dalam paket" in lost


@pytest.mark.parametrize("keep", [0, 100, -30, -1])
def test_a_truncated_pack_is_refused(pack: Path, keep: int) -> None:
    pack.write_bytes(pack.read_bytes()[:keep])

    done = check(pack)

    assert (done.returncode, done.stderr) == (1, "")
    assert "GAGAL" in done.stdout


@pytest.mark.parametrize("more", [(b"", b"lagi"), (b"#!", b"")], ids=["behind it", "before it"])
def test_bytes_around_the_archive_are_found(pack: Path, more: tuple[bytes, bytes]) -> None:
    pack.write_bytes(more[0] + pack.read_bytes() + more[1])

    assert check(pack).returncode == 1


def _trace(files: dict[str, bytes]) -> None:
    told = json.loads(files["trace.json"])
    told["entries"][-1]["audit"]["hash"] = "0" * 64
    files["trace.json"] = json.dumps(told).encode()


def _line(files: dict[str, bytes]) -> None:
    chain = json.loads(files["audit/budget.json"])
    chain["lines"][0]["line"] = chain["lines"][0]["line"].replace('"amount":1', '"amount":9')
    files["audit/budget.json"] = json.dumps(chain).encode()


def _permit(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.startswith("permits/"))
    told = json.loads(files[name])
    told["permit"] = told["permit"].replace("presensi", "presence")
    files[name] = json.dumps(told).encode()


def _paper(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.startswith("papers/"))
    files[name] += b" "


def _code(files: dict[str, bytes]) -> None:
    codes = json.loads(files["codes.json"])
    codes[0]["digest"] = "0" * 64
    files["codes.json"] = json.dumps(codes).encode()


FORGED = [
    (_trace, "baris audit yang ditunjuk tidak ada atau lain"),
    (_line, "audit/budget.json baris 2: isi tidak cocok dengan sidik"),
    (_permit, "tanda tangan izin tidak cocok"),
    (_paper, "berubah"),
    (_code, "tidak ada dalam paket"),
]


@pytest.mark.parametrize(("change", "words"), FORGED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_was_changed_is_found_though_the_pack_was_signed_anew(
    pack: Path, keys: Keys, change: Callable[[dict[str, bytes]], None], words: str
) -> None:
    forged = rewritten(pack, change, Ed25519PrivateKey.generate())

    done = check(forged, "--key", keys.proof_public())

    assert done.returncode == 1
    assert words in done.stdout
    assert "kuncinya bukan kunci yang Anda berikan" in done.stdout


def test_a_pack_signed_by_somebody_else_is_refused_by_the_known_key(pack: Path, keys: Keys) -> None:
    forged = rewritten(pack, lambda files: None, Ed25519PrivateKey.generate())

    assert check(forged).returncode == 0, "without the key only the pack itself vouches for it"
    assert check(forged, "--key", keys.proof_public()).returncode == 1


def test_the_script_verifies_signatures_as_the_library_does() -> None:
    script: dict[str, Any] = {"__name__": "check_proof"}
    exec(compile(SCRIPT.read_text(encoding="utf-8"), str(SCRIPT), "exec"), script)
    for n in range(5):
        key, message = Ed25519PrivateKey.generate(), b"%d" % n
        public, signature = key.public_key().public_bytes_raw().hex(), key.sign(message).hex()

        assert script["is_signed"](public, message, signature)
        assert not script["is_signed"](public, message + b"x", signature)
        assert not script["is_signed"](public, message, flipped(bytes.fromhex(signature), n).hex())
        assert not script["is_signed"](
            Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex(), message, signature
        )


@pytest.mark.parametrize("words", [[], ["paket.zip", "--kunci", "x"]], ids=["nothing", "no such option"])
def test_a_wrong_call_is_no_verdict(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), *words], capture_output=True, check=False)

    assert done.returncode == 2
