"""The papers of a budget plan: the plan itself (F03), and its way to the planning section (S04)."""

from itertools import groupby

from services.budget.model import BudgetPlan, Ceiling, CeilingDecision, Conveyance, PlanVersion
from shared.identity import Person
from shared.institution import institution
from shared.papers import Column, Fact, Facts, Paper, Paragraph, Signature, Table, Total
from shared.printing import closing, signed, titled
from shared.words import amount_in_words, count_with_words, date_in_words, local_date, long_moment, rupiah

PLANNING = "Kepala Bagian Perencanaan"


def budget_plan(plan: BudgetPlan, version: PlanVersion, signer: Person) -> Paper:
    """Return the budget plan (RAB) as it is printed (F03, domain §5)."""
    rate = f"{version.vat_percent}% × {version.vat_numerator}/{version.vat_denominator}"
    rows: list[tuple[str, ...]] = []
    for group, lines in groupby(version.lines, key=lambda line: line.group_name):
        if group:
            rows.append((group,))
        rows += [
            (
                str(line.no),
                line.account_code,
                line.description + ("" if line.taxable else " (tidak kena PPN)"),
                _thousands(line.volume),
                line.unit,
                rupiah(line.unit_price_amount),
                rupiah(line.amount),
            )
            for line in lines
        ]
    totals = (
        ("Jumlah", version.subtotal_amount),
        ("Dasar Pengenaan Pajak", version.tax_base_amount),
        (f"PPN {rate} ({version.vat_source})", version.vat_amount),
        ("Jumlah sebelum pembulatan", version.total_before_rounding_amount),
        ("Pembulatan", version.rounding_amount),
        ("Jumlah akhir", version.total_amount),
    )
    prepared = Signature(heading="Disusun oleh", post="Penyusun RAB", name=version.drafted_by_name)
    return titled(
        "budget_plan",
        "RENCANA ANGGARAN BIAYA",
        (
            *_about(plan, ("Tahun anggaran", str(version.fiscal_year)), ("Versi", str(version.version))),
            Table(
                columns=(
                    Column(title="No.", align="right"),
                    Column(title="Akun"),
                    Column(title="Uraian", width=1),
                    Column(title="Vol.", align="right"),
                    Column(title="Satuan"),
                    Column(title="Harga satuan", align="right"),
                    Column(title="Jumlah", align="right"),
                ),
                rows=tuple(rows),
                totals=tuple(Total(label=label, values=(rupiah(amount),)) for label, amount in totals),
            ),
            Paragraph(text=f"Terbilang: {amount_in_words(version.total_amount)}."),
            Table(
                columns=(
                    Column(title="Rekapitulasi per akun", width=1),
                    Column(title="Jumlah (termasuk PPN)", align="right"),
                ),
                rows=tuple((code, rupiah(amount)) for code, amount in sorted(version.by_account.items())),
            ),
            closing("Rencana Anggaran Biaya"),
        ),
        (*((prepared,) if version.drafted_by_name else ()), signed(signer, heading="Diperiksa dan dikunci oleh")),
        number=f"{plan.case_number}/RAB/{version.version}",
    )


def cover_letter(conveyance: Conveyance, signer: Person, number: str) -> Paper:
    """Return the cover letter to the planning section (S04)."""
    plan, version = conveyance.plan, conveyance.version
    place = institution()
    sheet = titled(
        "cover_letter",
        f"Penyampaian Rencana Pembangunan {plan.application_name} Tahun Anggaran {version.fiscal_year}",
        (
            Paragraph(text="Dengan hormat,", indented=False),
            Paragraph(
                text=f"Berdasarkan hasil rapat yang tercatat dalam notulen {' dan '.join(plan.minutes) or '–'}, "
                f"bersama ini kami sampaikan Kerangka Acuan Kerja, Rencana Anggaran Biaya versi {version.version}, "
                f"dan notulen rapat sebagai bahan penyusunan anggaran Tahun Anggaran {version.fiscal_year}."
            ),
            Facts.of(
                ("Aplikasi", plan.application_name),
                ("Nomor perkara", plan.case_number),
                ("Jumlah RAB", _money(version.total_amount)),
                ("Disampaikan oleh", " dan ".join(s.person_title or s.person_name for s in conveyance.signatures)),
            ).model_copy(update={"indented": True}),
            Paragraph(
                text="Demikian disampaikan untuk dapat diproses lebih lanjut. Atas perhatian dan kerja sama Bapak/Ibu, "
                "kami ucapkan terima kasih."
            ),
        ),
        (signed(signer),),
        number=number,
    )
    return sheet.model_copy(
        update={
            "layout": "letter",
            "nature": "Biasa",
            "attachment": f"{count_with_words(len(_enclosed(conveyance)))} berkas",
            "addressees": (PLANNING,),
            "addressee_place": place.city,
            "copies": tuple(s.person_title or s.person_name for s in conveyance.signatures),
        }
    )


