"""Shapes of the terms of reference (KAK): versions, the draft and its sections, how two states differ."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.proposal.model import Difference, Section, TermsContent, TermsOfReference, section_values
from services.proposal.queries import TermsForm, TermsPart
from shared.errors import FieldError, Incomplete
from shared.pages import Input, inputs
from shared.sentence import Sentence


def fields_of(section: Section) -> list[Input]:
    """Return the fields of a section; those without which no version is kept are marked."""
    return [one for one in inputs(TermsContent) if one.name in section.fields]


def must_belong(section: Section, names: Sequence[str]) -> None:
    """Raise Incomplete for fields that are not in a section."""
    foreign = [name for name in names if name not in section.fields]
    if foreign:
        raise Incomplete(
            Sentence(
                "Bagian “{title}” tidak memuat isian: {foreign}.",
                title=section.title,
                foreign=", ".join(foreign),
            ),
            errors=[FieldError(f"/{name}", "Kirim isian ini kepada bagiannya sendiri.") for name in foreign],
        )


class TermsView(BaseModel):
    """A version of the terms of reference."""

    id: UUID
    case_id: UUID
    version: int
    sections: TermsContent
    plan_version: int | None
    """The budget plan as it was known when the version was made."""
    plan_amount: int | None
    paper: str
    """Where its PDF is; empty for a version that was taken over from outside."""
    paper_digest: str
    by_name: str
    created_at: datetime

    @classmethod
    def of(cls, kept: TermsOfReference) -> "TermsView":
        """Return the view of a version."""
        return cls(
            id=kept.id,
            case_id=kept.case_id,
            version=kept.version,
            sections=kept.content,
            plan_version=kept.plan_version,
            plan_amount=kept.plan_amount,
            paper=f"/api/papers/{kept.paper_digest}" if kept.paper_digest else "",
            paper_digest=kept.paper_digest,
            by_name=kept.by_name,
            created_at=kept.created_at,
        )


class TermsPartView(BaseModel):
    """One section of the draft and what it still wants."""

    key: str
    title: str
    edition: int
    is_complete: bool
    is_pending: bool
    """Holds what no version has."""
    lacking: list[str]
    wrong: list[str]
    """Fields whose words cannot be taken yet."""

    @classmethod
    def of(cls, part: TermsPart) -> "TermsPartView":
        """Return the view of a section."""
        return cls(
            key=part.section.key,
            title=part.section.title,
            edition=part.edition,
            is_complete=part.is_complete,
            is_pending=part.is_pending,
            lacking=list(part.lacking),
            wrong=list(part.wrong),
        )


class TermsDraftView(BaseModel):
    """The draft, or one section of it."""

    case_id: UUID
    number: str
    based_on: int
    """The newest version; 0 before the first."""
    edition: int
    """Of what was asked for: the whole draft, or the section."""
    is_pending: bool
    saved_at: AwareDatetime | None
    saved_by: str
    done: int
    of: int
    sections: list[TermsPartView]
    content: dict[str, Any]
    errors: dict[str, str]
    """By place (`schedule.0.stage`): why it cannot be taken as it was typed."""

    @classmethod
    def of_form(cls, form: TermsForm, part: TermsPart | None = None) -> "TermsDraftView":
        """Return the view of a draft; of a section only its own fields, edition and errors."""
        draft = part.draft if part else form.newest_draft
        rough = [kept for name, kept in form.rough.items() if part is None or name in part.section.fields]
        return cls(
            case_id=form.case.id,
            number=form.case.number,
            based_on=form.newest.version if form.newest else 0,
            edition=part.edition if part else form.edition,
            is_pending=part.is_pending if part else form.is_pending,
            saved_at=draft.saved_at if draft else None,
            saved_by=draft.saved_by_name if draft else "",
            done=form.done,
            of=len(form.parts),
            sections=[TermsPartView.of(one) for one in form.parts],
            content=section_values(form.content, part.section) if part else form.content.model_dump(mode="json"),
            errors={place: words for kept in rough for place, words in kept["errors"].items()},
        )


class PieceView(BaseModel):
    """Some words that stayed, went or came."""

    model_config = ConfigDict(from_attributes=True)
    mark: Literal["same", "gone", "new"]
    words: str


class TermsDifferenceView(BaseModel):
    """One heading that says something else in the later of two states."""

    section: str
    label: str
    before: str
    after: str
    pieces: list[PieceView]
    """The change word by word; long stretches that stayed the same are cut short."""

    @classmethod
    def of(cls, section: Section, one: Difference) -> "TermsDifferenceView":
        """Return the view of a difference."""
        return cls(
            section=section.key,
            label=one.label,
            before=one.before,
            after=one.after,
            pieces=[PieceView.model_validate(piece) for piece in one.pieces],
        )


class Restoration(BaseModel):
    """Making an earlier version the draft again."""

    model_config = ConfigDict(extra="forbid")

    replaces_draft: bool = Field(
        False,
        title="Ganti isian draf yang belum menjadi versi",
        description="Isian draf sekarang hilang. Biarkan kosong untuk menyimpannya dahulu sebagai versi.",
    )
