"""The proposal from draft to decision: S01, F01 and the decision of S02."""

from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.proposal.actions import follow, paper
from services.proposal.actions.case import attach, find, move, next_number, tell_halt, write
from services.proposal.actions.draft import (
    clean_name,
    fill_case,
    fill_proposal,
    is_open_to_change,
    must_be_open,
    must_see_present,
    name_taken,
    note_saved,
)
from services.proposal.authority import ACTS, check_move
from services.proposal.model import (
    Attachment,
    Case,
    Content,
    Disposition,
    Draft,
    NeedsAnalysis,
    Office,
    Paper,
    Proposal,
    ProposalVersion,
    content_of,
    required,
)
from services.proposal.queries.sop import current_version
from shared.authority import Act, authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person, Role
from shared.messages import PaperFact
from shared.sentence import Sentence
from shared.words import local_date

LETTER_LIMIT = 10 * 1024 * 1024
"""Bytes of a scanned proposal letter."""
SCANS = {b"%PDF-": ".pdf", b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}
ADVICE = {"proceed": "Layak dilanjutkan", "adjust": "Layak dengan penyesuaian", "decline": "Tidak dilanjutkan"}


def propose(session: Session, by: Person, content: Content) -> Case:
    """Keep a new proposal as a draft with its case number (S01); raise Incomplete for a name that is taken."""
    by = authorize(session, by, ACTS.propose, f"application:{content.code}")
    if not by.unit:
        raise Incomplete("Akun Anda belum terhubung dengan unit kerja. Mohon hubungi admin sistem.")
    case = open_case(session, content, unit=by.unit, proposer_id=by.id, proposer_name=by.name, proposer_unit=by.unit)
    case.is_from_app_head = by.has(Role.APP_HEAD)
    write(session, by, case, ACTS.propose.name, step="S01", says="Draf usulan dibuat")
    return case


def open_case(
    session: Session,
    content: Content,
    *,
    unit: str,
    proposer_id: UUID,
    proposer_name: str,
    proposer_unit: str | None,
    year: int | None = None,
) -> Case:
    """Make a case and its proposal in the first status; no authority is asked and nothing is traced here."""
    year = year or local_date(utc_now()).year
    case = Case(
        number=f"APL-{year}-{next_number(session, 'case', year):04d}",
        sop_version=current_version(session),
        unit=unit,
        proposer_id=proposer_id,
        proposer_name=proposer_name,
        proposer_unit=proposer_unit,
    )
    fill_case(case, content)
    try:
        with session.begin_nested():
            session.add(case)
    except IntegrityError as reason:
        raise name_taken(content.code) from reason
    session.add(fill_proposal(Proposal(id=case.id), content))
    session.flush()
    return case


def amend(session: Session, by: Person, case_id: UUID, content: Content, *, seen: str | None = None) -> Case:
    """Replace the content of a draft or returned proposal (S01).

    Raises OutOfTurn in every other status, Stale when `seen` (If-Match) is not the present edition.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.amend, case)
    must_be_open(case)
    must_see_present(session, case, seen)
    try:
        with session.begin_nested():
            fill_case(case, content)
    except IntegrityError as reason:
        raise name_taken(content.code) from reason
    case.edition += 1
    fill_proposal(_content(session, case), content)
    note_saved(session, by, case)
    session.flush()
    return case


def attach_letter(
    session: Session, by: Person, case_id: UUID, office: Office, *, file: BinaryIO, file_name: str
) -> Case:
    """Keep the scanned proposal letter (PDF, PNG or JPEG up to 10 MB) with the draft (S01)."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.attach_letter, case)
    if not is_open_to_change(case):
        raise OutOfTurn(
            Sentence("Usulan {number} sudah diajukan; suratnya tidak dapat diganti lagi.", number=case.number)
        )
    head = file.read(8)
    ending = next((ending for magic, ending in SCANS.items() if head.startswith(magic)), None)
    if ending is None:
        raise Incomplete(
            "Berkas surat harus berupa PDF, PNG, atau JPEG.",
            errors=[FieldError("/letter", "Unggah pindaian surat sebagai PDF, PNG, atau JPEG.")],
        )
    file.seek(0)
    content = _content(session, case)
    content.letter_digest = office.store.put(file, limit=LETTER_LIMIT)
    content.letter_file_name = clean_name(file_name, ending=ending, otherwise="surat-usulan")
    case.edition += 1
    note_saved(session, by, case, touched=())
    session.flush()
    return case