def file_receipt(conveyance: Conveyance, number: str) -> Paper:
    """Return the receipt that the planning section signs for the files it was handed (S04: tanda terima)."""
    plan = conveyance.plan
    at = conveyance.approved_at
    assert at is not None
    return titled(
        "file_receipt",
        "TANDA TERIMA BERKAS",
        (
            Paragraph(
                text=f"Pada hari ini {date_in_words(at)}, Bagian Perencanaan telah menerima berkas usulan anggaran "
                f"dari {institution().centre_short} sebagai berikut."
            ),
            *_about(plan, ("Surat pengantar", number), ("Disampaikan", long_moment(at))),
            Table(
                columns=(
                    Column(title="No.", align="right"),
                    Column(title="Berkas", width=2),
                    Column(title="Nomor atau keterangan", width=3),
                ),
                rows=tuple((str(n), *row) for n, row in enumerate(_enclosed(conveyance), 1)),
            ),
            Paragraph(text="Demikian tanda terima ini dibuat untuk dipergunakan sebagaimana mestinya."),
        ),
        (
            *(
                Signature(
                    heading="Yang menyerahkan" if n == 0 else "",
                    post=s.person_title or s.person_name,
                    name="" if s.person_title in ("", s.person_name) else s.person_name,
                    signed_at=s.created_at,
                )
                for n, s in enumerate(conveyance.signatures[:1])
            ),
            Signature(heading="Yang menerima", post="Bagian Perencanaan"),
        ),
        number=number,
        on=local_date(at),
    )


def ceiling_decision(ceiling: Ceiling, plan: BudgetPlan, decision: CeilingDecision, signer: Person) -> Paper:
    """Return the record that sets the ceiling (S04)."""
    return titled(
        "ceiling",
        "PENETAPAN PAGU ANGGARAN",
        (
            Paragraph(
                text="Berdasarkan usulan anggaran yang telah diterima dan diteliti, Bagian Perencanaan menetapkan pagu "
                "anggaran sebagai berikut."
            ),
            *_about(
                plan,
                ("Tahun anggaran", str(ceiling.fiscal_year)),
                ("Sumber dana", ceiling.fund_source),
                ("Nomor DIPA/RBA", ceiling.document_number),
                ("Pagu", _money(decision.amount)),
                ("Catatan", decision.note),
            ),
            Table(
                columns=(Column(title="Akun", width=1), Column(title="Pagu", align="right")),
                rows=tuple((str(a["account_code"]), rupiah(int(a["amount"]))) for a in decision.accounts),
                totals=(Total(label="Jumlah", values=(rupiah(decision.amount),)),),
            ),
            closing("penetapan pagu"),
        ),
        (signed(signer, heading="Ditetapkan oleh"),),
        number=ceiling.document_number,
        on=decision.decided_on,
    )


def _about(plan: BudgetPlan, *rows: tuple[str, str] | Fact) -> tuple[Facts]:
    return (Facts.of(("Aplikasi", plan.application_name), ("Nomor perkara", plan.case_number), *rows),)


def _enclosed(conveyance: Conveyance) -> list[tuple[str, str]]:
    """Return what goes to the planning section with the letter."""
    plan, version = conveyance.plan, conveyance.version
    budget = f"{plan.case_number}/RAB/{version.version}, {rupiah(version.total_amount)}"
    return [
        (
            "Kerangka Acuan Kerja (KAK)",
            f"Sidik SHA-256 {plan.terms_of_reference_digest}" if plan.terms_of_reference_digest else "–",
        ),
        ("Rencana Anggaran Biaya (RAB)", budget),
        *(("Notulen rapat", number) for number in plan.minutes),
    ]


def _money(amount: int) -> str:
    return f"{rupiah(amount)} ({amount_in_words(amount)})"


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", ".")
