"""The papers of money that left: the receipt of a payment (S06) and the financial report (S05)."""

from services.budget.actions.papers.contract import STAMP_DUTY, about
from services.budget.model import Contract, FinancialReport, Payment
from shared.identity import Person
from shared.papers import Column, Facts, Heading, Notice, Paper, Paragraph, Signature, Table, Total
from shared.printing import closing, signed, titled
from shared.words import amount_in_words, long_date, percent, rupiah

DUTY_ABOVE = 5_000_000
"""Receipts over more than this carry the stamp duty (UU 10/2020)."""


def receipt(contract: Contract, payment: Payment, term_no: int, signer: Person) -> Paper:
    """Return the receipt (kuitansi) that is the proof of a payment (S06)."""
    plan, vendor = contract.plan, contract.vendor
    return titled(
        "payment",
        "BUKTI PEMBAYARAN",
        (
            Facts.of(
                ("Sudah terima dari", signer.as_what),
                ("Uang sejumlah", amount_in_words(payment.amount)),
                (
                    "Untuk pembayaran",
                    f"Termin {term_no} kontrak nomor {contract.number}, "
                    f"{contract.scope or 'pembangunan ' + plan.application_name}",
                ),
            ),
            Notice(label="Jumlah", words=rupiah(payment.amount)),
            Facts.of(
                ("Aplikasi", plan.application_name),
                ("Nomor perkara", plan.case_number),
                ("Nilai kontrak", rupiah(contract.value_amount)),
                ("Akun", payment.account_code),
                ("Nomor SPM", payment.spm_number),
                ("Nomor SP2D", payment.sp2d_number),
                ("Tanggal pembayaran", long_date(payment.paid_on)),
                ("Catatan", payment.note),
            ),
            closing("bukti pembayaran"),
        ),
        (
            signed(signer, heading="Dibayar oleh"),
            Signature(
                heading="Diterima oleh",
                post=f"Direktur {vendor.name}",
                name=vendor.director,
                stamp_duty=STAMP_DUTY if payment.amount > DUTY_ABOVE else "",
            ),
        ),
        number=payment.spm_number,
        on=payment.paid_on,
    )


def financial_report(contract: Contract, report: FinancialReport, signer: Person) -> Paper:
    """Return the financial report of one application and fiscal year (S05, domain §5)."""
    ceiling, realised = report.ceiling_amount, report.realised_amount
    return titled(
        "financial_report",
        "LAPORAN KEUANGAN",
        (
            about(contract),
            Facts.of(("Tahun anggaran", str(report.fiscal_year)), ("Keadaan per", long_date(report.as_of_on))),
            Heading(text="A. Realisasi per akun"),
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
                        *_figures(row["ceiling_amount"], row["realised_amount"]),
                    )
                    for row in report.rows
                ),
                totals=(Total(label="Jumlah", values=_figures(ceiling, realised)),),
            ),
            Heading(text="B. Pembayaran menurut kontrak"),
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
                )
                or (("Belum ada pembayaran.",),),
                totals=(Total(label="Dibayar menurut kontrak", values=(rupiah(contract.paid_amount),)),),
            ),
            Heading(text="C. Catatan"),
            Paragraph(text=report.note or "Tidak ada catatan."),
            closing("laporan keuangan"),
        ),
        (signed(signer, heading="Disusun oleh"),),
        number=contract.number,
        on=report.as_of_on,
    )


def _figures(ceiling: int, realised: int) -> tuple[str, str, str, str]:
    return rupiah(ceiling), rupiah(realised), rupiah(ceiling - realised), percent(realised, ceiling)
