"""The office in whose name papers are printed, and the rules that a campus sets for itself."""

from dataclasses import dataclass

from services.proposal.settings import Settings
from shared.institution import institution
from shared.papers import Letterhead
from shared.store import Store


@dataclass(frozen=True)
class Office:
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    store: Store
    public_url: str
    """Where people reach Alur; papers are checked there."""
    letterhead: Letterhead
    code: str
    """Office code in the numbers of minutes and records, e.g. "PUSTIPD"."""
    place: str
    """Where papers are signed."""
    programme_code: str
    """The middle of a work programme number: "APL" in 2027-APL-01."""
    cut_off: tuple[int, int]
    """Month and day; approvals after it go to the work programme of the year after next (domain §6)."""

    @classmethod
    def of(cls, settings: Settings) -> "Office":
        """Return the office of an installation."""
        known = institution()
        return cls(
            store=Store(settings.files_folder),
            public_url=settings.public_url,
            letterhead=known.letterhead,
            code=known.record_office,
            place=known.city,
            programme_code=settings.programme_code,
            cut_off=(settings.cut_off_month, settings.cut_off_day),
        )