def submit(session: Session, by: Person, case_id: UUID, office: Office, *, is_warned: bool = False) -> Case:
    """Submit a draft, or a returned proposal once more; each submission keeps its content and paper (S01).

    `is_warned`: the proposer was shown similar applications, so the proposal must say why it is made all the same.
    Raises Incomplete with every field that is lacking.
    """
    case = find(session, case_id)
    act = ACTS.resubmit if case.next("resubmit") else ACTS.submit
    by = authorize(session, by, act, case)
    check_move(by, case, act)
    hand_in(session, by, case, act, office, is_warned=is_warned)
    return case


def hand_in(
    session: Session,
    doer: Person,
    case: Case,
    act: Act,
    office: Office,
    *,
    detail: str = "",
    is_warned: bool = False,
) -> None:
    """Make a submission of a complete proposal: agenda number, kept version, papers, move, trace."""
    content = _content(session, case)
    lacking = _lacking(session, case, content, is_warned=is_warned)
    if lacking:
        raise Incomplete("Usulan belum lengkap sehingga belum dapat diajukan.", errors=lacking)
    if not content.agenda_number:
        year = local_date(utc_now()).year
        content.agenda_number = f"{next_number(session, 'agenda', year):03d}/{office.code}/{year}"
    content.version += 1
    content.submitted_at = utc_now()
    files = session.scalars(
        select(Attachment)
        .where(Attachment.proposal_id == case.id, Attachment.removed_at.is_(None))
        .order_by(Attachment.created_at)
    ).all()
    facts = [paper.proposal(session, office, case, content, doer, [file.file_name for file in files])]
    names = {file.digest: file.file_name for file in files}
    if content.letter_digest:
        letter = PaperFact(
            kind="surat_usulan",
            title="Surat usulan (pindaian)",
            number=content.letter_number,
            digest=content.letter_digest,
        )
        facts.append(letter)
        names[content.letter_digest] = content.letter_file_name
    facts += [PaperFact(kind="lampiran", title=f"{file.label}: {file.file_name}", digest=file.digest) for file in files]
    session.add(
        ProposalVersion(
            proposal_id=case.id,
            version=content.version,
            content=content_of(case, content).model_dump(mode="json"),
            submitted_by_id=doer.id,
            submitted_by_name=doer.name,
            paper_digest=facts[0].digest,
            attachments=[{"label": file.label, "file_name": file.file_name, "digest": file.digest} for file in files],
        )
    )
    again = content.version > 1
    entry = move(
        session,
        doer,
        case,
        act,
        says="Usulan diajukan kembali" if again else "Usulan diajukan kepada Kepala melalui Koordinator",
        detail=detail or f"Nomor agenda {content.agenda_number}, pengajuan ke-{content.version}",
        papers=[*facts, follow.receipt(session, office, case, content, doer)],
    )
    for digest, file_name in names.items():
        session.execute(
            update(Paper).where(Paper.trace_entry_id == entry.id, Paper.digest == digest).values(file_name=file_name)
        )


def _lacking(session: Session, case: Case, content: Proposal, *, is_warned: bool) -> list[FieldError]:
    """Return what stands between a proposal and its submission, by field."""
    written = content_of(case, content).model_dump()
    wanted = required(case.kind)
    if case.parent_case_id:
        # The case itself says which application it grew out of (S11).
        wanted = {name: words for name, words in wanted.items() if name != "earlier_application"}
    if is_warned:
        wanted = wanted | {"similar_reason": "Tuliskan mengapa usulan ini tetap diajukan meskipun ada yang serupa."}
    found = [FieldError(f"/{name}", words) for name, words in wanted.items() if not written[name]]
    draft = session.get(Draft, case.id)
    for name, kept in (draft.rough if draft else {}).items():
        why = next(iter(kept["errors"].values()), Sentence("belum dapat dipakai"))
        found.append(
            FieldError(f"/{name}", Sentence("{title}: {why}", title=Content.model_fields[name].title, why=why))
        )
    return found


