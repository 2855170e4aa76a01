"""Contracts: drafted within the ceiling, signed, withdrawn, terminated; the ceiling handed to activities (S05, S06)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget import ledger
from services.budget.actions import papers
from services.budget.actions.loading import (
    find_contract,
    find_plan,
    find_vendor,
    must_know_accounts,
    settle,
)
from services.budget.actions.papers import Office
from services.budget.authority import ACTS
from services.budget.ledger import CapExceeded
from services.budget.model import (
    BINDING,
    FORM_LABELS,
    BudgetPlan,
    Ceiling,
    Contract,
    Distribution,
    PlanStatus,
    Term,
    Vendor,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import BudgetDistributed, ContractSigned, ContractTerminated
from shared.sentence import Sentence
from shared.words import rupiah


@dataclass(frozen=True)
class NewTerm:
    """A payment term as it is written; without an amount it is cut from the value by its percent."""

    percent: int
    amount: int | None = None
    condition: str = ""


@dataclass(frozen=True)
class NewContract:
    """What is agreed with a vendor. VAT and value follow from the tax base; when given, they must agree with it."""

    vendor: str
    """Code of the firm."""
    tax_base_amount: int
    start_on: date
    end_on: date
    source_code_owner: str
    terms: Sequence[NewTerm]
    number: str = ""
    """Left empty, the next number of the PPK's series is taken."""
    form: str = ""
    """Left empty, the form that the law proposes for the value."""
    form_reason: str = ""
    method: str = "pengadaan_langsung"
    category: str = "jasa_lainnya"
    scope: str = ""
    account_code: str = ""
    """Left empty, the account with the largest part of the ceiling."""
    vat_amount: int | None = None
    value_amount: int | None = None
    late_fee_permille: int = 1
    warranty_months: int = 6
    rup_code: str = ""
    procurement_ref: str = ""


def draft_contract(session: Session, by: Person, plan_id: UUID, *, new: NewContract, office: Office) -> Contract:
    """Draft a contract under the plan's ceiling and return it; it binds the ceiling from now on (S05).

    Raises OutOfTurn without a ceiling, CapExceeded beyond what is left of it, Incomplete for terms that do not sum
    to the value, a period outside the fiscal year, or another form than the law proposes without a reason.
    """
    plan = find_plan(session, plan_id)
    by = authorize(session, by, ACTS.draft_contract, plan, vendor=new.vendor, tax_base_amount=new.tax_base_amount)
    plan.must_go_on()
    ceiling = plan.ceiling
    if plan.status != PlanStatus.BUDGETED or ceiling is None:
        raise OutOfTurn(
            "Kontrak baru dapat disiapkan setelah Bagian Perencanaan menetapkan pagu (SOP langkah 4). "
            "Periksa kemajuannya di halaman RAB."
        )
    numbered = replace(new, number=new.number or papers.record_number(session, office, papers.today()))
    contract = compose(session, plan, ceiling, new=numbered)
    contract.drafted_by_id, contract.drafted_by_name = by.id, by.name
    settle(session)
    return contract


def compose(session: Session, plan: BudgetPlan, ceiling: Ceiling, *, new: NewContract) -> Contract:
    """Return a new contract by every rule of money and form, not yet written; raises Incomplete or CapExceeded."""
    vendor = find_vendor(session, new.vendor)
    rate = ledger.vat_rate(new.start_on)
    vat = rate.on(new.tax_base_amount) if vendor.is_pkp else 0
    value = new.tax_base_amount + vat
    _must_agree(new, vendor, vat=vat, value=value)
    _must_be_in_year(new, ceiling)
    _must_be_free(session, new.number)
    terms = _terms(new, value)
    form = _form(new, value)
    account_code = new.account_code or _largest_account(ceiling)
    must_know_accounts(session, [account_code], pointer="/account_code")
    if value > ceiling.left_amount:
        detail = Sentence(
            "Nilai kontrak {value} melampaui sisa pagu {left_amount} (pagu {amount} ditetapkan Bagian "
            "Perencanaan, {set_on}; sudah terikat {committed_amount}). Kurangi nilai kontrak, atau ajukan "
            "perubahan pagu.",
            value=rupiah(value),
            left_amount=rupiah(ceiling.left_amount),
            amount=rupiah(ceiling.amount),
            set_on=ceiling.set_on,
            committed_amount=rupiah(ceiling.committed_amount),
        )
        raise CapExceeded(detail, errors=[FieldError("/tax_base_amount", detail)])
    contract = Contract(
        plan=plan,
        ceiling=ceiling,
        vendor=vendor,
        number=new.number,
        form=form,
        form_reason=new.form_reason,
        method=new.method,
        category=new.category,
        scope=new.scope,
        account_code=account_code,
        start_on=new.start_on,
        end_on=new.end_on,
        tax_base_amount=new.tax_base_amount,
        vat_percent=rate.tariff_percent,
        vat_numerator=rate.numerator,
        vat_denominator=rate.denominator,
        vat_source=rate.source,
        vat_amount=vat,
        value_amount=value,
        source_code_owner=new.source_code_owner,
        late_fee_permille=new.late_fee_permille,
        warranty_months=new.warranty_months,
        rup_code=new.rup_code,
        procurement_ref=new.procurement_ref,
        drafted_by_name="",
        terms=terms,
    )
    session.add(contract)
    return contract


