"""What stands on the infrastructure division's papers, read back from the printed files (S07, F04)."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.deploy.model import Installation
from shared.store import Store
from tests.deploy.test_actions import Campus
from tests.papers import text_of


@pytest.fixture
def campus(sessions: Callable[[str], Session], tmp_path: Path) -> Campus:
    """Return a campus whose application was handed over."""
    return Campus(sessions("deploy"), Store(tmp_path / "files"), uuid4()).handed_over()


def test_each_paper_has_a_number_of_its_own_and_says_what_it_must(campus: Campus) -> None:
    hosting = campus.hosting()
    release = campus.live(campus.installed(hosting))
    installation = campus.session.scalars(select(Installation)).one()

    expected = {
        hosting.paper_digest: (
            "CATATAN PENYEDIAAN HOSTING",
            "NOMOR: 001/PUSTIPD-INFRA/",
            "Alamat umum : presensi.kampus.example",
            "Disediakan oleh Eko",
        ),
        installation.paper_digest: (
            "BERITA ACARA INSTALASI",
            "NOMOR: 002/PUSTIPD-INFRA/",
            "Pada hari ini",
            "Langkah yang dikerjakan",
            "Demikian berita acara ini dibuat dengan sebenarnya",
            "Disetujui oleh Kepala Divisi Infrastruktur",
        ),
        release.paper_digest: (
            "CATATAN RILIS",
            "NOMOR: 003/PUSTIPD-INFRA/",
            "setelah dinyatakan lulus uji keamanan",
            "Pembukaan diizinkan oleh : Citra (Kepala PUSTIPD)",
        ),
    }
    for digest, said in expected.items():
        assert digest
        text = text_of(campus.store, digest)
        assert [words for words in said if words not in text] == []
        assert "Kode pemeriksaan D" in text
        assert campus.case_number in text
