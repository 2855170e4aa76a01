"""What the vendor delivers and what the handover waits for: documents, their review, the financial report (S05)."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import PureWindowsPath
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.budget.actions import papers
from services.budget.actions.loading import find_contract, must_know_accounts, settle
from services.budget.actions.papers import Office
from services.budget.authority import ACTS
from services.budget.ledger import CapExceeded
from services.budget.model import (
    ALL_ITEMS,
    Account,
    Contract,
    ContractStatus,
    Document,
    DocumentStatus,
    Entry,
    FinancialReport,
    HandoverStatus,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete
from shared.identity import Person
from shared.mailbox import post
from shared.messages import DeliverableRejected
from shared.sentence import Sentence
from shared.words import rupiah

LARGEST_FILE = 200 * 1024 * 1024


def upload_document(
    session: Session, by: Person, contract_id: UUID, *, item: str, file_name: str, file: BinaryIO, office: Office
) -> Document:
    """Keep the vendor's file for one item of the documentation and return its row (S05).

    Raises OutOfTurn unless the contract runs, Incomplete for an unknown item or an empty file, TooLarge beyond 200 MB.
    """
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.upload_document, contract, item=item)
    contract.must_be(ContractStatus.SIGNED)
    if item not in ALL_ITEMS:
        choices = Sentence("Jenis dokumen tidak dikenal. Pilihan: {all_items}.", all_items=", ".join(ALL_ITEMS))
        raise Incomplete(choices, errors=[FieldError("/item", choices)])
    digest = office.store.put(file, limit=LARGEST_FILE)
    size = office.store.path(digest).stat().st_size
    if not size:
        detail = "Berkas kosong. Periksa kembali berkasnya, lalu unggah ulang."
        raise Incomplete(detail, errors=[FieldError("/file", detail)])
    document = Document(
        contract_id=contract.id,
        item=item,
        file_name=_plain_name(file_name),
        digest=digest,
        size=size,
        uploaded_by_id=by.id,
        uploaded_by_name=by.name,
    )
    session.add(document)
    # What was accepted as a whole is no longer what lies there.
    contract.documentation_accepted_at = None
    settle(session)
    return document


def accept_documentation(session: Session, by: Person, contract_id: UUID, *, office: Office) -> Contract:
    """Accept the whole documentation and print its report; refused while an item is missing (S05)."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.accept_documentation, contract)
    contract.must_be(ContractStatus.SIGNED)
    missing = contract.missing_items
    if missing:
        raise Incomplete(
            Sentence(
                "Laporan dokumentasi belum lengkap (SOP langkah 5). Masih kurang: {missing}. Mohon minta "
                "penyedia mengunggahnya.",
                missing=missing,
            ),
            code="documentation_missing",
        )
    for document in contract.latest().values():
        _review(document, by, DocumentStatus.ACCEPTED)
    paper = papers.issue(
        session,
        office,
        contract.plan,
        kind="laporan_dokumentasi",
        paper=papers.documentation_report(contract, by),
        contract=contract,
    )
    contract.documentation_accepted_at = utc_now()
    contract.documentation_accepted_by_id, contract.documentation_accepted_by_name = by.id, by.name
    contract.documentation_paper_id = paper.id
    session.flush()
    return contract


def reject_deliverable(session: Session, by: Person, contract_id: UUID, *, reason: str, item: str = "") -> Contract:
    """Send one item, or all that was delivered, back to the vendor with the reason (S05)."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.reject_deliverable, contract, item=item, reason=reason)
    contract.must_be(ContractStatus.SIGNED)
    latest = contract.latest()
    if not latest or (item and item not in latest):
        detail = "Belum ada berkas yang dapat dikembalikan untuk dokumen ini."
        raise Incomplete(detail, errors=[FieldError("/item", detail)])
    for document in [latest[item]] if item else latest.values():
        _review(document, by, DocumentStatus.REJECTED, reason)
    contract.documentation_accepted_at = None
    if contract.handover and contract.handover.status == HandoverStatus.DRAFT:
        contract.handover.status, contract.handover.reason = HandoverStatus.REOPENED, reason
    plan = contract.plan
    about = f"{ALL_ITEMS[item]}: {reason}" if item else reason
    post(
        session,
        DeliverableRejected(case_id=plan.case_id, case_number=plan.case_number, note=about, path=contract.path),
        by=by,
    )
    session.flush()
    return contract


def store_financial_report(
    session: Session,
    by: Person,
    contract_id: UUID,
    *,
    as_of_on: date | None = None,
    other_spending: Mapping[str, int] | None = None,
    note: str = "",
    office: Office,
) -> FinancialReport:
    """Store the figures by account and print them (S05); ceiling and payments come from the ledger.

    `other_spending` is what was spent of the ceiling outside this contract, by account. Raises CapExceeded when
    together they pass the ceiling.
    """
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.store_financial_report, contract)
    contract.must_be(ContractStatus.SIGNED, ContractStatus.HANDED_OVER)
    other = dict(other_spending or {})
    must_know_accounts(session, list(other), pointer="/other_spending/{n}/account_code")
    rows = _figures(session, contract, other)
    realised = sum(row["realised_amount"] for row in rows)
    if realised > contract.ceiling.amount:
        detail = Sentence(
            "Realisasi {realised} melampaui pagu {amount}. Periksa angkanya.",
            realised=rupiah(realised),
            amount=rupiah(contract.ceiling.amount),
        )
        raise CapExceeded(detail, errors=[FieldError("/other_spending", detail)])
    report = FinancialReport(
        contract_id=contract.id,
        fiscal_year=contract.ceiling.fiscal_year,
        as_of_on=as_of_on or papers.today(),
        rows=rows,
        ceiling_amount=contract.ceiling.amount,
        realised_amount=realised,
        note=note,
        stored_by_id=by.id,
        stored_by_name=by.name,
    )
    paper = papers.issue(
        session,
        office,
        contract.plan,
        kind="laporan_keuangan",
        paper=papers.financial_report(contract, report, by),
        contract=contract,
    )
    report.paper_id = paper.id
    session.add(report)
    settle(session)
    return report


def _figures(session: Session, contract: Contract, other: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return a row for each account: what the ledger says, with the spending outside the contract added."""
    sums: dict[str, dict[str, int]] = {}
    entries = session.execute(
        select(Entry.account_code, Entry.kind, func.sum(Entry.amount))
        .where(Entry.ceiling_id == contract.ceiling_id, Entry.kind.in_(["ceiling", "payment"]))
        .group_by(Entry.account_code, Entry.kind)
    )
    for code, kind, amount in entries:
        sums.setdefault(code, {})[kind] = int(amount)
    for code in other:
        sums.setdefault(code, {})
    accounts = session.scalars(select(Account).where(Account.code.in_(list(sums))))
    names = {account.code: account.name for account in accounts}
    return [
        {
            "account_code": code,
            "description": names.get(code, ""),
            "ceiling_amount": sums[code].get("ceiling", 0),
            "realised_amount": sums[code].get("payment", 0) + other.get(code, 0),
        }
        for code in sorted(sums)
    ]


def _review(document: Document, by: Person, status: DocumentStatus, reason: str = "") -> None:
    document.status, document.reason = status, reason
    document.reviewed_by_id, document.reviewed_by_name, document.reviewed_at = by.id, by.name, utc_now()


def _plain_name(file_name: str) -> str:
    """Return the last part of a file name without control characters; it is shown, never opened."""
    last = PureWindowsPath(file_name).name
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    return plain[-200:] or "dokumen"
