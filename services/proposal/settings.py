"""Settings of the application division, from the environment with the prefix ALUR_PROPOSAL_."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the application division must know to stand, and the rules that a campus sets for itself."""

    model_config = SettingsConfigDict(env_prefix="ALUR_PROPOSAL_", extra="ignore", frozen=True)

    programme_code: str = "APL"
    """The middle of a work programme number: 2027-APL-01."""
    cut_off_month: int = 9
    cut_off_day: int = 30
    """Approvals after this day go to the work programme of the year after next, unless the Head overrides."""
