"""What auditors and operators see of every part."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from shared.oversight import AuditLine, DeadLetter, Standing, Verification

PartName = Literal["gateway", "proposal", "budget", "deploy", "security", "helpdesk"]


class AuditRow(AuditLine):
    """One line of one chain."""

    part: PartName


class PartVerification(Verification):
    """The newest check of one part's chain."""

    part: PartName
    is_silent: bool = False
    """The part did not answer: nothing is known of its check."""


class PartStanding(BaseModel):
    """How one part stands; without a standing it did not answer."""

    part: PartName
    standing: Standing | None


class DeadRow(DeadLetter):
    """A dead letter, and whose it is."""

    part: PartName


class Told(BaseModel):
    """A letter of a part that something was done about."""

    part: PartName
    id: UUID
