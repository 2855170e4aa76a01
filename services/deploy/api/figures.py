"""The JSON door of the infrastructure's figures for the dashboards."""

from fastapi import APIRouter

from services.deploy.queries import dashboard
from shared.figures import Figures
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])


@router.get("/figures")
def figures(session: Session, by: Asker) -> Figures:
    return dashboard.figures(session, by)
