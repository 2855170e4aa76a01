"""Settings of the budget division, from the environment with the prefix ALUR_BUDGET_."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the budget division must know to stand, and what stands at the head of its papers."""

    model_config = SettingsConfigDict(env_prefix="ALUR_BUDGET_", extra="ignore", frozen=True)

    ministry: str = "Kementerian Agama Republik Indonesia"
    institution: str = "Universitas Islam Negeri Nusantara Contoh"
    centre: str = "Pusat Teknologi Informasi dan Pangkalan Data"
    address: str = "Jalan Contoh Raya Nomor 1, Palembang"
    email: str = "pustipd@kampus.example"
    website: str = "pustipd.kampus.example"
    city: str = "Palembang"
    """Where papers are signed."""
    office_code: str = "Un.99/PUSTIPD"
    """Office in the number of the cover letter; the division that numbers the same kind must have another."""
    classification: str = "TI.01"
    commitment_office_code: str = "PPK"
    """Office in the numbers of contracts and handover records."""