def withdraw_contract(session: Session, by: Person, contract_id: UUID, *, reason: str) -> Contract:
    """Withdraw a draft; what it bound of the ceiling is free again (S05)."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.withdraw_contract, contract, reason=reason)
    contract.move("withdraw_contract")
    _end(contract, by, reason)
    settle(session)
    return contract


def sign_contract(session: Session, by: Person, contract_id: UUID, *, office: Office) -> Contract:
    """Sign as the PPK; the contract is printed and the work begins (S05). Not by whoever drafted it."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.sign_contract, contract, value_amount=contract.value_amount)
    plan = contract.plan
    standing = contract.standing_beside
    if standing:
        raise OutOfTurn(
            Sentence(
                "Perkara ini sudah mempunyai kontrak yang berlaku ({number}). Kontrak baru dapat ditandatangani "
                "setelah kontrak itu dihentikan.",
                number=standing.number,
            )
        )
    contract.move("sign_contract")
    paper = papers.issue(
        session, office, plan, kind="kontrak_spk", paper=papers.contract(contract, by), contract=contract
    )
    contract.signed_by_id, contract.signed_by_name = by.id, by.name
    contract.signed_at, contract.paper_id = utc_now(), paper.id
    post(
        session,
        ContractSigned(
            case_id=plan.case_id,
            case_number=plan.case_number,
            papers=(paper.fact,),
            path=contract.path,
            application=plan.facts,
            contract_number=contract.number,
            vendor=contract.vendor.code,
            vendor_name=contract.vendor.name,
            amount=contract.value_amount,
        ),
        by=by,
    )
    session.flush()
    return contract


