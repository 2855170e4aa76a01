"""The page on which a person chooses how pages look."""

from dataclasses import replace
from pathlib import Path

from fastapi import Request, Response
from sqlalchemy import orm

from services.gateway.actions import personal_setting as actions
from services.gateway.schemas.personal_setting import Appearance
from shared.authority import Act
from shared.identity import Person, Role
from shared.pages import Pages
from shared.web import Asker, Session

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
APPEARANCE = "/saya/tampilan"
CHOOSE = Act("choose_appearance", "Simpan tampilan", frozenset(Role))
"""Everybody's own business, so in no table of who may do what; it gives the form its words."""


@router.get(APPEARANCE)
def appearance(request: Request, session: Session, by: Asker) -> Response:
    return _appearance(request, session, by)


def _appearance(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    caller = request.state.caller
    chosen = {"theme": caller.theme, "language": caller.language}
    return pages.render(
        request,
        "appearance.html",
        "Tampilan",
        offers=[
            replace(offer, inputs=[replace(one, default=chosen[one.name]) for one in offer.inputs])
            for offer in pages.offers(request, [CHOOSE])
        ],
    )


def _choose(session: orm.Session, by: Person, _id: None, body: Appearance, request: Request) -> str:
    actions.choose_appearance(session, by, body)
    request.app.state.memory.forget()
    return APPEARANCE


pages.act(CHOOSE, APPEARANCE, Appearance, _choose, back=_appearance)
