"""Prints the division's papers: who the office is, what stands on each, and the row that says it was issued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget.model import (
    CATEGORY_LABELS,
    DOCUMENT_ITEMS,
    FORM_LABELS,
    METHOD_LABELS,
    OPTIONAL_ITEMS,
    BudgetPlan,
    Ceiling,
    CeilingDecision,
    Contract,
    Conveyance,
    FinancialReport,
    Handover,
    IssuedPaper,
    Payment,
    PlanVersion,
)
from services.budget.settings import Settings
from shared import letters
from shared.database import utc_now
from shared.identity import Person, Role
from shared.institution import institution
from shared.papers import (
    Block,
    Column,
    Fact,
    Facts,
    Letterhead,
    Listing,
    Paper,
    Paragraph,
    Signature,
    Table,
    Total,
)
from shared.printing import print_paper
from shared.store import Store
from shared.words import amount_in_words, date_in_words, local_date, long_date, percent, rupiah

VERSIONED = frozenset({"rab", "penetapan_pagu"})
"""Papers of a plan of which only the newest counts."""
PURPOSEFUL_END = "dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya."


@dataclass(frozen=True)
class Office:
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    letterhead: Letterhead
    city: str
    letter_office: str
    classification: str
    commitment_office: str
    """Office in the numbers of contracts and handover records."""
    public_url: str
    store: Store

    @classmethod
    def of(cls, settings: Settings) -> "Office":
        """Return the office of an installation."""
        known = institution()
        return cls(
            letterhead=known.letterhead,
            city=known.city,
            letter_office=known.letter_office,
            classification=known.letter_classification,
            commitment_office=settings.commitment_office,
            public_url=settings.public_url.rstrip("/"),
            store=Store(settings.files_folder),
        )


def today() -> date:
    """Return the day in WIB."""
    return local_date(utc_now())


def letter_number(session: Session, office: Office, on: date) -> str:
    """Take the number of the next letter of the centre; numbers taken over from before Alur are passed by."""
    while True:
        n = letters.next_number(session, "letter", on.year, office=office.letter_office)
        number = letters.number("letter", n, on, office=office.letter_office, classification=office.classification)
        if session.scalar(select(Conveyance.id).where(Conveyance.letter_number == number)) is None:
            return number


def record_number(session: Session, office: Office, on: date) -> str:
    """Take the number of the next contract or official record of the PPK; both share one series."""
    while True:
        n = letters.next_number(session, "record", on.year, office=office.commitment_office)
        number = letters.number("record", n, on, office=office.commitment_office)
        taken = [
            session.scalar(select(Contract.id).where(Contract.number == number)),
            session.scalar(select(Handover.id).where(Handover.number == number)),
        ]
        if not any(taken):
            return number


def signed(signer: Person, *, heading: str = "") -> Signature:
    """Return the record that a person approved here and now, acting officials with their prefix."""
    acting = signer.acting_for or ""
    prefix: Literal["", "Plt.", "Plh."] = "Plt." if acting.startswith("Plt.") else ""
    prefix = "Plh." if acting.startswith("Plh.") else prefix
    post = acting.removeprefix(prefix).strip() or signer.title or signer.name
    return Signature(
        heading=heading,
        post=post,
        name="" if signer.name == post else signer.name,
        prefix=prefix,
        signed_at=utc_now(),
    )


def issue(
    session: Session,
    office: Office,
    plan: BudgetPlan,
    *,
    kind: str,
    paper: Paper,
    contract: Contract | None = None,
) -> IssuedPaper:
    """Print a paper with its code, keep the file, and return the row that names it."""
    printed = print_paper(
        session,
        "budget",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind=kind,
        case_number=plan.case_number,
        series=f"{kind}:{plan.id}" if kind in VERSIONED else "",
    )
    row = IssuedPaper(
        plan_id=plan.id,
        contract_id=contract.id if contract else None,
        kind=kind,
        title=paper.title.replace("\n", " "),
        number=paper.number,
        code=printed.code,
        digest=printed.digest,
    )
    session.add(row)
    session.flush()
    return row


def budget_plan(office: Office, plan: BudgetPlan, version: PlanVersion, signer: Person) -> Paper:
    """Return the budget plan (RAB) as it is printed (F03, domain §5)."""
    columns = (
        Column(title="No", align="right"),
        Column(title="Akun"),
        Column(title="Uraian", width=1),
        Column(title="Vol", align="right"),
        Column(title="Satuan"),
        Column(title="Harga satuan", align="right"),
        Column(title="Jumlah", align="right"),
    )
    rate = f"{version.vat_percent}% × {version.vat_numerator}/{version.vat_denominator}"
    rows = tuple(
        (
            str(line.no),
            line.account_code,
            line.description + ("" if line.taxable else " (tidak kena PPN)"),
            str(line.volume),
            line.unit,
            rupiah(line.unit_price_amount),
            rupiah(line.amount),
        )
        for line in version.lines
    )
    accounts = tuple((code, rupiah(amount)) for code, amount in sorted(version.by_account.items()))
    return Paper(
        kind="budget_plan",
        title="RENCANA ANGGARAN BIAYA",
        number=f"{plan.case_number}/RAB/{version.version}",
        on=today(),
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            _facts(
                Aplikasi=plan.application_name,
                Nomor_perkara=plan.case_number,
                Tahun_anggaran=str(version.fiscal_year),
                Versi=str(version.version),
            ),
            Table(
                columns=columns,
                rows=rows,
                totals=(
                    Total(label="Jumlah", values=(rupiah(version.subtotal_amount),)),
                    Total(label="Dasar Pengenaan Pajak", values=(rupiah(version.tax_base_amount),)),
                    Total(label=f"PPN {rate} ({version.vat_source})", values=(rupiah(version.vat_amount),)),
                    Total(label="Jumlah sebelum pembulatan", values=(rupiah(version.total_before_rounding_amount),)),
                    Total(label="Pembulatan", values=(rupiah(version.rounding_amount),)),
                    Total(label="Jumlah akhir", values=(rupiah(version.total_amount),)),
                ),
            ),
            Paragraph(text=f"Terbilang: {amount_in_words(version.total_amount)}."),
            Table(columns=(Column(title="Akun"), Column(title="Jumlah (termasuk PPN)", align="right")), rows=accounts),
        ),
        signatures=(signed(signer, heading="Disepakati dan dikunci oleh"),),
    )


def cover_letter(office: Office, conveyance: Conveyance, signer: Person, number: str) -> Paper:
    """Return the cover letter to the planning section (S04)."""
    plan, version = conveyance.plan, conveyance.version
    return Paper(
        kind="cover_letter",
        layout="letter",
        title=f"Penyampaian Rencana Pembangunan {plan.application_name} Tahun Anggaran {version.fiscal_year}",
        number=number,
        nature="Biasa",
        attachment="3 (tiga) berkas",
        on=today(),
        place=office.city,
        letterhead=office.letterhead,
        addressees=("Kepala Bagian Perencanaan",),
        blocks=(
            Paragraph(
                text=f"Berdasarkan hasil rapat yang tercatat dalam notulen {_listed(plan.minutes)}, bersama ini kami "
                f"sampaikan Kerangka Acuan Kerja, Rencana Anggaran Biaya versi {version.version}, dan notulen rapat "
                f"sebagai bahan penyusunan anggaran Tahun Anggaran {version.fiscal_year}."
            ),
            _facts(
                Aplikasi=plan.application_name,
                Nomor_perkara=plan.case_number,
                Jumlah_RAB=f"{rupiah(version.total_amount)} ({amount_in_words(version.total_amount)})",
                Ditandatangani=_listed([s.person_title or s.person_name for s in conveyance.signatures]),
            ),
            Paragraph(text="Demikian disampaikan untuk dapat diproses lebih lanjut."),
        ),
        signatures=(signed(signer),),
    )


def ceiling_decision(
    office: Office, ceiling: Ceiling, plan: BudgetPlan, decision: CeilingDecision, signer: Person
) -> Paper:
    """Return the record that sets the ceiling (S04)."""
    return Paper(
        kind="ceiling",
        title="PENETAPAN PAGU ANGGARAN",
        number=ceiling.document_number,
        on=decision.decided_on,
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            _facts(
                Aplikasi=plan.application_name,
                Nomor_perkara=plan.case_number,
                Tahun_anggaran=str(ceiling.fiscal_year),
                Sumber_dana=ceiling.fund_source,
                Pagu=f"{rupiah(decision.amount)} ({amount_in_words(decision.amount)})",
                Catatan=decision.note or "–",
            ),
            Table(
                columns=(Column(title="Akun", width=1), Column(title="Pagu", align="right")),
                rows=tuple((str(a["account_code"]), rupiah(int(a["amount"]))) for a in decision.accounts),
                totals=(Total(label="Jumlah", values=(rupiah(decision.amount),)),),
            ),
        ),
        signatures=(signed(signer),),
    )


def contract(office: Office, contract: Contract, signer: Person) -> Paper:
    """Return the contract as it is signed by the PPK, with room for the vendor's pen (S05)."""
    plan, vendor = contract.plan, contract.vendor
    vat = (
        f"{rupiah(contract.vat_amount)} ({contract.vat_percent}% × {contract.vat_numerator}/"
        f"{contract.vat_denominator}, {contract.vat_source})"
        if contract.vat_amount
        else "tidak dipungut (penyedia bukan PKP)"
    )
    days = (contract.end_on - contract.start_on).days + 1
    return Paper(
        kind="contract",
        title=FORM_LABELS[contract.form].upper(),
        number=contract.number,
        on=today(),
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            Paragraph(
                text=f"Yang bertanda tangan di bawah ini, pada hari ini {date_in_words(today())}: "
                f"{signer.title or signer.name}, selanjutnya disebut PIHAK PERTAMA; dan {_director(contract)}, "
                "selanjutnya disebut PIHAK KEDUA, sepakat atas pekerjaan berikut."
            ),
            _facts(
                Pekerjaan=contract.scope or f"Pembangunan {plan.application_name}",
                Nomor_perkara=plan.case_number,
                Penyedia=f"{vendor.name}, {vendor.city or '–'}",
                NPWP=vendor.npwp or "–",
                Metode=f"{METHOD_LABELS[contract.method]} ({CATEGORY_LABELS[contract.category]})",
                Sumber_dana=f"{contract.ceiling.fund_source} Tahun Anggaran {contract.ceiling.fiscal_year}",
                Jangka_waktu=f"{long_date(contract.start_on)} s.d. {long_date(contract.end_on)} ({days} hari kalender)",
                Dasar_Pengenaan_Pajak=rupiah(contract.tax_base_amount),
                PPN=vat,
                Nilai=f"{rupiah(contract.value_amount)} ({amount_in_words(contract.value_amount)})",
                Denda_keterlambatan=f"{contract.late_fee_permille}/1000 per hari kalender dari nilai kontrak",
                Masa_garansi=f"{contract.warranty_months} bulan",
                Pemilik_kode_sumber=contract.source_code_owner,
            ),
            Table(
                columns=(
                    Column(title="Termin", align="right"),
                    Column(title="Persen", align="right"),
                    Column(title="Syarat", width=1),
                    Column(title="Jumlah", align="right"),
                ),
                rows=tuple((str(t.no), f"{t.percent}%", t.condition or "–", rupiah(t.amount)) for t in contract.terms),
                totals=(Total(label="Nilai kontrak", values=(rupiah(contract.value_amount),)),),
            ),
            Listing(
                entries=(
                    "PIHAK KEDUA menjaga kerahasiaan data yang diperolehnya dari pekerjaan ini.",
                    "Pembayaran termin terakhir dilakukan setelah berita acara serah terima (BAST) ditandatangani.",
                    "PIHAK KEDUA menyerahkan kode sumber dan laporan dokumentasi perangkat lunak yang lengkap.",
                )
            ),
            Paragraph(text=f"Demikian kontrak ini {PURPOSEFUL_END}"),
        ),
        signatures=(
            signed(signer, heading="PIHAK PERTAMA"),
            Signature(heading="PIHAK KEDUA", post=f"Direktur {vendor.name}", name=vendor.director),
        ),
    )


