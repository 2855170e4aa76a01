"""What a person has chosen for themselves: how pages look and in which language they speak."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from services.gateway.model.table import Table
from shared.identity import Language, Theme


class PersonalSetting(Table):
    """The choices of one person; whoever has made none has no row."""

    __tablename__ = "personal_setting"
    __table_args__ = (
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme_is_known"),
        CheckConstraint("language IN ('id', 'en')", name="language_is_known"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    theme: Mapped[Theme] = mapped_column(String(5))
    language: Mapped[Language] = mapped_column(String(2))
