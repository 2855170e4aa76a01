"""The work programme of a year on paper: a table across the page, signed by the Head when it is frozen (S02)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.proposal.model import Office, WorkProgramme
from shared import papers
from shared.identity import Person
from shared.papers import Column, Facts, Paper, Table, Total
from shared.printing import closing, print_paper, signed, titled
from shared.words import in_words, rupiah

COLUMNS = (
    Column(title="No.", align="right"),
    Column(title="Butir", width=1.3),
    Column(title="Kegiatan", width=2.8),
    Column(title="Unit", width=0.9),
    Column(title="Indikator", width=1.9),
    Column(title="Target", width=1.3),
    Column(title="Triwulan", align="center"),
    Column(title="Penanggung jawab", width=1.6),
    Column(title="Perkiraan", align="right"),
    Column(title="Pagu", align="right"),
)


def print_frozen(
    session: Session,
    office: Office,
    whole: WorkProgramme,
    rows: Sequence[Mapping[str, Any]],
    *,
    number: str,
    signer: Person,
) -> str:
    """Print a frozen revision with its code; return the digest of its file. The earlier revision is withdrawn."""
    paper = _paper(whole, rows, number=number, signatures=[signed(signer, heading="Ditetapkan oleh")])
    printed = print_paper(
        session,
        "proposal",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind="program_kerja",
        title=f"Program kerja Tahun Anggaran {whole.fiscal_year}, revisi {whole.revision}",
        series=f"program_kerja:{whole.fiscal_year}",
    )
    return printed.digest


def draft(whole: WorkProgramme, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the programme as it stands now, marked as a draft on every page; it is not kept."""
    return papers.render(_paper(whole, rows, number="", signatures=[]).model_copy(update={"is_draft": True}))


def _paper(
    whole: WorkProgramme, rows: Sequence[Mapping[str, Any]], *, number: str, signatures: Sequence[papers.Signature]
) -> Paper:
    total = sum(row["estimated_amount"] for row in rows)
    ceiling = sum(row["ceiling_amount"] or 0 for row in rows)
    paper = titled(
        "work_programme",
        f"PROGRAM KERJA TAHUN ANGGARAN {whole.fiscal_year}",
        [
            Facts.of(
                ("Revisi", str(whole.revision) if whole.revision > 1 else ""),
                ("Alasan revisi", whole.reason),
                ("Jumlah butir", str(len(rows))),
                ("Perkiraan seluruhnya", f"{rupiah(total)} ({in_words(total)} rupiah)"),
            ),
            Table(
                columns=COLUMNS,
                rows=tuple(
                    (
                        str(row["priority"]),
                        str(row["number"]),
                        f"{row['activity']}\n{row['case_number']}",
                        str(row["unit"]),
                        str(row["indicator"]),
                        str(row["target"]),
                        str(row["quarter"]),
                        str(row["pic"]),
                        rupiah(row["estimated_amount"]),
                        rupiah(row["ceiling_amount"]) if row["ceiling_amount"] is not None else "–",
                    )
                    for row in rows
                ),
                totals=(Total(label="Jumlah", values=(rupiah(total), rupiah(ceiling) if ceiling else "–")),),
            ),
            closing("program kerja"),
        ],
        signatures,
        number=number,
    )
    return paper.model_copy(update={"landscape": True})
