"""Loads what an act is about: the plan first and locked, so that the acts on one case happen one after another."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget.model import (
    Account,
    BudgetPlan,
    Claim,
    Contract,
    Conveyance,
    Handover,
    Vendor,
)
from shared.errors import FieldError, Incomplete, NotFound
from shared.identity import Person, Role
from shared.sentence import Sentence


def find_plan(session: Session, plan_id: UUID) -> BudgetPlan:
    """Return a plan, locked until the transaction ends; raise NotFound."""
    settle(session)
    plan = session.get(BudgetPlan, plan_id, with_for_update={"of": BudgetPlan})
    if plan is None:
        raise NotFound("RAB tidak ditemukan. Periksa nomor perkaranya atau cari di daftar RAB.")
    return plan


def settle(session: Session) -> None:
    """Write what is pending and forget what was read: triggers move balances behind the program's back."""
    session.flush()
    session.expire_all()


def find_conveyance(session: Session, conveyance_id: UUID) -> Conveyance:
    """Return a conveyance, its plan locked; raise NotFound."""
    plan_id = session.scalar(select(Conveyance.plan_id).where(Conveyance.id == conveyance_id))
    if plan_id is None:
        raise NotFound("Penyampaian tidak ditemukan. Cari di daftar RAB.")
    find_plan(session, plan_id)
    return session.get_one(Conveyance, conveyance_id)


def find_contract(session: Session, asker: Person, contract_id: UUID) -> Contract:
    """Return a contract, its plan locked; a vendor knows only those of the own firm. Raise NotFound."""
    plan_id = session.scalar(select(Contract.plan_id).where(Contract.id == contract_id))
    if plan_id is None:
        raise NotFound(NO_CONTRACT)
    find_plan(session, plan_id)
    contract = session.get_one(Contract, contract_id)
    hide_from_other_firms(asker, contract.vendor, NO_CONTRACT)
    return contract


def find_claim(session: Session, asker: Person, claim_id: UUID) -> Claim:
    """Return a claim, its plan locked; a vendor knows only those of the own firm. Raise NotFound."""
    contract_id = session.scalar(select(Claim.contract_id).where(Claim.id == claim_id))
    if contract_id is None:
        raise NotFound(NO_CLAIM)
    contract = find_contract(session, asker, contract_id)
    hide_from_other_firms(asker, contract.vendor, NO_CLAIM)
    return session.get_one(Claim, claim_id)


def find_handover(session: Session, asker: Person, handover_id: UUID) -> Handover:
    """Return a handover, its plan locked; a vendor knows only those of the own firm. Raise NotFound."""
    contract_id = session.scalar(select(Handover.contract_id).where(Handover.id == handover_id))
    if contract_id is None:
        raise NotFound("Berita acara serah terima tidak ditemukan. Cari di halaman kontraknya.")
    find_contract(session, asker, contract_id)
    return session.get_one(Handover, handover_id)


def find_vendor(session: Session, code: str) -> Vendor:
    """Return a vendor by code; raise Incomplete that names the field."""
    vendor = session.scalar(select(Vendor).where(Vendor.code == code))
    if vendor is None:
        detail = Sentence("Penyedia “{code}” belum terdaftar. Daftarkan dahulu di halaman Penyedia.", code=code)
        raise Incomplete(detail, errors=[FieldError("/vendor", detail)])
    return vendor


def must_know_accounts(session: Session, codes: Sequence[str], *, pointer: str) -> None:
    """Raise Incomplete that names each account code the finance office does not know.

    `pointer` is formatted with the place of the code, e.g. "/lines/{n}/account_code".
    """
    known = set(session.scalars(select(Account.code).where(Account.code.in_(set(codes)))))
    errors = [
        FieldError(
            pointer.format(n=n),
            Sentence(
                "Kode akun {code} tidak dikenal. Pakai kode dari daftar akun, atau minta Bagian Perencanaan "
                "mencatatnya.",
                code=code,
            ),
        )
        for n, code in enumerate(codes)
        if code not in known
    ]
    if errors:
        raise Incomplete("Ada kode akun yang tidak dikenal.", errors=errors)


def hide_from_other_firms(asker: Person, vendor: Vendor, words: str) -> None:
    """Raise NotFound for a person of another firm: they may not know that the thing exists."""
    if asker.roles <= {Role.VENDOR} and asker.vendor != vendor.code:
        raise NotFound(words)


NO_CONTRACT = "Kontrak tidak ditemukan. Periksa nomornya atau cari di daftar kontrak."
NO_CLAIM = "Tagihan tidak ditemukan. Periksa nomornya atau cari di daftar tagihan."
