"""Settings of the application division, from the environment with the prefix ALUR_PROPOSAL_."""

from dataclasses import dataclass

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


@dataclass(frozen=True)
class Grades:
    """From which index on each grade is given, and from how many answers a result is shown at all."""

    a: float = 88.31
    b: float = 76.61
    c: float = 65.0
    least: int = 5

    def of(self, index: float) -> str:
        """Return the grade of an index."""
        return "A" if index >= self.a else "B" if index >= self.b else "C" if index >= self.c else "D"


class Settings(ServiceSettings):
    """What the application division must know to stand, and the rules that a campus sets for itself."""

    model_config = SettingsConfigDict(env_prefix="ALUR_PROPOSAL_", extra="ignore", frozen=True)

    programme_code: str = "APL"
    """The middle of a work programme number: 2027-APL-01."""
    cut_off_month: int = 9
    cut_off_day: int = 30
    """Approvals after this day go to the work programme of the year after next, unless the Head overrides."""
    evaluation_months: int = 12
    """An application in use for so many months without an evaluation gets one by itself (domain §6)."""
    survey_a: float = 88.31
    survey_b: float = 76.61
    survey_c: float = 65.0
    """From which index on a satisfaction survey is graded A, B or C; below is D."""
    survey_least: int = 5
    """Below so many answers a survey shows no result: single answers could be recognised."""

    @property
    def grades(self) -> Grades:
        """Return how a survey is graded."""
        return Grades(self.survey_a, self.survey_b, self.survey_c, self.survey_least)
