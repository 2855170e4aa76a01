"""Settings of the security division, from the environment with the prefix ALUR_SECURITY_."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the security division must know to stand."""

    model_config = SettingsConfigDict(env_prefix="ALUR_SECURITY_", extra="ignore", frozen=True)

    install_days: int = 14
    """How long after the verdict a permit may be used to open a site."""
    valid_months: int = 12
    """How long an opened build may stay open under its permit."""