def documentation_report(office: Office, contract: Contract, signer: Person) -> Paper:
    """Return the software documentation report (S05, domain §5)."""
    latest = contract.latest()
    labels = {k: v for k, v in (DOCUMENT_ITEMS | OPTIONAL_ITEMS).items() if k in latest}
    return Paper(
        kind="software_documentation",
        title="LAPORAN DOKUMENTASI PERANGKAT LUNAK",
        number=contract.number,
        on=today(),
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            _about(contract),
            Table(
                columns=(
                    Column(title="No", align="right"),
                    Column(title="Dokumen", width=2),
                    Column(title="Berkas", width=2),
                    Column(title="Sidik SHA-256", width=2),
                ),
                rows=tuple(
                    (str(n), label, latest[item].file_name, latest[item].digest)
                    for n, (item, label) in enumerate(labels.items(), 1)
                ),
            ),
        ),
        signatures=(signed(signer, heading="Diperiksa dan diterima oleh"),),
    )


def financial_report(office: Office, contract: Contract, report: FinancialReport, signer: Person) -> Paper:
    """Return the financial report of one application and fiscal year (S05, domain §5)."""
    ceiling, realised = report.ceiling_amount, report.realised_amount
    return Paper(
        kind="financial_report",
        title="LAPORAN KEUANGAN",
        number=contract.number,
        on=report.as_of_on,
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            _about(contract),
            _facts(Tahun_anggaran=str(report.fiscal_year), Keadaan_per=long_date(report.as_of_on)),
            Table(
                columns=(
                    Column(title="Akun"),
                    Column(title="Uraian", width=1),
                    Column(title="Pagu", align="right"),
                    Column(title="Realisasi", align="right"),
                    Column(title="Sisa", align="right"),
                    Column(title="Persen", align="right"),
                ),
                rows=tuple(
                    (
                        str(row["account_code"]),
                        str(row["description"]),
                        rupiah(row["ceiling_amount"]),
                        rupiah(row["realised_amount"]),
                        rupiah(row["ceiling_amount"] - row["realised_amount"]),
                        percent(row["realised_amount"], row["ceiling_amount"]),
                    )
                    for row in report.rows
                ),
                totals=(
                    Total(
                        label="Jumlah",
                        values=(
                            rupiah(ceiling),
                            rupiah(realised),
                            rupiah(ceiling - realised),
                            percent(realised, ceiling),
                        ),
                    ),
                ),
            ),
            Table(
                columns=(
                    Column(title="Termin", align="right"),
                    Column(title="Tanggal"),
                    Column(title="SPM / SP2D", width=1),
                    Column(title="Jumlah", align="right"),
                ),
                rows=tuple(
                    (str(p.term.no), long_date(p.paid_on), f"{p.spm_number} / {p.sp2d_number}", rupiah(p.amount))
                    for p in contract.payments
                ),
                totals=(Total(label="Dibayar menurut kontrak", values=(rupiah(contract.paid_amount),)),),
            ),
            Paragraph(text=report.note or "Tidak ada catatan."),
        ),
        signatures=(signed(signer),),
    )


