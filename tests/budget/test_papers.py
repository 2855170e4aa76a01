"""What stands on the budget division's papers, read back from the printed files (domain §5)."""

import time
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.budget import actions
from services.budget.actions import Office, papers
from services.budget.actions.papers import today
from services.budget.ledger import NewLine
from services.budget.model import IssuedPaper
from shared.papers import render
from shared.words import amount_in_words, date_in_words, long_date
from tests.budget import walk
from tests.papers import pages_of, text_of
from tests.people import BUDI, CITRA


def text_on(session: Session, office: Office, plan_id: UUID, kind: str) -> str:
    """Return the text of the newest paper of a kind."""
    found = session.scalars(
        select(IssuedPaper)
        .where(IssuedPaper.plan_id == plan_id, IssuedPaper.kind == kind)
        .order_by(IssuedPaper.created_at.desc())
    ).first()
    assert found is not None
    return text_of(office.store, found.digest)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "surat_pengantar",
            (
                "Sifat : Biasa",
                "4 (empat) berkas",
                "Yth. Kepala Bagian Perencanaan",
                "14/PUSTIPD/04/2026 dan 01/PUSTIPD/06/2026",
                "lima puluh delapan juta delapan ratus sepuluh ribu rupiah",
                "Tembusan: 1. Budi (Koordinator Divisi Aplikasi) 2. Dewi (Kepala Divisi Layanan)",
            ),
        ),
        (
            "tanda_terima",
            (
                "TANDA TERIMA BERKAS",
                "Pada hari ini",
                "Kerangka Acuan Kerja (KAK)",
                "/RAB/1, Rp58.810.000",
                "Yang menyerahkan",
                "Yang menerima Bagian Perencanaan",
            ),
        ),
        (
            "penetapan_pagu",
            ("PENETAPAN PAGU ANGGARAN", "Rp60.000.000 (enam puluh juta rupiah)", "PNBP BLU", "Ditetapkan oleh"),
        ),
        (
            "kontrak_spk",
            (
                "SURAT PERINTAH KERJA (SPK)",
                "yang bertanda tangan di bawah ini",
                "selanjutnya disebut PIHAK PERTAMA",
                "Direktur CV CKD, selanjutnya disebut PIHAK KEDUA",
                "132 (seratus tiga puluh dua) hari kalender",
                "lima puluh lima juta lima ratus ribu rupiah",
                "1/1000 dari nilai kontrak sebelum PPN",
                "Pemilik kode sumber : UIN Nusantara Contoh",
                "Meterai Rp10.000",
            ),
        ),
        ("laporan_dokumentasi", ("dinyatakan lengkap", "Panduan instalasi Ya", "install_guide.pdf", "Diperiksa")),
        ("laporan_keuangan", ("Keadaan per", "Belum ada pembayaran.", "Rp60.000.000", "0,00%", "Tidak ada catatan.")),
        (
            "bast",
            (
                "BERITA ACARA SERAH TERIMA",
                "PIHAK PERTAMA; dan",
                "Kode sumber Ya diserahkan sebagai paket",
                "Tidak ada kekurangan yang tercatat",
                "Demikian berita acara ini dibuat dengan sebenarnya",
                "Mengetahui",
            ),
        ),
        (
            "bukti_pembayaran",
            (
                "Sudah terima dari : Indah (Bendahara)",
                "dua puluh tujuh juta tujuh ratus lima puluh ribu rupiah",
                "Rp27.750.000",
                "Nomor SP2D : SP2D-1",
                "Meterai Rp10.000",
            ),
        ),
    ],
)
def test_each_paper_says_what_it_must(session: Session, office: Office, kind: str, said: tuple[str, ...]) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    walk.handed_over(session, office, contract)
    walk.paid(session, office, contract, 1)

    text = text_on(session, office, contract.plan_id, kind)

    assert [words for words in said if words not in text] == []
    assert "Kode pemeriksaan B" in text
    assert "Halaman 1 dari" in text


def test_the_plan_says_its_sums_in_words_and_who_checked_it(session: Session, office: Office) -> None:
    lines = (
        NewLine("525113", "Jasa analis", 2, "orang-bulan", 9_500_000, True, "Tenaga ahli"),
        NewLine("525112", "Konsumsi rapat", 40, "orang-kali", 55_500, False, "Rapat"),
    )
    plan = walk.locked(session, office, lines=lines)

    text = text_on(session, office, plan.id, "rab")

    for words in (
        "Tenaga ahli 1 525113 Jasa analis",
        "Konsumsi rapat (tidak kena PPN)",
        "Dasar Pengenaan Pajak Rp19.000.000",
        "PPN 12% × 11/12",
        "Pembulatan",
        f"Terbilang: {amount_in_words(plan.current.total_amount)}.",
        "Disusun oleh",
        "Diperiksa dan dikunci oleh",
        f"Palembang, {long_date(today())}",
    ):
        assert words in text


def test_records_give_the_day_in_words(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)

    assert date_in_words(contract.signed_at or today()) in text_on(session, office, contract.plan_id, "kontrak_spk")


def test_an_acting_head_signs_with_the_prefix(session: Session, office: Office) -> None:
    conveyance = walk.prepared(session, office)
    acting = CITRA.model_copy(update={"name": "Dewi", "acting_for": "Plh. Kepala PUSTIPD"})

    actions.approve_conveyance(session, acting, conveyance.id, office=office)

    assert "Plh. Kepala PUSTIPD" in text_on(session, office, conveyance.plan_id, "surat_pengantar")


def test_a_mended_handover_says_what_was_mended(session: Session, office: Office) -> None:
    contract = walk.delivered(session, office, walk.signed(session, office))
    handover = walk.handed_over(session, office, contract)
    handover.reason = "Panduan admin belum lengkap."

    text = " ".join(pages_of(render(papers.handover(handover))))

    assert "telah diperbaiki: Panduan admin belum lengkap." in text
    assert "Tidak ada kekurangan" not in text


def test_forty_lines_break_over_pages_with_the_head_repeated(session: Session, office: Office) -> None:
    lines = [
        NewLine("525113", f"Jasa pekerjaan {n} dengan uraian yang panjang untuk dua baris", n, "paket", 1_000, True)
        for n in range(1, 41)
    ]
    plan = walk.locked(session, office, lines=lines)

    pages = pages_of(render(papers.budget_plan(plan, plan.current, BUDI)))

    assert len(pages) > 1
    assert all("Harga satuan" in text for text in pages if "Jasa pekerjaan" in text)
    assert "Demikian Rencana Anggaran Biaya" in next(text for text in pages if "dikunci oleh" in text)


def test_a_plan_of_twenty_pages_is_printed_quickly(session: Session, office: Office) -> None:
    lines = [NewLine("525113", f"Jasa pekerjaan nomor {n}", n, "paket", 1_000, True) for n in range(1, 961)]
    plan = walk.opened(session)
    actions.draft_lines(session, BUDI, plan.id, lines=lines)
    paper = papers.budget_plan(plan, plan.current, BUDI)
    render(paper)

    began = time.process_time()
    printed = render(paper.model_copy(update={"number": "2"}))

    # A page may take 80 ms; five times that before this fails, for machines that are busy with other things.
    assert time.process_time() - began < 0.4 * len(pages_of(printed))
    assert len(pages_of(printed)) >= 20
