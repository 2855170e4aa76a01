"""The figures of all divisions, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.gateway.asker import Known, doors_of
from services.gateway.door.figures import gather, must_see_figures
from shared.figures import Figures

router = APIRouter(prefix="/api", tags=["gateway"])


@router.get("/figures")
async def figures(
    request: Request,
    response: Response,
    caller: Known,
    tahun: Annotated[int | None, Query(ge=1900, le=9999)] = None,
    unit: Annotated[str, Query(max_length=20)] = "",
) -> dict[str, Figures]:
    must_see_figures(caller.person)
    asked = {"tahun": str(tahun) if tahun else "", "unit": unit}
    found = await gather(doors_of(request), caller, {key: value for key, value in asked.items() if value})
    if found.silent:
        response.headers["x-alur-silent"] = ", ".join(found.silent)
    return found.parts
