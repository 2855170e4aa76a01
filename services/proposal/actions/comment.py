"""Speaking about a case: comments, whom they mention, and putting them right or withdrawing them."""

import hashlib
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.authority import ACTS, READERS
from services.proposal.model import EDIT_WITHIN, LONGEST_COMMENT, Case, Comment
from shared import directory
from shared.authority import authorize
from shared.database import utc_now
from shared.directory import Listed
from shared.errors import FieldError, Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.mailbox import post
from shared.messages import PersonMentioned
from shared.sentence import Sentence
from shared.words import local_date

NO_COMMENT = "Komentar tidak ditemukan. Muat ulang halaman perkaranya."


def write_comment(session: Session, by: Person, case_id: UUID, *, words: str, is_internal: bool = False) -> Comment:
    """Say something about a case that one sees; whoever is mentioned and sees it too is told.

    Raises NotFound for a case that this person may not know of, NotAllowed for an internal word of an outsider.
    """
    case = queries.case(session, by, case_id)
    if is_internal and not by.has(*READERS):
        raise NotAllowed("Komentar internal hanya untuk staf PUSTIPD. Kirim sebagai komentar biasa.")
    said = _checked(words)
    by = authorize(session, by, ACTS.write_comment, case, digest=_digest(said), internal=is_internal)
    comment = Comment(
        case_id=case.id,
        author_id=by.id,
        author_name=by.name,
        as_what=by.as_what,
        words=said,
        is_internal=is_internal,
        mentions=[],
    )
    session.add(comment)
    session.flush()
    _tell_mentioned(session, by, case, comment)
    return comment


def edit_comment(session: Session, by: Person, comment_id: UUID, *, words: str) -> Comment:
    """Put one's own comment right within 15 minutes; raise OutOfTurn afterwards."""
    comment, case = _find(session, by, comment_id)
    said = _checked(words)
    by = authorize(session, by, ACTS.edit_comment, comment, digest=_digest(said))
    if not comment.is_open_to_change(utc_now()):
        minutes = int(EDIT_WITHIN.total_seconds() // 60)
        raise OutOfTurn(
            Sentence(
                "Komentar hanya dapat diperbaiki dalam {minutes} menit setelah dikirim. Tulis komentar baru, "
                "atau tarik komentar ini bila keliru.",
                minutes=minutes,
            )
        )
    comment.words, comment.edited_at = said, utc_now()
    session.flush()
    _tell_mentioned(session, by, case, comment)
    return comment


def withdraw_comment(session: Session, by: Person, comment_id: UUID) -> Comment:
    """Withdraw one's own comment: its words are shown to nobody any more, its place stays. Once is enough."""
    comment, _ = _find(session, by, comment_id)
    by = authorize(session, by, ACTS.withdraw_comment, comment)
    comment.withdrawn_at = comment.withdrawn_at or utc_now()
    session.flush()
    return comment


def _find(session: Session, by: Person, comment_id: UUID) -> tuple[Comment, Case]:
    comment = session.get(Comment, comment_id, with_for_update=True, populate_existing=True)
    if comment is None or (comment.is_internal and not by.has(*READERS)):
        raise NotFound(NO_COMMENT)
    try:
        return comment, queries.case(session, by, comment.case_id)
    except NotFound:
        raise NotFound(NO_COMMENT) from None


def _checked(words: str) -> str:
    said = words.strip()
    if not said or len(said) > LONGEST_COMMENT:
        detail = (
            "Tulis komentarnya."
            if not said
            else Sentence(
                "Paling banyak {longest_comment} huruf; bagi menjadi dua.",
                longest_comment=LONGEST_COMMENT,
            )
        )
        raise Incomplete("Komentar belum dapat dikirim.", errors=[FieldError("/words", detail)])
    return said


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def _tell_mentioned(session: Session, by: Person, case: Case, comment: Comment) -> None:
    """Tell whoever is mentioned for the first time and may read the comment; nobody is told twice of one comment."""
    told = {one["id"] for one in comment.mentions}
    for name in comment.mentioned:
        person = next((one for one in directory.people(session, name) if one.username == name), None)
        if person is None or str(person.id) in told or person.id == by.id:
            continue
        if not _may_read(session, person, case, comment):
            continue
        comment.mentions = [
            *comment.mentions, {"id": str(person.id), "username": person.username, "name": person.name},
        ]  # fmt: skip
        post(
            session,
            PersonMentioned(
                person_id=person.id,
                comment_id=comment.id,
                case_number=case.number,
                about=case.name,
                by_name=by.name,
                as_what=by.as_what,
                path=f"/perkara/{case.number}/komentar",
            ),
            by=by,
        )
    session.flush()


def _may_read(session: Session, listed: Listed, case: Case, comment: Comment) -> bool:
    """Tell whether somebody of the directory sees the case, and an internal word in it."""
    today = local_date(utc_now())
    post_ = directory.directory_appointment.c
    held = session.scalars(
        select(post_.role).where(
            post_.person_id == listed.id, post_.from_on <= today, (post_.until_on.is_(None)) | (post_.until_on >= today)
        )
    )
    roles = frozenset(Role(role) for role in held)
    person = Person(
        id=listed.id, username=listed.username, name=listed.name, roles=roles, unit=listed.unit, vendor=listed.vendor
    )
    if not roles or (comment.is_internal and not person.has(*READERS)):
        return False
    try:
        queries.case(session, person, case.id)
    except NotFound:
        return False
    return True
