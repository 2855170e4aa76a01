"""Vendors: registered and amended (S05)."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.budget.authority import ACTS
from services.budget.model import Vendor
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, NotFound
from shared.identity import Person
from shared.sentence import Sentence


def register_vendor(
    session: Session,
    by: Person,
    *,
    code: str,
    name: str,
    npwp: str = "",
    is_pkp: bool,
    city: str = "",
    director: str = "",
) -> Vendor:
    """Register a firm and return it; raise Incomplete when the code is taken (S05)."""
    by = authorize(session, by, ACTS.register_vendor, f"vendor:{code}", name=name, is_pkp=is_pkp)
    values = {"code": code, "name": name, "npwp": npwp, "is_pkp": is_pkp, "city": city, "director": director}
    statement = insert(Vendor).values(**values).on_conflict_do_nothing(index_elements=["code"]).returning(Vendor.id)
    vendor_id = session.scalar(statement)
    if vendor_id is None:
        detail = Sentence(
            "Kode penyedia {code} sudah terdaftar. Pakai kode lain, atau ubah data penyedia yang ada.",
            code=code,
        )
        raise Incomplete(detail, errors=[FieldError("/code", detail)])
    return session.get_one(Vendor, vendor_id)


def amend_vendor(
    session: Session,
    by: Person,
    code: str,
    *,
    name: str,
    npwp: str = "",
    is_pkp: bool,
    city: str = "",
    director: str = "",
) -> Vendor:
    """Correct what is known of a firm; contracts that stand keep the VAT they were made with (S05)."""
    vendor = session.scalar(select(Vendor).where(Vendor.code == code).with_for_update())
    if vendor is None:
        raise NotFound("Penyedia tidak ditemukan. Periksa kodenya atau daftarkan sebagai penyedia baru.")
    by = authorize(session, by, ACTS.amend_vendor, vendor, name=name, is_pkp=is_pkp)
    vendor.name, vendor.npwp, vendor.is_pkp, vendor.city, vendor.director = name, npwp, is_pkp, city, director
    session.flush()
    return vendor
