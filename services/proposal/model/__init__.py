"""The nouns of the application division: case, trace, proposal, work programme, meeting, evaluation."""

from services.proposal.model.case import (
    KIND_LABELS,
    MERGE,
    Case,
    CaseStatus,
    Counter,
    Kind,
    RegisteredApplication,
)
from services.proposal.model.evaluation import (
    ASKED,
    DECISION_LABELS,
    EVALUATION_LABELS,
    Evaluation,
    EvaluationFigure,
    EvaluationStatus,
)
from services.proposal.model.meeting import (
    MEETING_LABELS,
    MINUTES,
    OUTCOME_LABELS,
    Meeting,
    MeetingItem,
    MeetingKind,
    Outcome,
)
from services.proposal.model.office import Office
from services.proposal.model.programme import TermsOfReference, WorkProgrammeEntry
from services.proposal.model.proposal import Disposition, NeedsAnalysis, Proposal, ProposalVersion
from services.proposal.model.table import Table
from services.proposal.model.trace import Paper, TraceEntry

__all__ = [
    "ASKED",
    "DECISION_LABELS",
    "EVALUATION_LABELS",
    "KIND_LABELS",
    "MEETING_LABELS",
    "MERGE",
    "MINUTES",
    "OUTCOME_LABELS",
    "Case",
    "CaseStatus",
    "Counter",
    "Disposition",
    "Evaluation",
    "EvaluationFigure",
    "EvaluationStatus",
    "Kind",
    "Meeting",
    "MeetingItem",
    "MeetingKind",
    "NeedsAnalysis",
    "Office",
    "Outcome",
    "Paper",
    "Proposal",
    "ProposalVersion",
    "RegisteredApplication",
    "Table",
    "TermsOfReference",
    "TraceEntry",
    "WorkProgrammeEntry",
]