def handover(office: Office, handover: Handover) -> Paper:
    """Return the handover record (BAST) when every party has signed (S05, domain §5)."""
    contract = handover.contract
    latest = contract.latest()
    rows = [(label, latest[i].digest) for i, label in (DOCUMENT_ITEMS | OPTIONAL_ITEMS).items() if i in latest]
    if "source_code" not in latest:
        rows.append((OPTIONAL_ITEMS["source_code"], "diserahkan sebagai paket pada langkah instalasi (S07)"))
    parties = {Role.PPK.value: "PIHAK PERTAMA", Role.VENDOR.value: "PIHAK KEDUA", Role.APP_HEAD.value: "Mengetahui"}
    order = list(parties)
    at = handover.signed_at or utc_now()
    return Paper(
        kind="handover",
        title="BERITA ACARA SERAH TERIMA",
        number=handover.number,
        on=local_date(at),
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            Paragraph(
                text=f"Pada hari ini {date_in_words(at)}, yang bertanda tangan di bawah ini: Pejabat Pembuat Komitmen, "
                f"selanjutnya disebut PIHAK PERTAMA, dan {_director(contract)}, selanjutnya disebut PIHAK KEDUA."
            ),
            _about(contract),
            Paragraph(text=handover.statement),
            Table(
                columns=(
                    Column(title="No", align="right"),
                    Column(title="Hasil pekerjaan", width=2),
                    Column(title="Sidik SHA-256 atau keterangan", width=3),
                ),
                rows=tuple((str(n), label, words) for n, (label, words) in enumerate(rows, 1)),
            ),
            Paragraph(text=f"Demikian berita acara ini {PURPOSEFUL_END}"),
        ),
        signatures=tuple(
            Signature(
                heading=parties[s.role],
                post=s.person_title or s.person_name,
                name="" if s.person_name == (s.person_title or s.person_name) else s.person_name,
                signed_at=s.created_at,
            )
            for s in sorted(handover.signatures, key=lambda s: order.index(s.role))
        ),
    )


