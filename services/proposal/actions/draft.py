"""Saving a proposal bit by bit: sections, whatever state they are in, and the files beside it (S01)."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.proposal.actions.case import find
from services.proposal.authority import ACTS
from services.proposal.model import (
    ATTACHMENT_ENDINGS,
    ATTACHMENT_LIMIT,
    CORE,
    MOST_ATTACHMENTS,
    Attachment,
    Case,
    Content,
    Draft,
    Office,
    Proposal,
    content_of,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence

MAGIC = {".pdf": b"%PDF-", ".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}
NO_FILE = "Lampiran tidak ditemukan. Muat ulang halaman usulan."


def save_draft(
    session: Session,
    by: Person,
    case_id: UUID,
    *,
    accepted: Mapping[str, Any],
    rough: Mapping[str, Any],
    seen: str | None = None,
) -> Case:
    """Keep fields of a draft however incomplete they are (S01).

    `accepted` are values that the content takes; `rough` those that it does not, as typed, with what is wrong. A short
    name that is taken becomes rough too. Raises OutOfTurn after submission, Stale when `seen` (If-Match) is not the
    present edition.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.save_draft, case)
    must_be_open(case)
    must_see_present(session, case, seen)
    proposal = session.get_one(Proposal, case.id)
    before = content_of(case, proposal)
    left = dict(rough)
    after = Content.model_validate({**before.model_dump(), **accepted})
    try:
        with session.begin_nested():
            fill_case(case, after)
    except IntegrityError:
        left["code"] = {"typed": after.code, "errors": {"code": name_taken(after.code).detail}}
        after = after.model_copy(update={"code": before.code})
        fill_case(case, after)
    fill_proposal(proposal, after)
    case.edition += 1
    note_saved(session, by, case, touched=[*accepted, *rough], rough=left)
    session.flush()
    return case


def note_saved(
    session: Session, doer: Person, case: Case, *, touched: Iterable[str] | None = None, rough: Mapping[str, Any] = {}
) -> Draft:
    """Note who saved a draft just now, and what of the touched fields (None: of all) cannot be taken as typed."""
    draft = session.get(Draft, case.id)
    if draft is None:
        draft = Draft(proposal_id=case.id, rough={}, saved_by_id=doer.id, saved_by_name=doer.name)
        session.add(draft)
    gone = set(draft.rough if touched is None else touched)
    draft.rough = {name: kept for name, kept in draft.rough.items() if name not in gone} | dict(rough)
    draft.saved_at, draft.saved_by_id, draft.saved_by_name = utc_now(), doer.id, doer.name
    return draft


def is_open_to_change(case: Case) -> bool:
    """Tell whether the proposer may still write: before the first submission, or after a return."""
    return any(case.next(name) for name in ("submit", "resubmit"))


def must_be_open(case: Case) -> None:
    """Raise OutOfTurn when the content of a proposal may not be changed any more."""
    if not is_open_to_change(case):
        raise OutOfTurn(
            Sentence(
                "Usulan {number} berstatus “{label}” sehingga isinya tidak dapat diubah. Minta pengembalian "
                "kepada Koordinator Divisi Aplikasi bila ada yang perlu diperbaiki.",
                number=case.number,
                label=case.label,
            )
        )


def must_see_present(session: Session, case: Case, seen: str | None) -> None:
    """Raise Stale, saying who saved when, for an edition (If-Match) that is not the present one."""
    if seen is None:
        return
    draft = session.get(Draft, case.id)
    who = Sentence(" oleh {name} pada {at}", name=draft.saved_by_name, at=draft.saved_at) if draft else ""
    must_be_present(
        seen,
        case.edition,
        words=Sentence(
            "Usulan ini sudah disimpan{who}, di jendela atau perangkat lain, sejak Anda membukanya. Isian "
            "Anda belum tersimpan dan masih ada di halaman ini: bandingkan, lalu simpan kembali bila isian "
            "Anda yang benar.",
            who=who,
        ),
    )


