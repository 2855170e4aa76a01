"""The page of search: one box for everything that has a number or a name."""

from fastapi import APIRouter, Request, Response

from services.gateway.asker import Known, doors_of
from services.gateway.door import search as everywhere
from services.gateway.door.doors import TITLES
from services.gateway.pages.show import show
from shared.database import utc_now
from shared.search import LONGEST
from shared.words import local_date

router = APIRouter(include_in_schema=False)
FEW = 5
"""Hits of one kind while all kinds are shown."""


@router.get("/cari")
async def search(request: Request, caller: Known, q: str = "", jenis: str = "") -> Response:
    question = q.replace("\x00", " ").strip()[:LONGEST]
    found = await everywhere.search(doors_of(request), request.app.state.database, caller, question)
    groups = found.groups
    kind = jenis if jenis in groups else ""
    return show(
        request,
        "search.html",
        "Cari",
        q=question,
        groups={kind: groups[kind]} if kind else groups,
        counts={name: len(hits) for name, hits in groups.items()},
        kind=kind,
        kinds=everywhere.KINDS,
        few=None if kind else FEW,
        total=len(found.hits),
        is_near=found.is_near,
        suggestion=everywhere.suggestion(question, found.hits) if found.is_near else "",
        silent=[TITLES.get(name, name) for name in found.silent],
        marked=everywhere.marked,
        longest=LONGEST,
        year=local_date(utc_now()).year,
    )
