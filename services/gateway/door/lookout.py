"""The lookout: asks the divisions from time to time what waits for whom, so that people can be told.

It asks through the same doors and as the same person as the page "Menunggu saya" does, so nobody is told of anything
that they could not see. A round is spread over its period; the house's timetable lets one process at a time take it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from services.gateway.actions import standing
from services.gateway.actions.standing import Changed, Look
from services.gateway.door import together
from services.gateway.door.doors import Doors
from services.gateway.settings import Settings
from shared import clock, identity
from shared.database import Database, utc_now
from shared.identity import Caller
from shared.keys import GATEWAY
from shared.log import logger

FIRST_AFTER = 20.0
"""Seconds after the start: whoever comes first shall not wait for us."""
LIVELY_ROUNDS = 15
"""After somebody has changed something so many rounds are taken: what follows from it (messages between the divisions,
a scan, an installation) comes later than the change itself. Each gateway process goes by what was sent through it, and
whichever was stirred takes the rounds for all."""
CALM_ROUNDS = 11
"""After those only every eleventh round is taken: a campus at night costs next to nothing. What comes with the calendar
is seen then. It shares no divisor with the rounds in which others take turns (`standing.SELDOM`), so everybody's
comes."""
SPREAD = 0.8
"""Part of the period over which a round is spread."""
REST = 10.0
"""Rests this many times as long as it worked: never more than a tenth of a core, however many people there are."""


class Lookout:
    """Looks whose turn it is."""

    def __init__(
        self, settings: Settings, doors: Doors, database: Database, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._database = database
        self._now = now
        self._entry = clock.Entry(GATEWAY, "lookout", max(settings.lookout_seconds, 1))
        self._task: asyncio.Task[None] | None = None
        self._lively = LIVELY_ROUNDS

    def stir(self) -> None:
        """Remember that somebody has just changed something: the next rounds are taken."""
        self._lively = LIVELY_ROUNDS

    def start(self) -> None:
        """Begin to look from time to time, unless the settings say never."""
        if self._settings.lookout_seconds and self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End; what a round has seen so far is forgotten and seen again by the next."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def turn(self, *, within: float = 0.0) -> Changed | None:
        """Look when this round is to be taken and no other process takes it; return what changed, else None."""
        is_calm = self._lively == 0 and self._entry.period(self._now()) % CALM_ROUNDS
        if is_calm or not await run_in_threadpool(self._is_ours):
            return None
        self._lively = max(self._lively - 1, 0)
        return await self.look(within=within)

    async def look(self, *, within: float = 0.0) -> Changed:
        """Look once at everybody whose turn it is to be looked at, spread over some seconds; return what changed."""
        people = await run_in_threadpool(self._people)
        looks = []
        for person in people:
            began = time.monotonic()
            looks.append(await self._ask(person))
            if within:
                await asyncio.sleep(max(within / len(people), REST * (time.monotonic() - began)))
        changed = await run_in_threadpool(self._reconcile, looks)
        if changed != Changed():
            logger().info("lookout_told", people=len(people), **vars(changed))
        return changed

    async def _ask(self, person: identity.Person) -> Look:
        gathered = await together.waiting_on(self._doors, Caller(person=person))
        answered = frozenset(self._doors.parts) - frozenset(gathered.silent)
        return Look(person, tuple(gathered.rows), answered)

    async def _watch(self) -> None:
        period = self._settings.lookout_seconds
        await asyncio.sleep(min(FIRST_AFTER, period))
        while True:
            try:
                await self.turn(within=period * SPREAD)
            except Exception as reason:  # the edge: the database may be away; the next round comes
                logger().warning("lookout_failed", error=type(reason).__name__)
            await asyncio.sleep(min(period, 30))

    def _is_ours(self) -> bool:
        with self._database.transaction() as session:
            return clock.due(session, self._entry)

    def _people(self) -> list[identity.Person]:
        now = self._now()
        with self._database.transaction() as session:
            return standing.whom_to_look_at(session, now=now, turn=self._entry.period(now))

    def _reconcile(self, looks: list[Look]) -> Changed:
        with self._database.transaction() as session:
            return standing.reconcile(session, looks, now=self._now(), escalate_after=self._settings.escalate_after)
