"""Measurements: how the public address of each live release answered, minute by minute."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.deploy.model.table import Table
from shared.database import utc_now


class Measurement(Table):
    """One question to one public address, and its answer."""

    __tablename__ = "measurement"
    __table_args__ = (Index("ix_measurement_case_id_at", "case_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.case_id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[int]
    """HTTP status; 0 when nothing answered."""
    milliseconds: Mapped[int]
    """From the question to the last byte of the answer."""
    is_up: Mapped[bool]
    """Whether the status was 200 to 399."""
