"""Settings of the budget division, from the environment with the prefix ALUR_BUDGET_."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the budget division must know to stand."""

    model_config = SettingsConfigDict(env_prefix="ALUR_BUDGET_", extra="ignore", frozen=True)

    commitment_office: str = "PPK"
    """Office in the numbers of contracts and handover records, as in 007/PPK/02/2026."""
