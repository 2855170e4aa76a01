"""Leads a request to its route by the first part of its address, so that the hundredth page is found like the first.

FastAPI tries one route after the other: a page, which comes after the whole JSON door, would pay for that more than
for its frame.
"""

from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


def first_part(path: str) -> str:
    """Return the part of a path that says whose it is: `/perkara`, or `/api/cases` below /api."""
    parts = path.split("/")[1:]
    return "/" + "/".join(parts[:2] if parts[:1] == ["api"] else parts[:1])


class Signpost(BaseRoute):
    """Stands before the routes of an application; what it does not know is looked for behind it."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._rooms: dict[str, list[APIRoute]] = {}
        for route in routes:
            if isinstance(route, APIRoute):
                self._rooms.setdefault(first_part(route.path), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how the first fitting route fits, and what it read from the path."""
        found: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http":
            return found
        for route in self._rooms.get(first_part(scope["path"]), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, child
            if match is Match.PARTIAL and found[0] is Match.NONE:
                found = match, child
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route that was found."""
        await scope["route"].handle(scope, receive, send)
