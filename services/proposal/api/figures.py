"""The JSON door of the flow of all cases for the dashboards."""

import time
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import func, orm, select

from services.proposal.authority import MONEY_READERS, STAFF
from services.proposal.model import CaseStatus, TraceEntry
from services.proposal.queries import dashboard
from services.proposal.queries.dashboard import Asked
from shared.calendar import mark, recall
from shared.database import utc_now
from shared.figures import Figures
from shared.identity import Person, Role
from shared.web import Asker, Door, Session
from shared.words import local_date

router = APIRouter(prefix="/api", route_class=Door, tags=["figures"])
KEPT_SECONDS = 60.0
"""Figures that nothing has moved are counted again after a minute at the latest."""
MOST_KEPT = 64


@router.get("/figures")
def figures(
    session: Session,
    by: Asker,
    tahun: Annotated[int | None, Query(ge=1900, le=9999)] = None,
    unit: Annotated[str, Query(max_length=20)] = "",
) -> Figures:
    asked = Asked(tahun, unit)
    seen = _sees(by)
    if not seen:
        return dashboard.figures(session, by, asked)
    key = (str(session.get_bind().engine.url), seen, asked, *_marks(session))
    known = _kept.get(key)
    if known and time.monotonic() < known[0]:
        return known[1]
    found = dashboard.figures(session, by, asked)
    while len(_kept) >= MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[key] = (time.monotonic() + KEPT_SECONDS, found)
    return found


_kept: dict[tuple[object, ...], tuple[float, Figures]] = {}
"""Figures by who sees the same cases, what was asked, and the last thing that happened; each says when it counted."""


def _sees(by: Person) -> str:
    """Name the people who count the very same cases; empty for those who count the cases of their unit, a few."""
    if by.has(Role.AUDITOR) or by.has(*STAFF):
        # Drafts, of which staff see their own only, count nowhere.
        return "centre"
    return "money" if by.has(*MONEY_READERS) and not by.unit else ""


def _marks(session: orm.Session) -> tuple[object, ...]:
    """Return what changes with every move: the last entry of the trace and of the history, the day, the calendar."""
    last = session.execute(
        select(
            select(func.max(TraceEntry.seq)).scalar_subquery(),
            select(func.max(CaseStatus.at)).scalar_subquery(),
            mark(),
        )
    ).one()
    recall(session, last[-1])
    return (*last, local_date(utc_now()))