def accept(session: Session, by: Person, case_id: UUID, office: Office, *, words: str = "") -> Case:
    """Accept a submitted proposal for analysis (S01).

    A proposal of the application head himself is accepted by the Head; whoever is not asked gets OutOfTurn.
    """
    case = find(session, case_id)
    act = ACTS.accept_from_app_head if case.is_from_app_head else ACTS.accept
    by = authorize(session, by, act, case)
    _decide(session, by, case, act, office, says="Usulan diterima untuk dianalisis", words=words)
    return case


def send_back(session: Session, by: Person, case_id: UUID, office: Office, *, reason: str) -> Case:
    """Return a proposal to its proposer, or the Head's decision back to analysis, with the reason (S01, F01, S02)."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.send_back, case)
    back = case.require("return")
    step = {"submitted": "S01", "under_analysis": "F01"}.get(case.status, "S02")
    says = "Usulan dikembalikan kepada pengusul"
    if back.target != "returned":
        says = "Dikembalikan oleh Kepala untuk dianalisis ulang"
    _decide(session, by, case, ACTS.send_back, office, says=says, words=reason, step=step)
    return case


def merge_duplicate(session: Session, by: Person, case_id: UUID, office: Office, *, into: str, reason: str) -> Case:
    """Close a proposal that repeats another case, naming that case (refusal of S01)."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.merge_duplicate, case)
    other = session.scalar(select(Case).where(Case.number == into.strip()))
    if other is None or other.id == case.id:
        raise Incomplete(
            "Nomor perkara tujuan tidak ditemukan.",
            errors=[FieldError("/into", "Tulis nomor perkara yang sudah ada, misalnya APL-2026-0001.")],
        )
    if other.status in ("draft", "rejected", "cancelled"):
        words = Sentence(
            "Perkara {number} berstatus “{label}” sehingga tidak dapat menampung usulan lain. Pilih perkara yang "
            "masih berjalan atau sudah digunakan.",
            number=other.number,
            label=other.label,
        )
        raise Incomplete(words, errors=[FieldError("/into", words)])
    case.merged_into_id = other.id
    says = f"Digabungkan dengan perkara {other.number}"
    _decide(session, by, case, ACTS.merge_duplicate, office, says=says, words=reason)
    return case


def analyse(
    session: Session, by: Person, case_id: UUID, office: Office, *, summary: str, recommendation: str, advice: str = ""
) -> Case:
    """Keep a version of the needs analysis with what it recommends (F01): proceed, adjust or decline."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.analyse, case)
    case.require("recommend")
    case.analysis_version += 1
    printed = paper.analysis(
        session,
        office,
        case,
        by,
        version=case.analysis_version,
        summary=summary,
        recommendation=ADVICE[recommendation],
        advice=advice,
    )
    session.add(
        NeedsAnalysis(
            case_id=case.id,
            version=case.analysis_version,
            summary=summary,
            recommendation=recommendation,
            advice=advice,
            by_id=by.id,
            by_name=by.name,
            paper_digest=printed.digest,
        )
    )
    write(
        session,
        by,
        case,
        ACTS.analyse.name,
        step="F01",
        says="Analisis kebutuhan disusun",
        detail=f"Versi {case.analysis_version}: {ADVICE[recommendation].lower()}",
        papers=[printed],
    )
    return case


def recommend(session: Session, by: Person, case_id: UUID, office: Office, *, words: str = "") -> Case:
    """Recommend an analysed proposal to the Head (F01, S02); raise Incomplete without an analysis."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.recommend, case)
    check_move(by, case, ACTS.recommend)
    if not case.analysis_version:
        raise Incomplete(
            "Analisis kebutuhan belum ada. Mohon Staf Pengembangan Aplikasi menyusunnya lebih dahulu (langkah F01).",
            code="analysis_missing",
        )
    case.recommended_by_id = by.id
    _decide(session, by, case, ACTS.recommend, office, says="Direkomendasikan kepada Kepala", words=words)
    return case


