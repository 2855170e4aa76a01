"""The budget division's JSON door."""

from services.budget.api import contract, figures, plan

routers = [plan.router, contract.router, figures.router]
