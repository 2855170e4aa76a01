"""A division's door that is opened after the gateway has begun to answer."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from services.gateway.door.doors import Doors
from services.gateway.door.late import LateDoor
from shared.keys import Keys, make_keys


def division() -> FastAPI:
    """Return the smallest web door of a division."""
    app = FastAPI()

    @app.get("/inner/doors")
    async def doors() -> dict[str, list[str]]:
        return {"prefixes": ["/tiket"], "navigation": []}

    @app.get("/tiket")
    async def tickets() -> list[str]:
        return ["TKT-1"]

    return app


def noted(made: list[str]) -> Callable[[], ASGIApp]:
    """Return what makes the division, and notes that it did."""

    def make() -> ASGIApp:
        made.append("helpdesk")
        return division()

    return make


def test_many_who_come_at_once_open_a_door_once() -> None:
    made: list[str] = []

    async def ask() -> list[int]:
        door = LateDoor(noted(made), asyncio.Lock())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://inner") as client:
            answers = await asyncio.gather(*(client.get("/tiket") for _ in range(8)))
        return [answer.status_code for answer in answers]

    assert anyio.run(ask) == [200] * 8
    assert made == ["helpdesk"]


def test_a_late_door_is_not_waited_for_until_somebody_asks(tmp_path: Path) -> None:
    make_keys(tmp_path)
    made: list[str] = []

    async def ask() -> tuple[bool, list[str], str | None]:
        doors = Doors({"helpdesk": LateDoor(noted(made), asyncio.Lock())}, Keys(tmp_path))
        is_late, before = doors.open_late(), list(made)
        await doors.opened()
        owner = await doors.owner_of("/tiket")
        return is_late, before, owner.name if owner else None

    assert anyio.run(ask) == (True, [], "helpdesk")
    assert made == ["helpdesk"]


def test_doors_that_are_there_are_not_late(tmp_path: Path) -> None:
    make_keys(tmp_path)

    async def ask() -> bool:
        return Doors({"helpdesk": division()}, Keys(tmp_path)).open_late()

    assert anyio.run(ask) is False
