"""Shapes of following a case without an account: no name of a person, nothing of what is proposed."""

from pydantic import AwareDatetime, BaseModel

from services.proposal.model import Case
from services.proposal.queries import Way, last_turn


class FollowTurn(BaseModel):
    """One turn in plain words."""

    at: AwareDatetime
    words: str


class FollowView(BaseModel):
    """How far a case is, for somebody who holds its receipt."""

    number: str
    label: str
    last: str
    """The newest turn as a sentence; empty before the first."""
    now: str
    waits_for: str
    """The post; empty when it waits for nobody."""
    turns: list[FollowTurn]

    @classmethod
    def of(cls, case: Case, way: Way) -> "FollowView":
        """Return the view of a case and its way."""
        return cls(
            number=case.number,
            label=case.label,
            last=last_turn(way),
            now=way.now,
            waits_for=way.waits_for,
            turns=[FollowTurn(at=turn.at, words=turn.words) for turn in way.turns],
        )
