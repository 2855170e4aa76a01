"""Shapes of comments."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.proposal.model import LONGEST_COMMENT, Comment
from shared.database import utc_now
from shared.identity import Person
from shared.pages import AREA


class CommentWords(BaseModel):
    """What somebody says."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(
        min_length=1,
        max_length=LONGEST_COMMENT,
        title="Komentar",
        description="Sebut nama akun dengan @, misalnya @kepala, agar orangnya diberi tahu.",
        json_schema_extra=AREA,
    )


class NewComment(CommentWords):
    """A new comment."""

    is_internal: bool = Field(
        False, title="Hanya untuk staf PUSTIPD", description="Unit pengusul tidak melihat komentar internal."
    )


class CommentView(BaseModel):
    """A comment as it may be read; one that was withdrawn says nothing any more."""

    id: UUID
    author_name: str
    as_what: str
    words: str
    is_internal: bool
    told: list[str]
    """Names of who was told."""
    untold: list[str]
    """Account names that the author mentioned without anybody being told; for the author alone."""
    created_at: AwareDatetime
    edited_at: AwareDatetime | None
    withdrawn_at: AwareDatetime | None
    may_edit: bool
    may_withdraw: bool

    @classmethod
    def of(cls, comment: Comment, by: Person) -> "CommentView":
        """Return a comment with what this person may do with it."""
        mentions: list[dict[str, Any]] = [] if comment.withdrawn_at else comment.mentions
        is_own = comment.author_id == by.id
        may_withdraw = is_own and comment.withdrawn_at is None
        told = {by.username, *(str(one["username"]) for one in mentions)}
        return cls(
            id=comment.id,
            author_name=comment.author_name,
            as_what=comment.as_what,
            words="" if comment.withdrawn_at else comment.words,
            is_internal=comment.is_internal,
            told=[str(one["name"]) for one in mentions],
            untold=[name for name in comment.mentioned if name not in told] if may_withdraw else [],
            created_at=comment.created_at,
            edited_at=comment.edited_at,
            withdrawn_at=comment.withdrawn_at,
            may_edit=is_own and comment.is_open_to_change(utc_now()),
            may_withdraw=may_withdraw,
        )
