"""The budget division's JSON door."""

from services.budget.api import contract, figures, plan, waiting

routers = [plan.router, contract.router, waiting.router, figures.router]
