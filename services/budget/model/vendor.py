"""Vendors (penyedia): the firms that contracts are made with."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from services.budget.model.table import Table
from shared.database import Kept


class Vendor(Kept, Table):
    """One firm."""

    __tablename__ = "vendor"

    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    npwp: Mapped[str] = mapped_column(String(30), default="")
    is_pkp: Mapped[bool]
    """Registered for VAT; a firm that is not charges none."""
    city: Mapped[str] = mapped_column(String(100), default="")
    director: Mapped[str] = mapped_column(String(200), default="")
    """Who signs for the firm."""
