"""Proof packs as auditors and leaders may see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from services.proposal.authority import PROVING
from services.proposal.model import Case, ProofPack
from services.proposal.queries.case import seen_by
from shared.errors import NotAllowed, NotFound
from shared.identity import Person

SHOWN = 20


def may_prove(by: Person) -> bool:
    """Tell whether this person may have and read proof packs."""
    return by.has(*PROVING)


def proof_packs(session: Session, by: Person, case_id: UUID) -> Sequence[ProofPack]:
    """Return the newest proof packs of a case; raise NotAllowed for whoever may not read every paper."""
    if not may_prove(by):
        raise NotAllowed("Paket bukti hanya untuk Kepala, Koordinator Divisi Aplikasi, dan SPI.")
    return session.scalars(
        select(ProofPack)
        .where(ProofPack.case_id == case_id)
        .order_by(ProofPack.created_at.desc())
        .limit(SHOWN)
        .options(lazyload(ProofPack.case))
    ).all()


def proof_pack(session: Session, by: Person, pack_id: UUID) -> ProofPack:
    """Return a proof pack; raise NotFound for one that this person may not know of."""
    found = session.scalar(
        select(ProofPack).join(Case, Case.id == ProofPack.case_id).where(ProofPack.id == pack_id, seen_by(by))
    )
    if found is None or not may_prove(by):
        raise NotFound("Paket bukti tidak ditemukan. Buka kembali dari halaman perkaranya.")
    return found