def terminate_contract(session: Session, by: Person, contract_id: UUID, *, reason: str) -> Contract:
    """Terminate a running contract; what was not paid of it is free again (S05)."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.terminate_contract, contract, reason=reason)
    contract.move("terminate_contract")
    _end(contract, by, reason)
    plan = contract.plan
    post(
        session,
        ContractTerminated(
            case_id=plan.case_id,
            case_number=plan.case_number,
            note=reason,
            path=contract.path,
            contract_number=contract.number,
        ),
        by=by,
    )
    settle(session)
    return contract


def distribute(
    session: Session,
    by: Person,
    contract_id: UUID,
    *,
    activity: str,
    amount: int,
    account_code: str = "",
    note: str = "",
) -> Distribution:
    """Hand part of the ceiling to an activity and return the posting; all together stay within it (S06)."""
    contract = find_contract(session, by, contract_id)
    by = authorize(session, by, ACTS.distribute, contract, amount=amount, activity=activity)
    contract.must_be(*BINDING)
    ceiling, plan = contract.ceiling, contract.plan
    code = account_code or contract.account_code
    must_know_accounts(session, [code], pointer="/account_code")
    if amount <= 0 or amount > ceiling.undistributed_amount:
        detail = Sentence(
            "Jumlah {amount} melampaui pagu yang belum didistribusikan ({undistributed_amount} dari pagu "
            "{ceiling_amount}, SOP langkah 6). Kurangi jumlahnya.",
            amount=rupiah(amount),
            undistributed_amount=rupiah(ceiling.undistributed_amount),
            ceiling_amount=rupiah(ceiling.amount),
        )
        raise CapExceeded(detail, errors=[FieldError("/amount", detail)])
    distribution = Distribution(
        ceiling_id=ceiling.id,
        contract_id=contract.id,
        account_code=code,
        activity=activity,
        amount=amount,
        distributed_by_id=by.id,
        distributed_by_name=by.name,
        note=note,
    )
    session.add(distribution)
    post(
        session,
        BudgetDistributed(
            case_id=plan.case_id,
            case_number=plan.case_number,
            note=note,
            path=contract.path,
            amount=amount,
            activity=activity,
        ),
        by=by,
    )
    settle(session)
    return distribution


def _must_agree(new: NewContract, vendor: Vendor, *, vat: int, value: int) -> None:
    """Refuse a VAT or value that does not follow from the tax base."""
    if new.tax_base_amount <= 0:
        detail = "Dasar pengenaan pajak harus lebih dari nol."
        raise Incomplete(detail, errors=[FieldError("/tax_base_amount", detail)])
    if new.vat_amount not in (None, vat):
        reason = (
            Sentence("12% × 11/12 dari dasar pengenaan pajak")
            if vendor.is_pkp
            else Sentence("penyedia bukan PKP, tidak memungut PPN")
        )
        detail = Sentence("PPN seharusnya {vat} ({reason}).", vat=rupiah(vat), reason=reason)
        raise Incomplete(detail, errors=[FieldError("/vat_amount", detail)])
    if new.value_amount not in (None, value):
        detail = Sentence(
            "Nilai kontrak seharusnya {value} (dasar pengenaan pajak ditambah PPN).",
            value=rupiah(value),
        )
        raise Incomplete(detail, errors=[FieldError("/value_amount", detail)])


def _must_be_in_year(new: NewContract, ceiling: Ceiling) -> None:
    if new.end_on < new.start_on:
        detail = "Tanggal selesai harus sesudah tanggal mulai."
        raise Incomplete(detail, errors=[FieldError("/end_on", detail)])
    if new.start_on.year != ceiling.fiscal_year or new.end_on.year != ceiling.fiscal_year:
        detail = Sentence(
            "Kontrak tahun tunggal dimulai dan selesai dalam Tahun Anggaran {fiscal_year}, paling lambat 31 Desember.",
            fiscal_year=ceiling.fiscal_year,
        )
        raise Incomplete(detail, errors=[FieldError("/end_on", detail)])


def _must_be_free(session: Session, number: str) -> None:
    if session.scalar(select(Contract.id).where(Contract.number == number)):
        detail = Sentence("Nomor kontrak {number} sudah dipakai. Periksa kembali nomornya.", number=number)
        raise Incomplete(detail, errors=[FieldError("/number", detail)])


def _form(new: NewContract, value: int) -> str:
    proposed, source = ledger.proposed_form(value, category=new.category, method=new.method, on=new.start_on)
    if not new.form or new.form == proposed:
        return proposed
    if not new.form_reason:
        detail = Sentence(
            "Untuk nilai {value} bentuk yang lazim adalah {proposed} ({source}). Pilih bentuk itu, atau "
            "tulis alasan memakai bentuk lain.",
            value=rupiah(value),
            proposed=FORM_LABELS[proposed],
            source=source,
        )
        raise Incomplete(detail, errors=[FieldError("/form", detail)])
    return new.form


def _terms(new: NewContract, value: int) -> list[Term]:
    given = [term.amount for term in new.terms]
    if all(amount is None for amount in given):
        amounts = ledger.term_amounts(value, [term.percent for term in new.terms])
    else:
        amounts = [amount or 0 for amount in given]
    if any(amount <= 0 for amount in amounts) or sum(amounts) != value:
        detail = Sentence("Jumlah semua termin harus tepat sama dengan nilai kontrak {value}.", value=rupiah(value))
        raise Incomplete(detail, errors=[FieldError("/terms", detail)])
    return [
        Term(no=no, percent=term.percent, amount=amount, condition=term.condition)
        for no, (term, amount) in enumerate(zip(new.terms, amounts, strict=True), 1)
    ]


def _largest_account(ceiling: Ceiling) -> str:
    sums: dict[str, int] = {}
    for decision in ceiling.decisions:
        for part in decision.accounts:
            code = str(part["account_code"])
            sums[code] = sums.get(code, 0) + int(part["amount"])
    return max(sums, key=lambda code: (sums[code], code))


def _end(contract: Contract, by: Person, reason: str) -> None:
    contract.ended_at, contract.end_reason = utc_now(), reason
    contract.ended_by_id, contract.ended_by_name = by.id, by.name
