"""The JSON door for vendors, contracts, documents, handovers, claims and payments."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse

from services.budget import actions, queries
from services.budget.api.desk import Desk, send_file
from services.budget.model import (
    Claim,
    ClaimStatus,
    Contract,
    Distribution,
    Document,
    FinancialReport,
    Handover,
    Vendor,
)
from services.budget.schemas import (
    ClaimView,
    ContractRow,
    ContractView,
    DistributionView,
    DocumentView,
    HandoverView,
    NewClaim,
    NewContract,
    NewDistribution,
    NewHandover,
    NewPayment,
    NewReport,
    NewVendor,
    Rejection,
    ReportView,
    VendorData,
    VendorView,
    by_account,
)
from shared.pages import Reason
from shared.web import Asker, Door, Limit, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["budget"])


@router.get("/vendors", response_model=list[VendorView])
def vendors(session: Session, by: Asker) -> list[Vendor]:
    return list(queries.vendors(session, by))


@router.post("/vendors", response_model=VendorView, status_code=201)
def register_vendor(session: Session, by: Asker, body: NewVendor) -> Vendor:
    return actions.register_vendor(session, by, **body.model_dump())


@router.put("/vendors/{code}", response_model=VendorView)
def amend_vendor(session: Session, by: Asker, code: str, body: VendorData) -> Vendor:
    return actions.amend_vendor(session, by, code, **body.model_dump())


@router.get("/contracts", response_model=list[ContractRow])
def contracts(
    request: Request,
    session: Session,
    by: Asker,
    plan_id: UUID | None = None,
    case_id: UUID | None = None,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.contracts(session, by, plan_id=plan_id, case_id=case_id, limit=limit, after=place(after))
    return answer_list(request, [ContractRow.model_validate(one) for one in found], after=mark(found, limit))


@router.post("/contracts", response_model=ContractView, status_code=201)
def draft_contract(session: Session, by: Asker, body: NewContract, office: Desk) -> Contract:
    return actions.draft_contract(session, by, body.plan_id, new=body.new(), office=office)


@router.get("/contracts/{contract_id}", response_model=ContractView)
def contract(session: Session, by: Asker, contract_id: UUID) -> Contract:
    return queries.contract(session, by, contract_id)


@router.post("/contracts/{contract_id}/signature", response_model=ContractView)
def sign_contract(session: Session, by: Asker, contract_id: UUID, office: Desk) -> Contract:
    return actions.sign_contract(session, by, contract_id, office=office)


@router.post("/contracts/{contract_id}/withdrawal", response_model=ContractView)
def withdraw_contract(session: Session, by: Asker, contract_id: UUID, body: Reason) -> Contract:
    return actions.withdraw_contract(session, by, contract_id, reason=body.reason)


@router.post("/contracts/{contract_id}/termination", response_model=ContractView)
def terminate_contract(session: Session, by: Asker, contract_id: UUID, body: Reason) -> Contract:
    return actions.terminate_contract(session, by, contract_id, reason=body.reason)


@router.post("/contracts/{contract_id}/distributions", response_model=DistributionView, status_code=201)
def distribute(session: Session, by: Asker, contract_id: UUID, body: NewDistribution) -> Distribution:
    return actions.distribute(session, by, contract_id, **body.model_dump())


@router.get("/contracts/{contract_id}/documents", response_model=list[DocumentView])
def documents(session: Session, by: Asker, contract_id: UUID) -> list[Document]:
    return list(queries.documents(session, by, contract_id))


@router.post("/contracts/{contract_id}/documents", response_model=DocumentView, status_code=201)
def upload_document(
    session: Session,
    by: Asker,
    contract_id: UUID,
    item: Annotated[str, Form(max_length=40)],
    file: UploadFile,
    office: Desk,
) -> Document:
    name = file.filename or ""
    return actions.upload_document(session, by, contract_id, item=item, file_name=name, file=file.file, office=office)


@router.get("/contract-documents/{document_id}/file", response_class=FileResponse)
def document_file(session: Session, by: Asker, document_id: UUID, office: Desk) -> FileResponse:
    document = queries.document(session, by, document_id)
    return send_file(office.store, document.digest, name=document.file_name)


@router.post("/contracts/{contract_id}/document-acceptance", response_model=ContractView)
def accept_documentation(session: Session, by: Asker, contract_id: UUID, office: Desk) -> Contract:
    return actions.accept_documentation(session, by, contract_id, office=office)


@router.post("/contracts/{contract_id}/deliverable-rejection", response_model=ContractView)
def reject_deliverable(session: Session, by: Asker, contract_id: UUID, body: Rejection) -> Contract:
    return actions.reject_deliverable(session, by, contract_id, **body.model_dump())


@router.post("/contracts/{contract_id}/financial-report", response_model=ReportView, status_code=201)
def store_financial_report(
    session: Session, by: Asker, contract_id: UUID, body: NewReport, office: Desk
) -> FinancialReport:
    return actions.store_financial_report(
        session,
        by,
        contract_id,
        as_of_on=body.as_of_on,
        other_spending=by_account(body.other_spending),
        note=body.note,
        office=office,
    )


@router.post("/contracts/{contract_id}/claims", response_model=ClaimView, status_code=201)
def claim_term(session: Session, by: Asker, contract_id: UUID, body: NewClaim) -> Claim:
    return actions.claim_term(session, by, contract_id, **body.model_dump())


@router.get("/claims", response_model=list[ClaimView])
def claims(
    request: Request,
    session: Session,
    by: Asker,
    contract_id: UUID | None = None,
    status: ClaimStatus | None = None,
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.claims(session, by, contract_id=contract_id, status=status, limit=limit, after=place(after))
    return answer_list(request, [ClaimView.model_validate(one) for one in found], after=mark(found, limit))


@router.get("/claims/{claim_id}", response_model=ClaimView)
def claim(session: Session, by: Asker, claim_id: UUID) -> Claim:
    return queries.claim(session, by, claim_id)


@router.post("/claims/{claim_id}/verification", response_model=ClaimView)
def verify_claim(session: Session, by: Asker, claim_id: UUID) -> Claim:
    return actions.verify_claim(session, by, claim_id)


@router.post("/claims/{claim_id}/payment", response_model=ClaimView)
def pay(session: Session, by: Asker, claim_id: UUID, body: NewPayment, office: Desk) -> Claim:
    return actions.pay(session, by, claim_id, **body.model_dump(), office=office)


@router.post("/claims/{claim_id}/refusal", response_model=ClaimView)
def refuse_claim(session: Session, by: Asker, claim_id: UUID, body: Reason) -> Claim:
    return actions.refuse_claim(session, by, claim_id, reason=body.reason)


@router.post("/handovers", response_model=HandoverView, status_code=201)
def draft_handover(session: Session, by: Asker, body: NewHandover, office: Desk) -> Handover:
    return actions.draft_handover(session, by, body.contract_id, statement=body.statement, office=office)


@router.get("/handovers/{handover_id}", response_model=HandoverView)
def handover(session: Session, by: Asker, handover_id: UUID) -> Handover:
    return queries.handover(session, by, handover_id)


@router.post("/handovers/{handover_id}/signature", response_model=HandoverView)
def sign_handover(session: Session, by: Asker, handover_id: UUID, office: Desk) -> Handover:
    return actions.sign_handover(session, by, handover_id, office=office)
