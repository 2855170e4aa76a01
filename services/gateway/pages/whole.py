"""What the gateway puts together from all divisions: the start, what waits, the list of operations."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from services.gateway.asker import Known, doors_of
from services.gateway.door import together
from services.gateway.door.doors import TITLES
from services.gateway.pages.show import show
from shared.database import utc_now
from shared.language import long_date_with_day
from shared.procedure import procedure

router = APIRouter(include_in_schema=False)
FEW = 6


@router.get("/")
async def home(request: Request, caller: Known) -> Response:
    doors = doors_of(request)
    gathered = await together.waiting_on(doors, caller)
    cases = await together.cases(doors, caller, limit=FEW)
    return show(
        request,
        "home.html",
        "Beranda",
        waiting=gathered.rows[:FEW],
        more=len(gathered.rows) > FEW,
        total=len(gathered.rows),
        silent=[TITLES.get(name, name) for name in gathered.silent],
        cases=cases,
        labels=_labels(),
        today=long_date_with_day(utc_now()),
        titles=TITLES,
    )


@router.get("/menunggu")
async def waiting(request: Request, caller: Known) -> Response:
    gathered = await together.waiting_on(doors_of(request), caller)
    return show(
        request,
        "waiting.html",
        "Menunggu saya",
        waiting=gathered.rows,
        silent=[TITLES.get(name, name) for name in gathered.silent],
        titles=TITLES,
    )


@router.get("/api/docs")
async def operations(request: Request) -> Response:
    description = await together.description(doors_of(request), await run_in_threadpool(request.app.openapi))
    return show(
        request,
        "operations.html",
        "API",
        groups=together.operations(description),
        titles={"gateway": "Pintu masuk", **TITLES},
        silent=[TITLES.get(name, name) for name in description["x-silent"]],
    )


def _labels() -> dict[str, str]:
    return {status.key: status.label for status in procedure().statuses.values()}
