"""Joins the budget division's doors to its database."""

from fastapi import FastAPI

from services.budget import api, pages
from services.budget.authority import ACTS
from services.budget.settings import Settings
from shared.web import make_app


def make(settings: Settings | None = None) -> FastAPI:
    """Return the budget division's web application."""
    return make_app(
        service="budget",
        title="Perencanaan dan Anggaran",
        settings=settings or Settings(),
        routers=[*api.routers, pages.router],
        navigation=pages.NAVIGATION,
        acts=ACTS,
    )
