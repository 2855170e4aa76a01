"""The form of a proposal as it stands: its sections, what each lacks, its files, and what was submitted before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.model import (
    SECTIONS_OF_FORM,
    Attachment,
    Case,
    Content,
    Difference,
    Draft,
    Proposal,
    ProposalVersion,
    Section,
    content_of,
    differences,
    lacking,
)
from services.proposal.queries.case import case, proposal
from shared.errors import NotFound
from shared.identity import Person


@dataclass(frozen=True)
class Part:
    """One section of the form and how far it is."""

    section: Section
    lacking: tuple[str, ...]
    wrong: tuple[str, ...]
    """Fields whose words cannot be taken as they were typed."""

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing more is asked here."""
        return not self.lacking and not self.wrong


@dataclass(frozen=True)
class Form:
    """A proposal as its form shows it."""

    case: Case
    proposal: Proposal
    content: Content
    rough: Mapping[str, Any]
    saved_at: datetime | None
    saved_by: str
    attachments: Sequence[Attachment]
    parts: tuple[Part, ...]

    @property
    def done(self) -> int:
        """Return how many sections are complete."""
        return sum(part.is_complete for part in self.parts)


def form(session: Session, by: Person, which: UUID | str) -> Form:
    """Return the form of a proposal by id or number; raise NotFound for one that this person may not know of."""
    found = case(session, by, which)
    kept = proposal(session, by, found.id)
    draft = session.get(Draft, found.id)
    content, rough = content_of(found, kept), dict(draft.rough) if draft else {}
    parts = tuple(
        Part(
            section,
            tuple(lacking(content, section, has_letter=bool(kept.letter_digest))),
            tuple(name for name in section.fields if name in rough),
        )
        for section in SECTIONS_OF_FORM
    )
    return Form(
        found,
        kept,
        content,
        rough,
        draft.saved_at if draft else None,
        draft.saved_by_name if draft else "",
        attachments(session, found.id),
        parts,
    )


def attachments(session: Session, case_id: UUID) -> Sequence[Attachment]:
    """Return the files beside a draft, oldest first."""
    return session.scalars(
        select(Attachment)
        .where(Attachment.proposal_id == case_id, Attachment.removed_at.is_(None))
        .order_by(Attachment.created_at, Attachment.id)
    ).all()


def attachment(session: Session, by: Person, attachment_id: UUID) -> Attachment:
    """Return a file beside a proposal; raise NotFound for one that this person may not read."""
    found = session.get(Attachment, attachment_id)
    if found is None or found.removed_at:
        raise NotFound("Lampiran tidak ditemukan. Muat ulang halaman usulan.")
    proposal(session, by, found.proposal_id)
    return found


def free_code(session: Session, wish: str) -> str:
    """Return a short name like the wished one that no application has: itself, or with a number behind it."""
    stem = wish[:27].rstrip("-")
    taken = set(session.scalars(select(Case.code).where(Case.code.startswith(stem, autoescape=True))))
    return next(name for name in (wish, *(f"{stem}-{n}" for n in range(2, 1000))) if name not in taken)


@dataclass(frozen=True)
class Submission:
    """One submission, and what it says otherwise than the one before."""

    kept: ProposalVersion
    differences: tuple[Difference, ...]


def submissions(session: Session, by: Person, which: UUID | str) -> tuple[Case, list[Submission]]:
    """Return a case and its submissions, the newest first, at most 50; raise NotFound."""
    found = case(session, by, which)
    proposal(session, by, found.id)
    kept = session.scalars(
        select(ProposalVersion)
        .where(ProposalVersion.proposal_id == found.id)
        .order_by(ProposalVersion.version.desc())
        .limit(50)
    ).all()
    told = []
    for n, one in enumerate(kept):
        earlier = kept[n + 1] if n + 1 < len(kept) else None
        told.append(Submission(one, tuple(_changed(earlier, one)) if earlier else ()))
    return found, told


def _changed(earlier: ProposalVersion, later: ProposalVersion) -> list[Difference]:
    found = differences(Content, earlier.content, later.content)
    before, after = _files(earlier), _files(later)
    if before != after:
        found.append(Difference("Lampiran", before, after))
    return found


def _files(kept: ProposalVersion) -> str:
    return "\n".join(str(file["file_name"]) for file in kept.attachments)
