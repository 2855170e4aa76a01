"""Joins the infrastructure division's doors to its database."""

from fastapi import FastAPI

from services.deploy import api, pages
from services.deploy.authority import ACTS
from services.deploy.settings import Settings
from shared.web import make_app


def make(settings: Settings | None = None) -> FastAPI:
    """Return the infrastructure division's web application."""
    return make_app(
        service="deploy",
        title="Infrastruktur",
        settings=settings or Settings(),
        routers=[*api.routers, pages.router],
        navigation=pages.NAVIGATION,
        acts=ACTS,
    )
