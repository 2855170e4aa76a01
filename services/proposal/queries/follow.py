"""The way of a case in plain words: its turns, and what it waits for now; for the proposer and for who has its code."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.model import Case, CaseStatus, FollowCode, Paper, read_code
from services.proposal.queries.case import CLOCK, NO_STANDARD
from shared.errors import NotFound
from shared.identity import Language, Person, Role
from shared.language import said
from shared.sentence import Sentence
from shared.words import local_date

UNKNOWN = "Nomor perkara atau kode pantau tidak dikenal. Periksa keduanya pada tanda terima usulan."
TURNS = {
    "submit": "Diajukan kepada {head} melalui {app_head}",
    "resubmit": "Diperbaiki dan diajukan kembali",
    "accept": "Diterima {app_head}",
    "accept_from_app_head": "Diterima {head}",
    "merge_duplicate": "Ditutup karena sama dengan perkara lain",
    "recommend": "Direkomendasikan {app_head} kepada {head}",
    "approve": "Disetujui {head}",
    "reject": "Ditolak {head}",
    "enter_work_programme": "Dicantumkan dalam program kerja",
    "conclude_meetings": "Selesai dibahas dalam rapat",
    "defer": "Ditunda {head}",
    "cancel": "Dibatalkan",
    "send_to_planning": "Disampaikan kepada {planning}",
    "taken_over": "Perkara mulai dicatat di Alur",
}
"""What the moves of the procedure are in plain words; every other one is told by its new status."""
BACK = {"returned": "Dikembalikan untuk diperbaiki", "under_analysis": "Dianalisis ulang"}
"""What is said of a case that went back, by where it went."""
WAITS: dict[str, tuple[Role, str]] = {
    "draft": (Role.PROPOSER, "pelengkapan dan pengajuan"),
    "submitted": (Role.APP_HEAD, "pemeriksaan kelengkapan"),
    "returned": (Role.PROPOSER, "perbaikan dan pengajuan kembali"),
    "under_analysis": (Role.APP_STAFF, "analisis kebutuhan"),
    "awaiting_decision": (Role.HEAD, "keputusan"),
    "approved": (Role.APP_HEAD, "pencantuman dalam program kerja"),
    "in_work_programme": (Role.APP_HEAD, "KAK, RAB, dan pembahasan rapat"),
    "deferred": (Role.APP_HEAD, "tahun anggaran berikutnya"),
    "discussed": (Role.APP_HEAD, "penyampaian kepada bagian perencanaan"),
    "sent_to_planning": (Role.PLANNING, "penetapan pagu"),
    "budgeted": (Role.PPK, "kontrak dengan penyedia"),
    "in_development": (Role.VENDOR, "pembangunan aplikasi"),
    "handed_over": (Role.INFRA_STAFF, "instalasi pada server"),
    "installed": (Role.SECURITY_STAFF, "uji keamanan"),
    "security_testing": (Role.SECURITY_STAFF, "hasil uji keamanan"),
    "remediation": (Role.VENDOR, "perbaikan temuan"),
    "cleared": (Role.HEAD, "pembukaan akses"),
    "suspended": (Role.SECURITY_HEAD, "pemulihan"),
}
"""Whom a case in each status waits for, and for what."""


@dataclass(frozen=True)
class Turn:
    """One turn of a case in plain words."""

    at: datetime
    words: str
    reason: str


@dataclass(frozen=True)
class Way:
    """The turns of a case, the last one last, and what happens now."""

    turns: tuple[Turn, ...]
    now: str
    waits_for: str
    """The post; empty when it waits for nobody."""


def way(case: Case, history: Sequence[CaseStatus], language: Language = "id") -> Way:
    """Return the way of a case in plain words of a language; posts are named, persons are not."""
    titles = {role.value: said(title, language) for role, title in case.sop.titles.items()}

    def words(row: CaseStatus) -> str:
        if row.move == "return":
            found = BACK["returned" if row.status == "returned" else "under_analysis"]
        else:
            found = TURNS.get(row.move, case.sop.statuses[row.status].label)
        return str(said(found, language)).format_map(titles)

    turns = tuple(Turn(row.at, words(row), row.reason) for row in history)
    if case.status not in WAITS:
        now = said("Status sekarang: {status}.", language)
        return Way(turns, now.format(status=said(case.label, language).lower()), "")
    role, what = WAITS[case.status]
    if case.status == "submitted" and case.is_from_app_head:
        role = Role.HEAD
    usual = case.sop.steps[CLOCK[case.status]].working_days if case.status not in NO_STANDARD else 0
    post = case.sop.titles[role]
    now = said("Kini menunggu {what} oleh {post}", language).format(
        what=said(what, language), post=said(post, language)
    )
    usually = said(", biasanya {usual} hari kerja", language).format(usual=usual) if usual else ""
    return Way(turns, f"{now}{usually}.", post)


def last_turn(found: Way) -> str:
    """Return the newest turn as one sentence; empty for a case that has not moved."""
    if not found.turns:
        return ""
    turn = found.turns[-1]
    return Sentence("{words} pada {at}.", words=turn.words, at=local_date(turn.at))


def followed(session: Session, number: str, code: str) -> tuple[Case, Way]:
    """Return a case and its way for somebody who has its number and code; raise NotFound for anything else.

    A number that does not exist and a wrong code are answered alike, after the same comparison.
    """
    row = session.execute(
        select(Case, FollowCode.code)
        .join(FollowCode, FollowCode.case_id == Case.id)
        .where(Case.number == number.strip().upper()[:40])
    ).first()
    kept = row[1] if row else "0" * 12
    is_right = hmac.compare_digest(kept.encode(), (read_code(code) or "-").encode())
    if row is None or not is_right:
        raise NotFound(UNKNOWN, code="unknown_follow_code")
    case: Case = row[0]
    return case, way(case, history(session, case))


@dataclass(frozen=True)
class Receipt:
    """What the newest receipt of a case says: the code to follow it by, and the digest of its file."""

    code: str
    digest: str


def receipt(session: Session, by: Person, case: Case) -> Receipt | None:
    """Return the receipt for whoever proposed a case or is of its unit; None for others and before a submission."""
    if by.id != case.proposer_id and (by.unit is None or by.unit != case.proposer_unit):
        return None
    row = session.execute(
        select(FollowCode, Paper.digest)
        .outerjoin(Paper, (Paper.case_id == FollowCode.case_id) & (Paper.kind == "tanda_terima_usulan"))
        .where(FollowCode.case_id == case.id)
        .order_by(Paper.created_at.desc())
        .limit(1)
    ).first()
    return Receipt(row[0].printed, row[1] or "") if row else None


def history(session: Session, case: Case) -> Sequence[CaseStatus]:
    """Return the changes of status of a case, oldest first."""
    return session.scalars(
        select(CaseStatus).where(CaseStatus.case_id == case.id).order_by(CaseStatus.at, CaseStatus.created_at)
    ).all()
