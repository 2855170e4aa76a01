"""The application division's JSON door, one file for each noun."""

from services.proposal.api import (
    case,
    clock,
    comment,
    draft,
    evaluation,
    figures,
    follow,
    meeting,
    programme,
    proof,
    proposal,
    register,
    similar,
    survey,
)

routers = [
    proposal.router,
    draft.router,
    comment.router,
    similar.router,
    follow.router,
    case.router,
    register.router,
    meeting.router,
    programme.router,
    evaluation.router,
    figures.router,
    clock.router,
    proof.router,
    survey.router,
]
