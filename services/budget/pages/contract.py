"""Pages of vendors, contracts with their documents and handovers, claims and payments."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from starlette.datastructures import UploadFile

from services.budget import actions, queries
from services.budget.authority import ACTS
from services.budget.pages.frame import WORDS, office, pages
from services.budget.schemas import (
    AmendedVendor,
    HandoverData,
    NewClaim,
    NewDistribution,
    NewPayment,
    NewReport,
    NewVendor,
    Rejection,
    Upload,
    by_account,
)
from shared.errors import FieldError, Incomplete
from shared.identity import Person
from shared.pages import Nothing, Reason
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place

router = pages.router


def _contract(request: Request, session: Session, by: Person, contract_id: UUID) -> Response:
    contract = queries.contract(session, by, contract_id)
    handover = contract.handover
    asked = queries.offered_on_handover(by, handover) if handover else []
    offers = pages.offers(request, asked, id=handover.id if handover else "")
    offers += pages.offers(request, queries.offered_on_contract(by, contract), id=contract.id)
    return pages.render(
        request,
        "contract.html",
        Sentence("Kontrak {number}", number=contract.number),
        contract=contract,
        latest=contract.latest(),
        offers=offers,
        papers=queries.papers_of_contract(session, contract.id),
        **WORDS,
    )


def _of_handover(request: Request, session: Session, by: Person, handover_id: UUID) -> Response:
    return _contract(request, session, by, queries.handover(session, by, handover_id).contract_id)


def _claim(request: Request, session: Session, by: Person, claim_id: UUID) -> Response:
    claim = queries.claim(session, by, claim_id)
    return pages.render(
        request,
        "claim.html",
        Sentence("Tagihan termin {no} kontrak {number}", no=claim.term.no, number=claim.contract.number),
        claim=claim,
        offers=pages.offers(request, queries.offered_on_claim(by, claim), id=claim.id),
        **WORDS,
    )


def _vendors(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    acts = [act for act in (ACTS.register_vendor, ACTS.amend_vendor) if act.allows(by, None)]
    return pages.render(
        request,
        "vendors.html",
        "Penyedia",
        vendors=queries.vendors(session, by),
        offers=pages.offers(request, acts),
        **WORDS,
    )


@router.get("/kontrak")
def contracts(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    found = queries.contracts(session, by, after=place(after))
    return pages.render(request, "contracts.html", "Kontrak", contracts=found, after=mark(found, 50), **WORDS)


@router.get("/kontrak/{contract_id}")
def contract(request: Request, session: Session, by: Asker, contract_id: UUID) -> Response:
    return _contract(request, session, by, contract_id)


@router.get("/kontrak/{contract_id}/dokumen")
def documents(request: Request, session: Session, by: Asker, contract_id: UUID) -> Response:
    found = queries.documents(session, by, contract_id)
    return pages.render(request, "documents.html", "Dokumen kontrak", documents=found, **WORDS)


@router.get("/penyedia")
def vendors(request: Request, session: Session, by: Asker) -> Response:
    return _vendors(request, session, by)


@router.get("/tagihan")
def claims(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    found = queries.claims(session, by, after=place(after))
    return pages.render(request, "claims.html", "Tagihan", claims=found, after=mark(found, 50), **WORDS)


@router.get("/tagihan/{claim_id}")
def claim(request: Request, session: Session, by: Asker, claim_id: UUID) -> Response:
    return _claim(request, session, by, claim_id)


def _with_reason(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda session, by, id, body, _request: str(act(session, by, id, reason=body.reason).path)


def _printed(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda session, by, id, _body, request: str(act(session, by, id, office=office(request)).path)


def _register_vendor(session: Session, by: Person, _id: object, body: NewVendor, _request: Request) -> str:
    actions.register_vendor(session, by, **body.model_dump())
    return "/penyedia"


def _amend_vendor(session: Session, by: Person, _id: object, body: AmendedVendor, _request: Request) -> str:
    actions.amend_vendor(session, by, body.code, **body.model_dump(exclude={"code"}))
    return "/penyedia"


def _upload(session: Session, by: Person, contract_id: UUID, body: Upload, request: Request) -> str:
    if not isinstance(body.file, UploadFile):
        detail = "Pilih berkas yang akan diunggah."
        raise Incomplete(detail, errors=[FieldError("/file", detail)])
    name = body.file.filename or ""
    actions.upload_document(
        session, by, contract_id, item=body.item, file_name=name, file=body.file.file, office=office(request)
    )
    return f"/kontrak/{contract_id}#dokumen"


def _reject(session: Session, by: Person, contract_id: UUID, body: Rejection, _request: Request) -> str:
    return actions.reject_deliverable(session, by, contract_id, **body.model_dump()).path


def _report(session: Session, by: Person, contract_id: UUID, body: NewReport, request: Request) -> str:
    spending = by_account(body.other_spending)
    actions.store_financial_report(
        session,
        by,
        contract_id,
        as_of_on=body.as_of_on,
        other_spending=spending,
        note=body.note,
        office=office(request),
    )
    return f"/kontrak/{contract_id}#laporan"


def _distribute(session: Session, by: Person, contract_id: UUID, body: NewDistribution, _request: Request) -> str:
    actions.distribute(session, by, contract_id, **body.model_dump())
    return f"/kontrak/{contract_id}#distribusi"


def _claim_term(session: Session, by: Person, contract_id: UUID, body: NewClaim, _request: Request) -> str:
    return f"/tagihan/{actions.claim_term(session, by, contract_id, **body.model_dump()).id}"


def _draft_handover(session: Session, by: Person, contract_id: UUID, body: HandoverData, request: Request) -> str:
    actions.draft_handover(session, by, contract_id, statement=body.statement, office=office(request))
    return f"/kontrak/{contract_id}#serah-terima"


def _sign_handover(session: Session, by: Person, handover_id: UUID, _body: Nothing, request: Request) -> str:
    signed = actions.sign_handover(session, by, handover_id, office=office(request))
    return f"{signed.contract.path}#serah-terima"


def _pay(session: Session, by: Person, claim_id: UUID, body: NewPayment, request: Request) -> str:
    return f"/tagihan/{actions.pay(session, by, claim_id, **body.model_dump(), office=office(request)).id}"


def _verify(session: Session, by: Person, claim_id: UUID, _body: Nothing, _request: Request) -> str:
    return f"/tagihan/{actions.verify_claim(session, by, claim_id).id}"


def _refuse(session: Session, by: Person, claim_id: UUID, body: Reason, _request: Request) -> str:
    return f"/tagihan/{actions.refuse_claim(session, by, claim_id, reason=body.reason).id}"


_PLACE = "/kontrak/{id}"
pages.act(ACTS.register_vendor, "/penyedia", NewVendor, _register_vendor, back=_vendors)
pages.act(ACTS.amend_vendor, "/penyedia/perubahan", AmendedVendor, _amend_vendor, back=_vendors)
pages.act(ACTS.sign_contract, f"{_PLACE}/tanda-tangan", Nothing, _printed(actions.sign_contract), back=_contract)
pages.act(
    ACTS.withdraw_contract, f"{_PLACE}/penarikan", Reason, _with_reason(actions.withdraw_contract), back=_contract
)
pages.act(
    ACTS.terminate_contract, f"{_PLACE}/penghentian", Reason, _with_reason(actions.terminate_contract), back=_contract
)
pages.act(ACTS.upload_document, f"{_PLACE}/dokumen", Upload, _upload, back=_contract)
pages.act(
    ACTS.accept_documentation,
    f"{_PLACE}/penerimaan-dokumentasi",
    Nothing,
    _printed(actions.accept_documentation),
    back=_contract,
)
pages.act(ACTS.reject_deliverable, f"{_PLACE}/pengembalian", Rejection, _reject, back=_contract)
pages.act(ACTS.store_financial_report, f"{_PLACE}/laporan-keuangan", NewReport, _report, back=_contract)
pages.act(ACTS.draft_handover, f"{_PLACE}/serah-terima", HandoverData, _draft_handover, back=_contract)
pages.act(ACTS.sign_handover, "/serah-terima/{id}/tanda-tangan", Nothing, _sign_handover, back=_of_handover)
pages.act(ACTS.distribute, f"{_PLACE}/distribusi", NewDistribution, _distribute, back=_contract)
pages.act(ACTS.claim_term, f"{_PLACE}/tagihan", NewClaim, _claim_term, back=_contract)
pages.act(ACTS.verify_claim, "/tagihan/{id}/pemeriksaan", Nothing, _verify, back=_claim)
pages.act(ACTS.pay, "/tagihan/{id}/pembayaran", NewPayment, _pay, back=_claim)
pages.act(ACTS.refuse_claim, "/tagihan/{id}/penolakan", Reason, _refuse, back=_claim)
