"""What the tables of the infrastructure division share: their metadata, and statuses that change by named moves."""

from collections.abc import Mapping
from typing import ClassVar

from shared.database import House, new_metadata
from shared.errors import OutOfTurn
from shared.sentence import Sentence

Moves = Mapping[str, tuple[frozenset[str], str]]
"""Each move once: from which statuses, to which."""


class Table(House):
    """A table of the infrastructure division's own database."""

    __abstract__ = True
    metadata = new_metadata()


class Moving:
    """A thing whose status changes by the moves of `moves` only."""

    moves: ClassVar[Moves]
    labels: ClassVar[Mapping[str, str]]
    noun: ClassVar[str]
    """What a refusal calls it, in Indonesian."""

    def move(self, name: str) -> None:
        """Make a move; raise OutOfTurn when the status does not allow it."""
        if not self.allows(name):
            raise OutOfTurn(
                Sentence(
                    "{noun} ini berstatus “{label}”, sehingga tindakan ini belum atau tidak lagi dapat dilakukan. "
                    "Mohon muat ulang halamannya.",
                    noun=self.noun,
                    label=self.label,
                )
            )
        self.status = self.moves[name][1]

    def allows(self, name: str) -> bool:
        """Tell whether the status allows a move."""
        return str(self.status) in self.moves[name][0]

    @property
    def label(self) -> str:
        """Return the Indonesian word for the status."""
        return self.labels[str(self.status)]
