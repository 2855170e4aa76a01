"""The record of a security test (Berita Acara Uji Keamanan) as a paper."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.security.model import ControlAnswer, FindingRow, FindingStatus, SecurityTest, TestStatus
from services.security.verdict import ScanResult
from shared.identity import Person
from shared.papers import (
    SEVERITIES,
    Block,
    Column,
    Fact,
    Facts,
    Finding,
    Findings,
    Heading,
    Notice,
    Paper,
    Paragraph,
    Signature,
    Table,
)
from shared.printing import closing, signed, titled
from shared.procedure import security_controls
from shared.words import count_with_words, date_in_words, local_date, long_date, long_moment

ANSWERS = {"pass": "Sesuai", "fail": "Tidak sesuai", "not_applicable": "Tidak berlaku"}


def record_paper(
    test: SecurityTest,
    *,
    findings: Sequence[FindingRow],
    answers: Mapping[str, ControlAnswer],
    signer: Person,
    valid_until: datetime,
) -> Paper:
    """Return the record: verdict and counts for leaders, signed; findings, tools and controls in the annex (S08).

    `valid_until` is printed with a pass only: a failed test permits nothing.
    """
    assert test.verdict_at is not None
    passed = test.status == TestStatus.PASSED
    still_open = [row for row in findings if row.status == FindingStatus.OPEN]
    fixed = [row for row in findings if row.status == FindingStatus.FIXED]
    scans = [ScanResult.model_validate(scan.result) for scan in test.scans if scan.result is not None]
    counted = [(words, sum(row.severity == key for row in still_open)) for key, words in SEVERITIES.items()]
    answered = [(words, sum(a.answer == key for a in answers.values())) for key, words in ANSWERS.items()]
    worst = min(still_open, key=lambda row: list(SEVERITIES).index(row.severity), default=None)
    unharmed = "Tidak ada temuan kritis atau tinggi yang terbuka." if passed else ""
    return titled(
        "security_test_record",
        "Berita Acara Uji Keamanan",
        (
            Paragraph(
                text=f"Pada hari ini {date_in_words(test.verdict_at)}, Divisi Monitoring dan Security telah "
                f"menyelesaikan uji keamanan data dan aplikasi {test.case.name} sebelum digunakan, dengan hasil "
                "sebagai berikut."
            ),
            Notice(label="Putusan", words="LULUS" if passed else "TIDAK LULUS", sentence=test.verdict_note or unharmed),
            Facts.of(
                ("Nomor perkara", test.case.case_number),
                ("Aplikasi", f"{test.case.name} ({test.case.code})"),
                ("Putaran uji", count_with_words(test.round)),
                Fact(label="Lingkungan uji", value=test.closed_host, mono=True),
                Fact(label="Sidik paket (SHA-256)", value=test.digest, mono=True),
                ("Penguji", test.tester_name),
                ("Butir kendali", ", ".join(f"{count} {words.lower()}" for words, count in answered)),
                ("Temuan terbuka", ", ".join(f"{count} {words.lower()}" for words, count in counted)),
                ("Risiko utama", worst.risk if worst else ""),
                ("Temuan diperbaiki", str(len(fixed))),
                ("Diputuskan", long_moment(test.verdict_at)),
                ("Berlaku sampai", f"{long_date(valid_until)}, hanya untuk paket ini" if passed else ""),
            ),
            closing("berita acara"),
        ),
        (
            Signature(heading="Penguji", post="Staf Monitoring dan Security", name=test.tester_name),
            signed(signer, heading="Mengesahkan"),
        ),
        number=test.number,
        on=local_date(test.verdict_at),
    ).model_copy(update={"annex": _annex([*still_open, *fixed], scans, answers)})


def _annex(
    findings: Sequence[FindingRow], scans: Sequence[ScanResult], answers: Mapping[str, ControlAnswer]
) -> tuple[Block, ...]:
    """Return the technical part: what was found, by which tools, and how each control was answered."""
    return (
        Heading(text="A. Temuan"),
        Findings(items=tuple(_finding(no, row) for no, row in enumerate(findings, 1)))
        if findings
        else Paragraph(text="Tidak ada temuan."),
        Heading(text="B. Laporan pemindaian"),
        Table(
            columns=(
                Column(title="Alat", width=1),
                Column(title="Versi"),
                Column(title="Cakupan", width=2),
                Column(title="Temuan", align="right"),
            ),
            rows=tuple(
                (
                    scan.engine,
                    scan.version,
                    "lengkap" if scan.complete else "; ".join(scan.problems)[:200],
                    str(len(scan.findings)),
                )
                for scan in scans
            )
            or (("Tidak ada pemindaian otomatis pada putaran ini.",),),
        ),
        Heading(text="C. Butir kendali (Peraturan BSSN Nomor 4 Tahun 2021)"),
        Table(
            columns=(
                Column(title="Butir"),
                Column(title="Kendali", width=3),
                Column(title="Hasil"),
                Column(title="Catatan", width=2),
            ),
            rows=tuple(_control(control, answers.get(control["number"])) for control in security_controls()),
        ),
    )


def _finding(no: int, row: FindingRow) -> Finding:
    is_open = row.status == FindingStatus.OPEN
    return Finding(
        no=no,
        severity=row.severity,
        title=row.title,
        control=row.control,
        where=row.where,
        evidence=row.evidence if is_open else "",
        recommendation=row.recommendation if is_open else "",
        status="terbuka" if is_open else "diperbaiki",
        due_on=row.due_on if is_open else None,
    )


def _control(control: Mapping[str, str], answer: ControlAnswer | None) -> tuple[str, str, str, str]:
    said = ANSWERS[answer.answer] if answer else "belum dijawab"
    return control["number"], control["text"], said, answer.note if answer else ""
