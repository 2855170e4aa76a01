"""What the gateway asks for somebody without an account: how far a case is, by its number and receipt code."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.proposal import queries
from services.proposal.schemas.follow import FollowView
from shared.web import Door, Session

router = APIRouter(prefix="/inner", route_class=Door, include_in_schema=False)

Typed = Annotated[str, Path(max_length=60)]


@router.get("/follow/{number}/{code}")
def follow(session: Session, number: Typed, code: Typed) -> FollowView:
    return FollowView.of(*queries.followed(session, number, code))
