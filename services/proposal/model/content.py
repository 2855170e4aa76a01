"""What a proposer writes, as one shape: kept as a draft however little is filled in, checked when it is submitted.

The sections of the form and what each wants stand here too: pure, without a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.config import JsonDict

from services.proposal.model.case import KIND_LABELS, Kind
from services.proposal.model.difference import readable

AREA: JsonDict = {"kind": "area"}
DATA_LABELS = {"none": "Tidak ada", "general": "Umum", "specific": "Spesifik"}
CRITICALITY_LABELS = {"low": "Rendah", "medium": "Sedang", "high": "Tinggi"}
LEVEL_SCORES = {"low": 1, "medium": 2, "high": 3}
PLATFORM_LABELS = {"web": "Web", "mobile": "Ponsel", "desktop": "Desktop"}
MONEY: JsonDict = {"kind": "money"}
RESERVED = frozenset({"www", "mail", "ns", "admin", "api", "sso"})
"""Names that no application may take (domain §6)."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]


class Indicator(BaseModel):
    """One promised success indicator; the evaluation compares with it."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(title="Indikator", description="Misalnya: rekap bulanan selesai tepat waktu.")
    baseline: Line = Field("", title="Keadaan sekarang")
    target: Line = Field("", title="Target", description="Misalnya: hari kerja pertama bulan berikutnya.")
    measure: Line = Field("", title="Cara mengukur")


class Risk(BaseModel):
    """What may go wrong, what follows from it, and what is done against it."""

    model_config = ConfigDict(extra="forbid")

    risk: Line = Field(title="Risiko", description="Misalnya: data pegawai di sistem lama tidak lengkap.")
    effect: Line = Field("", title="Akibat")
    mitigation: Line = Field("", title="Penanganan")


def _level(title: str, description: str) -> Any:
    return Field(None, title=title, description=description, json_schema_extra={"labels": {**CRITICALITY_LABELS}})


def _rupiah(title: str, description: str) -> Any:
    return Field(0, ge=0, le=10**15, strict=True, title=title, description=description, json_schema_extra=MONEY)


Level = Literal["low", "medium", "high"]


class Content(BaseModel):
    """The content of a proposal."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(min_length=3, title="Nama aplikasi")
    code: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,29}[a-z0-9]$",
        title="Nama singkat",
        description="2-31 huruf kecil, angka, atau tanda hubung; diawali huruf. Kelak menjadi alamatnya.",
    )
    kind: Kind = Field(
        Kind.NEW, title="Jenis usulan", json_schema_extra={"labels": {k.value: v for k, v in KIND_LABELS.items()}}
    )
    purpose: Words = Field(
        "", title="Kegunaan", description="Satu atau dua kalimat: untuk apa aplikasi ini.", json_schema_extra=AREA
    )
    earlier_application: Line = Field(
        "",
        title="Aplikasi yang dimaksud",
        description="Nama atau nomor perkara aplikasi yang sudah ada.",
    )
    earlier_contract: Line = Field(
        "", title="Kontrak sebelumnya", description="Nomor dan tanggal kontrak yang diulang pengadaannya."
    )
    letter_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = Field(
        "", title="Nomor surat usulan", description="Misalnya B-0412/Un.99/B.II/TI.01/08/2026."
    )
    letter_on: date | None = Field(None, title="Tanggal surat usulan")
    background: Words = Field(
        "",
        title="Latar belakang dan masalah",
        description="Bagaimana pekerjaan dilakukan sekarang dan apa kesulitannya.",
        json_schema_extra=AREA,
    )
    legal_basis: list[Line] = Field(
        default_factory=list,
        max_length=30,
        title="Dasar hukum",
        description="Satu peraturan atau keputusan pada setiap baris.",
    )
    current_process: Words = Field(
        "",
        title="Proses kerja saat ini",
        description="Langkah demi langkah: siapa mengerjakan apa, dengan alat apa.",
        json_schema_extra=AREA,
    )
    wanted_process: Words = Field(
        "",
        title="Proses kerja yang diinginkan",
        description="Langkah yang sama setelah ada aplikasi.",
        json_schema_extra=AREA,
    )
    benefit: Words = Field("", title="Manfaat yang diharapkan", json_schema_extra=AREA)
    benefit_amount: int = _rupiah("Perkiraan nilai manfaat per tahun", "Rupiah bulat; penghematan atau pendapatan.")
    cost_amount: int = _rupiah("Perkiraan biaya", "Rupiah bulat; RAB disusun kemudian oleh Divisi Aplikasi.")
    risks: list[Risk] = Field(
        default_factory=list,
        max_length=20,
        title="Risiko",
        description="Apa yang dapat menggagalkan atau merugikan. Kosongkan baris yang tidak dipakai.",
    )
    stakeholders: list[Line] = Field(
        default_factory=list,
        max_length=30,
        title="Pemangku kepentingan",
        description="Unit atau pihak lain yang terlibat, satu pada setiap baris.",
    )
    users: Words = Field("", title="Calon pengguna", description="Siapa yang akan memakainya.", json_schema_extra=AREA)
    expected_users: int = Field(0, ge=0, le=10_000_000, title="Perkiraan jumlah pengguna", description="Orang.")
    data_handled: Words = Field(
        "",
        title="Data yang diolah",
        description="Data apa saja, dari mana, dan siapa pemiliknya.",
        json_schema_extra=AREA,
    )
    confidentiality: Level | None = _level("Kerahasiaan", "Akibat bila data terbuka bagi yang tidak berhak.")
    integrity: Level | None = _level("Keutuhan", "Akibat bila data berubah tanpa hak.")
    availability: Level | None = _level("Ketersediaan", "Akibat bila aplikasi tidak dapat dipakai.")
    personal_data: Literal["none", "general", "specific"] = Field(
        "none",
        title="Data pribadi",
        description="Spesifik: kesehatan, keuangan, biometrik, anak, dan sejenisnya (UU 27/2022).",
        json_schema_extra={"labels": {**DATA_LABELS}},
    )
    criticality: Literal["low", "medium", "high"] = Field(
        "medium", title="Tingkat kepentingan", json_schema_extra={"labels": {**CRITICALITY_LABELS}}
    )
    language: Line = Field("", title="Bahasa pemrograman", description="Bila sudah diketahui, misalnya PHP.")
    framework: Line = Field("", title="Kerangka kerja", description="Bila sudah diketahui, misalnya Laravel.")
    database: Line = Field("", title="Basis data", description="Bila sudah diketahui, misalnya MariaDB.")
    platform: Literal["web", "mobile", "desktop"] = Field(
        "web", title="Basis", json_schema_extra={"labels": {**PLATFORM_LABELS}}
    )
    indicators: list[Indicator] = Field(
        default_factory=list,
        max_length=20,
        title="Indikator keberhasilan",
        description="Apa yang akan dinilai kelak saat evaluasi. Kosongkan baris yang tidak dipakai.",
    )
    data_after: Words = Field(
        "",
        title="Data setelah penghentian",
        description="Ke mana data dipindahkan, berapa lama disimpan, dan kapan dimusnahkan.",
        json_schema_extra=AREA,
    )
    knowledge_transfer: Words = Field(
        "",
        title="Alih pengetahuan",
        description="Siapa yang dilatih, kapan, dan dokumen apa yang diserahkan penyedia.",
        json_schema_extra=AREA,
    )
    similar_reason: Words = Field(
        "",
        title="Mengapa tetap diajukan",
        description="Perbedaan dengan aplikasi serupa yang sudah ada atau sedang diusulkan.",
        json_schema_extra=AREA,
    )

    @field_validator("code")
    @classmethod
    def _not_reserved(cls, code: str) -> str:
        if code in RESERVED:
            raise ValueError("Nama singkat ini dicadangkan. Silakan pilih nama lain.")
        return code

    @field_validator("expected_users", mode="before")
    @classmethod
    def _no_yes(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("Harus berupa bilangan bulat.")
        return value


REQUIRED = {
    "purpose": "Tuliskan kegunaan aplikasi.",
    "letter_number": "Tuliskan nomor surat usulan yang ditandatangani pimpinan unit.",
    "letter_on": "Isi tanggal surat usulan.",
    "background": "Tuliskan latar belakang dan masalah.",
    "benefit": "Tuliskan manfaat yang diharapkan.",
    "users": "Tuliskan siapa calon penggunanya.",
}
"""What a submission must hold (guard of `submit`), with what to do when it is lacking."""

KIND_REQUIRED = {
    Kind.RETENDER: {
        "earlier_application": "Sebutkan aplikasi yang pengadaannya diulang.",
        "earlier_contract": "Sebutkan nomor kontrak sebelumnya.",
    },
    Kind.SHUT_DOWN: {
        "earlier_application": "Sebutkan aplikasi yang akan dihentikan.",
        "data_after": "Tuliskan apa yang terjadi dengan datanya setelah dihentikan.",
    },
    Kind.MODULE: {"earlier_application": "Sebutkan aplikasi yang akan mendapat modul baru."},
    Kind.FURTHER_DEVELOPMENT: {"earlier_application": "Sebutkan aplikasi yang akan dikembangkan."},
}
"""What a kind of proposal needs besides: without it nobody knows what is to be changed, bought again or ended.

The SOP itself asks for the letter and the description of needs only (S01); all other fields are advised, shown as
lacking in the form, and left to the judgement of whoever accepts the proposal.
"""
CORE = frozenset(
    {
        "name", "code", "kind", "purpose", "letter_number", "letter_on", "background", "benefit", "users",
        "expected_users", "personal_data", "criticality", "indicators", "language", "framework", "database", "platform",
    }
)  # fmt: skip
"""Fields with columns of their own; every other one is kept in `Proposal.more`."""


def required(kind: str) -> dict[str, str]:
    """Return what a submission of this kind must hold, with what to do when it is lacking."""
    return REQUIRED | KIND_REQUIRED.get(Kind(kind), {})


@dataclass(frozen=True)
class Section:
    """A section of the form: its fields, and which of them make it complete."""

    key: str
    title: str
    words: str
    """What to write here, in one sentence."""
    fields: tuple[str, ...]
    advised: tuple[str, ...]


SECTIONS_OF_FORM = (
    Section(
        "identitas", "Identitas", "Apa yang diusulkan, dan dengan surat yang mana.",
        ("name", "code", "kind", "earlier_application", "earlier_contract", "letter_number", "letter_on"),
        ("name", "code", "letter_number", "letter_on"),
    ),
    Section(
        "masalah", "Masalah dan dasar hukum", "Mengapa aplikasi ini diperlukan.",
        ("purpose", "background", "legal_basis"), ("purpose", "background", "legal_basis"),
    ),
    Section(
        "proses", "Proses kerja", "Bagaimana pekerjaan berjalan sekarang dan bagaimana seharusnya.",
        (
            "current_process", "wanted_process", "users", "expected_users", "stakeholders", "platform", "language",
            "framework", "database",
        ),
        ("current_process", "wanted_process", "users"),
    ),
    Section(
        "manfaat", "Manfaat dan biaya", "Apa hasilnya dan berapa kira-kira biayanya.",
        ("benefit", "benefit_amount", "cost_amount"), ("benefit", "cost_amount"),
    ),
    Section("risiko", "Risiko", "Apa yang dapat menghambat, dan apa penanganannya.", ("risks",), ("risks",)),
    Section(
        "indikator", "Indikator keberhasilan", "Ukuran yang akan dinilai saat evaluasi.",
        ("indicators",), ("indicators",),
    ),
    Section(
        "data", "Data dan keamanan", "Data yang diolah dan seberapa besar akibatnya bila terganggu.",
        (
            "data_handled", "personal_data", "confidentiality", "integrity", "availability", "criticality",
            "data_after",
        ),
        ("data_handled", "confidentiality", "integrity", "availability"),
    ),
    Section(
        "alih-pengetahuan", "Alih pengetahuan", "Bagaimana staf kampus dapat merawatnya sendiri.",
        ("knowledge_transfer",), ("knowledge_transfer",),
    ),
    Section("lampiran", "Lampiran", "Surat usulan yang ditandatangani dan berkas pendukung.", (), ()),
)  # fmt: skip
LETTER_WANTED = "Unggah pindaian surat usulan."
OF_KIND = {
    "earlier_application": frozenset(KIND_REQUIRED),
    "earlier_contract": frozenset({Kind.RETENDER}),
    "data_after": frozenset({Kind.SHUT_DOWN}),
}
"""Fields that only some kinds of proposal ask for."""


def section_named(key: str) -> Section | None:
    """Return a section of the form by its key."""
    return next((one for one in SECTIONS_OF_FORM if one.key == key), None)


def lacking(content: Content, section: Section, *, has_letter: bool) -> list[str]:
    """Return the labels of what a section still wants, in the order of its fields, marked where it must be there."""
    if section.key == "lampiran":
        return [] if has_letter else [LETTER_WANTED]
    wanted = (*section.advised, *(name for name in KIND_REQUIRED.get(content.kind, {}) if name in section.fields))
    empty = [name for name in section.fields if name in wanted and not getattr(content, name)]
    must = required(content.kind)
    return [f"{Content.model_fields[name].title}{' (wajib)' if name in must else ''}" for name in empty]


@dataclass(frozen=True)
class Category:
    """How much depends on the data: each of the three counted 1 to 3, and the highest of them in words."""

    score: int
    label: str


def category(content: Content | Mapping[str, Any]) -> Category | None:
    """Return the category of the system by its confidentiality, integrity and availability; None while one lacks."""
    given = content.model_dump() if isinstance(content, Content) else content
    levels = [given.get(name) for name in ("confidentiality", "integrity", "availability")]
    scores = [LEVEL_SCORES[level] for level in levels if level in LEVEL_SCORES]
    if len(scores) < len(levels):
        return None
    return Category(sum(scores), list(CRITICALITY_LABELS.values())[max(scores) - 1])


def as_read(name: str, value: Any) -> str:
    """Return a field of a proposal as people read it; empty for nothing."""
    return readable(Content, name, value)
