"""Settings of the helpdesk, from the environment with the prefix ALUR_HELPDESK_."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the helpdesk must know to stand."""

    model_config = SettingsConfigDict(env_prefix="ALUR_HELPDESK_", extra="ignore", frozen=True)
