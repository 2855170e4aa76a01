"""Comments on a case: what people say to each other about it, beside the trace; never deleted, only withdrawn."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.proposal.model.table import Table
from shared.database import Kept

EDIT_WITHIN = timedelta(minutes=15)
"""How long the author may still put right what they wrote."""
LONGEST_COMMENT = 4000
MOST_MENTIONS = 10
MENTION = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]{0,38}[a-z0-9])", re.IGNORECASE)


class Comment(Kept, Table):
    """One comment, for everybody who sees the case or for the centre's own people only."""

    __tablename__ = "comment"
    __table_args__ = (Index("ix_comment_case_id", "case_id", "created_at", "id"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"))
    author_id: Mapped[UUID]
    author_name: Mapped[str] = mapped_column(String(200))
    as_what: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)
    is_internal: Mapped[bool] = mapped_column(default=False)
    """Seen by the centre's own people and auditors only."""
    mentions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    """Who was told: id, username and name."""
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    @property
    def mentioned(self) -> list[str]:
        """Return the account names that the words mention, in their order, as many as are told."""
        return list(dict.fromkeys(name.lower() for name in MENTION.findall(self.words)))[:MOST_MENTIONS]

    def is_open_to_change(self, now: datetime) -> bool:
        """Tell whether its author may still put it right."""
        return self.withdrawn_at is None and now - self.created_at <= EDIT_WITHIN
