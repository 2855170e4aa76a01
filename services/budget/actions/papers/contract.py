"""The papers of a contract: the contract, the documentation that was delivered, and the handover (S05)."""

from services.budget.model import (
    CATEGORY_LABELS,
    DOCUMENT_ITEMS,
    FORM_LABELS,
    METHOD_LABELS,
    OPTIONAL_ITEMS,
    Contract,
    Handover,
)
from shared.database import utc_now
from shared.identity import Person, Role
from shared.papers import Column, Facts, Heading, Listing, Paper, Paragraph, Signature, Table, Total
from shared.printing import closing, signed, titled
from shared.words import amount_in_words, count_with_words, date_in_words, local_date, long_date, rupiah

STAMP_DUTY = "Meterai Rp10.000"


def contract(contract: Contract, signer: Person) -> Paper:
    """Return the contract as it is signed by the PPK, with room for the vendor's pen (S05)."""
    plan, vendor = contract.plan, contract.vendor
    vat = (
        f"{rupiah(contract.vat_amount)} ({contract.vat_percent}% × {contract.vat_numerator}/"
        f"{contract.vat_denominator}, {contract.vat_source})"
        if contract.vat_amount
        else "tidak dipungut (penyedia bukan PKP)"
    )
    days = (contract.end_on - contract.start_on).days + 1
    form = FORM_LABELS[contract.form]
    return titled(
        "contract",
        form.upper(),
        (
            Paragraph(
                text=f"Pada hari ini {date_in_words(utc_now())}, yang bertanda tangan di bawah ini sepakat mengikatkan "
                "diri untuk pekerjaan berikut."
            ),
            _parties(contract, signer.as_what),
            Facts.of(
                ("Pekerjaan", contract.scope or f"Pembangunan {plan.application_name}"),
                ("Nomor perkara", plan.case_number),
                ("Penyedia", ", ".join(filter(None, [vendor.name, vendor.city]))),
                ("NPWP", vendor.npwp),
                ("Metode", f"{METHOD_LABELS[contract.method]} ({CATEGORY_LABELS[contract.category]})"),
                ("Alasan bentuk kontrak", contract.form_reason),
                ("Kode RUP", contract.rup_code),
                ("Nomor pengadaan", contract.procurement_ref),
                ("Sumber dana", f"{contract.ceiling.fund_source} Tahun Anggaran {contract.ceiling.fiscal_year}"),
                ("Nomor DIPA/RBA", contract.ceiling.document_number),
                ("Kode akun", contract.account_code),
                (
                    "Jangka waktu",
                    f"{long_date(contract.start_on)} s.d. {long_date(contract.end_on)}, "
                    f"{count_with_words(days)} hari kalender",
                ),
                ("Dasar Pengenaan Pajak", rupiah(contract.tax_base_amount)),
                ("PPN", vat),
                ("Nilai kontrak", f"{rupiah(contract.value_amount)} ({amount_in_words(contract.value_amount)})"),
                ("Masa garansi", f"{count_with_words(contract.warranty_months)} bulan sejak serah terima"),
                ("Pemilik kode sumber", contract.source_code_owner),
            ),
            Heading(text="Cara pembayaran"),
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
            Heading(text="Ketentuan bagi penyedia"),
            Listing(
                entries=(
                    "PIHAK KEDUA melaksanakan pekerjaan sesuai dengan Kerangka Acuan Kerja dan menyelesaikannya dalam "
                    "jangka waktu tersebut di atas.",
                    "PIHAK KEDUA menyerahkan kode sumber dan laporan dokumentasi perangkat lunak yang lengkap, dan "
                    f"seluruh hak atasnya beralih kepada {contract.source_code_owner}.",
                    "PIHAK KEDUA menjaga kerahasiaan data yang diperolehnya dari pekerjaan ini, juga setelah pekerjaan "
                    "selesai.",
                    "Keterlambatan dikenai denda sebesar "
                    f"{contract.late_fee_permille}/1000 dari nilai kontrak sebelum PPN untuk setiap hari kalender.",
                    "PIHAK KEDUA memperbaiki kerusakan dan temuan keamanan tanpa biaya selama masa garansi.",
                    "Pembayaran terakhir dilakukan setelah berita acara serah terima (BAST) ditandatangani kedua "
                    "pihak.",
                )
            ),
            closing("kontrak"),
        ),
        (
            signed(signer, heading="PIHAK PERTAMA"),
            Signature(
                heading="PIHAK KEDUA",
                post=f"Direktur {vendor.name}",
                name=vendor.director,
                stamp_duty=STAMP_DUTY,
            ),
        ),
        number=contract.number,
    )


