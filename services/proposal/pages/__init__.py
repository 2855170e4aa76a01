"""The application division's pages, one file for each noun; all on one router."""

from services.proposal.pages import evaluation, meeting
from services.proposal.pages.case import NAVIGATION, router

__all__ = ["NAVIGATION", "evaluation", "meeting", "router"]
