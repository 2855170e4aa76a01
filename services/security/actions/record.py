"""The record of a security test (Berita Acara Uji Keamanan) as a paper."""

from collections.abc import Mapping, Sequence

from services.security.model import ControlAnswer, FindingRow, FindingStatus, SecurityTest, TestStatus
from services.security.verdict import ScanResult
from shared import papers
from shared.institution import institution
from shared.words import date_in_words, local_date, long_moment


def record_paper(
    test: SecurityTest,
    *,
    findings: Sequence[FindingRow],
    answers: Mapping[str, ControlAnswer],
    signer_title: str,
) -> papers.Paper:
    """Return the record as it is printed: verdict first, then what was tested, tools, controls and findings (S08)."""
    assert test.verdict_at is not None
    place = institution()
    on = local_date(test.verdict_at)
    passed = test.status == TestStatus.PASSED
    still_open = [row for row in findings if row.status == FindingStatus.OPEN]
    scans = [ScanResult.model_validate(scan.result) for scan in test.scans if scan.result is not None]
    counted = {kind: sum(a.answer == kind for a in answers.values()) for kind in ("pass", "fail", "not_applicable")}
    blocks: list[papers.Block] = [
        papers.Paragraph(
            text=f"Pada hari ini, {date_in_words(test.verdict_at)}, Divisi Monitoring dan Security telah menyelesaikan "
            f"uji keamanan data dan aplikasi {test.case.name} sebelum digunakan, dengan hasil sebagai berikut."
        ),
        papers.Notice(
            label="Putusan",
            words="LULUS" if passed else "TIDAK LULUS",
            sentence=test.verdict_note or ("Tidak ada temuan kritis atau tinggi yang terbuka." if passed else ""),
        ),
        papers.Facts(
            rows=(
                papers.Fact(label="Nomor perkara", value=test.case.case_number),
                papers.Fact(label="Aplikasi", value=f"{test.case.name} ({test.case.code})"),
                papers.Fact(label="Putaran uji", value=str(test.round)),
                papers.Fact(label="Lingkungan uji", value=test.closed_host, mono=True),
                papers.Fact(label="Sidik paket (SHA-256)", value=test.digest, mono=True),
                papers.Fact(label="Penguji", value=test.tester_name),
                papers.Fact(
                    label="Butir kendali",
                    value=f"{counted['pass']} sesuai, {counted['fail']} tidak sesuai, "
                    f"{counted['not_applicable']} tidak berlaku",
                ),
                papers.Fact(label="Diputuskan", value=long_moment(test.verdict_at)),
            )
        ),
        papers.Heading(text="Alat uji"),
        papers.Table(
            columns=(
                papers.Column(title="Alat", width=1),
                papers.Column(title="Versi"),
                papers.Column(title="Cakupan", width=2),
                papers.Column(title="Temuan", align="right"),
            ),
            rows=tuple(
                (
                    scan.engine,
                    scan.version,
                    "lengkap" if scan.complete else "; ".join(scan.problems)[:200],
                    str(len(scan.findings)),
                )
                for scan in scans
            ),
        ),
        papers.Heading(text="Temuan"),
    ]
    if still_open:
        blocks.append(
            papers.Findings(
                items=tuple(
                    papers.Finding(
                        no=number,
                        severity=row.severity,
                        title=row.title,
                        control=row.control,
                        where=row.where,
                        evidence=row.evidence,
                        recommendation=row.recommendation,
                        status="terbuka",
                        due_on=row.due_on,
                    )
                    for number, row in enumerate(still_open, start=1)
                )
            )
        )
    else:
        blocks.append(papers.Paragraph(text="Tidak ada temuan terbuka."))
    blocks.append(
        papers.Paragraph(
            text="Demikian berita acara ini dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya."
        )
    )
    return papers.Paper(
        kind="security_test_record",
        title="Berita Acara Uji Keamanan",
        number=test.number,
        on=on,
        place=place.city,
        letterhead=place.letterhead,
        blocks=tuple(blocks),
        signatures=(
            papers.Signature(heading="Penguji", post="Staf Monitoring dan Security", name=test.tester_name),
            papers.Signature(
                heading="Mengesahkan",
                post=signer_title,
                name=test.verdict_by_name,
                signed_at=test.verdict_at,
            ),
        ),
    )