def documentation_report(contract: Contract, signer: Person) -> Paper:
    """Return the software documentation report (S05, domain §5)."""
    latest = contract.latest()
    labels = {k: v for k, v in (DOCUMENT_ITEMS | OPTIONAL_ITEMS).items() if k in latest}
    return titled(
        "software_documentation",
        "LAPORAN DOKUMENTASI PERANGKAT LUNAK",
        (
            Paragraph(text="Dokumentasi perangkat lunak berikut telah diperiksa dan dinyatakan lengkap."),
            about(contract),
            Table(
                columns=(
                    Column(title="No.", align="right"),
                    Column(title="Dokumen", width=1.9),
                    Column(title="Lengkap", align="center"),
                    Column(title="Berkas", width=1.6),
                    Column(title="Sidik SHA-256", width=3.4),
                ),
                rows=tuple(
                    (str(n), label, "Ya", latest[item].file_name, latest[item].digest)
                    for n, (item, label) in enumerate(labels.items(), 1)
                ),
            ),
            closing("laporan"),
        ),
        (signed(signer, heading="Diperiksa dan diterima oleh"),),
        number=contract.number,
    )


def handover(handover: Handover) -> Paper:
    """Return the handover record (BAST) when every party has signed (S05, domain §5)."""
    contract = handover.contract
    latest = contract.latest()
    rows = [(label, latest[i].digest) for i, label in (DOCUMENT_ITEMS | OPTIONAL_ITEMS).items() if i in latest]
    if "source_code" not in latest:
        rows.append((OPTIONAL_ITEMS["source_code"], "diserahkan sebagai paket pada langkah instalasi (S07)"))
    headings = {Role.PPK.value: "PIHAK PERTAMA", Role.VENDOR.value: "PIHAK KEDUA", Role.APP_HEAD.value: "Mengetahui"}
    order = list(headings)
    signatures = sorted(handover.signatures, key=lambda signature: order.index(signature.role))
    mended = [earlier.reason.rstrip(".") for earlier in contract.handovers if earlier.reason]
    at = handover.signed_at or utc_now()
    return titled(
        "handover",
        "BERITA ACARA SERAH TERIMA",
        (
            Paragraph(text=f"Pada hari ini {date_in_words(at)}, yang bertanda tangan di bawah ini:"),
            _parties(contract, next((s.person_title for s in signatures if s.role == Role.PPK.value), "")),
            about(contract),
            Paragraph(text=handover.statement),
            Table(
                columns=(
                    Column(title="No.", align="right"),
                    Column(title="Hasil pekerjaan", width=2),
                    Column(title="Diterima", align="center"),
                    Column(title="Sidik SHA-256 atau keterangan", width=3),
                ),
                rows=tuple((str(n), label, "Ya", words) for n, (label, words) in enumerate(rows, 1)),
            ),
            Paragraph(
                text=f"Kekurangan pada serah terima sebelumnya telah diperbaiki: {'; '.join(mended)}."
                if mended
                else "Tidak ada kekurangan yang tercatat pada saat serah terima."
            ),
            closing("berita acara"),
        ),
        tuple(
            Signature(
                heading=headings[s.role],
                post=s.person_title or s.person_name,
                name="" if s.person_name == (s.person_title or s.person_name) else s.person_name,
                signed_at=s.created_at,
            )
            for s in signatures
        ),
        number=handover.number,
        on=local_date(at),
    )


def about(contract: Contract) -> Facts:
    """Return what every paper under a contract says of it."""
    return Facts.of(
        ("Aplikasi", contract.plan.application_name),
        ("Nomor perkara", contract.plan.case_number),
        ("Kontrak", f"Nomor {contract.number}, {rupiah(contract.value_amount)}"),
        ("Penyedia", contract.vendor.name),
    )


def _parties(contract: Contract, first: str) -> Listing:
    vendor = contract.vendor
    director = f"{vendor.director}, Direktur {vendor.name}" if vendor.director else f"Direktur {vendor.name}"
    return Listing(
        entries=(
            f"{first or 'Pejabat Pembuat Komitmen'}, selanjutnya disebut PIHAK PERTAMA; dan",
            f"{director}, selanjutnya disebut PIHAK KEDUA.",
        )
    )
