"""Applications as the other divisions tell of them: contract, handover, verdicts of the security test."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.deploy.model import Application, ApplicationStatus
from shared.errors import OutOfTurn
from shared.messages import ContractSigned, ContractTerminated, HandedOver


def know_contract(session: Session, message: ContractSigned) -> None:
    """Know an application and its vendor from the contract on (S05)."""
    application = _known(session, message)
    application.vendor = message.vendor
    application.vendor_name = message.vendor_name
    application.contract_number = message.contract_number
    if application.status == ApplicationStatus.BUDGETED:
        application.status = ApplicationStatus.IN_DEVELOPMENT


def end_contract(session: Session, message: ContractTerminated) -> None:
    """Know that the vendor's contract has ended: it may not deliver any more (S05)."""
    application = of_case(session, message.case_id)
    if application.contract_number != message.contract_number:
        return
    application.move("terminate_contract")
    application.vendor = application.vendor_name = application.contract_number = ""


def know_handover(session: Session, message: HandedOver) -> None:
    """Know that an application was handed over: it may be installed (entry of S07)."""
    application = _known(session, message)
    application.vendor = message.vendor or application.vendor
    application.handover_number = message.handover_number
    application.move("hand_over")


def of_case(session: Session, case_id: UUID) -> Application:
    """Return the application of a case, locked; raise OutOfTurn when nothing was told of it yet."""
    application = session.get(Application, case_id, with_for_update=True)
    if application is None:
        raise OutOfTurn("Aplikasi ini belum dikenal Divisi Infrastruktur: kontraknya belum diberitakan.")
    return application


def _known(session: Session, message: ContractSigned | HandedOver) -> Application:
    application = session.get(Application, message.case_id, with_for_update=True)
    if application is None:
        application = Application(case_id=message.case_id, status=ApplicationStatus.IN_DEVELOPMENT)
        session.add(application)
    facts = message.application
    application.case_number = message.case_number
    application.code, application.name, application.unit = facts.code, facts.name, facts.unit
    application.purpose = facts.purpose
    application.personal_data, application.criticality = facts.personal_data, facts.criticality
    return application
