"""The JSON door of the budget's figures for the dashboards."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.budget.queries import dashboard
from shared.figures import Figures
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["figures"])


@router.get("/figures")
def figures(session: Session, by: Asker, tahun: Annotated[int | None, Query(ge=1900, le=9999)] = None) -> Figures:
    return dashboard.figures(session, by, fiscal_year=tahun)
