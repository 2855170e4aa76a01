"""Sessions and tokens, and the attempts to sign in that the throttle counts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from services.gateway.model.person import Person
from services.gateway.model.personal_setting import PersonalSetting
from services.gateway.model.table import Table
from shared.database import Kept, utc_now


class Session(Table):
    """One sign-in of one person. The cookie's token itself is nowhere kept, only its digest."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_person_id_address", "person_id", "address"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of the token in the cookie, in hex."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    setting: Mapped[PersonalSetting | None] = relationship(
        primaryjoin=lambda: PersonalSetting.person_id == foreign(Session.person_id), lazy="joined", viewonly=True
    )
    """Read in the same query, for every page of this session needs it."""
    form_token: Mapped[str] = mapped_column(String(64))
    """What a form of this session carries, so that no other site can send one."""
    address: Mapped[str] = mapped_column(String(60))
    agent: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """What the browser calls itself; shown to the person in words."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    proved_at: Mapped[datetime] = mapped_column(default=utc_now, server_default=func.now())
    """When the person last proved by password or code that it is them."""
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Token(Kept, Table):
    """A personal token for programs: shown once, kept as its digest, ends by itself."""

    __tablename__ = "token"
    __table_args__ = (Index("ix_token_person_id", "person_id", "created_at"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Attempt(Table):
    """How often signing in failed lately, for one account, one address, or both together."""

    __tablename__ = "attempt"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    """What is counted. An account stands as a digest: people type passwords into the wrong field."""
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    next_at: Mapped[datetime]
    """Before this moment no attempt is looked at."""
