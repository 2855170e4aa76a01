"""What a proposer writes, as one shape: kept as a draft however little is filled in, checked when it is submitted."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.config import JsonDict

from services.proposal.model.case import KIND_LABELS, Kind

AREA: JsonDict = {"kind": "area"}
DATA_LABELS = {"none": "Tidak ada", "general": "Umum", "specific": "Spesifik"}
CRITICALITY_LABELS = {"low": "Rendah", "medium": "Sedang", "high": "Tinggi"}
RESERVED = frozenset({"www", "mail", "ns", "admin", "api", "sso"})
"""Names that no application may take (domain §6)."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]


class Indicator(BaseModel):
    """One promised success indicator; the evaluation compares with it."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(title="Indikator", description="Misalnya: rekap bulanan selesai tepat waktu.")
    target: Line = Field("", title="Target", description="Misalnya: hari kerja pertama bulan berikutnya.")
    measure: Line = Field("", title="Cara mengukur")


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
    benefit: Words = Field("", title="Manfaat yang diharapkan", json_schema_extra=AREA)
    users: Words = Field("", title="Calon pengguna", description="Siapa yang akan memakainya.", json_schema_extra=AREA)
    expected_users: int = Field(0, ge=0, le=10_000_000, title="Perkiraan jumlah pengguna", description="Orang.")
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
        "web", title="Basis", json_schema_extra={"labels": {"web": "Web", "mobile": "Ponsel", "desktop": "Desktop"}}
    )
    indicators: list[Indicator] = Field(
        default_factory=list,
        max_length=20,
        title="Indikator keberhasilan",
        description="Apa yang akan dinilai kelak saat evaluasi. Kosongkan baris yang tidak dipakai.",
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
