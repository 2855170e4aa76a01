"""The budget division's JSON door."""

from fastapi import APIRouter

from services.budget.api import contract, figures, plan

router = APIRouter()
router.include_router(plan.router)
router.include_router(contract.router)
router.include_router(figures.router)
