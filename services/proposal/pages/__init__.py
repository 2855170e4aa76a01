"""The application division's pages, one file for each noun; all on one router."""

from services.proposal.pages import (
    clock,
    comment,
    evaluation,
    meeting,
    programme,
    proof,
    proposal,
    register,
    sop,
    survey,
    terms,
)
from services.proposal.pages.case import NAVIGATION, router

__all__ = [
    "NAVIGATION",
    "clock",
    "comment",
    "evaluation",
    "meeting",
    "programme",
    "proof",
    "proposal",
    "register",
    "router",
    "sop",
    "survey",
    "terms",
]
