"""Joins the application division's doors to its database."""

from fastapi import FastAPI

from services.proposal import api, pages
from services.proposal.authority import ACTS
from services.proposal.model import Office
from services.proposal.settings import Settings
from shared.web import make_app


def make(settings: Settings | None = None) -> FastAPI:
    """Return the application division's web application."""
    known = settings or Settings()
    app = make_app(
        service="proposal",
        title="Divisi Aplikasi",
        settings=known,
        routers=[*api.routers, pages.router],
        navigation=pages.NAVIGATION,
        acts=ACTS,
    )
    app.state.office = Office.of(known)
    return app
