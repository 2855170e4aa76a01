"""What a person may choose for themselves."""

from pydantic import BaseModel, ConfigDict, Field

from shared.identity import Language, Theme
from shared.pages import labelled

THEMES = {"auto": "Mengikuti perangkat", "light": "Terang", "dark": "Gelap"}
LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}


class Appearance(BaseModel):
    """How pages look for one person, and in which language they speak."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")
    theme: Theme = Field("auto", title="Warna layar", json_schema_extra=labelled(THEMES))
    language: Language = Field(
        "id",
        title="Bahasa",
        description="Surat dan berita acara selalu berbahasa Indonesia. Halaman yang belum diterjemahkan tampil dalam "
        "bahasa Indonesia.",
        json_schema_extra=labelled(LANGUAGES),
    )
