"""Invitations and reset links, campus accounts linked to people, and visits to an identity provider."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.gateway.model.person import Person
from services.gateway.model.table import Table
from shared.database import Kept

INVITE, RESET = "invite", "reset"


class Invitation(Kept, Table):
    """A link by which one person comes in once: for the first time, or again with a new password.

    The link's token is nowhere kept, only its digest.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("purpose IN ('invite', 'reset')", name="purpose_is_known"),
        CheckConstraint("purpose = 'invite' OR person_id IS NOT NULL", name="reset_is_for_somebody"),
        CheckConstraint("used_at IS NULL OR withdrawn_at IS NULL", name="used_or_withdrawn"),
        # One open link for each name: whoever asks again takes the earlier one back.
        Index(
            "uq_invitation_open",
            "username",
            "purpose",
            unique=True,
            postgresql_where="used_at IS NULL AND withdrawn_at IS NULL",
        ),
        Index("ix_invitation_created_at", "created_at", "id"),
        Index("ix_invitation_person_id", "person_id"),
    )

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(10))
    username: Mapped[str] = mapped_column(String(40))
    display_name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    title: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str | None] = mapped_column(ForeignKey("unit.code"))
    vendor: Mapped[str | None] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(254))
    """The e-mail address that it is bound to."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Whom a reset is for; of an invitation, who came of it."""
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Empty: on the command line."""
    made_by_name: Mapped[str] = mapped_column(String(200))
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Identity(Table):
    """A campus account that a person signs in with. Issuer and subject are who it is; an e-mail address never is."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("person_id", "issuer"),)

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    shown_as: Mapped[str] = mapped_column(String(254))
    """What the provider called it when it was linked; only to be looked at."""
    linked_at: Mapped[datetime]


class ProviderVisit(Table):
    """One way to an identity provider and back, for ten minutes and one return."""

    __tablename__ = "provider_visit"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_in', 'link', 'accept')", name="purpose_is_known"),
        Index("ix_provider_visit_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """sha256 of the secret in the browser's cookie, in hex."""
    created_at: Mapped[datetime]
    provider: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    target: Mapped[str] = mapped_column(String(2000))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who wants to link an account."""
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitation.id"))
    """Which invitation is to be accepted."""
    used_at: Mapped[datetime | None]
    issuer: Mapped[str | None] = mapped_column(String(300))
    """With `subject` set once the provider has vouched for it; a form of ours then says what becomes of it."""
    subject: Mapped[str | None] = mapped_column(String(255))
    shown_as: Mapped[str | None] = mapped_column(String(254))
    email: Mapped[str | None] = mapped_column(String(254))
    """Only when the provider says that it has checked the address."""
