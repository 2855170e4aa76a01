"""The JSON door of the flow of all cases for the dashboards."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.proposal.queries import dashboard
from services.proposal.queries.dashboard import Asked
from shared.figures import Figures
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["figures"])


@router.get("/figures")
def figures(
    session: Session,
    by: Asker,
    tahun: Annotated[int | None, Query(ge=1900, le=9999)] = None,
    unit: Annotated[str, Query(max_length=20)] = "",
) -> Figures:
    return dashboard.figures(session, by, Asked(tahun, unit))
