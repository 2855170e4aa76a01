"""People, their units, and the posts that they hold for somebody else."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.gateway.model.table import Table
from shared import identity
from shared.database import Kept, utc_now
from shared.identity import Role
from shared.procedure import procedure
from shared.words import local_date


class Unit(Table):
    """A unit of the campus, by its code."""

    __tablename__ = "unit"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class Person(Kept, Table):
    """Somebody who may sign in, with the posts they hold."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("cardinality(roles) > 0", name="has_a_role"),
        CheckConstraint("username = lower(username)", name="username_in_lower_case"),
    )

    username: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    title: Mapped[str] = mapped_column(String(200))
    """The post as printed under a signature."""
    unit: Mapped[str | None] = mapped_column(ForeignKey("unit.code"))
    vendor: Mapped[str | None] = mapped_column(String(20))
    """Code of the firm, for a vendor's account."""
    password_hash: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    appointments: Mapped[list["Appointment"]] = relationship(
        foreign_keys="Appointment.person_id", order_by="Appointment.from_on", viewonly=True, lazy="selectin"
    )

    def as_signed(self, on: date | None = None) -> identity.Person:
        """Return the person as the divisions are told of them: own roles, and those held for others on that WIB day."""
        day = on or local_date(utc_now())
        in_force = [one for one in self.appointments if one.is_in_force(day)]
        acting = {Role(one.role): one.printed for one in in_force if one.role not in self.roles}
        return identity.Person(
            id=self.id,
            username=self.username,
            name=self.display_name,
            roles=frozenset(Role(role) for role in self.roles) | acting.keys(),
            title=self.title,
            unit=self.unit,
            vendor=self.vendor,
            acting=acting,
        )


class Appointment(Kept, Table):
    """A post that a person holds for somebody else, or while it is vacant, from one day to another."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("from_on <= until_on", name="ends_after_it_begins"),
        CheckConstraint("kind IN ('plt', 'plh')", name="kind_is_known"),
        CheckConstraint("kind = 'plt' OR for_person_id IS NOT NULL", name="plh_stands_in_for_somebody"),
        CheckConstraint("length(letter_number) > 0", name="has_a_letter"),
        Index("ix_appointment_person_id", "person_id"),
        Index("ix_appointment_from_on", "from_on"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(foreign_keys=[person_id], lazy="joined", innerjoin=True)
    role: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(3))
    """plt: the post is vacant; plh: its holder is away."""
    for_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    for_person: Mapped[Person | None] = relationship(foreign_keys=[for_person_id], lazy="joined")
    from_on: Mapped[date]
    until_on: Mapped[date]
    """The last day, in WIB; the day after it nobody has to do anything."""
    letter_number: Mapped[str] = mapped_column(String(100))
    appointed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Empty: on the command line."""
    appointed_by_name: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[datetime | None]
    """When somebody ended it before its last day."""
    ended_by_name: Mapped[str | None] = mapped_column(String(200))
    end_reason: Mapped[str | None] = mapped_column(String(4000))

    @property
    def printed(self) -> str:
        """Return the post as it stands in the trace and under signatures, e.g. "Plh. Kepala PUSTIPD"."""
        return f"{self.kind.capitalize()}. {procedure().titles[Role(self.role)]}"

    def is_in_force(self, day: date) -> bool:
        """Tell whether the person holds the post on this day (WIB)."""
        return self.ended_at is None and self.from_on <= day <= self.until_on
