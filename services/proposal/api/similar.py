"""The JSON door of similar applications: asked while somebody types."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.proposal import queries
from services.proposal.authority import PROPOSERS, READERS
from services.proposal.model import LONGEST_NAME
from services.proposal.schemas.similar import SimilarView
from shared.errors import NotAllowed
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["similar"])


@router.get("/similar-applications")
def similar(
    session: Session,
    by: Asker,
    name: Annotated[str, Query(max_length=LONGEST_NAME)],
    purpose: Annotated[str, Query(max_length=20_000)] = "",
    besides: UUID | None = None,
) -> list[SimilarView]:
    if not by.has(*PROPOSERS, *READERS):
        raise NotAllowed("Pencarian aplikasi serupa hanya untuk pengusul dan staf PUSTIPD.")
    found = queries.similar(session, by, name=name, purpose=purpose, besides=besides)
    return [SimilarView.model_validate(one) for one in found]
