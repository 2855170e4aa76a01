"""The papers of this division: what stands on each, printed into the store and named by digest (design §3.11)."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from string import ascii_uppercase

from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.model import (
    CRITICALITY_LABELS,
    DATA_LABELS,
    DECISION_LABELS,
    KIND_LABELS,
    PLATFORM_LABELS,
    SECTIONS,
    Case,
    CaseStatus,
    Disposition,
    Evaluation,
    Kind,
    Office,
    Proposal,
    Stage,
    TermsContent,
    as_read,
    category,
    compared,
    content_of,
    plan_total,
)
from shared import papers, words
from shared.identity import Person
from shared.messages import PaperFact
from shared.printing import closing, print_paper, progress, signed, titled


def proposal(
    session: Session, office: Office, case: Case, content: Proposal, signer: Person, attachments: Sequence[str] = ()
) -> PaperFact:
    """Print a submission as it stands, every section of the form (S01); every submission keeps its own."""
    written = content_of(case, content)
    system = category(written)
    blocks: list[papers.Block] = [
        papers.Facts.of(
            ("Nomor perkara", case.number),
            ("Nomor agenda", content.agenda_number),
            ("Pengajuan ke", str(content.version)),
            ("Nama aplikasi", case.name),
            ("Jenis usulan", KIND_LABELS[Kind(case.kind)]),
            ("Aplikasi yang dimaksud", written.earlier_application),
            ("Kontrak sebelumnya", written.earlier_contract),
            ("Unit pengusul", case.unit),
            ("Surat usulan", f"{content.letter_number}, {_day(content.letter_on)}"),
            ("Tingkat kepentingan", CRITICALITY_LABELS[case.criticality]),
            ("Perkiraan pengguna", f"{as_read('expected_users', case.expected_users)} orang"),
            ("Basis", PLATFORM_LABELS[written.platform]),
            ("Teknologi", ", ".join(str(v) for k, v in case.tech.items() if v and k != "platform")),
        ),
        *_part("Kegunaan", case.purpose),
        *_part("Latar belakang dan masalah", content.background),
        *_listed("Dasar hukum", written.legal_basis),
        *_part("Proses kerja saat ini", written.current_process),
        *_part("Proses kerja yang diinginkan", written.wanted_process),
        *_part("Calon pengguna", content.users),
        *_listed("Pemangku kepentingan", written.stakeholders),
        *_part("Manfaat yang diharapkan", content.benefit),
    ]
    if written.benefit_amount or written.cost_amount:
        blocks.append(
            papers.Facts.of(
                ("Perkiraan nilai manfaat per tahun", as_read("benefit_amount", written.benefit_amount)),
                ("Perkiraan biaya", as_read("cost_amount", written.cost_amount)),
            )
        )
    if written.risks:
        columns = tuple(papers.Column(title=title, width=1) for title in ("Risiko", "Akibat", "Penanganan"))
        rows = tuple((one.risk, one.effect, one.mitigation) for one in written.risks)
        blocks += [papers.Heading(text="Risiko"), papers.Table(columns=columns, rows=rows)]
    if written.indicators:
        titles = (("Indikator", 2), ("Keadaan sekarang", 1), ("Target", 1), ("Cara mengukur", 1))
        columns = tuple(papers.Column(title=title, width=width) for title, width in titles)
        lines = tuple((one.name, one.baseline, one.target, one.measure) for one in written.indicators)
        blocks += [papers.Heading(text="Indikator keberhasilan"), papers.Table(columns=columns, rows=lines)]
    blocks += [
        *_part("Data yang diolah", written.data_handled),
        papers.Heading(text="Data dan keamanan"),
        papers.Facts.of(
            ("Data pribadi", DATA_LABELS[case.personal_data]),
            ("Kerahasiaan", as_read("confidentiality", written.confidentiality)),
            ("Keutuhan", as_read("integrity", written.integrity)),
            ("Ketersediaan", as_read("availability", written.availability)),
            ("Kategori sistem", f"{system.label} (skor {system.score} dari 9)" if system else ""),
        ),
        *_part("Data setelah penghentian", written.data_after),
        *_part("Alih pengetahuan", written.knowledge_transfer),
        *_part("Perbedaan dengan aplikasi serupa", written.similar_reason),
        *_listed("Lampiran", attachments),
    ]
    return _print(
        session,
        office,
        "surat_usulan",
        case=case,
        is_versioned=True,
        title=f"Usulan {case.name}",
        heading="USULAN PENGHENTIAN APLIKASI" if case.kind == Kind.SHUT_DOWN else "USULAN PEMBUATAN APLIKASI",
        number=content.agenda_number,
        blocks=blocks,
        signatures=[signed(signer, heading="Diajukan oleh")],
        english="proposal_letter",
    )


def disposition(
    session: Session, office: Office, case: Case, lines: Sequence[Disposition], signer: Person
) -> PaperFact:
    """Print the routing slip with every decision so far and the line of the case (S01, S02)."""
    content = session.get_one(Proposal, case.id)
    history = session.scalars(case.history.select().order_by(CaseStatus.at)).all()
    rows = tuple(
        (
            words.long_moment(line.created_at),
            "\n".join(dict.fromkeys([line.by_name, line.as_what])),
            line.label,
            line.words,
        )
        for line in lines
    )
    return _print(
        session,
        office,
        "lembar_disposisi",
        case=case,
        is_versioned=True,
        title=f"Lembar disposisi {case.number}",
        heading="LEMBAR DISPOSISI",
        number=case.number,
        blocks=[
            papers.Facts.of(
                ("Nomor agenda", content.agenda_number),
                ("Surat dari", f"{case.proposer_name}, {case.unit}"),
                ("Nomor surat", content.letter_number),
                ("Tanggal surat", _day(content.letter_on) if content.letter_on else ""),
                ("Perihal", f"{KIND_LABELS[Kind(case.kind)]}: {case.name}"),
                ("Status", case.label),
            ),
            progress(queries.stations(case, history, ()), loops=queries.loops(case, history)),
            papers.Table(
                columns=(
                    papers.Column(title="Waktu", width=1.2),
                    papers.Column(title="Oleh", width=1.6),
                    papers.Column(title="Tindakan", width=1.4),
                    papers.Column(title="Catatan atau alasan", width=2.4),
                ),
                rows=rows,
            ),
            papers.Paragraph(text="Setiap disposisi di atas dicatat dalam sistem oleh pejabat yang bersangkutan."),
        ],
        signatures=[signed(signer)],
        english="disposition",
    )


def analysis(
    session: Session,
    office: Office,
    case: Case,
    signer: Person,
    *,
    version: int,
    summary: str,
    recommendation: str,
    advice: str,
) -> PaperFact:
    """Print a version of the needs analysis (F01)."""
    return _print(
        session,
        office,
        "analisis_kebutuhan",
        case=case,
        is_versioned=True,
        title=f"Analisis kebutuhan {case.name}, versi {version}",
        heading="ANALISIS KEBUTUHAN",
        number="",
        blocks=[
            papers.Facts.of(
                ("Nomor perkara", case.number),
                ("Nama aplikasi", case.name),
                ("Unit pengusul", case.unit),
                ("Versi", str(version)),
            ),
            *_part("Ringkasan kebutuhan", summary),
            papers.Notice(label="Rekomendasi", words=recommendation, sentence=advice),
            closing("analisis kebutuhan"),
        ],
        signatures=[signed(signer, heading="Disusun oleh")],
        english="needs_analysis",
    )


def programme_entry(
    session: Session,
    office: Office,
    case: Case,
    signer: Person,
    *,
    number: str,
    fiscal_year: int,
    rows: Sequence[tuple[str, str]],
) -> PaperFact:
    """Print an entry of the work programme (S02)."""
    return _print(
        session,
        office,
        "entri_proker",
        case=case,
        title=f"Butir program kerja {number}",
        heading=f"BUTIR PROGRAM KERJA TAHUN ANGGARAN {fiscal_year}",
        number=number,
        blocks=[
            papers.Paragraph(
                text="Berdasarkan persetujuan Kepala atas usulan yang diajukan, kegiatan berikut dicantumkan dalam "
                f"program kerja Tahun Anggaran {fiscal_year}."
            ),
            papers.Facts.of(("Nomor perkara", case.number), ("Aplikasi", case.name), *rows),
            closing("butir program kerja"),
        ],
        signatures=[signed(signer)],
        english="work_programme_entry",
    )


def terms_of_reference(
    session: Session, office: Office, case: Case, signer: Person, *, version: int, terms: TermsContent
) -> PaperFact:
    """Print a version of the terms of reference, with the total of the budget plan as it is known now (F02)."""
    blocks: list[papers.Block] = [
        papers.Facts.of(
            ("Nomor perkara", case.number),
            ("Nama aplikasi", case.name),
            ("Unit pengusul", case.unit),
            ("Tahun anggaran", str(case.fiscal_year or "")),
            ("Versi", str(version)),
        )
    ]
    written = [(title, getattr(terms, name)) for name, title in SECTIONS.items() if getattr(terms, name)]
    for letter, (title, said) in zip(ascii_uppercase, written, strict=False):
        blocks += [papers.Heading(text=f"{letter}. {title}"), *_said(said)]
    blocks += [
        papers.Heading(text=f"{ascii_uppercase[len(written)]}. Jumlah anggaran"),
        papers.Paragraph(
            text=f"Jumlah anggaran {plan_total(case.plan_version, case.plan_amount)}, terbilang "
            f"{words.in_words(case.plan_amount)} rupiah."
            if case.plan_amount is not None
            else "Jumlah anggaran mengikuti Rencana Anggaran Biaya (RAB) yang ditetapkan kemudian."
        ),
        closing("kerangka acuan kerja"),
    ]
    return _print(
        session,
        office,
        "kak",
        case=case,
        is_versioned=True,
        title=f"KAK {case.name}, versi {version}",
        heading="KERANGKA ACUAN KERJA",
        number="",
        blocks=blocks,
        signatures=[signed(signer, heading="Disusun oleh")],
        english="terms_of_reference",
    )


def _said(value: str | Sequence[str] | Sequence[Stage]) -> list[papers.Block]:
    """Return a section as the paper shows it: prose by paragraphs, lists numbered, stages as a table."""
    if isinstance(value, str):
        return [papers.Paragraph(text=text) for text in value.split("\n\n") if text.strip()]
    stages = [one for one in value if isinstance(one, Stage)]
    if not stages:
        return [papers.Listing(entries=tuple(str(one) for one in value))]
    return [
        papers.Table(
            columns=(
                papers.Column(title="No.", align="right"),
                papers.Column(title="Tahapan", width=2),
                papers.Column(title="Waktu", width=1.3),
                papers.Column(title="Hasil", width=2),
            ),
            rows=tuple((str(n), one.stage, one.period, one.result) for n, one in enumerate(stages, 1)),
        )
    ]


def evaluation_report(
    session: Session, office: Office, evaluation: Evaluation, content: Proposal | None, signer: Person
) -> PaperFact:
    """Print the report of an evaluation: figures with their sources, obstacles, advice (S10)."""
    case = evaluation.case
    figures: list[tuple[str, ...]] = []
    # Every figure stands beneath its source and the time it came; a source is written once for its figures.
    for (division, source), group in groupby(evaluation.figures, key=lambda one: (one.division, one.source)):
        known = list(group)
        figures.append((f"{DIVISIONS[division]}. {source}. Diterima {words.long_moment(known[-1].at)}.",))
        figures += [(one.label, _measured(one.value, one.unit)) for one in known]
    blocks: list[papers.Block] = [
        papers.Facts.of(
            ("Nomor perkara", case.number),
            ("Nama aplikasi", case.name),
            ("Alamat", case.address),
            ("Periode", f"{words.long_date(evaluation.from_on)} s.d. {words.long_date(evaluation.until_on)}"),
        ),
        papers.Heading(text="Angka"),
        papers.Table(
            columns=(
                papers.Column(title="Ukuran", width=3),
                papers.Column(title="Nilai", align="right", width=1),
            ),
            rows=tuple(figures) or (("Belum ada angka yang diterima.",),),
        ),
    ]
    if evaluation.missing:
        blocks.append(
            papers.Paragraph(text="Belum ada angka dari: " + ", ".join(DIVISIONS[d] for d in evaluation.missing) + ".")
        )
    comparisons = compared(content.indicators if content else [], evaluation.actuals)
    if comparisons:
        blocks += [
            papers.Heading(text="Indikator yang dijanjikan dan kenyataannya"),
            papers.Table(
                columns=(
                    papers.Column(title="Indikator", width=1.6),
                    papers.Column(title="Janji", width=1.2),
                    papers.Column(title="Kenyataan", width=1.2),
                    papers.Column(title="Sumber", width=1.6),
                    papers.Column(title="Hasil", width=1),
                ),
                rows=tuple((one.name, one.target, one.actual, one.source, one.label) for one in comparisons),
            ),
        ]
    for title, lines in (("Kendala", evaluation.obstacles), ("Saran", evaluation.advice)):
        blocks += [papers.Heading(text=title), papers.Listing(entries=tuple(lines) or ("Tidak ada.",))]
    blocks.append(papers.Notice(label="Usul keputusan", words=DECISION_LABELS[evaluation.advises]))
    return _print(
        session,
        office,
        "laporan_evaluasi",
        case=case,
        title=f"Laporan evaluasi {case.name}",
        heading="LAPORAN EVALUASI PENGGUNAAN APLIKASI",
        number=evaluation.number,
        blocks=blocks,
        signatures=[signed(signer, heading="Disusun oleh")],
        english="evaluation_report",
    )


DIVISIONS = {
    "deploy": "Divisi Infrastruktur",
    "security": "Divisi Monitoring dan Security",
    "helpdesk": "Divisi Layanan dan Sosialisasi",
    "budget": "Anggaran",
    "proposal": "Divisi Aplikasi",
    "gateway": "Alur",
}
"""The divisions as papers and pages name them."""


def _measured(value: float, unit: str) -> str:
    return words.rupiah(int(value)) if unit == "rupiah" else f"{quantity(value)} {unit}".strip()


def quantity(value: float) -> str:
    """Write a figure the Indonesian way: 1.250 or 99,4."""
    if value == int(value):
        return f"{int(value):,}".replace(",", ".")
    return f"{value:,.2f}".rstrip("0").translate(str.maketrans(",.", ".,"))


def _print(
    session: Session,
    office: Office,
    kind: str,
    *,
    case: Case | None = None,
    is_versioned: bool = False,
    title: str,
    heading: str,
    number: str,
    blocks: Sequence[papers.Block],
    signatures: Sequence[papers.Signature],
    english: str,
    on: date | None = None,
) -> PaperFact:
    """Print a paper and name it for the trace; of a versioned one only the newest of the case counts."""
    paper = titled(english, heading, blocks, signatures, number=number, on=on)
    printed = print_paper(
        session,
        "proposal",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind=kind,
        title=title,
        case_number=case.number if case else "",
        series=f"{kind}:{case.id}" if case and is_versioned else "",
    )
    return PaperFact(kind=kind, title=title, number=number, digest=printed.digest)


def _part(title: str, text: str) -> list[papers.Block]:
    return [papers.Heading(text=title), papers.Paragraph(text=text)] if text else []


def _listed(title: str, entries: Sequence[str]) -> list[papers.Block]:
    return [papers.Heading(text=title), papers.Listing(entries=tuple(entries))] if entries else []


def _day(on: date | None) -> str:
    return words.long_date(on) if on else "-"
