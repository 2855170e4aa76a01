"""What stands on the application division's papers, read back from the printed files (domain §5)."""

import pytest
from sqlalchemy import select

from services.proposal import actions
from services.proposal.model import Case, Paper
from tests.papers import text_of
from tests.people import BAYU, CITRA
from tests.proposal.walk import TERMS, Walk


def text_on(walk: Walk, case: Case, kind: str) -> str:
    """Return the text of the newest paper of a kind on the trace of a case."""
    entries = [entry.id for entry in walk.trace(case)]
    found = walk.session.scalars(select(Paper).where(Paper.trace_entry_id.in_(entries), Paper.kind == kind)).all()
    newest = max(found, key=lambda paper: entries.index(paper.trace_entry_id))
    return text_of(walk.office.store, newest.digest)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "lembar_disposisi",
            (
                "LEMBAR DISPOSISI",
                "Nomor surat : B-0412/Un.99/B.II/TI.01/08/2026",
                "Perihal : Aplikasi baru: e-Presensi Pegawai dan Dosen",
                "Uji keamanan",
                "Pengembangan",
                "Mohon disetujui.",
                "Citra (Kepala PUSTIPD)",
            ),
        ),
        ("analisis_kebutuhan", ("ANALISIS KEBUTUHAN", "Presensi dengan kode QR", "Rekomendasi", "Disusun oleh Bayu")),
        (
            "entri_proker",
            ("BUTIR PROGRAM KERJA TAHUN ANGGARAN", "Rp136.000.000", "Demikian butir program kerja ini dibuat"),
        ),
        (
            "kak",
            (
                "KERANGKA ACUAN KERJA",
                "A. Latar belakang",
                "B. Maksud",
                "C. Tujuan",
                "1. Rekap tepat waktu",
                "Demikian kerangka acuan kerja ini dibuat",
            ),
        ),
    ],
)
def test_each_paper_says_what_it_must(walk: Walk, kind: str, said: tuple[str, ...]) -> None:
    case = walk.programmed()
    actions.write_terms(walk.session, BAYU, case.id, walk.office, TERMS)

    text = text_on(walk, case, kind)

    assert [words for words in said if words not in text] == []
    assert "Kode pemeriksaan P" in text


def test_an_acting_head_signs_the_slip_with_the_prefix(walk: Walk) -> None:
    acting = CITRA.model_copy(update={"name": "Dewi", "acting_for": "Plt. Kepala PUSTIPD"})
    case = walk.recommended()

    actions.approve(walk.session, acting, case.id, walk.office)

    text = text_on(walk, case, "lembar_disposisi")
    assert "Plt. Kepala PUSTIPD" in text
    assert "Disetujui dalam sistem pada" in text


@pytest.mark.parametrize(
    ("kind", "key", "title"),
    [
        ("weekly", "notulen_rapat_mingguan", "NOTULEN RAPAT RUTIN MINGGUAN"),
        ("annual", "notulen_raker", "NOTULEN RAPAT KERJA TAHUNAN"),
    ],
)
def test_minutes_name_the_case_and_who_was_there(walk: Walk, kind: str, key: str, title: str) -> None:
    case = walk.programmed()
    meeting = walk.minuted(case, kind)

    text = text_on(walk, case, key)

    for words in (title, f"NOMOR: {meeting.number}", "Daftar hadir", case.number, *meeting.attendees):
        assert words in text
