"""The application that the demo carries through the procedure: first as its vendor delivers it, then mended."""

import io
import tarfile
from datetime import UTC, datetime

_STYLE = b"""body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; color: #14241d; }
h1 { font-size: 1.6rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #ccd5cf; padding: .4rem; text-align: left; }
"""
_PAGE = """<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Antrean Layanan Akademik</title>
<link rel="stylesheet" href="gaya.css">
</head>
<body>
<h1>Antrean Layanan Akademik</h1>
<p>Nomor antrean loket hari ini. Data diperbarui setiap hari kerja oleh petugas loket.</p>
<table><thead><tr><th>Loket</th><th>Layanan</th><th>Jam</th></tr></thead>
<tbody>{rows}</tbody></table>
<p>Versi {version}</p>
</body>
</html>
"""
_ROWS = "".join(
    f"<tr><td>{n}</td><td>{name}</td><td>08.00-15.00</td></tr>"
    for n, name in enumerate(("Surat aktif kuliah", "Legalisasi ijazah", "Kartu mahasiswa", "Yudisium"), start=1)
)
_CARELESS = '''"""Membuat ulang halaman antrean dari berkas CSV petugas."""

import hashlib
import subprocess


PASSWORD = "antrean2026"


def muat(nama):
    return subprocess.call("cat data/" + nama + " > data/hari-ini.csv", shell=True)


def sidik(teks):
    return hashlib.md5(teks.encode()).hexdigest()


def hitung(rumus):
    return eval(rumus)
'''
_CAREFUL = '''"""Membuat ulang halaman antrean dari berkas CSV petugas."""

import hashlib
from pathlib import Path


def muat(nama: str) -> str:
    """Mengembalikan isi berkas CSV; hanya nama berkas di folder data yang diterima."""
    berkas = Path("data") / Path(nama).name
    isi = berkas.read_text(encoding="utf-8")
    Path("data/hari-ini.csv").write_text(isi, encoding="utf-8")
    return isi


def sidik(teks: str) -> str:
    """Mengembalikan sidik SHA-256 sebuah teks."""
    return hashlib.sha256(teks.encode()).hexdigest()
'''
_READING = b"# Antrean Layanan Akademik\n\nHalaman statis; `alat/halaman.py` membuatnya ulang dari CSV petugas.\n"


def files(*, mended: bool) -> dict[str, bytes]:
    """Return the application's files by path: as delivered (three faults for the scanner), or mended."""
    version = "1.0.1" if mended else "1.0.0"
    return {
        "index.html": _PAGE.format(rows=_ROWS, version=version).encode(),
        "gaya.css": _STYLE,
        "data/hari-ini.csv": b"loket,layanan\n1,Surat aktif kuliah\n2,Legalisasi ijazah\n",
        "alat/halaman.py": (_CAREFUL if mended else _CARELESS).encode(),
        "BACA.md": _READING,
    }


def archive(*, mended: bool) -> bytes:
    """Return the package as a vendor uploads it: a .tar.gz with ordinary files only."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files(mended=mended).items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            entry.mtime = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()
