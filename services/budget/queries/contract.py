"""Questions about contracts, handovers, claims and vendors."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload

from services.budget.authority import ACTS
from services.budget.model import (
    BINDING,
    CLAIM_MOVES,
    IN_FORCE,
    BudgetPlan,
    Claim,
    ClaimStatus,
    Contract,
    ContractStatus,
    Document,
    Handover,
    HandoverStatus,
    Term,
    Vendor,
)
from services.budget.queries.access import (
    VENDOR_READERS,
    contracts_of,
    may_read_contract,
    may_read_documents,
)
from shared.authority import Act
from shared.errors import NotFound
from shared.identity import Person, Role

_ALONE = (lazyload("*"), joinedload(Contract.vendor), joinedload(Contract.plan).options(lazyload("*")))
"""A contract as a list shows it: firm and application, but nothing of what hangs on it."""
_OF_CLAIM = joinedload(Claim.contract).options(*_ALONE)
_WHOLE = (
    joinedload(Contract.terms),
    joinedload(Contract.distributions),
    joinedload(Contract.ceiling).options(lazyload("*")),
    joinedload(Contract.plan).options(lazyload("*"), joinedload(BudgetPlan.contracts).options(lazyload("*"))),
    # Else each claim would load its contract anew.
    selectinload(Contract.claims).options(lazyload(Claim.contract)),
)
"""A contract as its page shows it: what is few comes with it, what may be much each with a statement of its own."""


def contract(session: Session, by: Person, contract_id: UUID) -> Contract:
    """Return a contract that this person may see; raise NotFound otherwise."""
    found = session.get(Contract, contract_id, options=_WHOLE)
    if found is None or not may_read_contract(by, found):
        raise NotFound("Kontrak tidak ditemukan. Periksa nomornya atau cari di daftar kontrak.")
    return found


def contracts(
    session: Session,
    by: Person,
    *,
    plan_id: UUID | None = None,
    case_id: UUID | None = None,
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Contract]:
    """Return contracts that this person may see, newest first, after a place in that order."""
    statement = select(Contract).join(Contract.vendor).where(contracts_of(by))
    statement = statement.order_by(Contract.created_at.desc(), Contract.id.desc()).limit(limit)
    if plan_id:
        statement = statement.where(Contract.plan_id == plan_id)
    if case_id:
        statement = statement.join(Contract.plan).where(BudgetPlan.case_id == case_id)
    if after:
        statement = statement.where(tuple_(Contract.created_at, Contract.id) < after)
    return session.scalars(statement.options(*_ALONE)).all()


def documents(session: Session, by: Person, contract_id: UUID) -> Sequence[Document]:
    """Return what was delivered under a contract, oldest first; raise NotFound for who may not read it."""
    found = session.get(Contract, contract_id)
    if found is None or not may_read_documents(by, found):
        raise NotFound("Kontrak tidak ditemukan. Periksa nomornya atau cari di daftar kontrak.")
    return found.documents


def document(session: Session, by: Person, document_id: UUID) -> Document:
    """Return one delivered file that this person may read; raise NotFound otherwise."""
    found = session.get(Document, document_id)
    if found is None or not may_read_documents(by, found.contract):
        raise NotFound("Dokumen tidak ditemukan, atau bukan untuk Anda.")
    return found


def handover(session: Session, by: Person, handover_id: UUID) -> Handover:
    """Return a handover that this person may see; raise NotFound otherwise."""
    found = session.get(Handover, handover_id)
    if found is None or not may_read_documents(by, found.contract):
        raise NotFound("Berita acara serah terima tidak ditemukan. Cari di halaman kontraknya.")
    return found


def claim(session: Session, by: Person, claim_id: UUID) -> Claim:
    """Return a claim that this person may see; raise NotFound otherwise."""
    found = session.get(Claim, claim_id, options=[_OF_CLAIM])
    if found is None or not may_read_contract(by, found.contract):
        raise NotFound("Tagihan tidak ditemukan. Periksa nomornya atau cari di daftar tagihan.")
    return found


def claims(
    session: Session,
    by: Person,
    *,
    contract_id: UUID | None = None,
    status: ClaimStatus | None = None,
    limit: int = 50,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[Claim]:
    """Return claims that this person may see, newest first, after a place in that order."""
    statement = select(Claim).join(Claim.contract).join(Contract.vendor).where(contracts_of(by))
    statement = statement.order_by(Claim.created_at.desc(), Claim.id.desc()).limit(limit)
    if contract_id:
        statement = statement.where(Claim.contract_id == contract_id)
    if status:
        statement = statement.where(Claim.status == status)
    if after:
        statement = statement.where(tuple_(Claim.created_at, Claim.id) < after)
    return session.scalars(statement.options(_OF_CLAIM)).all()


def vendors(session: Session, by: Person) -> Sequence[Vendor]:
    """Return the firms that this person may know of, by name: a vendor's people only their own."""
    statement = select(Vendor).order_by(Vendor.name, Vendor.id).limit(500)
    if not by.has(*VENDOR_READERS):
        statement = statement.where(Vendor.code == (by.vendor if by.has(Role.VENDOR) else None))
    return session.scalars(statement).all()


def offered_on_contract(by: Person, thing: Contract) -> list[Act]:
    """Return what this person may do with a contract now."""
    if thing.plan.halted_status:
        return []
    runs = thing.status == ContractStatus.SIGNED
    is_open = thing.handover is not None and thing.handover.status == HandoverStatus.DRAFT
    in_turn = {
        ACTS.sign_contract: thing.status == ContractStatus.DRAFT and thing.standing_beside is None,
        ACTS.withdraw_contract: thing.status == ContractStatus.DRAFT,
        ACTS.upload_document: runs,
        ACTS.accept_documentation: runs
        and bool(thing.documents)
        and not thing.missing_items
        and thing.documentation_accepted_at is None,
        ACTS.store_financial_report: thing.status in IN_FORCE,
        ACTS.draft_handover: runs and not is_open and not thing.lacks_for_handover(),
        ACTS.claim_term: thing.status in IN_FORCE and bool(claimable(thing)),
        ACTS.distribute: thing.status in BINDING and thing.ceiling.undistributed_amount > 0,
        ACTS.reject_deliverable: runs and bool(thing.documents),
        ACTS.terminate_contract: runs,
    }
    return [act for act, is_turn in in_turn.items() if is_turn and act.allows(by, thing)]


def offered_on_handover(by: Person, thing: Handover) -> list[Act]:
    """Return what this person may do with a handover now."""
    contract = thing.contract
    if thing.status != HandoverStatus.DRAFT or contract.plan.halted_status or contract.handover is not thing:
        return []
    has_signed = any(signature.person_id == by.id for signature in thing.signatures)
    is_turn = not has_signed and by.has(*thing.missing)
    return [ACTS.sign_handover] if is_turn and ACTS.sign_handover.allows(by, thing) else []


def offered_on_claim(by: Person, thing: Claim) -> list[Act]:
    """Return what this person may do with a claim now; the last payment waits for the handover."""
    acts = [ACTS.rows[name] for name in CLAIM_MOVES if thing.allows(name)]
    return [act for act in acts if act.allows(by, thing)]


def claimable(thing: Contract) -> list[Term]:
    """Return the terms without an open or paid claim."""
    taken = {claim.term_id for claim in thing.claims if claim.status != ClaimStatus.REFUSED}
    return [term for term in thing.terms if term.id not in taken]