def approve(
    session: Session, by: Person, case_id: UUID, office: Office, *, words: str = "", override_cut_off: bool = False
) -> Case:
    """Record the Head's approval (S02).

    `override_cut_off` lets an approval after the cut-off date into the coming year; `words` then say why.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.approve, case)
    check_move(by, case, ACTS.approve)
    if override_cut_off and not words:
        raise Incomplete(
            "Melewati batas tanggal program kerja memerlukan alasan tertulis.",
            errors=[FieldError("/words", "Tuliskan alasan mengapa boleh masuk tahun anggaran berikutnya.")],
        )
    case.approved_at = utc_now()
    case.override_reason = words if override_cut_off else ""
    _decide(session, by, case, ACTS.approve, office, says="Disetujui oleh Kepala", words=words)
    return case


def reject(session: Session, by: Person, case_id: UUID, office: Office, *, reason: str) -> Case:
    """Record the Head's refusal with its reason; the case ends (S02)."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.reject, case)
    _decide(session, by, case, ACTS.reject, office, says="Ditolak oleh Kepala", words=reason)
    return case


def defer(session: Session, by: Person, case_id: UUID, office: Office, *, reason: str) -> Case:
    """Put a programmed case off to a later year, with the reason (S03); the budget is told."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.defer, case)
    printed = _decide(session, by, case, ACTS.defer, office, says="Ditunda oleh Kepala", words=reason)
    tell_halt(session, by, case, note=reason, papers=[printed])
    return case


def cancel(session: Session, by: Person, case_id: UUID, office: Office, *, reason: str) -> Case:
    """End a case before development, by its proposer or the Head, with the reason; the budget is told."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.cancel, case)
    printed = _decide(session, by, case, ACTS.cancel, office, says="Dibatalkan", words=reason)
    tell_halt(session, by, case, note=reason, papers=[printed])
    return case


def _decide(
    session: Session, by: Person, case: Case, act: Act, office: Office, *, says: str, words: str, step: str = ""
) -> PaperFact:
    """Make a move with its line on the routing slip, printed anew; a refusal without a reason is Incomplete."""
    check_move(by, case, act)
    if act.danger and not words.strip():
        raise Incomplete(
            Sentence("Tindakan “{label}” memerlukan alasan tertulis.", label=act.label),
            errors=[FieldError("/reason", "Tuliskan alasannya; dibaca oleh pihak yang menerima kembali berkas ini.")],
            code="reason_missing",
        )
    entry = move(session, by, case, act, says=says, reason=words, step=step)
    line = Disposition(
        case_id=case.id, act=act.name, label=says, words=words, by_id=by.id, by_name=by.name, as_what=by.as_what
    )
    session.add(line)
    session.flush()
    decided = session.scalars(
        select(Disposition).where(Disposition.case_id == case.id).order_by(Disposition.created_at)
    ).all()
    lines = sorted([*decided, *_submissions(session, case)], key=lambda one: one.created_at)
    printed = paper.disposition(session, office, case, lines, by)
    line.paper_digest = printed.digest
    attach(session, entry, printed)
    return printed


def _submissions(session: Session, case: Case) -> list[Disposition]:
    """Return the proposer's own turns as lines of the routing slip; they are kept as submissions, not as decisions."""
    made = session.scalars(
        select(ProposalVersion).where(ProposalVersion.proposal_id == case.id).order_by(ProposalVersion.version)
    )
    return [
        Disposition(
            created_at=one.created_at,
            by_name=one.submitted_by_name,
            as_what="Pengusul",
            label="Usulan diajukan" if one.version == 1 else f"Usulan diajukan kembali (ke-{one.version})",
            words="",
        )
        for one in made
    ]


def _content(session: Session, case: Case) -> Proposal:
    return session.get_one(Proposal, case.id)