def attach_file(
    session: Session, by: Person, case_id: UUID, office: Office, *, kind: str, file: BinaryIO, file_name: str
) -> Attachment:
    """Keep a supporting file with the draft (S01): documents, pictures and archives up to 20 MB, 20 at most."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.attach_file, case)
    must_be_open(case)
    ending = PurePath(file_name).suffix.lower()
    head = file.read(8)
    if ending not in ATTACHMENT_ENDINGS or not head.startswith(MAGIC.get(ending, b"")):
        kinds = ", ".join(sorted(one[1:].upper() for one in ATTACHMENT_ENDINGS))
        raise Incomplete(
            "Jenis berkas ini tidak diterima sebagai lampiran.",
            errors=[FieldError("/file", Sentence("Unggah salah satu dari: {kinds}.", kinds=kinds))],
        )
    there = select(func.count()).where(Attachment.proposal_id == case.id, Attachment.removed_at.is_(None))
    if (session.scalar(there) or 0) >= MOST_ATTACHMENTS:
        raise Incomplete(
            Sentence(
                "Sebuah usulan memuat paling banyak {most_attachments} lampiran.",
                most_attachments=MOST_ATTACHMENTS,
            ),
            errors=[FieldError("/file", "Hapus lampiran yang tidak diperlukan, atau gabungkan menjadi satu berkas.")],
        )
    file.seek(0)
    digest = office.store.put(file, limit=ATTACHMENT_LIMIT)
    made = Attachment(
        proposal_id=case.id,
        kind=kind,
        file_name=clean_name(file_name, ending=ending),
        digest=digest,
        size=office.store.path(digest).stat().st_size,
        by_id=by.id,
        by_name=by.name,
    )
    session.add(made)
    case.edition += 1
    note_saved(session, by, case, touched=())
    session.flush()
    return made


def remove_file(session: Session, by: Person, attachment_id: UUID) -> Attachment:
    """Take a file out of the draft (S01); submissions that hold it keep it. Raise NotFound for one that is gone."""
    made = session.get(Attachment, attachment_id)
    if made is None or made.removed_at:
        raise NotFound(NO_FILE)
    case = find(session, made.proposal_id)
    by = authorize(session, by, ACTS.remove_file, case, file=made.digest)
    must_be_open(case)
    made.removed_at = utc_now()
    case.edition += 1
    note_saved(session, by, case, touched=())
    session.flush()
    return made


def clean_name(file_name: str, *, ending: str, otherwise: str = "lampiran") -> str:
    """Return a file's name without folders and signs that a disk or a header would stumble over."""
    stem = "".join(letter for letter in PurePath(file_name).stem if letter.isalnum() or letter in " -_")
    return (stem.strip()[:100] or otherwise) + ending


def fill_case(case: Case, content: Content) -> None:
    """Write into a case what of the content is kept there."""
    case.name, case.code, case.kind, case.purpose = content.name, content.code, content.kind, content.purpose
    case.personal_data, case.criticality = content.personal_data, content.criticality
    case.expected_users = content.expected_users
    case.tech = {
        "language": content.language,
        "framework": content.framework,
        "database": content.database,
        "platform": content.platform,
    }


def fill_proposal(proposal: Proposal, content: Content) -> Proposal:
    """Write into a proposal what of the content is kept there; return it."""
    proposal.letter_number, proposal.letter_on = content.letter_number, content.letter_on
    proposal.background, proposal.benefit, proposal.users = content.background, content.benefit, content.users
    proposal.indicators = [indicator.model_dump() for indicator in content.indicators]
    proposal.more = {
        name: value for name, value in content.model_dump(mode="json").items() if name not in CORE and value
    }
    return proposal


def name_taken(code: str) -> Incomplete:
    """Return the refusal of a short name that another application has."""
    return Incomplete(
        Sentence("Nama singkat “{code}” sudah dipakai aplikasi lain.", code=code),
        errors=[FieldError("/code", "Pilih nama singkat lain, misalnya dengan menambah nama unit.")],
        code="name_taken",
    )
