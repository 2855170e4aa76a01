"""The application division's JSON door, one file for each noun."""

from services.proposal.api import case, evaluation, meeting, proposal

routers = [proposal.router, case.router, meeting.router, evaluation.router]
