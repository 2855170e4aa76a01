"""The office in whose name papers are printed, and the rules that a campus sets for itself."""

from dataclasses import dataclass, field

from services.proposal.settings import Grades, Settings
from shared import printing
from shared.institution import institution
from shared.store import Store


@dataclass(frozen=True)
class Office(printing.Office):
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    programme_code: str
    """The middle of a work programme number: "APL" in 2027-APL-01."""
    cut_off: tuple[int, int]
    """Month and day; approvals after it go to the work programme of the year after next (domain §6)."""
    grades: Grades = field(default_factory=Grades)
    """How the index of a satisfaction survey is graded."""

    @property
    def code(self) -> str:
        """Return the office code in the numbers of minutes and records, e.g. "PUSTIPD"."""
        return institution().record_office

    @classmethod
    def of(cls, settings: Settings) -> "Office":
        """Return the office of an installation."""
        cut_off = (settings.cut_off_month, settings.cut_off_day)
        return cls(Store(settings.files_folder), settings.public_url, settings.programme_code, cut_off, settings.grades)
