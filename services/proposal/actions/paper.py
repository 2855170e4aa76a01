"""The papers of this division: what stands on each, printed into the store and named by digest (design §3.11)."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from services.proposal.model import (
    CRITICALITY_LABELS,
    DATA_LABELS,
    DECISION_LABELS,
    KIND_LABELS,
    MINUTES,
    OUTCOME_LABELS,
    Case,
    Disposition,
    Evaluation,
    Kind,
    Meeting,
    MeetingKind,
    Office,
    Outcome,
    Proposal,
)
from shared import papers, words
from shared.database import utc_now
from shared.identity import Person
from shared.messages import PaperFact
from shared.printing import print_paper


def proposal(session: Session, office: Office, case: Case, content: Proposal, signer: Person) -> PaperFact:
    """Print a submission as it stands (S01); every submission keeps its own."""
    blocks: list[papers.Block] = [
        _facts(
            ("Nomor perkara", case.number),
            ("Nomor agenda", content.agenda_number),
            ("Pengajuan ke", str(content.version)),
            ("Nama aplikasi", case.name),
            ("Jenis usulan", KIND_LABELS[Kind(case.kind)]),
            ("Unit pengusul", case.unit),
            ("Surat usulan", f"{content.letter_number}, {_day(content.letter_on)}"),
            ("Data pribadi", DATA_LABELS[case.personal_data]),
            ("Tingkat kepentingan", CRITICALITY_LABELS[case.criticality]),
            ("Perkiraan pengguna", f"{case.expected_users} orang"),
            ("Teknologi", ", ".join(str(v) for v in case.tech.values() if v)),
        ),
        *_part("Kegunaan", case.purpose),
        *_part("Latar belakang dan masalah", content.background),
        *_part("Manfaat yang diharapkan", content.benefit),
        *_part("Calon pengguna", content.users),
    ]
    if content.indicators:
        blocks += [
            papers.Heading(text="Indikator keberhasilan"),
            papers.Table(
                columns=(
                    papers.Column(title="Indikator", width=2),
                    papers.Column(title="Target", width=1),
                    papers.Column(title="Cara mengukur", width=1),
                ),
                rows=tuple((i["name"], i.get("target", ""), i.get("measure", "")) for i in content.indicators),
            ),
        ]
    return _print(
        session,
        office,
        "surat_usulan",
        case=case,
        is_versioned=True,
        title=f"Usulan {case.name}",
        heading="USULAN PEMBUATAN APLIKASI",
        number=content.agenda_number,
        blocks=blocks,
        signatures=[_signature(signer, heading="Diajukan oleh")],
        english="proposal_letter",
    )


def disposition(
    session: Session, office: Office, case: Case, lines: Sequence[Disposition], signer: Person
) -> PaperFact:
    """Print the routing slip with every decision so far (S01, S02)."""
    rows = tuple(
        (words.long_moment(line.created_at), f"{line.by_name}\n{line.as_what}", line.label, line.words)
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
            _facts(
                ("Nomor perkara", case.number),
                ("Nama aplikasi", case.name),
                ("Unit pengusul", case.unit),
                ("Pengusul", case.proposer_name),
                ("Status", case.label),
            ),
            papers.Table(
                columns=(
                    papers.Column(title="Waktu", width=1.2),
                    papers.Column(title="Oleh", width=1.6),
                    papers.Column(title="Tindakan", width=1.4),
                    papers.Column(title="Catatan atau alasan", width=2.4),
                ),
                rows=rows,
            ),
        ],
        signatures=[_signature(signer)],
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
            _facts(
                ("Nomor perkara", case.number),
                ("Nama aplikasi", case.name),
                ("Unit pengusul", case.unit),
                ("Versi", str(version)),
            ),
            *_part("Ringkasan kebutuhan", summary),
            papers.Notice(label="Rekomendasi", words=recommendation, sentence=advice),
        ],
        signatures=[_signature(signer, heading="Disusun oleh")],
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
        blocks=[_facts(("Nomor perkara", case.number), ("Aplikasi", case.name), *rows)],
        signatures=[_signature(signer)],
        english="work_programme_entry",
    )


def terms_of_reference(
    session: Session,
    office: Office,
    case: Case,
    signer: Person,
    *,
    version: int,
    sections: Sequence[tuple[str, str | Sequence[str]]],
) -> PaperFact:
    """Print a version of the terms of reference (F02)."""
    blocks: list[papers.Block] = [
        _facts(
            ("Nomor perkara", case.number),
            ("Nama aplikasi", case.name),
            ("Unit pengusul", case.unit),
            ("Versi", str(version)),
        )
    ]
    for title, said in sections:
        if isinstance(said, str):
            blocks += _part(title, said)
        elif said:
            blocks += [papers.Heading(text=title), papers.Listing(entries=tuple(said))]
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
        signatures=[_signature(signer, heading="Disusun oleh")],
        english="terms_of_reference",
    )


def minutes(session: Session, office: Office, meeting: Meeting, signer: Person) -> PaperFact:
    """Print the minutes of a meeting with its attendance (S03, S10)."""
    rows = []
    for item in meeting.items:
        outcome = OUTCOME_LABELS[Outcome(item.decision)]
        due = f", paling lambat {words.long_date(item.due_on)}" if item.due_on else ""
        follow_up = f"{item.follow_up}\n{item.pic}{due}".strip() if item.follow_up or item.pic else ""
        number = f"\n{item.case.number}" if item.case else ""
        rows.append((str(item.ordinal), item.subject + number, item.discussion, outcome, follow_up))
    times = " - ".join(f"{t:%H.%M}" for t in (meeting.starts, meeting.ends) if t)
    return _print(
        session,
        office,
        MINUTES[MeetingKind(meeting.kind)],
        title=f"Notulen {meeting.label.lower()} {meeting.number}",
        heading=f"NOTULEN {meeting.label.upper()}",
        number=meeting.number,
        on=meeting.on,
        blocks=[
            _facts(
                ("Hari, tanggal", words.long_date_with_day(meeting.on)),
                ("Waktu", f"{times} WIB" if times else ""),
                ("Tempat", meeting.place),
                ("Pimpinan rapat", meeting.chair),
                ("Notulis", meeting.note_taker),
            ),
            papers.Heading(text="Daftar hadir"),
            papers.Listing(entries=tuple(meeting.attendees)),
            papers.Heading(text="Pembahasan dan keputusan"),
            papers.Table(
                columns=(
                    papers.Column(title="No."),
                    papers.Column(title="Pokok", width=1.4),
                    papers.Column(title="Pembahasan", width=2.2),
                    papers.Column(title="Keputusan", width=0.9),
                    papers.Column(title="Tindak lanjut", width=1.5),
                ),
                rows=tuple(rows),
            ),
        ],
        signatures=[_signature(signer, heading="Ditutup oleh")],
        english="meeting_minutes",
    )


def evaluation_report(
    session: Session, office: Office, evaluation: Evaluation, content: Proposal | None, signer: Person
) -> PaperFact:
    """Print the report of an evaluation: figures with their sources, obstacles, advice (S10)."""
    case = evaluation.case
    figures = tuple(
        (figure.label, f"{quantity(figure.value)} {figure.unit}".strip(), figure.source)
        for figure in evaluation.figures
    )
    blocks: list[papers.Block] = [
        _facts(
            ("Nomor perkara", case.number),
            ("Nama aplikasi", case.name),
            ("Alamat", case.address),
            ("Periode", f"{words.long_date(evaluation.from_on)} s.d. {words.long_date(evaluation.until_on)}"),
        ),
        papers.Heading(text="Angka"),
        papers.Table(
            columns=(
                papers.Column(title="Ukuran", width=1.4),
                papers.Column(title="Nilai", align="right", width=1),
                papers.Column(title="Sumber", width=2),
            ),
            rows=figures or (("Belum ada angka yang diterima.",),),
        ),
    ]
    if evaluation.missing:
        blocks.append(
            papers.Paragraph(text="Belum ada angka dari: " + ", ".join(DIVISIONS[d] for d in evaluation.missing) + ".")
        )
    promised = content.indicators if content else []
    if promised:
        entries = tuple(f"{i['name']}: {i.get('target', '')}".rstrip(": ") for i in promised)
        blocks += [papers.Heading(text="Indikator yang dijanjikan saat usulan"), papers.Listing(entries=entries)]
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
        signatures=[_signature(signer, heading="Disusun oleh")],
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
    paper = papers.Paper(
        kind=english,
        title=heading,
        on=on or words.local_date(utc_now()),
        letterhead=office.letterhead,
        number=number,
        place=office.place,
        blocks=tuple(blocks),
        signatures=tuple(signatures),
    )
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


def _signature(by: Person, *, heading: str = "") -> papers.Signature:
    return papers.Signature(post=by.as_what, name=by.name, heading=heading, signed_at=utc_now())


def _facts(*rows: tuple[str, str]) -> papers.Facts:
    return papers.Facts(rows=tuple(papers.Fact(label=label, value=value) for label, value in rows if value))


def _part(title: str, text: str) -> list[papers.Block]:
    return [papers.Heading(text=title), papers.Paragraph(text=text)] if text else []


def _day(on: date | None) -> str:
    return words.long_date(on) if on else "-"
