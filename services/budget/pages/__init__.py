"""The budget division's pages."""

from services.budget.pages import contract, plan
from services.budget.pages.frame import NAVIGATION, pages

router = pages.router

__all__ = ["NAVIGATION", "contract", "plan", "router"]
