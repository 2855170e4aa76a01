"""Search in all divisions, as JSON."""

from fastapi import APIRouter, Request, Response

from services.gateway.asker import Known, doors_of
from services.gateway.door import search as everywhere
from services.gateway.schemas.search import FoundHit
from shared.web import Question

router = APIRouter(prefix="/api", tags=["gateway"])


@router.get("/search", response_model=list[FoundHit])
async def search(request: Request, response: Response, caller: Known, q: Question) -> list[FoundHit]:
    found = await everywhere.search(doors_of(request), request.app.state.database, caller, q)
    if found.silent:
        response.headers["x-alur-silent"] = ", ".join(found.silent)
    return found.hits
