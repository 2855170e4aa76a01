"""People, their units, and the posts that they hold."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, literal_column, or_, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.gateway.model.table import Table
from shared import identity
from shared.database import Kept, utc_now
from shared.identity import Role
from shared.procedure import procedure
from shared.words import local_date

DEFINITIVE, PLT, PLH = "definitive", "plt", "plh"
"""A post of one's own; one that is vacant; one whose holder is away."""
POSTS = (
    Role.HEAD, Role.APP_HEAD, Role.SERVICE_HEAD, Role.INFRA_HEAD, Role.SECURITY_HEAD, Role.PPK, Role.TREASURER,
)  # fmt: skip
"""Posts that one person holds at a time, for a term; only these can be held for somebody else."""


def _one_at_a_time(name: str, kind: str) -> ExcludeConstraint:
    """Return what keeps a post from two people on one day, whichever way they come to it."""
    posts = ", ".join(f"'{post}'" for post in POSTS)
    return ExcludeConstraint(
        ("role", "="),
        (literal_column("daterange(from_on, until_on, '[]')"), "&&"),
        where=text(f"ended_at IS NULL AND {kind} AND role IN ({posts})"),
        using="gist",
        name=name,
    )


class Unit(Table):
    """A unit of the campus, by its code."""

    __tablename__ = "unit"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class Person(Kept, Table):
    """Somebody who may sign in; what they may do follows from the posts they hold on the day."""

    __tablename__ = "person"
    __table_args__ = (CheckConstraint("username = lower(username)", name="username_in_lower_case"),)

    username: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str | None] = mapped_column(ForeignKey("unit.code"))
    vendor: Mapped[str | None] = mapped_column(String(20))
    """Code of the firm, for a vendor's account."""
    password_hash: Mapped[str] = mapped_column(String(200))
    """Empty: the person signs in with a campus account only."""
    password_set_at: Mapped[datetime] = mapped_column(default=utc_now)
    is_active: Mapped[bool] = mapped_column(default=True)
    appointments: Mapped[list["Appointment"]] = relationship(
        foreign_keys="Appointment.person_id",
        order_by="(Appointment.from_on, Appointment.id)",
        viewonly=True,
        lazy="selectin",
    )

    @property
    def roles(self) -> list[str]:
        """Return the roles that the person holds today, acting ones too; only appointments change them."""
        return sorted(self.as_signed().roles)

    @property
    def title(self) -> str:
        """Return the own post as printed under a signature today; empty for somebody who holds none."""
        return self.as_signed().title

    def as_signed(self, on: date | None = None) -> identity.Person:
        """Return the person as the divisions are told of them: the posts that they hold on that WIB day.

        Whoever holds none has no role and may do nothing; a post that this version does not know is none.
        """
        day = on or local_date(utc_now())
        in_force = [one for one in self.appointments if one.is_in_force(day) and one.role in set(Role)]
        own = {Role(one.role): one.printed for one in in_force if one.kind == DEFINITIVE}
        acting = {Role(one.role): one.printed for one in in_force if Role(one.role) not in own}
        return identity.Person(
            id=self.id,
            username=self.username,
            name=self.display_name,
            roles=frozenset(own.keys() | acting.keys()),
            title=own[min(own)] if own else "",
            titles=own if len(set(own.values())) > 1 else {},
            unit=self.unit,
            vendor=self.vendor,
            acting=acting,
        )


class Appointment(Kept, Table):
    """A post that a person holds from one day to another: their own, or one held for somebody else."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("from_on <= until_on", name="ends_after_it_begins"),
        CheckConstraint("kind IN ('definitive', 'plt', 'plh')", name="kind_is_known"),
        CheckConstraint("kind <> 'plh' OR for_person_id IS NOT NULL", name="plh_stands_in_for_somebody"),
        CheckConstraint("kind = 'definitive' OR until_on IS NOT NULL", name="acting_ends"),
        CheckConstraint("kind = 'definitive' OR length(letter_number) > 0", name="acting_has_a_letter"),
        _one_at_a_time("ex_appointment_one_holder", "kind = 'definitive'"),
        _one_at_a_time("ex_appointment_one_deputy", "kind <> 'definitive'"),
        Index("ix_appointment_person_id", "person_id"),
        Index("ix_appointment_created_at", "created_at", "id"),
        Index("ix_appointment_role", "role", "created_at", "id"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(foreign_keys=[person_id], lazy="joined", innerjoin=True)
    role: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200), default="")
    """The post as printed, without Plt. or Plh.; empty: as the SOP calls it."""
    for_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    for_person: Mapped[Person | None] = relationship(foreign_keys=[for_person_id], lazy="joined")
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    """The last day, in WIB; the day after it nobody has to do anything. Empty: no end is known."""
    letter_number: Mapped[str] = mapped_column(String(100))
    """Empty: taken over by loading, on the command line or by invitation, without a letter."""
    appointed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Empty: on the command line."""
    appointed_by_name: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[datetime | None]
    """When somebody ended it at once, before its last day."""
    ended_by_name: Mapped[str | None] = mapped_column(String(200))
    end_reason: Mapped[str | None] = mapped_column(String(4000))
    end_letter_number: Mapped[str | None] = mapped_column(String(100))

    @property
    def printed(self) -> str:
        """Return the post as it stands in the trace and under signatures, e.g. "Plh. Kepala PUSTIPD"."""
        title = self.title or procedure().titles[Role(self.role)]
        return title if self.kind == DEFINITIVE else f"{self.kind.capitalize()}. {title}"

    @property
    def last_on(self) -> date | None:
        """Return the last day on which the post was or is held; None while no end is known.

        On the day on which it is ended at once it counts no longer: who decides today is one person.
        """
        return local_date(self.ended_at) - timedelta(days=1) if self.ended_at else self.until_on

    @staticmethod
    def held(role: Role, day: date) -> ColumnElement[bool]:
        """Return the condition that a post is held on this day (WIB); for posts that were ended it is not."""
        is_open = or_(Appointment.until_on.is_(None), Appointment.until_on >= day)
        return and_(Appointment.role == role.value, Appointment.from_on <= day, is_open, Appointment.ended_at.is_(None))

    def is_in_force(self, day: date) -> bool:
        """Tell whether the person holds the post on this day (WIB)."""
        return self.from_on <= day and (self.last_on is None or day <= self.last_on)
