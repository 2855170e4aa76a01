"""Second factors: the shared secret, the codes for the day it is lost, and a sign-in that waits for its code."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.gateway.model.person import Person
from services.gateway.model.table import Table
from shared.database import utc_now


class SecondFactor(Table):
    """A person's secret for one-time codes (RFC 6238); on from the moment a first code was right."""

    __tablename__ = "second_factor"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed with a key that is not in the database."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    last_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last time step whose code was taken: none is taken twice."""


class RecoveryCode(Table):
    """A code that stands in for the second factor once; kept as its digest."""

    __tablename__ = "recovery_code"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    used_at: Mapped[datetime | None]


class PendingSignIn(Table):
    """A sign-in whose password was right and whose code is still to come."""

    __tablename__ = "pending_sign_in"
    __table_args__ = (Index("ix_pending_sign_in_expires_at", "expires_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of the token in the cookie of the second step, in hex."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    address: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
