"""What the gateway puts together from all divisions, as JSON."""

from typing import Any

import sqlalchemy.exc
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from services.gateway.asker import Known, doors_of
from services.gateway.door import together
from services.gateway.schemas.whole import Health, WaitingRow
from shared.database import Database

router = APIRouter(prefix="/api", tags=["gateway"])


@router.get("/waiting", response_model=list[WaitingRow])
async def waiting(request: Request, response: Response, caller: Known) -> list[WaitingRow]:
    gathered = await together.waiting_on(doors_of(request), caller)
    if gathered.silent:
        response.headers["x-alur-silent"] = ", ".join(gathered.silent)
    return gathered.rows


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request) -> Any:
    parts = {"gateway": await run_in_threadpool(_own_health, request)} | await together.health(doors_of(request))
    is_well = all(state == "ok" for state in parts.values())
    body = {"status": "ok" if is_well else "down", "parts": parts}
    return JSONResponse(body, status_code=200 if is_well else 503, headers={} if is_well else {"retry-after": "5"})


def _own_health(request: Request) -> str:
    database: Database = request.app.state.database
    try:
        with database.session() as session:
            session.execute(text("SELECT 1"))
    except sqlalchemy.exc.SQLAlchemyError:
        return "down"
    return "ok"


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(await together.description(doors_of(request), request.app.openapi()))
