"""Every piece of the face beside the others, drawn by the same macros as the pages; only where Alur is developed."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.gateway.asker import Known
from services.gateway.door import colours
from services.gateway.pages.show import show
from services.gateway.settings import Settings
from shared.authority import Act
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Role
from shared.line import Loop, line_figure, stations
from shared.pages import AREA, FILE, MONEY, Offer, inputs, labelled
from shared.procedure import procedure

router = APIRouter(include_in_schema=False)
STYLE_GUIDE = "/gaya"
SIZES = ((12.5, "tiny"), (14, "small"), (16, "body"), (20, "large"), (25, "larger"), (31, "largest"))
SPACES = (4, 8, 12, 16, 20, 24, 32, 48)


class Line(BaseModel):
    """A row of a sample form."""

    description: str = Field(title="Uraian")
    price: int = Field(title="Harga", json_schema_extra=MONEY)


class Sample(BaseModel):
    """A form with every kind of field."""

    name: str = Field(title="Nama aplikasi", description="Seperti yang akan dibaca orang di daftar.")
    purpose: str = Field(title="Kegunaan", json_schema_extra=AREA)
    users: int = Field(title="Perkiraan pengguna")
    amount: int = Field(title="Anggaran", description="Rupiah tanpa pecahan.", json_schema_extra=MONEY)
    starts_on: date = Field(title="Mulai")
    severity: Literal["low", "high"] = Field(
        title="Kepentingan", json_schema_extra=labelled({"low": "Rendah", "high": "Tinggi"})
    )
    addresses: list[str] = Field(title="Alamat uji", description="Satu alamat pada satu baris.")
    is_public: bool = Field(False, title="Dapat dibuka dari luar kampus")
    letter: Annotated[Any, Field(title="Surat usulan", description="PDF.", json_schema_extra=FILE)]
    lines: list[Line] = Field(title="Rincian biaya")


FILLED: dict[str, Any] = {
    "name": "Sistem Antrean Layanan Akademik Terpadu",
    "purpose": "Menampilkan nomor antrean dan jam layanan.\nDipakai di loket dan di telepon genggam.",
    "users": "4000",
    "amount": "Rp33.300.000",
    "starts_on": "2026-11-23",
    "severity": "high",
    "addresses": ["https://uji.kampus.example"],
    "is_public": "true",
    "lines": [{"description": "Pengembangan", "price": "Rp33.300.000"}],
}
WRONG = {
    "name": "Sudah dipakai perkara APL-2026-0004. Beri nama lain, atau kembangkan perkara itu.",
    "purpose": "Wajib diisi.",
    "users": "Harus berupa bilangan bulat, tanpa huruf.",
    "amount": "Anggaran melampaui pagu Rp30.000.000 (ditetapkan Bagian Perencanaan, 3 Maret 2026). Kurangi RAB.",
    "starts_on": "Tanggal tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22.",
    "severity": "Pilihan yang ada: Rendah atau Tinggi.",
    "addresses": "Paling sedikit 1 butir.",
    "letter": "Hanya PDF yang diterima.",
    "lines.0.price": "Harus lebih dari 0.",
}
TYPED = FILLED | {
    "purpose": "",
    "users": "banyak",
    "amount": "Rp99.000.000",
    "starts_on": "besok",
    "severity": "sedang",
}
ACTS = (
    Act("sample_approve", "Setujui", frozenset(Role), consequence="Usulan masuk ke program kerja tahun berikutnya."),
    Act("sample_return", "Kembalikan", frozenset(Role), danger=True, consequence="Pengusul memperbaiki usulannya."),
    Act("sample_reject", "Tolak", frozenset(Role), danger=True, consequence="Perkara ditutup dan tidak dibuka lagi."),
)


@dataclass(frozen=True)
class Pair:
    """Words on a ground, and how well they are read by day and by night."""

    words: str
    ground: str
    light: tuple[str, str, float]
    dark: tuple[str, str, float]


def pairs(brand: str) -> list[Pair]:
    """Return the measured contrast of whatever stands on whatever."""
    light, dark = colours.tokens(brand)
    return [
        Pair(
            words,
            ground,
            (light[words], light[ground], colours.contrast(light[words], light[ground])),
            (dark[words], dark[ground], colours.contrast(dark[words], dark[ground])),
        )
        for words, ground in colours.READABLE
    ]


def _forms() -> list[tuple[str, Offer]]:
    fields, act = inputs(Sample), ACTS[0]
    empty = Offer(act, STYLE_GUIDE, fields, key="kosong", upload=True)
    filled = replace(empty, key="terisi", typed=FILLED, is_open=True)
    return [
        ("Kosong", empty),
        ("Terisi", filled),
        ("Ditolak", replace(filled, key="ditolak", typed=TYPED, errors=WRONG)),
    ]


def _decision() -> list[Offer]:
    reason = [one for one in inputs(Sample) if one.name == "purpose"]
    reason = [
        replace(one, label="Alasan", help="Dibaca oleh pihak yang menerima kembali berkas ini.") for one in reason
    ]
    return [
        Offer(act, STYLE_GUIDE, [] if act is ACTS[0] else reason, key=f"putusan-{number}")
        for number, act in enumerate(ACTS)
    ]


@router.get(STYLE_GUIDE)
def style_guide(request: Request, caller: Known) -> Response:
    settings: Settings = request.app.state.settings
    if not settings.development:
        raise NotFound("Alamat ini tidak ada. Periksa kembali tautannya, atau mulai dari beranda.")
    sop = procedure()
    loop = Loop("S08", "S07", 2, "uji keamanan tidak lulus")
    return show(
        request,
        "style_guide.html",
        "Gaya",
        request_path=STYLE_GUIDE,
        refusal=None,
        sizes=SIZES,
        spaces=SPACES,
        pairs=pairs(settings.brand_colour),
        icons=sorted(request.app.state.frame.static.icons),
        forms=_forms(),
        decision=_decision(),
        lines=[
            (
                "Sedang berjalan",
                line_figure(stations(sop, at="S05", done=["S06"], notes={"S05": "3 hari kerja"}), key="g1"),
            ),
            ("Dengan putaran ulang", line_figure(stations(sop, at="S08"), loops=[loop], key="g2")),
            ("Selesai", line_figure(stations(sop, at="S11", ended=True), key="g3")),
            ("Berhenti", line_figure(stations(sop, at="S02", stopped=True), key="g4")),
        ],
        now=utc_now(),
    )
