"""The handover (BAST): drafted when everything is in, signed by three, opened again by a defect (S05, S07)."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.budget.actions import papers
from services.budget.actions.loading import find_contract, find_handover, settle
from services.budget.actions.papers import Office
from services.budget.actions.plan import plan_of
from services.budget.authority import ACTS
from services.budget.model import (
    Contract,
    ContractStatus,
    Handover,
    HandoverSignature,
    HandoverStatus,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, OutOfTurn
from shared.identity import Person, Role
from shared.mailbox import post
from shared.messages import DefectReported, HandedOver
from shared.sentence import Sentence

STATEMENT = (
    "PIHAK KEDUA menyerahkan dan PIHAK PERTAMA menerima hasil pekerjaan pembangunan {application} dalam keadaan "
    "lengkap dan sesuai dengan kontrak."
)


def draft_handover(session: Session, by: Person, contract_id: UUID, *, statement: str = "", office: Office) -> Handover:
    """Draft the next round of the handover and return it (S05).

    Raises Incomplete while the documentation is not accepted or the financial report is missing, OutOfTurn when a
    round is open or done.
    """
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.draft_handover, contract)
    contract.must_be(ContractStatus.SIGNED)
    if contract.handover and contract.handover.status == HandoverStatus.DRAFT:
        raise OutOfTurn(
            Sentence(
                "BAST {number} masih menunggu tanda tangan. Selesaikan dahulu.",
                number=contract.handover.number,
            )
        )
    lacks = contract.lacks_for_handover()
    if lacks:
        raise Incomplete(
            Sentence(
                "BAST belum dapat disiapkan (SOP langkah 5). Yang belum ada: {lacks}. Lengkapi lebih dahulu di "
                "halaman kontrak.",
                lacks=lacks,
            ),
            code="handover_incomplete",
        )
    handover = Handover(
        contract_id=contract.id,
        round=len(contract.handovers) + 1,
        number=papers.record_number(session, office, papers.today()),
        statement=statement or STATEMENT.format(application=contract.plan.application_name),
        drafted_by_id=by.id,
        drafted_by_name=by.name,
        signatures=[],
    )
    session.add(handover)
    settle(session)
    return handover


def sign_handover(session: Session, by: Person, handover_id: UUID, *, office: Office) -> Handover:
    """Sign for the vendor, the application division or the PPK, each once; the third hands over (S05)."""
    handover = find_handover(session, by, handover_id)
    by = authorize(session, by, ACTS.sign_handover, handover, round=handover.round)
    contract = handover.contract
    contract.must_be(ContractStatus.SIGNED)
    if handover.status != HandoverStatus.DRAFT or contract.handover is not handover:
        raise OutOfTurn("BAST ini sudah selesai atau dibuka kembali. Muat ulang halaman kontrak.")
    role = next((role for role in handover.missing if _may_sign_as(by, role, handover)), None)
    if role is None:
        raise OutOfTurn("Pihak Anda sudah menandatangani BAST ini. Tunggu pihak yang lain.")
    if any(signature.person_id == by.id for signature in handover.signatures):
        raise NotAllowed("BAST ditandatangani oleh tiga orang yang berbeda. Mohon pejabat yang lain menandatangani.")
    title = by.carried_by({role}).as_what
    handover.signatures.append(
        HandoverSignature(role=role.value, person_id=by.id, person_name=by.name, person_title=title)
    )
    session.flush()
    if not handover.missing:
        _hand_over(session, by, contract, handover, office)
    return handover


def note_defect(session: Session, message: DefectReported) -> None:
    """Open the handover again: the package cannot be installed, a new round is needed (S07).

    A defect follows a handover of this division; where none stands, the application was built in house.
    """
    plan = plan_of(session, message.case_id)
    contract = next((c for c in plan.contracts if c.status == ContractStatus.HANDED_OVER), None) if plan else None
    if contract is None or contract.handover is None:
        return
    contract.handover.status, contract.handover.reason = HandoverStatus.REOPENED, message.note
    contract.move("reopen_handover")


def _may_sign_as(by: Person, role: Role, handover: Handover) -> bool:
    return by.has(role) and (role != Role.VENDOR or by.vendor == handover.vendor_code)


def _hand_over(session: Session, by: Person, contract: Contract, handover: Handover, office: Office) -> None:
    handover.status, handover.signed_at = HandoverStatus.SIGNED, utc_now()
    contract.move("hand_over")
    plan = contract.plan
    record = papers.issue(session, office, plan, kind="bast", paper=papers.handover(handover), contract=contract)
    handover.paper_id = record.id
    behind = [contract.documentation_paper_id, contract.reports[-1].paper_id]
    facts = [paper.fact for paper_id in behind if (paper := papers.fact_of(session, paper_id))]
    post(
        session,
        HandedOver(
            case_id=plan.case_id,
            case_number=plan.case_number,
            papers=(record.fact, *facts),
            path=contract.path,
            application=plan.facts,
            vendor=contract.vendor.code,
            handover_number=handover.number,
        ),
        by=by,
    )
    session.flush()