def receipt(office: Office, contract: Contract, payment: Payment, term_no: int, signer: Person) -> Paper:
    """Return the proof of a payment (S06)."""
    return Paper(
        kind="payment",
        title="BUKTI PEMBAYARAN",
        number=payment.spm_number,
        on=payment.paid_on,
        place=office.city,
        letterhead=office.letterhead,
        blocks=(
            _about(contract),
            _facts(
                Termin=str(term_no),
                Jumlah=f"{rupiah(payment.amount)} ({amount_in_words(payment.amount)})",
                Akun=payment.account_code,
                Nomor_SPM=payment.spm_number,
                Nomor_SP2D=payment.sp2d_number,
                Tanggal_pembayaran=long_date(payment.paid_on),
            ),
        ),
        signatures=(signed(signer),),
    )


def _facts(**rows: str) -> Facts:
    """Return facts from label=value; an underscore in a label is printed as a space."""
    return Facts(rows=tuple(Fact(label=label.replace("_", " "), value=value) for label, value in rows.items()))


def _about(contract: Contract) -> Block:
    return _facts(
        Aplikasi=contract.plan.application_name,
        Nomor_perkara=contract.plan.case_number,
        Kontrak=f"{contract.number}, {rupiah(contract.value_amount)}",
        Penyedia=contract.vendor.name,
    )


def _director(contract: Contract) -> str:
    vendor = contract.vendor
    return f"{vendor.director}, Direktur {vendor.name}" if vendor.director else f"Direktur {vendor.name}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) if words else "–"


def fact_of(session: Session, paper_id: UUID | None) -> IssuedPaper | None:
    """Return an issued paper by its id."""
    return session.get(IssuedPaper, paper_id) if paper_id else None
