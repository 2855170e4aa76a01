"""The institution as its papers name it: letterhead, letter codes, city; data, not code."""

import os
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from shared.papers import Letterhead

DEFAULT = Path(__file__).with_name("institution.yaml")


class Institution(BaseModel):
    """Who the centre is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ministry: str
    name: str
    short_name: str
    centre: str
    centre_short: str
    address: str
    email: str
    website: str
    base_domain: str
    letter_office: str
    """Office code in numbers of letters and memos."""
    record_office: str
    """Office code in numbers of records and minutes."""
    letter_classification: str
    city: str

    @property
    def letterhead(self) -> Letterhead:
        """Return the head of every paper."""
        return Letterhead(
            ministry=self.ministry,
            institution=self.name,
            centre=self.centre,
            address=self.address,
            email=self.email,
            website=self.website,
        )


@cache
def institution() -> Institution:
    """Return the institution of this installation: the file that ALUR_INSTITUTION names, else the fictional one."""
    path = Path(os.environ.get("ALUR_INSTITUTION") or DEFAULT)
    return Institution.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
