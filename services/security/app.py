"""Joins the security division's doors to its database."""

from fastapi import FastAPI

from services.security import api, pages
from services.security.authority import ACTS
from services.security.settings import Settings
from shared.web import make_app


def make(settings: Settings | None = None) -> FastAPI:
    """Return the security division's web application."""
    return make_app(
        service="security",
        title="Monitoring dan Security",
        settings=settings or Settings(),
        routers=[api.router, pages.router],
        navigation=pages.NAVIGATION,
        acts=ACTS,
    )
