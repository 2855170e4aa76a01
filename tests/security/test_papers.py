"""What stands on the record of a security test, read back from the printed file (S08, domain §5)."""

from datetime import timedelta

from services.security import actions
from shared.database import utc_now
from shared.procedure import security_controls
from shared.store import Store
from shared.words import date_in_words, long_date
from tests.papers import pages_of, text_of
from tests.people import FITRI
from tests.security.conftest import FIRST, Bench, fault


def test_a_pass_names_build_and_validity_first_and_every_control_in_the_annex(bench: Bench) -> None:
    test = bench.submitted()

    actions.clear(bench.session, FITRI, test.id, note="", desk=bench.desk)

    pages = pages_of(bench.desk.store.path(test.paper_digest).read_bytes())
    assert test.verdict_at is not None
    for words in (
        date_in_words(test.verdict_at),
        "Putusan LULUS",
        f"Berlaku sampai : {long_date(utc_now() + timedelta(days=365))}, hanya untuk paket ini",
        "72 sesuai, 0 tidak sesuai, 0 tidak berlaku",
        "0 kritis, 0 tinggi, 0 sedang, 0 rendah",
        "Penguji Staf Monitoring dan Security",
        "Mengesahkan Fitri (Kepala Divisi Keamanan)",
    ):
        assert words in pages[0]
    assert FIRST in pages[0].replace(" ", "")
    annex = " ".join(pages[1:])
    assert pages[1].count("LAMPIRAN") == 1
    assert [c["number"] for c in security_controls() if f"{c['number']} " not in annex] == []
    assert "Tidak ada temuan." in annex


def test_a_fail_says_why_and_permits_nothing(bench: Bench) -> None:
    test = bench.submitted(fault("jual #strong[x]"))

    actions.fail(bench.session, FITRI, test.id, note="Satu temuan tinggi terbuka.", desk=bench.desk)

    text = text_of(Store(bench.desk.store.folder), test.paper_digest)
    for words in (
        "Putusan TIDAK LULUS Satu temuan tinggi terbuka.",
        "0 kritis, 1 tinggi",
        "Risiko utama : Server dapat diambil alih.",
        "TINGGI Temuan jual #strong[x]",
        "Saran: Pakai daftar argumen.",
    ):
        assert words in text
    assert "Berlaku sampai" not in text
