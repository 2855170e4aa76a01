"""The code with which anybody who holds the receipt follows a case without an account."""

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from services.proposal.model.table import Table
from shared.database import utc_now
from shared.issued import ALPHABET

LENGTH: Final = 12
_MISREAD: Final = str.maketrans("OIL", "011")


class FollowCode(Table):
    """The code of one case, given with its first submission."""

    __tablename__ = "follow_code"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("application_case.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(LENGTH))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def printed(self) -> str:
        """Return the code as it stands on the receipt: three groups of four."""
        return "-".join(self.code[n : n + 4] for n in range(0, LENGTH, 4))


def new_code() -> str:
    """Return a code that nobody guesses: 60 random bits in letters that are not misread."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_code(typed: str) -> str:
    """Return a code as it is kept, however it was typed; empty when it cannot be one."""
    bare = "".join(sign for sign in typed[:60] if sign.isalnum()).upper().translate(_MISREAD)
    return bare if len(bare) == LENGTH and all(sign in ALPHABET for sign in bare) else ""
