"""Joins the helpdesk's doors to its database."""

from fastapi import FastAPI

from services.helpdesk import api, pages
from services.helpdesk.authority import ACTS
from services.helpdesk.settings import Settings
from shared.web import make_app


def make(settings: Settings | None = None) -> FastAPI:
    """Return the helpdesk's web application."""
    return make_app(
        service="helpdesk",
        title="Layanan dan Sosialisasi",
        settings=settings or Settings(),
        routers=[api.router, pages.router],
        navigation=pages.NAVIGATION,
        acts=ACTS,
    )
